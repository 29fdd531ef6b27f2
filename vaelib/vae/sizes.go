package vae

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// What the rule of [Linear.Sizes] is made of. docs/sizes.md has the experiments.
const (
	keptShare    = 0.85 // of the variance that survives beta, in the latent dimensions
	usualLatent  = 8    // dimensions that there are at least, where as many survive
	perLatent    = 3    // assets that share a dimension at most, likewise
	mostLatent   = 192  // chosen; more can be given
	leastWidth   = 64   // of the first hidden layer
	mostWidth    = 1024
	widthByAsset = 2.5
	usualBeta    = 0.1 // where a likelihood's own beta is no threshold's
)

// Sizes chooses what a configuration and a schedule leave open: Latent 0, Hidden
// nil, Steps 0, Batch 0 and LearningRate 0. It returns both, complete, and a
// sentence that says what was chosen and why; "" where nothing was left open.
//
// Latent is the number of directions that keep 85 % of the variance that
// survives beta in a linear model, at least 8 and a third of the assets, and at most
// the number of directions whose thresholds exceed beta: dimensions beyond those
// would die. Two directions
// are left to the decoder's noise, as a linear model without any has no likelihood.
// Hidden are two layers, the first 2.5 times as wide as there are assets, rounded up
// to 32, and of 64 to 1,024; the second is half as wide. The learning rate falls
// with the square root of the width, from 3e-3 at 64. Given conditions, directions
// are those of the covariance given them.
//
// A likelihood that learns its variance, one of other coordinates than weights and
// a target rate have a beta that can't be compared with thresholds: they get what
// beta 0.1 would.
func (l *Linear) Sizes(c Config, s Schedule) (Config, Schedule, string) {
	var said []string
	beta := l.comparable(c)
	if c.Latent == 0 {
		var reason string
		c.Latent, reason = l.latent(beta)
		plural := "s"
		if c.Latent == 1 {
			plural = ""
		}
		said = append(said, fmt.Sprintf("%d latent dimension%s, %s", c.Latent, plural, reason))
	}
	width := leastWidth
	if c.Hidden == nil {
		const unit = 32
		width = unit * int(math.Ceil(widthByAsset*float64(len(l.values))/unit))
		width = min(max(width, leastWidth), mostWidth)
		c.Hidden = []int{width, width / 2}
		said = append(said, fmt.Sprintf("hidden layers of %d and %d for %d assets", width, width/2, len(l.values)))
	} else if len(c.Hidden) > 0 {
		width = max(leastWidth, slices.Max(c.Hidden))
	}
	if s.LearningRate == 0 {
		s.LearningRate = DefaultSchedule().LearningRate * math.Sqrt(leastWidth/float64(width))
		s.LearningRate = math.Round(s.LearningRate*1e4) / 1e4
		said = append(said, fmt.Sprintf("a learning rate of %v for that width", s.LearningRate))
	}
	if s.Steps == 0 {
		s.Steps = DefaultSchedule().Steps
		said = append(said, fmt.Sprintf("%d steps", s.Steps))
	}
	if s.Batch == 0 {
		s.Batch = DefaultSchedule().Batch
		said = append(said, fmt.Sprintf("batches of %d", s.Batch))
	}
	return c, s, strings.Join(said, "; ")
}

// comparable is a configuration's beta in the unit of thresholds.
func (l *Linear) comparable(c Config) float64 {
	likelihood := likelihoods[c.Likelihood]
	if c.TargetRate > 0 || !likelihood.gaussian || likelihood.parameters != nil {
		return usualBeta
	}
	c.Assets = len(l.values)
	return stat.Mean(likelihood.noise(c, l.scaling, nil), nil) / l.scaling.variance
}

// latent chooses the dimensions, and says why.
func (l *Linear) latent(beta float64) (d int, reason string) {
	thresholds := l.Thresholds()
	n := len(thresholds)
	alive := 0
	for alive < n && thresholds[alive] > beta {
		alive++
	}
	if alive == 0 {
		return 1, fmt.Sprintf("as no direction of the training rows survives beta %.3g", beta)
	}
	all := l.Kept(n, beta)
	for d < alive && l.Kept(d, beta) < keptShare*all {
		d++
	}
	d = max(d, usualLatent, (n+perLatent-1)/perLatent)
	d = max(1, min(d, alive, n-2, mostLatent))
	return d, fmt.Sprintf("for %.0f %% of the variance that survives beta %.3g in %d of %d directions",
		100*l.Kept(d, beta)/all, beta, alive, n)
}
