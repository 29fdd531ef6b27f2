// Package fidelity says how faithful a sample of portfolios is to another:
// whether a generator reaches everything that real portfolios do and nothing
// else, whether a test can tell the two apart, whether it learned or
// memorised, and what its latent codes mean.
//
// In go plain matrices, one portfolio (or code) a row, whatever made them: an
// exact sampler, a Gaussian, a mixture in weight space and a VAE are judged by
// the same code. Out comes one table, beside the score that real portfolios
// get against other real portfolios:
//
//	gaussian, err := fidelity.PCAGaussian(training, 8, 5000, rng)
//	rows, err := fidelity.Compare(ctx, training, heldOut, []fidelity.Candidate{
//		{Name: "vae", Weights: decoded},
//		{Name: "pca+gaussian", Weights: gaussian},
//	}, fidelity.Settings{Seed: 1})
//
// Its columns are functions of their own too:
//
//	MeasureOverlap       precision, recall, density, coverage
//	Distinguish          energy distance and maximum mean discrepancy, permutation p-values
//	MeasureMemorisation  distances to the training rows, generated against held out
//	MeasureDispersion    total spread, and spread in each principal direction
//
// and there is more for models with a latent space:
//
//	MeasureSpeeds           how far weights move per unit of code
//	MeasurePath             how long an interpolation is, beside the straight line
//	MeasureDisentanglement  which code knows which factor: mutual information gap, R²
//
// # What the numbers can't say
//
// Every score depends on the number of rows and, where there is one, on the
// number of neighbours k: compare only scores of equal n and k, which is what
// [Compare] sees to. The p-values take rows as independent. Portfolios
// optimised over overlapping windows are not, so that a small p-value between
// two parts of such a corpus says as much about the windows as about the
// portfolios: the floor row is there to show it. And a permutation test with P
// permutations can't return less than 1/(P+1).
//
// Distances are Euclidean. All searches are exact and linear, O(n² d) time on
// all cores, and memory stays O(n) however long they take. Results are the
// same bytes for any number of cores.
package fidelity
