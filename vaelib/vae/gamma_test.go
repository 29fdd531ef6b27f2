package vae

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mathext"
)

// logGamma and its gradient, digamma, in float64 against other people's, from
// arguments where 1/x is all there is to those where Stirling's series is.
func TestLogGamma(t *testing.T) {
	var x []float64
	for e := -6.0; e <= 6; e += 1. / 32 {
		x = append(x, math.Pow(10, e))
	}
	x = append(x, 1, 1.4616321449683623, 2, 0.5, 7.999999, 8) // roots among them
	forBackends(t, func(t *testing.T, b *Backend) {
		e, err := graph.NewExec(b.engine, func(x *graph.Node) []*graph.Node {
			y := logGamma(x)
			return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(y), x)[0], digamma(x)}
		})
		if err != nil {
			t.Fatal(err)
		}
		out := call64(t, e, x)
		for i, v := range x {
			want, _ := math.Lgamma(v)
			slope := mathext.Digamma(v)
			near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-10*max(1, math.Abs(want)) }
			if !near(out[0][i], want) {
				t.Errorf("log Gamma(%v) is %v, want %v", v, out[0][i], want)
			}
			if !near(out[2][i], slope) {
				t.Errorf("digamma(%v) is %v, want %v", v, out[2][i], slope)
			}
			if !near(out[1][i], slope) {
				t.Errorf("gradient of log Gamma at %v is %v, want %v", v, out[1][i], slope)
			}
		}
	})
}
