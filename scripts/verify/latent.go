package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// judgement is what a network has learned, by rows that it has not seen.
type judgement struct {
	klPerDimension, meanVariances, codeMeans, codeVariances []float64
	kl, active, r2                                          float64
}

// judge runs the network on held-out rows, with their conditions (nil: none).
func (n *network) judge(heldOut, conditions [][]float64, trainingMean []float64) *judgement {
	d := n.document.Config.Latent
	j := &judgement{klPerDimension: make([]float64, d), codeVariances: make([]float64, d)}
	rows := float64(len(heldOut))
	var means [][]float64
	var unexplained, total float64
	for i, x := range heldOut {
		given := rowOf(conditions, i)
		mean, logvar := n.encode(x, given)
		means = append(means, mean)
		for k, mu := range mean {
			j.klPerDimension[k] += (mu*mu + math.Exp(logvar[k]) - 1 - logvar[k]) / 2 / rows
			j.codeVariances[k] += math.Exp(logvar[k]) / rows
		}
		w, _ := n.decode(mean, given)
		for k, v := range x {
			unexplained += (v - w[k]) * (v - w[k])
			total += (v - trainingMean[k]) * (v - trainingMean[k])
		}
	}
	j.r2 = 1 - unexplained/total
	j.codeMeans = columnMeans(means)
	j.meanVariances = columnVariances(means)
	for k, v := range j.meanVariances {
		j.kl += j.klPerDimension[k]
		j.codeVariances[k] += v
		if v > 0.01 {
			j.active++
		}
	}
	return j
}

func rowOf(rows [][]float64, i int) []float64 {
	if rows == nil {
		return nil
	}
	return rows[i]
}

func columnMeans(rows [][]float64) []float64 {
	means := make([]float64, len(rows[0]))
	for _, row := range rows {
		for k, v := range row {
			means[k] += v / float64(len(rows))
		}
	}
	return means
}

// columnVariances have the divisor N.
func columnVariances(rows [][]float64) []float64 {
	means, variances := columnMeans(rows), make([]float64, len(rows[0]))
	for _, row := range rows {
		for k, v := range row {
			variances[k] += (v - means[k]) * (v - means[k]) / float64(len(rows))
		}
	}
	return variances
}

// dispersion is sqrt(tr Cov(a)/tr Cov(b)).
func dispersion(a, b [][]float64) float64 {
	return math.Sqrt(sum(columnVariances(a)) / sum(columnVariances(b)))
}

// evidence estimates the evidence lower bound and the log likelihood of rows, by
// noise of its own, with the standard errors of both.
type evidence struct{ elbo, elboError, likelihood, likelihoodError float64 }

func (n *network) weigh(rows, conditions [][]float64, codes int, seed uint64) evidence {
	rng := rand.New(rand.NewPCG(20, seed)) // of verify's own
	epsilon := make([]float64, n.document.Config.Latent)
	var bounds, likelihoods, spreads []float64
	for i, x := range rows {
		logs := make([]float64, codes)
		for s := range logs {
			for k := range epsilon {
				epsilon[k] = rng.NormFloat64()
			}
			logs[s] = n.logRatio(x, rowOf(conditions, i), epsilon)
		}
		bounds = append(bounds, sum(logs)/float64(codes))
		largest := slices.Max(logs)
		var total, squares float64
		for _, l := range logs {
			share := math.Exp(l - largest)
			total += share
			squares += share * share
		}
		likelihoods = append(likelihoods, largest+math.Log(total/float64(codes)))
		// Of the logarithm of a mean, by the delta method; and of the mean of logs.
		spreads = append(spreads, max(0, squares/(total*total)-1/float64(codes)),
			deviation(logs)*deviation(logs)/float64(codes))
	}
	count := float64(len(rows))
	e := evidence{elbo: sum(bounds) / count, likelihood: sum(likelihoods) / count}
	for i := range rows {
		e.likelihoodError += spreads[2*i] / count / count
		e.elboError += spreads[2*i+1] / count / count
	}
	e.elboError, e.likelihoodError = math.Sqrt(e.elboError), math.Sqrt(e.likelihoodError)
	return e
}

// components are the principal ones of rows: eigenvalues of the covariance (divisor
// N), the largest first, and the directions.
type components struct {
	mean       []float64
	values     []float64
	directions [][]float64
}

// principal finds them by Jacobi's rotations.
func principal(rows [][]float64) *components {
	p := eigen(covarianceOf(rows, float64(len(rows))))
	p.mean = columnMeans(rows)
	return p
}

