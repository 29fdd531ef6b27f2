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
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
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

// Settings of [Fit]. The zero value of each field means its default.
type Settings struct {
	Components int     // number of normal densities; default 40
	Iterations int     // at most; default 100
	Tolerance  float64 // stop when the mean log-likelihood grows by less; default 1e-3 nats
	// Ridge is added to the diagonal of every covariance, as a share of the
	// data's mean variance: it keeps a component that closes in on few points
	// from collapsing. Default 1e-4.
	Ridge float64
}

func (s Settings) withDefaults() Settings {
	if s.Components == 0 {
		s.Components = 40
	}
	if s.Iterations == 0 {
		s.Iterations = 100
	}
	if s.Tolerance == 0 {
		s.Tolerance = 1e-3
	}
	if s.Ridge == 0 {
		s.Ridge = 1e-4
	}
	return s
}

// Fit fits a mixture to the rows of x (N x d) by expectation-maximisation from
// a k-means++ start (Arthur & Vassilvitskii 2007). A component that is left
// with fewer than d+1 points' weight is dropped, so the result can have fewer
// than the components asked for. The result depends on the data, the settings
// and the random source only.
//
// It returns an error when x has fewer than two rows, holds NaN, Inf or numbers
// too large to square, or has no spread, and the context's error when that ends
// first.
func Fit(ctx context.Context, x *mat.Dense, settings Settings, rng *rand.Rand) (*Mixture, error) {
	s := settings.withDefaults()
	n, d := x.Dims()
	if s.Components < 1 {
		return nil, fmt.Errorf("a mixture needs at least 1 component, not %d", s.Components)
	}
	if n < 2 {
		return nil, fmt.Errorf("a mixture needs at least 2 points, not %d", n)
	}
	for i := range n {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("point %d of the mixture's data has %v in dimension %d", i, v, j)
			}
		}
	}
	// Around their mean, points far from the origin keep the digits that a
	// component's covariance needs.
	x, centre := centred(x)
	variance := meanSquare(x)
	if variance <= 0 {
		return nil, errors.New("the mixture's data have no spread: every point is the same")
	}
	if !(variance <= math.MaxFloat64) {
		return nil, errors.New("the mixture's data are too large to square")
	}
	ridge := s.Ridge * variance
	m := start(x, min(s.Components, max(1, n/(d+1))), variance, rng)
	e := newExpectation(x, len(m.weights))
	previous := math.Inf(-1)
	for range s.Iterations {
		stats, err := e.run(ctx, m)
		if err != nil {
			return nil, err
		}
		if m, err = stats.maximisation(n, d, ridge); err != nil {
			return nil, err
		}
		mean := stats.logLikelihood / float64(n)
		if mean-previous < s.Tolerance {
			break
		}
		previous = mean
	}
	for _, mean := range m.means {
		floats.Add(mean, centre)
	}
	return m, nil
}

// centred returns the rows less their mean, and the mean, which is exact where
// all rows are the same.
func centred(x *mat.Dense) (rows *mat.Dense, mean []float64) {
	n, d := x.Dims()
	mean = make([]float64, d)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			mean[j] += (v - mean[j]) / float64(i+1)
		}
	}
	rows = mat.NewDense(n, d, nil)
	for i := range n {
		floats.SubTo(rows.RawRowView(i), x.RawRowView(i), mean)
	}
	return rows, mean
}

// meanSquare is the mean of the squares of all values.
func meanSquare(x *mat.Dense) float64 {
	n, d := x.Dims()
	var sum float64
	for i := range n {
		row := x.RawRowView(i)
		sum += floats.Dot(row, row)
	}
	return sum / float64(n*d)
}

// start places k components on data points that lie far apart, all with one
// round covariance whose volume is a k-th of the data's.
func start(x *mat.Dense, k int, variance float64, rng *rand.Rand) *Mixture {
	n, d := x.Dims()
	nearest := make([]float64, n) // squared distance to the closest centre so far
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	var means [][]float64
	next := rng.IntN(n)
	for {
		centre := append([]float64(nil), x.RawRowView(next)...)
		means = append(means, centre)
		if len(means) == k {
			break
		}
		var total float64
		for i := range n {
			nearest[i] = min(nearest[i], squaredDistance(x.RawRowView(i), centre))
			total += nearest[i]
		}
		if total == 0 {
			break // fewer distinct points than components
		}
		target := rng.Float64() * total
		for next = 0; next < n-1 && target >= nearest[next]; next++ {
			target -= nearest[next]
		}
	}
	scale := math.Sqrt(variance) * math.Pow(float64(len(means)), -1/float64(d))
	weights := make([]float64, len(means))
	factors := make([][]float64, len(means))
	for c := range means {
		weights[c] = 1 / float64(len(means))
		factors[c] = make([]float64, d*d)
		for j := range d {
			factors[c][j*d+j] = scale
		}
	}
	return assemble(d, weights, means, factors)
}

func squaredDistance(a, b []float64) float64 {
	var sum float64
	for j := range a {
		sum += (a[j] - b[j]) * (a[j] - b[j])
	}
	return sum
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

// maximisation turns the sums into the next mixture.
func (s *statistics) maximisation(n, d int, ridge float64) (*Mixture, error) {
	var weights []float64
	var means, factors [][]float64
	var total float64
	for c := range s.k {
		sums := s.moments[c*s.stride:]
		mass := sums[0]
		if mass < float64(d+1) && s.k > 1 {
			continue
		}
		mean := make([]float64, d)
		factor := make([]float64, d*d)
		at := 1
		for a := range d {
			mean[a] = sums[at] / mass
			for b := range a + 1 {
				factor[a*d+b] = sums[at+1+b]/mass - mean[a]*mean[b]
			}
			at += a + 2
			factor[a*d+a] += ridge
		}
		if !cholesky(factor, d) {
			continue // all its weight on points that coincide
		}
		weights = append(weights, mass)
		means = append(means, mean)
		factors = append(factors, factor)
		total += mass
	}
	if len(weights) == 0 {
		return nil, fmt.Errorf("no component of the mixture holds more than %d of the %d points: ask for fewer components", d, n)
	}
	for c := range weights {
		weights[c] /= total
	}
	return assemble(d, weights, means, factors), nil
}

// cholesky replaces the lower triangle of a by its Cholesky factor and says
// whether a was positive definite.
func cholesky(a []float64, d int) bool {
	for i := range d {
		for j := range i + 1 {
			sum := a[i*d+j]
			for k := range j {
				sum -= a[i*d+k] * a[j*d+k]
			}
			if i != j {
				a[i*d+j] = sum / a[j*d+j]
				continue
			}
			if !(sum > 0) {
				return false
			}
			a[i*d+i] = math.Sqrt(sum)
		}
	}
	return true
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
		return fmt.Errorf("mixture of %d weights, %d means and %d factors in %d dimensions is incomplete", k, len(doc.Means), len(doc.Cholesky), d)
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
