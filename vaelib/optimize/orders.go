package optimize

import (
	"math"

	"vaefolio/vaelib/simplex"
)

// Orders returns what to trade (n, units; below 0 to sell), in whole lots, to get from what is
// held (n, shares of the cash) to the allocation, and what remains then of each asset (n,
// units). Holdings may be in parts of a lot: the number of lots is the nearest one, but no more
// is sold than is held, and orders go that much less far where the bounds from above, or the
// cash, would be exceeded. Lots and prices are those of [Allocate].
func (a *Allocation) Orders(held, prices []float64, cash float64, lots Lots, set *simplex.Set) (
	orders, remains []float64,
) {
	n := len(held)
	t := &trades{allocation: a, lot: make([]float64, n), price: make([]float64, n), held: make([]float64, n),
		lots: make([]float64, n)}
	for j := range n {
		if t.lot[j] = 1; lots.Size != nil {
			t.lot[j] = lots.Size[j]
		}
		t.price[j] = prices[j] * t.lot[j] / cash
		t.held[j] = held[j] / t.price[j]
		t.lots[j] = max(math.Round(a.Units[j]/t.lot[j]-t.held[j]), -t.most(j))
	}
	for j := range n {
		if set.Upper != nil {
			t.bound(func(k int) float64 {
				if k == j {
					return 1
				}
				return 0
			}, set.Upper[j])
		}
	}
	for _, g := range set.Groups {
		t.bound(func(j int) float64 { return g.Share[j] }, g.Hi)
	}
	t.bound(func(int) float64 { return 1 }, 1)
	orders, remains = make([]float64, n), make([]float64, n)
	for j, count := range t.lots {
		orders[j], remains[j] = inUnits(count, t.lot[j]), (t.held[j]+count)*t.lot[j]
	}
	return orders, remains
}

// trades are orders in the making, in lots.
type trades struct {
	allocation       *Allocation
	lot, price, held []float64 // price of a lot as a share of the cash
	lots             []float64
}

// most is how many lots of asset j can be sold.
func (t *trades) most(j int) float64 {
	return max(math.Floor(t.held[j]+1e-6), 0)
}

// bound sells more, or buys less, until the weights by these shares sum to hi at most: of the
// asset first that exceeds the allocation most.
func (t *trades) bound(share func(j int) float64, hi float64) {
	for {
		sum, best, most := 0.0, -1, math.Inf(-1)
		for j, lots := range t.lots {
			weight := (t.held[j] + lots) * t.price[j]
			sum += share(j) * weight
			if over := weight - t.allocation.Weights[j]; share(j) > 0 && lots > -t.most(j) && over > most {
				best, most = j, over
			}
		}
		if sum <= hi+rounding || best < 0 {
			return
		}
		excess := math.Ceil((sum - hi - rounding) / (share(best) * t.price[best])) // in lots
		t.lots[best] -= max(1, min(excess, t.lots[best]+t.most(best)))
	}
}

// inUnits is so many lots in units, as a decimal number where the lot is one.
func inUnits(count, lot float64) float64 {
	if per := math.Round(1 / lot); per > 1 && math.Abs(per*lot-1) < 1e-12 {
		return count / per
	}
	return count * lot
}
