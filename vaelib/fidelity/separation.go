package fidelity

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/stream"
)

// Separation says how well a classifier tells two samples apart.
type Separation struct {
	// AUC is the probability that the classifier finds a row of the first sample
	// likelier to be of it than a row of the second, ties counted half: 0.5 for
	// samples of one distribution, 1 for those that can always be told apart. Low
	// and High are its 95 % interval, with DeLong's variance, which takes the forest as
	// given: over rows and forests drawn anew, of one distribution, it holds 0.5 in .86
	// with 150 rows a sample and in .90 with 600.
	AUC, Low, High float64
}

// MeasureSeparation trains a classifier to tell the rows of a (N x n) from those
// of b (M x n): a random forest of 100 trees (Breiman 2001, "Random forests"), each
// grown on a bootstrap sample of the rows until its leaves are pure or have fewer
// than six rows, with the root of n assets tried at each split. A row is judged by
// the trees that haven't seen it, out of bag, so that no row is spent on a test
// set. It is the two-sample test of Lopez-Paz & Oquab 2017 ("Revisiting classifier
// two-sample tests"), with an AUC for its accuracy. Unlike a distance it finds what
// no average shows: weights that are never exactly 0, or too often.
//
// It returns a [*TooFewRowsError] for fewer than two rows, an error that names the
// row for NaN or Inf, and the context's error when that ends first.
func MeasureSeparation(ctx context.Context, a, b *mat.Dense, seed uint64) (Separation, error) {
	x, y, err := newSamples("sample a", a, "sample b", b, 2)
	if err != nil {
		return Separation{}, err
	}
	return separation(ctx, x, y, seed)
}

// Sizes of the forest.
const (
	forestTrees = 100
	forestBins  = 32 // quantiles of each column at which trees may split
	forestLeaf  = 3  // rows on either side of a split, at least
)

func separation(ctx context.Context, x, y sample, seed uint64) (Separation, error) {
	f := &forest{n: x.n + y.n, first: x.n, d: x.d, tries: int(math.Ceil(math.Sqrt(float64(x.d))))}
	for _, bins := range binned(sample{n: f.n, d: x.d, data: slices.Concat(x.data, y.data)}, forestBins) {
		column := make([]uint8, f.n)
		for i, bin := range bins {
			column[i] = uint8(bin)
		}
		f.columns = append(f.columns, column)
	}
	votes := make([][]float64, forestTrees) // of each tree: NaN for the rows that it has seen
	growers := make([]*grower, parallel.Workers(forestTrees))
	for w := range growers {
		growers[w] = &grower{forest: f, rows: make([]int32, f.n), kept: make([]int32, f.n), order: make([]int, f.d)}
	}
	if err := parallel.For(ctx, forestTrees, func(worker, tree int) error {
		votes[tree] = growers[worker].grow(stream.New(seed, "fidelity.forest", uint64(tree)))
		return nil
	}); err != nil {
		return Separation{}, err
	}
	scores := make([]float64, f.n)
	for i := range scores {
		var sum, count float64
		for _, v := range votes {
			if !math.IsNaN(v[i]) {
				sum += v[i]
				count++
			}
		}
		if count > 0 {
			scores[i] = sum / count
		}
	}
	ours, theirs := scores[:x.n], scores[x.n:]
	slices.Sort(ours)
	slices.Sort(theirs)
	area, low, high := areaUnderCurve(theirs, ours) // how often a row of b scores below one of a
	return Separation{AUC: area, Low: low, High: high}, nil
}

// forest is what all trees share: the columns in bins, row by row, of which the
// first ones are of sample a.
type forest struct {
	n, first, d, tries int
	columns            [][]uint8
}

// grower grows one tree after another in the same memory.
type grower struct {
	*forest
	rows, kept []int32 // of the bootstrap sample, those of a node side by side
	order      []int   // of the columns, the first ones tried next
	base       float64 // share of sample a in the bag
}

// grow grows a tree and returns its votes for the rows out of its bag: the share of
// sample a in the leaf that a row falls into, less that in the bag, which has fewer
// rows of the sample that a row is missing from.
func (g *grower) grow(rng *rand.Rand) []float64 {
	votes := make([]float64, g.n)
	for i := range g.rows {
		g.rows[i] = int32(rng.IntN(g.n))
		votes[g.rows[i]] = math.NaN()
	}
	ours := 0
	for _, i := range g.rows {
		if int(i) < g.first {
			ours++
		}
	}
	g.base = float64(ours) / float64(g.n)
	var out []int32
	for i, v := range votes {
		if v == 0 {
			out = append(out, int32(i))
		}
	}
	for j := range g.order {
		g.order[j] = j
	}
	g.split(g.rows, out, votes, rng)
	return votes
}

// split grows the part of a tree under a node, from its rows, and drops the rows
// out of the bag down to its leaves.
func (g *grower) split(rows, out []int32, votes []float64, rng *rand.Rand) {
	ours := 0
	for _, i := range rows {
		if int(i) < g.first {
			ours++
		}
	}
	if len(out) == 0 {
		return
	}
	column, bin := -1, uint8(0)
	if ours > 0 && ours < len(rows) && len(rows) >= 2*forestLeaf {
		column, bin = g.best(rows, ours, rng)
	}
	if column < 0 {
		for _, i := range out {
			votes[i] = float64(ours)/float64(len(rows)) - g.base
		}
		return
	}
	at, outAt := g.part(rows, column, bin), g.part(out, column, bin)
	g.split(rows[:at], out[:outAt], votes, rng)
	g.split(rows[at:], out[outAt:], votes, rng)
}

// part puts the rows up to a bin of a column first, in their order, and returns how
// many there are.
func (g *grower) part(rows []int32, column int, bin uint8) int {
	values := g.columns[column]
	at, later := 0, g.kept[:0]
	for _, i := range rows {
		if values[i] <= bin {
			rows[at] = i
			at++
		} else {
			later = append(later, i)
		}
	}
	copy(rows[at:], later)
	return at
}

// best finds the split after a bin that leaves the two sides purest, by Gini's
// measure, among some columns drawn at random; -1 where no column has one.
func (g *grower) best(rows []int32, ours int, rng *rand.Rand) (column int, bin uint8) {
	column = -1
	purest := float64(ours) * float64(ours) / float64(len(rows)) // ours²/all on both sides: larger is purer
	purest += float64(len(rows)-ours) * float64(len(rows)-ours) / float64(len(rows)) * (1 + 1e-12)
	for tried := 0; tried < g.d && (tried < g.tries || column < 0); tried++ {
		k := tried + rng.IntN(g.d-tried)
		g.order[tried], g.order[k] = g.order[k], g.order[tried]
		var all, of [forestBins]int32
		for _, i := range rows {
			b := g.columns[g.order[tried]][i] % forestBins
			all[b]++
			if int(i) < g.first {
				of[b]++
			}
		}
		var left, leftOurs int32
		for b := range forestBins - 1 {
			if all[b] == 0 {
				continue
			}
			left, leftOurs = left+all[b], leftOurs+of[b]
			right := int32(len(rows)) - left
			if left < forestLeaf || right < forestLeaf {
				continue
			}
			rightOurs := int32(ours) - leftOurs
			purity := (squared(leftOurs)+squared(left-leftOurs))/float64(left) +
				(squared(rightOurs)+squared(right-rightOurs))/float64(right)
			if purity > purest {
				purest, column, bin = purity, g.order[tried], uint8(b)
			}
		}
	}
	return column, bin
}

func squared(x int32) float64 { return float64(x) * float64(x) }
