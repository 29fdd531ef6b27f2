package optimize

import (
	"math"
	"math/rand/v2"
	"testing"

	"vaefolio/vaelib/simplex"
)

// Orders sell no more than is held, spend no more than there is, and keep bounds from above, so
// far as parts of lots that are held allow.
func TestOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 300 {
		n := 2 + rng.IntN(6)
		w, held, prices, lots := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		share := make([]float64, n)
		var sum, sumHeld float64
		for j := range n {
			w[j], prices[j], share[j] = rng.Float64(), math.Exp(4*rng.NormFloat64()), float64(j%2)
			lots[j] = math.Pow(10, math.Round(math.Log10(100/prices[j])-3*rng.Float64()))
			if rng.IntN(3) > 0 {
				held[j] = rng.Float64()
			}
			sum, sumHeld = sum+w[j], sumHeld+held[j]
		}
		cash := 1e3 * (1 + 9*rng.Float64())
		set := simplex.Set{N: n, Upper: make([]float64, n), Groups: []simplex.Group{{Name: "odd", Share: share}}}
		for j := range n {
			w[j] /= sum
			held[j] *= 0.99 / max(sumHeld, 0.1)
			set.Upper[j] = w[j] + 0.02*rng.Float64()
			set.Groups[0].Hi += share[j] * w[j]
		}
		a, err := Allocate(w, prices, cash, Lots{Size: lots}, &set)
		if err != nil {
			continue
		}
		orders, remains := a.Orders(held, prices, cash, Lots{Size: lots}, &set)
		var net, free, group, dust float64
		free = cash
		for j := range n {
			units := held[j] * cash / prices[j]
			free -= held[j] * cash
			net += orders[j] * prices[j]
			group += share[j] * remains[j] * prices[j] / cash
			part := math.Mod(remains[j], lots[j]) * prices[j] / cash
			if remains[j] < 2*lots[j] {
				dust += part
			}
			if count := orders[j] / lots[j]; math.Abs(count-math.Round(count)) > 1e-6 || -orders[j] > units+2e-6*lots[j] ||
				math.Abs(units+orders[j]-remains[j]) > 1e-9*(1+units) {
				t.Errorf("trial %d: %v of %v held, in lots of %v", trial, orders[j], units, lots[j])
			}
			if x := remains[j] * prices[j] / cash; x > set.Upper[j]+1e-8 && remains[j] >= lots[j]*(1+1e-6) {
				t.Errorf("trial %d: a weight of %v, at most %v", trial, x, set.Upper[j])
			}
		}
		if net > free+1e-6*cash+dust*cash || group > set.Groups[0].Hi+dust+1e-6 {
			t.Errorf("trial %d: spends %v of %v; a group of %v, at most %v", trial, net, free, group, set.Groups[0].Hi)
		}
	}
}

// Units of decimal lots are decimal numbers.
func TestInUnits(t *testing.T) {
	if x := inUnits(107588, 0.1); x != 10758.8 {
		t.Error(x)
	}
	if x := inUnits(3, 0.7); math.Abs(x-2.1) > 1e-15 {
		t.Error(x)
	}
}
