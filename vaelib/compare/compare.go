package compare

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
)

// Confidence of all intervals.
const Confidence = 0.95

// Result is what tracks say of each other. Sharpe ratios of pairs are per period,
// figures of rows are annual where their name has no unit.
type Result struct {
	Periods        int              `json:"periods"`
	From           string           `json:"from,omitempty"` // the first period's date
	To             string           `json:"to,omitempty"`
	PeriodsPerYear float64          `json:"periods_per_year"`
	Confidence     float64          `json:"confidence"` // of all intervals
	Resamples      int              `json:"resamples"`
	Block          float64          `json:"block"` // mean length, in periods
	Rows           []Row            `json:"rows"`
	Pairs          []Pair           `json:"pairs"`
	SPA            *Superior        `json:"spa"` // null with fewer than two tracks
	PBO            *Overfitting     `json:"pbo"` // null where not asked for
	Config         []Difference     `json:"config,omitempty"`
	Data           []Difference     `json:"data,omitempty"`
	Summary        []SummaryFigures `json:"summary,omitempty"`
	Notes          []string         `json:"notes"`
}

// Figure is a figure of a track with its interval.
type Figure struct {
	Name  string       `json:"-"`
	Value number.Value `json:"value"`
	From  number.Value `json:"from"`
	To    number.Value `json:"to"`
}

// Row is what is known of one track.
type Row struct {
	Name    string       `json:"name"`
	Source  string       `json:"source"`
	Figures Figures      `json:"figures"`
	PSR     number.Value `json:"psr"`
	DSR     number.Value `json:"dsr"`
	Trials  int          `json:"trials"` // that the DSR counts
	// Mean block lengths that are best for the mean of the returns and of their
	// squares (Politis & White 2004, corrected 2009).
	BlockLength          float64      `json:"block_length"`
	BlockLengthOfSquares float64      `json:"block_length_of_squares"`
	StepDown             number.Value `json:"stepdown_p"` // adjusted p-value of the step-down test against SPA's benchmark
	Coverage             *Coverage    `json:"var_coverage"`
	Against              Figures      `json:"against,omitempty"` // beside the track of Settings.Against, where one is named
	Notes                []string     `json:"notes"`
}

// Interval of a difference.
type Interval struct {
	From number.Value `json:"from"`
	To   number.Value `json:"to"`
}

// Pair is what is known of the difference of two Sharpe ratios, that of a less
// that of b.
type Pair struct {
	A          string       `json:"a"`
	B          string       `json:"b"`
	Difference number.Value `json:"sharpe_difference"` // per period, divisor T in the deviations
	LedoitWolf LedoitWolf   `json:"lw"`
	Memmel     Normal       `json:"jkm"`
	Bootstrap  Interval     `json:"bootstrap"` // of sharpe_difference
	Notes      []string     `json:"notes,omitempty"`
}

// LedoitWolf is the test of [inference.LedoitWolf].
type LedoitWolf struct {
	Kernel    inference.Kernel `json:"kernel"`
	Prewhiten bool             `json:"prewhitened"`
	Bandwidth number.Value     `json:"bandwidth"`
	StdErr    number.Value     `json:"se"`
	Normal
	Holm number.Value `json:"p_holm"` // corrected for all pairs
}

// Normal is a test by a normal statistic, two-sided.
type Normal struct {
	Z number.Value `json:"z"`
	P number.Value `json:"p"`
}

// Superior is the test whether any track beats the benchmark by its Sharpe ratio.
type Superior struct {
	Against   string  `json:"against"`
	Best      string  `json:"best"`
	Statistic float64 `json:"statistic"`
	PValue    float64 `json:"p"`
	Lower     float64 `json:"p_lower"`
	Upper     float64 `json:"p_upper"` // White's reality check
}

