package choose

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// A prospect is the outcomes of the same settings, and says how they were made.
func TestProspect(t *testing.T) {
	weights := feasible(t, capped(1), 2)
	for _, settings := range []OutcomeSettings{
		{Paths: 20, Horizon: 5, Seed: 1},
		{Paths: 20, Horizon: 5, Regimes: 2, Seed: 1},
	} {
		outlooks, err := Outcomes(t.Context(), weights, returns(), settings)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewProspect(t.Context(), weights, returns(), settings)
		if err != nil {
			t.Fatal(err)
		}
		if p.Paths != 20 || p.Horizon != 5 || p.Fall != 0.2 || len(p.Outlooks) != 2 ||
			p.Outlooks[1].Loss != outlooks[1].Loss {
			t.Errorf("%+v", p)
		}
		if (p.Block == nil) != (settings.Regimes > 0) || p.Block != nil && *p.Block != outlooks[0].MeanBlock ||
			len(p.Stays) != settings.Regimes {
			t.Errorf("%d regimes: block %v, stays %v", settings.Regimes, p.Block, p.Stays)
		}
		fan := p.Fan()
		header := "portfolio,period,wealth_p05,wealth_p25,wealth_p50,wealth_p75,wealth_p95"
		if strings.Join(fan.Header, ",") != header || len(fan.Rows) != 12 ||
			!slices.Equal(fan.Rows[6], []float64{2, 0, 1, 1, 1, 1, 1}) {
			t.Errorf("fan of %v: %v", fan.Header, fan.Rows)
		}
	}
}

func TestStressSummary(t *testing.T) {
	weights := mat.NewDense(2, 7, []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 1, 0, 0, 0, 0, 0, 0})
	all := Stress{"all fall", func(dst, w []float64) { copy(dst, w); dst[0] /= 2 }}
	results, err := RunStresses(t.Context(), weights, []Stress{all}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(results[0].Summary([]string{"A", "B", "C", "D", "E", "F", "G"}))
	want := `{"name":"all fall","mean_loss":0.725,"worst_loss":0.95,"drivers":[{"symbol":"G","loss":0.3},` +
		`{"symbol":"F","loss":0.2},`
	if err != nil || !strings.HasPrefix(string(text), want) || strings.Count(string(text), "symbol") != 10 {
		t.Errorf("%s, %v", text, err)
	}
}
