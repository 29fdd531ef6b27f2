package vae

import (
	"slices"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// tape is one pass through the layers. It remembers what the gradient by the
// parameters needs.
//
// On the graph rows are columns: an array is features x B. So the long side is the
// innermost, which a processor's vector instructions run along, and no activation
// has to be transposed for a gradient.
type tape struct {
	network  *network
	matrices matrices
	controls []control   // that the losses hold the decoder to
	own      *graph.Node // the likelihood's own parameters, or nil
	cut      bool        // see gradient
	layout   layout      // of the parameters whose gradient is taken
	passes   []pass
}

// pass is the way through one layer.
type pass struct {
	x      *graph.Node // in x B
	input  *graph.Node // x and a row of ones (in+1 x B); x where matrices lie apart
	output *graph.Node // W^T x + b (out x B)
}

// tape begins a pass with the parameters in one vector (P).
func (n *network) tape(theta *graph.Node) *tape {
	parameters := []*graph.Node{theta}
	return n.tapeWith(layout{}, parameters, n.matrices(layout{}, parameters, n.cut(layout{}, parameters)))
}

// tapeWith is tape where the matrices have been cut out of the parameters.
func (n *network) tapeWith(l layout, theta []*graph.Node, m matrices) *tape {
	t := &tape{network: n, matrices: m, layout: l}
	switch {
	case n.own == n.size:
	case l.apart:
		t.own = theta[len(theta)-1]
	default:
		t.own = graph.Slice(theta[0], graph.AxisRange(n.own, n.size))
	}
	return t
}

// forward passes x (in x B) through the layers from one on, up to another. Where
// the bias isn't added, a row of ones below x takes it: adding it by itself, and
// summing its gradient, costs the Go backend as much as a small matrix product.
func (t *tape) forward(from, to int, x *graph.Node) *graph.Node {
	ones := graph.Ones(x.Graph(), shapes.Make(x.DType(), 1, x.Shape().Dimensions[1]))
	for i := from; i < to; i++ {
		if i > from {
			x = activations[t.network.config.Activation].apply(x)
		}
		input := x
		if !t.layout.apart {
			input = graph.Concatenate([]*graph.Node{x, ones}, 0)
		}
		if t.cut {
			input = graph.StopGradient(input)
		}
		output := graph.MatMul(t.matrices.forward[i], input)
		if t.layout.apart {
			output = graph.Add(output, t.matrices.bias[i])
		}
		t.passes = append(t.passes, pass{x, input, output})
		x = output
	}
	return x
}

// encode maps standardised rows and their conditions ((n+K) x B) to mean and log
// variance (d x B each).
func (t *tape) encode(rows *graph.Node) (mean, logvar *graph.Node) {
	y, d := t.forward(0, len(t.network.encoder), rows), t.network.config.Latent
	return graph.Slice(y, graph.AxisRange(0, d)), graph.Slice(y, graph.AxisRange(d, 2*d))
}

// decode maps codes and conditions ((d+K) x B) to weights (n x B), and also
// returns the last layer's output that they were made of.
func (t *tape) decode(codes *graph.Node) (weights, output *graph.Node) {
	c := t.network.config
	output = t.forward(len(t.network.encoder), len(t.matrices.forward), codes)
	return heads[c.Head].apply(c, output), output
}

// gradient returns the gradient of a loss by the parameters, as the layout has
// them, after one pass through the encoder and then one through the decoder, both
// cut.
//
// Automatic differentiation goes as far as the stacks' outputs, and through each
// activation; the matrix products are here. A layer's gradient is its input times
// its output's gradient, transposed, and lies as the parameters do. GoMLX's own
// form transposes three matrices a layer, which the Go backend does element by
// element.
func (t *tape) gradient(loss *graph.Node) []*graph.Node {
	byLayer := make([][]*graph.Node, len(t.passes))
	// back goes from the output of layer to-1, with its gradient g, to the input
	// of layer from, and returns the gradient by that.
	back := func(from, to int, g *graph.Node) *graph.Node {
		for i := to - 1; ; i-- {
			p := t.passes[i]
			byLayer[i] = t.byParameters(p, g)
			if i == 0 {
				return nil // nobody asks for the gradient by the data
			}
			g = graph.MatMul(t.matrices.back[i], g)
			if i == from {
				return g
			}
			g = graph.Gradient(graph.ReduceAllSum(graph.Mul(p.x, graph.StopGradient(g))), t.passes[i-1].output)[0]
		}
	}
	encoder, all := len(t.network.encoder), len(t.passes)
	by := []*graph.Node{t.passes[all-1].output}
	if t.own != nil {
		by = append(by, t.own)
	}
	g := graph.Gradient(loss, by...)
	codes := back(encoder, all, g[0])
	// The codes depend on the encoder's output as the loss does.
	loss = graph.Add(loss, graph.ReduceAllSum(graph.Mul(t.passes[encoder].x, graph.StopGradient(codes))))
	back(0, encoder, graph.Gradient(loss, t.passes[encoder-1].output)[0])
	return t.layout.join(append(slices.Concat(byLayer...), g[1:]...))
}

// byParameters is the gradient by a layer's matrix and bias, flat, given g by its
// output.
func (t *tape) byParameters(p pass, g *graph.Node) []*graph.Node {
	left, right := p.input, g
	if t.layout.apart {
		left, right = g, p.input
	}
	matrix := graph.DotGeneral(left, []int{1}, nil, right, []int{1}, nil)
	flat := graph.Reshape(matrix, matrix.Shape().Size())
	if t.layout.apart {
		return []*graph.Node{flat, graph.ReduceSum(g, 1)}
	}
	return []*graph.Node{flat}
}
