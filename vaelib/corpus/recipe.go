package corpus

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// maker makes rows, one rolling window after another. One goroutine uses it.
type maker struct {
	*builder
	projector *simplex.Projector
	solver    optimize.Solver
	refused   map[string]int // draws without an answer, by recipe

	returns  *mat.Dense                  // of the current window
	moments  map[string]*moments.Moments // of the current window, by estimator
	shuffled *mat.Dense                  // a bootstrap sample of it
	capped   []float64                   // n upper bounds of the current row
}

func newMaker(b *builder, projector *simplex.Projector, refused map[string]int) *maker {
	return &maker{builder: b, projector: projector, refused: refused, capped: make([]float64, b.set.N)}
}

// enter turns to the returns of another rolling window.
func (m *maker) enter(returns *mat.Dense) {
	m.returns = returns
	m.moments = map[string]*moments.Moments{}
}

// draw makes one row of the row's source.
func (m *maker) draw(ctx context.Context, row *Row, weights []float64, rng *rand.Rand) error {
	switch row.Source {
	case Dirichlet:
		return m.drawDirichlet(row, weights, rng)
	case Optimized:
		return m.drawOptimized(ctx, row, weights, rng, m.estimate)
	case RiskParity:
		return m.drawRiskParity(ctx, row, weights, rng, m.estimate)
	default: // Bootstrap
		m.resample(rng)
		if rng.IntN(2) == 0 {
			return m.drawOptimized(ctx, row, weights, rng, m.estimateShuffled)
		}
		return m.drawRiskParity(ctx, row, weights, rng, m.estimateShuffled)
	}
}

// The concentrations of the Dirichlet recipes.
var (
	concentrated = [2]float64{0.05, 0.5}
	balanced     = [2]float64{1, 20}
)

// drawDirichlet draws from a Dirichlet whose concentration is drawn first:
// concentrated, uniform, balanced, or tilted to one sector.
func (m *maker) drawDirichlet(row *Row, weights []float64, rng *rand.Rand) error {
	kinds := 3
	if len(m.tilts) > 0 {
		kinds = 4
	}
	row.MaxWeight = m.upper
	row.Parameter = "alpha"
	alpha := slices.Repeat([]float64{1}, m.set.N)
	kind := rng.IntN(kinds)
	if m.config.Alpha > 0 {
		kind = -1
	}
	switch kind {
	case -1:
		row.Recipe, row.Value = "symmetric", m.config.Alpha
	case 0:
		row.Recipe, row.Value = "concentrated", logUniform(rng, concentrated)
	case 1:
		row.Recipe, row.Value = "uniform", 1
	case 2:
		row.Recipe, row.Value = "balanced", logUniform(rng, balanced)
	default:
		k := rng.IntN(len(m.tilts))
		row.Recipe, row.Parameter = "tilted:"+m.sectors[k], "tilt"
		row.Value = logUniform(rng, [2]float64{2, 20})
		for i, share := range m.tilts[k] {
			alpha[i] = 0.3 * (1 + share*(row.Value-1))
		}
	}
	if row.Parameter == "alpha" {
		for i := range alpha {
			alpha[i] = row.Value
		}
	}
	d, err := simplex.NewDirichlet(alpha)
	if err != nil {
		return err
	}
	d.Rand(weights, rng)
	return nil
}

// estimators are those that a recipe may draw.
var estimators = []string{moments.Sample, moments.LedoitWolf, moments.ConstantCorrelation, moments.EWMA}

// estimate returns the moments of the current window.
func (m *maker) estimate(name string) (*moments.Moments, error) {
	if e, ok := m.moments[name]; ok {
		return e, nil
	}
	e, err := moments.Estimate(name, m.returns)
	if err == nil {
		m.moments[name] = e
	}
	return e, err
}

// estimateShuffled returns the moments of the bootstrap sample.
func (m *maker) estimateShuffled(name string) (*moments.Moments, error) {
	return moments.Estimate(name, m.shuffled)
}

// blockLength is the mean length of the bootstrap's blocks in periods.
const blockLength = 10

