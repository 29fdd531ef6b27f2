package optimize

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"vaefolio/vaelib/simplex"
)

// Allocation is a portfolio in whole lots.
type Allocation struct {
	Units   []float64 // n: what to hold of each asset, a multiple of its lot
	Weights []float64 // n: share of the cash, without what is left over
	Cash    float64   // left over
	// Distance is the largest difference from the weights asked for.
	Distance float64
	// Missed is by how much a least weight, a group's least sum or the limit on turnover is
	// missed at most: lots keep what bounds weights from above, and not these.
	Missed float64
}

// Lots say in which amounts assets can be held (n each; nil: see there).
type Lots struct {
	Size       []float64 // units, whose multiples are held; nil: 1 each
	Least      []float64 // the least units of a position; nil: a lot
	LeastValue []float64 // the least value of a position, in the currency of the prices; nil: none
}

// mostLots of one asset can be counted exactly.
const mostLots = 1 << 53

// Allocate turns weights (n, not negative) of a set into whole lots: what cash buys at
// the prices (n). Each asset first gets what its weight affords, rounded down, or nothing
// where that is less than can be held; then, as long as cash lasts, the asset that is
// furthest below its weight and affordable gets another lot, or as many as make the least
// position, unless that would take it further from its weight than it is, above its upper
// bound, or a group above its own. Then lots are exchanged between two assets while that
// lowers the sum of all differences from the weights: no single purchase, sale or exchange
// lowers it further. A position below the set's minimum weight isn't held.
func Allocate(weights, prices []float64, cash float64, lots Lots, set *simplex.Set) (*Allocation, error) {
	b, err := newBasket(weights, prices, cash, lots, set)
	if err != nil {
		return nil, err
	}
	for b.add() || b.exchange() {
	}
	if floats.Max(b.count) == 0 {
		return nil, fmt.Errorf("%v buys nothing near the weights, as the least that can be held costs %v: give more "+
			"cash, or smaller lots", cash, floats.Min(b.leastCost()))
	}
	n := len(weights)
	a := &Allocation{Units: make([]float64, n), Weights: make([]float64, n), Cash: max(b.left, 0)}
	for j, w := range weights {
		a.Units[j] = inUnits(b.count[j], b.lot[j])
		a.Weights[j] = b.weight(j, b.count[j])
		a.Distance = max(a.Distance, math.Abs(a.Weights[j]-w))
	}
	a.Missed = b.missed()
	return a, nil
}

// basket is a portfolio in whole lots in the making.
type basket struct {
	weights, lot, price, first []float64 // price of a lot, and the lots of the least position
	count                      []float64
	groups                     []float64 // sums of the set's
	now                        []float64 // the weights, in missed
	cash, left                 float64
	set                        *simplex.Set
}

func newBasket(weights, prices []float64, cash float64, lots Lots, set *simplex.Set) (*basket, error) {
	n := len(weights)
	for _, v := range [][]float64{prices, lots.Size, lots.Least, lots.LeastValue} {
		if v != nil && len(v) != n {
			panic("optimize: weights, prices and lots differ in length")
		}
	}
	if !(cash > 0) || math.IsInf(cash, 0) {
		return nil, fmt.Errorf("a cash amount of %v: it must be positive and finite", cash)
	}
	b := &basket{weights: weights, cash: cash, left: cash, set: set, lot: slices.Repeat([]float64{1}, n),
		price: make([]float64, n), first: make([]float64, n), count: make([]float64, n),
		groups: make([]float64, len(set.Groups)), now: make([]float64, n)}
	var sum float64
	for j, w := range weights {
		if lots.Size != nil {
			b.lot[j] = lots.Size[j]
		}
		b.price[j] = prices[j] * b.lot[j]
		if !(b.price[j] > 0) || math.IsInf(b.price[j], 0) {
			return nil, fmt.Errorf("%s has the price %v and the lot %v: both must be positive and finite",
				symbol(set.Symbols, j), prices[j], b.lot[j])
		}
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("%s has the weight %v: whole lots are for long positions", symbol(set.Symbols, j), w)
		}
		sum += w
		least := set.MinWeight * cash / b.price[j]
		if lots.Least != nil {
			least = max(least, lots.Least[j]/b.lot[j])
		}
		if lots.LeastValue != nil {
			least = max(least, lots.LeastValue[j]/b.price[j])
		}
		b.first[j] = max(1, math.Ceil(least-rounding*max(1, least)))
		count := math.Floor(w*cash/b.price[j] + rounding)
		if count > mostLots {
			return nil, fmt.Errorf("%s would get more than %v lots of %v: give larger lots",
				symbol(set.Symbols, j), float64(mostLots), b.lot[j])
		}
		if count >= b.first[j] {
			b.trade(j, count)
		}
	}
	if sum > 1+1e-9 {
		return nil, fmt.Errorf("the weights sum to %v: that is more than the cash", sum)
	}
	return b, nil
}

