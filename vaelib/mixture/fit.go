package mixture

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/cholesky"
)

// Settings of [Fit]. A field that is zero means its default.
type Settings struct {
	Components int     // number of normal densities; default 40
	Iterations int     // at most; default 100
	Tolerance  float64 // stop when the mean log-likelihood grows by less; default 1e-3 nats
	// Starts is how many k-means++ starts are tried for a few iterations on part of
	// the points, of which the likeliest goes on. Default 4.
	Starts int
	// Ridge is added to the diagonal of every covariance, as a share of the
	// data's mean variance: it keeps a component that closes in on few points
	// from collapsing. Default 1e-4.
	Ridge float64
	// Diagonal leaves all correlations out within a component: it needs fewer points
	// for a component, and more components.
	Diagonal bool
}

// EnsureDefaults replaces each field that is zero by its default.
func (s *Settings) EnsureDefaults() {
	if s.Components == 0 {
		s.Components = 40
	}
	if s.Iterations == 0 {
		s.Iterations = 100
	}
	if s.Tolerance == 0 {
		s.Tolerance = 1e-3
	}
	if s.Starts == 0 {
		s.Starts = 4
	}
	if s.Ridge == 0 {
		s.Ridge = 1e-4
	}
}

// Validate returns an error that names the first field that makes no sense.
func (s Settings) Validate() error {
	switch {
	case s.Components < 1:
		return fmt.Errorf("a mixture needs at least 1 component, not %d", s.Components)
	case s.Iterations < 1:
		return fmt.Errorf("a mixture is fitted in at least 1 iteration, not %d", s.Iterations)
	case !(s.Tolerance >= 0):
		return fmt.Errorf("the mixture's tolerance is %v, want a number of nats of at least 0", s.Tolerance)
	case s.Starts < 1:
		return fmt.Errorf("a mixture is fitted from at least 1 start, not %d", s.Starts)
	case !(s.Ridge >= 0) || math.IsInf(s.Ridge, 0):
		return fmt.Errorf("the mixture's ridge is %v, want a share of the variance of at least 0", s.Ridge)
	}
	return nil
}

// Fit fits a mixture to the rows of x (N x d) by expectation-maximisation from
// the likeliest of some k-means++ starts (Arthur & Vassilvitskii 2007), as single
// starts end in optima that differ by tenths of a nat. A component that is left
// with fewer than d+1 points' weight, of a diagonal one 5, is dropped, so the
// result can have fewer than the components asked for. The result depends on the data, the settings
// and the random source only.
//
// It returns an error when x has fewer than two rows, holds NaN, Inf or numbers
// too large to square, or has no spread, and the context's error when that ends
// first.
func Fit(ctx context.Context, x *mat.Dense, s Settings, rng *rand.Rand) (*Mixture, error) {
	s.EnsureDefaults()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	n, d := x.Dims()
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
	k := min(s.Components, max(1, n/s.fewest(d)))
	m, err := likeliest(ctx, x, k, s, variance, rng)
	if err != nil {
		return nil, err
	}
	if m, _, err = s.climb(ctx, x, m, s.Iterations, ridge); err != nil {
		return nil, err
	}
	for _, mean := range m.means {
		floats.Add(mean, centre)
	}
	return m, nil
}

// fewest is how many points a component must hold the weight of.
func (s Settings) fewest(d int) int {
	if s.Diagonal {
		return fewestDiagonal
	}
	return d + 1
}

// step is an iteration: from a mixture to the next, with the log likelihood of the
// one given, over all points.
type step = func(ctx context.Context, m *Mixture) (next *Mixture, logLikelihood float64, err error)

// newFull prepares iterations for the rows of x, with correlations.
func newFull(x *mat.Dense, k int, ridge float64) step {
	n, d := x.Dims()
	e := newExpectation(x, k)
	return func(ctx context.Context, m *Mixture) (*Mixture, float64, error) {
		stats, err := e.run(ctx, m)
		if err != nil {
			return nil, 0, err
		}
		next, err := stats.maximisation(n, d, ridge)
		return next, stats.logLikelihood, err
	}
}

// climb runs expectation-maximisation from m on until the mean log-likelihood
// grows by less than the tolerance, and returns the mixture with the mean
// log-likelihood of the last but one.
func (s Settings) climb(
	ctx context.Context, x *mat.Dense, m *Mixture, iterations int, ridge float64,
) (*Mixture, float64, error) {
	n, _ := x.Dims()
	step := newFull(x, len(m.weights), ridge)
	if s.Diagonal {
		step = newDiagonal(x, len(m.weights), ridge)
	}
	previous := math.Inf(-1)
	for range iterations {
		next, logLikelihood, err := step(ctx, m)
		if err != nil {
			return nil, 0, err
		}
		m = next
		mean := logLikelihood / float64(n)
		if mean-previous < s.Tolerance {
			return m, mean, nil
		}
		previous = mean
	}
	return m, previous, nil
}

// trialRows and trialIterations bound what a start is tried on: enough to tell a
// good one from a bad one, at a small share of the whole fit's time.
const (
	trialRows       = 50 // for each component
	trialIterations = 8
)

// likeliest returns, of as many starts as the settings say, the mixture that is
// likeliest after some iterations on part of the points.
func likeliest(
	ctx context.Context, x *mat.Dense, k int, s Settings, variance float64, rng *rand.Rand,
) (*Mixture, error) {
	if s.Starts == 1 || k == 1 {
		return start(x, k, variance, rng), nil
	}
	n, d := x.Dims()
	rows := min(n, max(k*trialRows, k*s.fewest(d)))
	part := mat.NewDense(rows, d, nil)
	for i, row := range rng.Perm(n)[:rows] {
		part.SetRow(i, x.RawRowView(row))
	}
	var best *Mixture
	most := math.Inf(-1)
	for range s.Starts {
		m, likelihood, err := s.climb(ctx, part, start(part, k, variance, rng), trialIterations,
			s.Ridge*variance)
		if err != nil {
			return nil, err
		}
		if likelihood > most {
			best, most = m, likelihood
		}
	}
	return best, nil
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
		if !cholesky.Factor(factor, d) {
			continue // all its weight on points that coincide
		}
		weights = append(weights, mass)
		means = append(means, mean)
		factors = append(factors, factor)
		total += mass
	}
	if len(weights) == 0 {
		return nil, fmt.Errorf(
			"no component of the mixture holds more than %d of the %d points: ask for fewer components",
			d,
			n,
		)
	}
	for c := range weights {
		weights[c] /= total
	}
	return assemble(d, weights, means, factors), nil
}