// Overfitting is the probability of backtest overfitting by CSCV.
type Overfitting struct {
	S                 int     `json:"S"`
	Value             float64 `json:"value"`
	Combinations      int     `json:"combinations"`
	MeanLogit         float64 `json:"mean_logit"`
	MedianLogit       float64 `json:"median_logit"`
	ProbabilityOfLoss float64 `json:"probability_of_loss"`
	MeanInSample      float64 `json:"mean_in_sample"`
	MeanOutOfSample   float64 `json:"mean_out_of_sample"`
	Slope             float64 `json:"degradation_slope"`
	Intercept         float64 `json:"degradation_intercept"`
	R2                float64 `json:"degradation_r2"`
}

// Run compares tracks. annual says how figures are computed: of it, the level is
// that of the settings. Others are tracks that were looked at too, such as those of
// earlier runs: they count as trials.
func Run(ctx context.Context, t *Tracks, annual metrics.Settings, settings Settings, others ...*Tracks) (*Result,
	error) {
	settings.EnsureDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if longest := float64(t.Periods()); settings.Block > longest || settings.Bandwidth > longest {
		return nil, fmt.Errorf("-block %v and -bandwidth %v: the tracks have %v periods, and neither may be longer",
			settings.Block, settings.Bandwidth, longest)
	}
	annual.Level = settings.Level
	annual.EnsureDefaults()
	if err := annual.Validate(); err != nil {
		return nil, err
	}
	c := &comparison{tracks: t, annual: annual, settings: settings, riskless: annual.RiskFree / annual.PeriodsPerYear}
	c.result = &Result{
		Periods: t.Periods(), PeriodsPerYear: annual.PeriodsPerYear, Confidence: Confidence,
		Resamples: settings.Resamples, Rows: []Row{}, Pairs: []Pair{}, Notes: append([]string{}, t.Notes...),
	}
	if t.Times != nil {
		c.result.From, c.result.To = stamp(t.Times[0]), stamp(t.Times[len(t.Times)-1])
	}
	for _, step := range []func(context.Context) error{c.figures, c.draw, c.pairs, c.superior,
		c.against, c.overfitting} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	c.count(others)
	c.doubt()
	return c.result, nil
}

// comparison is a comparison under way.
type comparison struct {
	tracks   *Tracks
	annual   metrics.Settings
	settings Settings
	riskless float64 // per period
	values   []metrics.Figures
	draws    *inference.Draws
	result   *Result
}

// shown are the figures of a row, in their order.
var shown = []metrics.Figure{
	metrics.AnnualReturn, metrics.CAGR, metrics.Volatility, metrics.Sharpe, metrics.Sortino, metrics.MaxDrawdown,
	metrics.Calmar, metrics.VaR, metrics.CVaR,
}

// figures computes the figures of all tracks.
func (c *comparison) figures(context.Context) error {
	for k, name := range c.tracks.Names {
		returns := c.tracks.Column(k)
		f, err := metrics.EvaluateSeries(returns, c.annual)
		if err != nil {
			return fmt.Errorf("track %s: %w", name, err)
		}
		squares := make([]float64, len(returns))
		for t, r := range returns {
			squares[t] = r * r
		}
		row := Row{
			Name: name, Source: c.tracks.Sources[k], PSR: f.Value(metrics.PSR), Notes: append([]string{}, f.Notes()...),
			BlockLength: inference.BlockLength(returns), BlockLengthOfSquares: inference.BlockLength(squares),
			StepDown: number.Unknown("the track that the others are tested against"),
		}
		for _, figure := range shown {
			row.Figures = append(row.Figures, Figure{Name: figure.Name(c.annual.Level), Value: f.Value(figure)})
		}
		coverage, err := cover(returns, c.settings.Level, c.settings.VaRWindow)
		if err != nil {
			row.Notes = append(row.Notes, "var_coverage: "+err.Error())
		}
		row.Coverage = coverage
		c.values = append(c.values, f)
		c.result.Rows = append(c.result.Rows, row)
	}
	return nil
}

