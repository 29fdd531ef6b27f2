package vae

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// loop repeats a training step in one call, where the backend runs loops.
type loop struct {
	state     []*graph.Node // what a step changes
	constants []*graph.Node // what all steps read
	tables    []*graph.Node // S x ...: a row for each step
	zero, end *graph.Node   // int32: 0, and how many of the S steps are done
	// cut takes out of the state what a step reads beside it.
	cut func(state []*graph.Node) []*graph.Node
	// step returns the next state, given the step's rows and what was cut.
	step func(state, constants, rows, cut []*graph.Node) []*graph.Node
}

// run returns the state after the last step. A loop's body may not capture anything
// (GoMLX 0.28 fails on it), so the constants travel as loop state.
//
// So do the next step's rows and what is cut out of the state, at the end of a step.
// XLA on a CPU hands operations to more threads as soon as more than eight are
// ready, or one reads much, as it thinks of what cuts a piece out of a table; at
// these sizes that costs more than it gains.
func (l loop) run() []*graph.Node {
	// The loop's state: the step's, constants, tables, zero and end, rows, what was cut.
	constants := len(l.state)
	tables := constants + len(l.constants)
	at := tables + len(l.tables)
	end, rows, cut := at+1, at+2, at+2+len(l.tables)
	all := slices.Concat(l.state, l.constants, l.tables, []*graph.Node{l.zero, l.end})
	for _, t := range l.tables {
		first := graph.Slice(t, graph.AxisElem(0))
		all = append(all, graph.Reshape(first, t.Shape().Dimensions[1:]...))
	}
	all = append(all, l.cut(l.state)...)
	parameters := func(g *graph.Graph) []*graph.Node {
		p := make([]*graph.Node, len(all))
		for i, node := range all {
			p[i] = graph.Parameter(g, "", node.Shape())
		}
		return p
	}
	g := l.zero.Graph()
	condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		p := parameters(g)
		return []*graph.Node{graph.LessThan(p[at], p[end])}
	})
	body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		p := parameters(g)
		next := l.step(p[:constants], p[constants:tables], p[rows:cut], p[cut:])
		following := graph.AddScalar(p[at], 1)
		list := append(slices.Concat(next, p[constants:at]), following, p[end])
		for _, t := range p[tables:at] {
			start := slices.Repeat([]*graph.Node{graph.ScalarZero(g, dtypes.Int32)}, t.Rank())
			start[0] = following
			one := t.Shape().Dimensions[1:]
			list = append(list, graph.Reshape(graph.DynamicSlice(t, start, append([]int{1}, one...)), one...))
		}
		return append(list, l.cut(next)...)
	})
	return graph.While(condition, body, all...)[:constants]
}
