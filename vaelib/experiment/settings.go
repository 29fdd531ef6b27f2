package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/features"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

// Model says what network is trained, and how. Its tags name the flags.
type Model struct {
	Beta         float64 `flag:"beta" range:"[0,inf)" help:"weight of the KL term; 1 is the evidence lower bound with the gaussian likelihood"`
	Latent       int     `flag:"latent" range:"[1,1024]" unit:"dimensions" help:"size of the latent space"`
	Hidden       []int   `flag:"hidden" range:"[1,65536]" unit:"widths" help:"hidden layers of the encoder; the decoder mirrors them"`
	Likelihood   string  `flag:"likelihood" choice:"gaussian|gaussian-sigma|gaussian-learned|dirichlet|logistic-normal|mse-sum" help:"reconstruction term: gaussian with the training weights' variance; with one variance learned, or one by asset (take beta 1); a Dirichlet around the decoded weights, or which weights are above 0 and the log ratios of those (both with the softmax head); the raw sum of squares"`
	Head         string  `flag:"head" choice:"softmax|sparsemax|capped|linear" help:"how the decoder makes weights: softmax is never 0; capped is the exact projection onto weights from 0 to the largest allowed, and so makes exact zeros; sparsemax is capped at 1; linear is any number, for short positions"`
	HeadCap      float64 `flag:"head-cap" range:"[0,1]" help:"largest weight of the capped head; 0: that of the constraints"`
	Activation   string  `flag:"activation" choice:"silu|relu|tanh" help:"of the hidden layers"`
	Steps        int     `flag:"steps" range:"[1,inf)" unit:"steps" help:"gradient steps"`
	Batch        int     `flag:"batch" range:"[1,inf)" unit:"rows" help:"training rows a step"`
	LearningRate float64 `flag:"learning-rate" range:"(0,inf)" help:"Adam's, at the first step; it decays to 0 by a cosine"`
	Warmup       float64 `flag:"warmup" range:"[0,1]" unit:"share" help:"part of the steps in which beta rises from 0"`
	Cycles       int     `flag:"cycles" range:"[0,inf)" unit:"times" help:"repeat the warm-up in as many equal parts of the training; 0 and 1: once"`
	FreeBits     float64 `flag:"free-bits" range:"[0,inf)" unit:"nats" help:"KL of a latent dimension that costs nothing"`
	TargetRate   float64 `flag:"target-rate" range:"[0,inf)" unit:"nats" help:"KL of a portfolio that beta is adapted to reach, from -beta on; 0 leaves beta alone"`
	Patience     int     `flag:"patience" range:"[0,inf)" unit:"evaluations" help:"stop after so many without a better validation loss; 0 trains to the end"`
}

// DefaultModel is the network and schedule that package vae recommends, with the
// capped head: on the mixed training sets it reconstructs better than softmax,
// makes the exact zeros that optimised portfolios have, needs no repair under a
// cap, and lets the latent search come closer to the convex bound.
func DefaultModel() Model {
	c, s := vae.DefaultConfig(2), vae.DefaultSchedule()
	return Model{
		Beta: c.Beta, Latent: c.Latent, Hidden: c.Hidden, Likelihood: c.Likelihood, Head: "capped", Activation: c.Activation,
		Steps: s.Steps, Batch: s.Batch, LearningRate: s.LearningRate, Warmup: s.Warmup, Patience: s.Patience,
	}
}

// Quick makes the training short enough for a look.
func (m *Model) Quick() { m.Steps = 2500 }

// Within lets the capped head, where its own cap isn't given, allow what a set
// allows.
func (m Model) Within(set simplex.Set) Model {
	if m.HeadCap == 0 && set.Upper != nil {
		m.HeadCap = min(1, slices.Max(set.Upper))
	}
	return m
}

// Config returns the configuration of a model over n assets, or an error that
// names what makes no sense.
func (m Model) Config(n int, seed uint64) (vae.Config, vae.Schedule, error) {
	c, s := vae.DefaultConfig(n), vae.DefaultSchedule()
	c.Beta, c.Latent, c.Hidden, c.Likelihood, c.Head, c.Activation = m.Beta, m.Latent, m.Hidden, m.Likelihood, m.Head, m.Activation
	c.FreeBits, c.TargetRate, c.Seed = m.FreeBits, m.TargetRate, seed
	if c.Head == "capped" {
		c.MaxWeight = 1
		if m.HeadCap > 0 {
			c.MaxWeight = m.HeadCap
		}
	}
	s.Steps, s.Batch, s.LearningRate, s.Warmup, s.Cycles, s.Patience = m.Steps, m.Batch, m.LearningRate, m.Warmup, m.Cycles, m.Patience
	s.EvalEvery = max(1, m.Steps/50)
	if err := c.Validate(); err != nil {
		return c, s, err
	}
	return c, s, s.Validate()
}

// Corpus says what training set is made. Its tags name the flags.
type Corpus struct {
	Source     string  `flag:"source" choice:"mixed|dirichlet|optimized|risk-parity|bootstrap" help:"where training portfolios come from"`
	Alpha      float64 `flag:"alpha" range:"[0,1e6]" help:"concentration of all Dirichlet rows; 0 varies it"`
	Rows       int     `flag:"n" range:"[2,inf)" unit:"portfolios" help:"size of the training set, held-out rows included"`
	Lookbacks  []int   `flag:"lookbacks" range:"[2,inf)" unit:"periods" help:"lengths of the rolling windows"`
	Step       int     `flag:"window-step" range:"[1,inf)" unit:"periods" help:"between the ends of two rolling windows"`
	Validation float64 `flag:"validation" range:"[0,0.9]" unit:"share" help:"last part of the time whose windows are held out"`
	Measured   string  `flag:"measured" choice:"training|rolling" help:"returns over which the conditions of risk and return are measured: all before the held-out part, so that they are functions of the weights, or each row's own rolling window"`
}

