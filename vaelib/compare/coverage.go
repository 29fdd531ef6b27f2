package compare

import (
	"encoding/json"
	"fmt"
	"time"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/metrics"
)

// Coverage tells whether a VaR forecast from past returns alone, the historical
// one of a rolling window, was exceeded as often as it should be.
type Coverage struct {
	Level        float64 `json:"level"`
	Window       int     `json:"window"`  // past periods that each forecast rests on
	Periods      int     `json:"periods"` // forecast
	Exceedances  int     `json:"exceedances"`
	Kupiec       Test    `json:"kupiec"`
	Independence Test    `json:"independence"`
	Conditional  Test    `json:"christoffersen"` // coverage and independence at once
}

// Test is a likelihood-ratio test.
type Test struct {
	Statistic float64 `json:"statistic"`
	PValue    float64 `json:"p"`
}

// cover forecasts the VaR of every period after the first window.
func cover(returns []float64, level float64, window int) (*Coverage, error) {
	tested := len(returns) - window
	if tested < 20 {
		return nil, fmt.Errorf("%d periods leave %d after a window of %d: too few to test a VaR", len(returns),
			max(0, tested), window)
	}
	forecasts := make([]float64, tested)
	for t := range forecasts {
		f, err := metrics.EvaluateSeries(returns[t:t+window], metrics.Settings{
			PeriodsPerYear: 1, Level: level, Figures: metrics.Of(metrics.VaR),
		})
		if err != nil {
			return nil, err
		}
		forecasts[t] = f.VaR
	}
	c, err := inference.Christoffersen(inference.Exceedances(returns[window:], forecasts), level)
	if err != nil {
		return nil, err
	}
	return &Coverage{
		Level: level, Window: window, Periods: tested, Exceedances: c.Exceedances, Kupiec: Test(c.Unconditional),
		Independence: Test(c.Independence), Conditional: Test(c.Conditional),
	}, nil
}

// Figures of a track, written as a JSON object in their order.
type Figures []Figure

// MarshalJSON writes an object from names to values with intervals.
func (f Figures) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, figure := range f {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(figure.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(figure)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// Get returns a figure by its name, the zero value where there is none.
func (f Figures) Get(name string) Figure {
	for _, figure := range f {
		if figure.Name == name {
			return figure
		}
	}
	return Figure{}
}

// stamp writes a time as files of returns do: a date where it is one.
func stamp(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}
