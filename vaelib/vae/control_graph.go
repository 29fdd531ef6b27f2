package vae

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/portfolio"
)

// A cap lies above what a training row has by a margin and a half-normal slack,
// and the hinge ends the margin below the cap; both in standard deviations. A
// broken cap weighs capWeight times a distance of the same size.
const (
	capMargin = 0.25
	capSlack  = 0.5
	capWeight = 4
)

// measured is what a control's measure gives for weights (n x B), standardised:
// 1 x B. Vector holds all measures' numbers.
func (c control) measured(vector, weights *graph.Node) *graph.Node {
	n := weights.Shape().Dimensions[0]
	part := func(from, size int) *graph.Node { return graph.Slice(vector, graph.AxisRange(from, from+size)) }
	var y *graph.Node
	end := c.offset
	switch c.form {
	case portfolio.Linear:
		y = graph.MatMul(graph.Reshape(part(end, n), 1, n), weights)
		end += n
	case portfolio.Norm:
		along := graph.MatMul(graph.Transpose(graph.Reshape(part(end, n*c.columns), n, c.columns), 0, 1), weights)
		// Without the last term the root has no gradient at 0.
		y = graph.Sqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Mul(along, along), graph.ReduceSum, 0), 1e-12))
		end += n * c.columns
	case portfolio.Effective:
		y = graph.Reciprocal(graph.ReduceAndKeep(graph.Mul(weights, weights), graph.ReduceSum, 0))
	default: // portfolio.Largest
		y = graph.ReduceAndKeep(weights, graph.ReduceMax, 0)
	}
	return graph.Add(graph.Mul(y, graph.Reshape(part(end, 1))), graph.Reshape(part(end+1, 1)))
}

// raise adds slack to the caps among the conditions (K x B): noise (caps x B) is
// standard normal.
func raise(controls []control, conditions, noise *graph.Node) *graph.Node {
	width := conditions.Shape().Dimensions[0]
	for _, c := range controls {
		if !c.cap {
			continue
		}
		slack := graph.Abs(graph.Slice(noise, graph.AxisElem(c.index)))
		slack = graph.AddScalar(graph.MulScalar(slack, capSlack), capMargin)
		one := graph.OneHot(graph.Scalar(noise.Graph(), dtypes.Int32, c.column), width, conditions.DType())
		conditions = graph.Add(conditions, graph.Mul(slack, graph.ExpandAxes(one, 1)))
	}
	return conditions
}

// controlLoss is how far the decoder's weights (n x B) are from the conditions
// (K x B) that they were asked for, B values: squared distances in standard
// deviations, and for caps capWeight (h + h^2) of the hinge h from the margin on.
func controlLoss(controls []control, vector, weights, conditions *graph.Node) *graph.Node {
	var loss *graph.Node
	for _, c := range controls {
		miss := graph.Sub(c.measured(vector, weights), graph.Slice(conditions, graph.AxisElem(c.column)))
		term := graph.Mul(miss, miss)
		if c.cap {
			hinge := graph.MaxScalar(graph.AddScalar(miss, capMargin), 0)
			term = graph.MulScalar(graph.Add(hinge, graph.Mul(hinge, hinge)), capWeight)
		}
		if loss == nil {
			loss = term
		} else {
			loss = graph.Add(loss, term)
		}
	}
	return graph.Squeeze(loss, 0)
}
