package cpu

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// The operations that this package runs itself. All others are GoMLX's own, by
// the embedded function, and their values are not taken down.

func (f *function) Abs(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Abs(x)
	return f.take(v, err, node{op: compute.OpTypeAbs}, x)
}

func (f *function) Exp(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Exp(x)
	return f.take(v, err, node{op: compute.OpTypeExp}, x)
}

func (f *function) Identity(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Identity(x)
	return f.take(v, err, node{op: compute.OpTypeIdentity}, x)
}

func (f *function) Log(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Log(x)
	return f.take(v, err, node{op: compute.OpTypeLog}, x)
}

func (f *function) Log1p(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Log1p(x)
	return f.take(v, err, node{op: compute.OpTypeLog1p}, x)
}

func (f *function) LogicalNot(x compute.Value) (compute.Value, error) {
	v, err := f.Function.LogicalNot(x)
	return f.take(v, err, node{op: compute.OpTypeLogicalNot}, x)
}

func (f *function) Logistic(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Logistic(x)
	return f.take(v, err, node{op: compute.OpTypeLogistic}, x)
}

func (f *function) Neg(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Neg(x)
	return f.take(v, err, node{op: compute.OpTypeNeg}, x)
}

func (f *function) Rsqrt(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Rsqrt(x)
	return f.take(v, err, node{op: compute.OpTypeRsqrt}, x)
}

func (f *function) Sign(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Sign(x)
	return f.take(v, err, node{op: compute.OpTypeSign}, x)
}

func (f *function) Sqrt(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Sqrt(x)
	return f.take(v, err, node{op: compute.OpTypeSqrt}, x)
}

func (f *function) Tanh(x compute.Value) (compute.Value, error) {
	v, err := f.Function.Tanh(x)
	return f.take(v, err, node{op: compute.OpTypeTanh}, x)
}

func (f *function) Add(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Add(x, y)
	return f.take(v, err, node{op: compute.OpTypeAdd}, x, y)
}

func (f *function) Div(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Div(x, y)
	return f.take(v, err, node{op: compute.OpTypeDiv}, x, y)
}

func (f *function) Equal(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Equal(x, y)
	return f.take(v, err, node{op: compute.OpTypeEqual}, x, y)
}

func (f *function) GreaterOrEqual(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.GreaterOrEqual(x, y)
	return f.take(v, err, node{op: compute.OpTypeGreaterOrEqual}, x, y)
}

func (f *function) GreaterThan(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.GreaterThan(x, y)
	return f.take(v, err, node{op: compute.OpTypeGreaterThan}, x, y)
}

func (f *function) LessOrEqual(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.LessOrEqual(x, y)
	return f.take(v, err, node{op: compute.OpTypeLessOrEqual}, x, y)
}

func (f *function) LessThan(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.LessThan(x, y)
	return f.take(v, err, node{op: compute.OpTypeLessThan}, x, y)
}

func (f *function) LogicalAnd(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.LogicalAnd(x, y)
	return f.take(v, err, node{op: compute.OpTypeLogicalAnd}, x, y)
}

func (f *function) LogicalOr(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.LogicalOr(x, y)
	return f.take(v, err, node{op: compute.OpTypeLogicalOr}, x, y)
}

func (f *function) Max(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Max(x, y)
	return f.take(v, err, node{op: compute.OpTypeMax}, x, y)
}

func (f *function) Min(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Min(x, y)
	return f.take(v, err, node{op: compute.OpTypeMin}, x, y)
}

func (f *function) Mul(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Mul(x, y)
	return f.take(v, err, node{op: compute.OpTypeMul}, x, y)
}

func (f *function) NotEqual(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.NotEqual(x, y)
	return f.take(v, err, node{op: compute.OpTypeNotEqual}, x, y)
}

func (f *function) Sub(x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Sub(x, y)
	return f.take(v, err, node{op: compute.OpTypeSub}, x, y)
}

func (f *function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceMax(x, axes...)
	return f.take(v, err, node{op: compute.OpTypeReduceMax, axes: slices.Clone(axes)}, x)
}

func (f *function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceMin(x, axes...)
	return f.take(v, err, node{op: compute.OpTypeReduceMin, axes: slices.Clone(axes)}, x)
}

