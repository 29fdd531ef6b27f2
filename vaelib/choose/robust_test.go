package choose

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
)

// tiny returns have known compounds: 3 assets, 6 periods.
func tiny() *mat.Dense {
	return mat.NewDense(6, 3, []float64{
		0.10, 0.00, 0.00,
		-0.50, -0.10, 0.00,
		-0.20, -0.10, 0.00,
		0.30, 0.10, 0.00,
		0.00, -0.30, 0.00,
		0.00, 0.00, -0.20,
	})
}

func TestWorstWindows(t *testing.T) {
	// Of two periods: 2-3 lose (-.6-.19)/3, 5-6 lose (-.3-.2)/3, 1-2 overlap.
	crises, err := WorstWindows(tiny(), 5, 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Crisis{{1, 3}, {4, 6}}; !slices.Equal(crises, want) {
		t.Errorf("crises %v, want %v: no others fit between", crises, want)
	}
	s, err := CrisisScenarios(tiny(), crises)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{-0.6, -0.19, 0, 0, -0.3, -0.2} {
		if got := s.Returns.At(i/3, i%3); math.Abs(got-want) > 1e-12 {
			t.Errorf("scenario %d, asset %d: %v, want %v", i/3, i%3, got, want)
		}
	}
	if s.Names[0] != "periods 2 to 3" {
		t.Errorf("name %q", s.Names[0])
	}
	for _, c := range []struct{ count, length int }{{0, 2}, {1, 0}, {1, 7}} {
		if _, err := WorstWindows(tiny(), c.count, c.length); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
	for _, bad := range [][]Crisis{nil, {{3, 3}}, {{0, 7}}} {
		if _, err := CrisisScenarios(tiny(), bad); err == nil {
			t.Errorf("no error for crises %v", bad)
		}
	}
}

func TestBootstrapScenarios(t *testing.T) {
	s, err := BootstrapScenarios(returns(), 400, 20, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := BootstrapScenarios(returns(), 10, 20, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(s.Returns.Slice(0, 10, 0, assets), fewer.Returns) {
		t.Error("the first scenarios depend on how many there are")
	}
	// 20 periods of the last asset earn about 20 times its mean.
	var mean, want float64
	for t := range 400 {
		mean += s.Returns.At(t, assets-1) / 400
		want += returns().At(t, assets-1) / 400 * 20
	}
	if math.Abs(mean-want) > 0.03 {
		t.Errorf("mean outcome %v, want about %v", mean, want)
	}
	// One period at a time is a row of the data.
	one, err := BootstrapScenarios(tiny(), 1, 1, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for i := range 6 {
		found = found || math.Abs(tiny().At(i, 0)-one.Returns.At(0, 0))+math.Abs(tiny().At(i, 1)-one.Returns.At(0, 1)) < 1e-12
	}
	if !found {
		t.Errorf("a scenario of one period, %v, is none of the data's", one.Returns)
	}
	if _, err := BootstrapScenarios(tiny(), 1, 1, 0.5, 3); err == nil {
		t.Error("no error for blocks of half a period")
	}
}

func TestShockScenarios(t *testing.T) {
	s, err := ShockScenarios(returns(), 4, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := s.Returns.Dims(); r != 4 || len(s.Names) != 4 {
		t.Fatalf("%d scenarios, %d names", r, len(s.Names))
	}
	// The market itself falls by size deviations over the horizon: betas average 1.
	market, spread := make([]float64, 400), 0.0
	for i := range market {
		for j := range assets {
			market[i] += returns().At(i, j) / assets
		}
	}
	var mean float64
	for _, m := range market {
		mean += m / 400
	}
	for _, m := range market {
		spread += (m - mean) * (m - mean) / 399
	}
	for k, size := range []float64{1, 3} {
		var fall float64
		for j := range assets {
			fall -= math.Log1p(s.Returns.At(2*k, j)) / assets
			if s.Returns.At(2*k+1, j) > s.Returns.At(2*k, j) {
				t.Errorf("asset %d falls less with correlations at one", j)
			}
		}
		if want := size * 2 * math.Sqrt(spread); math.Abs(fall-want) > 1e-12 {
			t.Errorf("the market falls by %v, want %v", fall, want)
		}
	}
	total, err := ShockScenarios(returns(), 400, 30)
	if err != nil || total.Returns.At(0, 0) < -1 || total.Returns.At(0, 0) > -0.99 {
		t.Errorf("a huge shock: %v, error %v", total, err)
	}
	for _, sizes := range [][]float64{nil, {-1}} {
		if _, err := ShockScenarios(returns(), 1, sizes...); err == nil {
			t.Errorf("no error for sizes %v", sizes)
		}
	}
	if _, err := ShockScenarios(mat.NewDense(5, 2, nil), 1, 1); err == nil {
		t.Error("no error for a market that never moves")
	}
}

func TestRobustStaysBelowTheBound(t *testing.T) {
	set := capped(0.4)
	weights := feasible(t, set, 300)
	paths, err := BootstrapScenarios(returns(), 60, 10, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	heldOut, err := BootstrapScenarios(returns(), 60, 10, 5, 2)
	if err != nil {
		t.Fatal(err)
	}
	shocks, err := ShockScenarios(returns(), 10, 2)
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := paths.Join(shocks)
	if err != nil || len(scenarios.Names) != 62 {
		t.Fatalf("%d scenarios, error %v", len(scenarios.Names), err)
	}
	s, err := Robust(t.Context(), weights, set, scenarios, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	for i, worst := range s.Worst {
		if worst > s.Bound+1e-9 || worst > s.Worst[s.Row] {
			t.Fatalf("row %d has %v; chosen %v, bound %v", i, worst, s.Worst[s.Row], s.Bound)
		}
	}
	if len(s.Ranking) != 300 || s.Ranking[0] != s.Row || s.Worst[s.Ranking[299]] != slices.Min(s.Worst) {
		t.Error("the ranking is not in order")
	}
	for _, j := range s.Judgements {
		if set.Violation(j.Weights) > 1e-9 || j.HeldOutWorst > j.HeldOutTail || j.HeldOutTail > j.HeldOutMean || !slices.Contains(scenarios.Names, j.WorstScenario) {
			t.Errorf("%+v", j)
		}
	}
	if j := s.Judgements[1]; j.Name != judgedBound || math.Abs(j.Worst-s.Bound) > 1e-9 {
		t.Errorf("the programme's optimum has %v, the bound is %v", j.Worst, s.Bound)
	}
	if _, err := Robust(t.Context(), weights, simplex.Set{N: 3}, scenarios, heldOut); err == nil || !strings.Contains(err.Error(), "agree") {
		t.Errorf("a set of other assets: error %v", err)
	}
	if _, err := paths.Join(&Scenarios{Returns: tiny()}); err == nil {
		t.Error("no error for scenarios of other assets")
	}
}
