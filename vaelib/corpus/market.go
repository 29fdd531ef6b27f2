package corpus

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/features"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/regime"
)

// RegimeCondition is the name of the condition that is categorical: the state
// of the market.
const RegimeCondition = "regime"

// The windows of the market's features, in periods.
const (
	shortWindow = 20
	longWindow  = 60
)

// marketFeatures are the features, by package features's names, that
// [Config].Market makes conditions.
var marketFeatures = []struct{ name, meaning string }{
	{"market.volatility_index", "EWMA(0.94) volatility of the equal-weight basket"},
	{"market.trend.60", "wealth of the equal-weight basket over its mean of 60 periods, less 1"},
	{"market.momentum.20", "return of the equal-weight basket over 20 periods, over its volatility in them"},
	{"market.dispersion.20", "standard deviation of returns across assets, mean over 20 periods"},
	{"market.drawdown.60", "loss of the equal-weight basket from its highest wealth of 60 periods"},
}

// state is what is known of the market at the end of each rolling window.
type state struct {
	schema  []portfolio.Condition
	values  [][]float64 // spans x schema
	leftOut []LeftOut
	grid    *regime.Grid // nil: none could be fitted
	hmm     *regime.HMM  // likewise
}

// LeftOut is a condition that a corpus doesn't have, and why.
type LeftOut struct {
	Condition string `json:"condition"`
	Reason    string `json:"reason"`
}

// undefinedError says that a condition has no value where a row needs one.
type undefinedError struct {
	name string
	at   time.Time
}

func (e *undefinedError) Error() string {
	return fmt.Sprintf("%s is undefined at %s, where a rolling window ends: take longer lookbacks, or data without the gap",
		e.name, e.at.UTC().Format(time.DateOnly))
}

// add makes a condition of values over the periods (T), unless one is
// undefined at the end of a rolling window.
func (s *state) add(c *Corpus, condition portfolio.Condition, values []float64, defined func(period int) bool) error {
	for _, span := range c.Spans {
		if !defined(span.To - 1) {
			return &undefinedError{condition.Name, c.window.Times[span.To-1]}
		}
	}
	s.schema = append(s.schema, condition)
	for i, span := range c.Spans {
		s.values[i] = append(s.values[i], values[span.To-1])
	}
	return nil
}

// offer is add for a condition that nobody named: it is left out where it can't
// be had.
func (s *state) offer(c *Corpus, condition portfolio.Condition, values []float64, defined func(period int) bool) {
	if err := s.add(c, condition, values, defined); err != nil {
		s.leftOut = append(s.leftOut, LeftOut{condition.Name, err.Error()})
	}
}

// observe measures the market at the end of every rolling window.
func (c *Corpus) observe(ctx context.Context) error {
	c.state.values = make([][]float64, len(c.Spans))
	if c.config.Market {
		if err := c.observeMarket(ctx); err != nil {
			return err
		}
	}
	if len(c.config.Assets) > 0 {
		return c.observeAssets(ctx)
	}
	return nil
}

