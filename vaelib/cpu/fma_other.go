//go:build !arm64

package cpu

import "math"

// fma is a*b + c, rounded once.
func fma(a, b, c float32) float32 {
	// The product is exact in float64, the sum is not.
	sum := float64(a)*float64(b) + float64(c)
	if unsafeToRound(math.Float64bits(sum)) {
		return fmaToOdd(a, b, c)
	}
	return float32(sum)
}

// unsafeToRound says whether a sum that was rounded to float64 may be rounded to
// another float32 than the sum itself: halfway between two of them, or where they
// are subnormal.
func unsafeToRound(bits uint64) bool { return bits&(1<<29-1) == 1<<28 || bits<<1-1 < smallest<<1-1 }

// accumulate adds v times x to sums.
func accumulate(sums []float32, v float32, x []float32) {
	wide := float64(v)
	x = x[:len(sums)]
	for i, old := range sums {
		sum := wide*float64(x[i]) + float64(old)
		if unsafeToRound(math.Float64bits(sum)) {
			sums[i] = fmaToOdd(v, x[i], old)
		} else {
			sums[i] = float32(sum)
		}
	}
}

const (
	smallest = (1023 - 126) << 52 // bits, in float64, of float32's smallest normal number
	infinite = 0x7ff << 52
)

// fmaToOdd is fma where sums may be halfway, or subnormal. Rounding to odd first
// (Boldo & Melquiond 2008) is right everywhere: where the sum is not exact, its
// last bit is set.
func fmaToOdd(a, b, c float32) float32 {
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
