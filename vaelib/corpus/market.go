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
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/regime"
)

// Names of the conditions that are fitted: the state of the market, which is
// categorical, and the filtered probability of the calmer of two.
const (
	RegimeCondition = "regime"
	CalmCondition   = "regime.calm"
)

// The windows of the market's features, in periods, and features of a name of
// their own.
const (
	shortWindow    = 20
	longWindow     = 60
	indexFeature   = "market.volatility_index"
	gridVolatility = "market.volatility.20"
	gridTrend      = "market.trend.60"
)

// marketFeature is a feature, by package features's name, that [Config].Market
// makes a condition.
type marketFeature struct{ name, meaning, unit string }

var marketFeatures = []marketFeature{
	{indexFeature, "EWMA(0.94) volatility of the equal-weight basket", "percent a year"},
	{gridTrend, "wealth of the equal-weight basket over its mean of 60 periods, less 1", "share"},
	{"market.momentum.20", "return of the equal-weight basket over 20 periods, over its volatility in them",
		"standard deviations"},
	{"market.dispersion.20", "standard deviation of returns across assets, mean over 20 periods", "per period"},
	{"market.drawdown.60", "loss of the equal-weight basket from its highest wealth of 60 periods", "share"},
}

// history is how many returns the conditions of the market look back over: a
// year of days. The weight of what came before is 0.94^365 = 2e-10 in the
// volatility index, and as little in a filtered probability unless states last
// for months of periods.
const history = 365

// Market is how conditions of the market follow from returns: the same for the
// rows of a corpus and at any other time, bit for bit. It is part of
// corpus.json, and lies beside a model that is told such conditions.
type Market struct {
	Symbols        []string `json:"symbols"` // n, those of the returns, in order
	PeriodsPerYear float64  `json:"periods_per_year"`
	Seconds        int64    `json:"interval_seconds"` // of a period, the commonest
	Funded         bool     `json:"funded,omitempty"` // the returns have funding of perpetuals in them
	// History is the number of returns looked back over, by everything: windows
	// are at most as long, and the volatility index and the filter of the hidden
	// Markov model start anew so many returns back. In the first periods of a
	// corpus there are fewer.
	History  int          `json:"market_history,omitempty"`
	Features []string     `json:"market_features,omitempty"`
	Index    string       `json:"volatility_index,omitempty"` // the series that it is; empty: EWMA of the basket
	Assets   []string     `json:"asset_features,omitempty"`   // of every asset; see [ParseAssetFeature]
	Grid     *regime.Grid `json:"regime_grid,omitempty"`      // of the condition regime; nil: there is none
	// HMM is the model of regime.calm, of the equal-weight basket's returns; nil:
	// there is none.
	HMM *regime.HMM `json:"regime_model,omitempty"`
}

// Names returns the names of the conditions.
func (m *Market) Names() []string {
	names := slices.Clone(m.Features)
	if m.Grid != nil {
		names = append(names, RegimeCondition)
	}
	if m.HMM != nil {
		names = append(names, CalmCondition)
	}
	for _, feature := range m.Assets {
		for _, symbol := range m.Symbols {
			names = append(names, symbol+"."+feature)
		}
	}
	return names
}

