package generate

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// conditionalDensity is a density that knows of conditions.
type conditionalDensity interface {
	Density
	// DrawGiven draws a code into each row of codes (N x d) under the conditions in
	// the same row (N x k). The first rows of more are those of fewer.
	DrawGiven(ctx context.Context, codes, conditions *mat.Dense, rng *rand.Rand) error
}

// draw draws n codes from a density: under the conditions that the generator's
// model is under, where it is and the density knows of them.
func (g *Generator) draw(ctx context.Context, n int, density Density, rng *rand.Rand) (*mat.Dense, error) {
	given := g.model.Conditions()
	if given == nil {
		return draw(ctx, n, g.Latent(), density, rng)
	}
	conditions := mat.NewDense(n, len(given), nil)
	for i := range n {
		conditions.SetRow(i, given)
	}
	return g.drawGiven(ctx, density, conditions, rng)
}

// drawGiven draws a code for each row of conditions (N x k).
func (g *Generator) drawGiven(
	ctx context.Context, density Density, conditions *mat.Dense, rng *rand.Rand,
) (*mat.Dense, error) {
	n, _ := conditions.Dims()
	if knowing, ok := density.(conditionalDensity); ok {
		codes := mat.NewDense(n, g.Latent(), nil)
		return codes, knowing.DrawGiven(ctx, codes, conditions, rng)
	}
	return draw(ctx, n, g.Latent(), density, rng)
}
