package vae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/universe"
)

// setRow is a universe with portfolios, as the graph takes it: padded to a width.
type setRow struct {
	tokens, mask, facts, limits []float32
	x                           [][]float32 // P portfolios: (w - 1/n)/sqrt(variance)
	mean, cov                   []float32   // what a rule is judged by, see setRow.judge; nil: nothing
	of                          *universe.Universe
	weights                     *mat.Dense // P x n, those of x
}

// variance is that of a weight about 1/n in a universe of n assets under a largest
// weight: a share of what the sum of squares can at most come to, cap - 1/n. The
// share is learned, as the mean over the training portfolios.
func (c setScale) variance(n int, largest float64) float64 {
	return float64(c) * (largest - 1/float64(n)) / float64(n)
}

type setScale float64

// newSetScale returns the share of the examples' portfolios.
func newSetScale(examples []*universe.Example) setScale {
	var sum, rows float64
	for _, e := range examples {
		n := float64(e.Assets())
		portfolios, _ := e.Weights.Dims()
		for i := range portfolios {
			square := -1 / n
			for _, w := range e.Weights.RawRowView(i) {
				square += w * w
			}
			sum += square / (e.Cap - 1/n)
			rows++
		}
	}
	return setScale(sum / rows)
}

// placed lays out a universe for the graph.
func (c setScale) placed(u *universe.Universe, width int) setRow {
	n := u.Assets()
	r := setRow{tokens: make([]float32, width*universe.Features), mask: make([]float32, width), of: u}
	for i, v := range u.Tokens().RawMatrix().Data {
		r.tokens[i] = float32(v)
	}
	for i := range n {
		r.mask[i] = 1
	}
	for _, v := range u.Facts() {
		r.facts = append(r.facts, float32(v))
	}
	r.limits = []float32{
		limitCap: float32(u.Cap), limitVariance: float32(c.variance(n, u.Cap)), limitEqual: float32(1 / float64(n)),
	}
	return r
}

// asking is the universe with what is asked of portfolios, as a conditional network takes
// it.
func (r setRow) asking(a *universe.Asked) setRow {
	tokens, asked := r.tokens, a.Tokens(r.of.Assets())
	r.tokens = make([]float32, len(r.mask)*(universe.Features+universe.AskedFeatures))
	for i := range r.of.Assets() {
		at := i * (universe.Features + universe.AskedFeatures)
		copy(r.tokens[at:], tokens[i*universe.Features:(i+1)*universe.Features])
		copy(r.tokens[at+universe.Features:], narrow(asked.RawRowView(i)))
	}
	facts := a.Facts(r.of)
	r.facts = append(slices.Clone(r.facts), narrow(facts[:])...)
	return r
}

// standardised lays out a portfolio of n assets.
func (c setScale) standardised(w []float64, largest float64, width int) []float32 {
	x, n := make([]float32, width), len(w)
	deviation := math.Sqrt(c.variance(n, largest))
	for i, v := range w {
		x[i] = float32((v - 1/float64(n)) / deviation)
	}
	return x
}

// example lays out a universe with its portfolios.
func (c setScale) example(e *universe.Example, width int) setRow {
	r := c.placed(&e.Universe, width)
	r.weights = e.Weights
	portfolios, _ := e.Weights.Dims()
	for i := range portfolios {
		r.x = append(r.x, c.standardised(e.Weights.RawRowView(i), e.Cap, width))
	}
	return r
}

// judge lays out the truth, in units in which the share that a portfolio has of the
// largest true Sharpe ratio is its mean over its deviation.
func (r *setRow) judge(t *universe.Truth, optimum float64, width int) {
	n := len(t.Mean)
	variance := mat.Trace(t.Cov) / float64(n)
	r.mean, r.cov = make([]float32, width), make([]float32, width*width)
	for i, m := range t.Mean {
		r.mean[i] = float32(m / math.Sqrt(variance) / optimum)
		for j := range n {
			r.cov[i*width+j] = float32(t.Cov.At(i, j) / variance)
		}
	}
}

// bucket is the width that universes of up to n assets are padded to, so that few
// shapes are ever compiled: the next power of two, from 8 on, or half way to it.
func bucket(n int) int {
	b := powerOfTwo(max(n, 8))
	if n <= b/4*3 && b > 8 {
		return b / 4 * 3
	}
	return b
}

// setBatch is a batch of universes with as many portfolios each, for the graph, or one
// for each step of a loop.
type setBatch struct {
	steps                       []int // how many of a loop; none: outside of one
	width, universes, rows      int
	config                      SetConfig
	tokens, mask, facts, limits []float32
	x, present                  []float32
	mean, cov                   []float32 // of a rule's
}

func newSetBatch(c SetConfig, universes, rows, width int, steps ...int) *setBatch {
	all := universes
	for _, s := range steps {
		all *= s
	}
	b := &setBatch{
		steps: steps, universes: universes, rows: rows, width: width, config: c,
		tokens: make([]float32, all*width*c.features()), mask: make([]float32, all*width),
		facts: make([]float32, all*c.facts()), limits: make([]float32, all*limitSize),
		x: make([]float32, all*rows*width), present: make([]float32, all*rows),
	}
	if c.rule() {
		b.mean, b.cov = make([]float32, all*width), make([]float32, all*width*width)
	}
	return b
}

// put lays a universe in a place of the batch, with portfolios by their numbers. Of a
// loop's steps the first has the first places.
func (b *setBatch) put(at int, r *setRow, portfolios []int) {
	copy(b.tokens[at*b.width*b.config.features():], r.tokens)
	copy(b.mask[at*b.width:], r.mask)
	copy(b.facts[at*b.config.facts():], r.facts)
	copy(b.limits[at*limitSize:], r.limits)
	for k, p := range portfolios {
		copy(b.x[(at*b.rows+k)*b.width:], r.x[p])
		b.present[at*b.rows+k] = 1
	}
	if r.mean != nil {
		copy(b.mean[at*b.width:], r.mean)
		copy(b.cov[at*b.width*b.width:], r.cov)
	}
}

// tensor is one of a shape for each step.
func (b *setBatch) tensor(v []float32, dims ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(v, slices.Concat(b.steps, dims)...)
}

// inputs are the batch's tensors: tokens, mask, facts, limits and x.
func (b *setBatch) inputs() []any {
	return []any{
		b.tensor(b.tokens, b.universes, b.width, b.config.features()), b.tensor(b.mask, b.universes, b.width),
		b.tensor(b.facts, b.universes, b.config.facts()), b.tensor(b.limits, b.universes, limitSize),
		b.tensor(b.x, b.universes, b.rows, b.width),
	}
}

// truth are the tensors that a rule is judged by: mean and covariance, and which
// universes count.
func (b *setBatch) truth() []any {
	counts := make([]float32, len(b.present)/b.rows)
	for i := range counts {
		counts[i] = b.present[i*b.rows]
	}
	return []any{
		b.tensor(b.mean, b.universes, b.width), b.tensor(b.cov, b.universes, b.width, b.width),
		b.tensor(counts, b.universes, 1),
	}
}

// hashExamples identifies what a training learns from and is judged by.
func hashExamples(examples []*universe.Example) (string, error) {
	sum := sha256.New()
	for _, e := range examples {
		if err := e.Write(sum); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// hashParameters identifies the parameters that a training begins with.
func hashParameters(theta []float32) string {
	sum := sha256.New()
	_ = binary.Write(sum, binary.LittleEndian, theta) // a hash takes everything
	return hex.EncodeToString(sum.Sum(nil))
}
