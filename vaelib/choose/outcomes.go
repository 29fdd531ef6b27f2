package choose

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/regime"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/stream"
)

// OutcomeSettings steers [Outcomes]. Zero values stand for the defaults named
// below. Its tags name the flags.
type OutcomeSettings struct {
	// Paths is how many are simulated; default 1,000.
	Paths int `flag:"paths" range:"[2,1000000]" help:"the number of paths to simulate, the same for every portfolio"`
	// Regimes, 2 or more: paths go by a regime model of so many states instead of
	// the bootstrap.
	Regimes int `flag:"regimes" range:"[0,10]" help:"the number of states of a hidden Markov model that the paths follow from the present state on; 0 means a stationary bootstrap"`
	// Drawdown is the fall whose probability is asked for; default 0.2.
	Drawdown  float64   `flag:"drawdown" range:"(0,1)" unit:"share" help:"the fall from a peak whose probability is told"`
	Horizon   int       // periods of each path; default 365
	MeanBlock float64   // periods of the stationary bootstrap; default inference.BlockLength of the basket's returns
	Quantiles []float64 // of the fan, rising; default 5, 25, 50, 75 and 95 %
	Seed      uint64
	Progress  func(done, total int, note string) // total is the number of portfolios; nil: no reports
}

// Outlook is what may become of one portfolio: wealth starts at 1. Its JSON form
// has the numbers that need no more than one line.
type Outlook struct {
	MeanFinal float64 `json:"mean_final_wealth"`
	// The probabilities of less than 1 at the end, and of a maximum drawdown above
	// the one asked for, with the standard errors that the finite number of paths
	// leaves.
	Loss           float64 `json:"probability_of_loss"`
	LossError      float64 `json:"probability_of_loss_error"`
	Drawdown       float64 `json:"probability_of_drawdown"`
	DrawdownError  float64 `json:"probability_of_drawdown_error"`
	MedianDrawdown float64 `json:"median_max_drawdown"` // over the paths

	Quantiles []float64  `json:"-"` // Q, of the fan's columns
	Fan       *mat.Dense `json:"-"` // (horizon+1) x Q: quantiles of wealth after each period
	Final     []float64  `json:"-"` // paths: wealth at the end, sorted
	MeanBlock float64    `json:"-"` // of the bootstrap, in periods; 0 with regimes
	Stays     []float64  `json:"-"` // mean stay in each regime in periods, the calmest first; nil with the bootstrap
}

// Outcomes simulates the wealth of each row of weights (N x n) on paths of
// returns (T x n) by the stationary bootstrap (Politis & Romano 1994): whole
// periods, so that the dependence between the assets stays, in blocks, so that
// within them the dependence in time does. Weights are constant, rebalanced every
// period without cost. All portfolios live through the same paths, so that their
// differences are not those of luck; path i draws from a stream of its own, so
// the first paths of more are those of fewer.
//
// With Regimes, a path is one of the states of a hidden Markov model that is
// fitted to the mean asset's returns: it begins in the state that the data end
// in, as far as they tell it, changes by the model's transitions, and takes each
// period at random from those of the data, in proportion to their smoothed
// probability of the state. So turbulence comes in stretches, and what is near
// depends on what is now, where the bootstrap begins anywhere.
//
// What the data have not seen, no path shows: none of them can be worse than
// the worst periods one after another, and both take the sample's mean for the
// future's. So fans of one history are too narrow: notebook 10-applications
// measures how much. The default block is made for the mean of returns and short;
// longer ones keep stretches of turbulence whole.
func Outcomes(ctx context.Context, weights, returns *mat.Dense, settings OutcomeSettings) ([]Outlook, error) {
	evaluator, err := metrics.NewEvaluator(returns, metrics.Settings{PeriodsPerYear: 1})
	if err != nil {
		return nil, err
	}
	settings.EnsureDefaults(returns)
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	portfolios, _ := weights.Dims()
	sim, err := newSimulation(ctx, returns, settings)
	if err != nil {
		return nil, err
	}
	outlooks := make([]Outlook, portfolios)
	for i := range outlooks {
		if err := evaluator.Returns(sim.returns, weights.RawRowView(i)); err != nil {
			return nil, err
		}
		if err := sim.run(ctx, &outlooks[i]); err != nil {
			return nil, err
		}
		if settings.Progress != nil {
			settings.Progress(i+1, portfolios, "")
		}
	}
	return outlooks, nil
}

// Prospect is how paths were made, and what becomes of each portfolio on them.
type Prospect struct {
	Paths    int       `json:"paths"`
	Horizon  int       `json:"horizon"`                // periods
	Block    *float64  `json:"mean_block"`             // periods; nil with regimes
	Stays    []float64 `json:"regime_stays,omitempty"` // periods, the calmest first; nil with the bootstrap
	Fall     float64   `json:"drawdown"`               // whose probability is told
	Outlooks []Outlook `json:"outlooks"`               // one a portfolio
}

