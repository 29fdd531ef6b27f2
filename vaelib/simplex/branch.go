package simplex

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/qp"
)

// branching projects onto a set with a minimum holding and groups, bounds of each
// asset's own or a limit on turnover, by branch and bound over which assets are held.
//
// A node leaves some assets undecided. Its relaxation replaces w^2/2 on {0} u
// [m, upper] by the convex envelope, which is the straight line m w/2 up to m
// and the parabola beyond (the perspective relaxation; Frangioni & Gentile
// 2006, "Perspective cuts for a class of convex 0-1 mixed integer programs").
// With w = a + b, a in [0, m] at the price m/2, b >= 0 at the price m b + b^2/2,
// it is a quadratic programme of which nodes differ in the bounds alone.
// Without the envelope inputs that are nearly equal, as those of a network that
// has learned little, would take exponentially many nodes. What an asset that is held with
// h < m trades has an envelope too: h + (1 - 2h/m) w.
type branching struct {
	set          Set
	lower, upper []float64   // N
	problem      *qp.Problem // in a (N), b (N) and, with a limit on turnover, bought (N) and sold (N)
	solver       qp.Solver
	w, best      []float64
	stack        []node
	nodes        int // that it may look at
}

// node is a part of the search.
type node struct {
	choice []choice // N
	bound  float64  // half the squared distance is at least this, up to a shared constant
}

type choice int8

const (
	undecided choice = iota
	held
	leftOut
)

// outcome of a search.
type outcome struct {
	found bool
	gap   float64 // by how much the distance can exceed the smallest
}

// maxNodes bounds a search: seconds at 40 assets.
const maxNodes = 20000

func newBranching(s Set) *branching {
	b := &branching{set: s, w: make([]float64, s.N), best: make([]float64, s.N), nodes: maxNodes}
	b.lower, b.upper = s.bounds()
	single := s.rows()
	m, _ := single.A.Dims()
	n, wide, rows := s.N, 2*s.N, m
	var small []int // assets of which less is held than may be
	if t := s.Turnover; t != nil {
		for i, h := range t.Held {
			if 0 < h && h < s.MinWeight {
				small = append(small, i)
			}
		}
		wide, rows = 4*n, m+n+1+len(small)
	}
	b.problem = &qp.Problem{
		H: mat.NewSymDense(wide, nil), C: make([]float64, wide), A: mat.NewDense(rows, wide, nil),
		Lo: single.Lo, Hi: single.Hi, Lower: make([]float64, wide), Upper: slices.Repeat([]float64{math.Inf(1)}, wide),
	}
	for k := range m {
		row := b.problem.A.RawRowView(k)
		copy(row, single.A.RawRowView(k))
		copy(row[n:], row[:n])
	}
	for i := range n {
		b.problem.H.SetSym(n+i, n+i, 1)
	}
	if s.Turnover != nil {
		b.limit(m, s.Turnover, small)
	}
	return b
}

// limit adds the rows of a limit on turnover, from row k on.
func (b *branching) limit(k int, t *Turnover, small []int) {
	n, p := b.set.N, b.problem
	add := func(lo, hi float64) []float64 {
		p.Lo, p.Hi = append(p.Lo, lo), append(p.Hi, hi)
		k++
		return p.A.RawRowView(k - 1)
	}
	for i, h := range t.Held {
		row := add(h, h)
		row[i], row[n+i], row[2*n+i], row[3*n+i] = 1, 1, -1, 1
	}
	for _, i := range small {
		h := t.Held[i]
		row, slope := add(h, math.Inf(1)), 1-2*h/b.set.MinWeight
		row[i], row[n+i], row[2*n+i], row[3*n+i] = -slope, -slope, 1, 1
	}
	total := add(0, t.Most-t.Beside)
	for i := range 2 * n {
		total[2*n+i] = 1
	}
}

// leastTurnover is what a set with a limit on turnover takes, at most as far as enough; an
// error where the limit of nodes comes before it is known.
func (b *branching) leastTurnover(enough float64) (least float64, err error) {
	n, p := b.set.N, b.problem
	p.H = nil
	p.Hi[len(p.Hi)-1] = math.Inf(1)
	for i := range p.C {
		p.C[i] = 0
		if i >= 2*n {
			p.C[i] = 1
		}
	}
	least, err = b.explore(enough)
	if err == nil && least > enough {
		for _, open := range b.stack {
			if open.bound <= enough {
				return 0, b.cutOff()
			}
		}
	}
	return least, err
}

