package vae

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"vaefolio/vaelib/stream"
)

// TestSetFused holds the loop's attention, and its gradient, against that of all else, by
// the same executor: padded groups, each universe's mask for two portfolios.
func TestSetFused(t *testing.T) {
	const universes, groups, n = 3, 6, 5
	network := newSetNetwork(SetConfig{Latent: 2, Width: 8, Heads: 2, Blocks: 1})
	width := 3 * network.config.Width
	exec, err := graph.NewExec(openTest(t, "go").engine, func(qkv, mask, g *graph.Node) []*graph.Node {
		tape := &setTape{network: network, in: setInputs{mask: mask}}
		absent := graph.MulScalar(graph.OneMinus(tape.presence(groups)), farBelow)
		var out []*graph.Node
		for _, y := range []*graph.Node{tape.attend(qkv, absent), tape.attendFused(qkv)} {
			out = append(out, y, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, g)), qkv)[0])
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	random := func(seed uint64, dims ...int) *tensors.Tensor {
		size := 1
		for _, d := range dims {
			size *= d
		}
		v := make([]float32, size)
		fillNormals(v, stream.Source(seed, "fused", 0))
		return tensors.FromFlatDataAndDimensions(v, dims...)
	}
	mask := []float32{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0}
	out, err := call(exec, random(1, groups, n, width), tensors.FromFlatDataAndDimensions(mask, universes, n),
		random(2, groups, n, network.config.Width))
	if err != nil {
		t.Fatal(err)
	}
	for k, what := range []string{"attention", "gradient"} {
		for i, want := range out[k] {
			if got := out[2+k][i]; !(math.Abs(float64(got-want)) < 2e-6) {
				t.Fatalf("%s, entry %d: %v, want %v", what, i, got, want)
			}
		}
	}
}
