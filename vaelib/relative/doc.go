// Package relative says how portfolios stand against a benchmark.
//
// In go the returns of a benchmark and those of a portfolio over the same periods, out
// come figures:
//
//	e, err := relative.NewEvaluator(relative.Benchmark{Returns: index}, settings)
//	f := e.Evaluate(returns, nil)                       // of a series
//	err = e.EvaluateAll(ctx, evaluator, rows, figures)  // of the rows of a matrix of weights
//	f.Value(relative.Beta)
//
// # Definitions
//
// With p and b the simple returns of portfolio and benchmark in the same T periods,
// m(.) a mean over them, A the periods per year, rf annual, and covariances with
// divisor T-1 as the house's volatility has it:
//
//	ActiveReturn      m(p - b) A
//	TrackingError     std(p - b) sqrt(A), divisor T-1
//	InformationRatio  ActiveReturn / TrackingError (Goodwin 1998, "The Information
//	                  Ratio", Financial Analysts Journal 54)
//	Beta              cov(p, b) / var(b) (Sharpe 1964)
//	Alpha             (m(p) A - rf) - Beta (m(b) A - rf) (Jensen 1968, "The
//	                  Performance of Mutual Funds in the Period 1945-1964")
//	Correlation       cov(p, b) / (std(p) std(b))
//	UpCapture         m(p) / m(b) over the periods with b > 0
//	DownCapture       m(p) / m(b) over the periods with b < 0
//	ActiveShare       sum |w - w_b| / 2 (Cremers & Petajisto 2009, "How Active Is
//	                  Your Fund Manager?"); of what the benchmark holds besides
//	                  the portfolio's assets the portfolio holds nothing
//
// With the convention [metrics.Empyrical] those follow empyrical-reloaded 0.7.1 that
// differ there: Alpha is compounded, (1 + m(p - rf/A) - Beta m(b - rf/A))^A - 1, and a
// capture is the ratio of the two compound annual returns over its periods. The other
// conventions have no figures of their own here.
//
// # Undefined figures
//
// A figure without a value (the information ratio of the benchmark itself, the beta to
// a constant) has its reason in [Figures.Value]. There is no NaN. A portfolio with the
// benchmark's returns has a tracking error of exactly 0, a beta and a correlation of
// exactly 1. A tracking error within 1e-12 of the size of the returns is rounding, and 0.
package relative
