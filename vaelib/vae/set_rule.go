package vae

import (
	"errors"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/universe"
)

// rule maps the guides (U x GuideCount x n, in standard deviations from equal
// weights) to what the rule adds to their mean (U x n), in the same unit, and to the
// weights (U x 1 x n).
func (t *setTape) rule(guides *graph.Node) (added, weights *graph.Node) {
	dims := t.in.tokens.Shape().Dimensions
	facts := graph.BroadcastToDims(graph.ExpandAxes(t.in.facts, 1), dims[0], dims[1], t.network.config.facts())
	absent := graph.MulScalar(graph.OneMinus(t.in.mask), farBelow)
	tokens := graph.Concatenate([]*graph.Node{t.in.tokens, facts, graph.Transpose(guides, 1, 2)}, 2)
	read := t.dense(t.network.decoderLayers()-1, t.stack(0, tokens, absent))
	added = graph.Squeeze(read, 2)
	mean := graph.DivScalar(graph.ReduceSum(guides, 1), universe.GuideCount)
	logits := graph.ExpandAxes(graph.Add(mean, added), 1)
	y := graph.Mul(logits, t.perRow(graph.Sqrt(t.limit(limitVariance)), logits))
	y = graph.Add(y, t.perRow(t.limit(limitEqual), logits))
	return added, maskedProjection(y, t.perRow(t.in.mask, y), t.perRow(t.limit(limitCap), y))
}

// regret returns what the rule's weights lack of the largest true Sharpe ratio, as a
// share of it, by the truth that [setRow.judge] lays out: mean (U x n) and covariance
// (U x n x n). Present (U x 1) marks the universes that count.
func (t *setTape) regret(guides, mean, cov, present *graph.Node) setLosses {
	added, w := t.rule(guides)
	risk := graph.DotGeneral(w, []int{2}, []int{0}, cov, []int{2}, []int{0})
	variance := graph.ReduceSum(graph.Mul(w, risk), 2)
	earned := graph.ReduceSum(graph.Mul(w, graph.ExpandAxes(mean, 1)), 2)
	regret := graph.OneMinus(graph.Div(earned, graph.Sqrt(graph.AddScalar(variance, 1e-9))))
	count := graph.ReduceAllSum(present)
	average := func(rows *graph.Node) *graph.Node {
		return graph.Div(graph.ReduceAllSum(graph.Mul(rows, present)), count)
	}
	square := graph.Mul(graph.Mul(added, added), t.in.mask)
	size := graph.Mul(graph.ReduceAndKeep(square, graph.ReduceSum, 1), t.limit(limitEqual))
	reconstruction := average(regret)
	return setLosses{
		reconstruction: reconstruction, kl: graph.ZerosLike(reconstruction),
		logits: graph.MulScalar(average(size), rulePenalty/logitPenalty),
	}
}

// rulePenalty weighs the mean square of what a rule adds to its guides.
const rulePenalty = 0.001

// Choose returns the weights (n) that a learnt rule gives a universe with guides
// (GuideCount x n, see [universe.Guides]): they keep the universe's largest weight,
// by a projection in float64. It returns an error for a model that is no rule, and
// for a universe that is none.
func (m *SetModel) Choose(u *universe.Universe, guides *mat.Dense) ([]float64, error) {
	if !m.document.Config.rule() {
		return nil, errors.New("the model learned portfolios, not a rule: train with -objective " + TrueSharpe)
	}
	if err := u.Check(); err != nil {
		return nil, err
	}
	n := u.Assets()
	e := universe.Example{Universe: *u, Weights: guides}
	width := bucket(n)
	row := m.document.Scale.example(&e, width)
	b := newSetBatch(m.document.Config, 1, universe.GuideCount, width)
	b.put(0, &row, []int{0, 1})
	out, err := call(m.programs.read, append([]any{m.device}, b.inputs()...)...)
	if err != nil {
		return nil, err
	}
	deviation, w := math.Sqrt(m.document.Scale.variance(n, u.Cap)), make([]float64, n)
	for i := range w {
		w[i] = deviation * float64(out[0][i])
		for k := range universe.GuideCount {
			w[i] += guides.At(k, i) / universe.GuideCount
		}
		if math.IsNaN(w[i]) || math.IsInf(w[i], 0) {
			return nil, errors.New("the rule's weights are not finite: train it with a lower learning rate")
		}
	}
	head := simplex.Set{N: n, Upper: slices.Repeat([]float64{u.Cap}, n)}
	projector, err := simplex.NewProjector(head)
	if err != nil {
		return nil, err
	}
	_, err = projector.Project(w, w)
	return w, err
}
