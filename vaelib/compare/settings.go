package compare

import (
	"fmt"
	"math"

	"vaefolio/vaelib/inference"
)

// Settings say how tracks are compared. Their tags name the flags. Zero values
// take the defaults of [DefaultSettings], but for those whose help says what 0
// means.
type Settings struct {
	Blocks    int              `flag:"pbo" range:"[0,24]" unit:"S" help:"the even number of blocks of time for the probability of backtest overfitting among all tracks, such as 16; 0 leaves it out"`
	Against   string           `flag:"against" unit:"NAME" help:"the track that the test over all the others is against, such as a benchmark; without it the first; where it is named, each of the others has its tracking error, information ratio, beta and the like"`
	Trials    int              `flag:"trials" range:"[0,inf)" help:"the number of trials that were looked at in all, for the deflated Sharpe ratio, where it is larger than the number of different tracks in the files and in -trial-log"`
	Kernel    inference.Kernel `flag:"kernel" choice:"parzen|quadratic-spectral|bartlett|none" help:"the kernel of the Ledoit-Wolf test of two Sharpe ratios; none takes periods for independent"`
	Bandwidth float64          `flag:"bandwidth" range:"[0,inf)" unit:"periods" only:"kernel!=none" help:"the bandwidth of the kernel, which for bartlett with L lags is L+1; 0 takes that of Andrews 1991"`
	Prewhiten bool             `flag:"prewhiten" help:"prewhiten the Ledoit-Wolf test by an autoregression"`
	Resamples int              `flag:"resamples" range:"[100,1000000]" help:"the number of resamples of the bootstrap intervals"`
	Block     float64          `flag:"block" range:"[0,inf)" unit:"periods" help:"the mean length of the bootstrap's blocks; 0 takes that of Politis and White, the longest of all tracks' returns and their squares"`
	Circular  bool             `flag:"circular" help:"resample by blocks of one fixed length instead of the stationary bootstrap's geometric ones"`
	Level     float64          `flag:"level" range:"(0,1)" help:"the confidence level of VaR and CVaR"`
	VaRWindow int              `flag:"var-window" range:"[20,inf)" unit:"periods" help:"the number of past periods from which each period's VaR is forecast, for the tests of its coverage"`
	Seed      uint64
}

// DefaultSettings are those of the verb.
func DefaultSettings() Settings {
	return Settings{Kernel: inference.Parzen, Resamples: inference.Resamples, Level: 0.95, VaRWindow: 250, Seed: 1}
}

// EnsureDefaults gives the fields that are zero their defaults.
func (s *Settings) EnsureDefaults() {
	d := DefaultSettings()
	if s.Kernel == "" {
		s.Kernel = d.Kernel
	}
	if s.Resamples == 0 {
		s.Resamples = d.Resamples
	}
	if s.Level == 0 {
		s.Level = d.Level
	}
	if s.VaRWindow == 0 {
		s.VaRWindow = d.VaRWindow
	}
}

// Validate returns an error for the first setting that makes no sense.
func (s *Settings) Validate() error {
	if s.Blocks != 0 && (s.Blocks < 2 || s.Blocks > 24 || s.Blocks%2 != 0) {
		return fmt.Errorf("-pbo %d: choose an even number of blocks from 2 to 24, such as 16", s.Blocks)
	}
	if s.Block != 0 && !(s.Block >= 1) || math.IsInf(s.Block, 0) {
		return fmt.Errorf("-block %v: a mean length of at least 1 period is wanted", s.Block)
	}
	return nil
}
