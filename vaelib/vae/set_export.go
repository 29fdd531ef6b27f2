package vae

import (
	"math"

	"vaefolio/vaelib/onnx"
	"vaefolio/vaelib/universe"
)

// tensors are the decoder that was written for the universe, as one layer.
func (p *placed) tensors() []tensor {
	n, d := len(p.offset), p.of.document.Config.Latent
	weight := make([]float32, d*n)
	for i := range n {
		for k := range d {
			weight[k*n+i] = float32(p.slopes.At(i, k))
		}
	}
	return []tensor{
		{name: "decoder.0.weight", shape: []int{d, n}, values: weight},
		{name: "decoder.0.bias", shape: []int{n}, values: narrow(p.offset)},
	}
}

// writeLogits is [placed.logits] in ONNX.
func (p *placed) writeLogits(g *onnx.Graph, z onnx.Value) onnx.Value {
	layer := p.tensors()
	y := g.Node("MatMul", z, g.Floats(layer[0].values, layer[0].shape...))
	return g.Node("Add", y, g.Floats(layer[1].values, layer[1].shape...))
}

// writeEncoder is [setTape.encode], for one universe without padding, of rows in
// standard deviations from equal weights.
func (p *placed) writeEncoder(g *onnx.Graph, x onnx.Value) onnx.Value {
	n, c := len(p.offset), p.of.document.Config
	var known []float32
	for i := range n {
		known = append(known, p.row.tokens[i*c.features():(i+1)*c.features()]...)
		known = append(known, p.row.facts...)
	}
	return p.of.writer(g).encoder(x, g.Floats(known, 1, n, c.features()+c.facts()))
}

// assets is the axis of the assets of a universe, in any number.
var assets = onnx.Axis{Name: "assets"}

// UniverseONNX returns the network that writes a decoder for a universe as an ONNX
// graph: from "tokens" (assets x [universe.Features]), "periods" and "cap", the largest
// weight (one number each), to "offset" (assets) and "slopes" (assets x d), in units of
// weight. Of a conditional model tokens have [universe.AskedFeatures] more columns, "asked"
// ([universe.AskedFacts]) is what is asked of portfolios, and "scatter" (assets) comes out,
// the variances of weights about what is decoded. A number that isn't finite, and a cap that leaves no room, give NaN.
func (m *SetModel) UniverseONNX() *onnx.Graph {
	g := onnx.New("universe")
	d := m.document.Config.Latent
	u := m.writer(g).universe(m.document.Scale)
	w := m.writer(g)
	read := w.dense(w.network.decoderLayers()-1, w.features(u.known))
	read = g.Node("Squeeze", read, g.Ints(0)) // n x 1+d
	offset := g.Node("Squeeze", g.Columns(read, 0, 1), g.Ints(1))
	offset = g.Node("Add", g.Node("Mul", offset, u.deviation), u.equal)
	slopes := g.Node("Mul", g.Columns(read, 1, 1+d), u.deviation)
	g.Output("offset", "the portfolio of the code 0, before the head", g.Node("Add", offset, u.nothing),
		[]onnx.Axis{assets})
	g.Output("slopes", "how it moves with each dimension of the code", g.Node("Add", slopes, u.nothing),
		[]onnx.Axis{assets, {Size: d}})
	if m.document.Config.Conditional {
		half := g.Node("Tanh", g.Node("Mul", g.Columns(read, 1+d, 2+d), g.Scalar(1./mostScatter)))
		spread := g.Node("Exp", g.Node("Mul", half, g.Scalar(mostScatter)))
		spread = g.Node("Mul", spread, g.Node("Mul", u.deviation, u.deviation))
		g.Output("scatter", "the variance of a weight about what is decoded",
			g.Node("Add", g.Node("Squeeze", spread, g.Ints(1)), u.nothing), []onnx.Axis{assets})
	}
	return g
}

