package regime

import (
	"fmt"
	"math"
	"slices"
)

// Grid crosses three levels of volatility with two of trend. Its thresholds
// come from training rows; the state of a row needs that row alone.
type Grid struct {
	Low   float64 `json:"low"`   // volatility: below it is low
	High  float64 `json:"high"`  // volatility: from it on high
	Trend float64 `json:"trend"` // trend: from it on rising
}

// GridStates is the number of states of a [Grid].
const GridStates = 6

// FitGrid takes the terciles of the training rows' volatility (any unit) as
// thresholds; a trend of 0 is the other. It returns an error for fewer than 3
// values, for one that is not finite, and for a volatility whose terciles
// coincide.
func FitGrid(volatility []float64) (*Grid, error) {
	if len(volatility) < 3 {
		return nil, fmt.Errorf("%d volatilities have no terciles: train on at least 3 rows", len(volatility))
	}
	for i, v := range volatility {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("volatility of training row %d is %v: leave out undefined rows", i, v)
		}
	}
	sorted := slices.Sorted(slices.Values(volatility))
	n := len(sorted)
	// The middle third begins at n/3, the upper at 2n/3, rounded.
	g := &Grid{Low: sorted[(n+1)/3], High: sorted[(2*n+1)/3]}
	if !(g.Low < g.High) {
		return nil, fmt.Errorf("terciles of the volatility coincide at %v: it varies too little for regimes", g.Low)
	}
	return g, nil
}

// State returns 0 to 5: twice the level of volatility, and 1 more where the
// trend is rising.
func (g *Grid) State(volatility, trend float64) int {
	state := 0
	if volatility >= g.Low {
		state += 2
	}
	if volatility >= g.High {
		state += 2
	}
	if trend >= g.Trend {
		state++
	}
	return state
}

// GridName returns the name of a state of a grid. It holds no comma, so that a
// wish can name it.
func GridName(state int) string {
	return [GridStates]string{
		"falling at low volatility", "rising at low volatility",
		"falling at middle volatility", "rising at middle volatility",
		"falling at high volatility", "rising at high volatility",
	}[state]
}
