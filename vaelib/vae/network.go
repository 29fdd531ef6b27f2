package vae

import (
	"fmt"
	"math"

	"vaefolio/vaelib/stream"
)

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

func (l layer) end() int { return l.biasOffset() + l.out }

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
