package vae

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// attendFused is [setTape.attend] for the loop of a training on XLA: the same function,
// and its gradient, in fewer passes over the n x n logits.
//
// Logits are at most sqrt(H/heads), so that nothing has to be taken off them before the
// exponential. Padding is left out by zeros among the values, and a row of ones below
// the values, zeros likewise, brings the sums that the shares are divided by, after the
// product. None of the six products has its first factor transposed: XLA on a CPU
// multiplies those by slower kernels, one small matrix at a time.
func (t *setTape) attendFused(qkv *graph.Node) *graph.Node {
	groups, n, h := qkv.Shape().Dimensions[0], qkv.Shape().Dimensions[1], t.network.config.Width
	heads, all := t.network.config.Heads, graph.AxisRange()
	each := h / heads
	part := func(i int) *graph.Node {
		x := graph.Slice(qkv, all, all, graph.AxisRange(i*h, (i+1)*h))
		return graph.Reshape(x, groups, n, heads, each)
	}
	mask := graph.BroadcastToDims(graph.ExpandAxes(t.presence(groups), 2, 3), groups, n, heads, 1)
	values := graph.Mul(part(2), graph.BroadcastToDims(mask, groups, n, heads, each))
	queries := graph.MulScalar(normalised(part(0)), 1/math.Sqrt(float64(each)))
	// G x heads x: H/heads x n, n x H/heads, H/heads+1 x n.
	q := graph.TransposeAllAxes(queries, 0, 2, 3, 1)
	k := graph.TransposeAllAxes(normalised(part(1)), 0, 2, 1, 3)
	v := graph.TransposeAllAxes(graph.Concatenate([]*graph.Node{values, mask}, 3), 0, 2, 3, 1)
	sums := weighted(q, k, v)
	seen := graph.Div(graph.Slice(sums, all, all, graph.AxisRange(0, each)),
		graph.Slice(sums, all, all, graph.AxisRange(each, each+1)))
	return graph.Reshape(graph.TransposeAllAxes(seen, 0, 3, 1, 2), groups, n, h)
}

// presence is the mask of so many groups (G x n), each universe's once or for each of its
// portfolios.
func (t *setTape) presence(groups int) *graph.Node {
	mask := t.in.mask
	universes, n := mask.Shape().Dimensions[0], mask.Shape().Dimensions[1]
	each := graph.BroadcastToDims(graph.ExpandAxes(mask, 1), universes, groups/universes, n)
	return graph.Reshape(each, groups, n)
}

// weighted is v exp(k q), matrix by matrix of the first two axes, with its gradient.
func weighted(q, k, v *graph.Node) *graph.Node {
	dot := func(a, b *graph.Node, axis int) *graph.Node { // a's last axis by that of b
		return graph.DotGeneral(a, []int{3}, []int{0, 1}, b, []int{axis}, []int{0, 1})
	}
	queries, keys, values := graph.StopGradient(q), graph.StopGradient(k), graph.StopGradient(v)
	e := graph.Exp(dot(keys, queries, 2)) // of each key by each query
	return withGradient(dot(values, e, 2), []*graph.Node{q, k, v}, func(g *graph.Node) []*graph.Node {
		logits := graph.Mul(dot(graph.Transpose(values, 2, 3), g, 2), e)
		return []*graph.Node{dot(graph.Transpose(keys, 2, 3), logits, 2), dot(logits, queries, 3), dot(g, e, 3)}
	})
}

// withGradient is y, which was computed of inputs but has no gradient by them, with the
// gradients that back makes of that by y. GoMLX 0.28 has custom gradients of the identity
// alone: so it is one of y and the inputs, end to end, of which y is cut out again; a
// compiler leaves nothing of that.
func withGradient(y *graph.Node, inputs []*graph.Node, back func(g *graph.Node) []*graph.Node) *graph.Node {
	joined := func(parts []*graph.Node) *graph.Node {
		flat := make([]*graph.Node, len(parts))
		for i, x := range parts {
			flat[i] = graph.Reshape(x, x.Shape().Size())
		}
		return graph.Concatenate(flat, 0)
	}
	first := func(x *graph.Node) *graph.Node {
		return graph.Reshape(graph.Slice(x, graph.AxisRange(0, y.Shape().Size())), y.Shape().Dimensions...)
	}
	all := joined(append([]*graph.Node{y}, inputs...))
	return first(graph.IdentityWithCustomGradient(all, func(_, g *graph.Node) *graph.Node {
		return joined(append([]*graph.Node{graph.ZerosLike(y)}, back(first(g))...))
	}))
}
