// Package regime says in which state a market is, by what was known at the
// time.
//
// Two ways, both fitted to training rows alone. A [Grid] crosses terciles of
// volatility with the sign of the trend: six states that need no model. An
// [HMM] is a Gaussian hidden Markov model, whose states are persistent and are
// found by expectation-maximisation:
//
//	model, fit, err := regime.Fit(ctx, train, regime.Settings{States: 3})  // T x d, such as returns or scaled features
//	probs, _, err := model.Filter(all)       // T x 3, given rows up to each
//	state := regime.MostLikely(probs)        // T; 0 is the calmest
//
// # What is known when
//
// Filtered probabilities of row t use rows 0 to t and a model that was fitted
// to the training rows. Smoothed probabilities use the rows after t, too: they
// explain the past and must not be traded on. [HMM.Smooth] says so again.
//
// # How much to expect
//
// On the bundled sample, whose true regimes are known, a model of three states
// on the basket's returns tells 50.1 % of the days out of sample, terciles of
// its 20-day volatility 45.6 %, the constant guess that is best 45.3 %; on
// eight other draws from the same truth it is 51.6, 34.6 and 46.9 %. With each
// state weighing the same, the terciles are as good (43 % and 43 %; 41 % and
// 52 % on the sample). Heavy tails and volatility that clusters blur states;
// filtered returns of one basket say little of its mean.
//
// States are ordered by volatility, so that state 0 means the same from one
// fit to the next.
package regime
