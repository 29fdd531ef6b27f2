package vae

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/stream"
)

// activations are the functions between layers, by name.
var activations = map[string]func(x *graph.Node) *graph.Node{
	"silu": silu,
	"relu": func(x *graph.Node) *graph.Node { return graph.MaxScalar(x, 0) },
	"tanh": graph.Tanh,
}

// silu is x/(1 + exp(-x)) (Elfwing et al. 2018). Its derivative, with s the
// logistic function, is s (1 + x - silu): given by hand, it takes half as many
// passes over the batch as automatic differentiation.
func silu(x *graph.Node) *graph.Node {
	inverse := graph.StopGradient(graph.OnePlus(graph.Exp(graph.Neg(x)))) // 1/s
	var y *graph.Node
	y = graph.Div(graph.IdentityWithCustomGradient(x, func(x, vs *graph.Node) *graph.Node {
		return graph.Mul(vs, graph.OnePlus(graph.Sub(x, y)))
	}), inverse)
	return y
}

// network is the encoder and decoder of a configuration. All parameters lie in
// one vector, so that the optimiser's graph is a dozen operations however many
// layers there are.
type network struct {
	config           Config
	encoder, decoder []layer
	own              int // offset of the likelihood's own parameters, behind the layers
	size             int // number of parameters
}

// layer is x W + b; W (in x out, row-major) lies at offset in the parameter
// vector, b (out) right behind it.
type layer struct {
	name    string
	in, out int
	offset  int
}

func (l layer) biasOffset() int { return l.offset + l.in*l.out }
func (l layer) end() int        { return l.biasOffset() + l.out }

// newNetwork lays out the parameters: the encoder's widths are n+K, hidden...,
// 2d (mean and log variance), the decoder's d+K, hidden reversed..., and the
// likelihood's outputs, K the conditions as the network sees them.
func newNetwork(c Config) *network {
	n := &network{config: c}
	likelihood, conditions := likelihoods[c.Likelihood], c.conditionWidth()
	encoder := append(append([]int{c.Assets + conditions}, c.Hidden...), 2*c.Latent)
	decoder := []int{c.Latent + conditions}
	for i := len(c.Hidden) - 1; i >= 0; i-- {
		decoder = append(decoder, c.Hidden[i])
	}
	n.encoder = n.stack("encoder", encoder)
	n.decoder = n.stack("decoder", append(decoder, likelihood.outputs(c.Assets)))
	n.own = n.size
	if likelihood.parameters != nil {
		n.size += likelihood.parameters(c.Assets)
	}
	return n
}

func (n *network) stack(name string, widths []int) []layer {
	var layers []layer
	for i := range len(widths) - 1 {
		l := layer{name: fmt.Sprintf("%s.%d", name, i), in: widths[i], out: widths[i+1], offset: n.size}
		layers = append(layers, l)
		n.size = l.end()
	}
	return layers
}

// layers returns all layers in the order of the parameter vector.
func (n *network) layers() []layer {
	return append(n.encoder[:len(n.encoder):len(n.encoder)], n.decoder...)
}

// initial draws the first parameters: weights of variance 2/in before an
// activation (He et al. 2015) and 1/in before a code, zero biases. The
// decoder's last layer starts small, with its bias at the mean portfolio.
func (n *network) initial(seed uint64, s scaling) []float32 {
	rng := stream.New(seed, "vae.parameters", 0)
	theta := make([]float32, n.size)
	head := heads[n.config.Head]
	for _, l := range n.layers() {
		scale := math.Sqrt(2 / float64(l.in))
		var bias []float64
		switch l.offset {
		case n.encoder[len(n.encoder)-1].offset:
			scale = math.Sqrt(1 / float64(l.in))
		case n.decoder[len(n.decoder)-1].offset:
			scale = head.scale(s.mean, s.variance) * math.Sqrt(1/float64(l.in))
			bias = head.bias(s.mean)
		}
		weights := theta[l.offset:l.biasOffset()]
		for i := range weights {
			weights[i] = float32(scale * rng.NormFloat64())
		}
		for i, b := range bias {
			theta[l.biasOffset()+i] = float32(b)
		}
	}
	if start := likelihoods[n.config.Likelihood].start; start != nil {
		for i := n.own; i < n.size; i++ {
			theta[i] = float32(start(s))
		}
	}
	return theta
}

