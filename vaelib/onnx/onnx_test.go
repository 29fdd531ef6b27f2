package onnx_test

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"vaefolio/vaelib/onnx"
)

// doubled is a graph that multiplies by 2.
func doubled() *onnx.Graph {
	g := onnx.New("double")
	x := g.Input("x", "numbers", onnx.Matrix(3))
	g.Output("y", "twice as much", g.Node("Mul", x, g.Scalar(2)), onnx.Matrix(3))
	return g
}

// fields reads the fields of a message, by their numbers in onnx.proto.
func fields(t *testing.T, b []byte) map[protowire.Number][][]byte {
	t.Helper()
	all := map[protowire.Number][][]byte{}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		value := b[:n]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		all[number] = append(all[number], value)
		b = b[n:]
	}
	return all
}

// A model is the messages that onnx.proto says. What onnxruntime makes of one is
// tested where the graphs are built, in package vae.
func TestWrite(t *testing.T) {
	var b bytes.Buffer
	if err := doubled().Write(&b); err != nil {
		t.Fatal(err)
	}
	model := fields(t, b.Bytes())
	graph := fields(t, model[7][0])
	for _, test := range []struct {
		what      string
		got, want []byte
	}{
		{"IR version", model[1][0], []byte{10}},
		{"opset", fields(t, model[8][0])[2][0], []byte{21}},
		{"name", graph[2][0], []byte("double")},
		{"operator", fields(t, graph[1][0])[4][0], []byte("Mul")},
		{"operator of the output", fields(t, graph[1][1])[4][0], []byte("Identity")},
		{"the output's name", fields(t, graph[12][0])[1][0], []byte("y")},
		{"constant", fields(t, graph[5][0])[9][0], []byte{0, 0, 0, 0x40}},
	} {
		if !bytes.Equal(test.got, test.want) {
			t.Errorf("%s is %q, want %q", test.what, test.got, test.want)
		}
	}
	input := fields(t, graph[11][0])
	shape := fields(t, fields(t, fields(t, input[2][0])[1][0])[2][0])[1]
	if rows := fields(t, shape[0])[2]; len(rows) != 1 || !bytes.Equal(fields(t, shape[1])[1][0], []byte{3}) {
		t.Errorf("the input has the shape %q", shape)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	if err := doubled().Write(full{}); !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}

func TestNamesAreUnique(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two inputs have one name")
		}
	}()
	g := doubled()
	g.Input("x", "again", onnx.Matrix(1))
}
