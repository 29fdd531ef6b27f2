package main

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// tangency are the long-only weights of the largest mean'w/sqrt(w'Cw), by the
// conditions of its optimum: of y'Cy/2 - mean'y over y >= 0 the slope is 0 where y is
// held and positive elsewhere, and w = y/sum(y). With equal means it is the least
// variance, with the deviations in their place the largest diversification. Assets are
// taken in one by one, the steepest first, and leave again where they would be sold
// short (Lawson & Hanson 1974).
func tangency(mean []float64, covariance [][]float64) ([]float64, error) {
	n := len(mean)
	y, held := make([]float64, n), make([]bool, n)
	scale := 0.0
	for _, v := range mean {
		scale = max(scale, v)
	}
	if scale <= 0 {
		return nil, errors.New("no mean is positive")
	}
	for range 20 * n {
		steepest, best := 1e-12*scale, -1
		for i, v := range times(covariance, y) {
			if slope := mean[i] - v; !held[i] && slope > steepest {
				steepest, best = slope, i
			}
		}
		if best < 0 {
			return normalised(y), nil
		}
		held[best] = true
		for {
			to, err := unbounded(mean, covariance, held)
			if err != nil {
				return nil, err
			}
			step, leaves := 1.0, -1
			for i := range y {
				if held[i] && to[i] <= 0 {
					if share := y[i] / (y[i] - to[i]); share < step || leaves < 0 {
						step, leaves = share, i
					}
				}
			}
			for i := range y {
				y[i] += step * (to[i] - y[i])
			}
			if leaves < 0 {
				break
			}
			y[leaves], held[leaves] = 0, false
		}
	}
	return nil, errors.New("the largest ratio was not found")
}

// unbounded solves C y = mean over the assets held.
func unbounded(mean []float64, covariance [][]float64, held []bool) ([]float64, error) {
	var at []int
	for i, in := range held {
		if in {
			at = append(at, i)
		}
	}
	a, b := mat.NewSymDense(len(at), nil), mat.NewVecDense(len(at), nil)
	for k, i := range at {
		b.SetVec(k, mean[i])
		for l, j := range at[:k+1] {
			a.SetSym(k, l, covariance[i][j])
		}
	}
	var factor mat.Cholesky
	var solved mat.VecDense
	if !factor.Factorize(a) {
		return nil, errors.New("the covariance is singular")
	}
	if err := factor.SolveVecTo(&solved, b); err != nil {
		return nil, err
	}
	y := make([]float64, len(mean))
	for k, i := range at {
		y[i] = solved.AtVec(k)
	}
	return y, nil
}

// simpleRules are strategies of a laboratory with a definition in a few lines.
var simpleRules = map[string]func(h *known) ([]float64, error){
	"equal-weight": func(h *known) ([]float64, error) {
		return slices.Repeat([]float64{1 / float64(len(h.mean))}, len(h.mean)), nil
	},
	"inverse-volatility": func(h *known) ([]float64, error) {
		w := deviationsOf(h.sample)
		for i, v := range w {
			w[i] = 1 / v
		}
		return normalised(w), nil
	},
	"min-variance":             func(h *known) ([]float64, error) { return leastVariance(h.sample) },
	"min-variance-ledoit-wolf": func(h *known) ([]float64, error) { return leastVariance(h.shrunk) },
	"max-diversification": func(h *known) ([]float64, error) {
		return tangency(deviationsOf(h.shrunk), h.shrunk)
	},
	"risk-parity": func(h *known) ([]float64, error) { return equalRisk(h.shrunk), nil },
	"hrp":         func(h *known) ([]float64, error) { return hierarchical(h.shrunk), nil },
	"max-sharpe": func(h *known) ([]float64, error) {
		return h.largest(h.mean, h.sample, false)
	},
	"max-sharpe-bayes-stein": func(h *known) ([]float64, error) {
		mean, err := h.bayesStein()
		if err != nil {
			return nil, err
		}
		return h.largest(mean, h.shrunk, false)
	},
	"max-sharpe-empirical-bayes": func(h *known) ([]float64, error) {
		return h.largest(h.empiricalBayes(), h.shrunk, true)
	},
}

