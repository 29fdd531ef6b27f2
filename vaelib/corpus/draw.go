package corpus

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
)

// Draw makes count portfolios (count x n) of a mixed corpus over one window of
// returns (T x n), which lie in the set, without conditions: what a model over many
// universes learns from each of them. Equal sources give equal portfolios. It
// returns an error for an empty set, and where a recipe has no answer.
func Draw(
	ctx context.Context, returns *mat.Dense, set simplex.Set, count int, rng *rand.Rand,
) (*mat.Dense, []Row, error) {
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return nil, nil, err
	}
	b := &builder{Corpus: &Corpus{set: set, redrawn: map[string]int{}}, upper: largestWeight(set)}
	m := newMaker(b, projector, b.redrawn)
	m.enter(returns)
	shares := DefaultShares()
	names := []string{Dirichlet, Optimized, RiskParity, Bootstrap}
	rows, weights := make([]Row, count), mat.NewDense(count, set.N, nil)
	for i, label := range deal(count, []float64{shares.Dirichlet, shares.Optimized, shares.RiskParity,
		shares.Bootstrap}, rng) {
		rows[i].Source = names[label]
		if err := m.makeRow(ctx, &rows[i], weights.RawRowView(i), rng); err != nil {
			return nil, nil, err
		}
	}
	return weights, rows, nil
}
