package cpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// node is an operation of a graph, as the plan reads it.
type node struct {
	op     compute.OpType
	shape  shapes.Shape
	inputs []*node

	axes   []int // of Reduce, BroadcastInDim, Transpose (permutation), Slice (starts), Concatenate and Iota (one axis)
	slice  slice // of Slice
	dot    dot   // of DotGeneral
	flat   any   // of Constant
	index  int   // of Parameter
	number int   // in the order of the graph, which is one of execution
}

type slice struct{ starts, strides []int }

// dot has the contracting axes of the two factors, and those of batches.
type dot struct{ lhs, rhs, lhsBatch, rhsBatch []int }

// builder passes a graph on to GoMLX's Go backend, which checks it, and takes
// down the operations that this package runs itself. A value that it hasn't
// taken down makes the graph one for GoMLX's backend.
type builder struct {
	compute.Builder // GoMLX's
	backend         *Backend
	main            *function
}

// function is the main function of a graph. Its values are those of GoMLX's.
type function struct {
	compute.Function // GoMLX's
	builder          *builder
	nodes            map[compute.Value]*node
	order            []*node
	parameters       []*node
	names            []string
	outputs          []*node // nil where one is not taken down
}

func (b *builder) Main() compute.Function {
	if b.main == nil {
		b.main = &function{Function: b.Builder.Main(), builder: b, nodes: map[compute.Value]*node{}}
	}
	return b.main
}

func (b *builder) Compile() (compute.Executable, error) {
	if b.main != nil && b.main.outputs != nil {
		return newExecutable(b.backend, b.main)
	}
	return b.lend()
}

// lend compiles the graph for GoMLX's backend.
func (b *builder) lend() (compute.Executable, error) {
	e, err := b.Builder.Compile()
	if err != nil {
		return nil, err
	}
	return &borrowed{Executable: e, backend: b.backend}, nil
}

func (f *function) Builder() compute.Builder { return f.builder }

// dtypesHere are those that the plan knows.
var dtypesHere = map[dtypes.DType]bool{
	dtypes.Float32: true, dtypes.Float64: true, dtypes.Int32: true, dtypes.Bool: true,
}

// take takes down the operation that gave v, unless it failed, reads a value
// that isn't taken down, or is of a type that the plan doesn't know.
func (f *function) take(v compute.Value, err error, n node, inputs ...compute.Value) (compute.Value, error) {
	if err != nil {
		return v, err
	}
	if _, ok := f.nodes[v]; ok { // GoMLX's found that it has this value already
		return v, nil
	}
	for _, input := range inputs {
		i, ok := f.nodes[input]
		if !ok {
			return v, nil
		}
		n.inputs = append(n.inputs, i)
	}
	shape, err := f.Function.Shape(v)
	if err != nil || !dtypesHere[shape.DType] || shape.IsDynamic() {
		return v, err
	}
	n.shape, n.number = shape, len(f.order)
	f.nodes[v] = &n
	f.order = append(f.order, &n)
	return v, nil
}

func (f *function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	v, err := f.Function.Parameter(name, shape, sharding)
	v, err = f.take(v, err, node{op: compute.OpTypeParameter, index: len(f.parameters)})
	if err == nil {
		f.parameters = append(f.parameters, f.nodes[v])
		f.names = append(f.names, name)
	}
	return v, err
}

func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	v, err := f.Function.Constant(flat, dims...)
	return f.take(v, err, node{op: compute.OpTypeConstant, flat: flat})
}

func (f *function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	if err := f.Function.Return(outputs, shardings); err != nil {
		return err
	}
	for _, v := range outputs {
		n, ok := f.nodes[v]
		if !ok || n.shape.DType == dtypes.Bool {
			f.outputs = nil
			return nil
		}
		f.outputs = append(f.outputs, n)
	}
	return nil
}