// DecoderONNX returns what decodes under the decoder of [SetModel.UniverseONNX]: from
// codes "z" (rows x d), "offset", "slopes" and "cap", the largest weight of each row (rows
// x 1), to "weights" (rows x assets). A row with a number that isn't finite, or whose cap
// leaves no room, gives NaN.
func (m *SetModel) DecoderONNX() *onnx.Graph {
	g := onnx.New("decoder")
	d := m.document.Config.Latent
	z := g.Input("z", "codes, one a row", onnx.Matrix(d))
	offset := g.Input("offset", "that of universe.onnx", []onnx.Axis{assets})
	slopes := g.Input("slopes", "those of universe.onnx", []onnx.Axis{assets, {Size: d}})
	most := g.Input("cap", "the largest weight in the row", onnx.Matrix(1))
	across := g.Nodes("Transpose", 1, []onnx.Value{slopes}, onnx.Attribute{Name: "perm", Values: []int{1, 0}})[0]
	y := g.Node("Add", g.Node("MatMul", z, across), offset)
	n := g.Length(y, 1)
	w := writeProjection(g, y, g.Node("Squeeze", n), g.Node("Mul", n, g.Ints(2)), most)
	// The root of what is missing to 1 is none; float32's 1/n times n counts as 1.
	room := g.Node("Sub", g.Node("Mul", most, g.Cast(n, onnx.Float32)), g.Scalar(1-1e-6))
	nothing := g.Node("Mul", g.Node("Sqrt", room), g.Scalar(0))
	g.Output("weights", "portfolios, one a row", g.Node("Add", guarded(g, w, y), nothing),
		[]onnx.Axis{onnx.Rows, assets})
	return g
}

// EncoderONNX returns the encoder for any universe: from "weights" (rows x assets), and
// "tokens", "periods" and "cap" as [SetModel.UniverseONNX] takes them, to "mean" and
// "logvar" (rows x d each) of the codes.
func (m *SetModel) EncoderONNX() *onnx.Graph {
	g := onnx.New("encoder")
	x := g.Input("weights", "portfolios, one a row", []onnx.Axis{onnx.Rows, assets})
	w := m.writer(g)
	u := w.universe(m.document.Scale)
	x = g.Node("Add", g.Node("Div", g.Node("Sub", x, u.equal), u.deviation), u.nothing)
	writeCodes(g, guarded(g, w.encoder(x, u.known), x), m.document.Config.Latent)
	return g
}

// setWriter writes the graph of a model over sets in ONNX: arrays are rows x assets
// x features, and of what is the same for all rows 1 x assets x features.
type setWriter struct {
	*onnx.Graph
	network *setNetwork
	theta   []float32
}

func (m *SetModel) writer(g *onnx.Graph) setWriter { return setWriter{g, m.programs.network, m.theta} }

// writtenUniverse is a universe in a graph.
type writtenUniverse struct {
	known            onnx.Value // 1 x assets x what the network is told of an asset
	equal, deviation onnx.Value // 1/n, and the standard deviation of a weight: one number each
	nothing          onnx.Value // 0, or NaN where the universe holds what isn't finite: one number
}

// universe adds the inputs that tell of a universe, and what [setScale.placed] makes of
// them.
func (w setWriter) universe(share setScale) writtenUniverse {
	one := []onnx.Axis{{Size: 1}}
	c := w.network.config
	tokens := w.Input("tokens", "what is known of each asset", []onnx.Axis{assets, {Size: c.features()}})
	periods := w.Input("periods", "the number of periods that it is known from", one)
	most := w.Input("cap", "the largest weight", one)
	n := w.Cast(w.Length(tokens, 0), onnx.Float32)
	equal := w.Node("Div", w.Scalar(1), n)
	variance := w.Node("Mul", w.Node("Mul", w.Node("Sub", most, equal), equal), w.Scalar(float64(share)))
	scaled := w.Node("Mul", n, most)
	facts := w.Along(0, "Concat", w.Node("Log", w.Node("Mul", periods, w.Scalar(1./universe.UsualPeriods))),
		w.Node("Sub", w.Node("Log", scaled), w.Scalar(universe.UsualRoom)),
		w.Node("Log", w.Node("Mul", n, w.Scalar(1./universe.UsualAssets))))
	if c.Conditional {
		asked := w.Input("asked", "what is asked of portfolios", []onnx.Axis{{Size: universe.AskedFacts}})
		facts = w.Along(0, "Concat", facts, asked)
	}
	nothing := w.Node("ReduceSum", w.Node("Mul", tokens, w.Scalar(0)))
	noFacts := w.Node("ReduceSum", w.Node("Mul", facts, w.Scalar(0)))
	nothing = w.Node("Add", w.Node("Reshape", nothing, w.Ints(1)), noFacts)
	each := w.Node("Expand", facts, w.Along(0, "Concat", w.Length(tokens, 0), w.Ints(c.facts())))
	known := w.Node("Unsqueeze", w.Along(1, "Concat", tokens, each), w.Ints(0))
	return writtenUniverse{known, equal, w.Node("Sqrt", variance), nothing}
}

