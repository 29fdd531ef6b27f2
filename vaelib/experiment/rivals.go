package experiment

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/simplex"
)

// Sizes of the rivals. A mixture with correlations has as many components as keep
// their parameters, components times the square of the assets, within a bound: a
// larger one takes longer than the model's training, and was no better in
// docs/rivals.md. One without correlations can have many.
const (
	fullComponents     = 40
	fullParameters     = 40_000
	diagonalComponents = 200
	rivalIterations    = 40
	rivalNeighbours    = 5
)

// rivals draws n portfolios from each of the generators that need no network, all
// made from the training rows (T x assets), all of them, and all projected onto the
// set: a normal distribution in as many principal directions as the model has
// dimensions, Gaussian mixtures of the weights with and without correlations,
// straight lines between neighbours, and the training rows themselves, drawn again.
func rivals(
	ctx context.Context, set simplex.Set, training *mat.Dense, directions, n int, rng *rand.Rand,
) ([]fidelity.Candidate, error) {
	rows, _ := training.Dims()
	full := min(fullComponents, max(1, fullParameters/(set.N*set.N)))
	var candidates []fidelity.Candidate
	for _, r := range []struct {
		name string
		draw func() (*mat.Dense, error)
	}{
		{"PCA and one normal", func() (*mat.Dense, error) {
			return fidelity.PCAGaussian(training, directions, n, rng)
		}},
		{"mixture of the weights", func() (*mat.Dense, error) {
			return fidelity.WeightMixture(ctx, training,
				mixture.Settings{Components: full, Iterations: rivalIterations}, n, rng)
		}},
		{"mixture of the weights, no correlations", func() (*mat.Dense, error) {
			return fidelity.WeightMixture(ctx, training,
				mixture.Settings{Components: diagonalComponents, Iterations: rivalIterations, Diagonal: true}, n, rng)
		}},
		{"between neighbours", func() (*mat.Dense, error) {
			return fidelity.Interpolate(ctx, training, min(rivalNeighbours, rows-1), n, rng)
		}},
		{"training portfolios, drawn again", func() (*mat.Dense, error) { return fidelity.Resample(training, n, rng) }},
	} {
		drawn, err := r.draw()
		if err != nil {
			return nil, err
		}
		if err := simplex.ProjectAll(ctx, set, drawn, drawn, nil); err != nil {
			return nil, err
		}
		candidates = append(candidates, fidelity.Candidate{Name: r.name, Weights: drawn})
	}
	return candidates, nil
}