// known is what a history tells.
type known struct {
	mean           []float64
	sample, shrunk [][]float64
	periods        float64
}

func newKnown(rows [][]float64) *known {
	periods := float64(len(rows))
	return &known{columnMeans(rows), covarianceOf(rows, periods-1), shrunk(rows), periods}
}

func deviationsOf(c [][]float64) []float64 {
	d := make([]float64, len(c))
	for i := range d {
		d[i] = math.Sqrt(c[i][i])
	}
	return d
}

func leastVariance(c [][]float64) ([]float64, error) {
	return tangency(slices.Repeat([]float64{1}, len(c)), c)
}

// largest is the largest Sharpe ratio. Where no mean is positive it is that of equal
// means, or with ratios set of equal ratios.
func (h *known) largest(mean []float64, c [][]float64, ratios bool) ([]float64, error) {
	switch {
	case slices.Max(mean) > 0:
		return tangency(mean, c)
	case ratios:
		return tangency(deviationsOf(c), c)
	}
	return leastVariance(c)
}

// bayesStein are means shrunk to that of the least variance (Jorion 1986), which may
// be short here.
func (h *known) bayesStein() ([]float64, error) {
	n := len(h.mean)
	all, ones := slices.Repeat([]bool{true}, n), slices.Repeat([]float64{1}, n)
	least, err := unbounded(ones, h.shrunk, all)
	if err != nil {
		return nil, err
	}
	centre := 0.0
	for i, v := range normalised(least) {
		centre += v * h.mean[i]
	}
	apart := make([]float64, n)
	for i, v := range h.mean {
		apart[i] = v - centre
	}
	solved, err := unbounded(apart, h.shrunk, all)
	if err != nil {
		return nil, err
	}
	distance := 0.0
	for i, v := range solved {
		distance += v * apart[i]
	}
	share := float64(n+2) / (float64(n+2) + h.periods*distance)
	means := make([]float64, n)
	for i, v := range h.mean {
		means[i] = (1-share)*v + share*centre
	}
	return means, nil
}

// empiricalBayes are means by Sharpe ratios shrunk to their average (Morris 1983).
func (h *known) empiricalBayes() []float64 {
	n, d := float64(len(h.mean)), deviationsOf(h.shrunk)
	ratios := make([]float64, len(d))
	for i, v := range h.mean {
		ratios[i] = v / d[i]
	}
	average := sum(ratios) / n
	noise := (1 - meanCorrelation(h.shrunk)) / h.periods
	share := min(1, noise/math.Pow(deviation(ratios), 2))
	means := make([]float64, len(d))
	for i, r := range ratios {
		means[i] = d[i] * ((1-share)*r + share*average)
	}
	return means
}

// rightPrior is the largest Sharpe ratio of whoever knows the covariance and the law of
// the Sharpe ratios, and learns the means from a history.
func (m *truth) rightPrior(rows [][]float64) ([]float64, error) {
	n, periods := len(m.mean), float64(len(rows))
	prior, apart, noise := make([]float64, n), columnMeans(rows), make([][]float64, n)
	variance := make([]float64, n)
	for i := range n {
		d := math.Sqrt(m.covariance[i][i] / m.perYear)
		prior[i], variance[i] = d*m.level, d*d*m.dispersion*m.dispersion
		apart[i] -= prior[i]
		for _, v := range m.covariance[i] {
			noise[i] = append(noise[i], v/periods)
		}
		noise[i][i] += variance[i]
	}
	solved, err := unbounded(apart, noise, slices.Repeat([]bool{true}, n))
	if err != nil {
		return nil, err
	}
	for i := range prior {
		prior[i] += variance[i] * solved[i]
	}
	if slices.Max(prior) <= 0 {
		return leastVariance(m.covariance)
	}
	return tangency(prior, m.covariance)
}
