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
//
// On the graph rows are columns: an array is features x B. So the long side is the
// innermost, which a processor's vector instructions run along, and no activation
// has to be transposed for a gradient.
type tape struct {
	network  *network
	matrices []*graph.Node // [W b] of each layer (in+1 x out): W, and b the row below
	controls []control     // that the losses hold the decoder to
	own      *graph.Node   // the likelihood's own parameters, or nil
	cut      bool          // see gradient
	passes   []pass
}

// pass is the way through one layer.
type pass struct {
	x      *graph.Node // in x B
	input  *graph.Node // x and a row of ones (in+1 x B)
	output *graph.Node // W^T x + b (out x B)
}

func (n *network) tape(theta *graph.Node) *tape { return n.tapeWith(theta, n.matrices(theta)) }

// tapeWith is tape where the matrices have been cut out of the parameters.
func (n *network) tapeWith(theta *graph.Node, matrices []*graph.Node) *tape {
	t := &tape{network: n, matrices: matrices}
	if n.own < n.size {
		t.own = graph.Slice(theta, graph.AxisRange(n.own, n.size))
	}
	return t
}

// matrices cuts the layers' matrices out of the parameters.
func (n *network) matrices(theta *graph.Node) []*graph.Node {
	var m []*graph.Node
	for _, l := range n.layers() {
		m = append(m, graph.Reshape(graph.Slice(theta, graph.AxisRange(l.offset, l.end())), l.in+1, l.out))
	}
	return m
}

// forward passes x (in x B) through the layers of these matrices. A row of ones
// below x takes the bias: adding it by itself, and summing its gradient, costs the
// Go backend as much as a small matrix product.
func (t *tape) forward(matrices []*graph.Node, x *graph.Node) *graph.Node {
	ones := graph.Ones(x.Graph(), shapes.Make(x.DType(), 1, x.Shape().Dimensions[1]))
	for i, matrix := range matrices {
		if i > 0 {
			x = activations[t.network.config.Activation](x)
		}
		input := graph.Concatenate([]*graph.Node{x, ones}, 0)
		if t.cut {
			input = graph.StopGradient(input)
		}
		output := graph.MatMul(graph.Transpose(matrix, 0, 1), input)
		t.passes = append(t.passes, pass{x, input, output})
		x = output
	}
	return x
}

// encode maps standardised rows and their conditions ((n+K) x B) to mean and log
// variance (d x B each).
func (t *tape) encode(rows *graph.Node) (mean, logvar *graph.Node) {
	y, d := t.forward(t.matrices[:len(t.network.encoder)], rows), t.network.config.Latent
	return graph.Slice(y, graph.AxisRange(0, d)), graph.Slice(y, graph.AxisRange(d, 2*d))
}

// decode maps codes and conditions ((d+K) x B) to weights (n x B), and also
// returns the last layer's output that they were made of.
func (t *tape) decode(codes *graph.Node) (weights, output *graph.Node) {
	c := t.network.config
	output = t.forward(t.matrices[len(t.network.encoder):], codes)
	head := heads[c.Head]
	if !likelihoods[c.Likelihood].presence {
		return head.apply(c, output), output
	}
	logits, presence := graph.Slice(output, graph.AxisRange(0, c.Assets)), graph.Slice(output, graph.AxisRange(c.Assets, 2*c.Assets))
	return head.apply(c, present(logits, presence)), output
}

