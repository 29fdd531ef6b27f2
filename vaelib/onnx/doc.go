// Package onnx writes ONNX models: graphs over arrays of float32, of which
// some axes are free: the rows of a matrix, say.
//
// A graph is built from its inputs on, a node at a time, and written as the
// protocol buffer that other runtimes read:
//
//	g := onnx.New("double")
//	x := g.Input("x", "numbers", onnx.Matrix(3))
//	g.Output("y", "twice as much", g.Node("Mul", x, g.Scalar(2)), onnx.Matrix(3))
//	err := g.Write(w)
//
// Operators are named as in the ONNX standard, version 21 of which the graphs are
// written for (https://onnx.ai/onnx/operators). A node whose operator, inputs or
// attributes the standard doesn't know is found by a runtime or by onnx.checker,
// not here.
package onnx
