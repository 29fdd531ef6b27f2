package qp

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// Cuts collects rows for [Solver.SolveByCuts].
type Cuts struct {
	n      int
	a      []float64
	lo, hi []float64
}

// Row adds lo <= a'x <= hi and returns a (n), zeroed, for the caller to fill.
// The slice is good until the next call.
func (c *Cuts) Row(lo, hi float64) (a []float64) {
	c.lo, c.hi = append(c.lo, lo), append(c.hi, hi)
	start := len(c.a)
	c.a = resize(c.a, start+c.n)
	a = c.a[start:]
	clear(a)
	return a
}

// Separator adds rows that x breaks to cuts, and returns an upper bound of the
// optimum over all rows: the objective of a point that meets them all, or
// infinity. When it adds none, x meets them all.
type Separator func(x []float64, cuts *Cuts) (upper float64)

// SolveByCuts solves a problem that has more rows than p holds: solve, let
// separate add those that the solution breaks, and solve again from there
// (Kelley 1960, "The cutting-plane method for solving convex programs"). It
// ends when separate adds none or its upper bound is within gap of the
// solution's objective, which is a lower bound of the optimum. The result's Gap
// is what is left between the two, and its X breaks the rows not added by as
// much as that allows. Settings.MaxIterations counts for each solve.
//
// A problem whose first rows leave the objective unbounded ends with status
// [Unbounded]: bound the variables.
func (s *Solver) SolveByCuts(ctx context.Context, p *Problem, separate Separator, gap float64,
	settings Settings) (*Result, error) {
	n, m := p.Dims()
	all := *p
	cuts := &Cuts{n: n}
	for i := range m {
		lo, hi := limits(p.Lo, p.Hi, i)
		copy(cuts.Row(lo, hi), p.A.RawRowView(i))
	}
	iterations := 0
	for {
		if len(cuts.lo) > 0 {
			all.A = mat.NewDense(len(cuts.lo), n, cuts.a)
			all.Lo, all.Hi = cuts.lo, cuts.hi
		}
		r, err := s.Solve(ctx, &all, settings)
		if err != nil {
			return nil, err
		}
		iterations += r.Iterations
		r.Iterations, r.Cuts = iterations, len(cuts.lo)-m
		if r.Status != Optimal {
			return r, nil
		}
		before := len(cuts.lo)
		upper := separate(r.X, cuts)
		if left := upper - r.Objective; len(cuts.lo) == before || left <= gap {
			if len(cuts.lo) > before {
				r.Gap = max(left, 0)
			}
			return r, nil
		}
		settings.Warm = true
	}
}
