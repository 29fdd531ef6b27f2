package metrics

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// tail says which order statistics make VaR and CVaR of T returns, x(1) being
// the smallest:
//
//	VaR  = -(x(k) - blend (x(k) - x(k-1)))
//	CVaR = -(x(1) + ... + x(k-1) + share x(k)) / mass
//
// The sum runs over the returns below x(k) in the order of time, then over
// those equal to it: so that its bits don't depend on how x(k) is found.
type tail struct {
	k           int
	blend       float64 // in [0, 1]
	share, mass float64
	score       float64 // standard deviations below the mean where k returns are likely to lie
}

func newTail(periods int, level float64, convention Convention) tail {
	t := float64(periods)
	if convention == Empyrical {
		// numpy's percentile, and the mean up to its lower neighbour.
		position := snap((t - 1) * (1 - level))
		below := math.Floor(position)
		return tail{k: int(below) + 2, blend: 1 - (position - below), share: 0, mass: below + 1}
	}
	mass := snap(t * (1 - level))
	k := int(math.Ceil(mass))
	if whole := float64(k) == mass; whole && convention != Default && k < periods {
		k++
	}
	k = min(max(k, 1), periods)
	return tail{k: k, share: mass - float64(k-1), mass: mass}
}

// snap rounds x to the nearest integer where it is within 1e-9 of it:
// (1-0.95)*100 is 5.000000000000004 in floating point.
func snap(x float64) float64 {
	if whole := math.Round(x); math.Abs(x-whole) <= 1e-9 {
		return whole
	}
	return x
}

// scored sets the score: that of the threshold below which a typical series
// has a quarter more returns than the tail, as others may have fewer. It is
// infinite, and so no threshold, where the series does not vary.
func (q tail) scored(typical []float64) tail {
	mean, std := stat.MeanStdDev(typical, nil)
	rank := min(q.k+q.k/4+8, len(typical))
	work := slices.Clone(typical)
	selectSmallest(work, rank)
	q.score = (mean - work[rank-1]) / std
	if !(q.score > 0) {
		q.score = math.Inf(1)
	}
	return q
}

// threshold is what the returns of the tail are likely to lie below; it is
// minus infinity where there is none.
func (q tail) threshold(mean, std float64) float64 {
	if threshold := mean - float64(q.score*std); threshold < mean {
		return threshold
	}
	return math.Inf(-1)
}

// risk returns VaR and CVaR of the returns y. The work slices, at least as long
// as y, are overwritten.
//
// Only the worst returns matter, so those below a threshold are collected
// first, without a branch, and the selection runs over these few. The
// threshold is a guess: where it turns out too low, all returns take part.
func (q tail) risk(y []float64, threshold float64, kept, work []float64) (valueAtRisk, conditional float64) {
	candidates := collect(kept, y, threshold)
	if len(candidates) < q.k {
		candidates = y
	}
	return q.worst(candidates, work)
}

// worst returns VaR and CVaR of returns of which candidates, in the order of
// time, hold at least the k smallest.
func (q tail) worst(candidates, work []float64) (valueAtRisk, conditional float64) {
	work = work[:copy(work, candidates)]
	selectSmallest(work, q.k)
	last := work[q.k-1]
	var sum float64
	left := q.k - 1
	for _, x := range candidates {
		below := 0
		if x < last {
			below = 1
		}
		left -= below
		sum += math.Float64frombits(math.Float64bits(x) & -uint64(below)) // 0 where x is not below
	}
	for range left {
		sum += last
	}
	conditional = -(sum + float64(q.share*last)) / q.mass
	valueAtRisk = -last
	if q.blend > 0 {
		previous := math.Inf(-1)
		for _, x := range work[:q.k-1] {
			previous = max(previous, x)
		}
		valueAtRisk = -(last - float64(q.blend*(last-previous)))
	}
	// Equal but for rounding when the tail is one value.
	return valueAtRisk, math.Max(conditional, valueAtRisk)
}

// collect copies the values below the threshold to the front of dst, in their
// order.
func collect(dst, y []float64, threshold float64) []float64 {
	dst = dst[:len(y)]
	n := 0
	for _, x := range y {
		dst[n] = x
		below := 0
		if x < threshold {
			below = 1
		}
		n += below
	}
	return dst[:n]
}

// selectSmallest reorders x so that x[k-1] is the k-th smallest and none
// before it is larger: Hoare's selection with the median of three, and with a
// partition that has no branch to mispredict.
func selectSmallest(x []float64, k int) {
	for len(x) > 1 {
		pivot := medianLast(x)
		rest := x[:len(x)-1]
		smaller := partition(rest, func(v float64) bool { return v < pivot })
		x[smaller], x[len(x)-1] = pivot, x[smaller]
		switch {
		case k <= smaller:
			x = x[:smaller]
		case k == smaller+1:
			return
		default:
			x, k = x[smaller+1:], k-smaller-1
			if smaller > 0 {
				continue
			}
			// Nothing was smaller, perhaps since much is equal: set that aside
			// too, or a tied series would lose one value a round.
			equal := partition(x, func(v float64) bool { return v <= pivot })
			if k <= equal {
				return
			}
			x, k = x[equal:], k-equal
		}
	}
}

// medianLast moves the median of the first, middle and last value to the end
// and returns it.
func medianLast(x []float64) float64 {
	first, middle, last := 0, len(x)/2, len(x)-1
	if x[middle] < x[first] {
		first, middle = middle, first
	}
	if x[last] > x[middle] {
		x[last], x[middle] = x[middle], x[last]
	} else if x[last] < x[first] {
		x[last], x[first] = x[first], x[last]
	}
	return x[last]
}

// partition moves the values that belong to the front there, and returns their
// number.
func partition(x []float64, belongs func(float64) bool) int {
	n := 0
	for i, v := range x {
		x[i] = x[n]
		x[n] = v
		step := 0
		if belongs(v) {
			step = 1
		}
		n += step
	}
	return n
}