// observe returns the values of the conditions at the end of returns (T x n,
// T at least 2), by their names. Those that are undefined then are left out.
func (m *Market) observe(ctx context.Context, w *market.Window, index *features.Series) (map[string]float64, error) {
	w = latest(w, m.History)
	windows := []int{shortWindow, longWindow}
	for _, name := range m.Assets {
		_, window, err := ParseAssetFeature(name)
		if err != nil {
			return nil, err
		}
		windows = append(windows, window)
	}
	slices.Sort(windows)
	windows = slices.DeleteFunc(slices.Compact(windows), func(n int) bool { return n > len(w.Times) })
	rolling := latest(w, slices.Max(append([]int{2}, windows...))) // these need no more
	table, err := features.BuildWindow(ctx, rolling, features.Config{
		Windows: windows, Lookback: min(longWindow, len(rolling.Times)), NoAssets: len(m.Assets) == 0,
		Annual: m.PeriodsPerYear,
	})
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	last := func(name string) (float64, bool) {
		column, ok := table.Column(name)
		if !ok || !column.Defined[table.Len()-1] {
			return 0, false
		}
		return column.Values[table.Len()-1], true
	}
	for _, name := range m.Names() {
		if v, ok := last(name); ok {
			values[name] = v
		}
	}
	if m.Grid != nil {
		volatility, ok := last(gridVolatility)
		trend, too := last(gridTrend)
		if ok && too {
			values[RegimeCondition] = float64(m.Grid.State(volatility, trend))
		}
	}
	if slices.Contains(m.Features, indexFeature) {
		if table, err = features.BuildWindow(ctx, w, features.Config{
			Windows: []int{}, Lookback: 2, NoAssets: true, Index: index, Annual: m.PeriodsPerYear,
		}); err != nil {
			return nil, err
		}
		delete(values, indexFeature)
		if v, ok := last(indexFeature); ok {
			values[indexFeature] = v
		}
	}
	if m.HMM != nil {
		probabilities, _, err := m.HMM.Filter(basket(w))
		if err != nil {
			return nil, err
		}
		values[CalmCondition] = probabilities.At(len(w.Times)-1, 0)
	}
	return values, nil
}

// latest is the last periods of a window, or all of one that has no more.
func latest(w *market.Window, periods int) *market.Window {
	return w.Slice(max(0, len(w.Times)-periods), len(w.Times))
}

// basket is the returns of equal weights (T x 1).
func basket(w *market.Window) *mat.Dense {
	return mat.NewDense(len(w.Times), 1, market.Basket(w.Returns))
}

// UndefinedError says that a condition of the market has no value at a time.
type UndefinedError struct {
	Condition string
	At        time.Time
}

func (e *UndefinedError) Error() string {
	return fmt.Sprintf("%s is undefined at %s", e.Condition, e.At.UTC().Format(time.RFC3339))
}

// Terms asks for the market as it is at the end of a window of returns (T x n):
// name = value for each of the names that is a condition of the market and that
// the wish leaves open, in the order of the names. The values are those that
// rows of the corpus would have whose windows end there.
//
// It returns an error for returns of other symbols or another interval, or of
// fewer periods than the conditions look back over; for a volatility index that
// doesn't follow from returns; and an [*UndefinedError].
func (m *Market) Terms(ctx context.Context, w *market.Window, names []string, wish portfolio.Wish) (portfolio.Wish,
	error) {
	open := m.Open(names, wish)
	if len(open) == 0 {
		return nil, nil
	}
	if !slices.Equal(w.Symbols, m.Symbols) {
		return nil, fmt.Errorf("returns of %s for conditions of a market of %s: give those, in this order",
			strings.Join(w.Symbols, ", "), strings.Join(m.Symbols, ", "))
	}
	if len(w.Times) < m.History {
		return nil, fmt.Errorf("%d returns are too few for the conditions of the market, which look back over %d: "+
			"give more history, or say by the wish what they are", len(w.Times), m.History)
	}
	if err := m.Follows(w.Interval(), open); err != nil {
		return nil, err
	}
	values, err := m.observe(ctx, w, nil)
	if err != nil {
		return nil, err
	}
	var terms portfolio.Wish
	for _, name := range open {
		value, ok := values[name]
		if !ok {
			return nil, &UndefinedError{name, w.Times[len(w.Times)-1]}
		}
		terms = append(terms, portfolio.Term{Name: name, Relation: portfolio.Equal, Value: value})
	}
	return terms, nil
}

// Open returns those of the names that are conditions of the market and that the
// wish leaves open, in their order.
func (m *Market) Open(names []string, wish portfolio.Wish) []string {
	known := m.Names()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.Contains(known, name) || slices.ContainsFunc(wish,
			func(t portfolio.Term) bool { return t.Name == name })
	})
}

// Follows returns an error unless the conditions named follow from returns over
// such an interval.
func (m *Market) Follows(interval time.Duration, names []string) error {
	switch own := time.Duration(m.Seconds) * time.Second; {
	case m.Index != "" && slices.Contains(names, indexFeature):
		return fmt.Errorf("%s is %s, which doesn't follow from prices: say by the wish what it is", indexFeature,
			m.Index)
	case len(names) > 0 && interval != own:
		return fmt.Errorf("the conditions of the market are of periods of %v, not %v: give such prices, or say by "+
			"the wish what they are", own, interval)
	}
	return nil
}

