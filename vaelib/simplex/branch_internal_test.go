package simplex

import (
	"strings"
	"testing"

	"vaefolio/vaelib/stream"
)

// A search cut short says by how much its answer may be too far away, and an
// honest bound holds against the proven distance.
func TestSearchCutShort(t *testing.T) {
	const n = 15
	s := Set{N: n, MinWeight: 0.11, Upper: make([]float64, n)}
	share := make([]float64, n)
	for i := range n {
		s.Upper[i] = 0.15 + 0.01*float64(i%4)
		share[i] = float64(i%3) / 2
	}
	s.Groups = []Group{{Name: "a", Share: share, Lo: 0.33, Hi: 0.37}}
	cut, unproven := 0, 0
	for k := range uint64(200) {
		rng := stream.New(1, "cut short", k)
		v := make([]float64, n)
		for i := range v {
			v[i] = 0.15 * rng.Float64()
		}
		full := newProjector(s)
		w := make([]float64, n)
		shortest, err := full.Project(w, v)
		if err != nil || full.Gap() != 0 {
			t.Fatalf("gap %v, error %v", full.Gap(), err)
		}
		limited := newProjector(s)
		limited.branching.nodes = 12
		distance, err := limited.Project(w, v)
		if err != nil {
			if !strings.Contains(err.Error(), "12 steps of the search") {
				t.Fatal(err)
			}
			cut++
			continue
		}
		if distance < shortest-1e-9 || distance-limited.Gap() > shortest+1e-9 {
			t.Errorf("distance %v with the gap %v, where the smallest is %v", distance, limited.Gap(), shortest)
		}
		if limited.Gap() > 0 {
			unproven++
		}
	}
	if unproven == 0 {
		t.Errorf("no search was cut short after its first answer (%d before it)", cut)
	}
}
