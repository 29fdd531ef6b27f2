package vae

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/onnx"
)

// cappedHead is the Euclidean projection of the last layer's output y on
// {sum w = 1, 0 <= w <= u}, u the configuration's MaxWeight:
//
//	w_i = min(max(y_i - tau, 0), u), tau such that sum w = 1.
//
// So every portfolio keeps the cap, and a weight can be exactly 0. On the graph,
// in float32, rows sum to 1 within about 2e-7.
//
// The bias starts at the mean portfolio, which is its own projection, and the
// weights start small: with larger ones some rows start where all weights but
// one are at a bound, and where no gradient leads away from.
var cappedHead = head{
	apply: func(c Config, y *graph.Node) *graph.Node { return projection(y, c.MaxWeight) },
	write: func(c Config, g *onnx.Graph, y onnx.Value) onnx.Value {
		return writeProjection(g, y, g.Int(c.Assets), g.Ints(2*c.Assets), g.Scalar(c.MaxWeight))
	},
	bias:     slices.Clone[[]float64],
	scale:    func([]float64, float64) float64 { return 0.1 },
	finish:   func(c Config, w []float64) { settle(w, c.MaxWeight) },
	longOnly: true,
	capped:   true,
}

// sparsemaxHead is the projection without a cap: sparsemax (Martins & Astudillo
// 2016, arXiv 1602.02068), a softmax with exact zeros.
var sparsemaxHead = head{
	apply: func(_ Config, y *graph.Node) *graph.Node { return projection(y, 1) },
	write: func(c Config, g *onnx.Graph, y onnx.Value) onnx.Value {
		return writeProjection(g, y, g.Int(c.Assets), g.Ints(2*c.Assets), g.Scalar(1))
	},
	bias:     slices.Clone[[]float64],
	scale:    func([]float64, float64) float64 { return 0.1 },
	finish:   func(_ Config, w []float64) { settle(w, 1) },
	longOnly: true,
}

// settle is the last step of [projection] again, in float64: weights at the cap
// u get its value, and those between the bounds share what the sum lacks of 1.
// A weight within rounding of a bound counts as at it.
func settle(w []float64, u float64) {
	const rounding = 1e-6
	free, lacks := 0, 1.0
	for i, v := range w {
		switch {
		case v < rounding:
			w[i] = 0
		case v > u-rounding:
			w[i] = u
		default:
			free++
		}
		lacks -= w[i]
	}
	for i, v := range w {
		if v > 0 && v < u {
			w[i] += lacks / float64(free)
		}
	}
}

// projection projects the columns of y (n x B) on {sum w = 1, 0 <= w <= u}, n u >= 1.
//
// A search finds low, from which to tau no weight reaches or leaves a bound, and
// so which weights lie between the bounds (the set A, of |A|) and which at the cap
// (|C| of them). On these sets
//
//	tau = (sum_A y + u |C| - 1)/|A|
//
// exactly (low itself where A is empty), which also gives the Jacobian: 1 - 1/|A| on the diagonal of A, -1/|A|
// beside it, and 0 elsewhere.
func projection(y *graph.Node, u float64) *graph.Node {
	// A shift of y does not change w: from the largest entry, differences lose
	// the least.
	values := graph.StopGradient(y)
	shift := graph.ReduceAndKeep(values, graph.ReduceMax, 0)
	values = graph.Sub(values, shift)
	leaves := graph.AddScalar(values, -u)                  // tau from which on a weight is below the cap
	low := graph.ReduceAndKeep(leaves, graph.ReduceMin, 0) // sum w = n u >= 1
	if n := values.Shape().Dimensions[0]; n <= pairwise {
		low = lastCorner(values, leaves, low, u)
	} else {
		low = bisect(values, low, u)
	}
	number := func(condition *graph.Node) *graph.Node { return graph.ConvertDType(condition, y.DType()) }
	capped := number(graph.GreaterThan(leaves, low))
	inside := graph.Sub(number(graph.GreaterThan(values, low)), capped)
	lacks := graph.AddScalar(graph.MulScalar(graph.ReduceAndKeep(capped, graph.ReduceSum, 0), u), -1)
	count := graph.ReduceAndKeep(inside, graph.ReduceSum, 0)
	free := graph.MaxScalar(count, 1)
	tau := func(values *graph.Node) *graph.Node {
		return graph.Div(graph.Add(graph.ReduceAndKeep(graph.Mul(inside, values), graph.ReduceSum, 0), lacks), free)
	}
	// With all weights at bounds, as many caps sum to 1, and any tau between does.
	first := graph.Where(graph.GreaterThan(count, graph.ZerosLike(count)), tau(values), low)
	rest := tau(graph.Sub(values, first)) // a rounding, without which the sums would lose digits
	y = graph.IdentityWithCustomGradient(y, func(_, g *graph.Node) *graph.Node {
		g = graph.Mul(g, inside)
		return graph.Sub(g, graph.Mul(inside, graph.Div(graph.ReduceAndKeep(g, graph.ReduceSum, 0), free)))
	})
	w := graph.Sub(graph.Sub(graph.Sub(y, shift), first), rest)
	// By choices, through which the gradient comes cheaper than through minima.
	zero := graph.ZerosLike(values)
	most := graph.AddScalar(zero, u)
	return graph.Where(graph.GreaterThan(w, zero), graph.Where(graph.LessThan(w, most), w, most), zero)
}

