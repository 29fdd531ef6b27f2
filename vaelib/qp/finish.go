package qp

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// finish fills the result in from where the search stopped.
func (s *Solver) finish(status Status) *Result {
	r := &s.result
	r.Status, r.Iterations = status, s.iterations
	r.Certificate, r.Ray, r.Cuts, r.Gap = nil, nil, 0, 0
	r.X = resize(r.X, s.n)
	r.BoundMultipliers, r.RowMultipliers = resize(r.BoundMultipliers, s.n), resize(r.RowMultipliers, s.m)
	for j := range s.n {
		r.X[j] = min(max(s.x[j], s.lo[j]), s.hi[j])
		s.x[j] = r.X[j]
	}
	switch status {
	case Infeasible:
		r.Certificate = &s.cert
	case Unbounded:
		s.ray = resize(s.ray, s.n)
		copy(s.ray, s.p)
		r.Ray = s.ray
	}
	s.gradient()
	s.hessian(s.hp, s.x)
	r.Objective = floats.Dot(s.c, r.X) + floats.Dot(s.hp, r.X)/2
	s.reducedCosts()
	s.refine()
	r.KKT = s.residual()
	if status == IterationLimit && r.KKT <= 1e-9 {
		r.Status = Optimal // only rounding was left to argue about
	}
	for i := range s.m {
		r.RowMultipliers[i] /= s.rowScale[i]
	}
	return r
}

// refine takes a step of iterative refinement of the multipliers y: the basic
// variables' reduced costs should be zero.
func (s *Solver) refine() {
	if s.m == 0 {
		return
	}
	copy(s.d, s.g)
	clear(s.d[s.n:])
	s.subtractRows(s.d, s.y)
	for i, j := range s.basis {
		s.costs[i] = s.d[j]
	}
	s.price(s.column, s.costs)
	floats.Add(s.y, s.column)
}

// Sensitivity sets dst (n) to the derivative of the last solution with respect
// to the linear term along dc (n), as long as the working set stays the same:
// what a parametric sweep needs. It is good after an optimal solve only.
func (s *Solver) Sensitivity(dst, dc []float64) {
	s.reduce(s.d, dc)
	s.newton()
	copy(dst, s.p[:s.n])
}

// residual is the breach of the optimality conditions at the result's X with
// the multipliers that it writes into the result.
func (s *Solver) residual() float64 {
	r := &s.result
	largest := 0.0
	for j := range s.n {
		largest = max(largest, max(math.Abs(s.c[j]), math.Abs(s.hp[j])))
	}
	scale := max(largest, 1e-2*s.hmax*s.reach)
	if scale == 0 {
		scale = 1
	}
	var dual, primal float64
	// An inner value takes no multiplier: what is left of it is residual. On a
	// bound only the wrong sign is.
	split := func(d, v, lo, hi float64) (multiplier, residual float64) {
		near := 1e-11 * max(1, math.Abs(v))
		if v-lo <= near && d > 0 || hi-v <= near && d < 0 {
			return d, 0
		}
		return 0, math.Abs(d)
	}
	var left float64
	for i := range s.m {
		j := s.n + i
		v := floats.Dot(s.a[i*s.n:(i+1)*s.n], r.X)
		r.RowMultipliers[i], left = split(s.y[i], v, s.lo[j], s.hi[j])
		dual = max(dual, left)
		lo, hi := s.lo[j]*s.rowScale[i], s.hi[j]*s.rowScale[i]
		v *= s.rowScale[i]
		if v < lo {
			primal = max(primal, (lo-v)/max(1, math.Abs(lo)))
		} else if v > hi {
			primal = max(primal, (v-hi)/max(1, math.Abs(hi)))
		}
	}
	for j := range s.n {
		d := s.g[j]
		for i := range s.m {
			d -= s.a[i*s.n+j] * r.RowMultipliers[i]
		}
		r.BoundMultipliers[j], left = split(d, r.X[j], s.lo[j], s.hi[j])
		dual = max(dual, left)
	}
	return max(dual/scale, primal)
}

// certify turns the multipliers of the restoration, in y, into a certificate
// and says whether it proves infeasibility.
func (s *Solver) certify() bool {
	c := &s.cert
	c.Rows, c.Bounds = resize(c.Rows, s.m), resize(c.Bounds, s.n)
	largest := 0.0
	for _, v := range s.y {
		largest = max(largest, math.Abs(v))
	}
	clear(s.d)
	var sum, size float64
	add := func(v, lo, hi float64) {
		limit := hi
		if v > 0 {
			limit = lo
		}
		if v != 0 {
			sum += v * limit
			size = max(size, math.Abs(v*limit))
		}
	}
	for i, v := range s.y {
		j := s.n + i
		if math.Abs(v) <= 1e-15*largest || v > 0 && math.IsInf(s.lo[j], -1) || v < 0 && math.IsInf(s.hi[j], 1) {
			v = 0
		}
		s.y[i] = v
		c.Rows[i] = v / s.rowScale[i]
		add(v, s.lo[j], s.hi[j])
	}
	s.subtractRows(s.d, s.y)
	for j := range s.n {
		v := s.d[j]
		// Without a limit on that side only rounding can stand here.
		if v > 0 && math.IsInf(s.lo[j], -1) || v < 0 && math.IsInf(s.hi[j], 1) {
			if math.Abs(v) > 1e-11*largest {
				return false
			}
			v = 0
		}
		c.Bounds[j] = v
		add(v, s.lo[j], s.hi[j])
	}
	c.Margin = sum
	return sum > 1e-12*size
}

// contradiction is the result for limits of j that exclude each other.
func (s *Solver) contradiction(j int) *Result {
	c := &s.cert
	c.Rows, c.Bounds = resize(c.Rows, s.m), resize(c.Bounds, s.n)
	clear(c.Rows)
	clear(c.Bounds)
	c.Margin = s.lo[j] - s.hi[j]
	if j < s.n {
		c.Bounds[j] = 1
	} else {
		c.Rows[j-s.n] = 1
		c.Margin *= s.rowScale[j-s.n]
	}
	r := &s.result
	r.X = resize(r.X, s.n)
	r.RowMultipliers, r.BoundMultipliers = resize(r.RowMultipliers, s.m), resize(r.BoundMultipliers, s.n)
	clear(r.X)
	clear(r.RowMultipliers)
	clear(r.BoundMultipliers)
	r.Status, r.Iterations, r.Objective, r.KKT = Infeasible, 0, 0, c.Margin
	r.Certificate, r.Ray, r.Cuts, r.Gap = c, nil, 0, 0
	s.state = s.state[:0] // nothing to start warm from
	return r
}