// tape is one pass through the layers. It remembers what the gradient by the
// parameters needs.
type tape struct {
	network         *network
	theta           *graph.Node
	controls        []control     // that the losses hold the decoder to
	own             *graph.Node   // the likelihood's own parameters, or nil
	inputs, outputs []*graph.Node // of each layer passed: [x 1] (B x in+1), x W + b (B x out)
}

func (n *network) tape(theta *graph.Node) *tape {
	t := &tape{network: n, theta: theta}
	if n.own < n.size {
		t.own = graph.Slice(theta, graph.AxisRange(n.own, n.size))
	}
	return t
}

// forward passes x (B x in) through a stack of layers. A column of ones beside
// x takes the bias, the row below W: adding it by itself, and summing its
// gradient, costs the Go backend as much as a small matrix product.
func (t *tape) forward(layers []layer, x *graph.Node) *graph.Node {
	ones := graph.Ones(x.Graph(), shapes.Make(x.DType(), x.Shape().Dimensions[0], 1))
	for i, l := range layers {
		x = graph.Concatenate([]*graph.Node{x, ones}, 1)
		y := graph.MatMul(x, graph.Reshape(graph.Slice(t.theta, graph.AxisRange(l.offset, l.end())), l.in+1, l.out))
		t.inputs, t.outputs = append(t.inputs, x), append(t.outputs, y)
		x = y
		if i < len(layers)-1 {
			x = activations[t.network.config.Activation](y)
		}
	}
	return x
}

// encode maps standardised rows and their conditions (B x (n+K)) to mean and log
// variance (B x d each).
func (t *tape) encode(rows *graph.Node) (mean, logvar *graph.Node) {
	y, d := t.forward(t.network.encoder, rows), t.network.config.Latent
	return graph.Slice(y, graph.AxisRange(), graph.AxisRange(0, d)),
		graph.Slice(y, graph.AxisRange(), graph.AxisRange(d, 2*d))
}

// decode maps codes and conditions (B x (d+K)) to weights (B x n), and also
// returns the last layer's output that they were made of.
func (t *tape) decode(codes *graph.Node) (weights, output *graph.Node) {
	c := t.network.config
	output = t.forward(t.network.decoder, codes)
	head := heads[c.Head]
	if !likelihoods[c.Likelihood].presence {
		return head.apply(c, output), output
	}
	logits := graph.Slice(output, graph.AxisRange(), graph.AxisRange(0, c.Assets))
	presence := graph.Slice(output, graph.AxisRange(), graph.AxisRange(c.Assets, 2*c.Assets))
	return head.apply(c, present(logits, presence)), output
}

// gradient returns the gradient (P) of a loss by the parameters, after one
// pass through the encoder and then one through the decoder.
//
// Automatic differentiation goes as far as the layers' outputs. From there, a
// layer's gradient is its transposed input times its output's gradient, and
// lies as the parameters do. GoMLX's own form transposes three matrices a layer
// instead of one, which the Go backend does element by element.
func (t *tape) gradient(loss *graph.Node) *graph.Node {
	by := t.outputs[:len(t.outputs):len(t.outputs)]
	if t.own != nil {
		by = append(by, t.own)
	}
	flat := make([]*graph.Node, len(by))
	for i, g := range graph.Gradient(loss, by...) {
		if i == len(t.outputs) {
			flat[i] = g
			continue
		}
		dw := graph.MatMul(graph.Transpose(t.inputs[i], 0, 1), g)
		flat[i] = graph.Reshape(dw, dw.Shape().Size())
	}
	return graph.Concatenate(flat, 0)
}