// pairwise is the largest n for which looking at all pairs of entries is faster
// than bisection.
const pairwise = 16

// lastCorner returns the largest tau at which a weight reaches 0 (tau is an entry
// of values) or leaves the cap (an entry of leaves) and sum w >= 1 still, of
// which low is one. With d_ij = min(max(y_i - y_j, 0), u), sum w is sum_i d_ij at
// the former, and n u - sum_j d_ij at the latter.
func lastCorner(values, leaves, low *graph.Node, u float64) *graph.Node {
	n := values.Shape().Dimensions[0]
	d := graph.ClipScalar(graph.Sub(graph.ExpandAxes(values, 1), graph.ExpandAxes(values, 0)), 0, u)
	atZero, belowCap := graph.ReduceSum(d, 0), graph.ReduceSum(d, 1)
	rest := graph.BroadcastToShape(low, values.Shape())
	corner := graph.Max(
		graph.Where(graph.GreaterOrEqual(atZero, graph.OnesLike(atZero)), values, rest),
		graph.Where(graph.LessOrEqual(belowCap, graph.AddScalar(graph.ZerosLike(belowCap), float64(n)*u-1)),
			leaves, rest))
	return graph.ReduceAndKeep(corner, graph.ReduceMax, 0)
}

// bisections halve the interval of tau until it is below float32's spacing.
const bisections = 32

// bisect raises low, where sum w >= 1, to within the spacing below tau.
func bisect(values, low *graph.Node, u float64) *graph.Node {
	width := graph.Neg(low) // at tau = 0, sum w = 0
	for range bisections {
		width = graph.MulScalar(width, 0.5)
		w := graph.ClipScalar(graph.Sub(values, graph.Add(low, width)), 0, u)
		sum := graph.ReduceAndKeep(w, graph.ReduceSum, 0)
		// Adding 0 or the width instead of choosing between two ends uses low
		// once, so that the unrolled graph grows by no more than a step each time.
		up := graph.ConvertDType(graph.GreaterThan(sum, graph.OnesLike(sum)), low.DType())
		low = graph.Add(low, graph.Mul(up, width))
	}
	return low
}

// writeProjection is [projection] of rows of n in ONNX, which has no loops with a
// free number of rows but sorts: of the 2n corners, sorted downwards, those above
// tau are the ones at which sum w is below 1, and on the piece below the last of
// them sum w is linear in tau.
//
// The number of assets n and that of corners are given as integers, the largest
// weight as a scalar or as a column with one for each row.
func writeProjection(g *onnx.Graph, y, n, count, most onnx.Value) onnx.Value {
	rows, one, zero := g.Ints(1), g.Scalar(1), g.Scalar(0)
	y = g.Node("Sub", y, g.Node("ReduceMax", y, rows))
	corners := g.Along(1, "Concat", y, g.Node("Sub", y, most)) // a weight leaves 0, or reaches u
	sorted := g.Nodes("TopK", 2, []onnx.Value{corners, count}, onnx.Attribute{Name: "axis", Value: 1})
	// The slope of sum w, and its value where tau is the corner.
	slope := g.Node("Where", g.Node("Less", sorted[1], n), one, g.Scalar(-1))
	free := g.Node("CumSum", slope, g.Int(1))
	sum := g.Node("CumSum", g.Node("Mul", slope, sorted[0]), g.Int(1))
	at := g.Node("Sub", sum, g.Node("Mul", free, sorted[0]))
	above := g.Node("ReduceSum", g.Cast(g.Node("Less", at, one), onnx.Float32), rows) // of at least 1: the first is 0
	last := g.Cast(g.Node("Sub", above, one), onnx.Int64)
	pick := func(v onnx.Value) onnx.Value { return g.Along(1, "GatherElements", v, last) }
	// Between corners where all weights are at bounds sum w is level.
	tau := g.Node("Where", g.Node("Less", pick(free), one), pick(sorted[0]),
		g.Node("Div", g.Node("Sub", pick(sum), one), g.Node("Max", pick(free), one)))
	// Sums over many corners have lost digits. Newton's method on sum w - 1, which is
	// piecewise linear, gets them back.
	within := func(w onnx.Value) onnx.Value { return g.Node("Min", g.Node("Max", w, zero), most) }
	for range 2 {
		w := g.Node("Sub", y, tau)
		inside := g.Node("And", g.Node("Greater", w, zero), g.Node("Less", w, most))
		free := g.Node("Max", g.Node("ReduceSum", g.Cast(inside, onnx.Float32), rows), one)
		excess := g.Node("Sub", g.Node("ReduceSum", within(w), rows), one)
		tau = g.Node("Add", tau, g.Node("Div", excess, free))
	}
	return within(g.Node("Sub", y, tau))
}
