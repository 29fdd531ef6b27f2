// Package backtest evaluates strategies walk-forward: chosen on one stretch of
// time, held over the next, and so on through the data.
//
// In go a window of returns and strategies, each a function of the training
// window alone; out come, for every strategy, the returns of all test windows
// in a row, the weights at each rebalance, and what trading them cost:
//
//	result, err := backtest.Run(ctx, window, []backtest.Strategy{
//		{Name: "equal-weight", Weights: equal},
//		{Name: "min-variance", Weights: minVariance},
//	}, backtest.Settings{Train: 365, Test: 30, CostBps: 10}, nil)
//
// # Time
//
// Test window k covers the Test periods from Train + k Test, its training
// window the Train periods before it (less an embargo, where one is set). An
// incomplete last test window is dropped, as in scikit-learn's and skfolio's
// splitters. A strategy is handed its training window and nothing later.
//
// # Money
//
// Between rebalances holdings drift with the prices and no cash comes or goes:
// h_i <- h_i (1 + r_i)/(1 + h.r). A rebalance trades
// sum |w_target - w_drifted|, both sides counted; the first purchase from cash
// counts as sum |w|. Its cost, CostBps of what is traded, is paid out of the
// first period's return: (1 - cost)(1 + w.r) - 1. With ConstantWeights the
// weights are restored every period for free instead, which is what a product
// of weights and returns means, and what many published backtests do.
package backtest