// batch is one batch's portfolios as the graph sees them.
type batch struct {
	rows     *graph.Node // B x (n+K): (x - mean)/sqrt(variance), then the conditions
	mean     *graph.Node // 1 x n: mean training row
	variance *graph.Node // scalar: the training rows' mean per-coordinate variance
	noise    *graph.Node // B x d: standard normal
	// Where there are controls, also the vector of their measures, and standard
	// normals for codes of the prior (B x d) and the slack of caps (B x caps).
	measures, prior, slack *graph.Node
}

// noises draws the batch's random numbers.
func (t *tape) noises(b *batch, random *graph.Node) (next *graph.Node) {
	size, d, dtype := b.rows.Shape().Dimensions[0], t.network.config.Latent, b.rows.DType()
	random, b.noise = graph.RandomNormal(random, shapes.Make(dtype, size, d))
	if len(t.controls) == 0 {
		return random
	}
	random, b.prior = graph.RandomNormal(random, shapes.Make(dtype, size, d))
	if caps := countCaps(t.controls); caps > 0 {
		random, b.slack = graph.RandomNormal(random, shapes.Make(dtype, size, caps))
	}
	return random
}

// losses are those of each row of a batch.
type losses struct {
	reconstruction *graph.Node // B
	kl             *graph.Node // B x d: each dimension's KL divergence
	control        *graph.Node // B: see controlLoss; nil without controls
}

// losses returns each row's losses, with
//
//	KL_j = (mu_j^2 + sigma_j^2 - 1 - log sigma_j^2)/2.
//
// The control loss is that of codes of the prior, decoded under the row's
// conditions: of codes of the posterior it would be small anyway, and say
// nothing of what is generated.
func (t *tape) losses(b batch) losses {
	n := t.network.config.Assets
	standardised, rows := b.rows, b.rows
	var conditions *graph.Node
	if len(t.network.config.Conditions) > 0 {
		standardised = graph.Slice(b.rows, graph.AxisRange(), graph.AxisRange(0, n))
		conditions = graph.Slice(b.rows, graph.AxisRange(), graph.AxisRange(n, b.rows.Shape().Dimensions[1]))
		if b.slack != nil {
			conditions = raise(t.controls, conditions, b.slack)
			rows = graph.Concatenate([]*graph.Node{standardised, conditions}, 1)
		}
	}
	mu, logvar := t.encode(rows)
	sigma := graph.Exp(graph.MulScalar(logvar, 0.5))
	codes := graph.Add(mu, graph.Mul(sigma, b.noise))
	size := codes.Shape().Dimensions[0]
	if conditions != nil {
		codes = graph.Concatenate([]*graph.Node{codes, conditions}, 1)
	}
	if b.prior != nil {
		codes = graph.Concatenate([]*graph.Node{codes, graph.Concatenate([]*graph.Node{b.prior, conditions}, 1)}, 0)
	}
	weights, output := t.decode(codes)
	var l losses
	if b.prior != nil {
		l.control = controlLoss(t.controls, b.measures, graph.Slice(weights, graph.AxisRange(size, 2*size)), conditions)
		weights, output = graph.Slice(weights, graph.AxisRange(0, size)), graph.Slice(output, graph.AxisRange(0, size))
	}
	x := graph.Add(graph.Mul(standardised, graph.Sqrt(b.variance)), b.mean)
	l.reconstruction = likelihoods[t.network.config.Likelihood].reconstruction(reading{
		x: x, xhat: weights, output: output, variance: b.variance, parameters: t.own,
	})
	squares := graph.Add(graph.Mul(mu, mu), graph.Mul(sigma, sigma))
	l.kl = graph.MulScalar(graph.Sub(squares, graph.AddScalar(logvar, 1)), 0.5)
	return l
}
