// Package qp solves dense convex quadratic programmes, and linear ones as
// those without a quadratic term:
//
//	minimise    1/2 x'Hx + c'x
//	subject to  Lo <= A x <= Hi,  Lower <= x <= Upper
//
// H may be singular or zero, equal limits make an equality, and infinite ones
// are none. In goes a [Problem], out comes a [Result]: the minimiser, its
// multipliers, and the residual of the optimality conditions computed afresh
// from the problem; or the proof that there is no feasible point, as a
// [Certificate] that names the rows in conflict and that anyone can check.
//
//	result, err := qp.Solve(ctx, &qp.Problem{H: covariance, A: ones, Lo: one, Hi: one, Lower: zeros}, qp.Settings{})
//	if err != nil || result.Status != qp.Optimal { ... }
//
// A [Solver] keeps its memory from one problem to the next, so that the second
// solve allocates nothing, and can start from the working set of the last one.
// [Solver.SolveByCuts] handles programmes with more rows than are worth
// holding, by adding those that the current solution breaks.
//
// # Method
//
// A primal active-set method on basic, superbasic and nonbasic variables
// (Murtagh & Saunders 1978, "Large-scale linearly constrained optimization",
// Mathematical Programming 14). Row i has a slack s_i = (A x)_i. As many basic
// variables as there are rows keep A x = s; superbasic ones are free to move;
// nonbasic ones sit on a bound, exactly. The Cholesky factor of the Hessian
// reduced to the superbasic variables is updated as they come and go. Only
// one variable at a time leaves its bound, so at most one direction without
// curvature can appear, and it ends at a bound or proves the programme
// unbounded (Gill & Murray 1978, "Numerically stable methods for quadratic
// programming"): singular Hessians need no regularisation, and without a
// Hessian the method is the simplex method. The work of an iteration grows
// with the variables that are off their bounds, not with all of them.
package qp
