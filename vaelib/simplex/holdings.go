package simplex

import (
	"cmp"
	"slices"
)

// holdings projects onto {sum w = 1, each w_i either 0 or in [least, most]}.
//
// For a given number k of holdings they are the k largest inputs: where v_i <
// v_j, i is held and j is not, giving j what i has changes the squared distance
// by -2 w_i (v_j - v_i) < 0.
//
// Let g(k) be the least squared distance, halved, with k holdings, v sorted
// from the largest. g is convex in k, so that the best k is where it stops
// falling, found by bisection. To see it, let h_k(x) be the least distance when
// the k-th holding is fixed at x and k-1 others, in [least, most], share 1 - x:
// g(k) - g(k-1) is the minimum over x in [least, most] of the integral of h_k'
// from 0 to x, and h_k'(x) = x - v_k + t(x) with the threshold t of the others.
// From k to k+1 the input v_k falls and t(x) rises, since one more holding
// shares the same 1 - x. So h_{k+1}' >= h_k', and g(k+1) - g(k) >= g(k) - g(k-1).
type holdings struct {
	box          *box
	least, most  float64
	first, last  int // possible numbers of holdings
	order        []int
	sorted       []float64 // v, from the largest
	weights      []float64
	lower, upper []float64
}

func newHoldings(n int, least, most float64) *holdings {
	h := &holdings{
		box: newBox(n, most), least: least, most: most,
		order: make([]int, n), sorted: make([]float64, n), weights: make([]float64, n),
		lower: make([]float64, n), upper: make([]float64, n),
	}
	for i := range n {
		h.lower[i], h.upper[i] = least, most
	}
	h.first, h.last = holdingsRange(n, least, most)
	return h
}

// holdingsRange returns the smallest k with k*most >= 1 and the largest with
// k*least <= 1, from 1 to n.
func holdingsRange(n int, least, most float64) (first, last int) {
	first, last = n+1, 0
	for k := n; k >= 1; k-- {
		if float64(k)*most >= 1-slack {
			first = k
		}
		if last == 0 && float64(k)*least <= 1+slack {
			last = k
		}
	}
	return first, last
}

// project writes the nearest point to v into dst, which may be v.
func (h *holdings) project(dst, v []float64) {
	for i := range h.order {
		h.order[i] = i
	}
	slices.SortFunc(h.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(v[b], v[a]), cmp.Compare(a, b))
	})
	for r, i := range h.order {
		h.sorted[r] = v[i]
	}
	first, last := h.first, h.last
	for first < last {
		k := (first + last) / 2
		if h.cost(k+1) >= h.cost(k) {
			last = k
		} else {
			first = k + 1
		}
	}
	h.box.project(h.weights[:first], h.sorted[:first], h.lower[:first], h.upper[:first])
	clear(h.weights[first:])
	for r, i := range h.order {
		dst[i] = h.weights[r]
	}
}

// cost is half the squared distance to the best weights with k holdings, up to
// a constant that they share.
func (h *holdings) cost(k int) float64 {
	w := h.weights[:k]
	h.box.project(w, h.sorted[:k], h.lower[:k], h.upper[:k])
	var sum float64
	for i, x := range w {
		sum += x * (x/2 + (h.sorted[0] - h.sorted[i]))
	}
	return sum
}
