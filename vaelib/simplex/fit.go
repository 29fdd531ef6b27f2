package simplex

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// FitDirichlet returns the distribution of largest likelihood for the rows of
// weights (N x n), by Newton's method from the moments' estimate (Minka 2000,
// "Estimating a Dirichlet distribution"). An iteration costs O(n), since the
// Hessian is a diagonal plus a constant.
//
// Only N and the mean logarithms of the columns enter: a zero makes the
// likelihood infinite or zero, whatever the other rows say, and is an error, as
// are a negative weight, a row that misses 1 by more than 1e-6, fewer than two
// rows, and rows that are all alike.
func FitDirichlet(weights *mat.Dense) (*Dirichlet, error) {
	rows, n := weights.Dims()
	if rows < 2 || n < 2 {
		return nil, fmt.Errorf("%d portfolios of %d assets: fitting a dirichlet distribution needs 2 of 2 at least",
			rows, n)
	}
	meanLog := make([]float64, n)
	for i := range rows {
		var sum float64
		for j, x := range weights.RawRowView(i) {
			if !(x > 0) || math.IsInf(x, 1) {
				return nil, fmt.Errorf(
					"row %d has the weight %v of asset %d: a dirichlet distribution is fitted to positive weights; "+
						"mix in a little of equal weights, or leave the asset out", i+1, x, j)
			}
			meanLog[j] += math.Log(x) / float64(rows)
			sum += x
		}
		if math.Abs(sum-1) > 1e-6 {
			return nil, fmt.Errorf("row %d sums to %v, not 1", i+1, sum)
		}
	}
	alpha, err := momentsEstimate(weights)
	if err != nil {
		return nil, err
	}
	const most = 1000
	for range most {
		step, size := newtonStep(alpha, meanLog)
		if size < 1e-8 { // the error after a step goes with its square
			floats.Add(alpha, step)
			return NewDirichlet(alpha)
		}
		before := likelihood(alpha, meanLog)
		trial := make([]float64, n)
		for length := 1.0; ; length /= 2 {
			if length < 1e-12 { // as good as rounding lets it be
				return NewDirichlet(alpha)
			}
			positive := true
			for j := range trial {
				trial[j] = alpha[j] + length*step[j]
				positive = positive && trial[j] > 0
			}
			if positive && likelihood(trial, meanLog) >= before-1e-14*math.Abs(before) {
				break
			}
		}
		alpha = trial
	}
	return nil, fmt.Errorf(
		"the dirichlet distribution was not found in %d iterations: its concentrations have come to %.3g",
		most, mat.Sum(mat.NewVecDense(n, alpha)))
}

// momentsEstimate matches the means and the sum of the variances.
func momentsEstimate(weights *mat.Dense) ([]float64, error) {
	rows, n := weights.Dims()
	mean := make([]float64, n)
	for i := range rows {
		for j, x := range weights.RawRowView(i) {
			mean[j] += x / float64(rows)
		}
	}
	var variance, ceiling float64 // the latter: sum of mean (1 - mean)
	for j, m := range mean {
		ceiling += m * (1 - m)
		for i := range rows {
			d := weights.At(i, j) - m
			variance += d * d / float64(rows)
		}
	}
	if !(variance > 1e-24) {
		return nil, errors.New("the portfolios are all alike: no dirichlet distribution is the most likely one")
	}
	total := max(ceiling/variance-1, 1e-3)
	for j := range mean {
		mean[j] *= total
	}
	return mean, nil
}

// likelihood is the mean log density of a row.
func likelihood(alpha, meanLog []float64) float64 {
	var sum, total float64
	for j, a := range alpha {
		total += a
		sum += (a-1)*meanLog[j] - logGamma(a)
	}
	return sum + logGamma(total)
}

// newtonStep returns the step from alpha, and the largest relative change.
func newtonStep(alpha, meanLog []float64) (step []float64, size float64) {
	var total float64
	for _, a := range alpha {
		total += a
	}
	// Per row, the Hessian is diag(-trigamma(alpha_j)) + trigamma(total).
	z := trigamma(total)
	step = make([]float64, len(alpha))
	var top float64
	bottom := 1 / z
	for j, a := range alpha {
		step[j] = digamma(total) - digamma(a) + meanLog[j] // gradient
		top -= step[j] / trigamma(a)
		bottom -= 1 / trigamma(a)
	}
	b := top / bottom
	for j, a := range alpha {
		step[j] = (step[j] - b) / trigamma(a)
		size = max(size, math.Abs(step[j])/a)
	}
	return step, size
}

// trigamma is the derivative of the digamma function: the Hurwitz zeta function
// of order 2.
func trigamma(x float64) float64 { return mathext.Zeta(2, x) }

// digamma is the derivative of log Gamma(x) for x > 0, to full precision
// (mathext.Digamma stops at ten digits): upwards by recurrence, then by the
// asymptotic series in Bernoulli numbers (Abramowitz & Stegun 6.3.18).
func digamma(x float64) float64 {
	var sum float64
	for ; x < 12; x++ {
		sum -= 1 / x
	}
	r := 1 / (x * x)
	series := r * (1./12 - r*(1./120-r*(1./252-r*(1./240-r*(1./132-r*(691./32760-r/12))))))
	return sum + math.Log(x) - 0.5/x - series
}
