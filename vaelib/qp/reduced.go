package qp

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// The factor R of the reduced Hessian Z'HZ, where Z has one column for each
// superbasic variable: itself by one, and the basic variables that follow.

// rebuild computes the factor afresh. A superbasic variable along which there
// is no curvature left becomes nonbasic where it is. So do, the other way
// round, nonbasic ones between their bounds become superbasic.
func (s *Solver) rebuild() {
	candidates := s.supers
	for j := range s.n + s.m {
		if s.state[j] == between {
			candidates = append(candidates, j)
		}
	}
	s.supers = candidates[:0]
	for _, j := range candidates {
		if len(s.h) == 0 {
			s.place(j, s.x[j])
			continue
		}
		s.supers = append(s.supers, j)
		if !s.border(j, true) {
			s.supers = s.supers[:len(s.supers)-1]
			s.place(j, s.x[j])
			continue
		}
		s.state[j] = super
	}
}

// border appends to the factor the row and column of q, the last superbasic
// variable. Where q adds no curvature beyond rounding its last diagonal entry is
// that of the rounding, and border says so when strict. It leaves in p the direction that moves q
// by one and the other superbasic variables so that the gradient they see
// stays as it is, and in hp its product with H.
func (s *Solver) border(q int, strict bool) bool {
	k := len(s.supers) - 1
	clear(s.p)
	s.p[q] = 1
	s.follow(s.p)
	s.hessian(s.hp, s.p)
	whole := floats.Dot(s.hp, s.p[:s.n])
	s.reduce(s.work, s.hp)
	for i, j := range s.supers[:k] {
		s.reduced[i] = s.work[j]
	}
	s.solveTransposed(s.reduced[:k])
	for i, v := range s.reduced[:k] {
		s.r[i*s.ld+k] = v
	}
	rest := whole - floats.Dot(s.reduced[:k], s.reduced[:k])
	s.solve(s.reduced[:k])
	for i, j := range s.supers[:k] {
		s.p[j] = -s.reduced[i]
	}
	if k > 0 {
		s.follow(s.p)
	}
	if rest < 1e-8*whole {
		// Cancellation: take the curvature from the direction itself.
		s.hessian(s.hp, s.p)
		rest = floats.Dot(s.hp, s.p[:s.n])
	}
	size := 0.0
	for _, v := range s.p[:s.n] {
		size += math.Abs(v)
	}
	least := 1e-15 * s.hmax * size * size
	if strict {
		least *= 10
	}
	s.r[k*s.ld+k] = math.Sqrt(max(rest, least))
	return !strict || rest > least
}

// direct sets p to the direction along which the new superbasic variable q
// moves downhill and the gradient seen by the others stays as it is.
func (s *Solver) direct(q int) {
	slope := s.d[q]
	s.state[q] = super
	s.border(q, false)
	if slope > 0 {
		floats.Scale(-1, s.p)
	}
}

// newton sets p to the step to the minimum over the superbasic variables.
func (s *Solver) newton() {
	k := len(s.supers)
	for i, j := range s.supers {
		s.reduced[i] = -s.d[j]
	}
	s.solveTransposed(s.reduced[:k])
	s.solve(s.reduced[:k])
	clear(s.p)
	for i, j := range s.supers {
		s.p[j] = s.reduced[i]
	}
	s.follow(s.p)
}

// solveTransposed solves R'z = v in place.
func (s *Solver) solveTransposed(v []float64) {
	k := len(v)
	for i := range k {
		row := s.r[i*s.ld : i*s.ld+k]
		v[i] /= row[i]
		if v[i] != 0 {
			floats.AddScaled(v[i+1:], -v[i], row[i+1:])
		}
	}
}

// solve solves R z = v in place.
func (s *Solver) solve(v []float64) {
	k := len(v)
	for i := k - 1; i >= 0; i-- {
		row := s.r[i*s.ld : i*s.ld+k]
		v[i] = (v[i] - floats.Dot(row[i+1:], v[i+1:])) / row[i]
	}
}