// NewProspect simulates as [Outcomes] does, whose errors it returns.
func NewProspect(ctx context.Context, weights, returns *mat.Dense, settings OutcomeSettings) (*Prospect, error) {
	outlooks, err := Outcomes(ctx, weights, returns, settings)
	if err != nil {
		return nil, err
	}
	settings.EnsureDefaults(returns)
	p := &Prospect{settings.Paths, settings.Horizon, nil, outlooks[0].Stays, settings.Drawdown, outlooks}
	if settings.Regimes == 0 {
		p.Block = &settings.MeanBlock
	}
	return p, nil
}

// Fan returns the quantiles of wealth after each period, one row a portfolio,
// which is called by its number from 1, and period.
func (p *Prospect) Fan() *run.Table {
	fan := &run.Table{Header: []string{"portfolio", "period"}}
	for _, q := range p.Outlooks[0].Quantiles {
		fan.Header = append(fan.Header, fmt.Sprintf("wealth_p%02.4g", 100*q))
	}
	for i, o := range p.Outlooks {
		for t := range p.Horizon + 1 {
			fan.Rows = append(fan.Rows, append([]float64{float64(i + 1), float64(t)}, o.Fan.RawRowView(t)...))
		}
	}
	return fan
}

// EnsureDefaults gives the fields that are zero their defaults, which for the
// length of the blocks depends on the returns.
func (s *OutcomeSettings) EnsureDefaults(returns *mat.Dense) {
	s.Paths = cmp.Or(s.Paths, 1000)
	s.Horizon = cmp.Or(s.Horizon, 365)
	s.Drawdown = cmp.Or(s.Drawdown, 0.2)
	if s.Quantiles == nil {
		s.Quantiles = []float64{0.05, 0.25, 0.5, 0.75, 0.95}
	}
	if s.Regimes == 0 && s.MeanBlock == 0 {
		s.MeanBlock = inference.BlockLength(market.Basket(returns))
	}
}

// Validate says what makes no sense.
func (s OutcomeSettings) Validate() error {
	if s.Regimes != 0 && (s.MeanBlock != 0 || s.Regimes < 2) {
		return fmt.Errorf("simulation by %d regimes in blocks of %v: give at least 2 regimes and no blocks, or "+
			"blocks alone", s.Regimes, s.MeanBlock)
	}
	if s.Paths < 2 || s.Horizon < 1 || s.Regimes == 0 && !(s.MeanBlock >= 1) || math.IsInf(s.MeanBlock, 0) {
		return fmt.Errorf("simulation of %d paths of %d periods in blocks of %v: give at least 2, 1 and 1", s.Paths,
			s.Horizon, s.MeanBlock)
	}
	if !(s.Drawdown > 0 && s.Drawdown < 1) {
		return fmt.Errorf("probability of a drawdown of %v: give a share between 0 and 1, such as 0.2", s.Drawdown)
	}
	for i, q := range s.Quantiles {
		if !(q >= 0 && q <= 1) || i > 0 && q <= s.Quantiles[i-1] {
			return fmt.Errorf("quantile %v of a fan: they lie between 0 and 1 and rise", q)
		}
	}
	return nil
}

// simulation is the paths, and memory for one portfolio on them.
type simulation struct {
	settings  OutcomeSettings
	periods   []int32    // paths x horizon, the rows of the data that each path goes through
	stays     []float64  // of the regimes
	returns   []float64  // T, of the portfolio
	wealth    *mat.Dense // (horizon+1) x paths
	drawdowns []float64  // paths
}

func newSimulation(ctx context.Context, returns *mat.Dense, s OutcomeSettings) (*simulation, error) {
	rows, _ := returns.Dims()
	sim := &simulation{
		settings: s, periods: make([]int32, s.Paths*s.Horizon), returns: make([]float64, rows),
		wealth: mat.NewDense(s.Horizon+1, s.Paths, nil), drawdowns: make([]float64, s.Paths),
	}
	draw := func(path []int, rng *rand.Rand) { inference.StationaryIndices(path, rows, s.MeanBlock, rng) }
	if s.Regimes > 0 {
		r, err := fitRegimes(ctx, market.Basket(returns), s.Regimes, s.Seed)
		if err != nil {
			return nil, err
		}
		draw, sim.stays = r.draw, r.stays()
	}
	path := make([]int, s.Horizon)
	for i := range s.Paths {
		draw(path, stream.New(s.Seed, "generate.outcomes", uint64(i)))
		for t, period := range path {
			sim.periods[i*s.Horizon+t] = int32(period)
		}
	}
	return sim, nil
}

