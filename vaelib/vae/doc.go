// Package vae learns the distribution of portfolios with a variational
// autoencoder (Kingma & Welling 2014, Rezende et al. 2014).
//
// In go weights, one portfolio a row; out comes a [Model] that turns
// portfolios into points of a small latent space (Encode), points into
// portfolios (Decode), and carries gradients back through the decoder
// (DecodeVJP):
//
//	backend, err := vae.Open("auto") // XLA where a plugin is found, else pure Go
//	model, history, err := vae.Train(ctx, backend, vae.DefaultConfig(n), vae.DefaultSchedule(),
//		train, validation, vae.TrainOptions{Symbols: symbols})
//	mean, logvar, err := model.Encode(x) // N x d each
//	weights, err := model.Decode(z)      // N x n
//	err = model.Save(dir)
//
// # Loss
//
// The loss of a row x is reconstruction + beta*KL(q(z|x) || N(0, I)). With the
// default Gaussian likelihood the reconstruction is |x - decode(z)|^2/(2v), v
// fixed to the mean per-coordinate variance of the training rows. So beta has
// no unit, 1 is the evidence lower bound, and a latent direction dies at a beta
// that can be told beforehand from the data's covariance: see [Thresholds].
// Other likelihoods fit that variance, one for all or one an asset, take weights
// for draws of a Dirichlet distribution, or tell zeros from proportions
// (logistic-normal); the mse-sum of textbooks is there for comparison.
// [Diagnose] says how many directions are alive, and warns when none is;
// [Model.Evidence] estimates the likelihood itself by importance weights.
//
// Beta may rise in cycles, leave each dimension some bits free, or be steered to
// a rate: see [Schedule] and [Config].
//
// # Conditions
//
// A conditional model is told more of a portfolio, in the encoder and in the
// decoder: numbers and categories, by [Config].Conditions and
// [TrainOptions].Conditions. Where a condition follows from the weights alone,
// its measure holds the decoder to it, also for codes of the prior, and upper
// bounds are learned as such. [Model.Given] fixes the conditions and gives a
// model that is used like any other.
//
// # Sets of assets
//
// A network over n coordinates ends with the first listing. [TrainSet] learns from
// many universes instead (package universe), each a set of assets in any number: a
// transformer without positions (after Set Transformers, Lee et al. 2019) reads
// features of the assets, and [SetModel.Of] has it write a decoder for one universe,
// which it need not have seen. What comes out is a [Model] like any other.
//
// # Heads
//
// Softmax weights are all positive. The sparsemax and capped heads project on
// the simplex instead, so that weights can be exactly 0 and, with capped, never
// exceed the configuration's MaxWeight. The linear head leaves any real vector.
//
// # Training
//
// The whole training state (parameters, moments, sums) goes into and comes out of
// one call of a compiled graph, of one step or many. What the schedule says of a
// step, which rows it takes and its noise are inputs, as are the data, so a sweep
// over beta, learning rate, schedule and seed compiles once. They depend on the
// seed and the step alone: with one backend and machine architecture the same
// call gives the same bytes, also when it was interrupted and resumed in between,
// and two backends train the same model but for roundings.
//
// # Backends
//
// The model is a GoMLX graph. Package cpu runs it in Go anywhere; XLA runs it,
// through a PJRT plugin (a shared library), where cgo is on. A training over sets of
// assets takes two thirds of the time with it; XLA compiles for seconds first, which
// runs of one model on one universe don't win back.
package vae