// resample draws the periods of the window anew, in blocks of geometric length
// (the stationary bootstrap, Politis and Romano 1994), all assets together.
func (m *maker) resample(rng *rand.Rand) {
	rows, _ := m.returns.Dims()
	m.shuffled = inference.Resample(m.returns, rows, blockLength, rng)
}

// drawOptimized draws an objective, its parameter, the estimator and the upper
// bound, and solves.
func (m *maker) drawOptimized(ctx context.Context, row *Row, weights []float64, rng *rand.Rand,
	estimate func(string) (*moments.Moments, error)) error {
	row.Estimator = estimators[rng.IntN(len(estimators))]
	in := optimize.Inputs{Set: m.relaxed(row.MaxWeight)}
	objective := optimize.MeanVariance
	u := rng.Float64()
	switch kind := rng.IntN(6); kind {
	case 0, 1:
		row.Parameter, row.Value = "risk_aversion", logUniform(rng, [2]float64{0.5, 50})
		in.RiskAversion = row.Value
	case 2:
		row.Parameter = "target_return"
	case 3:
		objective = optimize.MaxSharpe
	case 4:
		objective = optimize.MinVariance
	case 5:
		objective = optimize.MaxDiversification
	}
	row.Recipe = string(objective)
	e, err := estimate(row.Estimator)
	if err != nil {
		return err
	}
	in.Mean, in.Cov = e.Mean, e.Cov
	if row.Parameter == "target_return" {
		// Between the means of the average and of the best asset: above that of
		// the minimum-variance portfolio mostly, and often within reach.
		average, best := mean(e.Mean), slices.Max(e.Mean)
		row.Value = average + 0.8*u*(best-average)
		in.TargetReturn = &row.Value
	}
	return m.solve(ctx, objective, &in, weights)
}

// drawRiskParity draws one of the allocations that need no mean.
func (m *maker) drawRiskParity(ctx context.Context, row *Row, weights []float64, rng *rand.Rand,
	estimate func(string) (*moments.Moments, error)) error {
	row.Estimator = estimators[rng.IntN(len(estimators))]
	row.MaxWeight = m.upper
	in := optimize.Inputs{Set: m.set.Convex(), Project: true}
	objective := optimize.RiskParity
	switch rng.IntN(6) {
	case 0, 1:
	case 2, 3:
		objective = optimize.RiskBudget
		row.Parameter, row.Value = "budget_alpha", logUniform(rng, [2]float64{0.5, 10})
		in.Budgets = make([]float64, m.set.N)
		d, err := simplex.Symmetric(m.set.N, row.Value)
		if err != nil {
			return err
		}
		d.Rand(in.Budgets, rng)
	case 4:
		objective = optimize.InverseVolatility
	case 5:
		objective = optimize.HRP
		in.Linkage = optimize.Linkages()[rng.IntN(len(optimize.Linkages()))]
	}
	row.Recipe = string(objective)
	if in.Linkage != "" {
		row.Recipe += ":" + string(in.Linkage)
	}
	e, err := estimate(row.Estimator)
	if err != nil {
		return err
	}
	in.Mean, in.Cov = e.Mean, e.Cov
	return m.solve(ctx, objective, &in, weights)
}

func (m *maker) solve(ctx context.Context, objective optimize.Objective, in *optimize.Inputs, weights []float64) error {
	result, err := m.solver.Solve(ctx, objective, in)
	if err != nil {
		return err
	}
	copy(weights, result.Weights)
	return nil
}

// relaxed is the set without its minimum-or-zero rule, which the projection of
// the row puts back, under another upper bound.
func (m *maker) relaxed(maxWeight float64) simplex.Set {
	set := m.set.Convex()
	if maxWeight < m.upper {
		for i := range m.capped {
			m.capped[i] = maxWeight
			if set.Upper != nil {
				m.capped[i] = min(maxWeight, set.Upper[i])
			}
			if set.Lower != nil {
				m.capped[i] = max(m.capped[i], set.Lower[i])
			}
		}
		set.Upper = m.capped
	}
	return set
}

// logUniform draws a number between the limits, uniform in its logarithm.
func logUniform(rng *rand.Rand, limits [2]float64) float64 {
	return limits[0] * math.Pow(limits[1]/limits[0], rng.Float64())
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
