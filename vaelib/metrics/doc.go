// Package metrics says what a portfolio would have earned and risked: the
// usual figures of one weight vector or of a million, and their gradients.
//
// In goes a T x n matrix of simple returns per period, out come figures:
//
//	e, err := metrics.NewEvaluator(returns, metrics.Settings{PeriodsPerYear: 365})
//	f, err := e.Evaluate(weights)              // one portfolio
//	err = e.EvaluateAll(ctx, rows, figures)    // the rows of a matrix, on all cores
//	f.Sharpe, f.Notes()
//
// # Definitions
//
// A portfolio's return is w.r in every period: constant weights, rebalanced
// every period without cost. With m the mean of its T returns, s their
// standard deviation (divisor T-1), A the periods per year, rf and MAR annual:
//
//	AnnualReturn          m A
//	CAGR                  prod(1+r)^(A/T) - 1
//	Volatility            s sqrt(A)
//	Sharpe                (m A - rf) / Volatility
//	Sortino               (m A - MAR) / (sqrt(sum min(r - MAR/A, 0)^2 / T) sqrt(A))
//	MaxDrawdown           largest fall of compounded wealth from an earlier
//	                      peak; wealth starts at 1 before the first return
//	Calmar                CAGR / MaxDrawdown
//	VaR                   the k-th largest loss, k = ceil((1-level) T)
//	CVaR                  mean of the worst (1-level) T losses, the last one
//	                      entering fractionally (Rockafellar & Uryasev 2002)
//	DiversificationRatio  w.sigma / s (Choueifaty & Coignard 2008)
//	EffectiveAssets       1 / sum w^2
//	PSR                   probability that the true Sharpe ratio exceeds 0
//	                      (Bailey & López de Prado 2012), see [sharpe.Probabilistic]
//
// VaR, CVaR and MaxDrawdown are losses as positive numbers; VaR and CVaR are
// per period, and negative where even the tail gains. (1-level) T is taken to
// be whole when it is within 1e-9 of it, since (1-0.95)*100 is not 5 in
// floating point. [Convention] lists where other libraries differ, and follows
// them by name.
//
// # Undefined figures
//
// A figure that has no value (the Sharpe ratio of a constant) is 0 and is in
// [Figures.Undefined]; [Figures.Notes] gives the reasons. There is no NaN in
// [Figures], and input that is NaN is an error.
//
// # Beyond one portfolio
//
// [NewObjective] gives values and exact gradients for optimisers. What tells
// skill from luck is in package inference.
package metrics