// draw resamples the tracks, and fills in the figures' intervals. The last
// statistic of a track is its Sharpe ratio per period, divisor T.
func (c *comparison) draw(ctx context.Context) error {
	count := len(shown) + 1
	statistics := func(dst, returns []float64) {
		dst[len(shown)] = c.periodSharpe(returns)
		f, err := metrics.EvaluateSeries(returns, c.annual)
		for i, figure := range shown {
			dst[i] = math.NaN()
			if x, ok := f.Value(figure).Float(); ok && err == nil {
				dst[i] = x
			}
		}
	}
	var err error
	c.draws, err = inference.BootstrapTracks(ctx, c.tracks.Returns, count, statistics, inference.BootstrapSettings{
		Resamples: c.settings.Resamples, MeanBlock: c.settings.Block, Circular: c.settings.Circular,
		Seed: c.settings.Seed,
	})
	if err != nil {
		return err
	}
	c.result.Block = c.draws.MeanBlock
	for k := range c.result.Rows {
		for i := range shown {
			f := &c.result.Rows[k].Figures[i]
			if _, ok := f.Value.Float(); !ok {
				f.From, f.To = f.Value, f.Value
				continue
			}
			f.From, f.To = interval(mat.Col(nil, k*count+i, c.draws.Values))
			if figure := shown[i]; figure == metrics.Volatility || figure == metrics.VaR || figure == metrics.CVaR {
				f.From, f.To = c.spread(figure, c.tracks.Column(k), f.Value)
			}
		}
	}
	return nil
}

// spread is the interval of a figure of spread, which resampling would make too short where
// risk persists.
func (c *comparison) spread(figure metrics.Figure, returns []float64, value number.Value) (from, to number.Value) {
	var low, high float64
	few := 8.0 // periods below which there is none
	switch figure {
	case metrics.VaR:
		low, high = inference.VaRInterval(returns, c.settings.Level)
		few = max(few, inference.FewestBeyondVaR/(1-c.settings.Level))
	case metrics.CVaR:
		low, high = inference.CVaRInterval(returns, c.settings.Level)
		few = max(few, inference.FewestBeyondCVaR/(1-c.settings.Level))
	default:
		return volatility(returns, value)
	}
	return ends(low, high, few)
}

// volatility is the interval of the deviation of returns, on the scale of its value.
func volatility(returns []float64, value number.Value) (from, to number.Value) {
	low, high := inference.VolatilityInterval(returns)
	annual, _ := value.Float()
	if deviation := stat.StdDev(returns, nil); deviation > 0 {
		low, high = low*annual/deviation, high*annual/deviation
	}
	return ends(low, high, 8)
}

// ends are those of an interval, which is NaN with fewer periods than it needs.
func ends(low, high, few float64) (from, to number.Value) {
	if math.IsNaN(low) {
		none := number.Unknown(fmt.Sprintf("an interval needs %.0f periods", few))
		return none, none
	}
	return number.Known(low), number.Known(high)
}

// interval is the percentile interval of draws, undefined where one is.
func interval(draws []float64) (from, to number.Value) {
	low, high, _ := inference.Percentiles(draws, Confidence)
	if math.IsNaN(low) {
		return number.Unknown("undefined in a resample"), number.Unknown("undefined in a resample")
	}
	return number.Known(low), number.Known(high)
}

// periodSharpe is the Sharpe ratio per period, divisor T; NaN for a constant.
func (c *comparison) periodSharpe(returns []float64) float64 {
	mean, variance := stat.PopMeanVariance(returns, nil)
	if !(variance > 1e-24*mean*mean) {
		return math.NaN()
	}
	return (mean - c.riskless) / math.Sqrt(variance)
}

// excess is a track less the riskless return.
func (c *comparison) excess(k int) []float64 {
	returns := c.tracks.Column(k)
	for t := range returns {
		returns[t] -= c.riskless
	}
	return returns
}

