// Package polish moves portfolios as little as it can to what they are asked to
// have.
//
// In go portfolios of a constraint set and goals: limits on measures of their
// weights, such as a volatility of exactly 0.4 or at most five effective assets.
// Out come the nearest portfolios of the same set that meet them, up to where the
// set or the goals themselves forbid it, with the distance that each was moved:
//
//	goals := []polish.Goal{{Measure: volatility, Lo: 0.4, Hi: 0.4, Scale: 0.1}}
//	err := polish.All(ctx, set, weights, func(int) []polish.Goal { return goals }, moved)
//
// [Attainable] says between which values a measure can be at all.
//
// # Method
//
// Sequential quadratic programming (Nocedal & Wright 2006, "Numerical
// optimization", chapter 18): the measures are taken as linear around the
// portfolio so far, and the point of the set that meets them so is gone to, as far
// as the misses fall; the first steps look for the one nearest to where the
// portfolio was, the later ones for the nearest to where it has got. What can't be
// met at once is paid for by a quadratic penalty, so that each step has a
// solution. Where other assets would have to be held this ends short of the goals;
// then it is begun again nearer to one asset after another. A portfolio that meets
// its goals isn't moved, one that doesn't never gets worse, and none leaves the set.
// A minimum holding keeps the assets that are held.
package polish