// search writes the nearest point to v into dst, up to rounding, and says
// whether there is one. With justAny it ends at the first point found. It
// returns an error where the limit of nodes comes before any point.
func (b *branching) search(dst, v []float64, justAny bool) (outcome, error) {
	n, m := b.set.N, b.set.MinWeight
	mean := inorder.Sum(v) / float64(n)
	for i, x := range v {
		b.problem.C[i], b.problem.C[n+i] = m/2-(x-mean), m-(x-mean)
	}
	enough := math.Inf(-1)
	if justAny {
		enough = math.MaxFloat64
	}
	cost, err := b.explore(enough)
	if err != nil {
		return outcome{}, err
	}
	if math.IsInf(cost, 1) {
		return outcome{}, nil
	}
	copy(dst, b.best)
	missing := 0.0 // by how much half the squared distance could be less
	for _, open := range b.stack {
		missing = max(missing, cost-open.bound)
	}
	if missing == 0 {
		return outcome{found: true}, nil
	}
	distance := floats.Distance(b.best, v, 2)
	smallest := math.Sqrt(max(0, distance*distance-2*missing))
	return outcome{found: true, gap: 2 * missing / (distance + smallest)}, nil
}

// explore finds the choice of holdings that costs least, as the problem is posed, and writes
// the weights to b.best; it ends where one costs no more than enough. It returns an infinite
// cost where there is none, and an error where the limit of nodes comes before any.
func (b *branching) explore(enough float64) (cost float64, err error) {
	n, m := b.set.N, b.set.MinWeight
	root := node{choice: make([]choice, n), bound: math.Inf(-1)}
	for i := range n {
		switch {
		case b.lower[i] > 0:
			root.choice[i] = held
		case b.upper[i] < m:
			root.choice[i] = leftOut
		}
	}
	cost = math.Inf(1)
	b.stack = append(b.stack[:0], root)
	nodes := 0
	for len(b.stack) > 0 && nodes < b.nodes && cost > enough {
		at := b.stack[len(b.stack)-1]
		b.stack = b.stack[:len(b.stack)-1]
		if at.bound >= cost {
			continue
		}
		feasible, bound, err := b.relax(at.choice, nodes > 0)
		if err != nil {
			return 0, err
		}
		nodes++
		if !feasible || bound >= cost-1e-14*max(1, math.Abs(bound)) {
			continue
		}
		next := b.fractional(at.choice)
		if next < 0 {
			cost = bound
			copy(b.best, b.w)
			continue
		}
		near, far := held, leftOut
		if b.w[next] < m/2 {
			near, far = far, near
		}
		for _, c := range []choice{far, near} { // the last one is looked at first
			child := node{choice: append([]choice(nil), at.choice...), bound: bound}
			child.choice[next] = c
			b.stack = append(b.stack, child)
		}
	}
	if math.IsInf(cost, 1) && len(b.stack) > 0 {
		return 0, b.cutOff()
	}
	return cost, nil
}

// cutOff says that the search ended at its limit.
func (b *branching) cutOff() error {
	return fmt.Errorf("no portfolio with holdings of at least %v was found in %d steps of the search: lower the "+
		"minimum weight, or widen bounds, groups or the limit on turnover", b.set.MinWeight, b.nodes)
}

// relax solves a node's relaxation into b.w.
func (b *branching) relax(choices []choice, warm bool) (feasible bool, bound float64, err error) {
	n, m, p := b.set.N, b.set.MinWeight, b.problem
	for i, c := range choices {
		p.Lower[i], p.Upper[i] = 0, m
		p.Lower[n+i], p.Upper[n+i] = 0, max(0, b.upper[i]-m)
		switch c {
		case held:
			p.Lower[i] = m
			p.Lower[n+i] = max(0, b.lower[i]-m)
		case leftOut:
			p.Upper[i], p.Upper[n+i] = 0, 0
		}
	}
	result, err := b.solver.Solve(context.Background(), p, qp.Settings{Warm: warm})
	if err != nil {
		return false, 0, err
	}
	if result.Status == qp.Infeasible {
		return false, 0, nil
	}
	if result.Status != qp.Optimal {
		return false, 0, fmt.Errorf("the nearest portfolio was not found: %v after %d iterations",
			result.Status, result.Iterations)
	}
	for i := range b.w {
		b.w[i] = clamp(result.X[i], p.Lower[i], p.Upper[i]) + clamp(result.X[n+i], p.Lower[n+i], p.Upper[n+i])
		if b.w[i] > m-nearby && b.w[i] < m {
			b.w[i] = m // the price changes here, and rounding is no reason to branch
		}
		if b.w[i] < nearby {
			b.w[i] = 0
		}
	}
	return true, result.Objective, nil
}

// fractional returns the undecided asset farthest from a holding and from
// nothing, or -1.
func (b *branching) fractional(choices []choice) int {
	next, farthest := -1, 0.0
	for i, c := range choices {
		if x := min(b.w[i], b.set.MinWeight-b.w[i]); c == undecided && x > farthest {
			next, farthest = i, x
		}
	}
	return next
}
