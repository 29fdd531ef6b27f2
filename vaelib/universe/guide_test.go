package universe

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// A universe with its truth is the one without, but for its portfolios, unless one of
// them had to be drawn again; no portfolio is truly better than its optimum, and the
// file keeps all.
func TestTruth(t *testing.T) {
	s := Settings{Universes: 20, Portfolios: 2, LeastAssets: 3, MostAssets: 9, LeastPeriods: 30, MostPeriods: 60}
	plain := collect(t, func(use func(*Example) error) error { return Simulate(t.Context(), s, use, nil) })
	s.Truth = true
	all := collect(t, func(use func(*Example) error) error { return Simulate(t.Context(), s, use, nil) })
	var file bytes.Buffer
	same := 0
	for i, e := range all {
		if e.Truth == nil || plain[i].Truth != nil {
			t.Fatalf("universe %d: truth where none was asked for, or none where it was", i)
		}
		if slices.Equal(e.Mean, plain[i].Mean) && e.Cap == plain[i].Cap {
			same++
		}
		set := simplex.Set{N: e.Assets(), Upper: slices.Repeat([]float64{e.Cap}, e.Assets())}
		optimum, err := e.Optimum(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for k := range GuideCount {
			w := e.Weights.RawRowView(k)
			if v := set.Violation(w); v > simplex.Tolerance {
				t.Errorf("universe %d, guide %d: violation %v", i, k, v)
			}
			if share := e.Truth.Sharpe(w) / optimum; share > 1+1e-9 {
				t.Errorf("universe %d, guide %d has %v of the optimum", i, k, share)
			}
		}
		if err := e.Write(&file); err != nil {
			t.Fatal(err)
		}
	}
	if same < 17 {
		t.Errorf("%d of 20 universes only are the same with their truth", same)
	}
	text := file.String()
	for i, e := range collect(t, func(use func(*Example) error) error { return Read(&file, use) }) {
		w := all[i]
		if !slices.Equal(e.Truth.Mean, w.Truth.Mean) || !mat.Equal(e.Truth.Cov, w.Truth.Cov) ||
			!mat.Equal(e.Weights, w.Weights) {
			t.Errorf("universe %d came back changed", i)
		}
	}
	line := strings.SplitAfter(text, "\n")[0]
	before := line[:strings.Index(line, `"truth"`)]
	for want, damaged := range map[string]string{
		"truth: 1 means":        before + `"truth":{"mean":[1],"covariance":[[1]]}}`,
		"truth: covariance: 0":  before + `"truth":{"mean":[1]}}`,
		"truth: covariance: ro": before + `"truth":{"mean":[1],"covariance":[[1,2]]}}`,
		"beside a truth": strings.Replace(line, `"weights":[[`,
			`"weights":[[1`+strings.Repeat(",0", all[0].Assets()-1)+`],[`, 1),
	} {
		err := Read(strings.NewReader(damaged), func(*Example) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// TestGuides holds the guides against what package optimize says of them.
func TestGuides(t *testing.T) {
	returns := noise(80, 6, 4)
	set := simplex.Set{N: 6, Upper: slices.Repeat([]float64{0.4}, 6)}
	guides, err := Guides(t.Context(), returns, set, stream.New(1, "guides", 0))
	if err != nil {
		t.Fatal(err)
	}
	m, err := moments.Estimate(moments.LedoitWolf, returns)
	if err != nil {
		t.Fatal(err)
	}
	means, _, err := m.Means(moments.EmpiricalBayes)
	if err != nil {
		t.Fatal(err)
	}
	best, err := optimize.Solve(t.Context(), optimize.MaxSharpe, &optimize.Inputs{Set: set, Mean: means, Cov: m.Cov})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(best.Weights, guides.RawRowView(0)) {
		t.Errorf("the first guide is %v, want %v", guides.RawRowView(0), best.Weights)
	}
	// Of falling prices no mean is positive: maximum diversification, and minimum variance on average.
	for i := range 80 {
		for j := range 6 {
			returns.Set(i, j, returns.At(i, j)-0.2)
		}
	}
	if guides, err = Guides(t.Context(), returns, set, stream.New(1, "guides", 0)); err != nil {
		t.Fatal(err)
	}
	spread, err := optimize.Solve(t.Context(), optimize.MaxDiversification, &optimize.Inputs{Set: set, Cov: m.Cov})
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range spread.Weights {
		if d := math.Abs(w - guides.At(0, i)); d > 1e-6 {
			t.Errorf("asset %d: %v without a positive mean, maximum diversification has %v", i, guides.At(0, i), w)
		}
	}
}
