package vae

import (
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// setTape is one pass through the network over U universes of at most n assets.
// What an asset lacks in a smaller universe is padding, which the mask leaves out
// of every attention, sum and projection.
type setTape struct {
	network *setNetwork
	cut     []*graph.Node // weights and bias of each layer, flat
	in      setInputs
	fused   bool // see attendFused
}

// setInputs are universes as the graph sees them.
type setInputs struct {
	tokens *graph.Node // U x n x SetConfig.features
	mask   *graph.Node // U x n: 1 for an asset, 0 for padding
	facts  *graph.Node // U x SetConfig.facts
	limits *graph.Node // U x 3: the largest weight, the variance of a weight, 1/n
}

// Columns of limits.
const (
	limitCap = iota
	limitVariance
	limitEqual
	limitSize
)

// tape begins a pass with the parameters in one vector.
func (n *setNetwork) tape(theta *graph.Node, in setInputs) *setTape {
	return &setTape{network: n, cut: n.cut(theta), in: in}
}

// cut takes the layers out of the parameters.
func (n *setNetwork) cut(theta *graph.Node) (cut []*graph.Node) {
	for _, l := range n.layers {
		cut = append(cut, graph.Slice(theta, graph.AxisRange(l.offset, l.end())))
	}
	return cut
}

// limit is a column of the limits, U x 1.
func (t *setTape) limit(column int) *graph.Node {
	return graph.Slice(t.in.limits, graph.AxisRange(), graph.AxisRange(column, column+1))
}

// dense is x W + b over the last axis.
func (t *setTape) dense(layer int, x *graph.Node) *graph.Node {
	l, dims := t.network.layers[layer], x.Shape().Dimensions
	weights := graph.Reshape(graph.Slice(t.cut[layer], graph.AxisRange(0, l.in*l.out)), l.in, l.out)
	bias := graph.Slice(t.cut[layer], graph.AxisRange(l.in*l.out, l.in*l.out+l.out))
	rows := x.Shape().Size() / l.in
	y := graph.MatMul(graph.Reshape(x, rows, l.in), weights)
	y = graph.Add(y, graph.BroadcastToDims(graph.ExpandAxes(bias, 0), rows, l.out))
	return graph.Reshape(y, append(append([]int{}, dims[:len(dims)-1]...), l.out)...)
}

// normalised divides by the root of the mean square over the last axis (RMSNorm,
// Zhang & Sennrich 2019, without a gain).
func normalised(x *graph.Node) *graph.Node {
	square := graph.ReduceAndKeep(graph.Mul(x, x), graph.ReduceSum, -1)
	mean := graph.DivScalar(square, float64(x.Shape().Dimensions[x.Rank()-1]))
	return graph.Div(x, graph.Sqrt(graph.AddScalar(mean, 1e-6))) // GoMLX 0.28 has no gradient of Rsqrt
}

// stack passes x (G x n x in) through a stack that begins at a layer, up to its
// features (G x n x H). Absent (G x n) is 0 for assets and far below it for padding.
func (t *setTape) stack(from int, x, absent *graph.Node) *graph.Node {
	x = t.dense(from, x)
	for block := range t.network.config.Blocks {
		first := from + 1 + blockLayers*block
		seen := t.dense(first+blockAttention, normalised(x))
		if t.fused {
			seen = t.attendFused(seen)
		} else {
			seen = t.attend(seen, absent)
		}
		x = graph.Add(x, t.dense(first+blockMix, seen))
		x = graph.Add(x, t.dense(first+blockDown, silu(t.dense(first+blockUp, normalised(x)))))
	}
	return normalised(x)
}

// attend is the attention of queries, keys and values (G x n x 3H), the first two
// normalised (Henry et al. 2020), so that no logit grows beyond sqrt(H/heads).
func (t *setTape) attend(qkv, absent *graph.Node) *graph.Node {
	groups, n, h := qkv.Shape().Dimensions[0], qkv.Shape().Dimensions[1], t.network.config.Width
	heads := t.network.config.Heads
	part := func(i int) *graph.Node {
		x := graph.Slice(qkv, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(i*h, (i+1)*h))
		return graph.Reshape(x, groups, n, heads, h/heads)
	}
	queries, keys, values := normalised(part(0)), normalised(part(1)), part(2)
	logits := graph.DotGeneral(queries, []int{3}, []int{0, 2}, keys, []int{3}, []int{0, 2}) // G x heads x n x n
	logits = graph.MulScalar(logits, 1/math.Sqrt(float64(h/heads)))
	logits = graph.Add(logits, graph.BroadcastToShape(graph.ExpandAxes(absent, 1, 2), logits.Shape()))
	largest := graph.StopGradient(graph.ReduceAndKeep(logits, graph.ReduceMax, -1))
	e := graph.Exp(graph.Sub(logits, largest))
	shares := graph.Div(e, graph.ReduceAndKeep(e, graph.ReduceSum, -1))
	seen := graph.DotGeneral(shares, []int{3}, []int{0, 1}, values, []int{1}, []int{0, 2}) // G x heads x n x H/heads
	return graph.Reshape(graph.Transpose(seen, 1, 2), groups, n, h)
}

// farBelow is a logit whose softmax is exactly 0 beside any other.
const farBelow = -1e9

// decoder returns the features of the assets (U x n x H), and the map that they
// are read out to: for each asset an offset (U x n) and d slopes (U x n x d), so
// that codes z give the logits offset + slopes z. Of a conditional network it also returns
// the logarithm of the variance of a weight about what is decoded (U x n), in units of
// that about 1/n; nil: of another.
func (t *setTape) decoder() (features, offset, slopes, scatter *graph.Node) {
	dims := t.in.tokens.Shape().Dimensions
	facts := graph.BroadcastToDims(graph.ExpandAxes(t.in.facts, 1), dims[0], dims[1], t.network.config.facts())
	absent := graph.MulScalar(graph.OneMinus(t.in.mask), farBelow)
	features = t.stack(0, graph.Concatenate([]*graph.Node{t.in.tokens, facts}, 2), absent)
	read := t.dense(t.network.decoderLayers()-1, features)
	d := t.network.config.Latent
	offset = graph.Squeeze(graph.Slice(read, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(0, 1)), 2)
	slopes = graph.Slice(read, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(1, 1+d))
	if t.network.config.Conditional {
		scatter = graph.Squeeze(graph.Slice(read, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(1+d, 2+d)), 2)
		scatter = graph.MulScalar(graph.Tanh(graph.DivScalar(scatter, mostScatter)), mostScatter)
	}
	return features, offset, slopes, scatter
}

// mostScatter bounds the logarithm of a variance.
const mostScatter = 7

// decode maps codes (U x P x d) to logits and weights (U x P x n each).
func (t *setTape) decode(offset, slopes, codes *graph.Node) (logits, weights *graph.Node) {
	logits = graph.DotGeneral(codes, []int{2}, []int{0}, slopes, []int{2}, []int{0})
	logits = graph.Add(logits, graph.BroadcastToShape(graph.ExpandAxes(offset, 1), logits.Shape()))
	scale := graph.BroadcastToShape(graph.ExpandAxes(graph.Sqrt(t.limit(limitVariance)), 1), logits.Shape())
	equal := graph.BroadcastToShape(graph.ExpandAxes(t.limit(limitEqual), 1), logits.Shape())
	y := graph.Add(graph.Mul(logits, scale), equal)
	return logits, maskedProjection(y, t.perRow(t.in.mask, y), t.perRow(t.limit(limitCap), y))
}

// perRow repeats x (U x n, or U x 1) for the P rows of each universe of y (U x P x n).
func (t *setTape) perRow(x, y *graph.Node) *graph.Node {
	return graph.BroadcastToShape(graph.ExpandAxes(x, 1), y.Shape())
}

// encode maps portfolios x (U x P x n), in standard deviations from equal weights,
// and the decoder's features to mean and log variance (U x P x d each).
func (t *setTape) encode(x, features *graph.Node) (mean, logvar *graph.Node) {
	dims := x.Shape().Dimensions
	universes, rows, n, h, d := dims[0], dims[1], dims[2], t.network.config.Width, t.network.config.Latent
	each := func(v *graph.Node, width int) *graph.Node { // U x n x width -> U P x n x width
		v = graph.BroadcastToDims(graph.ExpandAxes(v, 1), universes, rows, n, width)
		return graph.Reshape(v, universes*rows, n, width)
	}
	facts := graph.BroadcastToDims(graph.ExpandAxes(t.in.facts, 1), universes, n, t.network.config.facts())
	known := graph.Concatenate([]*graph.Node{t.in.tokens, facts, features}, 2)
	own := graph.Reshape(x, universes*rows, n, 1)
	mask := each(graph.ExpandAxes(t.in.mask, 2), 1)
	absent := graph.MulScalar(graph.OneMinus(graph.Squeeze(mask, 2)), farBelow)
	input := graph.Concatenate([]*graph.Node{own, each(known, known.Shape().Dimensions[2])}, 2)
	y := graph.Mul(t.stack(t.network.decoderLayers(), input, absent),
		graph.BroadcastToDims(mask, universes*rows, n, h))
	equal := graph.BroadcastToDims(graph.ExpandAxes(t.limit(limitEqual), 2), universes, rows, 2*h) // 1/n
	weighted := graph.Mul(y, graph.BroadcastToDims(own, universes*rows, n, h))
	pooled := graph.Concatenate([]*graph.Node{graph.ReduceSum(y, 1), graph.ReduceSum(weighted, 1)}, 1)
	pooled = graph.Mul(graph.Reshape(pooled, universes, rows, 2*h), equal)
	read := t.dense(len(t.network.layers)-1, pooled)
	all := graph.AxisRange()
	return graph.Slice(read, all, all, graph.AxisRange(0, d)), graph.Slice(read, all, all, graph.AxisRange(d, 2*d))
}

// setLosses are means over the rows of all universes.
type setLosses struct{ reconstruction, kl, logits, scatter *graph.Node }

// losses returns the losses of portfolios x (U x P x n, as in encode) at codes
// drawn with noise (U x P x d). Present (U x P) marks the rows that count.
func (t *setTape) losses(x, noise, present *graph.Node) setLosses {
	features, offset, slopes, scatter := t.decoder()
	mu, logvar := t.encode(x, features)
	sigma := graph.Exp(graph.MulScalar(logvar, 0.5))
	logits, weights := t.decode(offset, slopes, graph.Add(mu, graph.Mul(sigma, noise)))
	deviation := t.perRow(graph.Sqrt(t.limit(limitVariance)), x)
	mask := t.perRow(t.in.mask, x)
	reconstructed := graph.Div(graph.Sub(weights, t.perRow(t.limit(limitEqual), x)), deviation)
	miss := graph.Mul(graph.Sub(x, reconstructed), mask)
	squares := graph.Add(graph.Mul(mu, mu), graph.Mul(sigma, sigma))
	count := graph.ReduceAllSum(present)
	mean := func(rows *graph.Node) *graph.Node {
		return graph.Div(graph.ReduceAllSum(graph.Mul(rows, present)), count)
	}
	size := graph.Mul(graph.Mul(logits, mask), graph.Mul(logits, t.perRow(t.limit(limitEqual), x)))
	l := setLosses{
		reconstruction: graph.MulScalar(mean(graph.ReduceSum(graph.Mul(miss, miss), 2)), 0.5),
		kl:             graph.MulScalar(mean(graph.ReduceSum(graph.Sub(squares, graph.AddScalar(logvar, 1)), 2)), 0.5),
		logits:         mean(graph.ReduceSum(size, 2)),
	}
	if scatter != nil {
		square, each := graph.StopGradient(graph.Mul(miss, miss)), t.perRow(scatter, x)
		density := graph.Add(graph.Mul(square, graph.Exp(graph.Neg(each))), each)
		density = graph.Mul(graph.Mul(density, mask), t.perRow(t.limit(limitEqual), x))
		l.scatter = mean(graph.ReduceSum(density, 2))
	}
	return l
}

// scatterWeight weighs the density of what was missed, a mean over the assets: it moves
// nothing else than the scatter, but for the features that it is read out of.
const scatterWeight = 0.1

// logitPenalty weighs the mean square of the logits, in standard deviations of a
// weight: it keeps them where the head still moves.
const logitPenalty = 0.03

// clip is the largest length of a step's gradient.
const clip = 1

// stepGraph is one step of Adam, as [network.stepGraph] is: a state, the layers as cut
// out of it, and the step's plan and batch to the next state. Fused: of a loop.
func (n *setNetwork) stepGraph(s state[*graph.Node], cut, rows []*graph.Node, fused bool) state[*graph.Node] {
	plan := rows[0]
	universes, more := setInputsOf(rows[1:])
	t := &setTape{network: n, cut: cut, in: universes, fused: fused}
	var l setLosses
	if n.config.rule() {
		l = t.regret(more[0], more[1], more[2], more[3])
	} else {
		x := more[0]
		l = t.losses(x, more[1], graph.Ones(x.Graph(), shapes.Make(x.DType(), x.Shape().Dimensions[:2]...)))
	}
	loss := graph.Add(l.reconstruction, graph.Mul(entry(plan, planWeight), l.kl))
	penalty := graph.MulScalar(l.logits, logitPenalty)
	loss = graph.Add(loss, penalty)
	if l.scatter != nil {
		scatter := graph.MulScalar(l.scatter, scatterWeight)
		loss, penalty = graph.Add(loss, scatter), graph.Add(penalty, scatter)
	}
	gradient := graph.Concatenate(graph.Gradient(loss, t.cut...), 0)
	length := graph.Sqrt(graph.AddScalar(graph.ReduceAllSum(graph.Mul(gradient, gradient)), 1e-12))
	gradient = graph.Div(gradient, graph.MaxScalar(graph.DivScalar(length, clip), 1))
	next := adam(s, plan, []*graph.Node{gradient})
	next.rate = s.rate
	sums := []*graph.Node{sumTotal: loss, sumReconstruction: l.reconstruction, sumKL: l.kl, sumControl: penalty}
	for i, v := range sums {
		sums[i] = graph.Reshape(v, 1)
	}
	next.sums = graph.Add(s.sums, graph.Concatenate(sums, 0))
	return next
}

// maskedProjection is [projection] along the last axis of y, with a largest weight u
// by element, of entries that mask marks with 1; the others get 0, and take no part.
func maskedProjection(y, mask, u *graph.Node) *graph.Node {
	keep := func(x *graph.Node, reduce func(*graph.Node, ...int) *graph.Node) *graph.Node {
		return graph.ReduceAndKeep(x, reduce, -1)
	}
	one := graph.OnesLike(mask)
	here := graph.GreaterThan(mask, graph.MulScalar(one, 0.5))
	values := graph.StopGradient(y)
	shift := keep(graph.Where(here, values, graph.MulScalar(one, farBelow)), graph.ReduceMax)
	// Padding lies where it gets nothing from any threshold.
	values = graph.Where(here, graph.Sub(values, shift), graph.MulScalar(one, farBelow))
	least := keep(graph.Where(here, values, graph.ZerosLike(values)), graph.ReduceMin)
	low := graph.Sub(least, keep(u, graph.ReduceMax)) // sum w = n u >= 1
	width := graph.Neg(low)
	held := func(tau *graph.Node) *graph.Node {
		return graph.Min(graph.MaxScalar(graph.Sub(values, tau), 0), u)
	}
	for range bisections {
		width = graph.MulScalar(width, 0.5)
		sum := keep(held(graph.Add(low, width)), graph.ReduceSum)
		up := graph.ConvertDType(graph.GreaterThan(sum, graph.OnesLike(sum)), low.DType())
		low = graph.Add(low, graph.Mul(up, width))
	}
	number := func(condition *graph.Node) *graph.Node { return graph.ConvertDType(condition, y.DType()) }
	capped := number(graph.GreaterThan(graph.Sub(values, u), graph.BroadcastToShape(low, values.Shape())))
	inside := graph.Sub(number(graph.GreaterThan(values, graph.BroadcastToShape(low, values.Shape()))), capped)
	lacks := graph.AddScalar(keep(graph.Mul(capped, u), graph.ReduceSum), -1)
	free := graph.MaxScalar(keep(inside, graph.ReduceSum), 1)
	tau := graph.Div(graph.Add(keep(graph.Mul(inside, values), graph.ReduceSum), lacks), free)
	y = graph.IdentityWithCustomGradient(y, func(_, g *graph.Node) *graph.Node {
		g = graph.Mul(g, inside)
		return graph.Sub(g, graph.Mul(inside, graph.Div(keep(g, graph.ReduceSum), free)))
	})
	w := graph.Sub(graph.Sub(y, shift), tau)
	zero := graph.ZerosLike(values)
	w = graph.Where(graph.GreaterThan(inside, zero), w, graph.Mul(u, capped))
	return w
}
