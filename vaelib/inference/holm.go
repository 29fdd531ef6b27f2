package inference

import (
	"cmp"
	"math"
	"slices"
)

// Holm corrects p-values of several tests for each other, whatever their dependence (Holm
// 1979, "A simple sequentially rejective multiple test procedure"): the k-th smallest of m
// times m-k+1, the largest so far, and at most 1. The chance that any true hypothesis has a
// corrected value of at most some level is at most that level. NaN stays, and counts for
// no test.
func Holm(p []float64) []float64 {
	corrected := slices.Clone(p)
	var order []int
	for k, x := range p {
		if !math.IsNaN(x) {
			order = append(order, k)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	largest := 0.0
	for i, k := range order {
		largest = max(largest, min(1, p[k]*float64(len(order)-i)))
		corrected[k] = largest
	}
	return corrected
}
