// Package conditional has the density of a conditional model's codes under what
// portfolios are asked to have, and the scores of what is made by it.
//
// In go a trained model with its training portfolios and their conditions, out comes
// a density that draws codes which fit conditions:
//
//	density, err := conditional.Fit(ctx, model, training, conditional.Settings{Conditions: told})
//	err = density.DrawGiven(ctx, codes, asked, rng)
//
// docs/conditions.md compares it with others.
package conditional
