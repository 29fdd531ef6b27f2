package vae

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/universe"
)

// TestSetCompilesByBucket places a model in universes of 2 to 200 assets, and counts
// how often a graph is built for it: once a bucket.
func TestSetCompilesByBucket(t *testing.T) {
	b, err := Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := SetConfig{Latent: 2, Width: 4, Heads: 1, Blocks: 1, Seed: 1}
	network := newSetNetwork(c)
	m, err := newSetModel(b, setDocument{Version: setVersion, Config: c, Scale: 0.3}, network.initial())
	if err != nil {
		t.Fatal(err)
	}
	counted, built := &setPrograms{network: network}, map[**graph.Exec]int{}
	for _, g := range counted.ofModel(network) {
		if *g.program, err = graph.NewExec(b.engine, func(in []*graph.Node) []*graph.Node {
			built[g.program]++
			return g.build(in)
		}); err != nil {
			t.Fatal(err)
		}
		(*g.program).SetMaxCache(-1)
	}
	defer counted.finalize()
	m.programs = counted
	for n := 2; n <= 200; n = max(n+1, min(n+1+n/16, 200)) {
		u, err := universe.New(nil, normalRows(8, n, uint64(n)), 0.9)
		if err != nil {
			t.Fatal(err)
		}
		placed, err := m.Of(u)
		if err != nil {
			t.Fatal(err)
		}
		weights := mat.NewDense(1, n, nil)
		weights.Set(0, 0, 1)
		if _, _, err := placed.EncodeContext(t.Context(), weights); err != nil {
			t.Fatal(err)
		}
	}
	const buckets = 11 // 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256
	if built[&counted.read] != buckets || built[&counted.encode] != buckets {
		t.Errorf("%d and %d graphs built for 2 to 200 assets, want %d", built[&counted.read], built[&counted.encode], buckets)
	}
}
