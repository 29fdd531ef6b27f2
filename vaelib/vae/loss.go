package vae

import (
	"github.com/gomlx/gomlx/core/graph"
)

// batch is one batch's portfolios as the graph sees them.
type batch struct {
	rows     *graph.Node // (n+K) x B: (x - mean)/sqrt(variance), then the conditions
	mean     *graph.Node // n x 1: mean training row
	variance *graph.Node // scalar: the training rows' mean per-coordinate variance
	noise    *graph.Node // d x B: standard normal
	// Where there are controls, also the vector of their measures, and standard
	// normals for codes of the prior (d x B) and the slack of caps (caps x B).
	measures, prior, slack *graph.Node
}

// noises shares out the batch's random numbers (W x B).
func (t *tape) noises(b *batch, noise *graph.Node) {
	from := 0
	take := func(count int) *graph.Node {
		from += count
		return graph.Slice(noise, graph.AxisRange(from-count, from))
	}
	b.noise = take(t.network.config.Latent)
	if len(t.controls) == 0 {
		return
	}
	b.prior = take(t.network.config.Latent)
	if caps := countCaps(t.controls); caps > 0 {
		b.slack = take(caps)
	}
}

// losses are those of each row of a batch.
type losses struct {
	reconstruction *graph.Node // B
	kl             *graph.Node // d x B: each dimension's KL divergence
	control        *graph.Node // B: see controlLoss; nil without controls
}

// losses returns each row's losses, with
//
//	KL_j = (mu_j^2 + sigma_j^2 - 1 - log sigma_j^2)/2.
//
// The control loss is that of codes of the prior, decoded under the row's
// conditions: of codes of the posterior it would be small anyway, and say
// nothing of what is generated.
func (t *tape) losses(b batch) losses {
	n := t.network.config.Assets
	standardised, rows := b.rows, b.rows
	var conditions *graph.Node
	if len(t.network.config.Conditions) > 0 {
		standardised = graph.Slice(b.rows, graph.AxisRange(0, n))
		conditions = graph.Slice(b.rows, graph.AxisRange(n, b.rows.Shape().Dimensions[0]))
		if b.slack != nil {
			conditions = raise(t.controls, conditions, b.slack)
			rows = graph.Concatenate([]*graph.Node{standardised, conditions}, 0)
		}
	}
	mu, logvar := t.encode(rows)
	sigma := graph.Exp(graph.MulScalar(logvar, 0.5))
	codes := graph.Add(mu, graph.Mul(sigma, b.noise))
	size := codes.Shape().Dimensions[1]
	if conditions != nil {
		codes = graph.Concatenate([]*graph.Node{codes, conditions}, 0)
	}
	if b.prior != nil {
		codes = graph.Concatenate([]*graph.Node{codes, graph.Concatenate([]*graph.Node{b.prior, conditions}, 0)}, 1)
	}
	weights, output := t.decode(codes)
	var l losses
	if b.prior != nil {
		ofPrior := graph.Slice(weights, graph.AxisRange(), graph.AxisRange(size, 2*size))
		l.control = controlLoss(t.controls, b.measures, ofPrior, conditions)
		first := []graph.SliceAxisSpec{graph.AxisRange(), graph.AxisRange(0, size)}
		weights, output = graph.Slice(weights, first...), graph.Slice(output, first...)
	}
	x := graph.Add(graph.Mul(standardised, graph.Sqrt(b.variance)), b.mean)
	l.reconstruction = likelihoods[t.network.config.Likelihood].reconstruction(reading{
		x: x, xhat: weights, output: output, variance: b.variance, parameters: t.own,
	})
	squares := graph.Add(graph.Mul(mu, mu), graph.Mul(sigma, sigma))
	l.kl = graph.MulScalar(graph.Sub(squares, graph.AddScalar(logvar, 1)), 0.5)
	return l
}
