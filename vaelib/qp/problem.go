package qp

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Problem is a convex quadratic programme in n variables with m rows. The
// solvers don't change it.
type Problem struct {
	H            *mat.SymDense // n x n, positive semidefinite; nil: zero
	C            []float64     // n; nil: zero
	A            *mat.Dense    // m x n; nil: no rows
	Lo, Hi       []float64     // m limits of A x; nil: none on that side
	Lower, Upper []float64     // n limits of x; nil: none on that side
}

// Dims returns the numbers of variables and of rows.
func (p *Problem) Dims() (n, m int) {
	switch {
	case p.H != nil:
		n = p.H.SymmetricDim()
	case p.C != nil:
		n = len(p.C)
	case p.A != nil:
		_, n = p.A.Dims()
	case p.Lower != nil:
		n = len(p.Lower)
	default:
		n = len(p.Upper)
	}
	if p.A != nil {
		m, _ = p.A.Dims()
	}
	return n, m
}

// check finds numbers that make no problem. Shapes that don't match are the
// caller's mistake and panic.
func (p *Problem) check() error {
	n, m := p.Dims()
	if p.A != nil {
		if _, columns := p.A.Dims(); columns != n {
			panic("qp: A has the wrong number of columns")
		}
	}
	for _, v := range [][]float64{p.C, p.Lower, p.Upper} {
		if v != nil && len(v) != n {
			panic("qp: C, Lower or Upper has the wrong length")
		}
	}
	for _, v := range [][]float64{p.Lo, p.Hi} {
		if v != nil && len(v) != m {
			panic("qp: Lo or Hi has the wrong length")
		}
	}
	if p.H != nil {
		raw := p.H.RawSymmetric()
		for i := range n {
			for j := i; j < n; j++ {
				if v := raw.Data[i*raw.Stride+j]; math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("the quadratic term has %v at row %d, column %d", v, i, j)
				}
			}
		}
	}
	for j, v := range p.C {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the linear term has %v at variable %d", v, j)
		}
	}
	for i := range m {
		for j, v := range p.A.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("the constraints have %v at row %d, column %d", v, i, j)
			}
		}
	}
	for i := range m {
		lo, hi := limits(p.Lo, p.Hi, i)
		if math.IsNaN(lo) || math.IsNaN(hi) || math.IsInf(lo, 1) || math.IsInf(hi, -1) {
			return fmt.Errorf("row %d has the limits %v and %v", i, lo, hi)
		}
	}
	for j := range n {
		lo, hi := limits(p.Lower, p.Upper, j)
		if math.IsNaN(lo) || math.IsNaN(hi) || math.IsInf(lo, 1) || math.IsInf(hi, -1) {
			return fmt.Errorf("variable %d has the limits %v and %v", j, lo, hi)
		}
	}
	return nil
}

// limits are entry i of two slices that may be nil.
func limits(lower, upper []float64, i int) (lo, hi float64) {
	lo, hi = math.Inf(-1), math.Inf(1)
	if lower != nil {
		lo = lower[i]
	}
	if upper != nil {
		hi = upper[i]
	}
	return lo, hi
}

// Settings of a solve. The zero value is ready for use.
type Settings struct {
	// MaxIterations stops the search with status [IterationLimit]; 0 means
	// 100 + 20 (n + m).
	MaxIterations int
	// Start is a point (n) near the solution, feasible or not; nil means none.
	Start []float64
	// Warm starts from the working set of the solver's last solve, when that
	// had at most as many variables and rows: the first ones should be the
	// same kind of variable and row. It goes before Start, which then is for
	// the new variables.
	Warm bool
}

// Status says how a solve ended.
type Status int8

// The ways in which a solve ends.
const (
	Optimal        Status = iota // X is a minimiser, to rounding
	Infeasible                   // no x meets the constraints: see Certificate
	Unbounded                    // the objective falls for ever along Ray
	IterationLimit               // X is the best feasible point so far, or infeasible
)

func (s Status) String() string {
	return [...]string{"optimal", "infeasible", "unbounded", "iteration limit"}[s]
}

