package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/features"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/regime"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
)

// Ways of choosing a portfolio.
const (
	BySample = "sample" // the best of Portfolios draws
	ByLatent = "latent" // the best of Portfolios starts that climb in the latent space
)

// Settings say what an [Engine] decides, and when.
type Settings struct {
	Symbols  []string    // n, the model's; with a model over sets those that are followed
	Exclude  []string    // with a model over sets, left out of all those of files
	Set      simplex.Set // of the weights
	Interval bybit.Interval
	Lookback int // returns that a decision looks at; at least [Shortest]
	// Every is the number of candles from one decision to the next, which fall on
	// closes that are a multiple of as many intervals since 1970; default 1.
	Every int
	// From is the first candle to decide at, by its opening; zero: as soon as the
	// window is full.
	From time.Time

	Objective  string           // of package metrics
	Metrics    metrics.Settings // PeriodsPerYear 0: that of the interval
	Search     string           // BySample or ByLatent
	Portfolios int              // made at a decision
	Iterations int              // of ByLatent
	States     int              // of the market's regimes, 2 or more
	// InRegime looks for the best portfolio of those periods alone whose likeliest
	// state is the present one, where these are [Shortest] or more.
	InRegime bool

	// Of a conditional model; nil and empty otherwise. A portfolio is asked for
	// by the wish and, where it leaves conditions of the market open, by these as
	// they are at the candle; the other conditions are those of the donor nearest
	// to both.
	Donors *generate.Donors
	Market *corpus.Market // nil: the model is told nothing of the market
	Wish   portfolio.Wish // Set is to hold what a set can hold of it

	// Of a model over sets of assets, whose portfolios are of the symbols with a full
	// window at a candle; Set is then over all of Symbols, of which rows may lack some.
	OverSets *trained.SetModel // nil: another model
	Density  string            // of its codes, by name

	Model string // hash that the lines name
	Seed  uint64
}

// Shortest is the fewest periods that a portfolio is chosen by.
const Shortest = 30

// Engine makes lines of rows. It belongs to one goroutine.
type Engine struct {
	settings  Settings
	generator *generate.Generator
	density   generate.Density
	rows      []Row // the last Needed+1
	before    *Line // the last line, if any
}

// NewEngine joins a model with a density of its codes and the settings; with a model
// over sets of assets, which is in the settings, both are nil. It returns an error for settings that cannot be meant.
func NewEngine(generator *generate.Generator, density generate.Density, settings Settings) (*Engine, error) {
	settings.Every = max(1, settings.Every)
	if settings.Metrics.PeriodsPerYear == 0 {
		settings.Metrics.PeriodsPerYear = PeriodsPerYear(settings.Interval)
	}
	switch {
	case settings.Lookback < Shortest:
		return nil, fmt.Errorf("a lookback of %d periods is too short: at least %d are needed",
			settings.Lookback, Shortest)
	case settings.Search != BySample && settings.Search != ByLatent:
		return nil, fmt.Errorf("search %q is not %s or %s", settings.Search, BySample, ByLatent)
	case settings.Portfolios < 1:
		return nil, errors.New("no portfolios to choose from: ask for 1 or more")
	}
	if err := settings.checkMarket(); err != nil {
		return nil, err
	}
	return &Engine{settings: settings, generator: generator, density: density}, nil
}

// PeriodsPerYear is the number of candles in a year of 365 days.
func PeriodsPerYear(interval bybit.Interval) float64 {
	if interval == "M" {
		return 12
	}
	return float64(365*24*time.Hour) / float64(length(interval))
}

// length is that of a candle; of a month 31 days.
func length(interval bybit.Interval) time.Duration {
	opening := interval.Floor(time.Unix(0, 0))
	return interval.Next(opening).Sub(opening)
}

// Resume goes on behind a line of an earlier run; nil: there is none. It returns
// an error for a line of other symbols or of another interval.
func (e *Engine) Resume(last *Line) error {
	if last == nil {
		return nil
	}
	if err := e.settings.holds(last); err != nil {
		return err
	}
	if last.Interval != string(e.settings.Interval) {
		return fmt.Errorf("the last line is of interval %s, not %s: write to another file", last.Interval,
			e.settings.Interval)
	}
	e.before = last
	return nil
}

// holds returns an error where a line can't be one of the settings, by its symbols.
func (s *Settings) holds(last *Line) error {
	names := last.Weights.Names
	if !slices.Equal(last.Close.Names, names) || s.OverSets == nil && !slices.Equal(names, s.Symbols) {
		return errors.New("the last line has other symbols than the model: write to another file")
	}
	for _, name := range names {
		if !slices.Contains(s.Symbols, name) {
			return fmt.Errorf("the last line holds %s, which is not followed: give it among the symbols, or write to "+
				"another file", name)
		}
	}
	return nil
}

// due says whether a candle is one to decide at: whether its close is a multiple
// of as many intervals since 1970 as Every says.
func due(interval bybit.Interval, every int, opening time.Time) bool {
	return count(interval, interval.Next(opening))%int64(every) == 0
}

