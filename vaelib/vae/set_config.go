package vae

import (
	"fmt"
	"math"
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
}

// DefaultSetConfig returns the configuration of the built-in model.
func DefaultSetConfig() SetConfig {
	return SetConfig{Latent: 12, Width: 32, Heads: 4, Blocks: 2, Beta: 0.1, Seed: 1}
}

// DefaultSetSchedule returns the schedule that goes with [DefaultSetConfig].
func DefaultSetSchedule() Schedule {
	return Schedule{Steps: 4000, Batch: 128, LearningRate: 1e-3, Warmup: 0.2}
}

// Validate returns an error that names the first field that makes no sense.
func (c SetConfig) Validate() error {
	for _, f := range []struct {
		name       string
		value, top int
	}{{"latent", c.Latent, 1024}, {"width", c.Width, 4096}, {"heads", c.Heads, c.Width}, {"blocks", c.Blocks, 32}} {
		if f.value < 1 || f.value > f.top {
			return fmt.Errorf("%s is %d, want 1 to %d", f.name, f.value, f.top)
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
