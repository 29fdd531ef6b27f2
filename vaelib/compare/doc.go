// Package compare sets tracks of returns and folders of runs side by side.
//
// In go files of returns, one column a track, or the folders of runs; out come
// figures with intervals, tests of the difference of every two Sharpe ratios, and
// what a choice among the tracks is worth:
//
//	tracks, err := compare.ReadTracks("runs/backtest/returns.csv")
//	result, err := compare.Run(ctx, tracks, compare.Settings{Seed: 1})
//	result.Pairs[0].LedoitWolf
//
// [Join] brings several files to the periods that they share. [ReadFolder] reads
// what a run was made from, [Differences] says in what runs differ, and [List]
// what a folder of runs holds.
//
// # What is computed
//
// Figures are those of package metrics. Their intervals, and those of differences
// of Sharpe ratios, are percentiles over one set of resamples by the stationary
// bootstrap, which all tracks share; those of volatility, tracking error, correlation,
// VaR and CVaR, which resampling makes too short where risk persists, are
// [inference.VolatilityInterval] and the like. The tests of pairs have p-values for
// each alone, and by Holm for all together. The deflated Sharpe ratio (DSR) counts as
// trials the tracks that were looked at, equal ones once; [Settings].Trials adds
// those of which no returns are left.
package compare
