package generate

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

// Rivals are what an objective's latent search has to beat: the best of as many
// draws as it has evaluated values and gradients, from the model's prior, from
// the uniform distribution on the simplex, and from symmetric Dirichlet
// distributions of all concentrations: see [choose.Rivals]. All are projected
// onto the set. Where the weights have no caps the last of them, which needs no
// model, can win.
func (g *Generator) Rivals(
	ctx context.Context, objective metrics.Objective, evaluations int, seed uint64,
	progress func(done, total int, note string),
) ([]choose.Rival, error) {
	const prior, uniform, mixture = "best of the prior", "best of Dirichlet(1)", "best of Dirichlet(alpha)"
	rng := func(name string) *rand.Rand { return stream.New(seed, "generate.rivals."+name, 0) }
	return choose.Rivals(ctx, objective, []choose.Sampler{
		g.sampler(prior, Prior{}, rng(prior)),
		choose.Dirichlet(uniform, g.set, rng(uniform)),
		choose.DirichletMixture(mixture, g.set, rng(mixture)),
	}, evaluations, progress)
}

// Ascend climbs an objective on the weights, without the model, with at most the
// evaluations of a latent search: see [choose.ProjectedGradient]. It says after how
// many it had what that search found.
func (g *Generator) Ascend(
	ctx context.Context, objective metrics.Objective, found *Optimum, seed uint64,
) (*choose.Ascent, error) {
	return choose.ProjectedGradient(ctx, objective, g.set, choose.AscentSettings{
		Evaluations: found.Evaluated, Target: found.Values[found.Best], Rng: stream.New(seed, "generate.ascent", 0),
	})
}

// sampler draws portfolios of the model from a density of codes.
func (g *Generator) sampler(name string, density Density, rng *rand.Rand) choose.Sampler {
	return choose.Sampler{Name: name, Draw: func(ctx context.Context, rows int) (*mat.Dense, error) {
		codes, err := g.draw(ctx, rows, density, rng)
		if err != nil {
			return nil, err
		}
		b, err := g.Decode(ctx, codes)
		if err != nil {
			return nil, err
		}
		return b.Weights, nil
	}}
}
