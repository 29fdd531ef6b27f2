package corpus

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"vaefolio/vaelib/features"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Names of the sources.
const (
	Dirichlet  = "dirichlet"   // draws from Dirichlet distributions of varied concentration
	Optimized  = "optimized"   // optimised portfolios of the rolling window
	RiskParity = "risk-parity" // risk parity, risk budgets, inverse volatility, HRP of the rolling window
	Bootstrap  = "bootstrap"   // the last two on stationary-bootstrapped returns of the window
	Mixed      = "mixed"       // the four above, by [Shares]
)

// Sources lists the names that [Config].Source may have.
func Sources() []string { return []string{Mixed, Dirichlet, Optimized, RiskParity, Bootstrap} }

// What the risk and the return of rows may be measured over.
const (
	// MeasuredTraining measures every row, held-out ones too, over all returns
	// before the validation cut. Volatility, return, drawdown, VaR and CVaR are
	// then functions of the weights alone, known when a model is trained: what a
	// conditional model can be held to, and its control over what it is asked
	// for be measured by.
	MeasuredTraining = "training"
	// MeasuredRolling measures each row over the rolling window that it was made
	// from: what the portfolio had to show when it was made. These figures vary
	// with the window more than with the weights, so that no model can decide
	// them by weights.
	MeasuredRolling = "rolling"
)

// Shares are the parts of a mixed corpus. They needn't sum to 1.
type Shares struct {
	Dirichlet, Optimized, RiskParity, Bootstrap float64
}

// Config says what to build. [Config.EnsureDefaults] fills in what has no meaning
// as zero; [DefaultConfig] is a good start.
type Config struct {
	// Source is one of [Sources].
	Source string `flag:"source" choice:"mixed|dirichlet|optimized|risk-parity|bootstrap" help:"the source of the training portfolios; mixed takes some of each"`
	Shares Shares // of a mixed corpus; zero: those of [DefaultShares]
	// N is the number of rows.
	N    int `flag:"n" after:"alpha" range:"[2,10000000]" unit:"portfolios" help:"the size of the training set, held-out rows included"`
	Seed uint64
	// Alpha, where above 0, is the one concentration of all Dirichlet rows, which
	// are then symmetric; 0 varies it.
	Alpha float64 `flag:"alpha" after:"source" range:"[0,1e6]" only:"source=mixed|dirichlet" help:"the concentration of all Dirichlet rows; 0 varies it"`

	// Lookbacks are the lengths of the rolling windows, in periods.
	Lookbacks []int `flag:"lookbacks" range:"[2,inf)" unit:"periods" help:"the lengths of the rolling windows; those that the prices are too few for are left out, which is said"`
	// Step is the number of periods between the ends of two windows.
	Step int `flag:"window-step" range:"[1,inf)" unit:"periods" help:"the distance between the ends of two rolling windows"`
	// Validation is the share of the time, and of the rows, held out; 0: none.
	Validation float64 `flag:"validation" range:"[0,0.9]" unit:"share" help:"the last part of the time, whose windows are held out"`

	// Measured says over which returns risk and return are measured:
	// [MeasuredTraining] or [MeasuredRolling].
	Measured string `flag:"measured" choice:"training|rolling" help:"the returns over which conditions of risk and return are measured: training takes all before the held-out part, rolling takes each row's own window"`
	// PeriodsPerYear makes conditions annual; 0: as many as the window's times
	// tell.
	PeriodsPerYear float64

	// Market adds conditions of the market at the end of each row's window: its
	// volatility index, trend, momentum, dispersion and drawdown, by the names
	// and formulas of package features; its regime, a level of a [regime.Grid];
	// and the filtered probability of the calmer state of a [regime.HMM] of two.
	// Grid and model are fitted to the training part; all look back over 365
	// returns at most, the index and the filter too. A condition that is
	// undefined where a window ends, as in the warm-up of a feature that looks
	// back further than the shortest lookback, is left out, with the reason in
	// [Summary].LeftOut: rows and weights are the same with or without. Windows of
	// at least 60 periods have them all; the default's shortest one lacks the
	// index, the trend, the drawdown and the regime.
	Market bool
	// Index is the volatility index of Market, such as DVOL; nil: the EWMA
	// volatility of the basket. It has to have a value wherever a window ends.
	Index *features.Series
	// Assets are features of every asset at the end of each row's window, n
	// conditions each, such as momentum.60: see [ParseAssetFeature]. They have to
	// be defined wherever a window ends.
	Assets []string
}

// DefaultConfig is the mixed corpus of 20,000 rows, a third of them unstructured,
// half made from the window as it was, and a sixth from resamples of it. Windows
// of 20 periods have optima more various than long ones have, and with them a
// model reaches more of what is optimal in later windows (see the bound's test of
// package experiment).
func DefaultConfig() Config {
	return Config{
		Source: Mixed, N: 20000, Lookbacks: []int{20, 60, 120}, Step: 5, Validation: 0.2, Measured: MeasuredTraining,
	}
}

// DefaultShares are those of a mixed corpus that names none.
func DefaultShares() Shares { return Shares{Dirichlet: 2, Optimized: 2, RiskParity: 1, Bootstrap: 1} }

// Check says why no training set can be made of the window under the constraints
// set, as far as that is known before one is made.
func (c Config) Check(window *market.Window, set simplex.Set) error {
	c, err := c.over(window)
	if err != nil {
		return err
	}
	periods, n := window.Returns.Dims()
	if set.N != n {
		return fmt.Errorf("the constraint set has %d assets and the returns %d", set.N, n)
	}
	if err := set.Check(); err != nil {
		return err
	}
	_, _, _, err = spans(periods, c.Lookbacks, c.Step, c.Validation)
	return err
}