// decides says whether there is a line for the row.
func (e *Engine) decides(opening time.Time) bool {
	if opening.Before(e.settings.From) || e.before != nil && !opening.After(e.before.Candle) {
		return false
	}
	return due(e.settings.Interval, e.settings.Every, opening)
}

// count is the number of intervals from 1970 to an opening.
func count(interval bybit.Interval, opening time.Time) int64 {
	if interval == "M" {
		return int64(opening.Year()-1970)*12 + int64(opening.Month()-1)
	}
	step := interval.Next(opening).Sub(opening)
	return opening.UnixMilli() / step.Milliseconds()
}

// Missing is the number of rows that are still lacking for a decision.
func (e *Engine) Missing() int { return e.settings.Needed() + 1 - len(e.rows) }

// UndefinedError says that there is no line, since something is undefined: the
// objective for every portfolio, or a condition of the market.
type UndefinedError struct {
	Candle time.Time
	What   string
}

func (e *UndefinedError) Error() string {
	return fmt.Sprintf("candle of %s: %s: there is no line", stamp(e.Candle), e.What)
}

// Step takes in the next row and returns its line, or nil where none is due. An
// *[UndefinedError] leaves the engine fit to go on.
func (e *Engine) Step(ctx context.Context, row Row) (*Line, error) {
	if len(e.rows) > 0 && !row.Opening.After(e.rows[len(e.rows)-1].Opening) {
		return nil, fmt.Errorf("the row of %s comes after that of %s", stamp(row.Opening),
			stamp(e.rows[len(e.rows)-1].Opening))
	}
	if e.Missing() == 0 {
		copy(e.rows, e.rows[1:])
		e.rows = e.rows[:len(e.rows)-1]
	}
	e.rows = append(e.rows, row)
	if e.Missing() > 0 || !e.decides(row.Opening) {
		return nil, nil
	}
	line, err := e.decide(ctx)
	if err != nil {
		return nil, err
	}
	e.before = line
	return line, nil
}

// window is the last returns of the rows.
func (e *Engine) window(periods int) *market.Window {
	w := &market.Window{Symbols: e.settings.Symbols, Returns: mat.NewDense(periods, len(e.settings.Symbols), nil)}
	rows := e.rows[len(e.rows)-periods-1:]
	for t, row := range rows[1:] {
		w.Times = append(w.Times, row.Opening)
		for j, close := range row.Close {
			w.Returns.Set(t, j, close/rows[t].Close[j]-1)
		}
	}
	return w
}

// decide makes the line of the last row.
func (e *Engine) decide(ctx context.Context) (*Line, error) {
	s := &e.settings
	row := e.rows[len(e.rows)-1]
	h, err := e.choosable()
	if err != nil {
		return nil, err
	}
	w := h.window
	rng := stream.New(s.Seed, "live", uint64(row.Opening.UnixMilli()))
	line := &Line{
		Time: s.Interval.Next(row.Opening).UTC(), Candle: row.Opening.UTC(), Interval: string(s.Interval),
		Close: number.Values{Names: w.Symbols}, LeftOut: h.leftOut,
		Objective: s.Objective, Search: s.Search, Portfolios: s.Portfolios, Model: s.Model, Seed: s.Seed,
	}
	for _, symbol := range w.Symbols {
		line.Close.Numbers = append(line.Close.Numbers, row.Close[slices.Index(s.Symbols, symbol)])
	}
	if line.Features, err = e.features(ctx, w); err != nil {
		return nil, err
	}
	states, err := e.regime(ctx, line, w, rng.Uint64())
	if err != nil {
		return nil, err
	}
	if h.generator, err = e.given(ctx, h.generator, line); err != nil {
		return nil, err
	}
	if err := e.choose(ctx, h, line, e.relevant(w.Returns, states), rng.Uint64()); err != nil {
		return nil, err
	}
	line.Violation = h.set.Violation(line.Weights.Numbers)
	if !(line.Violation <= simplex.Tolerance) {
		return nil, fmt.Errorf("candle of %s: the portfolio violates the constraints by %v: this is a mistake of "+
			"the program", stamp(row.Opening), line.Violation)
	}
	line.Turnover = e.turnover(line)
	return line, nil
}

// Windows of features, of those that fit into the lookback.
var windows = []int{5, 20, 60}

// features are those of the market at the window's last row.
func (e *Engine) features(ctx context.Context, w *market.Window) (number.Values, error) {
	last := len(w.Times) - 1
	fit := slices.DeleteFunc(slices.Clone(windows), func(n int) bool { return n > len(w.Times) })
	lookback := fit[len(fit)-1]
	table, err := features.BuildWindow(ctx, w, features.Config{
		Windows: fit, Lookback: lookback, NoAssets: true, Annual: e.settings.Metrics.PeriodsPerYear,
		Correlation: &features.Correlation{Lookback: lookback, At: []int{last}},
	})
	if err != nil {
		return number.Values{}, fmt.Errorf("candle of %s: %w", stamp(w.Times[last]), err)
	}
	var values number.Values
	for _, c := range table.Columns {
		if c.Kind == features.Loading {
			continue // of an asset
		}
		value := math.NaN()
		if c.Defined[last] {
			value = c.Values[last]
		}
		values.Names, values.Numbers = append(values.Names, c.Name), append(values.Numbers, value)
	}
	return values, nil
}

