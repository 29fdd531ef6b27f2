package simplex

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/qp"
)

// branching projects onto a set with a minimum holding and groups, or bounds of
// each asset's own, by branch and bound over which assets are held.
//
// A node leaves some assets undecided. Its relaxation replaces w^2/2 on {0} u
// [m, upper] by the convex envelope, which is the straight line m w/2 up to m
// and the parabola beyond (the perspective relaxation; Frangioni & Gentile
// 2006, "Perspective cuts for a class of convex 0-1 mixed integer programs").
// With w = a + b, a in [0, m] at the price m/2, b >= 0 at the price m b + b^2/2,
// it is a quadratic programme of which nodes differ in the bounds alone.
// Without the envelope inputs that are nearly equal, as those of a network that
// has learned little, would take exponentially many nodes.
type branching struct {
	set          Set
	lower, upper []float64   // N
	problem      *qp.Problem // in a (N), then b (N)
	solver       qp.Solver
	w, best      []float64
	stack        []node
	limit        int // of nodes
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
	b := &branching{set: s, w: make([]float64, s.N), best: make([]float64, s.N), limit: maxNodes}
	b.lower, b.upper = s.bounds()
	single := s.rows()
	m, _ := single.A.Dims()
	b.problem = &qp.Problem{
		H: mat.NewSymDense(2*s.N, nil), C: make([]float64, 2*s.N),
		A: mat.NewDense(m, 2*s.N, nil), Lo: single.Lo, Hi: single.Hi,
		Lower: make([]float64, 2*s.N), Upper: make([]float64, 2*s.N),
	}
	b.problem.A.Augment(single.A, single.A)
	for i := range s.N {
		b.problem.H.SetSym(s.N+i, s.N+i, 1)
	}
	return b
}

// search writes the nearest point to v into dst, up to rounding, and says
// whether there is one. With justAny it ends at the first point found. It
// returns an error where the limit of nodes comes before any point.
func (b *branching) search(dst, v []float64, justAny bool) (outcome, error) {
	n, m := b.set.N, b.set.MinWeight
	mean := inorder.Sum(v) / float64(n)
	root := node{choice: make([]choice, n), bound: math.Inf(-1)}
	for i, x := range v {
		b.problem.C[i], b.problem.C[n+i] = m/2-(x-mean), m-(x-mean)
		switch {
		case b.lower[i] > 0:
			root.choice[i] = held
		case b.upper[i] < m:
			root.choice[i] = leftOut
		}
	}
	cost := math.Inf(1)
	b.stack = append(b.stack[:0], root)
	nodes := 0
	for len(b.stack) > 0 && nodes < b.limit && !(justAny && !math.IsInf(cost, 1)) {
		at := b.stack[len(b.stack)-1]
		b.stack = b.stack[:len(b.stack)-1]
		if at.bound >= cost {
			continue
		}
		feasible, bound, err := b.relax(at.choice, nodes > 0)
		if err != nil {
			return outcome{}, err
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
	if math.IsInf(cost, 1) {
		if len(b.stack) > 0 {
			return outcome{}, fmt.Errorf(
				"no portfolio with holdings of at least %v was found in %d steps of the search: lower the minimum "+
					"weight, or widen bounds or groups", m, b.limit)
		}
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
