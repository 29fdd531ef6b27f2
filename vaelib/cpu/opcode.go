package cpu

import (
	"math"

	"github.com/gomlx/compute"
)

// opcode is an elementwise function.
type opcode int

const (
	opNone opcode = iota
	opAdd
	opSub
	opMul
	opDiv
	opMax
	opMin
	opEqual
	opNotEqual
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual
	opAnd
	opOr
	opWhere
	opCopy
	opNeg
	opAbs
	opSign
	opSqrt
	opRsqrt
	opExp
	opLog
	opLog1p
	opTanh
	opLogistic
	opNot
	opTruth  // whether a number is not 0
	opNarrow // from float64 to float32
	opWiden  // from float32 to float64
)

var opcodes = map[compute.OpType]opcode{
	compute.OpTypeAdd:            opAdd,
	compute.OpTypeSub:            opSub,
	compute.OpTypeMul:            opMul,
	compute.OpTypeDiv:            opDiv,
	compute.OpTypeMax:            opMax,
	compute.OpTypeMin:            opMin,
	compute.OpTypeEqual:          opEqual,
	compute.OpTypeNotEqual:       opNotEqual,
	compute.OpTypeLessThan:       opLess,
	compute.OpTypeLessOrEqual:    opLessOrEqual,
	compute.OpTypeGreaterThan:    opGreater,
	compute.OpTypeGreaterOrEqual: opGreaterOrEqual,
	compute.OpTypeLogicalAnd:     opAnd,
	compute.OpTypeLogicalOr:      opOr,
	compute.OpTypeLogicalNot:     opNot,
	compute.OpTypeWhere:          opWhere,
	compute.OpTypeNeg:            opNeg,
	compute.OpTypeAbs:            opAbs,
	compute.OpTypeSign:           opSign,
	compute.OpTypeSqrt:           opSqrt,
	compute.OpTypeRsqrt:          opRsqrt,
	compute.OpTypeExp:            opExp,
	compute.OpTypeLog:            opLog,
	compute.OpTypeLog1p:          opLog1p,
	compute.OpTypeTanh:           opTanh,
	compute.OpTypeLogistic:       opLogistic,
}

// apply32 writes the function of x, y and z (as many as it takes) to dst.
func apply32(code opcode, dst, x, y, z []float32) {
	switch code {
	case opGreater:
		code, x, y = opLess, y, x
	case opGreaterOrEqual:
		code, x, y = opLessOrEqual, y, x
	}
	if !accelerated(code, dst, x, y, z) {
		plain32(code, dst, x, y, z)
	}
}

func unary[T float32 | float64](dst, x []T, f func(x T) T) {
	for i, v := range x[:len(dst)] {
		dst[i] = f(v)
	}
}

func binary[T float32 | float64](dst, x, y []T, f func(x, y T) T) {
	y = y[:len(dst)]
	for i, v := range x[:len(dst)] {
		dst[i] = f(v, y[i])
	}
}

func choose[T float32 | float64](dst, condition, x, y []T) {
	for i := range dst {
		if condition[i] != 0 {
			dst[i] = x[i]
		} else {
			dst[i] = y[i]
		}
	}
}