// LeftOut is a condition that a corpus doesn't have, and why.
type LeftOut struct {
	Condition string `json:"condition"`
	Reason    string `json:"reason"`
}

// state is what is known of the market at the end of each rolling window.
type state struct {
	market  Market
	schema  []portfolio.Attribute
	values  [][]float64 // spans x schema
	leftOut []LeftOut
}

// candidate is a condition that a corpus may have.
type candidate struct {
	portfolio.Attribute
	must   bool   // it was asked for by name
	window int    // it looks back over so many periods, or fewer
	lacked string // why it can't be had; empty: it may be
}

// observe measures the market at the end of every rolling window.
func (c *Corpus) observe(ctx context.Context) error {
	s := &c.state
	s.market = Market{
		Symbols: c.window.Symbols, PeriodsPerYear: c.config.PeriodsPerYear,
		Seconds: int64(c.window.Interval() / time.Second), Funded: c.window.Funded,
	}
	s.values = make([][]float64, len(c.Spans))
	candidates, err := c.fitMarket(ctx)
	if err != nil || len(candidates) == 0 {
		return err
	}
	seen, err := c.observeEnds(ctx)
	if err != nil {
		return err
	}
	for _, candidate := range candidates {
		if candidate.lacked == "" {
			undefined := slices.IndexFunc(c.Spans,
				func(span Span) bool { _, ok := seen[span.To][candidate.Name]; return !ok })
			if undefined >= 0 {
				err := c.undefined(&candidate, c.Spans[undefined].To)
				if candidate.must {
					return err
				}
				candidate.lacked = err.Error()
			}
		}
		if candidate.lacked != "" {
			s.leaveOut(candidate)
			continue
		}
		s.schema = append(s.schema, candidate.Attribute)
		for i, span := range c.Spans {
			s.values[i] = append(s.values[i], seen[span.To][candidate.Name])
		}
	}
	return nil
}

// undefined is the error of a condition that has no value where a rolling window ends,
// after so many periods.
func (c *Corpus) undefined(condition *candidate, periods int) error {
	err := &UndefinedError{condition.Name, c.window.Times[periods-1]}
	if periods < condition.window {
		return fmt.Errorf("%w, where a rolling window ends with %d periods before it, and such conditions look back "+
			"over up to %d: take lookbacks of %[3]d or more", err, periods, condition.window)
	}
	return fmt.Errorf("%w, where a rolling window ends: take data without the gap before it", err)
}

// observeEnds observes the market at each period at which a rolling window ends:
// the values by the end of the span.
func (c *Corpus) observeEnds(ctx context.Context) (map[int]map[string]float64, error) {
	ends := make([]int, len(c.Spans))
	for i, span := range c.Spans {
		ends[i] = span.To
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	values := make([]map[string]float64, len(ends))
	err := parallel.For(ctx, len(ends), func(_, i int) (err error) {
		values[i], err = c.state.market.observe(ctx, c.window.Slice(0, ends[i]), c.config.Index)
		return err
	})
	if err != nil {
		return nil, err
	}
	byEnd := make(map[int]map[string]float64, len(ends))
	for i, end := range ends {
		byEnd[end] = values[i]
	}
	return byEnd, nil
}

// leaveOut makes the market one without the condition.
func (s *state) leaveOut(c candidate) {
	s.leftOut = append(s.leftOut, LeftOut{c.Name, c.lacked})
	s.market.Features = slices.DeleteFunc(s.market.Features, func(name string) bool { return name == c.Name })
	if c.Name == RegimeCondition {
		s.market.Grid = nil
	}
}

// fitMarket says how the conditions asked for follow from returns, what has to
// be fitted to the training part included, and lists them.
func (c *Corpus) fitMarket(ctx context.Context) ([]candidate, error) {
	m := &c.state.market
	m.History = history
	var candidates []candidate
	if c.config.Market {
		for _, f := range marketFeatures {
			m.Features = append(m.Features, f.name)
			one := candidate{Attribute: portfolio.Attribute{Name: f.name, Meaning: f.meaning, Unit: f.unit,
				Basis: portfolio.Market}, window: longWindow}
			if f.name == indexFeature && c.config.Index != nil {
				m.Index = c.config.Index.Name
				one.Meaning, one.Unit, one.must = "volatility index "+m.Index, c.config.Index.Unit, true
				one.window = 0
			}
			candidates = append(candidates, one)
		}
		grid, err := c.fitGrid(ctx)
		if err != nil {
			return nil, err
		}
		hmm, err := c.fitHMM(ctx)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, grid, hmm)
	}
	m.Assets = c.config.Assets
	for _, name := range c.config.Assets {
		kind, window, err := ParseAssetFeature(name)
		if err != nil {
			return nil, err
		}
		if window > len(c.window.Times) {
			return nil, fmt.Errorf("feature %s looks back over %d periods, longer than the %d returns: shorten it, "+
				"or use more data", name, window, len(c.window.Times))
		}
		m.History = max(m.History, window)
		unit := "per period"
		if kind == features.Momentum {
			unit = "standard deviations"
		}
		for _, symbol := range c.window.Symbols {
			candidates = append(candidates, candidate{must: true, window: window, Attribute: portfolio.Attribute{
				Name: symbol + "." + name, Meaning: fmt.Sprintf("%s of %s over %d periods", assetMeanings[kind],
					symbol, window),
				Unit: unit, Basis: portfolio.Market,
			}})
		}
	}
	m.History = min(m.History, len(c.window.Times))
	if len(candidates) == 0 {
		m.History = 0
	}
	return candidates, nil
}

