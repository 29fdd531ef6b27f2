// Package simplex knows the geometry of weight vectors: which of them a
// constraint set allows, the nearest one to any given vector, and how to draw
// them at random.
//
// In goes a [Set] of constraints and any vector, say a network's output; out
// comes the nearest weight vector of the set, and how far away it was:
//
//	set := simplex.Set{N: 12, Upper: caps, Groups: []simplex.Group{{Name: "L1", Share: l1, Hi: 0.35, Lo: 0}}}
//	projector, err := simplex.NewProjector(set) // *InfeasibleError: why the set is empty
//	distance, err := projector.Project(weights, decoded)
//	projector.VJP(gradient, gradient) // back through the projection
//
// A weight vector that leaves this package sums to 1, added up in index order,
// within 1e-12, exceeds no bound by a single bit, and misses no group limit by
// more than 1e-12. [Set.Violation] measures just that.
//
// # Methods
//
// Bounds alone: the threshold t of w_i = clamp(v_i - t, lower_i, upper_i) lies
// on one of the straight pieces between its breakpoints (Held, Wolfe & Crowder
// 1974, "Validation of subgradient optimization"); Newton's method finds which
// in a few passes over the inputs, which may be of any size. A minimum
// holding ("at least 2 % or nothing") with bounds that all assets share: the
// support is the k largest inputs, and the squared distance is convex in k, so
// that O(log n) such projections are enough. Groups that share no asset and have
// each member whole, as sectors do: which of them are at a limit follows from the
// threshold of the others, which Newton's method finds, and each of those at a
// limit is a box with a given sum. Other groups: a quadratic programme, by package
// qp. A minimum holding together with groups, a limit on turnover, or bounds of each
// asset's own: branch and bound over such projections.
//
// [Dirichlet] is the distribution of weight vectors that has no structure but
// its mean and concentration.
package simplex
