package vae

import (
	"errors"
	"fmt"
	"math"

	"vaefolio/vaelib/universe"
)

// SetConfig says what a model over sets of assets learns. [DefaultSetConfig]
// gives a good start.
type SetConfig struct {
	Latent int     `json:"latent"` // d, the dimension of z
	Width  int     `json:"width"`  // H, the features of an asset inside the network; a multiple of Heads
	Heads  int     `json:"heads"`  // of the attention
	Blocks int     `json:"blocks"` // of attention in the encoder, and as many in the decoder
	Beta   float64 `json:"beta"`   // weighs the KL term, as in [Config] with the Gaussian likelihood
	Seed   uint64  `json:"seed"`   // of the first parameters, the batches and the noise
	// Objective is what is learned: "" the portfolios of each universe, as a VAE, or
	// [TrueSharpe], for which Latent and Beta are 0.
	Objective string `json:"objective,omitempty"`
	// Conditional networks are told what portfolios are asked to have, too (see
	// [universe.Asked]), and how far portfolios lie from what is decoded.
	Conditional bool `json:"conditional,omitempty"`
}

// features and facts are how much the network is told of an asset, and of a universe.
func (c SetConfig) features() int {
	if c.Conditional {
		return universe.Features + universe.AskedFeatures
	}
	return universe.Features
}

func (c SetConfig) facts() int {
	if c.Conditional {
		return universe.Facts + universe.AskedFacts
	}
	return universe.Facts
}

// TrueSharpe is the objective of a learnt rule: the decoder alone, at one code,
// gives each universe the weights whose true Sharpe ratio is as large as can be.
// It learns from simulated markets, whose truth is known.
const TrueSharpe = "true-sharpe"

// rule says whether the network is a learnt rule.
func (c SetConfig) rule() bool { return c.Objective == TrueSharpe }

// DefaultSetConfig returns the configuration that the built-in model began with; it was told
// what is asked besides, in a second training.
func DefaultSetConfig() SetConfig {
	return SetConfig{Latent: 24, Width: 32, Heads: 4, Blocks: 2, Beta: 0.005, Seed: 1}
}

// DefaultRuleConfig returns the configuration of the built-in rule.
func DefaultRuleConfig() SetConfig {
	return SetConfig{Width: 32, Heads: 4, Blocks: 2, Seed: 1, Objective: TrueSharpe}
}

// DefaultRuleSchedule returns the schedule that goes with [DefaultRuleConfig]. A
// batch counts universes.
func DefaultRuleSchedule() Schedule {
	return Schedule{Steps: 6000, Batch: 64, LearningRate: 1e-3}
}

// DefaultSetSchedule returns the schedule that goes with [DefaultSetConfig].
func DefaultSetSchedule() Schedule {
	return Schedule{Steps: 2000, Batch: 128, LearningRate: 2e-3, Warmup: 0.2}
}

// Validate returns an error that names the first field that makes no sense.
func (c SetConfig) Validate() error {
	switch {
	case c.Objective != "" && !c.rule():
		return fmt.Errorf("objective is %q, want none or %s", c.Objective, TrueSharpe)
	case c.rule() && c.Conditional:
		return errors.New("a learnt rule makes one portfolio of a universe: none can be asked for")
	case c.rule() && (c.Latent != 0 || c.Beta != 0):
		return fmt.Errorf("latent is %d and beta %v: a learnt rule has neither", c.Latent, c.Beta)
	}
	least := 1 // of latent
	if c.rule() {
		least = 0
	}
	for _, f := range []struct {
		name               string
		value, bottom, top int
	}{
		{"latent", c.Latent, least, 1024}, {"width", c.Width, 1, 4096}, {"heads", c.Heads, 1, c.Width},
		{"blocks", c.Blocks, 1, 32},
	} {
		if f.value < f.bottom || f.value > f.top {
			return fmt.Errorf("%s is %d, want %d to %d", f.name, f.value, f.bottom, f.top)
		}
	}
	if c.Width%c.Heads != 0 {
		return fmt.Errorf("a width of %d features for %d heads: want a multiple", c.Width, c.Heads)
	}
	if !(c.Beta >= 0) || math.IsInf(c.Beta, 0) {
		return fmt.Errorf("beta is %v, want a number of at least 0", c.Beta)
	}
	return nil
}
