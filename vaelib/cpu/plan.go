package cpu

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// class is how numbers are kept. Truths are 0 and 1 in float32, whole numbers
// are kept in float64, but for those that an input gives to gather by.
type class int

const (
	single class = iota // float32
	double              // float64
	index               // int32
)

// kind is what a step does.
type kind int

const (
	given       kind = iota // nothing: the value is an input or a constant
	elementwise             // see group
	moved                   // copies pieces to their places
	summed                  // see reduction
	multiplied              // a matrix product
	gathered                // picks rows
)

// value is what a step gives, or what is given.
type value struct {
	kind     kind
	class    class
	dims     []int
	number   int
	operands []view

	code  opcode  // elementwise, summed (opAdd, opMax, opMin)
	axes  []int   // summed: the axes that go
	dot   dot     // multiplied
	parts []part  // moved
	fill  float64 // moved: what stands between the parts

	// What does not depend on each other's results has the same stage. The
	// elementwise values of one stage and shape make a group.
	stage    int
	store    *store
	step     int
	exported bool // elementwise: needed outside its group
}

// part is where a moved operand goes.
type part struct {
	offset  int
	strides []int
}

// errForeign says that a graph has something that is left to GoMLX's backend.
var errForeign = errors.New("cpu: left to GoMLX")

// planner makes a plan of a graph.
type planner struct {
	views  map[*node]view
	values []*value
	stores []*store
}

func (p *planner) add(v *value) view {
	v.number = len(p.values)
	p.values = append(p.values, v)
	for _, o := range v.operands {
		switch {
		case o.of.kind == given:
		case v.kind == elementwise && o.of.kind == elementwise && o.all() &&
			slices.Equal(longAxes(v.dims), longAxes(o.of.dims)):
			v.stage = max(v.stage, o.of.stage)
		default:
			v.stage = max(v.stage, o.of.stage+1)
		}
	}
	return whole(v)
}

// longAxes are the lengths of the axes that have more than one element.
func longAxes(dims []int) []int {
	var long []int
	for _, d := range dims {
		if d != 1 {
			long = append(long, d)
		}
	}
	return long
}

// view returns how n's value is seen, and plans what it takes.
func (p *planner) view(n *node) (view, error) {
	if v, ok := p.views[n]; ok {
		return v, nil
	}
	in := make([]view, len(n.inputs))
	for i, input := range n.inputs {
		v, err := p.view(input)
		if err != nil {
			return view{}, err
		}
		in[i] = v
	}
	v, err := p.plan(n, in)
	p.views[n] = v
	return v, err
}

func (p *planner) plan(n *node, in []view) (view, error) {
	dims := n.shape.Dimensions
	for _, v := range in {
		if v.of.class == index && !rearranges[n.op] && n.op != compute.OpTypeGather {
			return view{}, errForeign
		}
	}
	switch n.op {
	case compute.OpTypeParameter:
		return p.parameter(n)
	case compute.OpTypeConstant:
		return p.constant(n)
	case compute.OpTypeIota:
		return p.iota(n)
	case compute.OpTypeIdentity:
		return in[0], nil
	case compute.OpTypeReshape:
		if v, ok := in[0].reshape(dims); ok {
			return v, nil
		}
		v, _ := p.copied(in[0]).reshape(dims)
		return v, nil
	case compute.OpTypeTranspose:
		return in[0].transpose(n.axes), nil
	case compute.OpTypeSlice:
		return in[0].slice(n.slice.starts, n.slice.strides, dims), nil
	case compute.OpTypeBroadcastInDim:
		return in[0].broadcast(dims, n.axes), nil
	case compute.OpTypeConvertDType:
		return p.convert(n, in[0])
	case compute.OpTypeConcatenate:
		return p.concatenate(n, in), nil
	case compute.OpTypePad:
		return p.pad(n, in)
	case compute.OpTypeReduceSum, compute.OpTypeReduceMax, compute.OpTypeReduceMin:
		return p.reduce(n, in[0]), nil
	case compute.OpTypeDotGeneral:
		return p.multiply(n, in)
	case compute.OpTypeGather:
		if in[0].of.class == index || n.shape.DType == dtypes.Int32 || in[1].of.class != index {
			return view{}, errForeign
		}
		return p.add(&value{kind: gathered, class: in[0].of.class, dims: dims, operands: in}), nil
	case compute.OpTypeClamp:
		most := in[2]
		v, err := p.elementwise(opMax, n, in[:2])
		if err != nil {
			return view{}, err
		}
		return p.elementwise(opMin, n, []view{v, most})
	}
	if code, ok := opcodes[n.op]; ok {
		return p.elementwise(code, n, in)
	}
	return view{}, fmt.Errorf("%w: %s", errForeign, n.op)
}

