package vae

import (
	"math"

	"vaefolio/vaelib/onnx"
)

// DecoderONNX returns the decoder as an ONNX graph: from codes "z" (rows x d) and,
// of a conditional model, conditions "c" (rows x k) to "weights" (rows x n), as
// [Model.DecodeGiven] makes them but for float32's roundings. Conditions are given
// as they are: standardising, and telling levels from numbers, is in the graph. A
// row with a number that isn't finite, or with a level that there isn't, gives NaN.
func (m *Model) DecoderONNX() *onnx.Graph {
	c := m.config
	g := onnx.New("decoder")
	z := g.Input("z", "codes, one a row", onnx.Matrix(c.Latent))
	in := m.writeConditions(g, z)
	var y onnx.Value
	if m.placed != nil {
		y = m.placed.writeLogits(g, in)
	} else {
		y = m.writeLayers(g, m.programs.network.decoder, in)
	}
	w := heads[c.Head].write(c, g, y)
	g.Output("weights", "portfolios, one a row", guarded(g, w, in), onnx.Matrix(c.Assets))
	return g
}

// EncoderONNX returns the encoder as an ONNX graph: from "weights" (rows x n) and,
// of a conditional model, conditions "c" (rows x k) to "mean" and "logvar" (rows x
// d each) of the codes, as [Model.EncodeGiven] does.
func (m *Model) EncoderONNX() *onnx.Graph {
	c := m.config
	g := onnx.New("encoder")
	x := g.Input("weights", "portfolios, one a row", onnx.Matrix(c.Assets))
	mean := g.Floats(narrow(m.scaling.mean), c.Assets)
	x = g.Node("Mul", g.Node("Sub", x, mean), g.Scalar(1/math.Sqrt(m.scaling.variance)))
	in := m.writeConditions(g, x)
	var y onnx.Value
	if m.placed != nil {
		y = m.placed.writeEncoder(g, in)
	} else {
		y = m.writeLayers(g, m.programs.network.encoder, in)
	}
	writeCodes(g, guarded(g, y, in), c.Latent)
	return g
}

// writeCodes makes what an encoder reads out (rows x 2d) the outputs "mean" and
// "logvar".
func writeCodes(g *onnx.Graph, y onnx.Value, d int) {
	g.Output("mean", "means of the codes", g.Columns(y, 0, d), onnx.Matrix(d))
	g.Output("logvar", "logarithms of the codes' variances", g.Columns(y, d, 2*d), onnx.Matrix(d))
}

// writeConditions puts the conditions, as the network sees them, beside rows.
func (m *Model) writeConditions(g *onnx.Graph, rows onnx.Value) onnx.Value {
	if len(m.config.Conditions) == 0 {
		return rows
	}
	given := g.Input("c", "conditions as they are, one row a row; of a categorical one the number of the level",
		onnx.Matrix(len(m.config.Conditions)))
	parts := []onnx.Value{rows}
	for j, c := range m.config.Conditions {
		v := g.Columns(given, j, j+1)
		if !c.categorical() {
			s := m.scaling.conditions[j]
			v = g.Node("Div", g.Node("Sub", v, g.Scalar(s.Mean)), g.Scalar(s.SD))
		} else {
			levels := make([]float32, len(c.Levels))
			for l := range levels {
				levels[l] = float32(l)
			}
			v = g.Cast(g.Node("Equal", v, g.Floats(levels, len(levels))), onnx.Float32)
			v = g.Node("Div", v, g.Node("ReduceSum", v, g.Ints(1))) // by 1, or by 0 without a level
		}
		parts = append(parts, v)
	}
	return g.Along(1, "Concat", parts...)
}

// writeLayers passes rows through layers.
func (m *Model) writeLayers(g *onnx.Graph, layers []layer, x onnx.Value) onnx.Value {
	for i, l := range layers {
		if i > 0 {
			x = activations[m.config.Activation].write(g, x)
		}
		weight := g.Floats(m.theta[l.offset:l.biasOffset()], l.in, l.out)
		x = g.Node("Add", g.Node("MatMul", x, weight), g.Floats(m.theta[l.biasOffset():l.end()], l.out))
	}
	return x
}

// guarded makes rows NaN whose input holds something that isn't finite: what
// follows could lose it, as a maximum does in some runtimes, and make a portfolio.
func guarded(g *onnx.Graph, out, in onnx.Value) onnx.Value {
	nothing := g.Node("ReduceSum", g.Node("Mul", in, g.Scalar(0)), g.Ints(1))
	return g.Node("Add", out, nothing)
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// OfSet says whether the model is one of a universe that a model over sets of assets
// was placed in: its decoder is one layer, and its encoder attends to all assets.
func (m *Model) OfSet() bool { return m.placed != nil }

// Outputs returns the width of the decoder's last layer: n, or 2n where further
// outputs tell which weights are present.
func (m *Model) Outputs() int {
	if m.placed != nil {
		return m.config.Assets
	}
	last := m.programs.network.decoder
	return last[len(last)-1].out
}
