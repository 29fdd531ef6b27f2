package features

import (
	"math"
	"slices"
	"testing"

	"vaefolio/vaelib/stream"
)

// Two assets with correlation 1/2: eigenvalues 3/2 and 1/2 over 2 assets.
func TestCorrelationByHand(t *testing.T) {
	a := []float64{0.1, -0.1, 0, 0}
	b := []float64{0.1, 0, -0.1, 0}
	table := mustBuild(t, window(a, b), Config{Windows: []int{2}, Lookback: 2, NoAssets: true, Correlation: &Correlation{Lookback: 4}})
	for name, want := range map[string]float64{
		"correlation.share.1": 0.75, "A.loading.1": math.Sqrt(0.5), "B.loading.1": math.Sqrt(0.5), "correlation.share.2": 0.25,
	} {
		c, ok := table.Column(name)
		if !ok || !c.Defined[3] || math.Abs(c.Values[3]-want) > 1e-15 {
			t.Errorf("%s is %v, not %v", name, c, want)
		}
		if ok && slices.Contains(c.Defined[:3], true) {
			t.Errorf("%s is defined before its lookback is full", name)
		}
	}
	var product float64
	for _, name := range []string{"A.loading.2", "B.loading.2"} {
		c, _ := table.Column(name)
		product += c.Values[3] * math.Sqrt(0.5)
	}
	if math.Abs(product) > 1e-15 {
		t.Errorf("components have the inner product %v", product)
	}
}

// Two blocks of assets take turns in being the more alike, so that their
// eigenvalues cross again and again. Matched components stay with their block;
// by rank alone they would swap.
func TestComponentsKeepTheirPlace(t *testing.T) {
	const rows, n = 2000, 6
	rng := stream.New(1, "features.test.blocks", 0)
	returns := make([][]float64, n)
	for j := range returns {
		returns[j] = make([]float64, rows)
	}
	for i := range rows {
		common := [2]float64{rng.NormFloat64(), rng.NormFloat64()}
		for j := range n {
			block := j / 3
			strength := 0.85 + 0.08*math.Sin(float64(i)/150+math.Pi*float64(block))
			returns[j][i] = 0.02 * (math.Sqrt(strength)*common[block] + math.Sqrt(1-strength)*rng.NormFloat64())
		}
	}
	for j := range returns {
		for i := range returns[j] {
			returns[j][i] = max(-0.9, returns[j][i])
		}
	}
	at := []int{}
	for i := 119; i < rows; i += 5 {
		at = append(at, i)
	}
	table := mustBuild(t, window(returns...), Config{NoAssets: true, Correlation: &Correlation{Lookback: 120, Components: 2, At: at}})
	get := func(name string, row int) float64 {
		c, ok := table.Column(name)
		if !ok || !c.Defined[row] {
			t.Fatalf("%s is not defined at row %d", name, row)
		}
		return c.Values[row]
	}
	crossed, least := 0, 1.0
	for k, i := range at {
		if get("correlation.share.1", i) < get("correlation.share.2", i) {
			crossed++
		}
		if k == 0 {
			continue
		}
		for _, number := range []string{"1", "2"} {
			var inner float64
			for j := range n {
				name := string(rune('A'+j)) + ".loading." + number
				inner += get(name, i) * get(name, at[k-1])
			}
			least = min(least, inner)
		}
	}
	if crossed == 0 || crossed == len(at) {
		t.Errorf("eigenvalues never crossed: the test shows nothing")
	}
	if least < 0.7 {
		t.Errorf("a component turned within 5 rows: inner product %.3f with what it was", least)
	}
}

// A component that finds no place by likeness takes a free one; one that was
// away comes back to its own.
func TestMatch(t *testing.T) {
	x, y := []float64{1, 0}, []float64{0, 1}
	before := []component{{share: 0.6, loading: x}, {share: 0.4, loading: y}}
	now := []component{{share: 0.7, loading: []float64{0.1, -0.99}}, {share: 0.3, loading: []float64{0.99, 0.1}}}
	got := match(now, before)
	if got[0].share != 0.3 || got[1].share != 0.7 || got[1].loading[1] != 0.99 || got[0].loading[0] != 0.99 {
		t.Errorf("matched %+v", got)
	}
	got = match([]component{{share: 1, loading: []float64{absent, 1}}}, before)
	if got[0].loading != nil || got[1].share != 1 {
		t.Errorf("one component was matched to %+v", got)
	}
	got = match(before, []component{{share: 1, loading: []float64{absent, -1}}})
	if got[0].share != 0.4 || got[0].loading[1] != -1 || got[1].share != 0.6 {
		t.Errorf("two components were matched to %+v", got)
	}
}