// pairs tests every two tracks.
func (c *comparison) pairs(ctx context.Context) error {
	columns := make([][]float64, len(c.tracks.Names))
	for k := range columns {
		columns[k] = c.excess(k)
	}
	for i := range columns {
		for j := i + 1; j < len(columns); j++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.result.Pairs = append(c.result.Pairs, c.pair(i, j, columns[i], columns[j]))
		}
	}
	values := make([]float64, len(c.result.Pairs))
	for k, pair := range c.result.Pairs {
		p, ok := pair.LedoitWolf.P.Float()
		if values[k] = p; !ok {
			values[k] = math.NaN()
		}
	}
	for k, p := range inference.Holm(values) {
		if pair := &c.result.Pairs[k]; math.IsNaN(p) {
			pair.LedoitWolf.Holm = pair.LedoitWolf.P
		} else {
			pair.LedoitWolf.Holm = number.Known(p)
		}
	}
	return nil
}

func (c *comparison) pair(i, j int, a, b []float64) Pair {
	p := Pair{A: c.tracks.Names[i], B: c.tracks.Names[j]}
	p.Difference = number.Known(c.periodSharpe(c.tracks.Column(i)) - c.periodSharpe(c.tracks.Column(j)))
	p.LedoitWolf.Kernel, p.LedoitWolf.Prewhiten = c.settings.Kernel, c.settings.Prewhiten
	lw, err := inference.LedoitWolf(a, b, inference.DifferenceSettings{
		Kernel: c.settings.Kernel, Bandwidth: c.settings.Bandwidth, Prewhiten: c.settings.Prewhiten,
	})
	if err != nil {
		p.Notes = append(p.Notes, "lw: "+tooFew(err))
	} else {
		p.Difference = number.Known(lw.Value)
		p.LedoitWolf.Bandwidth, p.LedoitWolf.StdErr = number.Known(lw.Bandwidth), number.Known(lw.StdErr)
		p.LedoitWolf.Normal = Normal{number.Known(lw.Z), number.Known(lw.PValue)}
	}
	if test, err := inference.JobsonKorkie(a, b); err != nil {
		p.Notes = append(p.Notes, "jkm: "+tooFew(err))
	} else {
		p.Memmel = Normal{number.Known(test.Statistic), number.Known(test.PValue)}
	}
	p.Bootstrap.From, p.Bootstrap.To = interval(c.differences(i, j))
	if _, known := p.Bootstrap.From.Float(); !known {
		p.Notes = append(p.Notes, "bootstrap: "+p.Bootstrap.From.Reason())
	}
	return p
}

// tooFew is the text of an error of a test of a difference, which needs more periods than a
// figure does.
func tooFew(err error) string {
	if errors.Is(err, metrics.ErrTooShort) {
		return "fewer than 8 returns: differences of Sharpe ratios need as many"
	}
	return err.Error()
}

// differences are the draws of a difference of Sharpe ratios.
func (c *comparison) differences(i, j int) []float64 {
	count := len(shown) + 1
	draws := mat.Col(nil, i*count+len(shown), c.draws.Values)
	for b := range draws {
		draws[b] -= c.draws.Values.At(b, j*count+len(shown))
	}
	return draws
}

// superior tests all tracks but one against that one.
func (c *comparison) superior(context.Context) error {
	if len(c.tracks.Names) < 2 {
		return nil
	}
	against := 0
	if c.settings.Against != "" {
		var err error
		if against, err = c.tracks.Index(c.settings.Against); err != nil {
			return fmt.Errorf("-against: %w", err)
		}
	}
	ratio := func(k int) float64 { return c.periodSharpe(c.tracks.Column(k)) }
	var at []int
	var differences []float64
	for k := range c.tracks.Names {
		if k == against {
			continue
		}
		if d := ratio(k) - ratio(against); !math.IsNaN(d) {
			at, differences = append(at, k), append(differences, d)
		}
		c.result.Rows[k].StepDown = number.Unknown("its Sharpe ratio can't be compared")
	}
	if len(at) == 0 {
		return nil
	}
	draws := mat.NewDense(c.settings.Resamples, len(at), nil)
	for i, k := range at {
		draws.SetCol(i, c.differences(k, against))
	}
	s := inference.SPA(differences, draws, c.tracks.Periods())
	c.result.SPA = &Superior{
		Against: c.tracks.Names[against], Best: c.tracks.Names[at[s.Best]], Statistic: s.Statistic,
		PValue: s.PValue, Lower: s.Lower, Upper: s.Upper,
	}
	for i, p := range inference.StepDown(differences, draws) {
		c.result.Rows[at[i]].StepDown = number.Known(p)
	}
	return nil
}

