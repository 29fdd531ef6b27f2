package experiment

import (
	"fmt"
	"math"
	"slices"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// QuickSteps are those of a training short enough for a look.
const QuickSteps = 2500

// within lets the capped head, where its own largest weight isn't given, allow
// what a set allows.
func within(set simplex.Set, c vae.Config) vae.Config {
	if c.Head == "capped" && c.MaxWeight == 0 && set.Upper != nil {
		c.MaxWeight = min(1, slices.Max(set.Upper))
	}
	return c
}

// Settings are those of the pipeline. Their tags name the flags. The assets of
// the model, the seeds and the periods per year come from [Input].
type Settings struct {
	Split   float64 `flag:"split" range:"(0,1)" unit:"share" help:"the first part of the time, from which everything is learned and chosen"`
	Embargo int     `flag:"embargo" range:"[-1,inf)" help:"the number of periods left out before the split; -1 means the longest lookback"`

	Corpus   corpus.Config `title:"Training set"`
	Model    vae.Config    `title:"Model"`
	Schedule vae.Schedule  `title:"Training"`

	Portfolios int  `flag:"portfolios" range:"[1,10000000]" help:"the number of portfolios to generate and write"`
	Components int  `flag:"components" range:"[1,inf)" auto:"true" help:"the number of normals in the mixture fitted to the codes, from which portfolios are sampled; auto takes 40, and of codes of more than 12 dimensions 400 without correlations"`
	TwoStage   bool `flag:"two-stage" help:"fit a second VAE to the codes too, and judge its samples beside those of the mixture and of the prior"`
	Starts     int  `flag:"starts" range:"[1,inf)" help:"the number of codes from which the latent Sharpe search climbs side by side"`
	Iterations int  `flag:"iterations" range:"[1,inf)" help:"the number of steps of the latent Sharpe search"`
	generate.PriorWeight
}

// DefaultSettings are the full pipeline's.
func DefaultSettings() Settings {
	model := trained.DefaultSettings()
	return Settings{
		Split: 0.75, Embargo: -1, Corpus: corpus.DefaultConfig(), Model: model.Config, Schedule: model.Schedule,
		Portfolios: 5000, Components: model.Components, Starts: 64, Iterations: 100,
	}
}

// Quick makes the pipeline short enough for a look.
func (s *Settings) Quick() {
	s.Schedule.Steps = QuickSteps
	s.Corpus.N = 6000
	s.Portfolios = 1000
	s.Starts, s.Iterations = 32, 60
}

// Validate returns an error that names the first of the pipeline's own settings
// that makes no sense.
func (s Settings) Validate() error {
	switch {
	case !(s.Split > 0 && s.Split < 1):
		return fmt.Errorf("split %v: it must lie between 0 and 1", s.Split)
	case s.Embargo < -1:
		return fmt.Errorf("embargo %d: it must be at least 0, or -1 for the longest lookback", s.Embargo)
	case s.Portfolios < 1:
		return fmt.Errorf("%d portfolios asked for: ask for at least 1", s.Portfolios)
	case s.Components < 0:
		return fmt.Errorf("a mixture of %d components: it needs at least 1, or 0 for as many as the codes ask for",
			s.Components)
	case s.Starts < 1 || s.Iterations < 1:
		return fmt.Errorf("%d starts of %d iterations: both must be at least 1", s.Starts, s.Iterations)
	case !(s.PriorWeight.PriorWeight >= 0):
		return fmt.Errorf("a weight of %v on |z|^2: it must be at least 0", s.PriorWeight.PriorWeight)
	case float64(s.Starts)*float64(s.Iterations) > math.MaxInt32/4:
		return fmt.Errorf("%d starts of %d iterations are too many: at most %d in all", s.Starts, s.Iterations,
			math.MaxInt32/4)
	}
	return nil
}

// corpus is the configuration of the training set made from an input.
func (s Settings) corpus(in *Input) corpus.Config {
	c := s.Corpus
	c.Seed, c.PeriodsPerYear = in.Seed, in.Metrics.PeriodsPerYear
	return c
}

// embargo is the number of periods left out before the split.
func (s Settings) embargo() int {
	if s.Embargo < 0 {
		return s.Corpus.LongestLookback()
	}
	return s.Embargo
}
