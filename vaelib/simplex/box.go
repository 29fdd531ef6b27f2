package simplex

import (
	"math"
	"slices"
)

// box projects onto {sum w = 1, lower <= w <= upper}. It holds scratch memory
// for up to n coordinates.
type box struct {
	shifted []float64 // n
	sorted  []float64 // n
	breaks  []float64 // 2n
}

func newBox(n int) *box {
	return &box{shifted: make([]float64, n), sorted: make([]float64, n), breaks: make([]float64, 2*n)}
}

// project writes the nearest point to v, finite but of any size, into dst,
// which may be v. The set is not empty.
//
// The nearest point is w_i = clamp(v_i - t, lower_i, upper_i) for the t at
// which it sums to 1. The sum falls with t, and is linear between neighbours
// among the 2n breakpoints v_i - lower_i and v_i - upper_i.
func (b *box) project(dst, v, lower, upper []float64) {
	n := len(v)
	var reach float64
	for i := range v {
		reach = max(reach, math.Abs(lower[i]), math.Abs(upper[i]))
	}
	// Beyond the limit a coordinate is at its bound for every threshold near
	// the one looked for.
	centre, limit := b.centre(v, lower, upper, reach), 8*(reach+1)
	x, breaks := b.shifted[:n], b.breaks[:0]
	for i := range v {
		x[i] = clamp(v[i]-centre, -limit, limit)
		breaks = append(breaks, x[i]-upper[i], x[i]-lower[i])
	}
	slices.Sort(breaks)
	// breaks[at-1] is the last one at which the sum is at least 1.
	at, end := 0, len(breaks)
	for at < end {
		middle := (at + end) / 2
		if sumAt(x, lower, upper, breaks[middle]) >= 1 {
			at = middle + 1
		} else {
			end = middle
		}
	}
	from, to := breaks[max(at-1, 0)], breaks[min(at, len(breaks)-1)]
	t := threshold(x, lower, upper, from, to)
	for i := range x {
		dst[i] = clamp(x[i]-t, lower[i], upper[i])
	}
}

// centre is a number near the threshold, so that differences to it are exact
// where they matter, for inputs of 1e300 too. At t = v_j the sum is found from
// differences between inputs alone: those that are not exact belong to
// coordinates at a bound.
func (b *box) centre(v, lower, upper []float64, reach float64) float64 {
	var largest float64
	for _, x := range v {
		largest = max(largest, math.Abs(x))
	}
	if largest <= 8*(reach+1) {
		return 0
	}
	sorted := b.sorted[:len(v)]
	copy(sorted, v)
	slices.Sort(sorted)
	at, end := 0, len(sorted)
	for at < end {
		middle := (at + end) / 2
		if sumAt(v, lower, upper, sorted[middle]) >= 1 {
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
	if to-from > 4*(reach+1) && sumAt(v, lower, upper, from/2+to/2) >= 1 {
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

// threshold solves for the sum of 1 between two neighbouring breakpoints.
func threshold(x, lower, upper []float64, from, to float64) float64 {
	middle := from + (to-from)/2
	var sum float64 // of what the weights would be at the threshold 0
	var free int
	for i := range x {
		switch y := x[i] - middle; {
		case y <= lower[i]:
			sum += lower[i]
		case y >= upper[i]:
			sum += upper[i]
		default:
			sum += x[i] - from
			free++
		}
	}
	if free == 0 {
		return from
	}
	return clamp(from+(sum-1)/float64(free), from, to)
}

func clamp(x, lower, upper float64) float64 {
	return min(max(x, lower), upper)
}
