package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Value is something that a graph holds or computes.
type Value struct{ name string }

// Graph is an ONNX graph under construction. Inputs and outputs are arrays of
// float32.
type Graph struct {
	name     string
	inputs   []port
	outputs  []port
	nodes    []node
	tensors  []tensor
	metadata [][2]string
	names    map[string]bool
}

// Axis is one of an input or output: of a size, or, where that is 0, of any size, the
// same for all axes of its name.
type Axis struct {
	Size int
	Name string
}

// Rows is the axis of the cases, in any number.
var Rows = Axis{Name: "rows"}

// Matrix returns the axes of an array with a row for each case, of so many columns.
func Matrix(columns int) []Axis { return []Axis{Rows, {Size: columns}} }

// port is an input or output.
type port struct {
	name, doc string
	axes      []Axis
}

type node struct {
	operator        string
	inputs, outputs []string
	attributes      []Attribute
}

// Attribute is an attribute of a node: an integer, or several.
type Attribute struct {
	Name   string
	Value  int
	Values []int // nil: Value
}

// tensor is a constant.
type tensor struct {
	name     string
	shape    []int
	dataType int
	raw      []byte
}

// New begins a graph.
func New(name string) *Graph { return &Graph{name: name, names: map[string]bool{}} }

// claim takes a name, which only one value may have.
func (g *Graph) claim(name string) string {
	if g.names[name] {
		panic("onnx: two values have the name " + name)
	}
	g.names[name] = true
	return name
}

// next is a name that no value has.
func (g *Graph) next(prefix string) string {
	return g.claim(prefix + "_" + strconv.Itoa(len(g.names)))
}

// Input adds an input, and says what it is. It panics, as Output does, if another
// value has the name.
func (g *Graph) Input(name, doc string, axes []Axis) Value {
	g.inputs = append(g.inputs, port{g.claim(name), doc, axes})
	return Value{name}
}

// Output makes a value an output.
func (g *Graph) Output(name, doc string, v Value, axes []Axis) {
	g.outputs = append(g.outputs, port{g.claim(name), doc, axes})
	g.nodes = append(g.nodes, node{operator: "Identity", inputs: []string{v.name}, outputs: []string{name}})
}

// Note adds a line of metadata, which a runtime hands on.
func (g *Graph) Note(key, value string) { g.metadata = append(g.metadata, [2]string{key, value}) }

// Floats adds a constant of float32, row-major. It panics unless the shape holds
// as many values.
func (g *Graph) Floats(values []float32, shape ...int) Value {
	check(len(values), shape)
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return g.constant(tensor{shape: shape, dataType: Float32, raw: raw})
}

// Scalar adds a constant number.
func (g *Graph) Scalar(v float64) Value { return g.Floats([]float32{float32(v)}) }

// Ints adds a constant vector of integers.
func (g *Graph) Ints(values ...int) Value {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return g.constant(tensor{shape: []int{len(values)}, dataType: Int64, raw: raw})
}

// Int adds a constant integer without axes.
func (g *Graph) Int(v int) Value {
	return g.constant(tensor{dataType: Int64, raw: binary.LittleEndian.AppendUint64(nil, uint64(v))})
}

func (g *Graph) constant(t tensor) Value {
	t.name = g.next("constant")
	g.tensors = append(g.tensors, t)
	return Value{t.name}
}

func check(count int, shape []int) {
	size := 1
	for _, d := range shape {
		size *= d
	}
	if size != count {
		panic(fmt.Sprintf("onnx: %d values for the shape %v", count, shape))
	}
}

// Node adds a node with one output, and returns that.
func (g *Graph) Node(operator string, inputs ...Value) Value {
	return g.Nodes(operator, 1, inputs)[0]
}

// Along adds a node with one output that works along an axis, its attribute.
func (g *Graph) Along(axis int, operator string, inputs ...Value) Value {
	return g.Nodes(operator, 1, inputs, Attribute{Name: "axis", Value: axis})[0]
}

// Nodes adds a node with so many outputs, and returns these.
func (g *Graph) Nodes(operator string, outputs int, inputs []Value, attributes ...Attribute) []Value {
	n := node{operator: operator, attributes: attributes}
	for _, v := range inputs {
		n.inputs = append(n.inputs, v.name)
	}
	values := make([]Value, outputs)
	for i := range values {
		values[i] = Value{g.next(operator)}
		n.outputs = append(n.outputs, values[i].name)
	}
	g.nodes = append(g.nodes, n)
	return values
}

// Cast adds a node that makes other elements of a value: [Float32] of truths, say.
func (g *Graph) Cast(v Value, elements int) Value {
	return g.Nodes("Cast", 1, []Value{v}, Attribute{Name: "to", Value: elements})[0]
}

// Columns adds a node that takes the columns, of the last axis, from one up to
// another.
func (g *Graph) Columns(v Value, from, to int) Value {
	return g.Node("Slice", v, g.Ints(from), g.Ints(to), g.Ints(-1))
}

// largest is what a protocol buffer may have.
const largest = math.MaxInt32

// Length adds a node that counts what a value has along an axis: one integer in a
// vector.
func (g *Graph) Length(v Value, axis int) Value {
	from, to := Attribute{Name: "start", Value: axis}, Attribute{Name: "end", Value: axis + 1}
	return g.Nodes("Shape", 1, []Value{v}, from, to)[0]
}

// Write writes the model. It returns an error for one of 2 GiB or more, which no
// runtime reads in one file.
func (g *Graph) Write(w io.Writer) error {
	data := g.encode()
	if len(data) > largest {
		return fmt.Errorf("%s has %d bytes, and an ONNX file may have %d: take smaller hidden layers",
			g.name, len(data), largest)
	}
	_, err := w.Write(data)
	return err
}
