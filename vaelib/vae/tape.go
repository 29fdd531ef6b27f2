package vae

import (
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
	matrices []*graph.Node // [W b] of each layer (in+1 x out): W, and b the row below
	controls []control     // that the losses hold the decoder to
	own      *graph.Node   // the likelihood's own parameters, or nil
	cut      bool          // see gradient
	passes   []pass
}

// pass is the way through one layer.
type pass struct {
	x      *graph.Node // in x B
	input  *graph.Node // x and a row of ones (in+1 x B)
	output *graph.Node // W^T x + b (out x B)
}

func (n *network) tape(theta *graph.Node) *tape { return n.tapeWith(theta, n.matrices(theta)) }

// tapeWith is tape where the matrices have been cut out of the parameters.
func (n *network) tapeWith(theta *graph.Node, matrices []*graph.Node) *tape {
	t := &tape{network: n, matrices: matrices}
	if n.own < n.size {
		t.own = graph.Slice(theta, graph.AxisRange(n.own, n.size))
	}
	return t
}

// matrices cuts the layers' matrices out of the parameters.
func (n *network) matrices(theta *graph.Node) []*graph.Node {
	var m []*graph.Node
	for _, l := range n.layers() {
		m = append(m, graph.Reshape(graph.Slice(theta, graph.AxisRange(l.offset, l.end())), l.in+1, l.out))
	}
	return m
}

// forward passes x (in x B) through the layers of these matrices. A row of ones
// below x takes the bias: adding it by itself, and summing its gradient, costs the
// Go backend as much as a small matrix product.
func (t *tape) forward(matrices []*graph.Node, x *graph.Node) *graph.Node {
	ones := graph.Ones(x.Graph(), shapes.Make(x.DType(), 1, x.Shape().Dimensions[1]))
	for i, matrix := range matrices {
		if i > 0 {
			x = activations[t.network.config.Activation](x)
		}
		input := graph.Concatenate([]*graph.Node{x, ones}, 0)
		if t.cut {
			input = graph.StopGradient(input)
		}
		output := graph.MatMul(graph.Transpose(matrix, 0, 1), input)
		t.passes = append(t.passes, pass{x, input, output})
		x = output
	}
	return x
}

// encode maps standardised rows and their conditions ((n+K) x B) to mean and log
// variance (d x B each).
func (t *tape) encode(rows *graph.Node) (mean, logvar *graph.Node) {
	y, d := t.forward(t.matrices[:len(t.network.encoder)], rows), t.network.config.Latent
	return graph.Slice(y, graph.AxisRange(0, d)), graph.Slice(y, graph.AxisRange(d, 2*d))
}

// decode maps codes and conditions ((d+K) x B) to weights (n x B), and also
// returns the last layer's output that they were made of.
func (t *tape) decode(codes *graph.Node) (weights, output *graph.Node) {
	c := t.network.config
	output = t.forward(t.matrices[len(t.network.encoder):], codes)
	return heads[c.Head].apply(c, output), output
}

// gradient returns the gradient (P) of a loss by the parameters, after one
// pass through the encoder and then one through the decoder, both cut.
//
// Automatic differentiation goes as far as the stacks' outputs, and through each
// activation; the matrix products are here. A layer's gradient is its input times
// its output's gradient, transposed, and lies as the parameters do. GoMLX's own
// form transposes three matrices a layer, which the Go backend does element by
// element.
func (t *tape) gradient(loss *graph.Node) *graph.Node {
	flat := make([]*graph.Node, len(t.passes))
	// back goes from the output of layer to-1, with its gradient g, to the input
	// of layer from, and returns the gradient by that.
	back := func(from, to int, g *graph.Node) *graph.Node {
		for i := to - 1; ; i-- {
			p := t.passes[i]
			matrix := graph.DotGeneral(p.input, []int{1}, nil, g, []int{1}, nil)
			flat[i] = graph.Reshape(matrix, matrix.Shape().Size())
			if i == 0 {
				return nil // nobody asks for the gradient by the data
			}
			weights := graph.Slice(t.matrices[i], graph.AxisRange(0, p.x.Shape().Dimensions[0])) // without the bias
			g = graph.MatMul(weights, g)
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
	return graph.Concatenate(append(flat, g[1:]...), 0)
}
