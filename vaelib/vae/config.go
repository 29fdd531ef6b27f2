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
	Assets int `json:"assets"` // n, the width of a portfolio
	// Latent is d, the dimension of z.
	Latent int `json:"latent" flag:"latent" after:"beta" range:"[1,1024]" unit:"dimensions" help:"size of the latent space"`
	// Hidden are the widths of the encoder's hidden layers; the decoder mirrors
	// them. Empty: a linear encoder and decoder.
	Hidden []int `json:"hidden" flag:"hidden" after:"latent" range:"[1,65536]" unit:"widths" help:"hidden layers of the encoder; the decoder mirrors them"`
	// Beta weighs the KL term. With the Gaussian likelihood it has no unit and
	// 1 is the evidence lower bound; with mse-sum its unit is squared weight
	// (see [Model.Beta]).
	Beta float64 `json:"beta" flag:"beta" range:"[0,inf)" help:"weight of the KL term; 1 is the evidence lower bound with the gaussian likelihood"`
	// Likelihood is "gaussian" (variance of the training rows), "gaussian-sigma"
	// and "gaussian-learned" (one variance learned, or one by asset; take Beta 1),
	// "dirichlet", "logistic-normal" (presence and proportions; both with the
	// softmax head) or "mse-sum".
	Likelihood string `json:"likelihood" flag:"likelihood" choice:"gaussian|gaussian-sigma|gaussian-learned|dirichlet|logistic-normal|mse-sum" help:"reconstruction term: gaussian with the training weights' variance; with one variance learned, or one by asset (take beta 1); a Dirichlet around the decoded weights, or which weights are above 0 and the log ratios of those (both with the softmax head); the raw sum of squares"`
	// Head makes a portfolio of the decoder's last layer: "softmax" (positive
	// weights), "sparsemax" (weights of at least 0), "capped" (weights from 0 to
	// MaxWeight), each of sum 1, or "linear" (any real vector).
	Head string `json:"head" flag:"head" choice:"softmax|sparsemax|capped|linear" help:"how the decoder makes weights: softmax is never 0; capped is the exact projection onto weights from 0 to the largest allowed, and so makes exact zeros; sparsemax is capped at 1; linear is any number, for short positions"`
	// MaxWeight is the largest weight of the capped head, 1/n to 1; 0 with any
	// other.
	MaxWeight float64 `json:"max_weight,omitempty" flag:"head-cap" range:"[0,1]" help:"largest weight of the capped head; 0: that of the constraints"`
	// Activation is that of the hidden layers: "silu", "relu" or "tanh".
	Activation string `json:"activation" flag:"activation" choice:"silu|relu|tanh" help:"of the hidden layers"`
	// FreeBits is the KL in nats below which a latent dimension, by its mean over
	// the batch, costs nothing more (Kingma et al. 2016); 0: none is free.
	FreeBits float64 `json:"free_bits,omitempty" flag:"free-bits" after:"cycles" range:"[0,inf)" unit:"nats" help:"KL of a latent dimension that costs nothing"`
	// TargetRate is a KL in nats a row that training steers to by multiplying
	// Beta, as a Lagrange multiplier (after GECO, Rezende & Viola 2018, with the
	// rate constrained instead of the distortion); 0: beta stays. The model's
	// configuration then holds the beta that was reached.
	TargetRate float64 `json:"target_rate,omitempty" flag:"target-rate" after:"free-bits" range:"[0,inf)" unit:"nats" help:"KL of a portfolio that beta is adapted to reach, from -beta on; 0 leaves beta alone"`
	// Conditions make the model conditional. Control weighs how far portfolios
	// decoded from codes of the prior are from their conditions, squared, in
	// standard deviations: a loss beside the evidence lower bound, for those
	// conditions that have a measure.
	Conditions []Condition `json:"conditions,omitempty"`
	Control    float64     `json:"control,omitempty"`
	Seed       uint64      `json:"seed"` // of the first parameters, the batches and the noise
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
	if !(c.Beta >= 0) || math.IsInf(c.Beta, 0) {
		return fmt.Errorf("beta is %v, want a number of at least 0", c.Beta)
	}
	if err := checkChoice("likelihood", c.Likelihood, likelihoods); err != nil {
		return err
	}
	if err := checkChoice("head", c.Head, heads); err != nil {
		return err
	}
	if err := checkConditions(c.Conditions); err != nil {
		return err
	}
	switch want := likelihoods[c.Likelihood].head; {
	case want != "" && c.Head != want:
		return fmt.Errorf("the %s likelihood needs the %s head, not %s", c.Likelihood, want, c.Head)
	case !(c.FreeBits >= 0) || math.IsInf(c.FreeBits, 0):
		return fmt.Errorf("free bits are %v, want a number of nats of at least 0", c.FreeBits)
	case !(c.TargetRate >= 0) || math.IsInf(c.TargetRate, 0):
		return fmt.Errorf("target rate is %v, want a number of nats of at least 0", c.TargetRate)
	case c.TargetRate > 0 && !(c.Beta > 0):
		return fmt.Errorf("beta is %v with a target rate, which multiplies it: want a number above 0", c.Beta)
	case !(c.Control >= 0) || math.IsInf(c.Control, 0):
		return fmt.Errorf("control is %v, want a number of at least 0", c.Control)
	case c.Control > 0 && len(c.Conditions) == 0:
		return fmt.Errorf("control is %v in a model without conditions", c.Control)
	case c.Head != "capped" && c.MaxWeight != 0:
		return fmt.Errorf("max weight is %v with the %s head: only the capped head keeps one", c.MaxWeight, c.Head)
	case c.Head == "capped" && !(c.MaxWeight > 0 && c.MaxWeight <= 1):
		return fmt.Errorf("max weight is %v, want more than 0 and at most 1", c.MaxWeight)
	case c.Head == "capped" && float64(c.Assets)*c.MaxWeight < 1-1e-12:
		return fmt.Errorf("max weight is %v: %d assets can't reach a sum of 1, want at least %.4g", c.MaxWeight, c.Assets, 1/float64(c.Assets))
	}
	if err := checkChoice("activation", c.Activation, activations); err != nil {
		return err
	}
	if size := newNetwork(c).size; size > maxParameters {
		return fmt.Errorf("the network has %d parameters, want at most %d: lower hidden", size, maxParameters)
	}
	return nil
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
	// Steps is the number of gradient steps.
	Steps int `json:"steps" flag:"steps" range:"[1,inf)" unit:"steps" help:"gradient steps"`
	// Batch is the number of rows a step, drawn with replacement.
	Batch int `json:"batch" flag:"batch" range:"[1,inf)" unit:"rows" help:"training rows a step"`
	// LearningRate is that of Adam at the first step; it decays by a half cosine
	// to 0 at the last.
	LearningRate float64 `json:"learning_rate" flag:"learning-rate" range:"(0,inf)" help:"Adam's, at the first step; it decays to 0 by a cosine"`
	// Warmup is the share of the steps in which the KL weight rises linearly
	// from 0 to beta. Without it a cold start near a collapse threshold can die
	// although the data could keep the direction alive.
	Warmup float64 `json:"warmup" flag:"warmup" range:"[0,1]" unit:"share" help:"part of the steps in which beta rises from 0"`
	// Cycles, where above 1, repeats the warm-up in as many equal parts of the
	// training, each beginning at 0 again (cyclical annealing, Fu et al. 2019);
	// Warmup is then the share of each part. What a division leaves over goes to
	// the last.
	Cycles int `json:"cycles,omitempty" flag:"cycles" range:"[0,inf)" unit:"times" help:"repeat the warm-up in as many equal parts of the training; 0 and 1: once"`
	// EvalEvery is the number of steps between evaluations, each one row of the
	// history.
	EvalEvery int `json:"eval_every"`
	// Patience is how many evaluations without a smaller validation loss end
	// the training. 0 trains to the end. With patience the returned model is
	// that of the smallest validation loss, otherwise that of the last step.
	Patience int `json:"patience" flag:"patience" range:"[0,inf)" unit:"evaluations" help:"stop after so many without a better validation loss; 0 trains to the end"`
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
	if s.Cycles < 0 || s.Cycles > s.Steps {
		return fmt.Errorf("cycles of the warm-up are %d, want at least 0 and at most the %d steps", s.Cycles, s.Steps)
	}
	if s.Cycles > 1 && s.warmupSteps() < 2 {
		return fmt.Errorf("a cycle's warm-up, %v of its %v steps, is shorter than 2 steps: %d cycles repeat nothing", s.Warmup, s.period(), s.Cycles)
	}
	if s.EvalEvery < 1 {
		return fmt.Errorf("steps between evaluations is %d, want at least 1", s.EvalEvery)
	}
	if s.Patience < 0 {
		return fmt.Errorf("patience is %d, want at least 0", s.Patience)
	}
	return nil
}