// regime fits the states of the market to the window and writes the last into
// the line. It returns the likeliest state of each period, nil where there are
// none.
func (e *Engine) regime(ctx context.Context, line *Line, w *market.Window, seed uint64) ([]int, error) {
	periods := len(w.Times)
	basket := mat.NewDense(periods, 1, market.Basket(w.Returns))
	model, _, err := regime.Fit(ctx, basket, regime.Settings{States: e.settings.States, Seed: seed})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		line.RegimeReason = err.Error()
		return nil, nil
	}
	probabilities, _, err := model.Filter(basket)
	if err != nil {
		line.RegimeReason = err.Error()
		return nil, nil
	}
	states := regime.MostLikely(probabilities)
	line.Regime = &Regime{State: model.Name(states[periods-1])}
	for k := range model.States() {
		line.Regime.Probabilities.Names = append(line.Regime.Probabilities.Names, model.Name(k))
		line.Regime.Probabilities.Numbers = append(line.Regime.Probabilities.Numbers, probabilities.At(periods-1, k))
	}
	return states, nil
}

// relevant are the returns that a portfolio is chosen by.
func (e *Engine) relevant(returns *mat.Dense, states []int) *mat.Dense {
	if !e.settings.InRegime || states == nil {
		return returns
	}
	var rows []int
	for t, state := range states {
		if state == states[len(states)-1] {
			rows = append(rows, t)
		}
	}
	if len(rows) < Shortest {
		return returns
	}
	_, n := returns.Dims()
	alike := mat.NewDense(len(rows), n, nil)
	for i, t := range rows {
		alike.SetRow(i, returns.RawRowView(t))
	}
	return alike
}

// choose makes portfolios and writes the best into the line.
func (e *Engine) choose(
	ctx context.Context, h *held, line *Line, returns *mat.Dense, seed uint64,
) error {
	s := &e.settings
	objective, err := metrics.NewObjective(s.Objective, returns, s.Metrics)
	if err != nil {
		return err
	}
	line.Periods, _ = returns.Dims()
	var batch *generate.Batch
	var best int
	var value float64
	if s.Search == ByLatent {
		optimum, err := h.generator.Optimize(ctx, objective, h.density, generate.OptimizeSettings{
			Starts: s.Portfolios, Iterations: s.Iterations, Seed: seed,
		})
		if err != nil {
			return err
		}
		batch, best, value = &optimum.Batch, optimum.Best, optimum.Values[optimum.Best]
		line.Evaluations = optimum.Evaluated
		if line.Ascent, err = h.generator.Ascend(ctx, objective, optimum, seed); err != nil {
			return err
		}
	} else {
		if batch, err = h.generator.Sample(ctx, s.Portfolios, h.density, seed); err != nil {
			return err
		}
		if best, value, err = choose.Best(ctx, objective, batch.Weights); err != nil {
			return err
		}
		line.Evaluations = s.Portfolios
	}
	if best < 0 || math.IsInf(value, 0) {
		return &UndefinedError{line.Candle, s.Objective + " is undefined for every portfolio"}
	}
	line.Weights = number.Values{Names: h.window.Symbols, Numbers: mat.Row(nil, best, batch.Weights)}
	line.Value, line.Repair = value, batch.Repair[best]
	return nil
}

// turnover is that from the line before. What can't be held any more is sold at its last
// close.
func (e *Engine) turnover(line *Line) *float64 {
	if e.before == nil {
		return nil
	}
	drifted := make([]float64, len(e.settings.Symbols))
	var wealth float64
	for k, name := range e.before.Weights.Names {
		j := slices.Index(e.settings.Symbols, name)
		drifted[j] = e.before.Weights.Numbers[k] * e.last(j, e.before.Close.Numbers[k]) / e.before.Close.Numbers[k]
		wealth += drifted[j]
	}
	if !(wealth > 0) {
		return nil // short positions lost it all
	}
	weights := make([]float64, len(drifted))
	for k, name := range line.Weights.Names {
		weights[slices.Index(e.settings.Symbols, name)] = line.Weights.Numbers[k]
	}
	var sum float64
	for j, w := range weights {
		sum += math.Abs(w - drifted[j]/wealth)
	}
	return &sum
}

// last is the last close of a symbol since the line before, whose own it is otherwise.
func (e *Engine) last(j int, before float64) float64 {
	for _, row := range slices.Backward(e.rows) {
		if !row.Opening.After(e.before.Candle) {
			break
		}
		if !math.IsNaN(row.Close[j]) {
			return row.Close[j]
		}
	}
	return before
}
