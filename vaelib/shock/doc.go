// Package shock tells what assets and portfolios may be expected to do where some
// assets move by given returns: Bitcoin falls by a fifth, what do the others do, and
// what do portfolios lose?
//
//	study, err := shock.New(ctx, returns, []shock.Move{{Asset: 0, Return: -0.2}}, shock.Settings{})
//	loss := -study.Gaussian.Of(weights).Return
//
// Two rules answer, which know nothing of each other:
//
//   - [Study.Gaussian] is the conditional expectation under a normal distribution
//     with the sample's means m and an estimated covariance S: for the others o and the
//     moved assets s it is m_o + S_os S_ss^-1 (x - m_s), and the covariance about it
//     S_oo - S_os S_ss^-1 S_so (Anderson 2003, "An introduction to multivariate
//     statistical analysis", section 2.5).
//   - [Study.History] knows no distribution: it is the regression without intercept of
//     the others on the moved assets over those periods alone in which these went the
//     move's way, z'M_ss^-1 x > 0 with M the second moments. For one asset these are
//     the periods of its falls, or of its rises, and the slopes are downside betas, or
//     upside ones. Its covariance is that of the errors in the largest tenth of these.
//
// All returns are simple and over the horizon of [Settings], a number of periods; those
// of a longer horizon than one are of overlapping stretches. A portfolio is bought at
// the beginning and held, so that its return is the sum of w_j r_j.
//
// Three errors are told apart: the deviation of what happens from what is expected, the
// sampling error of the expectation by a block bootstrap, and, by [Study.Check], how far
// both rules were off in earlier moves that they had not seen.
package shock