// gradient returns the gradient (P) of a loss by the parameters, after one
// pass through the encoder and then one through the decoder, both cut.
//
// Automatic differentiation goes as far as the stacks' outputs, and through each
// activation; the matrix products are here. A layer's gradient is its input times
// its output's gradient, transposed, and lies as the parameters do. GoMLX's own
// form transposes three matrices a layer, which the Go backend does element by
// element.
func (t *tape) gradient(loss *graph.Node) *graph.Node {
	flat := make([]*graph.Node, len(t.passes))
	// back goes from the output of layer to-1, with its gradient g, to the input
	// of layer from, and returns the gradient by that.
	back := func(from, to int, g *graph.Node) *graph.Node {
		for i := to - 1; ; i-- {
			p := t.passes[i]
			matrix := graph.DotGeneral(p.input, []int{1}, nil, g, []int{1}, nil)
			flat[i] = graph.Reshape(matrix, matrix.Shape().Size())
			if i == 0 {
				return nil // nobody asks for the gradient by the data
			}
			weights := graph.Slice(t.matrices[i], graph.AxisRange(0, p.x.Shape().Dimensions[0])) // without the bias
			g = graph.MatMul(weights, g)
			if i == from {
				return g
			}
			g = graph.Gradient(graph.ReduceAllSum(graph.Mul(p.x, graph.StopGradient(g))), t.passes[i-1].output)[0]
		}
	}
	encoder, all := len(t.network.encoder), len(t.passes)
	by := []*graph.Node{t.passes[all-1].output}
	if t.own != nil {
		by = append(by, t.own)
	}
	g := graph.Gradient(loss, by...)
	codes := back(encoder, all, g[0])
	// The codes depend on the encoder's output as the loss does.
	loss = graph.Add(loss, graph.ReduceAllSum(graph.Mul(t.passes[encoder].x, graph.StopGradient(codes))))
	back(0, encoder, graph.Gradient(loss, t.passes[encoder-1].output)[0])
	return graph.Concatenate(append(flat, g[1:]...), 0)
}

// batch is one batch's portfolios as the graph sees them.
type batch struct {
	rows     *graph.Node // (n+K) x B: (x - mean)/sqrt(variance), then the conditions
	mean     *graph.Node // n x 1: mean training row
	variance *graph.Node // scalar: the training rows' mean per-coordinate variance
	noise    *graph.Node // d x B: standard normal
	// Where there are controls, also the vector of their measures, and standard
	// normals for codes of the prior (d x B) and the slack of caps (caps x B).
	measures, prior, slack *graph.Node
}

// noises shares out the batch's random numbers (W x B).
func (t *tape) noises(b *batch, noise *graph.Node) {
	from := 0
	take := func(count int) *graph.Node {
		from += count
		return graph.Slice(noise, graph.AxisRange(from-count, from))
	}
	b.noise = take(t.network.config.Latent)
	if len(t.controls) == 0 {
		return
	}
	b.prior = take(t.network.config.Latent)
	if caps := countCaps(t.controls); caps > 0 {
		b.slack = take(caps)
	}
}

// noiseWidth is the number of random numbers that a row takes: W of noises.
func (n *network) noiseWidth(controls []control) int {
	if len(controls) == 0 {
		return n.config.Latent
	}
	return 2*n.config.Latent + countCaps(controls)
}

// losses are those of each row of a batch.
type losses struct {
	reconstruction *graph.Node // B
	kl             *graph.Node // d x B: each dimension's KL divergence
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
		standardised = graph.Slice(b.rows, graph.AxisRange(0, n))
		conditions = graph.Slice(b.rows, graph.AxisRange(n, b.rows.Shape().Dimensions[0]))
		if b.slack != nil {
			conditions = raise(t.controls, conditions, b.slack)
			rows = graph.Concatenate([]*graph.Node{standardised, conditions}, 0)
		}
	}
	mu, logvar := t.encode(rows)
	sigma := graph.Exp(graph.MulScalar(logvar, 0.5))
	codes := graph.Add(mu, graph.Mul(sigma, b.noise))
	size := codes.Shape().Dimensions[1]
	if conditions != nil {
		codes = graph.Concatenate([]*graph.Node{codes, conditions}, 0)
	}
	if b.prior != nil {
		codes = graph.Concatenate([]*graph.Node{codes, graph.Concatenate([]*graph.Node{b.prior, conditions}, 0)}, 1)
	}
	weights, output := t.decode(codes)
	var l losses
	if b.prior != nil {
		l.control = controlLoss(t.controls, b.measures, graph.Slice(weights, graph.AxisRange(), graph.AxisRange(size, 2*size)), conditions)
		first := []graph.SliceAxisSpec{graph.AxisRange(), graph.AxisRange(0, size)}
		weights, output = graph.Slice(weights, first...), graph.Slice(output, first...)
	}
	x := graph.Add(graph.Mul(standardised, graph.Sqrt(b.variance)), b.mean)
	l.reconstruction = likelihoods[t.network.config.Likelihood].reconstruction(reading{
		x: x, xhat: weights, output: output, variance: b.variance, parameters: t.own,
	})
	squares := graph.Add(graph.Mul(mu, mu), graph.Mul(sigma, sigma))
	l.kl = graph.MulScalar(graph.Sub(squares, graph.AddScalar(logvar, 1)), 0.5)
	return l
}