// rearranges are the operations that don't look at numbers.
var rearranges = map[compute.OpType]bool{
	compute.OpTypeIdentity: true, compute.OpTypeReshape: true, compute.OpTypeTranspose: true, compute.OpTypeSlice: true,
	compute.OpTypeBroadcastInDim: true,
}

func classOf(dtype dtypes.DType) class {
	if dtype == dtypes.Float64 || dtype == dtypes.Int32 {
		return double
	}
	return single
}

func (p *planner) store(s store) *store {
	s.id = len(p.stores)
	p.stores = append(p.stores, &s)
	return &s
}

func (p *planner) parameter(n *node) (view, error) {
	c := classOf(n.shape.DType)
	switch n.shape.DType {
	case dtypes.Bool:
		return view{}, errForeign
	case dtypes.Int32:
		c = index
	}
	dims := n.shape.Dimensions
	s := p.store(store{kind: input, class: c, size: product(dims), index: n.index})
	return whole(&value{class: c, dims: dims, store: s}), nil
}

func (p *planner) constant(n *node) (view, error) {
	flat, c := reflect.ValueOf(n.flat), classOf(n.shape.DType)
	s := store{kind: fixed, class: c, size: flat.Len()}
	for i := range flat.Len() {
		var x float64
		switch e := flat.Index(i); e.Kind() {
		case reflect.Float32, reflect.Float64:
			x = e.Float()
		case reflect.Int32:
			x = float64(e.Int())
		case reflect.Bool:
			x = float64(truth(e.Bool()))
		default:
			return view{}, errForeign
		}
		s.keep(x)
	}
	return whole(&value{class: c, dims: n.shape.Dimensions, store: p.store(s)}), nil
}

func (p *planner) iota(n *node) (view, error) {
	length := n.shape.Dimensions[n.axes[0]]
	s := store{kind: fixed, class: classOf(n.shape.DType), size: length}
	for i := range length {
		s.keep(float64(i))
	}
	line := whole(&value{class: s.class, dims: []int{length}, store: p.store(s)})
	return line.broadcast(n.shape.Dimensions, n.axes), nil
}

// copied moves the elements of v next to each other.
func (p *planner) copied(v view) view {
	parts := []part{{0, rowMajor(v.dims)}}
	return p.add(&value{kind: moved, class: v.of.class, dims: v.dims, operands: []view{v}, parts: parts})
}

func (p *planner) convert(n *node, x view) (view, error) {
	from, to := n.inputs[0].shape.DType, n.shape.DType
	switch {
	case to == dtypes.Bool:
		truths := p.add(&value{kind: elementwise, class: x.of.class, code: opTruth, dims: x.dims, operands: []view{x}})
		return p.as(truths, single), nil
	case to == dtypes.Int32 && from != dtypes.Bool && from != dtypes.Int32:
		return view{}, errForeign
	}
	return p.as(x, classOf(to)), nil
}

