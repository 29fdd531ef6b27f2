package lab

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
)

// ratio is the annual Sharpe ratio by given moments, as an objective to climb.
type ratio struct {
	mean []float64
	cov  *mat.SymDense
	risk []float64 // cov w
}

func newRatio(mean []float64, cov *mat.SymDense) *ratio {
	return &ratio{mean: mean, cov: cov, risk: make([]float64, len(mean))}
}

// Clone has the same moments and other memory.
func (r *ratio) Clone() metrics.Objective { return newRatio(r.mean, r.cov) }

// moments returns the mean and the standard deviation of weights, per period.
func (r *ratio) moments(w []float64) (mean, deviation float64) {
	raw := r.cov.RawSymmetric() // its upper triangle
	clear(r.risk)
	for i, v := range w {
		row := raw.Data[i*raw.Stride : i*raw.Stride+len(w)]
		r.risk[i] += row[i] * v
		for j := i + 1; j < len(w); j++ {
			r.risk[i] += row[j] * w[j]
			r.risk[j] += row[j] * v
		}
	}
	var variance float64
	for i, v := range w {
		mean += v * r.mean[i]
		variance += v * r.risk[i]
	}
	return mean, math.Sqrt(variance)
}

// Value is the ratio of weights (n).
func (r *ratio) Value(w []float64) float64 {
	mean, deviation := r.moments(w)
	return mean / deviation * math.Sqrt(periodsPerYear)
}

// Gradient writes the ratio's gradient (n), and returns the ratio.
func (r *ratio) Gradient(dst, w []float64) float64 {
	mean, deviation := r.moments(w)
	for i := range dst {
		dst[i] = (r.mean[i] - mean*r.risk[i]/(deviation*deviation)) / deviation * math.Sqrt(periodsPerYear)
	}
	return mean / deviation * math.Sqrt(periodsPerYear)
}
