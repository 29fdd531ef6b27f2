package cpu

import "math"

// The elementwise functions in float32. What stands here is their definition,
// of which the kernels in assembly are translations: every operation is rounded
// as here, in this order, so that they have the same bits. Only the payload of a
// NaN is left open.

// Exponents of exp outside which it is infinite or 0.
const (
	expMost  = 89
	expLeast = -104
)

// exp has an error of at most 1 unit in the last place where its value is a
// normal number, and of one spacing of the subnormal ones below.
func exp(x float32) float32 {
	if expMost < x {
		x = expMost
	}
	if expLeast > x {
		x = expLeast
	}
	if x != x {
		return x
	}
	n := float32(math.RoundToEven(float64(x * math.Log2E)))
	r := fma(-n, ln2High, x)
	r = fma(-n, ln2Low, r)
	q := float32(0.0013813144760206342)
	q = fma(r, q, 0.008369418792426586)
	q = fma(r, q, 0.04166845604777336)
	q = fma(r, q, 0.16666515171527863)
	q = fma(r, q, 0.4999999403953552)
	p := 1 + fma(r*r, q, r)
	// In two steps: 2^n alone could be out of range where the value is not.
	half := int32(n) >> 1
	p *= math.Float32frombits(uint32(half+127) << 23)
	return p * math.Float32frombits(uint32(int32(n)-half+127)<<23)
}

const (
	ln2High = 0.693147182464599609375
	ln2Low  = -1.904654299957767e-09
)

// log has an error of at most 1 unit in the last place.
func log(x float32) float32 {
	switch {
	case x != x || x < 0:
		return float32(math.NaN())
	case x == 0:
		return float32(math.Inf(-1))
	case x > math.MaxFloat32:
		return x
	}
	var shift float32
	if x < 0x1p-126 {
		x *= 0x1p23
		shift = -23
	}
	bits := math.Float32bits(x)
	e := int32(bits-0x3f2aaaab) >> 23 // x = m 2^e, 2/3 <= m < 4/3
	f := math.Float32frombits(bits-uint32(e)<<23) - 1
	q := float32(-0.12891682982444763)
	q = fma(f, q, 0.1398443877696991)
	q = fma(f, q, -0.12184261530637741)
	q = fma(f, q, 0.14005868136882782)
	q = fma(f, q, -0.16680487990379333)
	q = fma(f, q, 0.20010405778884888)
	q = fma(f, q, -0.24999797344207764)
	q = fma(f, q, 0.3333321511745453)
	q = fma(f, q, -0.5)
	r := fma(f*f, q, f)
	return fma(float32(e)+shift, ln2High, r)
}

// tanh has an error of at most 2 units in the last place.
func tanh(x float32) float32 {
	a := abs(x)
	if a < tanhSmall {
		s := x * x
		q := float32(-0.005704986862838268)
		q = fma(s, q, 0.02063908614218235)
		q = fma(s, q, -0.05373971536755562)
		q = fma(s, q, 0.13331441581249237)
		q = fma(s, q, -0.3333328068256378)
		return fma(s*x, q, x)
	}
	return float32(math.Copysign(float64(1-2/(exp(2*a)+1)), float64(x)))
}

const tanhSmall = 0.625

// logistic is 1/(1 + exp(-x)), with an error of at most 3 units in the last place
// down to x = -88, below which it is 0.
func logistic(x float32) float32 { return 1 / (1 + exp(-x)) }

// greatest is NaN where one of the two is.
func greatest(x, y float32) float32 {
	if x > y || x != x {
		return x
	}
	return y
}

// least is NaN where one of the two is.
func least(x, y float32) float32 {
	if x < y || x != x {
		return x
	}
	return y
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // 0 with its sign, or NaN
}

func truth(is bool) float32 {
	if is {
		return 1
	}
	return 0
}

// exp64 is exp in float64. [math.Exp] has other bits on processors without fused
// multiply-adds.
func exp64(x float64) float64 {
	switch {
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	case x != x:
		return x
	}
	const high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10 // ln 2, the first with 32 bits
	n := math.RoundToEven(x * math.Log2E)
	r := math.FMA(-n, high, x)
	r = math.FMA(-n, low, r)
	// Taylor's series, |r| < 0.35: the first term left out is below 1e-17.
	q := 1. / 6227020800
	for _, c := range [...]float64{
		1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320, 1. / 5040, 1. / 720, 1. / 120,
		1. / 24, 1. / 6, 0.5,
	} {
		q = math.FMA(r, q, c)
	}
	p := 1 + math.FMA(r*r, q, r)
	half := int64(n) >> 1
	p *= math.Float64frombits(uint64(half+1023) << 52)
	return p * math.Float64frombits(uint64(int64(n)-half+1023)<<52)
}
