package vae

import (
	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/onnx"
)

// head turns the decoder's last linear layer into a portfolio.
type head struct {
	// apply maps the last layer's output (n x B, where a likelihood has presence
	// and the head is positive 2n x B) to weights (n x B).
	apply func(c Config, y *graph.Node) *graph.Node
	// write is apply in ONNX, where rows are rows.
	write func(c Config, g *onnx.Graph, y onnx.Value) onnx.Value
	// bias is the last layer's first bias (n): the output that gives the mean
	// of the training rows.
	bias func(mean []float64) []float64
	// scale multiplies the last layer's first weights, in units of the head's
	// input that fit a spread of sqrt(variance) in the weights.
	scale func(mean []float64, variance float64) float64
	// finish takes float32's rounding out of a decoded portfolio: in float64 its
	// sum is 1 to the last digits, and weights at a bound are at the bound. A
	// projection that follows then has nothing to spread over the exact zeros.
	// nil: the head makes no portfolio.
	finish func(c Config, w []float64)
	// longOnly heads make weights of at least 0 that sum to 1, and learn from
	// such rows only.
	longOnly bool
	// positive heads make weights above 0, but of those that are not present.
	positive bool
	capped   bool // the head keeps the configuration's MaxWeight, which it needs
}

// LongOnly says whether the model's portfolios have no weights below 0, whatever
// their codes.
func (m *Model) LongOnly() bool { return heads[m.config.Head].longOnly }
