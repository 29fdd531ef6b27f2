package optimize

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
)

// rows collects the rows of a programme in memory that is used again.
type rows struct {
	columns int
	a       []float64
	lo, hi  []float64
	dense   mat.Dense
}

func (r *rows) reset(columns int) {
	r.columns, r.a, r.lo, r.hi = columns, r.a[:0], r.lo[:0], r.hi[:0]
}

// add appends lo <= a'x <= hi and returns a, zeroed, to be filled at once.
func (r *rows) add(lo, hi float64) []float64 {
	r.lo, r.hi = append(r.lo, lo), append(r.hi, hi)
	start := len(r.a)
	for range r.columns {
		r.a = append(r.a, 0)
	}
	return r.a[start:]
}

// matrix is all rows, or nil.
func (r *rows) matrix() *mat.Dense {
	if len(r.lo) == 0 {
		return nil
	}
	r.dense.SetRawMatrix(blas64.General{Rows: len(r.lo), Cols: r.columns, Stride: r.columns, Data: r.a})
	return &r.dense
}

// bounds are the limits of weight j, with a minimum weight relaxed to zero.
func bounds(set *simplex.Set, j int) (lower, upper float64) {
	upper = 1
	if set.Lower != nil {
		lower = set.Lower[j]
	}
	if set.Upper != nil {
		upper = set.Upper[j]
	}
	return lower, upper
}

// begin states the convex part of the set for n variables and returns the place of the
// first of so many more, which are free and without cost.
func (s *Solver) begin(set *simplex.Set, more int) (first int) {
	first = set.N
	if set.Turnover != nil {
		first += 2 * set.N
	}
	variables := first + more
	s.lower, s.upper, s.c = resize(s.lower, variables), resize(s.upper, variables), resize(s.c, variables)
	clear(s.c)
	for j := range variables {
		s.lower[j], s.upper[j] = math.Inf(-1), math.Inf(1)
		if j < set.N {
			s.lower[j], s.upper[j] = bounds(set, j)
		}
	}
	s.rows.reset(variables)
	budget := s.rows.add(1, 1)
	for j := range set.N {
		budget[j] = 1
	}
	for _, g := range set.Groups {
		copy(s.rows.add(g.Lo, g.Hi), g.Share)
	}
	s.settings.Warm = false
	if t := set.Turnover; t != nil {
		s.trade(t.Held, set.N)
		total := s.rows.add(0, t.Most-t.Beside)
		for k := set.N; k < first; k++ {
			total[k] = 1
		}
		for j, h := range t.Held {
			if 0 < h && h < set.MinWeight {
				s.tighten(j, h, set, s.rows.add(h, inf))
			}
		}
	}
	return first
}

// tighten fills the row that a minimum weight m implies for what is traded of asset j, of
// which h < m is held: bought + sold is the distance from h to 0 or to at least m, and so is
// at least h + (1 - 2h/m) w. Without it a relaxation keeps h, which trades nothing.
func (s *Solver) tighten(j int, h float64, set *simplex.Set, row []float64) {
	row[j] += 2*h/set.MinWeight - 1
	row[set.N+j], row[2*set.N+j] = 1, 1
}

// trade adds the rows w - bought + sold = held, with what is bought of each asset from
// one variable on and what is sold behind it, neither below 0.
func (s *Solver) trade(held []float64, first int) {
	n := len(held)
	for j, h := range held {
		bought, sold := first+j, first+n+j
		row := s.rows.add(h, h)
		row[j], row[bought], row[sold] = 1, -1, 1
		s.lower[bought], s.lower[sold] = 0, 0
	}
}

// pose completes the programme; a quadratic term is of the first variables.
func (s *Solver) pose(h *mat.SymDense) {
	s.problem.H, s.problem.C = s.pad(h, s.rows.columns), s.c
	s.problem.A, s.problem.Lo, s.problem.Hi = s.rows.matrix(), s.rows.lo, s.rows.hi
	s.problem.Lower, s.problem.Upper = s.lower, s.upper
}

// InfeasibleTargetError says that no feasible portfolio has the target return.
type InfeasibleTargetError struct {
	Target, Best float64 // per period
}

func (e *InfeasibleTargetError) Error() string {
	return fmt.Sprintf("no feasible portfolio has a mean of %.6g a period: the largest is %.6g", e.Target, e.Best)
}

// errStuck is a programme that ends in no verdict.
var errStuck = errors.New("the programme didn't converge: the data are too ill-conditioned; try a shrunk covariance")

// unsolved is nil for the optimum of a programme over a set, and says why there is none
// for another result.
func unsolved(r *qp.Result, set *simplex.Set) error {
	switch r.Status {
	case qp.Optimal:
		return nil
	case qp.Infeasible:
		return explain(set)
	}
	return errStuck
}

// explain says why the set is empty.
func explain(set *simplex.Set) error {
	if err := set.Check(); err != nil {
		return err
	}
	return errors.New("the constraints contradict each other")
}

// settle brings the final weights into the set exactly, or says why they
// don't belong there.
func (s *Solver) settle(objective Objective, in *Inputs) error {
	w := s.result.Weights
	for j, v := range w {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the weight of %s came out as %v: the data are too ill-conditioned", in.symbol(j), v)
		}
	}
	if in.combinatorial() && objective.branches() {
		return s.settleSupport(in)
	}
	violation := in.Set.Violation(w)
	if violation <= 1e-13 {
		return nil
	}
	far := violation > 1e-8
	if far {
		if err := in.Set.Check(); err != nil {
			return err
		}
	}
	if far && !in.Project {
		return &UnsupportedError{objective, fmt.Sprintf(
			"knows no constraints, and its weights break them by %.3g: loosen the bounds or groups, or ask for "+
				"the projection", violation)}
	}
	p, err := simplex.NewProjector(in.Set)
	if err != nil {
		return err
	}
	distance, err := p.Project(w, w)
	if err != nil {
		return err
	}
	if far {
		s.result.Notes = append(s.result.Notes, fmt.Sprintf(
			"%s's own weights break the constraints: projected onto them, at a distance of %.6g", objective, distance))
	}
	return nil
}