// features are those of the decoder (1 x assets x H), of what is known of the assets.
func (w setWriter) features(known onnx.Value) onnx.Value { return w.blocks(1, w.dense(0, known)) }

// encoder is [setTape.encode] of rows (rows x assets) in standard deviations from equal
// weights, of one universe without padding: what is read out (rows x 2d).
func (w setWriter) encoder(x, universal onnx.Value) onnx.Value {
	g, first := w.Graph, w.network.decoderLayers()
	told := w.network.config.features() + w.network.config.facts()
	features := w.features(universal)
	// The first layer's matrix in three: by the weight, by what is known of the asset
	// and by its features. Only the first differs between rows.
	l := w.network.layers[first]
	part := func(from, to int) onnx.Value {
		return g.Floats(w.theta[l.offset+from*l.out:l.offset+to*l.out], to-from, l.out)
	}
	byKnown := g.Node("MatMul", universal, part(1, 1+told))
	same := g.Node("Add", byKnown, g.Node("MatMul", features, part(1+told, l.in)))
	same = g.Node("Add", same, g.Floats(w.theta[l.biasOffset():l.end()], l.out))
	own := g.Node("Unsqueeze", x, g.Ints(2))
	y := w.blocks(first+1, g.Node("Add", g.Node("MatMul", own, part(0, 1)), same))
	pooled := g.Along(1, "Concat", w.overAssets(y), w.overAssets(g.Node("Mul", y, own))) // rows x 2h
	return w.dense(len(w.network.layers)-1, pooled)
}

// overAssets is the mean over the assets.
func (w setWriter) overAssets(x onnx.Value) onnx.Value {
	return w.Nodes("ReduceMean", 1, []onnx.Value{x, w.Ints(1)}, onnx.Attribute{Name: "keepdims"})[0]
}

// dense is x W + b over the last axis.
func (w setWriter) dense(layer int, x onnx.Value) onnx.Value {
	l := w.network.layers[layer]
	x = w.Node("MatMul", x, w.Floats(w.theta[l.offset:l.biasOffset()], l.in, l.out))
	return w.Node("Add", x, w.Floats(w.theta[l.biasOffset():l.end()], l.out))
}

// normalised is [normalised].
func (w setWriter) normalised(x onnx.Value) onnx.Value {
	mean := w.Node("ReduceMean", w.Node("Mul", x, x), w.Ints(-1))
	return w.Node("Div", x, w.Node("Sqrt", w.Node("Add", mean, w.Scalar(1e-6))))
}

// blocks passes x through the blocks of a stack whose first layer but the input is
// given: what follows the input in [setTape.stack].
func (w setWriter) blocks(from int, x onnx.Value) onnx.Value {
	for block := range w.network.config.Blocks {
		first := from + blockLayers*block
		x = w.Node("Add", x, w.dense(first+blockMix, w.attend(w.dense(first+blockAttention, w.normalised(x)))))
		up := activations["silu"].write(w.Graph, w.dense(first+blockUp, w.normalised(x)))
		x = w.Node("Add", x, w.dense(first+blockDown, up))
	}
	return w.normalised(x)
}

// attend is [setTape.attend], head by head.
func (w setWriter) attend(qkv onnx.Value) onnx.Value {
	h, heads := w.network.config.Width, w.network.config.Heads
	e := h / heads
	var seen []onnx.Value
	for head := range heads {
		part := func(i int) onnx.Value { return w.Columns(qkv, i*h+head*e, i*h+(head+1)*e) }
		keys := w.Nodes("Transpose", 1, []onnx.Value{w.normalised(part(1))},
			onnx.Attribute{Name: "perm", Values: []int{0, 2, 1}})[0]
		logits := w.Node("Mul", w.Node("MatMul", w.normalised(part(0)), keys), w.Scalar(1/math.Sqrt(float64(e))))
		seen = append(seen, w.Node("MatMul", w.Along(-1, "Softmax", logits), part(2)))
	}
	return w.Along(-1, "Concat", seen...)
}
