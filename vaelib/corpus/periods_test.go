package corpus

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
)

// Without periods a year the window's own are taken: 252 for five days a week.
func TestPeriodsPerYearOfTheWindow(t *testing.T) {
	window, _ := sample(t)
	var days []time.Time
	var returns []float64
	for i, day := range window.Times {
		if wd := day.UTC().Weekday(); wd != time.Saturday && wd != time.Sunday {
			days = append(days, day.UTC())
			returns = append(returns, window.Returns.RawRowView(i)...)
		}
	}
	weekdays := &market.Window{Symbols: window.Symbols, Times: days, Returns: mat.NewDense(len(days), 12, returns)}
	config := Config{Source: Dirichlet, N: 20, Lookbacks: []int{60}, Validation: 0.2}
	volatility := func(w *market.Window, periods float64) float64 {
		config := config
		config.PeriodsPerYear = periods
		found := build(t, w, capped(12, 1), nil, config).Portfolios.Conditions
		return found.Values.At(0, slices.Index(found.Names, "volatility"))
	}
	for _, c := range []struct {
		window *market.Window
		want   float64
	}{{weekdays, 252}, {window, 365}} {
		if got, want := volatility(c.window, 0), volatility(c.window, c.want); math.Abs(got/want-1) > 1e-15 {
			t.Errorf("volatility is %v, want %v of %v periods a year", got, want, c.want)
		}
	}
	byHand := &market.Window{Symbols: window.Symbols, Times: days[:1], Returns: mat.NewDense(1, 12, returns[:12])}
	if err := config.Check(byHand, capped(12, 1)); err == nil || !strings.Contains(err.Error(), "give the periods per year") {
		t.Errorf("times that tell nothing: error %v", err)
	}
}
