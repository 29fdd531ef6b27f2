// Package cholesky factors small covariance matrices in place.
package cholesky

import "math"

// Factor replaces the lower triangle of a (n x n, row-major) by its Cholesky
// factor L, with a = L L^T, and leaves the rest as it is. It says whether a was
// positive definite; where it was not, a is left in between.
func Factor(a []float64, n int) bool {
	for i := range n {
		for j := range i + 1 {
			sum := a[i*n+j]
			for k := range j {
				sum -= a[i*n+k] * a[j*n+k]
			}
			if i != j {
				a[i*n+j] = sum / a[j*n+j]
				continue
			}
			if !(sum > 0) {
				return false
			}
			a[i*n+i] = math.Sqrt(sum)
		}
	}
	return true
}