func (f *function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	v, err := f.Function.ReduceSum(x, axes...)
	return f.take(v, err, node{op: compute.OpTypeReduceSum, axes: slices.Clone(axes)}, x)
}

func (f *function) Where(condition, x, y compute.Value) (compute.Value, error) {
	v, err := f.Function.Where(condition, x, y)
	return f.take(v, err, node{op: compute.OpTypeWhere}, condition, x, y)
}

func (f *function) Clamp(least, x, most compute.Value) (compute.Value, error) {
	v, err := f.Function.Clamp(least, x, most)
	return f.take(v, err, node{op: compute.OpTypeClamp}, least, x, most)
}

func (f *function) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	v, err := f.Function.ConvertDType(x, dtype)
	return f.take(v, err, node{op: compute.OpTypeConvertDType}, x)
}

func (f *function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	v, err := f.Function.BroadcastInDim(x, shape, axes)
	return f.take(v, err, node{op: compute.OpTypeBroadcastInDim, axes: slices.Clone(axes)}, x)
}

func (f *function) Reshape(x compute.Value, dimensions ...int) (compute.Value, error) {
	v, err := f.Function.Reshape(x, dimensions...)
	return f.take(v, err, node{op: compute.OpTypeReshape}, x)
}

func (f *function) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	v, err := f.Function.Transpose(x, permutation...)
	return f.take(v, err, node{op: compute.OpTypeTranspose, axes: slices.Clone(permutation)}, x)
}

func (f *function) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	v, err := f.Function.Slice(x, starts, limits, strides)
	return f.take(v, err, node{op: compute.OpTypeSlice, slice: slice{slices.Clone(starts), slices.Clone(strides)}}, x)
}

func (f *function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	v, err := f.Function.Concatenate(axis, operands...)
	return f.take(v, err, node{op: compute.OpTypeConcatenate, axes: []int{axis}}, operands...)
}

func (f *function) Iota(shape shapes.Shape, axis int) (compute.Value, error) {
	v, err := f.Function.Iota(shape, axis)
	return f.take(v, err, node{op: compute.OpTypeIota, axes: []int{axis}})
}

// Gather of whole rows of a matrix, by their numbers, is taken down.
func (f *function) Gather(
	x, indices compute.Value, indexAxis int, offset, collapsed, start, sizes []int, sorted bool,
) (compute.Value, error) {
	v, err := f.Function.Gather(x, indices, indexAxis, offset, collapsed, start, sizes, sorted)
	if err != nil {
		return v, err
	}
	from, rows := f.nodes[x], f.nodes[indices]
	if from == nil || rows == nil || from.shape.Rank() != 2 || rows.shape.Rank() != 2 || rows.shape.Dimensions[1] != 1 {
		return v, nil
	}
	whole := []int{1, from.shape.Dimensions[1]}
	if indexAxis != 1 || !slices.Equal(offset, []int{1}) || !slices.Equal(collapsed, []int{0}) ||
		!slices.Equal(start, []int{0}) || !slices.Equal(sizes, whole) {
		return v, nil
	}
	return f.take(v, nil, node{op: compute.OpTypeGather}, x, indices)
}

// DotGeneral is taken down, for the plan to decide.
func (f *function) DotGeneral(
	x compute.Value, contractX, batchX []int, y compute.Value, contractY, batchY []int, config compute.DotGeneralConfig,
) (compute.Value, error) {
	v, err := f.Function.DotGeneral(x, contractX, batchX, y, contractY, batchY, config)
	if err != nil || config != (compute.DotGeneralConfig{}) {
		return v, err
	}
	axes := dot{slices.Clone(contractX), slices.Clone(contractY), slices.Clone(batchX), slices.Clone(batchY)}
	return f.take(v, nil, node{op: compute.OpTypeDotGeneral, dot: axes}, x, y)
}

// Pad with 0, at the ends alone, is taken down.
func (f *function) Pad(x, fill compute.Value, axes ...compute.PadAxis) (compute.Value, error) {
	v, err := f.Function.Pad(x, fill, axes...)
	if err != nil {
		return v, err
	}
	starts := make([]int, 0, len(axes))
	for _, a := range axes {
		if a.Start < 0 || a.End < 0 || a.Interior != 0 {
			return v, nil
		}
		starts = append(starts, a.Start)
	}
	return f.take(v, nil, node{op: compute.OpTypePad, axes: starts}, x, fill)
}