// plain32 is apply32 in plain Go.
func plain32(code opcode, dst, x, y, z []float32) {
	switch code {
	case opAdd:
		binary(dst, x, y, func(x, y float32) float32 { return x + y })
	case opSub:
		binary(dst, x, y, func(x, y float32) float32 { return x - y })
	case opMul:
		binary(dst, x, y, func(x, y float32) float32 { return x * y })
	case opDiv:
		binary(dst, x, y, func(x, y float32) float32 { return x / y })
	case opMax:
		binary(dst, x, y, greatest)
	case opMin:
		binary(dst, x, y, least)
	case opEqual:
		binary(dst, x, y, func(x, y float32) float32 { return truth(x == y) })
	case opNotEqual:
		binary(dst, x, y, func(x, y float32) float32 { return truth(x != y) })
	case opLess:
		binary(dst, x, y, func(x, y float32) float32 { return truth(x < y) })
	case opLessOrEqual:
		binary(dst, x, y, func(x, y float32) float32 { return truth(x <= y) })
	case opAnd:
		binary(dst, x, y, func(x, y float32) float32 { return truth(x != 0 && y != 0) })
	case opOr:
		binary(dst, x, y, func(x, y float32) float32 { return truth(x != 0 || y != 0) })
	case opWhere:
		choose(dst, x, y, z)
	case opCopy:
		copy(dst, x)
	case opNeg:
		unary(dst, x, func(x float32) float32 { return -x })
	case opAbs:
		unary(dst, x, abs)
	case opSign:
		unary(dst, x, sign)
	case opSqrt:
		unary(dst, x, func(x float32) float32 { return float32(math.Sqrt(float64(x))) })
	case opRsqrt:
		unary(dst, x, func(x float32) float32 { return 1 / float32(math.Sqrt(float64(x))) })
	case opExp:
		unary(dst, x, exp)
	case opLog:
		unary(dst, x, log)
	case opLog1p:
		unary(dst, x, func(x float32) float32 { return float32(math.Log1p(float64(x))) })
	case opTanh:
		unary(dst, x, tanh)
	case opLogistic:
		unary(dst, x, logistic)
	case opNot:
		unary(dst, x, func(x float32) float32 { return truth(x == 0) })
	case opTruth:
		unary(dst, x, func(x float32) float32 { return truth(x != 0) })
	default:
		panic("cpu: no such function in float32")
	}
}

// apply64 is apply32 in float64, where also truths are.
func apply64(code opcode, dst, x, y, z []float64) {
	number := func(is bool) float64 { return float64(truth(is)) }
	switch code {
	case opAdd:
		binary(dst, x, y, func(x, y float64) float64 { return x + y })
	case opSub:
		binary(dst, x, y, func(x, y float64) float64 { return x - y })
	case opMul:
		binary(dst, x, y, func(x, y float64) float64 { return x * y })
	case opDiv:
		binary(dst, x, y, func(x, y float64) float64 { return x / y })
	case opMax:
		binary(dst, x, y, func(x, y float64) float64 { return max(x, y) })
	case opMin:
		binary(dst, x, y, func(x, y float64) float64 { return min(x, y) })
	case opEqual:
		binary(dst, x, y, func(x, y float64) float64 { return number(x == y) })
	case opNotEqual:
		binary(dst, x, y, func(x, y float64) float64 { return number(x != y) })
	case opLess:
		binary(dst, x, y, func(x, y float64) float64 { return number(x < y) })
	case opLessOrEqual:
		binary(dst, x, y, func(x, y float64) float64 { return number(x <= y) })
	case opGreater:
		binary(dst, x, y, func(x, y float64) float64 { return number(x > y) })
	case opGreaterOrEqual:
		binary(dst, x, y, func(x, y float64) float64 { return number(x >= y) })
	case opWhere:
		choose(dst, x, y, z)
	case opCopy:
		copy(dst, x)
	case opNeg:
		unary(dst, x, func(x float64) float64 { return -x })
	case opAbs:
		unary(dst, x, math.Abs)
	case opSign:
		unary(dst, x, func(x float64) float64 {
			if x > 0 || x < 0 {
				return math.Copysign(1, x)
			}
			return x
		})
	case opSqrt:
		unary(dst, x, math.Sqrt)
	case opRsqrt:
		unary(dst, x, func(x float64) float64 { return 1 / math.Sqrt(x) })
	case opExp:
		unary(dst, x, exp64)
	case opLog:
		unary(dst, x, math.Log)
	case opLog1p:
		unary(dst, x, math.Log1p)
	case opTanh:
		unary(dst, x, math.Tanh)
	case opLogistic:
		unary(dst, x, func(x float64) float64 { return 1 / (1 + exp64(-x)) })
	case opTruth:
		unary(dst, x, func(x float64) float64 { return number(x != 0) })
	default:
		panic("cpu: no such function in float64")
	}
}