// regimes draw periods of the data by the states of a market.
type regimes struct {
	model      *regime.HMM
	now        []float64   // K, probability of each state in the last period, rising sums
	cumulative [][]float64 // K x T, probability of each period in a state, rising sums
	next       [][]float64 // K x K, of each state after a state, rising sums
}

func fitRegimes(ctx context.Context, market []float64, states int, seed uint64) (*regimes, error) {
	x := mat.NewDense(len(market), 1, market)
	model, _, err := regime.Fit(ctx, x, regime.Settings{States: states, Seed: seed})
	if err != nil {
		return nil, fmt.Errorf("regimes: %w", err)
	}
	smoothed, err := model.Smooth(x)
	if err != nil {
		return nil, fmt.Errorf("regimes: %w", err)
	}
	r := &regimes{model: model, now: slices.Clone(smoothed.RawRowView(len(market) - 1))}
	floats.CumSum(r.now, r.now)
	for k := range states {
		in, next := mat.Col(nil, k, smoothed), make([]float64, states)
		for to := range next {
			next[to] = model.Transition(k, to)
		}
		r.cumulative = append(r.cumulative, floats.CumSum(in, in))
		r.next = append(r.next, floats.CumSum(next, next))
	}
	return r, nil
}

// draw fills a path with rows of the data.
func (r *regimes) draw(path []int, rng *rand.Rand) {
	state := pick(r.now, rng)
	for t := range path {
		state = pick(r.next[state], rng)
		path[t] = pick(r.cumulative[state], rng)
	}
}

// stays are the mean stays in the states, in periods.
func (r *regimes) stays() []float64 {
	var all []float64
	for k := range r.model.States() {
		all = append(all, r.model.Duration(k))
	}
	return all
}

// pick draws an index in proportion to the steps of rising sums.
func pick(sums []float64, rng *rand.Rand) int {
	u := rng.Float64() * sums[len(sums)-1]
	i, _ := slices.BinarySearchFunc(sums, u, func(sum, u float64) int {
		if sum <= u {
			return -1
		}
		return 1
	})
	return min(i, len(sums)-1)
}

// run simulates the portfolio in sim.returns.
func (sim *simulation) run(ctx context.Context, o *Outlook) error {
	s := sim.settings
	if err := parallel.For(ctx, s.Paths, func(_, i int) error {
		sim.path(i)
		return nil
	}); err != nil {
		return err
	}
	var loss, deep float64
	for i, d := range sim.drawdowns {
		if sim.wealth.At(s.Horizon, i) < 1 {
			loss++
		}
		if d > s.Drawdown {
			deep++
		}
	}
	paths := float64(s.Paths)
	*o = Outlook{
		Quantiles: s.Quantiles, Fan: mat.NewDense(s.Horizon+1, len(s.Quantiles), nil), MeanBlock: s.MeanBlock,
		Stays: sim.stays,
		Loss:  loss / paths, Drawdown: deep / paths,
	}
	o.LossError = math.Sqrt(o.Loss * (1 - o.Loss) / paths)
	o.DrawdownError = math.Sqrt(o.Drawdown * (1 - o.Drawdown) / paths)
	slices.Sort(sim.drawdowns)
	o.MedianDrawdown = quantile(sim.drawdowns, 0.5)
	if err := parallel.For(ctx, s.Horizon+1, func(_, t int) error {
		row := sim.wealth.RawRowView(t)
		slices.Sort(row)
		for k, q := range s.Quantiles {
			o.Fan.Set(t, k, quantile(row, q))
		}
		return nil
	}); err != nil {
		return err
	}
	o.Final = slices.Clone(sim.wealth.RawRowView(s.Horizon))
	o.MeanFinal = inorder.Sum(o.Final) / paths
	return nil
}

// path goes through the i-th path.
func (sim *simulation) path(i int) {
	wealth, peak, worst := 1.0, 1.0, 0.0
	sim.wealth.Set(0, i, 1)
	for t, period := range sim.periods[i*sim.settings.Horizon : (i+1)*sim.settings.Horizon] {
		wealth *= 1 + sim.returns[period]
		peak = max(peak, wealth)
		worst = max(worst, 1-wealth/peak)
		sim.wealth.Set(t+1, i, wealth)
	}
	sim.drawdowns[i] = worst
}

// quantile interpolates linearly between sorted values.
func quantile(sorted []float64, p float64) float64 {
	position := p * float64(len(sorted)-1)
	below := min(int(position), len(sorted)-2)
	return sorted[below] + (position-float64(below))*(sorted[below+1]-sorted[below])
}
