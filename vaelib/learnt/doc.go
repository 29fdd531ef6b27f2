// Package learnt has a rule of allocation that was learned: a network over sets of
// assets which gives any universe one portfolio.
//
// In go returns of any assets and a constraint set; out come weights:
//
//	rule, err := learnt.Open(backend)               // the built-in one
//	w, err := rule.Choose(ctx, symbols, returns, set)
//
// The network is trained on simulated markets for the largest true Sharpe ratio, which
// only there is known ([Train]). It sees the features of each asset that package
// universe has, and the weights of two rules that allow for the error of means, from
// whose average it starts. It is a model, and no optimum: it is good on average over
// markets like those that it learned from, and where all true Sharpe ratios are alike it
// loses to maximum diversification. docs/universe.md has the figures.
package learnt
