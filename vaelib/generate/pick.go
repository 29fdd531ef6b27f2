package generate

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/polish"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// poolOfDonors is how many portfolios of a model without conditions are donors.
const poolOfDonors = 1000

// Donors are portfolios of a model that knows no conditions, with what they have by
// measures: to such a model an order is a choice among many portfolios, and these give
// the scale of misses.
func (g *Generator) Donors(
	ctx context.Context, measures []portfolio.Measure, density Density, seed uint64,
) (*Donors, error) {
	batch, err := g.Sample(ctx, poolOfDonors, density, seed)
	if err != nil {
		return nil, err
	}
	d := &Donors{Measures: measures}
	for i := range measures {
		d.Names = append(d.Names, measures[i].Name)
	}
	have := d.measured(batch.Weights)
	for i := range poolOfDonors {
		d.Rows = append(d.Rows, have.RawRowView(i))
	}
	return d, nil
}

// Goals are the terms of a wish that have a measure, as what portfolios are moved to.
func (d *Donors) Goals(wish portfolio.Wish) []polish.Goal { return d.goals(wish) }

// pickBlock is how many portfolios are chosen at a time, so that memory doesn't grow
// with the number of candidates.
const pickBlock = 256

// pick is [Generator.Order] of a model without conditions: each portfolio is the nearest
// to the wish of as many draws, moved to it.
func (g *Generator) pick(
	ctx context.Context, wish portfolio.Wish, donors *Donors, n int, settings OrderSettings,
) (*Order, error) {
	to, held, err := g.under(ctx, wish, donors)
	if err != nil {
		return nil, err
	}
	density, draws := settings.Density, max(1, settings.Draws)
	if density == nil {
		density = Prior{}
	}
	far, err := donors.Far(wish)
	if err != nil {
		return nil, err
	}
	rng := stream.New(settings.Seed, "generate.order.codes", 0)
	about := stream.New(settings.Seed, "generate.order.scatter", 0)
	b := &Batch{Codes: mat.NewDense(n, g.Latent(), nil), Decoded: mat.NewDense(n, g.set.N, nil),
		Weights: mat.NewDense(n, g.set.N, nil)}
	for from := 0; from < n; from += pickBlock {
		rows := min(pickBlock, n-from)
		codes, err := draw(ctx, rows*draws, g.Latent(), density, rng)
		if err != nil {
			return nil, err
		}
		all, err := to.scattered(ctx, codes, settings.Scatter, about)
		if err != nil {
			return nil, err
		}
		chosen := all.Pick(bestOfEach(draws, donors.score(wish, donors.measured(all.Weights))))
		for i := range rows {
			b.Codes.SetRow(from+i, chosen.Codes.RawRowView(i))
			b.Decoded.SetRow(from+i, chosen.Decoded.RawRowView(i))
			b.Weights.SetRow(from+i, chosen.Weights.RawRowView(i))
		}
		b.Repair = append(b.Repair, chosen.Repair...)
	}
	decoded := donors.measured(b.Weights)
	if !settings.Unpolished {
		if err := to.polish(ctx, b, donors.goals(wish)); err != nil {
			return nil, err
		}
		if err := donors.reached(ctx, to.set, wish, b.Weights); err != nil {
			return nil, err
		}
	}
	o := &Order{Batch: *b, Achieved: donors.measured(b.Weights), Far: far}
	for k, t := range wish {
		o.Terms = append(o.Terms, donors.result(t, held[k], decoded, o.Achieved))
	}
	return o, nil
}

// scattered decodes, and draws portfolios about what is decoded with variances (n; nil:
// none).
func (g *Generator) scattered(ctx context.Context, codes *mat.Dense, variances []float64, rng *rand.Rand) (
	*Batch, error) {
	batch, err := g.Decode(ctx, codes)
	if err != nil || variances == nil {
		return batch, err
	}
	drawn := mat.DenseCopyOf(batch.Decoded)
	rows, _ := drawn.Dims()
	for i := range rows {
		row := drawn.RawRowView(i)
		for j, v := range variances {
			row[j] += math.Sqrt(v) * rng.NormFloat64()
		}
	}
	return batch, simplex.ProjectAll(ctx, g.set, batch.Weights, drawn, batch.Repair)
}

// under is the generator of the set that a wish leaves, with the terms that it holds.
func (g *Generator) under(ctx context.Context, wish portfolio.Wish, donors *Donors) (*Generator, []bool, error) {
	set, held, err := donors.Constrain(g.set, wish)
	if err != nil {
		return nil, nil, err
	}
	if err := donors.attainable(ctx, set, wish); err != nil {
		return nil, nil, err
	}
	to, err := New(g.model, set)
	return to, held, err
}

// Sampled makes n portfolios to a wish without the model: each is the nearest to it of
// as many draws of a sampler, moved to it. It also returns how far these were moved.
func (g *Generator) Sampled(
	ctx context.Context, wish portfolio.Wish, donors *Donors, n, draws int, sampler choose.Sampler,
) (weights *mat.Dense, moved []float64, err error) {
	to, _, err := g.under(ctx, wish, donors)
	if err != nil {
		return nil, nil, err
	}
	drawn, err := sampler.Draw(ctx, n*draws)
	if err != nil {
		return nil, nil, err
	}
	all, err := to.Project(ctx, drawn)
	if err != nil {
		return nil, nil, err
	}
	b := all.Pick(bestOfEach(draws, donors.score(wish, donors.measured(all.Weights))))
	err = to.polish(ctx, b, donors.goals(wish))
	return b.Weights, b.Moved, err
}