// as converts x to a class.
func (p *planner) as(x view, to class) view {
	switch {
	case x.of.class == to:
		return x
	case to == double:
		return p.add(&value{kind: elementwise, class: to, code: opWiden, dims: x.dims, operands: []view{x}})
	}
	return p.add(&value{kind: elementwise, class: to, code: opNarrow, dims: x.dims, operands: []view{x}})
}

// exact are the functions that give whole numbers of whole numbers, or truths.
var exact = []opcode{opEqual, opNotEqual, opLess, opLessOrEqual, opGreater, opGreaterOrEqual, opWhere, opMax, opMin}

func (p *planner) elementwise(code opcode, n *node, in []view) (view, error) {
	c := single
	for i, v := range in {
		if n.inputs[i].shape.DType == dtypes.Int32 && !slices.Contains(exact, code) {
			return view{}, errForeign
		}
		for axis, d := range v.dims {
			if d != 1 && d != n.shape.Dimensions[axis] {
				return view{}, errForeign // an empty axis beside one of length 1
			}
		}
		if len(v.dims) == 0 {
			in[i] = v.broadcast(n.shape.Dimensions, nil)
		} else {
			in[i] = v.broadcast(n.shape.Dimensions, axes(len(v.dims)))
		}
		c = max(c, v.of.class)
	}
	for i := range in {
		in[i] = p.as(in[i], c)
	}
	v := p.add(&value{kind: elementwise, class: c, code: code, dims: n.shape.Dimensions, operands: in})
	return p.as(v, classOf(n.shape.DType)), nil
}

func axes(count int) []int {
	a := make([]int, count)
	for i := range a {
		a[i] = i
	}
	return a
}

func (p *planner) concatenate(n *node, in []view) view {
	axis, strides := n.axes[0], rowMajor(n.shape.Dimensions)
	v := &value{kind: moved, class: in[0].of.class, dims: n.shape.Dimensions, operands: in}
	offset := 0
	for _, x := range in {
		v.parts = append(v.parts, part{offset, strides})
		offset += x.dims[axis] * strides[axis]
	}
	return p.add(v)
}

func (p *planner) pad(n *node, in []view) (view, error) {
	fill := in[1].of.store
	if fill == nil || fill.kind != fixed {
		return view{}, errForeign
	}
	strides, offset := rowMajor(n.shape.Dimensions), 0
	for i, start := range n.axes {
		offset += start * strides[i]
	}
	return p.add(&value{kind: moved, class: in[0].of.class, dims: n.shape.Dimensions, operands: in[:1],
		parts: []part{{offset, strides}}, fill: fill.number(in[1].offset)}), nil
}

func (p *planner) reduce(n *node, x view) view {
	gone := n.axes
	if len(gone) == 0 {
		gone = axes(len(x.dims))
	}
	code := opAdd
	switch n.op {
	case compute.OpTypeReduceMax:
		code = opMax
	case compute.OpTypeReduceMin:
		code = opMin
	}
	if !reducible(x, gone) {
		// Those that go innermost, next to each other.
		var order []int
		for i := range x.dims {
			if !slices.Contains(gone, i) {
				order = append(order, i)
			}
		}
		stay := len(order)
		x = p.copied(x.transpose(append(order, gone...)))
		gone = axes(len(x.dims))[stay:]
	}
	return p.add(&value{
		kind: summed, class: x.of.class, code: code, dims: n.shape.Dimensions, operands: []view{x}, axes: gone,
	})
}

// multiply plans the product of matrices and vectors, or of batches of them.
func (p *planner) multiply(n *node, in []view) (view, error) {
	for i, contracting := range [][]int{n.dot.lhs, n.dot.rhs} {
		whole := in[i].of.class == index || n.inputs[i].shape.DType == dtypes.Int32
		if len(in[i].dims)-len(n.dot.lhsBatch) > 2 || len(contracting) != 1 || whole {
			return view{}, errForeign
		}
	}
	return p.add(&value{kind: multiplied, class: in[0].of.class, dims: n.shape.Dimensions, operands: in, dot: n.dot}),
		nil
}

