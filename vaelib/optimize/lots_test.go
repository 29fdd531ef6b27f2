package optimize

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"vaefolio/vaelib/simplex"
)

func TestAllocate(t *testing.T) {
	a, err := Allocate([]float64{0.5, 0.3, 0.2}, []float64{300, 7, 0.5}, 1000, Lots{Size: []float64{0.01, 1, 10}},
		&simplex.Set{N: 3})
	if err != nil {
		t.Fatal(err)
	}
	spent := 300*a.Units[0] + 7*a.Units[1] + 0.5*a.Units[2]
	if math.Abs(spent+a.Cash-1000) > 1e-9 || a.Cash < 0 || a.Cash > 7 || a.Distance > 0.005 || a.Missed != 0 {
		t.Errorf("%+v spends %v", a, spent)
	}
	one := &simplex.Set{N: 1}
	for name, call := range map[string]func() (*Allocation, error){
		"no cash":       func() (*Allocation, error) { return Allocate([]float64{1}, []float64{1}, 0, Lots{}, one) },
		"no price":      func() (*Allocation, error) { return Allocate([]float64{1}, []float64{0}, 1, Lots{}, one) },
		"short":         func() (*Allocation, error) { return Allocate([]float64{-1}, []float64{1}, 1, Lots{}, one) },
		"more than all": func() (*Allocation, error) { return Allocate([]float64{2}, []float64{1}, 1, Lots{}, one) },
		"too dear":      func() (*Allocation, error) { return Allocate([]float64{1}, []float64{9}, 1, Lots{}, one) },
		"least value": func() (*Allocation, error) {
			return Allocate([]float64{1}, []float64{1}, 4, Lots{LeastValue: []float64{5}}, one)
		},
	} {
		if _, err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Whole lots keep the cash, bounds from above, sectors, the minimum weight and the least
// position, whatever the prices; and where nothing forbids it, each weight is met to a lot.
func TestAllocateKeeps(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		n := 3 + rng.IntN(8)
		set := simplex.Set{N: n, Upper: full(n, min(1, 1.6/float64(n))), MinWeight: 0.3 / float64(n) * float64(rng.IntN(2))}
		group := simplex.Group{Name: "first", Share: make([]float64, n), Hi: 0.5}
		group.Share[0], group.Share[1] = 1, 0.5
		set.Groups = []simplex.Group{group}
		lots := Lots{Size: make([]float64, n), Least: make([]float64, n), LeastValue: full(n, 5)}
		prices, weights := make([]float64, n), make([]float64, n)
		for j := range n {
			prices[j] = math.Exp(3 * rng.NormFloat64())
			lots.Size[j] = math.Pow(10, float64(rng.IntN(4)-2))
			lots.Least[j] = lots.Size[j] * float64(1+rng.IntN(3))
			weights[j] = rng.NormFloat64() / 3
		}
		projector, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := projector.Project(weights, weights); err != nil {
			t.Fatal(err)
		}
		cash := math.Pow(10, 2+3*rng.Float64())
		a, err := Allocate(weights, prices, cash, lots, &set)
		if err != nil {
			continue // too little cash
		}
		spent, first := 0.0, 0.0
		for j, units := range a.Units {
			value := units * prices[j]
			spent += value
			first += group.Share[j] * a.Weights[j]
			count := math.Round(units / lots.Size[j])
			switch {
			case math.Abs(units-count*lots.Size[j]) > 1e-9*max(1, units):
				t.Fatalf("%v units in lots of %v", units, lots.Size[j])
			case a.Weights[j] > set.Upper[j]+1e-9:
				t.Fatalf("a weight of %v above %v", a.Weights[j], set.Upper[j])
			case units > 0 && (units < lots.Least[j]*(1-1e-9) || value < 5*(1-1e-6) || a.Weights[j] < set.MinWeight*(1-1e-6)):
				t.Fatalf("a position of %v units and %v, weight %v, below the least", units, value, a.Weights[j])
			case math.Abs(a.Weights[j]-weights[j]) > a.Distance+1e-12:
				t.Fatalf("a distance of %v beyond %v", a.Weights[j]-weights[j], a.Distance)
			}
		}
		if spent > cash*(1+1e-9) || math.Abs(cash-spent-a.Cash) > 1e-6*cash || first > group.Hi+1e-9 {
			t.Fatalf("%v of %v spent, %v left, the group has %v", spent, cash, a.Cash, first)
		}
	}
}

// A floor can't be kept by rounding down, and is said to be missed.
func TestAllocateSaysWhatIsMissed(t *testing.T) {
	set := &simplex.Set{N: 2, Lower: []float64{0.5, 0}}
	a, err := Allocate([]float64{0.5, 0.5}, []float64{70, 1}, 100, Lots{}, set)
	if err != nil || a.Units[0] != 0 && a.Missed != 0 || a.Units[0] == 0 && math.Abs(a.Missed-0.5) > 1e-12 {
		t.Errorf("%+v, %v", a, err)
	}
}

// Purchases and exchanges come to the least sum of differences of all baskets of up to five
// assets in at least 98 of 100 worlds.
func TestAllocateNearTheBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	tried, best, worst := 0, 0, 0.0
	for range 400 {
		n := 3 + rng.IntN(3)
		prices, weights := make([]float64, n), make([]float64, n)
		for j := range n {
			prices[j], weights[j] = math.Exp(rng.NormFloat64()), rng.ExpFloat64()
		}
		floats.Scale(1/floats.Sum(weights), weights)
		cash := float64(4 + rng.IntN(12))
		a, err := Allocate(weights, prices, cash, Lots{}, &simplex.Set{N: n})
		if err != nil {
			continue // too little cash
		}
		tried++
		least := leastDifference(weights, prices, cash, cash)
		got := floats.Distance(weights, a.Weights, 1)
		if got < least-1e-12 {
			t.Fatalf("a sum of %v below the least, %v", got, least)
		}
		if got <= least+1e-12 {
			best++
		}
		worst = max(worst, got-least)
	}
	t.Logf("%d of %d are the best, the others within %.3f", best, tried, worst)
	if tried < 390 || best < tried*98/100 {
		t.Errorf("%d of %d are the best", best, tried)
	}
}

// leastDifference is the least sum of differences from the weights that whole units have,
// of which the rest of the cash buys the assets here: all of them are tried.
func leastDifference(weights, prices []float64, cash, left float64) float64 {
	if len(weights) == 0 {
		return 0
	}
	least := math.Inf(1)
	for units := 0.0; units*prices[0] <= left; units++ {
		off := math.Abs(units*prices[0]/cash - weights[0])
		if off >= least {
			continue
		}
		least = min(least, off+leastDifference(weights[1:], prices[1:], cash, left-units*prices[0]))
	}
	return least
}