// observeMarket adds the market-wide conditions that can be had.
func (c *Corpus) observeMarket(ctx context.Context) error {
	s := &c.state
	table, err := features.BuildWindow(ctx, c.window, features.Config{
		Windows: []int{shortWindow, longWindow}, Lookback: longWindow, NoAssets: true,
		Index: c.config.Index, Annual: c.config.PeriodsPerYear,
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && c.config.Index != nil {
		return err
	}
	if err != nil {
		for _, f := range marketFeatures {
			s.leftOut = append(s.leftOut, LeftOut{f.name, err.Error()})
		}
		s.leftOut = append(s.leftOut, LeftOut{RegimeCondition, err.Error()})
		return c.observeHMM(ctx)
	}
	for _, f := range marketFeatures {
		column, _ := table.Column(f.name)
		condition := portfolio.Condition{Name: f.name, Meaning: f.meaning, Unit: column.Unit, Basis: portfolio.Market}
		if column.Kind == features.VolatilityIndex && c.config.Index != nil {
			condition.Meaning = "volatility index " + c.config.Index.Name
			if err := s.add(c, condition, column.Values, func(t int) bool { return column.Defined[t] }); err != nil {
				return err
			}
			continue
		}
		s.offer(c, condition, column.Values, func(t int) bool { return column.Defined[t] })
	}
	c.observeGrid(table)
	return c.observeHMM(ctx)
}

// observeGrid adds the regime: terciles of volatility, fitted to the training
// part, by the sign of the trend.
func (c *Corpus) observeGrid(table *features.Table) {
	s := &c.state
	volatility, _ := table.Column(fmt.Sprint("market.volatility.", shortWindow))
	trend, _ := table.Column(fmt.Sprint("market.trend.", longWindow))
	var training []float64
	for t, v := range volatility.Values[:c.cut] {
		if volatility.Defined[t] {
			training = append(training, v)
		}
	}
	grid, err := regime.FitGrid(training)
	if err != nil {
		s.leftOut = append(s.leftOut, LeftOut{RegimeCondition, err.Error()})
		return
	}
	states := make([]float64, len(volatility.Values))
	for t := range states {
		states[t] = float64(grid.State(volatility.Values[t], trend.Values[t]))
	}
	condition := portfolio.Condition{
		Name: RegimeCondition, Meaning: "tercile of the equal-weight basket's volatility over 20 periods, and the sign of its trend over 60",
		Unit: "level", Basis: portfolio.FittedMarket,
	}
	for level := range regime.GridStates {
		condition.Levels = append(condition.Levels, regime.GridName(level))
	}
	had := len(s.schema)
	s.offer(c, condition, states, func(t int) bool { return volatility.Defined[t] && trend.Defined[t] })
	if len(s.schema) > had {
		s.grid = grid
	}
}

// The hidden Markov model of the basket's returns. Few starts do: with two
// states the likelihood has few maxima.
const (
	hmmStates = 2
	hmmStarts = 4
)

// observeHMM adds the filtered probability of the calmer state of a hidden
// Markov model that is fitted to the training part. With two states that is all
// there is to know.
func (c *Corpus) observeHMM(ctx context.Context) error {
	s := &c.state
	periods, n := c.window.Returns.Dims()
	basket := mat.NewDense(periods, 1, nil)
	for t := range periods {
		basket.Set(t, 0, mat.Sum(c.window.Returns.RowView(t))/float64(n))
	}
	model, _, err := regime.Fit(ctx, basket.Slice(0, c.cut, 0, 1).(*mat.Dense), regime.Settings{
		States: hmmStates, Starts: hmmStarts, Seed: c.config.Seed,
	})
	var probabilities *mat.Dense
	if err == nil {
		probabilities, _, err = model.Filter(basket)
	}
	name := RegimeCondition + ".calm"
	if err != nil {
		s.leftOut = append(s.leftOut, LeftOut{name, err.Error()})
		return ctx.Err()
	}
	s.hmm = model
	return s.add(c, portfolio.Condition{
		Name: name, Meaning: "filtered probability of the calmer of two states, of a hidden Markov model of the equal-weight basket's returns",
		Unit: "probability", Basis: portfolio.FittedMarket,
	}, mat.Col(nil, 0, probabilities), func(int) bool { return true })
}

// assetMeanings are the kinds of features that every asset can have as
// conditions.
var assetMeanings = map[features.Kind]string{
	features.Mean:       "mean return",
	features.Volatility: "standard deviation of returns",
	features.Momentum:   "compounded return over its volatility",
}

// ParseAssetFeature reads the name of a feature of single assets: mean,
// volatility or momentum, and the periods that it looks back over, such as
// momentum.60.
func ParseAssetFeature(name string) (kind features.Kind, window int, err error) {
	before, after, _ := strings.Cut(name, ".")
	window, err = strconv.Atoi(after)
	if _, known := assetMeanings[features.Kind(before)]; !known || err != nil || window < 2 || strconv.Itoa(window) != after {
		return "", 0, fmt.Errorf("feature %.40q of assets: want mean, volatility or momentum and a window of at least 2 periods, such as momentum.60", name)
	}
	return features.Kind(before), window, nil
}

// observeAssets adds the features of single assets that were asked for, feature
// by feature.
func (c *Corpus) observeAssets(ctx context.Context) error {
	s := &c.state
	var windows []int
	for _, name := range c.config.Assets {
		_, window, err := ParseAssetFeature(name)
		if err != nil {
			return err
		}
		windows = append(windows, window)
	}
	slices.Sort(windows)
	windows = slices.Compact(windows)
	table, err := features.BuildWindow(ctx, c.window, features.Config{Windows: windows, Lookback: windows[0], Annual: c.config.PeriodsPerYear})
	if err != nil {
		return err
	}
	for _, name := range c.config.Assets {
		kind, window, _ := ParseAssetFeature(name)
		for _, symbol := range c.window.Symbols {
			column, _ := table.Column(symbol + "." + name)
			condition := portfolio.Condition{
				Name: column.Name, Meaning: fmt.Sprintf("%s of %s over %d periods", assetMeanings[kind], symbol, window),
				Unit: column.Unit, Basis: portfolio.Market,
			}
			if err := s.add(c, condition, column.Values, func(t int) bool { return column.Defined[t] }); err != nil {
				return err
			}
		}
	}
	return nil
}
