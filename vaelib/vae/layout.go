package vae

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// layout says how a training step holds the parameters. Everywhere else they are
// one vector, in one order.
type layout struct {
	// apart holds matrices and biases each by itself, so that none is cut out of a
	// vector and no gradient put together, and biases are added to the products:
	// best where matrices or batches are large, and a compiler fuses what goes
	// element by element. In one vector the optimiser is a dozen operations,
	// however many layers there are, and a row of ones takes the bias: best where
	// an operation costs more by itself than by what it does.
	//
	// Matrices that lie apart are transposed, as the forward pass takes them. Of a
	// layer's three products one has its first factor transposed, which XLA on a
	// CPU multiplies by other, slower kernels: so it is the gradient by the input,
	// which the first layer hasn't.
	apart bool
}

// From so many parameters or rows a batch on matrices lie apart.
const (
	apartParameters = 1 << 16
	apartRows       = 1024
)

// layout returns how a training with batches of so many rows holds the parameters.
func (n *network) layout(batch int, compiled bool) layout {
	return layout{apart: compiled && (n.size >= apartParameters || batch >= apartRows)}
}

// parts is the number of tensors that the parameters lie in.
func (n *network) parts(l layout) int {
	if !l.apart {
		return 1
	}
	parts := 2 * len(n.layers())
	if n.own < n.size {
		parts++
	}
	return parts
}

// join puts the gradients together as the parameters lie.
func (l layout) join(gradients []*graph.Node) []*graph.Node {
	if l.apart {
		return gradients
	}
	return []*graph.Node{graph.Concatenate(gradients, 0)}
}

// matrices of the layers.
type matrices struct {
	forward []*graph.Node // W^T (out x in), or [W b]^T (out x in+1) where they lie in a vector
	back    []*graph.Node // W (in x out)
	bias    []*graph.Node // b (out x 1); nil where they lie in a vector
}

// cut takes the layers' matrices out of the parameters: [W b] (in+1 x out), W and b
// the row below; nil where they lie apart.
func (n *network) cut(l layout, theta []*graph.Node) (cut []*graph.Node) {
	if l.apart {
		return nil
	}
	for _, layer := range n.layers() {
		flat := graph.Slice(theta[0], graph.AxisRange(layer.offset, layer.end()))
		cut = append(cut, graph.Reshape(flat, layer.in+1, layer.out))
	}
	return cut
}

// matrices of the parameters, of which cut was taken.
func (n *network) matrices(l layout, theta, cut []*graph.Node) (m matrices) {
	for i, layer := range n.layers() {
		var forward, back, bias *graph.Node
		if l.apart {
			forward = graph.Reshape(theta[2*i], layer.out, layer.in)
			back = graph.Transpose(forward, 0, 1)
			bias = graph.Reshape(theta[2*i+1], layer.out, 1)
		} else {
			back = graph.Slice(cut[i], graph.AxisRange(0, layer.in))
			forward = graph.Transpose(cut[i], 0, 1)
		}
		m.forward, m.back, m.bias = append(m.forward, forward), append(m.back, back), append(m.bias, bias)
	}
	return m
}

// split cuts a vector into the parts of a layout.
func (n *network) split(l layout, v []float32) [][]float32 {
	if !l.apart {
		return [][]float32{v}
	}
	var parts [][]float32
	for _, layer := range n.layers() {
		matrix := transposed(v[layer.offset:layer.biasOffset()], layer.in, layer.out)
		parts = append(parts, matrix, v[layer.biasOffset():layer.end()])
	}
	if n.own < n.size {
		parts = append(parts, v[n.own:])
	}
	return parts
}

// joined is the vector that was split.
func (n *network) joined(l layout, parts [][]float32) []float32 {
	if l.apart {
		parts = slices.Clone(parts)
		for i, layer := range n.layers() {
			parts[2*i] = transposed(parts[2*i], layer.out, layer.in)
		}
	}
	return slices.Concat(parts...)
}

// transposed is the transpose of a matrix (rows x columns, row-major).
func transposed(v []float32, rows, columns int) []float32 {
	t := make([]float32, len(v))
	for i := range rows {
		for j, x := range v[i*columns : (i+1)*columns] {
			t[j*rows+i] = x
		}
	}
	return t
}
