package corpus

import (
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

func TestDraw(t *testing.T) {
	rng := stream.New(1, "returns", 0)
	returns := mat.NewDense(80, 6, nil)
	for k := range 80 {
		for i := range 6 {
			returns.Set(k, i, 0.002+0.01*float64(i+1)*rng.NormFloat64())
		}
	}
	set := simplex.Set{N: 6, Upper: slices.Repeat([]float64{0.4}, 6)}
	weights, rows, err := Draw(t.Context(), returns, set, 12, stream.New(2, "draw", 0))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for i, r := range rows {
		counts[r.Source]++
		if v := set.Violation(weights.RawRowView(i)); v > simplex.Tolerance {
			t.Errorf("portfolio %d violates its constraints by %v", i, v)
		}
	}
	if counts[Dirichlet] != 4 || counts[Optimized] != 4 || counts[RiskParity] != 2 || counts[Bootstrap] != 2 {
		t.Errorf("sources are %v, want 4, 4, 2, 2", counts)
	}
	again, _, err := Draw(t.Context(), returns, set, 12, stream.New(2, "draw", 0))
	if err != nil || !mat.Equal(weights, again) {
		t.Errorf("an equal source gives other portfolios (%v)", err)
	}
}
