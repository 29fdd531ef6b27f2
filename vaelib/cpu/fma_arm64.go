package cpu

// fma is a*b + c, rounded once: on this architecture Go makes one instruction of
// it.
func fma(a, b, c float32) float32 { return a*b + c }

// accumulate adds v times x to sums.
func accumulate(sums []float32, v float32, x []float32) {
	x = x[:len(sums)]
	for i := range sums {
		sums[i] = fma(v, x[i], sums[i])
	}
}
