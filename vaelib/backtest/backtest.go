package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"vaefolio/vaelib/market"
)

// Strategy chooses weights.
type Strategy struct {
	Name string
	// Weights returns weights (n, sum 1) for the time after the training window.
	// held is what the last choice has drifted to, nil before the first; it must
	// not be changed. The result is copied. With [Settings].Listings, n counts the
	// symbols of the training window, and held lacks what is none of them.
	//
	// An error that wraps [ErrHold] keeps what is held (the equal weights before
	// the first choice), with its text as the rebalance's note; any other ends
	// the backtest.
	Weights func(ctx context.Context, training *market.Window, held []float64) ([]float64, error)
}

// ErrHold is wrapped by a strategy that has no answer for a window, such as a
// largest Sharpe ratio where no mean is positive.
var ErrHold = errors.New("no answer")

// Settings of a backtest. Train and Test are required.
type Settings struct {
	Train   int     // periods that a choice rests on
	Test    int     // periods that it is held for
	Embargo int     // periods left out at the end of each training window
	CostBps float64 // of the value traded, in basis points
	// ConstantWeights restores the weights every period, without cost.
	ConstantWeights bool
	// Listings show each strategy the symbols that were traded throughout its
	// training window and up to its end, no others. One that stops while it is
	// held stays at its last close, as cash without interest, until the next
	// rebalance. nil: all symbols of the window, always.
	Listings *market.Listings
}

// Rebalance is one choice and what it cost.
type Rebalance struct {
	Time     time.Time // the end of the first period held
	From, To int       // the periods held, [From, To) of the window
	Weights  []float64 // n, as chosen
	Columns  []int     // of the symbols that could be chosen; nil: all
	Turnover float64   // sum |w_target - w_drifted|, both sides
	Cost     float64   // share of the wealth
	Note     string    // why the strategy had no answer; empty: it had one
}

// Track is what became of one strategy.
type Track struct {
	Name       string
	Returns    []float64 // simple, net of costs, one a period of [Result].Times
	Rebalances []Rebalance
}

// Result of a backtest.
type Result struct {
	Symbols []string
	Start   time.Time   // the time before the first return
	Times   []time.Time // of the periods tested
	Tracks  []Track     // in the order of the strategies
	Unused  int         // periods at the end that fill no test window
}

// Windows returns how many test windows fit into T periods.
func (s Settings) Windows(periods int) int {
	return max(0, (periods-s.Train)/s.Test)
}

// check says what makes no sense over T periods.
func (s Settings) check(periods int) error {
	switch {
	case s.Train < 2 || s.Test < 1:
		return fmt.Errorf("training windows of %d and test windows of %d periods: at least 2 and 1 are needed",
			s.Train, s.Test)
	case s.Embargo < 0 || s.Embargo > s.Train-2:
		return fmt.Errorf("an embargo of %d periods leaves fewer than 2 of a training window of %d", s.Embargo, s.Train)
	case !(s.CostBps >= 0 && s.CostBps <= 5000):
		return fmt.Errorf("a cost of %v basis points: it must lie between 0 and 5000", s.CostBps)
	case s.Windows(periods) < 1:
		return fmt.Errorf(
			"%d returns hold no training window of %d and test window of %d: give more data or shorter windows, "+
				"such as -train %d -test %d", periods, s.Train, s.Test, max(2, periods/2), max(1, periods/12))
	}
	return nil
}

// Run tests strategies over a window (T x n). Every strategy sees the same
// training windows. It returns an error for settings that don't fit the
// window, for a strategy that fails or returns something else than n finite
// weights with sum 1, and the context's.
func Run(ctx context.Context, window *market.Window, strategies []Strategy, settings Settings,
	progress func(done, total int, note string)) (*Result, error) {
	periods := len(window.Times)
	if err := settings.check(periods); err != nil {
		return nil, err
	}
	if len(strategies) == 0 {
		return nil, errors.New("no strategies to test")
	}
	count := settings.Windows(periods)
	end := settings.Train + count*settings.Test
	result := &Result{
		Symbols: window.Symbols, Start: window.Times[settings.Train-1], Times: window.Times[settings.Train:end],
		Unused: periods - end,
	}
	for k, strategy := range strategies {
		track := Track{Name: strategy.Name}
		account := account{n: len(window.Symbols)}
		for i := range count {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := step(ctx, window, strategy, settings, i, &account, &track); err != nil {
				return nil, fmt.Errorf("strategy %s: window that ends %s: %w", strategy.Name,
					window.Times[settings.Train+i*settings.Test-1].UTC().Format(time.DateOnly), err)
			}
			if progress != nil {
				progress(k*count+i+1, len(strategies)*count, strategy.Name)
			}
		}
		result.Tracks = append(result.Tracks, track)
	}
	return result, nil
}

