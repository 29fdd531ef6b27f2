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

// setWriter writes the graph of a model over sets in ONNX: arrays are rows x assets
// x features, and of what is the same for all rows 1 x assets x features.
type setWriter struct {
	*onnx.Graph
	network *setNetwork
	theta   []float32
}

// writeEncoder is [setTape.encode], for one universe without padding, of rows in
// standard deviations from equal weights.
func (p *placed) writeEncoder(g *onnx.Graph, x onnx.Value) onnx.Value {
	w := setWriter{g, p.of.programs.network, p.of.theta}
	n, first := len(p.offset), w.network.decoderLayers()
	tokens := universe.Features + universe.Facts
	var known []float32 // n x tokens
	for i := range n {
		known = append(known, p.row.tokens[i*universe.Features:(i+1)*universe.Features]...)
		known = append(known, p.row.facts...)
	}
	universal := g.Floats(known, 1, n, tokens)
	features := w.blocks(1, w.dense(0, universal))
	// The first layer's matrix in three: by the weight, by what is known of the asset
	// and by its features. Only the first differs between rows.
	l := w.network.layers[first]
	part := func(from, to int) onnx.Value {
		return g.Floats(w.theta[l.offset+from*l.out:l.offset+to*l.out], to-from, l.out)
	}
	byKnown := g.Node("MatMul", universal, part(1, 1+tokens))
	same := g.Node("Add", byKnown, g.Node("MatMul", features, part(1+tokens, l.in)))
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
