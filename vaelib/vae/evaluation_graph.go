package vae

import (
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// evaluationGraph sums, over the rows that present (B) marks with 1, the
// reconstruction loss, the control loss and each dimension's KL: a vector of
// 2 + d.
func (n *network) evaluationGraph(
	controls []control, theta, noise, rows, present, mean, variance, measures *graph.Node,
) *graph.Node {
	t := n.tape(theta)
	t.controls = controls
	b := batch{rows: rows, mean: mean, variance: variance, measures: measures}
	t.noises(&b, noise)
	l := t.losses(b)
	total := func(x *graph.Node) *graph.Node { return graph.Reshape(graph.ReduceAllSum(graph.Mul(x, present)), 1) }
	control := graph.Zeros(theta.Graph(), shapes.Make(theta.DType(), 1))
	if l.control != nil {
		control = total(l.control)
	}
	perDimension := graph.ReduceSum(graph.Mul(l.kl, graph.ExpandAxes(present, 0)), 1)
	return graph.Concatenate([]*graph.Node{total(l.reconstruction), control, perDimension}, 0)
}

// vjpGraph carries g (n x B) back through the decoder at codes ((d+K) x B).
func (n *network) vjpGraph(theta, codes, g *graph.Node) *graph.Node {
	weights, _ := n.tape(theta).decode(codes)
	return graph.Gradient(graph.ReduceAllSum(graph.Mul(weights, graph.StopGradient(g))), codes)[0]
}

// densityGraph returns log p(x, z) - log q(z|x) of each row (B) at one code z
// drawn from q(z|x). Noise (n x 1) holds the variances of the decoder's noise.
func (n *network) densityGraph(theta, epsilon, rows, mean, noise, variance *graph.Node) *graph.Node {
	t := n.tape(theta)
	c := n.config
	mu, logvar := t.encode(rows)
	z := graph.Add(mu, graph.Mul(graph.Exp(graph.MulScalar(logvar, 0.5)), epsilon))
	standardised, codes := rows, z
	if width := rows.Shape().Dimensions[0]; width > c.Assets {
		standardised = graph.Slice(rows, graph.AxisRange(0, c.Assets))
		codes = graph.Concatenate([]*graph.Node{z, graph.Slice(rows, graph.AxisRange(c.Assets, width))}, 0)
	}
	x := graph.Add(graph.Mul(standardised, graph.Sqrt(variance)), mean)
	xhat, output := t.decode(codes)
	likelihood := likelihoods[c.Likelihood]
	var density *graph.Node
	if likelihood.gaussian {
		difference := graph.Sub(x, xhat)
		terms := graph.Add(graph.Div(graph.Mul(difference, difference), noise),
			graph.Log(graph.MulScalar(noise, 2*math.Pi)))
		density = graph.MulScalar(graph.ReduceSum(terms, 0), -0.5)
	} else {
		density = graph.Neg(likelihood.reconstruction(reading{
			x: x, xhat: xhat, output: output, variance: variance, parameters: t.own,
		}))
	}
	// log p(z) - log q(z|x), whose constants cancel.
	ratio := graph.Add(graph.Sub(graph.Mul(epsilon, epsilon), graph.Mul(z, z)), logvar)
	return graph.Add(density, graph.MulScalar(graph.ReduceSum(ratio, 0), 0.5))
}
