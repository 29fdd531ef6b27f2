// Package moments estimates means and covariances of asset returns.
//
// In goes a T x n matrix of simple returns per period, out come a mean per
// asset and a covariance matrix, both per period:
//
//	m, err := moments.Estimate("ledoit-wolf", returns)
//	m.Mean, m.Cov, m.Shrinkage
//
// Estimators go by name, so that a flag or a configuration can choose one:
//
//	sample                the sample covariance, divisor T-1
//	ewma                  exponentially weighted, decay 0.94 a period
//	ledoit-wolf           shrunk towards a multiple of the identity
//	constant-correlation  shrunk towards one common correlation
//
// and take a parameter after a colon: "ewma:0.97" sets the decay,
// "ewma:half-life=30" sets it by the number of periods (at least 1) after
// which a return counts half, "ledoit-wolf:0.2" and
// "constant-correlation:0.2" give the shrinkage instead of estimating it.
//
// With fewer periods than assets the sample and the exponentially weighted
// covariance are singular, and are returned so: [Condition] says +Inf. A
// solver that needs an inverse should be given a shrunk matrix. ledoit-wolf
// with a shrinkage above 0 is positive definite for any T; constant-correlation
// too, save where its target is singular itself: with two assets the target
// IS the sample, so it helps nothing there.
package moments
