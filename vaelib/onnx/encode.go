package onnx

import "google.golang.org/protobuf/encoding/protowire"

// Versions of the file's form, of which onnxruntime 1.20 and later read both.
const (
	irVersion    = 10
	opsetVersion = 21
	producer     = "vaefolio"
)

// Element types (TensorProto.DataType).
const (
	Float32 = 1
	Int64   = 7
)

// Types of attributes (AttributeProto.AttributeType).
const (
	attributeInt  = 2
	attributeInts = 7
)

// The numbers of the fields are those of onnx.proto
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR version 10).

// encode is the ModelProto.
func (g *Graph) encode() []byte {
	b := number(nil, 1, irVersion)
	b = text(b, 2, producer)
	b = message(b, 7, g.graph())
	b = message(b, 8, number(nil, 2, opsetVersion)) // of the standard operators, whose domain is ""
	for _, pair := range g.metadata {
		b = message(b, 14, text(text(nil, 1, pair[0]), 2, pair[1]))
	}
	return b
}

// graph is the GraphProto.
func (g *Graph) graph() (b []byte) {
	for _, n := range g.nodes {
		b = message(b, 1, n.encode())
	}
	b = text(b, 2, g.name)
	for _, t := range g.tensors {
		b = message(b, 5, t.encode())
	}
	for _, p := range g.inputs {
		b = message(b, 11, p.encode())
	}
	for _, p := range g.outputs {
		b = message(b, 12, p.encode())
	}
	return b
}

// encode is the NodeProto. Nodes have the name of their first output.
func (n node) encode() (b []byte) {
	for _, name := range n.inputs {
		b = text(b, 1, name)
	}
	for _, name := range n.outputs {
		b = text(b, 2, name)
	}
	b = text(b, 3, n.outputs[0])
	b = text(b, 4, n.operator)
	for _, a := range n.attributes {
		b = message(b, 5, a.encode())
	}
	return b
}

// encode is the AttributeProto.
func (a Attribute) encode() []byte {
	b := text(nil, 1, a.Name)
	if a.Values == nil {
		return number(number(b, 3, uint64(a.Value)), 20, attributeInt)
	}
	for _, v := range a.Values {
		b = number(b, 8, uint64(v))
	}
	return number(b, 20, attributeInts)
}

// encode is the TensorProto.
func (t tensor) encode() (b []byte) {
	for _, d := range t.shape {
		b = number(b, 1, uint64(d))
	}
	b = number(b, 2, uint64(t.dataType))
	b = text(b, 8, t.name)
	return message(b, 9, t.raw)
}

// encode is the ValueInfoProto.
func (p port) encode() []byte {
	var shape []byte
	for _, a := range p.axes {
		if a.Size > 0 {
			shape = message(shape, 1, number(nil, 1, uint64(a.Size)))
		} else {
			shape = message(shape, 1, text(nil, 2, a.Name))
		}
	}
	array := message(number(nil, 1, Float32), 2, shape)
	b := message(text(nil, 1, p.name), 2, message(nil, 1, array))
	return text(b, 3, p.doc)
}

func number(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func message(b []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), content)
}
