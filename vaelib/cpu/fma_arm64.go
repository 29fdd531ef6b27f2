package cpu

// fma is a*b + c, rounded once: on this architecture Go makes one instruction of
// it.
func fma(a, b, c float32) float32 { return a*b + c }
