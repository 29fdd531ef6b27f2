package qp

import (
	"context"
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Solve solves one problem with memory of its own. Its errors are the
// context's, numbers that make no problem (NaN, an infinite limit on the wrong
// side), [ErrIndefinite], and [ErrIllConditioned]; everything else is a status
// of the result.
func Solve(ctx context.Context, p *Problem, settings Settings) (*Result, error) {
	return new(Solver).Solve(ctx, p, settings)
}

// Solver solves one problem after another in the same memory. The zero value
// is ready for use; use one per goroutine.
type Solver struct {
	n, m int // variables, rows; the slack of row i is variable n+i

	h        []float64 // n x n; empty: zero
	hmax     float64   // largest diagonal entry of h
	c        []float64 // n
	a        []float64 // m x n, each row divided by a power of two
	rowScale []float64 // m, those powers
	lo, hi   []float64 // n+m

	x          []float64 // n+m
	state      []state   // n+m
	basis      []int     // m basic variables
	binv       []float64 // m x m: inverse of their columns
	supers     []int     // superbasic variables
	r          []float64 // upper triangle, rows of length ld: r'r is the reduced Hessian
	ld         int
	pivots     int // changes of the basis since binv was computed afresh
	iterations int
	standing   int // iterations in a row that led nowhere
	limit      int
	reach      float64 // largest entry of x on the way

	g, d    []float64 // n, n+m: gradient, reduced costs
	p, hp   []float64 // n+m, n: direction and its product with h
	y       []float64 // m
	work    []float64 // n+m
	reduced []float64 // superbasic part of d, then of the direction
	column  []float64 // m
	costs   []float64 // m: gradient of the sum of infeasibilities

	result Result
	cert   Certificate
	ray    []float64
}

// state is where a variable stands.
type state int8

const (
	atLower state = iota // nonbasic, on its lower bound
	atUpper              // nonbasic, on its upper bound
	between              // nonbasic, where it happened to be
	basic
	super
)

const (
	feasibility = 1e-12 // breach of a bound that counts as none, relative to the larger of 1 and the bound
	pivotTol    = 1e-11 // smallest entry of a direction that can end it, relative to the largest
	patience    = 30    // steps of length zero before Bland's rule
)

// Solve solves p as [Solve] does, in the solver's memory. The result belongs to
// the solver until its next solve.
func (s *Solver) Solve(ctx context.Context, p *Problem, settings Settings) (*Result, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if n, _ := p.Dims(); settings.Start != nil && len(settings.Start) != n {
		panic("qp: Start has the wrong length")
	}
	s.load(p, settings)
	return s.run(ctx)
}

// run solves the loaded problem.
func (s *Solver) run(ctx context.Context) (*Result, error) {
	s.iterations, s.standing, s.reach = 0, 0, 0
	for j := range s.n + s.m {
		if s.lo[j] > s.hi[j] {
			return s.contradiction(j), nil
		}
	}
	status, err := s.optimise(ctx)
	if err != nil {
		s.state = s.state[:0] // nothing to start warm from
		return nil, err
	}
	return s.finish(status), nil
}

// resize returns v with length n, its old contents kept where they fit.
func resize[T any](v []T, n int) []T {
	if cap(v) >= n {
		return v[:n]
	}
	grown := make([]T, n, n+n/4)
	copy(grown, v)
	return grown
}

// load copies the problem, and prepares the search for it.
func (s *Solver) load(p *Problem, settings Settings) {
	n, m := p.Dims()
	warm := settings.Warm && s.n <= n && s.m <= m && len(s.state) > 0
	variables, known := s.n, s.m
	s.n, s.m = n, m
	s.limit = settings.MaxIterations
	if s.limit == 0 {
		s.limit = 100 + 20*(n+m)
	}
	s.c, s.g, s.hp = resize(s.c, n), resize(s.g, n), resize(s.hp, n)
	for _, v := range []*[]float64{&s.lo, &s.hi, &s.x, &s.d, &s.p, &s.work, &s.reduced} {
		*v = resize(*v, n+m)
	}
	s.state, s.basis = resize(s.state, n+m), resize(s.basis, m)
	s.rowScale, s.y, s.column, s.costs = resize(s.rowScale, m), resize(s.y, m), resize(s.column, m), resize(s.costs, m)
	s.a, s.binv = resize(s.a, m*n), resize(s.binv, m*m)
	s.h, s.hmax = s.h[:0], 0
	if p.H != nil {
		s.h = resize(s.h, n*n)
		raw := p.H.RawSymmetric()
		for i := range n {
			row := raw.Data[i*raw.Stride : i*raw.Stride+n]
			copy(s.h[i*n+i:(i+1)*n], row[i:])
			for j := i + 1; j < n; j++ {
				s.h[j*n+i] = row[j]
			}
			s.hmax = max(s.hmax, row[i])
		}
	}
	s.r, s.ld = resize(s.r, n*n), n
	if p.C != nil {
		copy(s.c, p.C)
	} else {
		clear(s.c)
	}
	for i := range m {
		row := p.A.RawRowView(i)
		largest := floats.Norm(row, math.Inf(1))
		scale := 1.0
		if largest > 0 {
			_, exponent := math.Frexp(largest)
			scale = math.Ldexp(1, exponent-1)
		}
		s.rowScale[i] = scale
		target := s.a[i*n : (i+1)*n]
		for j, v := range row {
			target[j] = v / scale
		}
		lo, hi := limits(p.Lo, p.Hi, i)
		s.lo[n+i], s.hi[n+i] = lo/scale, hi/scale
	}
	for j := range n {
		s.lo[j], s.hi[j] = limits(p.Lower, p.Upper, j)
	}
	if !warm {
		variables, known = 0, 0
	}
	s.begin(variables, known, settings.Start)
}

// begin chooses the first working set: what the last solve left for the known
// variables and rows; the start, or the bound nearest to zero, for the other
// variables; and the other rows' slacks basic.
func (s *Solver) begin(variables, known int, start []float64) {
	n, m := s.n, s.m
	if variables < n { // the slacks have moved
		copy(s.state[n:], s.state[variables:variables+known])
		copy(s.x[n:], s.x[variables:variables+known])
	}
	for j := variables; j < n; j++ {
		v := 0.0
		if start != nil {
			v = start[j]
		}
		s.place(j, v)
	}
	for i := known; i < m; i++ {
		s.state[n+i] = basic
	}
	for j, state := range s.state {
		if state != basic && (state != super || s.x[j] <= s.lo[j] || s.x[j] >= s.hi[j]) {
			s.place(j, s.x[j]) // the bounds may have moved
		}
	}
}

// place makes j nonbasic at v, or at the bound that v lies on or beyond.
func (s *Solver) place(j int, v float64) {
	switch {
	case v <= s.lo[j]:
		s.state[j], s.x[j] = atLower, s.lo[j]
	case v >= s.hi[j]:
		s.state[j], s.x[j] = atUpper, s.hi[j]
	default:
		s.state[j], s.x[j] = between, v
	}
}

// ErrIndefinite says that H isn't positive semidefinite.
var ErrIndefinite = errors.New(
	"the quadratic term isn't positive semidefinite: its curvature along a direction is negative")

// ErrIllConditioned says that rows or variables are so nearly dependent that
// rounding hides whether there is a feasible point.
var ErrIllConditioned = errors.New(
	"the constraints are too nearly dependent to be told apart in double precision: loosen or drop one of them")

// optimise finds a feasible point, then descends from it.
func (s *Solver) optimise(ctx context.Context) (Status, error) {
	for range 10 {
		if err := s.refactor(); err != nil {
			return 0, err
		}
		status, err := s.restore(ctx)
		if err != nil || status != Optimal {
			return status, err
		}
		status, again, err := s.descend(ctx)
		if err != nil || !again {
			return status, err
		}
	}
	return IterationLimit, nil
}

// tick counts an iteration.
func (s *Solver) tick(ctx context.Context) (exhausted bool, err error) {
	s.iterations++
	if s.iterations&63 == 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
	return s.iterations > s.limit, nil
}

// slack is how far v may breach the bound b.
func slack(b float64) float64 { return feasibility * max(1, math.Abs(b)) }

// restore brings all basic variables between their bounds by the simplex
// method on the sum of infeasibilities. It returns Optimal when it did.
func (s *Solver) restore(ctx context.Context) (Status, error) {
	tolerance, gain := 1.0, 1e-11
	for {
		total := 0.0
		for i, j := range s.basis {
			s.costs[i] = 0
			if short := s.lo[j] - s.x[j]; short > tolerance*slack(s.lo[j]) {
				s.costs[i] = -1
				total += short
			} else if over := s.x[j] - s.hi[j]; over > tolerance*slack(s.hi[j]) {
				s.costs[i] = 1
				total += over
			}
		}
		if total == 0 {
			return Optimal, nil
		}
		if exhausted, err := s.tick(ctx); err != nil || exhausted {
			return IterationLimit, err
		}
		s.price(s.y, s.costs)
		clear(s.d)
		s.subtractRows(s.d, s.y)
		entering := s.entering(gain)
		if entering >= 0 {
			moved, err := s.restoringStep(entering)
			if err != nil {
				return 0, err
			}
			if moved {
				continue
			}
		}
		switch {
		case s.pivots > 0:
			if err := s.refactor(); err != nil {
				return 0, err
			}
		case s.certify():
			return Infeasible, nil
		case gain > 1e-15:
			gain = 1e-15 // gains this small may be rounding, or not
		case tolerance < 1e4:
			tolerance *= 10 // and so may be the breach
		default:
			return 0, ErrIllConditioned
		}
	}
}

// restoringStep moves the entering variable until the first bound is met. It
// does nothing where rounding hides the bound.
func (s *Solver) restoringStep(q int) (moved bool, err error) {
	sign := 1.0
	if s.d[q] > 0 {
		sign = -1
	}
	s.solveColumn(s.column, q)
	largest := 1.0
	for _, v := range s.column {
		largest = max(largest, math.Abs(v))
	}
	room := s.hi[q] - s.x[q]
	if sign < 0 {
		room = s.x[q] - s.lo[q]
	}
	// Two passes: the longest step that breaks no bound by more than a hair,
	// then the surest pivot within it.
	bound := func(i int) (distance, rate float64) {
		j := s.basis[i]
		rate = -sign * s.column[i]
		distance = math.Inf(1)
		if math.Abs(rate) <= pivotTol*largest {
			return distance, rate
		}
		switch {
		case s.costs[i] < 0 && rate > 0:
			distance = s.lo[j] - s.x[j]
		case s.costs[i] > 0 && rate < 0:
			distance = s.x[j] - s.hi[j]
		case s.costs[i] == 0 && rate > 0:
			distance = s.hi[j] - s.x[j]
		case s.costs[i] == 0 && rate < 0:
			distance = s.x[j] - s.lo[j]
		}
		return distance, rate
	}
	row, step := s.ratio(len(s.basis), bound, func(i int) int { return s.basis[i] })
	if room <= step {
		row, step = -1, room
	}
	if math.IsInf(step, 1) {
		return false, nil
	}
	s.note(step)
	s.x[q] += sign * step
	for i, j := range s.basis {
		s.x[j] -= sign * step * s.column[i]
	}
	if row < 0 {
		if s.state[q] == super {
			s.supers = remove(s.supers, q)
		}
		s.settle(q, sign > 0)
		return true, nil
	}
	leaving := s.basis[row]
	upper := -sign*s.column[row] > 0
	if s.costs[row] != 0 {
		upper = !upper // it comes from outside
	}
	if s.state[q] == super {
		s.supers = remove(s.supers, q)
	}
	s.settle(leaving, upper)
	s.state[q] = basic
	return true, s.pivot(row, q, s.column)
}

func remove(v []int, x int) []int {
	i := slices.Index(v, x)
	return append(v[:i], v[i+1:]...)
}

// settle makes j nonbasic on its upper or its lower bound.
func (s *Solver) settle(j int, upper bool) {
	if upper {
		s.state[j], s.x[j] = atUpper, s.hi[j]
	} else {
		s.state[j], s.x[j] = atLower, s.lo[j]
	}
}

// note counts steps that lead nowhere.
func (s *Solver) note(step float64) {
	if step > 1e-14 {
		s.standing = 0
	} else {
		s.standing++
	}
}

// ratio finds which of the count moving variables ends the step, and the step.
// bound gives the distance of one to its bound and its rate; index its number,
// for Bland's rule. It returns -1 and infinity when none does.
func (s *Solver) ratio(count int, bound func(i int) (distance, rate float64), index func(i int) int) (int, float64) {
	longest := math.Inf(1)
	hair := feasibility / 10
	if s.standing > patience {
		hair = 0
	}
	for i := range count {
		if distance, rate := bound(i); !math.IsInf(distance, 1) {
			longest = min(longest, (max(distance, 0)+hair)/math.Abs(rate))
		}
	}
	best, step, size := -1, math.Inf(1), 0.0
	for i := range count {
		distance, rate := bound(i)
		if math.IsInf(distance, 1) {
			continue
		}
		at := max(distance, 0) / math.Abs(rate)
		if at > longest {
			continue
		}
		better := math.Abs(rate) > size
		if s.standing > patience {
			better = best < 0 || index(i) < index(best)
		}
		if better {
			best, step, size = i, at, math.Abs(rate)
		}
	}
	return best, step
}

// entering chooses the nonbasic or superbasic variable whose move pays most
// by the reduced costs d, or -1: by Bland's rule the first that pays at all.
func (s *Solver) entering(tolerance float64) int {
	best, gain := -1, tolerance
	for j := range s.n + s.m {
		var g float64
		switch s.state[j] {
		case basic:
			continue
		case atLower:
			g = -s.d[j]
		case atUpper:
			g = s.d[j]
		default:
			g = math.Abs(s.d[j])
		}
		if g > gain && s.lo[j] < s.hi[j] {
			if s.standing > patience {
				return j
			}
			best, gain = j, g
		}
	}
	return best
}

// descend minimises from a feasible point. It asks for another round when
// rounding has led it out of the feasible set.
func (s *Solver) descend(ctx context.Context) (status Status, again bool, err error) {
	s.rebuild()
	s.gradient()
	fresh := true // gradient and basic variables have just been recomputed
	tries := 0    // Newton steps to the minimum on the present working set
	for {
		tolerance := s.tolerance()
		s.reducedCosts()
		steepest := 0.0
		for _, j := range s.supers {
			steepest = max(steepest, math.Abs(s.d[j]))
		}
		entering := -1
		if steepest <= tolerance || tries >= 4 {
			// Where Newton's method gets no further the rest is rounding.
			entering = s.nonbasic(max(tolerance, 2*steepest))
			if entering < 0 && fresh {
				return Optimal, false, nil
			}
		}
		if entering < 0 && (steepest <= tolerance || tries == 2 || tries >= 4) && !fresh || s.pivots > 60 {
			if err := s.refactor(); err != nil {
				return 0, false, err
			}
			if !s.feasible() {
				return 0, true, nil
			}
			s.rebuild()
			s.gradient()
			fresh = true
			continue
		}
		if exhausted, err := s.tick(ctx); err != nil || exhausted {
			return IterationLimit, false, err
		}
		if entering >= 0 {
			s.supers = append(s.supers, entering)
			s.direct(entering)
			tries = 0
		} else {
			s.newton()
			tries++
		}
		full, err := s.advance()
		switch {
		case err == errUnbounded:
			return Unbounded, false, nil
		case err != nil:
			return 0, false, err
		}
		if !full {
			tries = 0
		}
		fresh = false
	}
}

var errUnbounded = errors.New("unbounded")

// nonbasic chooses the variable to take off its bound, or -1.
func (s *Solver) nonbasic(tolerance float64) int {
	for _, j := range s.supers {
		s.d[j] = 0
	}
	return s.entering(tolerance)
}

// tolerance is the size of a reduced cost that counts as zero.
func (s *Solver) tolerance() float64 {
	var largest float64
	for j := range s.n {
		largest = max(largest, max(math.Abs(s.g[j]), math.Abs(s.c[j])))
		s.reach = max(s.reach, math.Abs(s.x[j]))
	}
	return max(1e-12*largest+1e-15*s.hmax*s.reach, math.SmallestNonzeroFloat64)
}

// feasible says whether the basic variables keep their bounds.
func (s *Solver) feasible() bool {
	for _, j := range s.basis {
		if s.lo[j]-s.x[j] > 10*slack(s.lo[j]) || s.x[j]-s.hi[j] > 10*slack(s.hi[j]) {
			return false
		}
	}
	return true
}

// advance moves along p to the minimum on it or to the first bound, and
// changes the working set there. It says whether the minimum was reached.
func (s *Solver) advance() (full bool, err error) {
	var slope, curvature, size, largest float64
	for j := range s.n {
		v := s.p[j]
		slope += v * s.g[j]
		size += math.Abs(v)
	}
	for _, v := range s.p {
		largest = max(largest, math.Abs(v))
	}
	s.hessian(s.hp, s.p)
	curvature = floats.Dot(s.hp, s.p[:s.n])
	noise := 1e-15 * s.hmax * size * size
	if curvature < -1e3*noise-1e-9*s.hmax*largest*largest {
		return false, ErrIndefinite
	}
	step := math.Inf(1)
	if curvature > noise {
		step = max(0, -slope/curvature)
	}
	supers := len(s.supers)
	variable := func(i int) int {
		if i < supers {
			return s.supers[i]
		}
		return s.basis[i-supers]
	}
	blocking, room := s.ratio(supers+s.m, func(i int) (distance, rate float64) {
		j := variable(i)
		rate = s.p[j]
		switch {
		case rate > pivotTol*largest:
			return s.hi[j] - s.x[j], rate
		case rate < -pivotTol*largest:
			return s.x[j] - s.lo[j], rate
		}
		return math.Inf(1), rate
	}, variable)
	if full = step <= room; full {
		if math.IsInf(step, 1) {
			return false, errUnbounded
		}
		room = step
	}
	s.note(room * largest)
	for _, j := range s.supers {
		s.x[j] += room * s.p[j]
	}
	for _, j := range s.basis {
		s.x[j] += room * s.p[j]
	}
	floats.AddScaled(s.g, room, s.hp)
	if full {
		return true, nil
	}
	j := variable(blocking)
	s.settle(j, s.p[j] > 0)
	if blocking < supers {
		s.dropSuper(blocking)
		return false, nil
	}
	return false, s.exchange(blocking - supers)
}

// hessian sets dst to h times the first n entries of p.
func (s *Solver) hessian(dst, p []float64) {
	clear(dst)
	if len(s.h) == 0 {
		return
	}
	for j, v := range p[:s.n] {
		if v != 0 {
			floats.AddScaled(dst, v, s.h[j*s.n:(j+1)*s.n])
		}
	}
}

// gradient computes g at x afresh.
func (s *Solver) gradient() {
	s.hessian(s.g, s.x)
	floats.Add(s.g, s.c)
}
