//go:build !arm64

package cpu

import "math"

// fma is a*b + c, rounded once.
func fma(a, b, c float32) float32 {
	// The product is exact in float64. The sum is not, and rounding it again to
	// float32 would go wrong where the first rounding gave a number halfway between
	// two of float32. Rounding to odd does not (Boldo & Melquiond 2008): where
	// the sum is not exact, its last bit is set.
	p, w := float64(a)*float64(b), float64(c)
	sum := p + w
	bits := math.Float64bits(sum)
	if bits&1 == 0 && bits&infinite != infinite {
		back := sum - p
		rest := (p - (sum - back)) + (w - back)
		if rest != 0 {
			if (rest > 0) == (sum > 0) {
				bits++
			} else {
				bits--
			}
			sum = math.Float64frombits(bits)
		}
	}
	return float32(sum)
}

// infinite is the exponent of what is infinite or NaN.
const infinite = 0x7ff << 52
