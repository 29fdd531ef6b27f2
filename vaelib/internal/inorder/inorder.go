// Package inorder sums numbers in the order in which they stand, so that a sum
// depends on the numbers alone. gonum's floats.Sum, and stat.Mean with it, add
// in groups that begin where an address is a multiple of 16: the same row of a
// matrix gives other last bits in another place.
package inorder

// Sum returns x[0] + x[1] + ..., 0 for none.
func Sum(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}

// Mean returns the mean of x, NaN for none.
func Mean(x []float64) float64 { return Sum(x) / float64(len(x)) }
