package vae

import (
	"fmt"
	"slices"
)

// Config says what is learned: the network and its loss. [DefaultConfig] gives
// a good start. Zeros mean what the fields say; see [Config.EnsureDefaults].
type Config struct {
	Assets int `json:"assets"` // n, the width of a portfolio
	// Latent is d, the dimension of z; 0 is for [Linear.Sizes] to choose.
	Latent int `json:"latent" flag:"latent" after:"beta" range:"[1,1024]" auto:"true" only:"!objective" help:"the number of dimensions of the latent space; auto takes as many as the spectrum of the training weights asks for at this beta"`
	// Hidden are the widths of the encoder's hidden layers; the decoder mirrors
	// them. Empty: a linear encoder and decoder, but nil is for [Linear.Sizes] to
	// choose.
	Hidden []int `json:"hidden" flag:"hidden" after:"latent" range:"[1,65536]" auto:"true" only:"!corpus" help:"the widths of the encoder's hidden layers, which the decoder mirrors; auto follows the number of assets"`
	// Beta weighs the KL term. With the Gaussian likelihood it has no unit and
	// 1 is the evidence lower bound; with mse-sum its unit is squared weight
	// (see [Model.Beta]).
	Beta float64 `json:"beta" flag:"beta" range:"[0,inf)" only:"!objective" help:"the weight of the KL term in the loss; 1 makes it the evidence lower bound with the gaussian likelihood"`
	// Likelihood is "gaussian" (variance of the training rows), "gaussian-sigma"
	// and "gaussian-learned" (one variance learned, or one by asset; take Beta 1),
	// "dirichlet", "logistic-normal" (presence and proportions; both with the
	// softmax head) or "mse-sum".
	Likelihood string `json:"likelihood" flag:"likelihood" only:"!corpus" help:"the reconstruction term of the loss: gaussian has the training weights' variance, gaussian-sigma learns one and gaussian-learned one an asset (take beta 1); dirichlet and logistic-normal need the softmax head"`
	// Head makes a portfolio of the decoder's last layer: "softmax" (positive
	// weights), "sparsemax" (weights of at least 0), "capped" (weights from 0 to
	// MaxWeight), each of sum 1, or "linear" (any real vector).
	Head string `json:"head" flag:"head" only:"!corpus" help:"how the decoder makes weights: softmax gives no zeros, capped and sparsemax give exact ones with and without a largest weight, and linear gives any number, for short positions"`
	// MaxWeight is the largest weight of the capped head, 1/n to 1; 0 stands for 1,
	// and is all that any other head takes.
	MaxWeight float64 `json:"max_weight,omitempty" flag:"head-cap" range:"[0,1]" only:"head=capped" help:"the largest weight of the capped head; 0 takes that of the constraints, or 1 without any"`
	// Activation is that of the hidden layers: "silu", "relu" or "tanh".
	Activation string `json:"activation" flag:"activation" only:"!corpus" help:"the activation function of the hidden layers"`
	// FreeBits is the KL in nats below which a latent dimension, by its mean over
	// the batch, costs nothing more (Kingma et al. 2016); 0: none is free.
	FreeBits float64 `json:"free_bits,omitempty" flag:"free-bits" after:"cycles" range:"[0,inf)" unit:"nats" only:"!corpus" help:"the KL of each latent dimension that costs nothing"`
	// TargetRate is a KL in nats a row that training steers to by multiplying
	// Beta, as a Lagrange multiplier (after GECO, Rezende & Viola 2018, with the
	// rate constrained instead of the distortion); 0: beta stays. The model's
	// configuration then holds the beta that was reached.
	TargetRate float64 `json:"target_rate,omitempty" flag:"target-rate" after:"free-bits" range:"[0,inf)" unit:"nats" only:"!corpus" help:"the KL of a portfolio that training reaches by adapting beta, from -beta on; 0 leaves beta alone"`
	// Conditions make the model conditional. Control weighs how far portfolios
	// decoded from codes of the prior are from their conditions, squared, in
	// standard deviations: a loss beside the evidence lower bound, for those
	// conditions that have a measure.
	Conditions []Condition `json:"conditions,omitempty"`
	Control    float64     `json:"control,omitempty"`
	Seed       uint64      `json:"seed"` // of the first parameters, the batches and the noise
}

// DefaultConfig returns the configuration that did best on mixed sets of
// portfolios of 12 assets. Its head is the capped one: there it reconstructs
// better than softmax, makes the exact zeros that optimised portfolios have, needs
// no repair under a cap, and lets a search of the latent space come closer to the
// convex bound.
func DefaultConfig(assets int) Config {
	return Config{
		Assets: assets, Latent: 8, Hidden: []int{64, 32}, Beta: 0.1,
		Likelihood: "gaussian", Head: "capped", Activation: "silu", Seed: 1,
	}
}

// EnsureDefaults gives the capped head, where it has no largest weight, that of
// 1. Every other zero has a meaning of its own.
func (c *Config) EnsureDefaults() {
	if c.Head == "capped" && c.MaxWeight == 0 {
		c.MaxWeight = 1
	}
}

// The largest sizes accepted: beyond them a configuration is a typing mistake
// or a damaged file.
const (
	maxWidth      = 1 << 16
	maxLayers     = 64
	maxParameters = 1 << 28
	maxSteps      = 1 << 30
	leastRate     = 1e-12
	maxBatch      = 1 << 20
)

// Levels returns the names of the levels of each categorical condition.
func (c Config) Levels() map[string][]string {
	levels := map[string][]string{}
	for _, condition := range c.Conditions {
		if condition.categorical() {
			levels[condition.Name] = slices.Clone(condition.Levels)
		}
	}
	return levels
}

// conditionWidth is the number K of inputs for all conditions.
func (c Config) conditionWidth() (width int) {
	for _, condition := range c.Conditions {
		width += condition.width()
	}
	return width
}

// shape names what decides a network's graphs.
func (c Config) shape() string {
	widths := make([]int, len(c.Conditions))
	for i, condition := range c.Conditions {
		widths[i] = condition.width()
	}
	return fmt.Sprint(c.Assets, c.Latent, c.Hidden, c.Likelihood, c.Head, c.MaxWeight, c.Activation, widths)
}
