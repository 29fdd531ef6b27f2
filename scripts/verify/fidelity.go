package main

import (
	"context"
	"math"
	"slices"

	"vaefolio/vaelib/stream"
)

// Of the comparison with held-out portfolios: rows of each sample at most,
// neighbours, permutations of the tests.
const (
	fidelityRows         = 1000
	neighbours           = 5
	fidelityPermutations = 99
)

// scores are those of one sample, by their columns in fidelity.csv, and what of some of
// them is undecided.
type scores map[string]float64

// undecided, before a column, is how far a score may be off where distances are equal
// but for roundings, so that either may be found the smaller.
const undecided = "undecided "

// checkFidelity recomputes the scores of the samples that the folder holds: those of
// the model, from weights.csv, and the second half of the held-out portfolios. The
// other rows' samples are made again with the report.
func (f *folder) checkFidelity(ctx context.Context) error {
	const file = "fidelity.csv"
	t, err := f.table(file)
	if err != nil {
		return err
	}
	in, err := f.inputs()
	if err != nil {
		return err
	}
	data, err := f.rows(ctx)
	if err != nil {
		return err
	}
	_, weights, err := f.portfolios("weights.csv", in.data.Window.Symbols)
	if err != nil {
		return err
	}
	samples := weights[max(0, len(weights)-in.config.Portfolios):]
	all, err := recall(f, "fidelity", []string{"config.toml", "weights.csv"}, func() (map[string]scores, error) {
		return judgeSamples(data, samples[:min(fidelityRows, len(samples))], in.config.Seed), nil
	})
	if err != nil {
		return err
	}
	names, err := t.text("sample")
	if err != nil {
		return err
	}
	for name, want := range all {
		row := slices.Index(names, name)
		if row < 0 {
			f.add(file, name, differs, nil, "a row")
			continue
		}
		for column, x := range want {
			k := slices.Index(t.header, column)
			if k < 0 {
				continue
			}
			stored, err := number(t.rows[row][k])
			if err != nil {
				return err
			}
			f.near(file, column+" of "+name, stored, x, 1e-9+want[undecided+column])
		}
	}
	return nil
}

// judgeSamples deals the held-out portfolios into two halves: one is what the other
// and the samples of the model are compared with.
func judgeSamples(data *rows, samples [][]float64, seed uint64) map[string]scores {
	count := min(fidelityRows, len(data.heldOut)/2, len(samples))
	deal := stream.New(seed, "fidelity.halves", 0).Perm(len(data.heldOut))
	real, floor := pick(data.heldOut, deal[:count]), pick(data.heldOut, deal[count:2*count])
	if len(samples) > count {
		samples = pick(samples, stream.New(seed, "fidelity.rows", 0).Perm(len(samples))[:count])
	}
	c := &comparison{training: data.training, real: real, seed: seed, bandwidth: medianDistance(data.training, seed)}
	c.reach = c.nearest(real)
	return map[string]scores{"held out": c.score(floor), "model, mixture on the codes": c.score(samples)}
}

func pick(rows [][]float64, order []int) [][]float64 {
	var picked [][]float64
	for _, i := range order {
		picked = append(picked, rows[i])
	}
	return picked
}

// medianDistance is the median of the distances above 0 between training rows, of
// 1,000 at most.
func medianDistance(rows [][]float64, seed uint64) float64 {
	const most = 1000
	if len(rows) > most {
		rows = pick(rows, stream.New(seed, "fidelity.bandwidth", 0).Perm(len(rows))[:most])
	}
	var squares []float64
	for i, x := range rows {
		for _, y := range rows[:i] {
			if s := squared(x, y); s > 0 {
				squares = append(squares, s)
			}
		}
	}
	slices.Sort(squares)
	return math.Sqrt(squares[len(squares)/2])
}

type comparison struct {
	training, real [][]float64
	reach          []float64 // of the real rows to the training rows
	bandwidth      float64
	seed           uint64
}

// nearest are the distances of rows to the training rows.
func (c *comparison) nearest(rows [][]float64) []float64 {
	distances := make([]float64, len(rows))
	for i, x := range rows {
		least := math.Inf(1)
		for _, y := range c.training {
			least = min(least, squared(x, y))
		}
		distances[i] = math.Sqrt(least)
	}
	return distances
}

