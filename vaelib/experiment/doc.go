// Package experiment composes the other packages into whole experiments.
//
// In go prices as a window of returns, a constraint set and settings; out
// comes a folder that holds everything needed to check and to repeat what it
// says. [Pipeline] is the main job:
//
//	returns, split in time
//	  -> training portfolios (package corpus), from before the split
//	  -> a trained model (vae) and its diagnostics on held-out windows
//	  -> portfolios sampled, repaired, and optimised in the latent space (generate)
//	  -> the same search budget for the samplers that need no model, the convex
//	     optimum as the bound, 1/N and its kin
//	  -> figures in sample and out of sample (metrics), pictures, report
//
// [Backtest] tests strategies walk-forward, a model trained anew on each window
// among them. Package sweep makes grids of the trainings that [Train] does.
//
// It is the package that ties the others together; commands and notebooks are
// thin callers of it.
package experiment