// plan is a graph as a list of steps with places for all their values.
type plan struct {
	steps   []step
	stores  []*store
	inputs  []*store // by number; nil where an input isn't read
	outputs []*store
	singles int // size of the space for float32 values
	doubles int // and for float64 ones
}

// step computes one value or a group of them.
type step interface{ run(f *frame) }

// newPlan plans a graph. Its error is errForeign where the graph has something
// that isn't done here.
func newPlan(inputs int, outputs []*node) (*plan, error) {
	p := &planner{views: map[*node]view{}}
	results := make([]*store, len(outputs))
	for i, n := range outputs {
		if n.shape.DType != dtypes.Float32 && n.shape.DType != dtypes.Float64 {
			return nil, errForeign
		}
		v, err := p.view(n)
		if err != nil {
			return nil, err
		}
		if !v.all() || v.of.kind == given || v.of.store != nil {
			v = p.copied(v)
		}
		results[i] = p.store(store{kind: output, class: v.of.class, size: product(v.dims), index: i})
		v.of.store, v.of.exported = results[i], true
	}
	made := &plan{outputs: results, inputs: make([]*store, inputs)}
	order := slices.Clone(p.values)
	slices.SortStableFunc(order, func(a, b *value) int {
		return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.number, b.number))
	})
	groups := p.number(order)
	p.place(order)
	for _, members := range groups {
		made.steps = append(made.steps, newStep(members))
	}
	made.stores = p.stores
	for _, s := range p.stores {
		if s.kind == input {
			made.inputs[s.index] = s
		}
	}
	made.singles = arrange(p.stores, single)
	made.doubles = arrange(p.stores, double)
	return made, nil
}

// number gives the values their steps, and returns the values of each.
func (p *planner) number(order []*value) [][]*value {
	var groups [][]*value
	at := map[string]int{} // step of a group
	for _, v := range order {
		if v.kind == elementwise {
			key := fmt.Sprint(v.stage, longAxes(v.dims))
			if step, ok := at[key]; ok {
				v.step = step
				groups[step] = append(groups[step], v)
				continue
			}
			at[key] = len(groups)
		}
		v.step = len(groups)
		groups = append(groups, []*value{v})
	}
	return groups
}

// place gives the values that leave their step a place. Pieces that are put
// together are made where they belong, if nothing else is made of them there.
func (p *planner) place(order []*value) {
	for _, v := range order {
		for _, o := range v.operands {
			if o.of.kind != elementwise || o.of.step != v.step {
				o.of.exported = true
			}
		}
	}
	for _, v := range order {
		if v.store == nil && (v.kind != elementwise || v.exported) {
			v.store = p.store(store{kind: planned, class: v.class, size: product(v.dims), first: v.step, last: v.step})
		}
		if v.store != nil && v.store.kind == output {
			v.store.first, v.store.last = v.step, v.step
		}
	}
	for _, v := range order {
		if v.kind == moved {
			v.adopt()
		}
		for _, o := range v.operands {
			if s := o.of.store; s != nil {
				s.last = max(s.last, v.step)
			}
		}
	}
	for _, s := range p.stores {
		for q := s.parent; q != nil; q = q.parent {
			q.first, q.last = min(q.first, s.first), max(q.last, s.last)
		}
	}
}

// adopt has the operands of a move made in their places.
func (v *value) adopt() {
	for i, o := range v.operands {
		s := o.of.store
		if s == nil || s.kind != planned || s.parent != nil || !o.all() {
			continue
		}
		dims, strides := collapse(o.dims, v.parts[i].strides)
		if len(dims) > 1 || len(dims) == 1 && strides[0][0] != 1 || v.fill != 0 || len(v.parts) == 1 {
			continue
		}
		s.parent, s.at = v.store, v.parts[i].offset
	}
}