// overfitting computes the PBO where it is asked for.
func (c *comparison) overfitting(context.Context) error {
	if c.settings.Blocks == 0 {
		return nil
	}
	o, err := inference.CSCV(c.tracks.Returns, c.settings.Blocks)
	var split *inference.SplitError
	if errors.As(err, &split) {
		return fmt.Errorf("-pbo %d: track %s has the same return in every period of a part of the time: leave it out "+
			"by -tracks, or use fewer blocks", c.settings.Blocks, c.tracks.Names[split.Trial])
	}
	if err != nil {
		return fmt.Errorf("-pbo %d: %w", c.settings.Blocks, err)
	}
	c.result.PBO = &Overfitting{
		S: c.settings.Blocks, Value: o.PBO, Combinations: len(o.Logits), MeanLogit: o.MeanLogit,
		MedianLogit: o.MedianLogit, ProbabilityOfLoss: o.ProbabilityOfLoss, MeanInSample: o.MeanInSample,
		MeanOutOfSample: o.MeanOutOfSample, Slope: o.Slope, Intercept: o.Intercept, R2: o.R2,
	}
	return nil
}

// count counts the trials and deflates the Sharpe ratios by them.
func (c *comparison) count(others []*Tracks) {
	seen := map[string]bool{}
	var ratios []float64
	for _, t := range append([]*Tracks{c.tracks}, others...) {
		for k := range t.Names {
			returns := t.Column(k)
			mean, deviation := stat.MeanStdDev(returns, nil)
			key := fingerprint(returns)
			if seen[key] || !(deviation > 1e-12*math.Abs(mean)) {
				continue // cash is no trial
			}
			seen[key] = true
			ratios = append(ratios, (mean-c.riskless)/deviation)
		}
	}
	trials := max(len(ratios), c.settings.Trials)
	for k := range c.result.Rows {
		row := &c.result.Rows[k]
		row.Trials = trials
		switch {
		case len(ratios) < 2 && trials > 1:
			row.DSR = number.Unknown("the spread of the trials' Sharpe ratios isn't known from one track")
		case len(ratios) < 2:
			row.DSR = row.PSR // one trial is no choice
		default:
			row.DSR = c.values[k].DeflatedSharpe(trials, stat.StdDev(ratios, nil))
		}
	}
}

// doubt says where figures claim more than the tracks can tell.
func (c *comparison) doubt() {
	const few = 120
	periods := c.tracks.Periods()
	if periods < few {
		c.result.Notes = append(c.result.Notes, fmt.Sprintf("%d periods are few: with less than %d, intervals by "+
			"resampling are too short, and the tests over all tracks find differences too often", periods, few))
	}
	for k, name := range c.tracks.Names {
		returns := c.tracks.Column(k)
		before := stat.Correlation(returns[:periods-1], returns[1:], nil)
		if before > max(0.2, 3/math.Sqrt(float64(periods))) {
			c.result.Notes = append(c.result.Notes, fmt.Sprintf("track %s: each return goes with the one before "+
				"(correlation %.2f), as where windows overlap or prices are stale: psr and dsr, which take periods as "+
				"independent, are too sure", name, before))
		}
	}
}

// fingerprint tells equal series.
func fingerprint(returns []float64) string {
	bytes := make([]byte, 0, 8*len(returns))
	for _, r := range returns {
		b := math.Float64bits(r)
		for s := 0; s < 64; s += 8 {
			bytes = append(bytes, byte(b>>s))
		}
	}
	return string(bytes)
}
