// Package generate makes portfolios out of a trained model, and says what they
// are worth.
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
//
// # What one does with a model, and what it is measured by
//
//	draw          Sample, Stream (blocks, for millions)
//	to order      Order, MeasureControl         rejection from as many draws, shuffled wishes
//	optimise      Optimize                      [optimize.Bound], Rivals at an equal budget, SweepRadius
//	interpolate   Interpolate, Courses          the straight line between the weights
//	sweep         Square, Halton, Decode
//	find styles   FindStyles, StudyStyles       k-means, and stability on null data
//
// Package choose has what needs weights alone: to choose among what was drawn by
// scenarios, stresses or figures.
//
// Everything random is drawn from package stream by seed, purpose and index, and
// each row is decoded in blocks of one height, so results are the same bytes for
// any number of cores.
package generate
