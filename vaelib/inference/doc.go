// Package inference tells skill from luck: how sure a figure of a series of
// returns is, how likely a choice among backtests is overfitted, and whether a
// forecast of the value at risk held.
//
//	interval, err := inference.Bootstrap(ctx, returns, sharpe, inference.BootstrapSettings{Seed: 1})
//	o, err := inference.CSCV(returnsOfAllTrials, 16)
//	o.PBO
//
// [Bootstrap] and, for several tracks at once, [BootstrapTracks] give intervals that
// respect serial dependence, and [VolatilityInterval] that of the volatility;
// [LedoitWolf] and [JobsonKorkie] test the difference of two Sharpe ratios, [SPA] and
// [StepDown] that of many to a benchmark; [CSCV] estimates the probability of backtest
// overfitting; [Kupiec] and [Christoffersen] test the coverage of a value at risk.
// Probabilities about the Sharpe ratio in closed form are in package sharpe.
package inference
