package report

import (
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
)

func TestWalkForward(t *testing.T) {
	flat, err := metrics.EvaluateSeries([]float64{0, 0, 0}, metrics.Settings{PeriodsPerYear: 365})
	if err != nil {
		t.Fatal(err)
	}
	w := &WalkForward{
		Train: 365, Test: 30, Embargo: 5, Windows: 12, CostBps: 10, Confidence: 0.95,
		Tested: Span{From: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2023, 12, 26, 0, 0, 0, 0, time.UTC), Periods: 360},
		Rows: []Tested{
			{Name: "first", Figures: metrics.Figures{Sharpe: 1.5, PSR: 0.97}, Low: number.Known(0.4), High: number.Known(2.6)},
			{Name: "second", Figures: metrics.Figures{Sharpe: 0.9}, Held: 3},
			{Name: "third", Figures: metrics.Figures{Sharpe: -0.2}},
			{Name: "flat", Figures: flat},
		},
	}
	got := strings.Join(w.Judgement(), "\n")
	for _, want := range []string{"first has the largest Sharpe ratio, 1.50.", "1 of the 2 others lie within it", "second had no answer at 3 of 12"} {
		if !strings.Contains(got, want) {
			t.Errorf("the judgement lacks %q:\n%s", want, got)
		}
	}
	var page strings.Builder
	if err := Write(&page, Document{WalkForward: w}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Walk-forward test", "95 % from", "10 basis points", "the return is the same in every period", "12 of 30 periods, after 365 periods of training"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if lines := (WalkForward{}).Judgement(); len(lines) != 1 || !strings.Contains(lines[0], "No strategy") {
		t.Errorf("without strategies: %q", lines)
	}
}
