package regime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/cholesky"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/stream"
)

// Settings of [Fit]. The zero value of each field means its default.
type Settings struct {
	States     int     // K, 2 or more; default 3
	Starts     int     // number of random starts, of which the likeliest result is kept; default 8
	Iterations int     // of a start, at most; default 500
	Tolerance  float64 // stop when the log-likelihood grows by less a row; default 1e-7 nats
	// Ridge is added to the diagonal of every covariance, as a share of each
	// column's variance over all rows: it keeps a state that closes in on few
	// rows from collapsing. Default 1e-3.
	Ridge float64
	// Stay is the number of rows that every state is taken to have been seen
	// to stay in, and Switch to each other one, before any were seen (a
	// Dirichlet prior on the transitions). Default 0 and 0: maximum likelihood.
	Stay, Switch float64
	Seed         uint64 // of the starts
	// Volatility orders the states: the lowest is state 0. nil: the root of
	// the covariance's trace, which is right for rows of returns. For rows of
	// features name the one that says it, such as the mean's first element.
	Volatility func(mean []float64, cov *mat.SymDense) float64
}

// EnsureDefaults gives the fields that are zero their defaults; of Stay, Switch
// and Seed zero is one.
func (s *Settings) EnsureDefaults() {
	if s.States == 0 {
		s.States = 3
	}
	if s.Starts == 0 {
		s.Starts = 8
	}
	if s.Iterations == 0 {
		s.Iterations = 500
	}
	if s.Tolerance == 0 {
		s.Tolerance = 1e-7
	}
	if s.Ridge == 0 {
		s.Ridge = 1e-3
	}
	if s.Volatility == nil {
		s.Volatility = func(_ []float64, cov *mat.SymDense) float64 { return math.Sqrt(mat.Trace(cov)) }
	}
}

// Validate returns an error that says which setting makes no sense.
func (s *Settings) Validate() error {
	switch {
	case s.States < 2:
		return fmt.Errorf("%d states are no regimes: ask for 2 or more", s.States)
	case s.Starts < 1 || s.Iterations < 1 || !(s.Tolerance > 0) || !(s.Ridge > 0) || !(s.Stay >= 0) || !(s.Switch >= 0):
		return errors.New("starts, iterations, tolerance and ridge must be above 0, prior counts at least 0")
	}
	return nil
}

// Fitness says how a fit went.
type Fitness struct {
	LogLikelihood float64   // of the training rows, in nats
	BIC           float64   // -2 LogLikelihood + parameters * log T: the lower the better the number of states
	Iterations    int       // of the start that was kept
	Converged     bool      // it stopped by the tolerance
	Starts        []float64 // log-likelihood that each start ended at; -Inf for one that failed
}

