// Package generate makes portfolios out of a trained model.
//
// In go a [vae.Model], the constraint set its portfolios must meet, and a
// density of latent codes; out come batches: codes, what the decoder made of
// them, and the nearest feasible weights, with the distance that the repair
// moved each row:
//
//	g, err := generate.New(model, set)
//	aggregate, err := generate.FitAggregate(ctx, model, training, generate.AggregateSettings{Seed: 1})
//	batch, err := g.Sample(ctx, 1000, aggregate, 1)
//	best, err := g.Optimize(ctx, sharpe, aggregate, generate.OptimizeSettings{Starts: 64})
//
// Every row of [Batch].Weights has passed the exact projection of package
// simplex in float64; clipping and renormalising, the usual repair, would break
// the upper bounds again.
package generate
