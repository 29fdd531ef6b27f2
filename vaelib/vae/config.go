package vae

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config says what is learned: the network and its loss. [DefaultConfig] gives
// a good start; zeros are not replaced by defaults.
type Config struct {
	Assets int   `json:"assets"` // n, the width of a portfolio
	Latent int   `json:"latent"` // d, the dimension of z
	Hidden []int `json:"hidden"` // widths of the encoder's hidden layers; the decoder mirrors them. Empty: a linear encoder and decoder
	// Beta weighs the KL term. With the Gaussian likelihood it has no unit and
	// 1 is the evidence lower bound; with mse-sum its unit is squared weight
	// (see [Model.Beta]).
	Beta float64 `json:"beta"`
	// Likelihood is "gaussian" (variance of the training rows),
	// "gaussian-learned" (variances learned by asset; take Beta 1) or "mse-sum".
	Likelihood string `json:"likelihood"`
	// Head makes a portfolio of the decoder's last layer: "softmax" (positive
	// weights), "sparsemax" (weights of at least 0), "capped" (weights from 0 to
	// MaxWeight), each of sum 1, or "linear" (any real vector).
	Head       string  `json:"head"`
	MaxWeight  float64 `json:"max_weight,omitempty"` // of the capped head, 1/n to 1; 0 with any other
	Activation string  `json:"activation"`           // of the hidden layers: "silu", "relu" or "tanh"
	Seed       uint64  `json:"seed"`                 // of the first parameters, the batches and the noise
}

// DefaultConfig returns the configuration that did best on mixed sets of
// portfolios of 12 assets.
func DefaultConfig(assets int) Config {
	return Config{
		Assets: assets, Latent: 8, Hidden: []int{64, 32}, Beta: 0.1,
		Likelihood: "gaussian", Head: "softmax", Activation: "silu", Seed: 1,
	}
}

// The largest sizes accepted: beyond them a configuration is a typing mistake
// or a damaged file.
const (
	maxWidth      = 1 << 16
	maxLayers     = 64
	maxParameters = 1 << 28
	maxSteps      = 1 << 30
	maxBatch      = 1 << 20
)

// Validate returns an error that names the first field that makes no sense.
func (c Config) Validate() error {
	if c.Assets < 2 || c.Assets > maxWidth {
		return fmt.Errorf("assets is %d, want 2 to %d", c.Assets, maxWidth)
	}
	if c.Latent < 1 || c.Latent > maxWidth {
		return fmt.Errorf("latent is %d, want 1 to %d", c.Latent, maxWidth)
	}
	if len(c.Hidden) > maxLayers {
		return fmt.Errorf("hidden has %d layers, want at most %d", len(c.Hidden), maxLayers)
	}
	for i, width := range c.Hidden {
		if width < 1 || width > maxWidth {
			return fmt.Errorf("hidden layer %d has width %d, want 1 to %d", i+1, width, maxWidth)
		}
	}
	if size := newNetwork(c).size; size > maxParameters {
		return fmt.Errorf("the network has %d parameters, want at most %d: lower hidden", size, maxParameters)
	}
	if !(c.Beta >= 0) || math.IsInf(c.Beta, 0) {
		return fmt.Errorf("beta is %v, want a number of at least 0", c.Beta)
	}
	if err := checkChoice("likelihood", c.Likelihood, likelihoods); err != nil {
		return err
	}
	if err := checkChoice("head", c.Head, heads); err != nil {
		return err
	}
	switch {
	case c.Head != "capped" && c.MaxWeight != 0:
		return fmt.Errorf("max weight is %v with the %s head: only the capped head keeps one", c.MaxWeight, c.Head)
	case c.Head == "capped" && !(c.MaxWeight > 0 && c.MaxWeight <= 1):
		return fmt.Errorf("max weight is %v, want more than 0 and at most 1", c.MaxWeight)
	case c.Head == "capped" && float64(c.Assets)*c.MaxWeight < 1-1e-12:
		return fmt.Errorf("max weight is %v: %d assets can't reach a sum of 1, want at least %.4g", c.MaxWeight, c.Assets, 1/float64(c.Assets))
	}
	return checkChoice("activation", c.Activation, activations)
}

// checkChoice returns an error unless name is a key of choices.
func checkChoice[T any](field, name string, choices map[string]T) error {
	if _, ok := choices[name]; ok {
		return nil
	}
	names := make([]string, 0, len(choices))
	for n := range choices {
		names = append(names, n)
	}
	slices.Sort(names)
	return fmt.Errorf("%s is %q, want one of %s", field, name, strings.Join(names, ", "))
}

// Schedule says how long and how fast to learn. [DefaultSchedule] gives a good
// start; zeros are not replaced by defaults.
type Schedule struct {
	Steps        int     `json:"steps"`         // gradient steps
	Batch        int     `json:"batch"`         // rows a step, drawn with replacement
	LearningRate float64 `json:"learning_rate"` // of Adam at the first step; it decays by a half cosine to 0 at the last
	// Warmup is the share of the steps in which the KL weight rises linearly
	// from 0 to beta. Without it a cold start near a collapse threshold can die
	// although the data could keep the direction alive.
	Warmup    float64 `json:"warmup"`
	EvalEvery int     `json:"eval_every"` // steps between evaluations, each one row of the history
	// Patience is how many evaluations without a smaller validation loss end
	// the training. 0 trains to the end. With patience the returned model is
	// that of the smallest validation loss, otherwise that of the last step.
	Patience int `json:"patience"`
}

// DefaultSchedule returns the schedule that goes with [DefaultConfig].
func DefaultSchedule() Schedule {
	return Schedule{Steps: 10_000, Batch: 128, LearningRate: 3e-3, Warmup: 0.2, EvalEvery: 500}
}

// Validate returns an error that names the first field that makes no sense.
func (s Schedule) Validate() error {
	if s.Steps < 1 || s.Steps > maxSteps {
		return fmt.Errorf("steps is %d, want 1 to %d", s.Steps, maxSteps)
	}
	if s.Batch < 1 || s.Batch > maxBatch {
		return fmt.Errorf("batch is %d, want 1 to %d", s.Batch, maxBatch)
	}
	if !(s.LearningRate > 0) || math.IsInf(s.LearningRate, 0) {
		return fmt.Errorf("learning rate is %v, want a number above 0", s.LearningRate)
	}
	if !(s.Warmup >= 0 && s.Warmup <= 1) {
		return fmt.Errorf("warm-up is %v, want a share from 0 to 1", s.Warmup)
	}
	if s.EvalEvery < 1 {
		return fmt.Errorf("steps between evaluations is %d, want at least 1", s.EvalEvery)
	}
	if s.Patience < 0 {
		return fmt.Errorf("patience is %d, want at least 0", s.Patience)
	}
	return nil
}
