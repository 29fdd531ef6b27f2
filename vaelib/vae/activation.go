package vae

import (
	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/onnx"
)

// activation is a function between layers.
type activation struct {
	apply func(x *graph.Node) *graph.Node
	write func(g *onnx.Graph, x onnx.Value) onnx.Value // in ONNX
}

// silu is x/(1 + exp(-x)) (Elfwing et al. 2018). Its derivative, with s the
// logistic function, is s (1 + x - silu): given by hand, it takes half as many
// passes over the batch as automatic differentiation.
func silu(x *graph.Node) *graph.Node {
	inverse := graph.StopGradient(graph.OnePlus(graph.Exp(graph.Neg(x)))) // 1/s
	var y *graph.Node
	y = graph.Div(graph.IdentityWithCustomGradient(x, func(x, vs *graph.Node) *graph.Node {
		return graph.Mul(vs, graph.OnePlus(graph.Sub(x, y)))
	}), inverse)
	return y
}