// Fit fits a model to rows x (T x d) by expectation-maximisation (Baum, Petrie,
// Soules & Weiss 1970) with the scaled recursions of Rabiner 1989, "A tutorial
// on hidden Markov models", section V.A. Starts are seeded, so the result
// depends on the rows and the settings only, not on the number of cores.
//
// Fit it on training rows; it uses every row that it is given.
//
// It returns an error when there are fewer than 2 rows a parameter of a
// state's mean, K*(d+1)*2 in all, when a value is not finite or a column does
// not vary, when every start fails, and the context's error when that ends
// first.
func Fit(ctx context.Context, x *mat.Dense, s Settings) (*HMM, *Fitness, error) {
	s.EnsureDefaults()
	if err := s.Validate(); err != nil {
		return nil, nil, err
	}
	rows, d := x.Dims()
	if least := 2 * s.States * (d + 1); rows < least {
		return nil, nil, fmt.Errorf("%d rows are too few for %d states of %d values: at least %d are needed",
			rows, s.States, d, least)
	}
	if err := checkFinite(x); err != nil {
		return nil, nil, err
	}
	e, err := newEstimation(x, s)
	if err != nil {
		return nil, nil, err
	}
	results := make([]result, s.Starts)
	err = parallel.For(ctx, s.Starts, func(_, i int) (err error) {
		results[i], err = e.climb(ctx, stream.New(s.Seed, "regime.start", uint64(i)))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	best := 0
	fit := &Fitness{Starts: make([]float64, s.Starts)}
	for i, r := range results {
		fit.Starts[i] = r.logLikelihood
		if r.logLikelihood > results[best].logLikelihood {
			best = i
		}
	}
	r := results[best]
	if r.model == nil {
		return nil, nil, fmt.Errorf("no start of %d found %d states: ask for fewer, or give more rows",
			s.Starts, s.States)
	}
	parameters := s.States - 1 + s.States*(s.States-1) + s.States*(d+d*(d+1)/2)
	fit.LogLikelihood, fit.Iterations, fit.Converged = r.logLikelihood, r.iterations, r.converged
	fit.BIC = -2*r.logLikelihood + float64(parameters)*math.Log(float64(rows))
	return e.order(r.model), fit, nil
}

// estimation is a fit with what all its starts share: the rows in units of
// each column's standard deviation, so that no unit is too small or too large.
type estimation struct {
	Settings
	x           *mat.Dense // T x d, standardised
	mean, scale []float64  // d
}

// result is where a start ended; its model is nil where it failed.
type result struct {
	model         *HMM
	logLikelihood float64
	iterations    int
	converged     bool
}

func newEstimation(x *mat.Dense, s Settings) (*estimation, error) {
	rows, d := x.Dims()
	e := &estimation{Settings: s, x: mat.NewDense(rows, d, nil), mean: make([]float64, d), scale: make([]float64, d)}
	for j := range d {
		var sum, size float64
		for t := range rows {
			sum += x.At(t, j)
			size = max(size, math.Abs(x.At(t, j)))
		}
		e.mean[j] = sum / float64(rows)
		var squares float64
		for t := range rows {
			v := x.At(t, j) - e.mean[j]
			squares += v * v
		}
		e.scale[j] = math.Sqrt(squares / float64(rows))
		if !(e.scale[j] > 1e-12*size) {
			return nil, fmt.Errorf("column %d of the regime's data does not vary: leave it out", j)
		}
		for t := range rows {
			e.x.Set(t, j, (x.At(t, j)-e.mean[j])/e.scale[j])
		}
	}
	return e, nil
}

// climb runs expectation-maximisation from a random start.
func (e *estimation) climb(ctx context.Context, rng *rand.Rand) (result, error) {
	rows, _ := e.x.Dims()
	// The log-likelihood in the data's own units.
	var jacobian float64
	for _, s := range e.scale {
		jacobian += float64(rows) * math.Log(s)
	}
	p := newPass(e.x, e.States)
	m := e.start(p, rng)
	r := result{logLikelihood: math.Inf(-1)}
	previous := math.Inf(-1)
	for m != nil {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		logLikelihood := p.run(m, e.x)
		if math.IsNaN(logLikelihood) || math.IsInf(logLikelihood, 0) {
			break
		}
		r = result{model: m, logLikelihood: logLikelihood - jacobian, iterations: r.iterations + 1}
		// The ridge and the prior can make the likelihood itself fall by a
		// little at the end: that is the end, too.
		if logLikelihood-previous < e.Tolerance*float64(rows) && r.iterations > 1 {
			r.converged = true
			return r, nil
		}
		if r.iterations == e.Iterations {
			return r, nil
		}
		previous = logLikelihood
		m = e.maximise(p)
	}
	return result{logLikelihood: math.Inf(-1)}, nil
}

// start draws the states of stretches of rows by their size: stretches, since
// regimes last; by size, since they differ in volatility; with noise, since a
// start should not be the last one again.
func (e *estimation) start(p *pass, rng *rand.Rand) *HMM {
	rows, _ := e.x.Dims()
	length := 1 + rng.IntN(min(20, max(1, rows/(4*e.States))))
	sizes := make([]float64, rows)
	for from := 0; from < rows; from += length {
		to := min(from+length, rows)
		var sum float64
		for t := from; t < to; t++ {
			for _, v := range e.x.RawRowView(t) {
				sum += v * v
			}
		}
		noisy := math.Log(sum/float64(to-from)+1e-12) + 0.5*rng.NormFloat64()
		for t := from; t < to; t++ {
			sizes[t] = noisy
		}
	}
	sorted := slices.Sorted(slices.Values(sizes))
	p.gamma.Zero()
	p.xi.Zero()
	for t, size := range sizes {
		k := 0
		for k < e.States-1 && size >= sorted[(k+1)*rows/e.States] {
			k++
		}
		p.gamma.Set(t, k, 1)
	}
	for i := range e.States {
		for j := range e.States {
			p.xi.Set(i, j, 1)
		}
		p.xi.Set(i, i, float64(length+4)*float64(e.States))
	}
	return e.maximise(p)
}

// maximise turns the expected states into the next model, nil where a state
// has died out.
func (e *estimation) maximise(p *pass) *HMM {
	rows, d := e.x.Dims()
	k := e.States
	initial := append([]float64(nil), p.gamma.RawRowView(0)...)
	transition, means, factors := make([][]float64, k), make([][]float64, k), make([][]float64, k)
	for i := range k {
		transition[i] = make([]float64, k)
		var sum float64
		for j := range k {
			transition[i][j] = p.xi.At(i, j) + e.Switch
			if i == j {
				transition[i][j] += e.Stay - e.Switch
			}
			sum += transition[i][j]
		}
		if !(sum > 0) {
			return nil
		}
		for j := range k {
			transition[i][j] /= sum
		}
		var mass float64
		mean, factor := make([]float64, d), make([]float64, d*d)
		for t := range rows {
			g := p.gamma.At(t, i)
			mass += g
			for a, v := range e.x.RawRowView(t) {
				mean[a] += g * v
			}
		}
		if mass < float64(d+1) {
			return nil
		}
		for a := range mean {
			mean[a] /= mass
		}
		for t := range rows {
			g := p.gamma.At(t, i)
			if g < 1e-14 {
				continue
			}
			row := e.x.RawRowView(t)
			for a := range d {
				va := g * (row[a] - mean[a])
				for b := range a + 1 {
					factor[a*d+b] += va * (row[b] - mean[b])
				}
			}
		}
		for a := range d {
			for b := range a + 1 {
				factor[a*d+b] /= mass
			}
			factor[a*d+a] += e.Ridge
		}
		if !cholesky.Factor(factor, d) {
			return nil
		}
		means[i], factors[i] = mean, factor
	}
	return newHMM(d, initial, transition, means, factors)
}

// order brings a model back to the data's units and its states in order.
func (e *estimation) order(m *HMM) *HMM {
	k, d := m.States(), m.d
	means, factors := make([][]float64, k), make([][]float64, k)
	for i := range k {
		means[i], factors[i] = make([]float64, d), make([]float64, d*d)
		for a := range d {
			means[i][a] = e.mean[a] + e.scale[a]*m.means[i][a]
			for b := range a + 1 {
				factors[i][a*d+b] = e.scale[a] * m.factors[i][a*d+b]
			}
		}
	}
	raw := newHMM(d, m.initial, m.transition, means, factors)
	volatility, place := make([]float64, k), make([]int, k)
	for i := range k {
		volatility[i], place[i] = e.Volatility(raw.Mean(i), raw.Cov(i)), i
	}
	slices.SortStableFunc(place, func(a, b int) int {
		switch {
		case volatility[a] < volatility[b]:
			return -1
		case volatility[a] > volatility[b]:
			return 1
		}
		return 0
	})
	initial, transition := make([]float64, k), make([][]float64, k)
	sortedMeans, sortedFactors := make([][]float64, k), make([][]float64, k)
	for i, from := range place {
		initial[i], sortedMeans[i], sortedFactors[i] = m.initial[from], means[from], factors[from]
		transition[i] = make([]float64, k)
		for j, to := range place {
			transition[i][j] = m.transition[from][to]
		}
	}
	return newHMM(d, initial, transition, sortedMeans, sortedFactors)
}
