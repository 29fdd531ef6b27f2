package simplex

import (
	"math"
	"slices"
)

// box projects onto {sum w = 1, lower <= w <= upper}. It holds scratch memory
// for up to n coordinates.
type box struct {
	reach   float64   // no bound is larger in size
	shifted []float64 // n
	sorted  []float64 // n
}

func newBox(n int, reach float64) *box {
	return &box{reach: reach, shifted: make([]float64, n), sorted: make([]float64, n)}
}

// project writes the nearest point to v, finite but of any size, into dst,
// which may be v. The set is not empty.
func (b *box) project(dst, v, lower, upper []float64) { b.projectTo(1, dst, v, lower, upper) }

// projectTo is project onto the box with another sum than 1.
//
// The nearest point is w_i = clamp(v_i - t, lower_i, upper_i) for the t at
// which it has the sum.
func (b *box) projectTo(total float64, dst, v, lower, upper []float64) {
	// Beyond the limit a coordinate is at its bound for every threshold near
	// the one looked for.
	x, limit := v, 8*(b.reach+1)
	if !within(v, limit) {
		centre := b.centre(total, v, func(t float64) float64 { return sumAt(v, lower, upper, t) })
		x = b.shifted[:len(v)]
		for i := range v {
			x[i] = clamp(v[i]-centre, -limit, limit)
		}
	}
	t := threshold(total, x, lower, upper)
	for i := range x {
		dst[i] = clamp(x[i]-t, lower[i], upper[i])
	}
}

// centre is a number near the threshold, so that differences to it are exact
// where they matter, for inputs of 1e300 too; sumAt is the sum at a threshold. At
// t = v_j it is found from differences between inputs alone: those that are not
// exact belong to coordinates at a bound.
func (b *box) centre(total float64, v []float64, sumAt func(t float64) float64) float64 {
	sorted := b.sorted[:len(v)]
	copy(sorted, v)
	slices.Sort(sorted)
	at, end := 0, len(sorted)
	for at < end {
		middle := (at + end) / 2
		if sumAt(sorted[middle]) >= total {
			at = middle + 1
		} else {
			end = middle
		}
	}
	switch {
	case at == 0:
		return sorted[0]
	case at == len(sorted):
		return sorted[at-1]
	}
	// The threshold lies between two neighbours. In a wide gap it is within
	// reach of one of them, or every coordinate is at a bound.
	from, to := sorted[at-1], sorted[at]
	if to-from > 4*(b.reach+1) && sumAt(from/2+to/2) >= total {
		return to
	}
	return from
}

// sumAt adds up clamp(x_i - t, lower_i, upper_i).
func sumAt(x, lower, upper []float64, t float64) float64 {
	var sum float64
	for i := range x {
		sum += clamp(x[i]-t, lower[i], upper[i])
	}
	return sum
}

// threshold returns the t at which clamp(x_i - t, lower_i, upper_i) has a sum.
//
// The sum falls with t along pieces of straight lines between the breakpoints
// x_i - upper_i and x_i - lower_i. Newton's method finds the piece in a few
// steps without sorting them (Cominetti, Mascarenhas & Silva 2014, "A Newton's
// method for the continuous quadratic knapsack problem"), and its step on the
// right piece is the solution. A step that would leave the interval known to
// hold the solution halves that instead.
func threshold(total float64, x, lower, upper []float64) float64 {
	from, to, t := bracket(total, x, lower, upper)
	piece, pieceFree := math.NaN(), 0 // what the coordinates at a bound and the number of others were before
	for {
		var free, fixed float64
		count := 0
		for i, v := range x {
			switch y := v - t; {
			case y <= lower[i]:
				fixed += lower[i]
			case y >= upper[i]:
				fixed += upper[i]
			default:
				free += y
				count++
			}
		}
		excess := free + fixed - total
		if excess >= 0 {
			from = t
		} else {
			to = t
		}
		next := from + (to-from)/2
		if count > 0 {
			step := t + excess/float64(count)
			if fixed == piece && count == pieceFree && math.Abs(excess) < 1e-13 {
				return step
			}
			if step > from && step < to {
				next = step
			}
		}
		if excess == 0 || next <= from || next >= to {
			return t // no number lies between
		}
		t, piece, pieceFree = next, fixed, count
	}
}

// bracket returns an interval that holds the threshold, and where to begin in it.
func bracket(total float64, x, lower, upper []float64) (from, to, t float64) {
	from, to = math.Inf(1), math.Inf(-1)
	for i, v := range x {
		if y := v - upper[i]; y < from {
			from = y
		}
		if y := v - lower[i]; y > to {
			to = y
		}
		t += v
	}
	return from, to, clamp((t-total)/float64(len(x)), from, to)
}

// within says whether no coordinate is larger than limit.
func within(v []float64, limit float64) bool {
	for _, x := range v {
		if x > limit || x < -limit {
			return false
		}
	}
	return true
}

// clamp is by comparisons, as min and max take their time over zeros and NaN.
func clamp(x, lower, upper float64) float64 {
	if x < lower {
		return lower
	}
	if x > upper {
		return upper
	}
	return x
}
