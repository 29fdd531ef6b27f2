package qp

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// The basis: m columns of [A, -I] that are linearly independent, and their
// inverse.

// refactor computes the inverse of the basis afresh, repairs a basis whose
// columns have become dependent, and recomputes the basic variables.
func (s *Solver) refactor() error {
	s.supers = s.supers[:0]
	s.choose()
	s.pivots = 0
	for _, j := range s.basis {
		s.x[j] = 0
	}
	for j := range s.n + s.m {
		if s.state[j] == super {
			s.supers = append(s.supers, j)
		}
	}
	s.activity(s.work)
	for i, j := range s.basis {
		s.x[j] = -floats.Dot(s.binv[i*s.m:(i+1)*s.m], s.work[:s.m])
	}
	// One step of iterative refinement.
	s.activity(s.work)
	for i := range s.basis {
		s.column[i] = floats.Dot(s.binv[i*s.m:(i+1)*s.m], s.work[:s.m])
	}
	for i, j := range s.basis {
		s.x[j] -= s.column[i]
	}
	for _, v := range s.x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return ErrIllConditioned
		}
	}
	return nil
}

// activity sets dst (m) to A x - s.
func (s *Solver) activity(dst []float64) {
	for i := range s.m {
		dst[i] = floats.Dot(s.a[i*s.n:(i+1)*s.n], s.x[:s.n]) - s.x[s.n+i]
	}
}

// choose inverts the basis by elimination, starting from that of all slacks:
// every basic structural variable is pivoted in where its column is largest
// among the rows whose slack isn't basic. A column that depends on the others
// becomes nonbasic, and the slack of its row basic.
func (s *Solver) choose() {
	n, m := s.n, s.m
	clear(s.binv)
	for i := range m {
		s.basis[i] = n + i
		s.binv[i*m+i] = -1
	}
	for j := range n {
		if s.state[j] != basic {
			continue
		}
		s.solveColumn(s.column, j)
		row, size := -1, 1e-9
		for i := range m {
			if s.basis[i] >= n && s.state[n+i] != basic && math.Abs(s.column[i]) > size {
				row, size = i, math.Abs(s.column[i])
			}
		}
		if row < 0 {
			s.place(j, s.x[j])
			continue
		}
		s.basis[row] = j
		s.eliminate(row, s.column)
	}
	for _, j := range s.basis {
		s.state[j] = basic
	}
}

// solveColumn sets dst (m) to the inverse times the column of variable j.
func (s *Solver) solveColumn(dst []float64, j int) {
	m := s.m
	if j >= s.n {
		for i := range m {
			dst[i] = -s.binv[i*m+j-s.n]
		}
		return
	}
	gathered := s.work[:m]
	for k := range m {
		gathered[k] = s.a[k*s.n+j]
	}
	for i := range m {
		dst[i] = floats.Dot(s.binv[i*m:(i+1)*m], gathered)
	}
}

// pivot puts variable q into the basis at row, given its solved column.
func (s *Solver) pivot(row, q int, column []float64) error {
	s.basis[row] = q
	s.eliminate(row, column)
	if s.pivots++; s.pivots > 100 {
		return s.refactor()
	}
	return nil
}

// eliminate updates the inverse for a new column at row.
func (s *Solver) eliminate(row int, column []float64) {
	m := s.m
	pivotRow := s.binv[row*m : (row+1)*m]
	floats.Scale(1/column[row], pivotRow)
	for i, v := range column {
		if i != row && v != 0 {
			floats.AddScaled(s.binv[i*m:(i+1)*m], -v, pivotRow)
		}
	}
}

// price sets dst (m) to the inverse's transpose times the basic variables'
// costs.
func (s *Solver) price(dst, costs []float64) {
	clear(dst)
	for i, v := range costs {
		if v != 0 {
			floats.AddScaled(dst, v, s.binv[i*s.m:(i+1)*s.m])
		}
	}
}

// subtractRows subtracts [A, -I]'y from d (n+m).
func (s *Solver) subtractRows(d, y []float64) {
	for i, v := range y {
		if v != 0 {
			floats.AddScaled(d[:s.n], -v, s.a[i*s.n:(i+1)*s.n])
		}
		d[s.n+i] += v
	}
}

// reduce sets dst (n+m) to v - [A, -I]' B^-T v_B: the vector v (n) as seen by
// the variables that aren't basic. It leaves the multipliers in y.
func (s *Solver) reduce(dst, v []float64) {
	for i, j := range s.basis {
		s.column[i] = 0
		if j < s.n {
			s.column[i] = v[j]
		}
	}
	s.price(s.y, s.column)
	copy(dst, v)
	clear(dst[s.n:])
	s.subtractRows(dst, s.y)
}

// reducedCosts sets d from the gradient, and y to the rows' multipliers.
func (s *Solver) reducedCosts() {
	s.reduce(s.d, s.g)
	for _, j := range s.basis {
		s.d[j] = 0
	}
}

// follow completes the direction p, given on the superbasic variables, by the moves of the basic ones.
func (s *Solver) follow(p []float64) {
	for i := range s.m {
		sum := 0.0
		row := s.a[i*s.n : (i+1)*s.n]
		for _, j := range s.supers {
			if j < s.n {
				sum += row[j] * p[j]
			} else if j == s.n+i {
				sum -= p[j]
			}
		}
		s.column[i] = sum
	}
	for i, j := range s.basis {
		p[j] = -floats.Dot(s.binv[i*s.m:(i+1)*s.m], s.column)
	}
}
