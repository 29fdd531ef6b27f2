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
	result, err := g.solver.Solve(context.Background(), p, qp.Settings{Start: g.start})
	if err != nil {
		return err
	}
	if result.Status != qp.Optimal {
		return fmt.Errorf("the nearest portfolio was not found: %v after %d iterations",
			result.Status, result.Iterations)
	}
	for i, x := range result.X {
		dst[i] = clamp(x, lower[i], upper[i])
	}
	return nil
}