// step chooses weights before test window i and holds them through it.
func step(ctx context.Context, window *market.Window, strategy Strategy, settings Settings, i int, a *account,
	track *Track) error {
	from := settings.Train + i*settings.Test
	to := from + settings.Test
	var held []float64
	if a.held != nil {
		held = append(held, a.held...)
	}
	rebalance := Rebalance{Time: window.Times[from], From: from, To: to}
	training := window.Slice(from-settings.Train, from-settings.Embargo)
	choosable := held
	if l := settings.Listings; l != nil {
		rebalance.Columns = l.Over(from-settings.Train, from)
		if len(rebalance.Columns) == 0 {
			return fmt.Errorf(
				"no symbol was traded throughout the %d periods before: choose a shorter -train, or another range",
				settings.Train)
		}
		training = training.Choose(rebalance.Columns)
		if held != nil {
			choosable = nil
			for _, j := range rebalance.Columns {
				choosable = append(choosable, held[j])
			}
		}
	}
	weights, err := strategy.Weights(ctx, training, choosable)
	switch {
	case errors.Is(err, ErrHold):
		rebalance.Note = err.Error()
		if weights = held; weights == nil {
			weights = spread(equal(len(training.Symbols)), rebalance.Columns, a.n)
		}
	case err != nil:
		return err
	default:
		if err := checkWeights(weights, len(training.Symbols)); err != nil {
			return err
		}
		weights = spread(weights, rebalance.Columns, a.n)
	}
	if err := checkWeights(weights, a.n); err != nil {
		return err
	}
	rebalance.Weights = append([]float64(nil), weights...)
	return track.hold(window, a, rebalance, settings.CostBps, settings.ConstantWeights)
}

// hold trades to the weights of a rebalance, and holds them through its periods.
func (t *Track) hold(window *market.Window, a *account, r Rebalance, costBps float64, constant bool) error {
	r.Turnover = a.trade(r.Weights)
	r.Cost = r.Turnover * costBps / 1e4
	for i := r.From; i < r.To; i++ {
		if constant && i > r.From {
			a.trade(r.Weights)
		}
		earned, err := a.grow(window.Returns.RawRowView(i))
		if err != nil {
			return fmt.Errorf("%s: %w", window.Times[i].UTC().Format(time.DateOnly), err)
		}
		if i == r.From {
			earned = (1-r.Cost)*(1+earned) - 1
		}
		t.Returns = append(t.Returns, earned)
	}
	t.Rebalances = append(t.Rebalances, r)
	return nil
}

func equal(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1 / float64(n)
	}
	return w
}

// spread puts the weights of some columns among n, the others 0; as they are
// for no columns.
func spread(weights []float64, columns []int, n int) []float64 {
	if columns == nil {
		return weights
	}
	all := make([]float64, n)
	for k, j := range columns {
		all[j] = weights[k]
	}
	return all
}

func checkWeights(w []float64, n int) error {
	if len(w) != n {
		return fmt.Errorf("%d weights for %d assets", len(w), n)
	}
	var sum float64
	for i, x := range w {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("weight %d is %v: it must be finite", i+1, x)
		}
		sum += x
	}
	if math.Abs(sum-1) > 1e-6 {
		return fmt.Errorf("the weights sum to %v: they must sum to 1", sum)
	}
	return nil
}

// account holds a portfolio as shares of its wealth.
type account struct {
	n    int
	held []float64 // nil: all in cash
}

// trade moves the holdings to w and returns what was traded, both sides, as a
// share of the wealth.
func (a *account) trade(w []float64) (turnover float64) {
	if a.held == nil {
		a.held = make([]float64, a.n)
	}
	for i, x := range w {
		turnover += math.Abs(x - a.held[i])
		a.held[i] = x
	}
	return turnover
}

// grow lets the holdings earn one period's returns, and returns theirs.
func (a *account) grow(returns []float64) (float64, error) {
	var r float64
	for i, h := range a.held {
		r += h * returns[i]
	}
	if r <= -1 {
		return 0, fmt.Errorf(
			"the portfolio loses %.4g %% in one period, which leaves nothing to go on with: keep short "+
				"positions smaller", -100*r)
	}
	for i := range a.held {
		a.held[i] *= (1 + returns[i]) / (1 + r)
	}
	return r, nil
}

// Turnover returns the mean turnover of a rebalance, the first purchase left
// out, and 0 for a single one.
func (t *Track) Turnover() float64 {
	if len(t.Rebalances) < 2 {
		return 0
	}
	var sum float64
	for _, r := range t.Rebalances[1:] {
		sum += r.Turnover
	}
	return sum / float64(len(t.Rebalances)-1)
}

// Held counts the rebalances at which the strategy had no answer.
func (t *Track) Held() int {
	count := 0
	for _, r := range t.Rebalances {
		if r.Note != "" {
			count++
		}
	}
	return count
}