// DefaultCorpus is the training set of package corpus's defaults.
func DefaultCorpus() Corpus {
	c := corpus.DefaultConfig()
	return Corpus{Source: c.Source, Rows: c.N, Lookbacks: c.Lookbacks, Step: c.Step, Validation: c.Validation, Measured: c.Measured}
}

// Config returns the configuration of the corpus.
func (c Corpus) Config(seed uint64, periodsPerYear float64) corpus.Config {
	config := corpus.Config{
		Source: c.Source, Alpha: c.Alpha, N: c.Rows, Seed: seed, Lookbacks: c.Lookbacks, Step: c.Step,
		Validation: c.Validation, Measured: c.Measured, PeriodsPerYear: periodsPerYear,
	}
	if c.Validation == 0 {
		config.Validation = -1 // none, where 0 would mean the default
	}
	return config
}

// Market says which conditions of the market the rows of a training set carry.
// Its tags name the flags.
type Market struct {
	Market bool     `flag:"market-conditions" help:"conditions of the market at the end of each row's window: volatility index, trend, momentum, dispersion, drawdown, regime, all of them only where every one of -lookbacks is at least 60; -market-conditions=false: none"`
	Series string   `flag:"series" unit:"NAME=FILE" help:"volatility index of the market conditions: a CSV with timestamp or date and one column of values, such as DVOL=dvol.csv; without it EWMA(0.94) volatility of the equal-weight basket"`
	Assets []string `flag:"asset-conditions" unit:"FEATURES" help:"conditions of each asset at the end of each row's window: mean, volatility or momentum over so many periods, such as momentum.60,volatility.20"`
}

// DefaultMarket is all that is market-wide.
func DefaultMarket() Market { return Market{Market: true} }

// Check returns an error for a flag that can't be read.
func (m *Market) Check() error {
	for _, name := range m.Assets {
		if _, _, err := corpus.ParseAssetFeature(name); err != nil {
			return err
		}
	}
	name, file, ok := strings.Cut(m.Series, "=")
	switch {
	case m.Series == "":
	case !ok || name == "" || file == "":
		return fmt.Errorf("series %q: want NAME=FILE, such as DVOL=dvol.csv", m.Series)
	case !m.Market:
		return errors.New("a series is for the conditions of the market: leave out -market-conditions=false")
	}
	return nil
}

// Add reads the series and adds the conditions to the configuration of a
// corpus.
func (m *Market) Add(config *corpus.Config) error {
	config.Market, config.Assets = m.Market, m.Assets
	if m.Series == "" {
		return nil
	}
	name, file, _ := strings.Cut(m.Series, "=")
	var err error
	config.Index, err = features.ReadSeries(file, features.SeriesOptions{Name: name})
	return err
}

// Settings are those of the pipeline. Their tags name the flags.
type Settings struct {
	Split   float64 `flag:"split" range:"(0,1)" unit:"share" help:"part of the time before which everything is learned and chosen"`
	Embargo int     `flag:"embargo" range:"[-1,inf)" unit:"periods" help:"left out before the split; -1: the longest lookback"`

	Corpus
	Model

	Portfolios int  `flag:"portfolios" range:"[1,inf)" unit:"rows" help:"portfolios to generate and write"`
	Components int  `flag:"components" range:"[1,inf)" unit:"normals" help:"of the mixture fitted to the codes, from which portfolios are sampled"`
	TwoStage   bool `flag:"two-stage" help:"fit a second VAE to the codes too, and judge what it samples beside the mixture and the prior"`
	Starts     int  `flag:"starts" range:"[1,inf)" unit:"codes" help:"of the latent Sharpe optimisation, side by side"`
	Iterations int  `flag:"iterations" range:"[1,inf)" unit:"steps" help:"of the latent Sharpe optimisation"`
}

// DefaultSettings are the full pipeline's.
func DefaultSettings() Settings {
	return Settings{
		Split: 0.75, Embargo: -1, Corpus: DefaultCorpus(), Model: DefaultModel(),
		Portfolios: 5000, Components: 40, Starts: 64, Iterations: 100,
	}
}

// Quick makes the pipeline short enough for a look.
func (s *Settings) Quick() {
	s.Model.Quick()
	s.Corpus.Rows = 6000
	s.Portfolios = 1000
	s.Components = 20
	s.Starts, s.Iterations = 32, 60
}

// check says which setting makes no sense.
func (s Settings) check() error {
	switch {
	case !(s.Split > 0 && s.Split < 1):
		return fmt.Errorf("split %v: it must lie between 0 and 1", s.Split)
	case s.Embargo < -1:
		return fmt.Errorf("embargo %d: it must be at least 0, or -1 for the longest lookback", s.Embargo)
	case s.Portfolios < 1:
		return fmt.Errorf("%d portfolios asked for: ask for at least 1", s.Portfolios)
	case s.Components < 1:
		return fmt.Errorf("a mixture of %d components: it needs at least 1", s.Components)
	case s.Starts < 1 || s.Iterations < 1:
		return fmt.Errorf("%d starts of %d iterations: both must be at least 1", s.Starts, s.Iterations)
	case float64(s.Starts)*float64(s.Iterations) > math.MaxInt32/4:
		return fmt.Errorf("%d starts of %d iterations are too many: at most %d in all", s.Starts, s.Iterations, math.MaxInt32/4)
	}
	return nil
}

// embargo returns the number of periods left out before the split.
func (s Settings) embargo(longest int) int {
	if s.Embargo < 0 {
		return longest
	}
	return s.Embargo
}