// dropSuper takes the superbasic variable at position k out of the factor.
func (s *Solver) dropSuper(k int) {
	count := len(s.supers)
	for i := range count {
		row := s.r[i*s.ld : i*s.ld+count]
		copy(row[k:], row[k+1:])
	}
	s.supers = append(s.supers[:k], s.supers[k+1:]...)
	for i := k; i < count-1; i++ {
		s.rotate(i, i+1, i, count-1)
	}
	s.guard()
}

// rotate turns rows i and j of the factor in their plane so that entry (j, k)
// becomes zero, in columns k to count.
func (s *Solver) rotate(i, j, k, count int) (cosine, sine float64) {
	a, b := s.r[i*s.ld:i*s.ld+count], s.r[j*s.ld:j*s.ld+count]
	if b[k] == 0 {
		return 1, 0
	}
	length := math.Hypot(a[k], b[k])
	cosine, sine = a[k]/length, b[k]/length
	for c := k; c < count; c++ {
		a[c], b[c] = cosine*a[c]+sine*b[c], cosine*b[c]-sine*a[c]
	}
	b[k] = 0
	return cosine, sine
}

// guard rebuilds a factor that has lost its rank to rounding.
func (s *Solver) guard() {
	var largest float64
	for i := range s.supers {
		largest = max(largest, math.Abs(s.r[i*s.ld+i]))
	}
	for i := range s.supers {
		if math.Abs(s.r[i*s.ld+i]) <= 1e-9*largest {
			s.rebuild()
			return
		}
	}
}

// exchange swaps the basic variable of a row, which has met a bound, for the
// superbasic variable that moves it most.
func (s *Solver) exchange(row int) error {
	m, count := s.m, len(s.supers)
	inverse := s.binv[row*m : (row+1)*m]
	best := -1
	for i, j := range s.supers {
		var v float64 // how basic variable moves against superbasic j
		if j >= s.n {
			v = -inverse[j-s.n]
		} else {
			for k, b := range inverse {
				v += b * s.a[k*s.n+j]
			}
		}
		s.reduced[i] = v
		if best < 0 || math.Abs(v) > math.Abs(s.reduced[best]) {
			best = i
		}
	}
	// The column of the leaving superbasic variable, rotated into the first
	// row, carries its share into the others: a factor of rank one more.
	share := s.reduced[:count]
	pivotShare := share[best]
	for i := range share {
		share[i] /= -pivotShare
	}
	for i := best + 1; i < count; i++ {
		s.r[i*s.ld+best] = 0
	}
	for i := best; i > 0; i-- {
		// Rows i-1 and i, so that column best has a zero in row i.
		a, b := s.r[(i-1)*s.ld:(i-1)*s.ld+count], s.r[i*s.ld:i*s.ld+count]
		b[i-1] = 0
		length := math.Hypot(a[best], b[best])
		if length == 0 {
			continue
		}
		cosine, sine := a[best]/length, b[best]/length
		for c := i - 1; c < count; c++ {
			a[c], b[c] = cosine*a[c]+sine*b[c], cosine*b[c]-sine*a[c]
		}
		b[best] = 0
	}
	top := s.r[0]
	if best > 0 {
		top = s.r[best]
	}
	for c := range count {
		if c != best {
			s.r[c] += top * share[c]
		}
	}
	entering := s.supers[best]
	for i := range count {
		r := s.r[i*s.ld : i*s.ld+count]
		copy(r[best:], r[best+1:])
	}
	s.supers = append(s.supers[:best], s.supers[best+1:]...)
	for i := 0; i < count-1; i++ {
		s.rotate(i, i+1, i, count-1)
	}
	s.solveColumn(s.column, entering)
	s.state[entering] = basic
	s.basis[row] = entering
	s.eliminate(row, s.column)
	s.pivots++
	s.guard()
	return nil
}