// Result of a solve. A result of a [Solver]'s method belongs to the solver: it
// is overwritten by the next solve.
//
// At a minimiser H x + c = A' RowMultipliers + BoundMultipliers. A multiplier
// is positive where the lower limit holds x back, negative where the upper one
// does, and zero where neither does; its size is the objective's change per
// unit of the limit.
type Result struct {
	Status           Status
	X                []float64 // n
	Objective        float64   // 1/2 x'Hx + c'x
	RowMultipliers   []float64 // m
	BoundMultipliers []float64 // n
	Iterations       int
	// KKT is the largest breach of the optimality conditions at X: of the
	// gradient's equation and the multipliers' signs, as a share of the
	// largest entry of the gradient's terms (or 1 % of H's, times the largest
	// entry of x on the way, where they vanish); of a row or bound, as a share of
	// the larger of 1 and its limit.
	KKT         float64
	Certificate *Certificate // of infeasibility, else nil
	Ray         []float64    // n, when unbounded, else nil
	// Cuts and Gap are set by [Solver.SolveByCuts]: the number of rows added,
	// and how far Objective can be below the optimum over all rows.
	Cuts int
	Gap  float64
}

// Certificate proves that no x meets the constraints: among all x between
// Lower and Upper, Rows' A x stays below what the rows' limits ask of it
// (Farkas' lemma). Where the limits of one row or variable exclude each other,
// that one alone is named, by a 1.
type Certificate struct {
	Rows   []float64 // m: positive where a lower limit takes part, negative where an upper one does
	Bounds []float64 // n: the same for the limits of x; equals -A' Rows
	Margin float64   // what is asked less what can be reached; positive
}

// Conflict lists the rows, and the variables whose bounds take part.
func (c *Certificate) Conflict() (rows, variables []int) {
	for i, v := range c.Rows {
		if v != 0 {
			rows = append(rows, i)
		}
	}
	for j, v := range c.Bounds {
		if v != 0 {
			variables = append(variables, j)
		}
	}
	return rows, variables
}

// Check recomputes the proof from the problem and returns an error when it
// doesn't hold.
func (c *Certificate) Check(p *Problem) error {
	if p.crossed(c) {
		return nil
	}
	if margin := p.margin(c.Rows, c.Bounds); !(margin > 0) {
		return fmt.Errorf("the certificate of infeasibility has the margin %v", margin)
	}
	for j := range c.Bounds {
		sum, size := c.Bounds[j], math.Abs(c.Bounds[j])
		for i, y := range c.Rows {
			sum += y * p.A.At(i, j)
			size = max(size, math.Abs(y*p.A.At(i, j)))
		}
		if math.Abs(sum) > 1e-10*max(size, 1) {
			return fmt.Errorf("the certificate's multipliers leave %v at variable %d", sum, j)
		}
	}
	return nil
}

// crossed says whether a certificate names nothing but one row or variable
// whose own limits exclude each other.
func (p *Problem) crossed(c *Certificate) bool {
	rows, variables := c.Conflict()
	lo, hi := 0.0, 0.0
	switch {
	case len(rows) == 1 && len(variables) == 0:
		lo, hi = limits(p.Lo, p.Hi, rows[0])
	case len(rows) == 0 && len(variables) == 1:
		lo, hi = limits(p.Lower, p.Upper, variables[0])
	}
	return lo > hi
}

// margin is the sum over rows and variables of multiplier times the limit that
// it refers to: positive only where the constraints contradict each other.
func (p *Problem) margin(rows, bounds []float64) float64 {
	var sum float64
	add := func(y, lo, hi float64) {
		if y > 0 {
			sum += y * lo
		} else if y < 0 {
			sum += y * hi
		}
	}
	for i, y := range rows {
		lo, hi := limits(p.Lo, p.Hi, i)
		add(y, lo, hi)
	}
	for j, z := range bounds {
		lo, hi := limits(p.Lower, p.Upper, j)
		add(z, lo, hi)
	}
	return sum
}
