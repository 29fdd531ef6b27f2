package choose

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// window is that of the tests' returns, a day each from 2024 on.
func window() *market.Window {
	r := returns()
	rows, n := r.Dims()
	w := &market.Window{Returns: r}
	for j := range n {
		w.Symbols = append(w.Symbols, fmt.Sprint("S", j))
	}
	for i := range rows {
		w.Times = append(w.Times, time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC))
	}
	return w
}

// Scenarios and stresses are as many as the settings say, the worst stretches by their
// dates, and as bad as the returns of those dates.
func TestSettingsMakeScenariosAndStresses(t *testing.T) {
	w := window()
	s := Settings{Horizon: 5, Paths: 7, Crises: 2, Shocks: []float64{1, 2}}
	scenarios, err := s.Scenarios(w, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := scenarios.Returns.Dims()
	if extremes := rows - s.Paths; len(scenarios.Names) != rows || extremes < s.Crises+len(s.Shocks) {
		t.Errorf("%d scenarios with the names %q", rows, scenarios.Names)
	}
	crises, err := WorstWindows(w.Returns, s.Crises, s.Horizon)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range crises {
		name := w.Times[c.From].Format(time.DateOnly) + " to " + w.Times[c.To-1].Format(time.DateOnly)
		if got := scenarios.Names[s.Paths+i]; got != name {
			t.Errorf("the worst stretch %d is named %q, want %q", i, got, name)
		}
		wealth := 1.0
		for k := c.From; k < c.To; k++ {
			wealth *= 1 + w.Returns.At(k, 0)
		}
		if got := scenarios.Returns.At(s.Paths+i, 0); math.Abs(got-(wealth-1)) > 1e-12 {
			t.Errorf("the worst stretch %d has the return %v, want %v", i, got, wealth-1)
		}
	}
	again, err := s.Scenarios(w, 1)
	if err != nil || !mat.Equal(again.Returns, scenarios.Returns) {
		t.Errorf("one seed gives two sets of scenarios, %v", err)
	}
	plain, err := s.Stresses(w, nil, 0)
	if err != nil || len(plain) != rows-s.Paths+3+len(w.Symbols) {
		t.Errorf("%d stresses, %v", len(plain), err)
	}
	traded := make([]float64, len(w.Symbols))
	for j := range traded {
		traded[j] = 1e6
	}
	liquid, err := s.Stresses(w, traded, 1e5)
	if err != nil || len(liquid) != len(plain)+1 || liquid[len(plain)].Name != "liquidation" {
		t.Errorf("%d stresses with values traded, %v", len(liquid), err)
	}
	for name, wrong := range map[string]Settings{
		"no paths":              {Horizon: 5, Crises: 2, Shocks: []float64{1}},
		"a horizon past all":    {Horizon: 1e6, Paths: 3, Crises: 2, Shocks: []float64{1}},
		"an endless shock":      {Horizon: 5, Paths: 3, Crises: 2, Shocks: []float64{math.Inf(1)}},
		"crises of no duration": {Paths: 3, Crises: 2, Shocks: []float64{1}},
	} {
		if _, err := wrong.Scenarios(w, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := (&Settings{Horizon: 1e6, Crises: 1}).Stresses(w, nil, 0); err == nil {
		t.Error("stresses past all returns: no error")
	}
}

func TestHardest(t *testing.T) {
	results := []StressResult{{Losses: []float64{0.1, 0.5, 0.2}}, {Losses: []float64{0.4, 0, 0.2}}}
	if rows, losses := Hardest(results, 2); fmt.Sprint(rows, losses) != "[1 0] [0.5 0.4]" {
		t.Errorf("the hardest hit are %v, with %v", rows, losses)
	}
	if rows, _ := Hardest(results, 9); len(rows) != 3 {
		t.Errorf("nine of three are %v", rows)
	}
}

func TestVariedFront(t *testing.T) {
	weights := mat.NewDense(3, 2, []float64{1, 0, 0.9, 0.1, 0, 1})
	figures := []metrics.Figures{
		{AnnualReturn: 3, Volatility: 3, EffectiveAssets: 1}, {AnnualReturn: 2, Volatility: 2, EffectiveAssets: 1},
		{AnnualReturn: 1, Volatility: 1, EffectiveAssets: 1},
	}
	f, err := VariedFront(t.Context(), weights, figures, DefaultGoals(), 2)
	if err != nil || f.Candidates != 3 || f.Size != 3 || math.Abs(f.Least-math.Sqrt2) > 1e-15 || fmt.Sprint(f.Rows) != "[0 2]" {
		t.Errorf("the varied part is %+v, %v", f, err)
	}
	if f, err := VariedFront(t.Context(), weights, figures, DefaultGoals(), 1); err != nil || f.Least != 0 {
		t.Errorf("a single one is %+v, %v", f, err)
	}
	still := make([]metrics.Figures, 3)
	for i := range still {
		still[i].Undefined = metrics.Of(metrics.Volatility)
	}
	if _, err := VariedFront(t.Context(), weights, still, DefaultGoals(), 1); err == nil ||
		!strings.Contains(err.Error(), "do the prices move at all?") {
		t.Errorf("prices that never move: %v", err)
	}
	if _, err := VariedFront(t.Context(), weights, figures, nil, 1); err == nil {
		t.Error("no goals: no error")
	}
}

// What is written of a search says where it found nothing.
func TestUndefinedIsNull(t *testing.T) {
	for want, value := range map[string]any{
		`{"value":null,"evaluations":3,"evaluations_to_match":0}`: &Ascent{Value: math.Inf(-1), Evaluations: 3},
		`{"value":0.5,"evaluations":3,"evaluations_to_match":2}`:  &Ascent{Value: 0.5, Evaluations: 3, Matched: 2},
		`{"name":"a","value":null}`:                               Rival{Name: "a", Value: math.Inf(-1)},
		`{"name":"a","value":2}`:                                  Rival{Name: "a", Value: 2},
	} {
		if text, err := json.Marshal(value); err != nil || string(text) != want {
			t.Errorf("%s, %v, want %s", text, err, want)
		}
	}
	said := (&Ascent{Value: 1.5, Evaluations: 9, Elapsed: time.Millisecond, Matched: 4, MatchedAfter: time.Microsecond}).String()
	if said != "1.5 by projected gradient on the weights, 9 evaluations in 1ms; it reached the search's value after 4, in 1µs" {
		t.Errorf("it says %q", said)
	}
}

// kink is the least weight: it has its largest value, 1/n, where all are equal.
type kink struct{}

func (kink) Clone() metrics.Objective { return kink{} }

func (kink) Value(w []float64) float64 { return kink{}.Gradient(make([]float64, len(w)), w) }

func (kink) Gradient(dst, w []float64) float64 {
	least := 0
	for j, x := range w {
		dst[j] = 0
		if x < w[least] {
			least = j
		}
	}
	dst[least] = 1
	return w[least]
}

// Where a line search stalls at kinks, steps that shrink go on; an objective without a
// value anywhere has -Inf and no weights.
func TestProjectedGradientOverKinks(t *testing.T) {
	set := simplex.Set{N: 5, Upper: []float64{1, 1, 1, 1, 0.15}} // so that 1/n is none of it
	found, err := ProjectedGradient(t.Context(), kink{}, set, AscentSettings{Evaluations: 5000, Rng: stream.New(1, "test.kink", 0)})
	if err != nil || found.Value < 0.15-0.005 || found.Value > 0.15+1e-12 {
		t.Errorf("the least weight is %v at most, want .15: %v", found.Value, err)
	}
	r := mat.NewDense(30, 5, nil) // prices that never move
	objective, err := metrics.NewObjective(metrics.MaximizeSharpe, r, daily)
	if err != nil {
		t.Fatal(err)
	}
	found, err = ProjectedGradient(t.Context(), objective, set, AscentSettings{Evaluations: 50, Rng: stream.New(1, "test.kink", 1)})
	if err != nil || !math.IsInf(found.Value, -1) || found.Weights != nil {
		t.Errorf("without a value anywhere: %+v, %v", found, err)
	}
}
