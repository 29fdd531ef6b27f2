package simplex

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/qp"
)

// groups projects onto a convex set with groups, by a quadratic programme.
type groups struct {
	problem *qp.Problem
	solver  qp.Solver
	start   []float64
}

func newGroups(s Set) *groups {
	g := &groups{problem: s.rows(), start: make([]float64, s.N)}
	g.problem.H = mat.NewSymDense(s.N, nil)
	for i := range s.N {
		g.problem.H.SetSym(i, i, 1)
	}
	g.problem.C = make([]float64, s.N)
	return g
}

// project writes the nearest point to v into dst, up to rounding.
func (g *groups) project(dst, v, lower, upper []float64) error {
	p := g.problem
	p.Lower, p.Upper = lower, upper
	// A constant added to every input changes nothing: take the mean out.
	mean := inorder.Mean(v)
	for i, x := range v {
		p.C[i] = mean - x
		g.start[i] = clamp(x, lower[i], upper[i])
	}
	x, err := nearest(&g.solver, p, g.start)
	copy(dst, x)
	return err
}

// nearest solves the programme of a projection, from a start. Its variables are within
// their bounds exactly, and the solver's until it solves again.
func nearest(solver *qp.Solver, p *qp.Problem, start []float64) ([]float64, error) {
	result, err := solver.Solve(context.Background(), p, qp.Settings{Start: start})
	if err != nil {
		return nil, err
	}
	if result.Status != qp.Optimal {
		return nil, fmt.Errorf("the nearest portfolio was not found: %v after %d iterations",
			result.Status, result.Iterations)
	}
	for i, x := range result.X {
		result.X[i] = clamp(x, p.Lower[i], p.Upper[i])
	}
	return result.X, nil
}
