package generate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

// OutcomeSettings steers [Outcomes]. Zero values stand for the defaults named
// below.
type OutcomeSettings struct {
	Paths     int       // simulated; default 1,000
	Horizon   int       // periods of each; default 365
	MeanBlock float64   // periods of the stationary bootstrap; default metrics.BlockLength of the mean asset's returns
	Quantiles []float64 // of the fan, rising; default 5, 25, 50, 75 and 95 %
	Drawdown  float64   // the fall whose probability is asked for; default 0.2
	Seed      uint64
	Progress  func(done, total int, note string) // total is the number of portfolios; nil: no reports
}

// Outlook is what may become of one portfolio: wealth starts at 1.
type Outlook struct {
	Quantiles []float64  // Q, of the fan's columns
	Fan       *mat.Dense // (horizon+1) x Q: quantiles of wealth after each period
	Final     []float64  // paths: wealth at the end, sorted

	MeanFinal      float64
	Loss           float64 // probability of less than 1 at the end
	Drawdown       float64 // probability of a maximum drawdown above the one asked for
	MedianDrawdown float64 // median over the paths of the maximum drawdown
	LossError      float64 // standard errors of the two probabilities, that
	DrawdownError  float64 // the finite number of paths leaves
	MeanBlock      float64 // of the bootstrap, in periods
}

// Outcomes simulates the wealth of each row of weights (N x n) on paths of
// returns (T x n) by the stationary bootstrap (Politis & Romano 1994): whole
// periods, so that the dependence between the assets stays, in blocks, so that
// within them the dependence in time does. Weights are constant, rebalanced every
// period without cost. All portfolios live through the same paths, so that their
// differences are not those of luck; path i draws from a stream of its own, so
// the first paths of more are those of fewer.
//
// What the data have not seen, no path shows: a bootstrap can't be worse than
// the worst periods one after another, and it takes the sample's mean for the
// future's.
func Outcomes(ctx context.Context, weights, returns *mat.Dense, settings OutcomeSettings) ([]Outlook, error) {
	evaluator, err := metrics.NewEvaluator(returns, metrics.Settings{PeriodsPerYear: 1})
	if err != nil {
		return nil, err
	}
	s, err := settings.complete(returns)
	if err != nil {
		return nil, err
	}
	portfolios, _ := weights.Dims()
	sim := newSimulation(returns, s)
	outlooks := make([]Outlook, portfolios)
	for i := range outlooks {
		if err := evaluator.Returns(sim.returns, weights.RawRowView(i)); err != nil {
			return nil, err
		}
		if err := sim.run(ctx, &outlooks[i]); err != nil {
			return nil, err
		}
		if s.Progress != nil {
			s.Progress(i+1, portfolios, "")
		}
	}
	return outlooks, nil
}

// complete fills in the defaults.
func (s OutcomeSettings) complete(returns *mat.Dense) (OutcomeSettings, error) {
	s.Paths = cmp.Or(s.Paths, 1000)
	s.Horizon = cmp.Or(s.Horizon, 365)
	s.Drawdown = cmp.Or(s.Drawdown, 0.2)
	if s.Quantiles == nil {
		s.Quantiles = []float64{0.05, 0.25, 0.5, 0.75, 0.95}
	}
	if s.MeanBlock == 0 {
		periods, n := returns.Dims()
		mean := make([]float64, periods)
		for t := range mean {
			mean[t] = floats.Sum(returns.RawRowView(t)) / float64(n)
		}
		s.MeanBlock = metrics.BlockLength(mean)
	}
	if s.Paths < 2 || s.Horizon < 1 || !(s.MeanBlock >= 1) || math.IsInf(s.MeanBlock, 0) {
		return s, fmt.Errorf("simulation of %d paths of %d periods in blocks of %v: give at least 2, 1 and 1", s.Paths, s.Horizon, s.MeanBlock)
	}
	if !(s.Drawdown > 0 && s.Drawdown < 1) {
		return s, fmt.Errorf("probability of a drawdown of %v: give a share between 0 and 1, such as 0.2", s.Drawdown)
	}
	for i, q := range s.Quantiles {
		if !(q >= 0 && q <= 1) || i > 0 && q <= s.Quantiles[i-1] {
			return s, fmt.Errorf("quantile %v of a fan: they lie between 0 and 1 and rise", q)
		}
	}
	return s, nil
}

// simulation is the paths, and memory for one portfolio on them.
type simulation struct {
	settings  OutcomeSettings
	periods   []int32    // paths x horizon, the rows of the data that each path goes through
	returns   []float64  // T, of the portfolio
	wealth    *mat.Dense // (horizon+1) x paths
	drawdowns []float64  // paths
}

func newSimulation(returns *mat.Dense, s OutcomeSettings) *simulation {
	rows, _ := returns.Dims()
	sim := &simulation{
		settings: s, periods: make([]int32, s.Paths*s.Horizon), returns: make([]float64, rows),
		wealth: mat.NewDense(s.Horizon+1, s.Paths, nil), drawdowns: make([]float64, s.Paths),
	}
	path := make([]int, s.Horizon)
	for i := range s.Paths {
		metrics.StationaryIndices(path, rows, s.MeanBlock, stream.New(s.Seed, "generate.outcomes", uint64(i)))
		for t, period := range path {
			sim.periods[i*s.Horizon+t] = int32(period)
		}
	}
	return sim
}

// run simulates the portfolio in sim.returns.
func (sim *simulation) run(ctx context.Context, o *Outlook) error {
	s := sim.settings
	if err := inParallel(ctx, s.Paths, func(i int) error {
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
		Loss: loss / paths, Drawdown: deep / paths,
	}
	o.LossError = math.Sqrt(o.Loss * (1 - o.Loss) / paths)
	o.DrawdownError = math.Sqrt(o.Drawdown * (1 - o.Drawdown) / paths)
	slices.Sort(sim.drawdowns)
	o.MedianDrawdown = quantile(sim.drawdowns, 0.5)
	if err := inParallel(ctx, s.Horizon+1, func(t int) error {
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
	o.MeanFinal = floats.Sum(o.Final) / paths
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

// inParallel calls f for every i below count, on all cores.
func inParallel(ctx context.Context, count int, f func(i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), count) {
		group.Go(func() error {
			for {
				i := int(next.Add(1) - 1)
				if i >= count {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := f(i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}
