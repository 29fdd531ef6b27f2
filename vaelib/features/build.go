package features

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
)

// Config says which features [Build] makes. Its zero value makes the first
// two groups below, and the volatility index from the returns.
//
// Of every asset and every basket, over each of Windows (w periods, the last
// one included):
//
//	mean        mean return, per period
//	volatility  standard deviation of returns, divisor w-1, per period
//	momentum    compounded return over volatility * sqrt(w); undefined at volatility 0
//
// Of every basket beside that:
//
//	trend         wealth over its mean in the window, less 1, over each of Windows
//	drawdown      loss from the highest wealth of the Lookback, its start included, in [0, 1)
//	max_drawdown  largest such loss within the Lookback
//	var, cvar     historical value at risk and its conditional, positive losses per period, over the Lookback
//
// Of the market, the first basket's name:
//
//	dispersion        mean over each of Windows of the standard deviation (divisor n-1) of the returns across
//	                  assets in a period; undefined while fewer than 2 are listed
//	volatility_index  see Index
//
// And, where Correlation is set, what [Correlation] describes.
type Config struct {
	Windows  []int    // at least 2 each; nil: 5, 20, 60
	Lookback int      // of drawdown, VaR and CVaR; 0: 60
	Level    float64  // of VaR and CVaR; 0: 0.95
	Baskets  []Basket // nil: one, named market, of equal weights
	NoAssets bool     // leaves out the columns of single assets
	Index    *Series  // such as DVOL, aligned without look-ahead; nil: EWMA volatility of the first basket
	Annual   float64  // periods per year, for the EWMA index alone; 0: from the times
	// of the EWMA index; 0: 0.94 (J.P. Morgan 1996, "RiskMetrics technical document", section 5.3)
	Decay       float64
	Correlation *Correlation // nil: none
}

// Basket is a portfolio that is brought back to its weights every period.
type Basket struct {
	Name string
	// Weights are as many as the panel's symbols, sum above 0; nil: equal.
	// Over a period without all of them the weights of the others are scaled
	// up to the same sum, so that an equal-weight basket is one of the assets
	// listed at the time.
	Weights []float64
}

// EnsureDefaults gives the fields that are zero their defaults, but for Annual,
// which the times decide.
func (c *Config) EnsureDefaults() {
	if c.Windows == nil {
		c.Windows = []int{5, 20, 60}
	}
	if c.Lookback == 0 {
		c.Lookback = 60
	}
	if c.Level == 0 {
		c.Level = 0.95
	}
	if c.Baskets == nil {
		c.Baskets = []Basket{{Name: "market"}}
	}
	if c.Decay == 0 {
		c.Decay = 0.94
	}
}

// Validate says what cannot be meant for these symbols and so many returns.
func (c *Config) Validate(symbols []string, periods int) error {
	for _, w := range append(slices.Clone(c.Windows), c.Lookback) {
		if w < 2 {
			return fmt.Errorf("a window of %d periods is too short: a volatility needs at least 2", w)
		}
		if w > periods {
			return fmt.Errorf("a window of %d periods is longer than the %d returns: shorten it, or use more data",
				w, periods)
		}
	}
	if !(c.Level > 0 && c.Level < 1) {
		return fmt.Errorf("level %v of VaR is not between 0 and 1: 0.95 is usual", c.Level)
	}
	if !(c.Decay > 0 && c.Decay < 1) {
		return fmt.Errorf("decay %v is not between 0 and 1: 0.94 is usual", c.Decay)
	}
	if c.Index == nil && !(c.Annual > 0) {
		return errors.New("periods per year are unknown: give them, or a volatility index")
	}
	if len(c.Baskets) == 0 {
		return errors.New("no basket: name at least one, the market")
	}
	seen := map[string]bool{}
	for _, s := range symbols {
		seen[s] = true
	}
	for _, b := range c.Baskets {
		if b.Name == "" || seen[b.Name] {
			return fmt.Errorf("basket %q has no name of its own: choose one that no symbol or other basket has", b.Name)
		}
		seen[b.Name] = true
		if b.Weights == nil {
			continue
		}
		if len(b.Weights) != len(symbols) {
			return fmt.Errorf("basket %s has %d weights for %d symbols", b.Name, len(b.Weights), len(symbols))
		}
		var sum float64
		for i, w := range b.Weights {
			if !(w >= 0) || math.IsInf(w, 0) {
				return fmt.Errorf("basket %s has weight %v of %s: at least 0 is needed", b.Name, w, symbols[i])
			}
			sum += w
		}
		if !(sum > 0) {
			return fmt.Errorf("basket %s has no weight above 0", b.Name)
		}
	}
	return nil
}