// rounding of a number of lots.
const rounding = 1e-9

// weight is that of so many lots of asset j.
func (b *basket) weight(j int, count float64) float64 { return count * b.price[j] / b.cash }

// leastCost is what the least position of each asset costs.
func (b *basket) leastCost() []float64 {
	cost := make([]float64, len(b.price))
	floats.MulTo(cost, b.price, b.first)
	return cost
}

// add buys the next lots; it says whether there were any to buy.
func (b *basket) add() bool {
	best, step, most := -1, 0.0, 0.0
	for j, w := range b.weights {
		more := b.next(j)
		short := w - b.weight(j, b.count[j])
		if short > most && more*b.price[j] <= b.left && b.weight(j, more) < 2*short && b.allowed(j, more) {
			best, step, most = j, more, short
		}
	}
	if best < 0 {
		return false
	}
	b.trade(best, step)
	return true
}

// next is how many lots of asset j are bought at once: the least position, and then one.
func (b *basket) next(j int) float64 {
	if b.count[j] == 0 {
		return b.first[j]
	}
	return 1
}

// trade buys so many lots of asset j, or sells them where they are below 0.
func (b *basket) trade(j int, lots float64) {
	b.count[j] += lots
	b.left -= lots * b.price[j]
	for k, g := range b.set.Groups {
		b.groups[k] += g.Share[j] * b.weight(j, lots)
	}
}

// off is how far so many lots of asset j are from its weight.
func (b *basket) off(j int, count float64) float64 {
	return math.Abs(b.weight(j, count) - b.weights[j])
}

// missed is by how much a bound from below, or the limit on turnover, is missed at most.
func (b *basket) missed() (most float64) {
	for j, count := range b.count {
		b.now[j] = b.weight(j, count)
		if b.set.Lower != nil {
			most = max(most, b.set.Lower[j]-b.now[j])
		}
	}
	for k, g := range b.set.Groups {
		most = max(most, g.Lo-b.groups[k])
	}
	if b.set.Turnover != nil {
		most = max(most, b.set.Turnover.Of(b.now)-b.set.Turnover.Most)
	}
	return most
}

// exchange sells lots of one asset, as many as it takes, for those of another where that
// lowers the sum of the differences from the weights most, and misses no bound by more than
// now; it says whether there were any.
func (b *basket) exchange() bool {
	const least = 1e-12
	from, to, most := -1, -1, least
	var sold, bought float64
	missed := b.missed()
	for i, held := range b.count {
		for j := range b.weights {
			if held == 0 || j == i {
				continue
			}
			more := b.next(j)
			out := max(1, math.Ceil((more*b.price[j]-b.left)/b.price[i]))
			if held-out < b.first[i] {
				out = held // nothing is held below the least position
			}
			gain := b.off(i, held) - b.off(i, held-out) + b.off(j, b.count[j]) - b.off(j, b.count[j]+more)
			if gain <= most {
				continue
			}
			left := b.left
			b.trade(i, -out)
			fits := more*b.price[j] <= b.left && b.allowed(j, more)
			b.trade(j, more)
			if fits && b.missed() <= missed+least {
				from, to, sold, bought, most = i, j, out, more, gain
			}
			b.trade(j, -more)
			b.trade(i, out)
			b.left = left // without what rounding leaves
		}
	}
	if from < 0 {
		return false
	}
	b.trade(from, -sold)
	b.trade(to, bought)
	return true
}

// allowed says whether so many more lots of asset j keep the bounds from above.
func (b *basket) allowed(j int, more float64) bool {
	const slack = 1e-12
	if b.set.Upper != nil && b.weight(j, b.count[j]+more) > b.set.Upper[j]+slack {
		return false
	}
	for k, g := range b.set.Groups {
		if g.Share[j] > 0 && b.groups[k]+g.Share[j]*b.weight(j, more) > g.Hi+slack {
			return false
		}
	}
	return true
}
