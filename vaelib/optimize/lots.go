package optimize

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// Allocation is a portfolio in whole lots.
type Allocation struct {
	Units   []float64 // n: what to hold of each asset, a multiple of its lot
	Weights []float64 // n: share of the cash, without what is left over
	Cash    float64   // left over
	// Distance is the largest difference from the weights asked for.
	Distance float64
}

// mostLots of one asset can be counted exactly.
const mostLots = 1 << 53

// Allocate turns weights (n, not negative) into whole lots: what cash buys at
// the prices (n), in multiples of the lots (n; nil means 1 each). Each asset
// first gets what its weight affords, rounded down; then, as long as cash
// lasts, the asset that is furthest below its weight and affordable gets
// another lot, unless that would take it further from its weight than it is.
func Allocate(weights, prices, lots []float64, cash float64) (*Allocation, error) {
	n := len(weights)
	if len(prices) != n || lots != nil && len(lots) != n {
		panic("optimize: weights, prices and lots differ in length")
	}
	if !(cash > 0) || math.IsInf(cash, 0) {
		return nil, fmt.Errorf("a cash amount of %v: it must be positive and finite", cash)
	}
	a := &Allocation{Units: make([]float64, n), Weights: make([]float64, n), Cash: cash}
	price := make([]float64, n) // of one lot
	count := make([]float64, n)
	var sum float64
	for j, w := range weights {
		lot := 1.0
		if lots != nil {
			lot = lots[j]
		}
		price[j] = prices[j] * lot
		if !(price[j] > 0) || math.IsInf(price[j], 0) {
			return nil, fmt.Errorf("asset %d has the price %v and the lot %v: both must be positive and finite",
				j, prices[j], lot)
		}
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("asset %d has the weight %v: whole lots are for long positions", j, w)
		}
		sum += w
		if count[j] = math.Floor(w*cash/price[j] + 1e-9); count[j] > mostLots {
			return nil, fmt.Errorf("asset %d would get more than %v lots of %v: give larger lots",
				j, float64(mostLots), lot)
		}
		a.Cash -= count[j] * price[j]
	}
	if sum > 1+1e-9 {
		return nil, fmt.Errorf("the weights sum to %v: that is more than the cash", sum)
	}
	for {
		best, most := -1, 0.0
		for j, w := range weights {
			short := w - count[j]*price[j]/cash
			if price[j] <= a.Cash && short > most && price[j]/cash < 2*short {
				best, most = j, short
			}
		}
		if best < 0 {
			break
		}
		count[best]++
		a.Cash -= price[best]
	}
	if floats.Max(count) == 0 {
		return nil, fmt.Errorf("%v buys nothing near the weights, as the cheapest lot costs %v: give more cash, or "+
			"smaller lots", cash, floats.Min(price))
	}
	a.Cash = max(a.Cash, 0)
	for j, w := range weights {
		lot := 1.0
		if lots != nil {
			lot = lots[j]
		}
		a.Units[j] = count[j] * lot
		a.Weights[j] = count[j] * price[j] / cash
		a.Distance = max(a.Distance, math.Abs(a.Weights[j]-w))
	}
	return a, nil
}