// Build makes the features of a panel: T-1 rows, one for each return, under
// the panel's times from the second on. An asset's features are undefined
// until it has been listed for a whole window, and while a hole lies in it.
//
// It returns an error for a configuration that cannot be meant, and the
// context's error when that ends first.
func Build(ctx context.Context, p *market.Panel, config Config) (*Table, error) {
	if len(p.Times) < 3 || len(p.Symbols) == 0 {
		return nil, fmt.Errorf("%d times of %d symbols are too few for features: at least 3 times of 1 are needed",
			len(p.Times), len(p.Symbols))
	}
	returns := make([][]float64, len(p.Symbols))
	for j := range returns {
		returns[j] = make([]float64, len(p.Times)-1)
	}
	for t := range p.Times[1:] {
		before, after := p.Close.RawRowView(t), p.Close.RawRowView(t+1)
		for j := range returns {
			returns[j][t] = after[j]/before[j] - 1 // NaN where either is
		}
	}
	return build(ctx, p.Symbols, p.Times[1:], returns, config)
}

// BuildWindow is [Build] of dense returns: T rows.
func BuildWindow(ctx context.Context, w *market.Window, config Config) (*Table, error) {
	if len(w.Times) < 2 || len(w.Symbols) == 0 {
		return nil, fmt.Errorf("%d returns of %d symbols are too few for features: at least 2 of 1 are needed",
			len(w.Times), len(w.Symbols))
	}
	returns := make([][]float64, len(w.Symbols))
	for j := range returns {
		returns[j] = make([]float64, len(w.Times))
		for t := range w.Times {
			v := w.Returns.At(t, j)
			if math.IsNaN(v) {
				return nil, fmt.Errorf("return of %s at %s is NaN: build from the panel, where absence has its place",
					w.Symbols[j], stamp(w.Times[t]))
			}
			returns[j][t] = v
		}
	}
	if config.Annual == 0 {
		config.Annual = w.PeriodsPerYear() // a slice's is that of the whole
	}
	return build(ctx, w.Symbols, w.Times, returns, config)
}

