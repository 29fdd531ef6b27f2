// Package universe knows sets of assets as a model over sets sees them: in any
// number, without names, over any stretch of time.
//
// In go returns of assets under a largest weight; out come features of each asset
// that have no scale, and facts about all of them:
//
//	u, err := universe.New(symbols, returns, 0.25)
//	u.Tokens() // n x Features: relative volatility, t-statistics, beta, loadings, ...
//	u.Facts()  // periods, largest weight, assets, as logarithms
//
// A model learns from many universes with portfolios of each. [Simulate] makes them
// out of markets of package simulate, [Sample] out of any prices, as random assets
// over random stretches of time; either hands them on one after another, so that
// memory doesn't grow with their number. A file of them has one line of JSON each
// ([Example.Write], [Read]).
//
// What is held out to judge a model by differs in its symbols AND lies later than
// what is learned from: a split by time alone would test no new asset, one by
// symbols alone no new time.
package universe
