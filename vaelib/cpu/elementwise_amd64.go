package cpu

//go:noescape
func addAVX2(dst, x, y *float32, n int)

//go:noescape
func subAVX2(dst, x, y *float32, n int)

//go:noescape
func mulAVX2(dst, x, y *float32, n int)

//go:noescape
func divAVX2(dst, x, y *float32, n int)

//go:noescape
func greatestAVX2(dst, x, y *float32, n int)

//go:noescape
func leastAVX2(dst, x, y *float32, n int)

//go:noescape
func equalAVX2(dst, x, y *float32, n int)

//go:noescape
func notEqualAVX2(dst, x, y *float32, n int)

//go:noescape
func lessAVX2(dst, x, y *float32, n int)

//go:noescape
func lessOrEqualAVX2(dst, x, y *float32, n int)

//go:noescape
func negAVX2(dst, x *float32, n int)

//go:noescape
func absAVX2(dst, x *float32, n int)

//go:noescape
func sqrtAVX2(dst, x *float32, n int)

//go:noescape
func expAVX2(dst, x *float32, n int)

//go:noescape
func logAVX2(dst, x *float32, n int)

//go:noescape
func tanhAVX2(dst, x *float32, n int)

//go:noescape
func logisticAVX2(dst, x *float32, n int)

//go:noescape
func whereAVX2(dst, condition, x, y *float32, n int)

// accelerated runs the function in assembly, if there is one for code and the
// processor's level allows it.
func accelerated(code opcode, dst, x, y, z []float32) bool {
	n := len(dst)
	if level == levelGo || n == 0 {
		return false
	}
	switch code {
	case opAdd:
		addAVX2(&dst[0], &x[0], &y[0], n)
	case opSub:
		subAVX2(&dst[0], &x[0], &y[0], n)
	case opMul:
		mulAVX2(&dst[0], &x[0], &y[0], n)
	case opDiv:
		divAVX2(&dst[0], &x[0], &y[0], n)
	case opMax:
		greatestAVX2(&dst[0], &x[0], &y[0], n)
	case opMin:
		leastAVX2(&dst[0], &x[0], &y[0], n)
	case opEqual:
		equalAVX2(&dst[0], &x[0], &y[0], n)
	case opNotEqual:
		notEqualAVX2(&dst[0], &x[0], &y[0], n)
	case opLess:
		lessAVX2(&dst[0], &x[0], &y[0], n)
	case opLessOrEqual:
		lessOrEqualAVX2(&dst[0], &x[0], &y[0], n)
	case opNeg:
		negAVX2(&dst[0], &x[0], n)
	case opAbs:
		absAVX2(&dst[0], &x[0], n)
	case opSqrt:
		sqrtAVX2(&dst[0], &x[0], n)
	case opExp:
		expAVX2(&dst[0], &x[0], n)
	case opLog:
		logAVX2(&dst[0], &x[0], n)
	case opTanh:
		tanhAVX2(&dst[0], &x[0], n)
	case opLogistic:
		logisticAVX2(&dst[0], &x[0], n)
	case opWhere:
		whereAVX2(&dst[0], &x[0], &y[0], &z[0], n)
	default:
		return false
	}
	return true
}