// score computes all scores of a sample.
func (c *comparison) score(x [][]float64) scores {
	s := scores{"rows": float64(len(x)), "neighbours": neighbours,
		"dispersion": dispersion(x, c.real)}
	c.overlap(x, s, 1e-12)
	c.test(x, s)
	near := c.nearest(x)
	var wins, copies, ties float64
	for i, a := range near {
		if a == 0 {
			copies++
		}
		for j, b := range c.reach {
			if math.Abs(a-b) <= 1e-12*max(a, b) && squared(x[i], c.real[j]) > 0 && a > 0 {
				ties++
			}
			switch {
			case a < b:
				wins++
			case a == b:
				wins += 0.5
			}
		}
	}
	pairs := float64(len(near) * len(c.reach))
	s["copies"], s["memorisation_auc"], s[undecided+"memorisation_auc"] = copies, wins/pairs, ties/pairs
	return s
}

// overlap compares the balls around rows, out to their nearest neighbours. What is
// decided by squares of distances closer to each other than rounding is undecided.
func (c *comparison) overlap(x [][]float64, s scores, rounding float64) {
	realRadii, radii := radiiOf(c.real), radiiOf(x)
	least := c.within(x, realRadii, radii, 1-rounding)
	most := c.within(x, realRadii, radii, 1+rounding)
	for column, share := range c.within(x, realRadii, radii, 1) {
		s[column], s[undecided+column] = share, most[column]-least[column]
	}
}

// within says what lies in balls, whose squared radii are taken times a factor.
func (c *comparison) within(x [][]float64, realRadii, radii []float64, times float64) scores {
	inside := make([]bool, len(x))
	var held, covered, recalled, precise float64
	for i, r := range c.real {
		holds, isIn := 0.0, false
		for j, y := range x {
			square := squared(r, y)
			if square <= realRadii[i]*times {
				holds++
				inside[j] = true
			}
			isIn = isIn || square <= radii[j]*times
		}
		held += holds
		if holds > 0 {
			covered++
		}
		if isIn {
			recalled++
		}
	}
	for _, in := range inside {
		if in {
			precise++
		}
	}
	return scores{"precision": precise / float64(len(x)), "recall": recalled / float64(len(c.real)),
		"density": held / neighbours / float64(len(x)), "coverage": covered / float64(len(c.real))}
}

// radiiOf are the squared distances of rows to the last of their nearest neighbours.
func radiiOf(rows [][]float64) []float64 {
	radii := make([]float64, len(rows))
	for i, x := range rows {
		squares := make([]float64, 0, len(rows))
		for j, y := range rows {
			if j != i {
				squares = append(squares, squared(x, y))
			}
		}
		slices.Sort(squares)
		radii[i] = squares[neighbours-1]
	}
	return radii
}

// test tells two samples apart by the energy distance and by the maximum mean
// discrepancy, with the share of permutations that come as far.
func (c *comparison) test(x [][]float64, s scores) {
	pooled := slices.Concat(x, c.real)
	n := len(pooled)
	distance, kernel := make([][]float64, n), make([][]float64, n)
	for i := range pooled {
		distance[i], kernel[i] = make([]float64, i), make([]float64, i)
		for j := range i {
			square := squared(pooled[i], pooled[j])
			distance[i][j] = math.Sqrt(square)
			kernel[i][j] = math.Exp(-square / (2 * c.bandwidth * c.bandwidth))
		}
	}
	var energies, discrepancies []float64
	for p := range fidelityPermutations + 1 {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		if p > 0 {
			rng := stream.New(c.seed, "fidelity.permutation", uint64(p))
			for i := range x {
				j := i + rng.IntN(n-i)
				order[i], order[j] = order[j], order[i]
			}
		}
		first := make([]bool, n)
		for _, i := range order[:len(x)] {
			first[i] = true
		}
		aa, ab, bb := means(distance, first)
		energies = append(energies, 2*ab-aa-bb)
		aa, ab, bb = means(kernel, first)
		discrepancies = append(discrepancies, aa+bb-2*ab)
	}
	s["energy_distance"], s["energy_p"] = energies[0], shareAsLarge(energies)
	s["mmd2"], s["mmd_p"] = discrepancies[0], shareAsLarge(discrepancies)
}

// means of the pairs within the first sample, across, and within the second.
func means(of [][]float64, first []bool) (aa, ab, bb float64) {
	var countA, countB float64
	for i, row := range of {
		if first[i] {
			countA++
		} else {
			countB++
		}
		for j, v := range row {
			switch {
			case first[i] && first[j]:
				aa += v
			case first[i] || first[j]:
				ab += v
			default:
				bb += v
			}
		}
	}
	return aa / (countA * (countA - 1) / 2), ab / (countA * countB), bb / (countB * (countB - 1) / 2)
}

// shareAsLarge is the share of values of at least the first, but for rounding.
func shareAsLarge(values []float64) float64 {
	var scale, count float64
	for _, v := range values {
		scale = max(scale, math.Abs(v))
	}
	for _, v := range values {
		if v >= values[0]-1e-9*scale {
			count++
		}
	}
	return count / float64(len(values))
}