// over fills in what is zero for a training set over the window.
func (c Config) over(window *market.Window) (Config, error) {
	c.EnsureDefaults()
	if err := c.Validate(); err != nil || c.PeriodsPerYear > 0 {
		return c, err
	}
	if c.PeriodsPerYear = window.PeriodsPerYear(); !(c.PeriodsPerYear > 0) {
		return c, errors.New("the times of the window don't tell how many periods a year has: give the periods per " +
			"year")
	}
	return c, nil
}

// EnsureDefaults gives the source, shares, rows, lookbacks, step and returns
// measured over that are zero the values of [DefaultConfig] and [DefaultShares].
// Zero has a meaning of its own in all other fields.
func (c *Config) EnsureDefaults() {
	d := DefaultConfig()
	c.Source, c.Shares, c.N = cmp.Or(c.Source, d.Source), cmp.Or(c.Shares, DefaultShares()), cmp.Or(c.N, d.N)
	c.Step, c.Measured = cmp.Or(c.Step, d.Step), cmp.Or(c.Measured, d.Measured)
	if len(c.Lookbacks) == 0 {
		c.Lookbacks = d.Lookbacks
	}
}

// Validate returns an error that names the first field that makes no sense.
func (c *Config) Validate() error {
	switch {
	case !slices.Contains(Sources(), c.Source):
		return fmt.Errorf("unknown source %q: choose one of %s", c.Source, strings.Join(Sources(), ", "))
	case c.N < 2:
		return fmt.Errorf("a corpus of %d rows: at least 2 are needed", c.N)
	case c.Step < 1:
		return fmt.Errorf("a step of %d periods between windows: it must be at least 1", c.Step)
	case len(c.Lookbacks) == 0 || slices.Min(c.Lookbacks) < 2:
		return fmt.Errorf("lookbacks of %v periods: each must be at least 2", c.Lookbacks)
	case !(c.Validation >= 0 && c.Validation <= 0.9):
		return fmt.Errorf("a validation share of %v: it must be at least 0 and at most 0.9", c.Validation)
	case !(c.Alpha >= 0 && c.Alpha <= 1e6):
		return fmt.Errorf("a Dirichlet concentration of %v: it must lie between 0, which varies it, and a million",
			c.Alpha)
	case c.Measured != MeasuredTraining && c.Measured != MeasuredRolling:
		return fmt.Errorf("conditions measured over %q: choose %s or %s", c.Measured, MeasuredTraining, MeasuredRolling)
	case !(c.PeriodsPerYear >= 0) || math.IsInf(c.PeriodsPerYear, 0):
		return fmt.Errorf("%v periods per year: it must be positive and finite, or 0 to follow the window's times",
			c.PeriodsPerYear)
	case c.Index != nil && !c.Market:
		return errors.New("a volatility index without conditions of the market: ask for these, too")
	}
	for i, name := range c.Assets {
		if _, _, err := ParseAssetFeature(name); err != nil {
			return err
		}
		if slices.Contains(c.Assets[:i], name) {
			return fmt.Errorf("feature %s of assets is asked for twice", name)
		}
	}
	for _, s := range []float64{c.Shares.Dirichlet, c.Shares.Optimized, c.Shares.RiskParity, c.Shares.Bootstrap} {
		if !(s >= 0) || math.IsInf(s, 0) {
			return fmt.Errorf("a share of %v in the mix: shares must be finite and not negative", s)
		}
	}
	return nil
}

// LongestLookback is the embargo that keeps later returns apart from the
// corpus: the number of periods that the longest window spans.
func (c Config) LongestLookback() int {
	c.EnsureDefaults()
	return slices.Max(c.Lookbacks)
}

// deal gives each of n rows a label so that every label's count is its share
// of n, rounded by largest remainder, in an order shuffled by rng.
func deal(n int, shares []float64, rng *rand.Rand) []int {
	var total float64
	for _, s := range shares {
		total += s
	}
	counts, rest, dealt := make([]int, len(shares)), make([]float64, len(shares)), 0
	for i, s := range shares {
		exact := float64(n) * s / total
		counts[i] = int(exact)
		rest[i] = exact - float64(counts[i])
		dealt += counts[i]
	}
	for ; dealt < n; dealt++ {
		best := 0
		for i := range rest {
			if rest[i] > rest[best] {
				best = i
			}
		}
		counts[best]++
		rest[best] = -1
	}
	labels := make([]int, 0, n)
	for i, c := range counts {
		for range c {
			labels = append(labels, i)
		}
	}
	rng.Shuffle(n, func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })
	return labels
}

// plan gives each row its source and its window.
func (c Config) plan(training, validation int) (sources []string, windows []int) {
	names := []string{Dirichlet, Optimized, RiskParity, Bootstrap}
	shares := []float64{c.Shares.Dirichlet, c.Shares.Optimized, c.Shares.RiskParity, c.Shares.Bootstrap}
	if c.Source != Mixed {
		names, shares = []string{c.Source}, []float64{1}
	}
	for _, label := range deal(c.N, shares, stream.New(c.Seed, "corpus.sources", 0)) {
		sources = append(sources, names[label])
	}
	heldOut := 0.0
	if validation > 0 {
		heldOut = c.Validation
	}
	rng := stream.New(c.Seed, "corpus.windows", 0)
	for _, label := range deal(c.N, []float64{1 - heldOut, heldOut}, rng) {
		if label == 0 {
			windows = append(windows, rng.IntN(training))
		} else {
			windows = append(windows, training+rng.IntN(validation))
		}
	}
	return sources, windows
}
