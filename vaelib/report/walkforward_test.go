package report

import (
	"strings"
	"testing"
	"time"
)

func TestWalkForward(t *testing.T) {
	w := &WalkForward{
		Train: 365, Test: 30, Embargo: 5, Windows: 12, CostBps: 10, Confidence: 0.95,
		Tested: Span{From: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2023, 12, 26, 0, 0, 0, 0, time.UTC), Periods: 360},
		Rows: []Tested{
			{Name: "first", Sharpe: Known(1.5), Low: Known(0.4), High: Known(2.6), PSR: Known(0.97)},
			{Name: "second", Sharpe: Known(0.9), Held: 3},
			{Name: "third", Sharpe: Known(-0.2)},
			{Name: "flat", Sharpe: Unknown("no volatility")},
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
	for _, want := range []string{"Walk-forward test", "95 % interval", "10 basis points", "no volatility", "12 of 30 periods, after 365 periods of training"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if lines := (WalkForward{}).Judgement(); len(lines) != 1 || !strings.Contains(lines[0], "No strategy") {
		t.Errorf("without strategies: %q", lines)
	}
}