// fitGrid takes the terciles of volatility in the training part for thresholds
// of the regime, which crosses them with the sign of the trend.
func (c *Corpus) fitGrid(ctx context.Context) (candidate, error) {
	regimes := candidate{window: longWindow, Attribute: portfolio.Attribute{
		Name: RegimeCondition, Meaning: "tercile of the equal-weight basket's volatility over 20 periods, and the " +
			"sign of its trend over 60",
		Unit: "level", Basis: portfolio.FittedMarket,
	}}
	for level := range regime.GridStates {
		regimes.Levels = append(regimes.Levels, regime.GridName(level))
	}
	table, err := features.BuildWindow(ctx, c.window.Slice(0, c.cut), features.Config{
		Windows: []int{shortWindow}, Lookback: shortWindow, NoAssets: true, Annual: c.config.PeriodsPerYear,
	})
	if ctx.Err() != nil {
		return regimes, ctx.Err()
	}
	if err != nil {
		regimes.lacked = err.Error()
		return regimes, nil
	}
	volatility, _ := table.Column(gridVolatility)
	var training []float64
	for t, v := range volatility.Values {
		if volatility.Defined[t] {
			training = append(training, v)
		}
	}
	if c.state.market.Grid, err = regime.FitGrid(training); err != nil {
		regimes.lacked = err.Error()
	}
	return regimes, nil
}

// The hidden Markov model of the basket's returns. Few starts do: with two
// states the likelihood has few maxima.
const (
	hmmStates = 2
	hmmStarts = 4
)

// fitHMM fits a hidden Markov model to the training part. The filtered
// probability of its calmer state is, with two states, all that there is to
// know.
func (c *Corpus) fitHMM(ctx context.Context) (candidate, error) {
	calm := candidate{Attribute: portfolio.Attribute{
		Name: CalmCondition, Meaning: "filtered probability of the calmer of two states, of a hidden Markov model " +
			"of the equal-weight basket's returns",
		Unit: "probability", Basis: portfolio.FittedMarket,
	}}
	model, _, err := regime.Fit(ctx, basket(c.window.Slice(0, c.cut)), regime.Settings{
		States: hmmStates, Starts: hmmStarts, Seed: c.config.Seed,
	})
	if ctx.Err() != nil {
		return calm, ctx.Err()
	}
	if err != nil {
		calm.lacked = err.Error()
		return calm, nil
	}
	c.state.market.HMM = model
	return calm, nil
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
	if _, known := assetMeanings[features.Kind(before)]; !known || err != nil || window < 2 ||
		strconv.Itoa(window) != after {
		return "", 0, fmt.Errorf("feature %.40q of assets: want mean, volatility or momentum and a window of at "+
			"least 2 periods, such as momentum.60", name)
	}
	return features.Kind(before), window, nil
}
