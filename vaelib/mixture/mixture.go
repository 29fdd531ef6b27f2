// Package mixture fits Gaussian mixtures by expectation-maximisation and draws
// from them.
//
// In goes a matrix of N points in d dimensions (the latent codes of a training
// set, say), out comes a density that can be sampled:
//
//	m, err := mixture.Fit(ctx, codes, mixture.Settings{Components: 40}, rng)
//	m.Rand(z, rng)
//
// A VAE's prior N(0, I) has regions where no training code lies, and misses
// the shape of the region where they do; a mixture fitted to the codes is the
// usual stand-in for the aggregate posterior (Ghosh et al. 2020, "From
// variational to deterministic autoencoders", section 4).
package mixture

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/cholesky"
)

// Mixture is a weighted sum of K normal densities with full covariances in d
// dimensions. It is immutable and safe for concurrent use.
type Mixture struct {
	d          int
	weights    []float64   // K, sum to 1
	cumulative []float64   // K, running sum of weights
	means      [][]float64 // K x d
	factors    [][]float64 // K lower Cholesky factors of the covariances, d x d row-major
	logNorms   []float64   // K: log weight - log det L - d/2 log 2 pi
}

// assemble derives the constants of the density from its parameters.
func assemble(d int, weights []float64, means, factors [][]float64) *Mixture {
	m := &Mixture{d: d, weights: weights, means: means, factors: factors}
	m.cumulative = make([]float64, len(weights))
	m.logNorms = make([]float64, len(weights))
	var running float64
	for c, w := range weights {
		running += w
		m.cumulative[c] = running
		logDet := 0.0
		for j := range d {
			logDet += math.Log(factors[c][j*d+j])
		}
		m.logNorms[c] = math.Log(w) - logDet - 0.5*float64(d)*math.Log(2*math.Pi)
	}
	return m
}

// Dim returns the number of dimensions d.
func (m *Mixture) Dim() int { return m.d }

// Components returns the number of normal densities K.
func (m *Mixture) Components() int { return len(m.weights) }

// LogProb returns the log density at x (length d), in nats.
func (m *Mixture) LogProb(x []float64) float64 {
	if len(x) != m.d {
		panic("mixture: point has the wrong length")
	}
	logs, white := make([]float64, len(m.weights)), make([]float64, m.d)
	for c, mean := range m.means {
		factor := m.factors[c]
		var quadratic float64
		for a := range white {
			sum := x[a] - mean[a]
			for b, v := range factor[a*m.d : a*m.d+a] {
				sum -= v * white[b]
			}
			white[a] = sum / factor[a*m.d+a]
			quadratic += white[a] * white[a]
		}
		logs[c] = m.logNorms[c] - 0.5*quadratic
	}
	return floats.LogSumExp(logs)
}

// Rand draws one point into dst (length d).
func (m *Mixture) Rand(dst []float64, rng *rand.Rand) {
	if len(dst) != m.d {
		panic("mixture: destination has the wrong length")
	}
	u := rng.Float64()
	c := 0
	for c < len(m.cumulative)-1 && u >= m.cumulative[c] {
		c++
	}
	for j := range dst {
		dst[j] = rng.NormFloat64()
	}
	factor := m.factors[c]
	for a := m.d - 1; a >= 0; a-- { // from the last row, so that dst can hold the noise
		sum := m.means[c][a]
		for b := range a + 1 {
			sum += factor[a*m.d+b] * dst[b]
		}
		dst[a] = sum
	}
}

// Draw draws a point into each row of dst (N x d), one after another, so that the
// first of more points are those of fewer. It returns the context's error when
// that ends first.
func (m *Mixture) Draw(ctx context.Context, dst *mat.Dense, rng *rand.Rand) error {
	rows, _ := dst.Dims()
	for i := range rows {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m.Rand(dst.RawRowView(i), rng)
	}
	return nil
}

// Widened returns the mixture with independent normal noise of these variances (d),
// of at least 0, added to what it draws.
func (m *Mixture) Widened(variances []float64) *Mixture {
	if len(variances) != m.d {
		panic("mixture: variances have the wrong length")
	}
	factors := make([][]float64, len(m.factors))
	for c, l := range m.factors {
		wide := make([]float64, m.d*m.d)
		for a := range m.d {
			for b := range a + 1 {
				wide[a*m.d+b] = floats.Dot(l[a*m.d:][:b+1], l[b*m.d:][:b+1])
			}
			wide[a*m.d+a] += variances[a]
		}
		if !cholesky.Factor(wide, m.d) {
			panic("mixture: a variance is negative")
		}
		factors[c] = wide
	}
	return assemble(m.d, m.weights, m.means, factors)
}

// document is the JSON form of a mixture.
type document struct {
	Weights   []float64   `json:"weights"`
	Means     [][]float64 `json:"means"`     // K x d
	Cholesky  [][]float64 `json:"cholesky"`  // K lower factors, d x d row-major
	Dimension int         `json:"dimension"` // d
}

// MarshalJSON writes the mixture's parameters.
func (m *Mixture) MarshalJSON() ([]byte, error) {
	return json.Marshal(document{Weights: m.weights, Means: m.means, Cholesky: m.factors, Dimension: m.d})
}

// UnmarshalJSON reads what [Mixture.MarshalJSON] wrote, and returns an error
// for parameters that are no mixture.
func (m *Mixture) UnmarshalJSON(data []byte) error {
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	d, k := doc.Dimension, len(doc.Weights)
	if d < 1 || k < 1 || len(doc.Means) != k || len(doc.Cholesky) != k {
		return fmt.Errorf(
			"mixture of %d weights, %d means and %d factors in %d dimensions is incomplete",
			k,
			len(doc.Means),
			len(doc.Cholesky),
			d,
		)
	}
	var sum float64
	for c, w := range doc.Weights {
		if !(w > 0) || len(doc.Means[c]) != d || len(doc.Cholesky[c]) != d*d {
			return fmt.Errorf("component %d of the mixture is malformed", c)
		}
		for j := range d {
			if !(doc.Cholesky[c][j*d+j] > 0) {
				return fmt.Errorf("component %d of the mixture has no positive definite covariance", c)
			}
		}
		sum += w
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("weights of the mixture sum to %v, not 1", sum)
	}
	*m = *assemble(d, doc.Weights, doc.Means, doc.Cholesky)
	return nil
}
