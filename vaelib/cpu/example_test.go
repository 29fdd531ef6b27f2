package cpu_test

import (
	"fmt"
	"log"

	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/cpu"
)

// A graph is compiled once for each shape of its inputs, here a dense layer and
// the gradient of its mean square, and then called as often as one likes.
func ExampleNew() {
	backend, err := cpu.New()
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Finalize()
	layer := func(x, w *graph.Node) (loss, gradient *graph.Node) {
		loss = graph.ReduceAllMean(graph.Square(graph.MatMul(x, w)))
		return loss, graph.Gradient(loss, w)[0]
	}
	exec, err := graph.NewExec(backend, layer)
	if err != nil {
		log.Fatal(err)
	}
	x := [][]float32{{1, 0}, {0, 2}}
	results, err := exec.Call(x, [][]float32{{3}, {1}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("loss", results[0].Value(), "gradient", results[1].Value())
	// Output: loss 6.5 gradient [[3] [4]]
}