// eigen finds the principal directions of a covariance, which is spent.
func eigen(a [][]float64) *components {
	p := &components{}
	n := len(a)
	v := make([][]float64, n)
	for i := range v {
		v[i] = make([]float64, n)
		v[i][i] = 1
	}
	for range 100 {
		var off float64
		for i := range n {
			for j := range i {
				off += a[i][j] * a[i][j]
				rotate(a, v, i, j)
			}
		}
		if off < 1e-40 {
			break
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if a[i][i] > a[j][j] {
			return -1
		}
		return 1
	})
	for _, k := range order {
		p.values = append(p.values, a[k][k])
		direction := make([]float64, n)
		for i := range n {
			direction[i] = v[i][k]
		}
		p.directions = append(p.directions, direction)
	}
	return p
}

// rotate makes a[i][j] zero, and turns the directions along.
func rotate(a, v [][]float64, i, j int) {
	if a[i][j] == 0 {
		return
	}
	theta := (a[j][j] - a[i][i]) / (2 * a[i][j])
	t := math.Copysign(1, theta) / (math.Abs(theta) + math.Hypot(theta, 1))
	c := 1 / math.Hypot(t, 1)
	s := t * c
	for k := range a {
		x, y := a[k][i], a[k][j]
		a[k][i], a[k][j] = c*x-s*y, s*x+c*y
	}
	for k := range a {
		x, y := a[i][k], a[j][k]
		a[i][k], a[j][k] = c*x-s*y, s*x+c*y
		x, y = v[k][i], v[k][j]
		v[k][i], v[k][j] = c*x-s*y, s*x+c*y
	}
}

func covarianceOf(rows [][]float64, divisor float64) [][]float64 {
	means := columnMeans(rows)
	c := make([][]float64, len(means))
	for i := range c {
		c[i] = make([]float64, len(means))
	}
	for _, row := range rows {
		for i, x := range row {
			for j, y := range row {
				c[i][j] += (x - means[i]) * (y - means[j]) / divisor
			}
		}
	}
	return c
}

// along are the coordinates of a row by the directions.
func (p *components) along(x []float64) []float64 {
	coordinates := make([]float64, len(p.directions))
	for k, direction := range p.directions {
		for i, v := range x {
			coordinates[k] += (v - p.mean[i]) * direction[i]
		}
	}
	return coordinates
}

// r2 is the share of the rows' squares that the first d directions explain.
func (p *components) r2(rows [][]float64, d int) float64 {
	var left, total float64
	for _, x := range rows {
		for k, v := range p.along(x) {
			total += v * v
			if k >= d {
				left += v * v
			}
		}
	}
	return 1 - left/total
}

// linearR2 is that of a linear model of d dimensions, and how many it keeps.
func (p *components) linearR2(rows [][]float64, d int, beta float64) (r2 float64, kept int) {
	var total float64
	for _, x := range rows {
		total += squared(x, p.mean)
	}
	return p.shrunkR2(rows, total, beta*sum(p.values)/float64(len(p.values)), d)
}

// shrunkR2 is what a linear model of d dimensions explains of a total of squares: it
// shrinks each direction by what its noise is of it, and drops those that are less.
func (p *components) shrunkR2(rows [][]float64, total, noise float64, d int) (r2 float64, kept int) {
	for _, v := range p.values[:min(d, len(p.values))] {
		if v > noise {
			kept++
		}
	}
	var left float64
	for _, x := range rows {
		for k, v := range p.along(x) {
			if k < kept {
				v *= noise / p.values[k]
			}
			left += v * v
		}
	}
	return 1 - left/total, kept
}

// logLikelihood is the mean one of rows under probabilistic PCA with d dimensions:
// normal, with the variance of each direction kept and the mean of the others'. It is
// NaN where no variance is left over.
func (p *components) logLikelihood(rows [][]float64, d int) float64 {
	n := len(p.values)
	if d < 1 || d >= n || !(sum(p.values[d:]) > 1e-9*sum(p.values[:d])) {
		return math.NaN()
	}
	noise := sum(p.values[d:]) / float64(n-d)
	var total float64
	for _, x := range rows {
		for k, v := range p.along(x) {
			variance := noise
			if k < d {
				variance = p.values[k]
			}
			total -= (v*v/variance + math.Log(2*math.Pi*variance)) / 2
		}
	}
	return total / float64(len(rows))
}
