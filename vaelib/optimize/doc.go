// Package optimize allocates: from means, a covariance matrix or returns it
// finds the weights that are best under a constraint set.
//
// In go the data, per period, and the set of feasible weights; out come the
// weights (n), the objective's value and the residual of its optimality
// conditions:
//
//	r, err := optimize.Solve(ctx, optimize.MaxSharpe, &optimize.Inputs{
//		Mean: mean, Cov: cov, Set: simplex.Set{N: 12, Upper: caps},
//	})
//
//	objective            best weights                             value
//	min-variance         least w'Sw                               the variance
//	mean-variance        most w'm - lambda/2 w'Sw                 the utility
//	                     or least w'Sw with w'm >= TargetReturn   the variance
//	min-tracking-error   least (w-b)'S(w-b)                       that variance
//	max-sharpe           most (w'm - rf)/sqrt(w'Sw)               that ratio
//	max-diversification  most w's/sqrt(w'Sw), s the volatilities  that ratio
//	risk-parity          equal shares of the variance             largest relative error of a share
//	risk-budget          shares of the variance as given          the same
//	inverse-volatility   in proportion to 1/s                     the variance
//	hrp                  hierarchical risk parity                 the variance
//	min-cvar             least mean loss of the worst periods     the CVaR
//	max-min              best worst period                        its return
//	equal-weight         1/n                                      the variance
//
// The first five are quadratic programmes, min-cvar and max-min linear ones;
// all take any convex set of package simplex, short positions too. With
// [Inputs.TurnoverCharge] the first three charge for leaving [Inputs.Previous], and
// [Result.Charge] is what it comes to: the value is without it.
// Minimum-or-zero sets and [Inputs.MaxAssets] make the first five combinatorial: they
// are solved by branch and bound, and the result states the gap. The other objectives are
// closed procedures that know no constraints (the shares of risk, say, leave no
// freedom for a cap): when what they give isn't in the set, [Solve] returns an
// [UnsupportedError], or projects it where [Inputs.Project] asks for that.
//
// A [Solver] keeps its memory: make one per goroutine to solve thousands of
// problems. [Frontier] gives the whole efficient frontier exactly, [Solver.Frontier]
// portfolios along it, with what each may lack, [Bound] what no
// portfolio of a set exceeds by an objective of package metrics,
// [ReturnAtVolatility] the largest return within a limit on the volatility,
// [LeastTurnover] what is nearest to the holdings among the nearly best, and [Allocate]
// turns weights into whole lots that an exchange takes.
package optimize