// build makes the features of returns, one slice a symbol, NaN where absent.
func build(ctx context.Context, symbols []string, times []time.Time, returns [][]float64,
	config Config) (*Table, error) {
	c := config
	c.EnsureDefaults()
	if c.Annual == 0 {
		c.Annual = (&market.Window{Times: times}).PeriodsPerYear()
	}
	if err := c.Validate(symbols, len(times)); err != nil {
		return nil, err
	}
	for j, row := range returns {
		for t, r := range row {
			if !math.IsNaN(r) && (r <= -1 || r > limit) {
				return nil, fmt.Errorf("return %v of %s at %s is not above -1 and at most %g: correct the price",
					r, symbols[j], stamp(times[t]), limit)
			}
		}
	}
	var jobs []func() []Column
	if !c.NoAssets {
		for j, symbol := range symbols {
			jobs = append(jobs, func() []Column { return rollingColumns(symbol, returns[j], c.Windows) })
		}
	}
	for i, b := range c.Baskets {
		jobs = append(jobs, func() []Column {
			r := b.returns(returns)
			columns := append(rollingColumns(b.Name, r, c.Windows), riskColumns(b.Name, r, &c)...)
			if i == 0 {
				columns = append(columns, dispersionColumns(b.Name, returns, c.Windows)...)
				columns = append(columns, indexColumn(b.Name, r, times, &c))
			}
			return columns
		})
	}
	if c.Correlation != nil {
		if err := c.Correlation.check(len(symbols), len(times)); err != nil {
			return nil, err
		}
		jobs = append(jobs, func() []Column { return c.Correlation.columns(symbols, returns) })
	}
	made := make([][]Column, len(jobs))
	err := parallel.For(ctx, len(jobs), func(_, i int) error {
		made[i] = jobs[i]()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Table{Times: times, Interval: commonestStep(times), Columns: slices.Concat(made...)}, nil
}

// limit is the size up to which returns are believed.
const limit = 1e15

// commonestStep is the step between neighbours that most have, the shortest
// of several; 0 without one.
func commonestStep(times []time.Time) time.Duration {
	counts := map[time.Duration]int{}
	var best time.Duration
	for i := 1; i < len(times); i++ {
		step := times[i].Sub(times[i-1])
		counts[step]++
		if n := counts[step]; n > counts[best] || n == counts[best] && step < best {
			best = step
		}
	}
	return best
}

// newColumn is a column of T undefined values.
func newColumn(subject string, kind Kind, window int, unit string, periods int) Column {
	name := subject + "." + string(kind)
	if window > 0 {
		name += "." + strconv.Itoa(window)
	}
	return Column{
		Name: name, Subject: subject, Kind: kind, Window: window, Unit: unit,
		Values: make([]float64, periods), Defined: make([]bool, periods),
	}
}

// set defines a value, unless it is not finite.
func (c *Column) set(t int, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	c.Values[t], c.Defined[t] = v, true
}

// rollingColumns are mean, volatility and momentum of returns r (T).
func rollingColumns(subject string, r []float64, windows []int) []Column {
	var columns []Column
	var scratchMoments []moments
	var scratchPath []path
	for _, w := range windows {
		mean := newColumn(subject, Mean, w, "per period", len(r))
		volatility := newColumn(subject, Volatility, w, "per period", len(r))
		momentum := newColumn(subject, Momentum, w, "standard deviations", len(r))
		runs(r, func(from int, run []float64) {
			scratchMoments = slide(run, w, momentsOf, scratchMoments, func(t int, s moments) {
				mean.set(from+t, s.mean)
				volatility.set(from+t, math.Sqrt(s.variance()))
			})
			scratchPath = slide(run, w, pathOf, scratchPath, func(t int, s path) {
				if v := volatility.Values[from+t]; v > 0 {
					momentum.set(from+t, (s.growth-1)/(v*math.Sqrt(float64(w))))
				}
			})
		})
		columns = append(columns, mean, volatility, momentum)
	}
	return columns
}

// riskColumns are trend, drawdowns, VaR and CVaR of a basket's returns.
func riskColumns(subject string, r []float64, c *Config) []Column {
	var columns []Column
	var scratch []path
	for _, w := range c.Windows {
		trend := newColumn(subject, Trend, w, "share", len(r))
		runs(r, func(from int, run []float64) {
			scratch = slide(run, w, pathOf, scratch, func(t int, s path) { trend.set(from+t, s.n*s.growth/s.sum-1) })
		})
		columns = append(columns, trend)
	}
	drawdown := newColumn(subject, Drawdown, c.Lookback, "share", len(r))
	maxDrawdown := newColumn(subject, MaxDrawdown, c.Lookback, "share", len(r))
	valueAtRisk := newColumn(subject, VaR, c.Lookback, "per period", len(r))
	conditional := newColumn(subject, CVaR, c.Lookback, "per period", len(r))
	q := newTail(c.Lookback, c.Level)
	runs(r, func(from int, run []float64) {
		scratch = slide(run, c.Lookback, pathOf, scratch, func(t int, s path) {
			drawdown.set(from+t, 1-s.growth/s.high)
			maxDrawdown.set(from+t, 1-s.worst)
		})
		q.slide(run, func(t int, v, cv float64) {
			valueAtRisk.set(from+t, v)
			conditional.set(from+t, cv)
		})
	})
	return append(columns, drawdown, maxDrawdown, valueAtRisk, conditional)
}

// dispersionColumns are the rolling means of the spread across assets.
func dispersionColumns(subject string, returns [][]float64, windows []int) []Column {
	periods := len(returns[0])
	spread := make([]float64, periods)
	for t := range spread {
		var s moments
		for _, r := range returns {
			switch {
			case math.IsNaN(r[t]):
			case s.n == 0:
				s = momentsOf(r[t])
			default:
				s = s.join(momentsOf(r[t]))
			}
		}
		spread[t] = math.NaN()
		if s.n >= 2 {
			spread[t] = math.Sqrt(s.variance())
		}
	}
	var columns []Column
	var scratch []moments
	for _, w := range windows {
		c := newColumn(subject, Dispersion, w, "per period", periods)
		runs(spread, func(from int, run []float64) {
			scratch = slide(run, w, momentsOf, scratch, func(t int, s moments) { c.set(from+t, s.mean) })
		})
		columns = append(columns, c)
	}
	return columns
}

// returns are those of the basket (T), NaN over a period without any of its
// assets.
func (b Basket) returns(returns [][]float64) []float64 {
	out := make([]float64, len(returns[0]))
	for t := range out {
		var sum, weights float64
		for j, r := range returns {
			w := 1.0
			if b.Weights != nil {
				w = b.Weights[j]
			}
			if w == 0 || math.IsNaN(r[t]) {
				continue
			}
			sum += w * r[t]
			weights += w
		}
		out[t] = sum / weights // 0/0 where there is none
	}
	return out
}

// indexColumn is the volatility index, annual and in percent as DVOL is.
func indexColumn(subject string, r []float64, times []time.Time, c *Config) Column {
	if c.Index != nil {
		column := newColumn(subject, VolatilityIndex, 0, c.Index.Unit, len(r))
		c.Index.align(times, commonestStep(times), column.set)
		return column
	}
	column := newColumn(subject, VolatilityIndex, 0, "percent a year", len(r))
	runs(r, func(from int, run []float64) {
		ewma(run, c.Decay, func(t int, variance float64) {
			column.set(from+t, 100*math.Sqrt(variance*c.Annual))
		})
	})
	return column
}

// ewma calls emit with the exponentially weighted mean square of returns r up
// to t: the weight of a return is decay to the power of its age, over the sum
// of the weights so far. It starts when they have reached 95 % of their limit,
// at t = 48 for a decay of 0.94.
func ewma(r []float64, decay float64, emit func(t int, variance float64)) {
	var sum, weight float64
	for t, x := range r {
		sum = decay*sum + (1-decay)*x*x
		weight = decay*weight + (1 - decay)
		if weight >= 0.95 {
			emit(t, sum/weight)
		}
	}
}
