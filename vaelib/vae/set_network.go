package vae

import (
	"fmt"
	"math"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// setNetwork is the encoder and decoder of a configuration, or the decoder alone of
// a learnt rule. Like those of a
// [network], its parameters lie in one vector.
type setNetwork struct {
	config SetConfig
	layers []layer // in the order of the vector
	size   int
}

// The layers of the two stacks, by their place in setNetwork.layers: an input,
// four of each block, and what the last features are read out by.
const (
	blockAttention = iota // H x 3H: queries, keys and values
	blockMix              // H x H: of the values attended to
	blockUp               // H x 2H
	blockDown             // 2H x H
	blockLayers
)

// newSetNetwork lays out the parameters. All layers have a bias, which the
// decoder's readout doesn't need and is left at 0.
func newSetNetwork(c SetConfig) *setNetwork {
	n := &setNetwork{config: c}
	h, tokens, read := c.Width, c.features()+c.facts(), 1+c.Latent
	if c.rule() {
		n.stack("rule", tokens+universe.GuideCount, 1)
		return n
	}
	if c.Conditional {
		read++ // the scatter
	}
	n.stack("decoder", tokens, read)
	n.stack("encoder", tokens+1+h, 0)
	n.add("encoder.readout", 2*h, 2*c.Latent)
	return n
}

func (n *setNetwork) add(name string, in, out int) {
	l := layer{name: name, in: in, out: out, offset: n.size}
	n.layers = append(n.layers, l)
	n.size = l.end()
}

// stack adds a stack's layers, with a readout of so many features; 0: without.
func (n *setNetwork) stack(name string, in, out int) {
	h := n.config.Width
	n.add(name+".input", in, h)
	for i := range n.config.Blocks {
		n.add(fmt.Sprintf("%s.%d.attention", name, i), h, 3*h)
		n.add(fmt.Sprintf("%s.%d.mix", name, i), h, h)
		n.add(fmt.Sprintf("%s.%d.up", name, i), h, 2*h)
		n.add(fmt.Sprintf("%s.%d.down", name, i), 2*h, h)
	}
	if out > 0 {
		n.add(name+".readout", h, out)
	}
}

// told spreads parameters over a conditional network of the same sizes, which makes the same
// of them: what it is told more, and the scatter, begin at 0.
func (n *setNetwork) told(to *setNetwork, theta []float32) []float32 {
	wide := make([]float32, to.size)
	for i, l := range n.layers {
		m := to.layers[i]
		for row := range l.in {
			at := row
			if l.in < m.in { // tokens and facts, behind the portfolio in the encoder
				first := 0
				if i > 0 {
					first = 1
				}
				if row >= first+universe.Features {
					at += universe.AskedFeatures
				}
				if row >= first+universe.Features+universe.Facts {
					at += universe.AskedFacts
				}
			}
			copy(wide[m.offset+at*m.out:], theta[l.offset+row*l.out:l.offset+(row+1)*l.out])
		}
		copy(wide[m.biasOffset():], theta[l.biasOffset():l.end()])
	}
	return wide
}

// decoderLayers is how many layers the decoder has, which come first.
func (n *setNetwork) decoderLayers() int { return 2 + blockLayers*n.config.Blocks }

// initial draws the first parameters: weights of variance 1/in, smaller where a
// block adds to its features and where portfolios are read out, and zero biases.
func (n *setNetwork) initial() []float32 {
	rng := stream.New(n.config.Seed, "vae.set.parameters", 0)
	theta := make([]float32, n.size)
	for i, l := range n.layers {
		scale := 1.0
		switch at := (i - 1) % blockLayers; {
		case i == n.decoderLayers()-1 && n.config.rule():
			scale = ruleScale
		case i == n.decoderLayers()-1:
			scale = readoutScale
		case i == len(n.layers)-1:
			scale = 0.5
		case at == blockMix || at == blockDown:
			scale = 0.5
		}
		weights := theta[l.offset:l.biasOffset()]
		for k := range weights {
			weights[k] = float32(scale / math.Sqrt(float64(l.in)) * rng.NormFloat64())
		}
	}
	return theta
}

// readoutScale keeps first portfolios off the corners of the capped head, where
// no gradient leads away from.
const readoutScale = 0.3

// ruleScale lets a rule begin where its guides are.
const ruleScale = 0.03
