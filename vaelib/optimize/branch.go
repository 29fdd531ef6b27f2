package optimize

import (
	"cmp"
	"context"
	"errors"
	"math"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
)

// node is an open problem of the branch and bound: what its parent knew as a
// lower bound, and the decision on one asset that led to it, on top of the
// first depth decisions on the path.
type node struct {
	bound float64
	depth int
	asset int
	in    bool
}

// branch minimises a programme over a set with a minimum weight: each asset is
// held with at least that, or not at all. It solves relaxations in which the
// undecided assets may have any weight down to zero, deepest and most promising
// first. solve solves the programme as posed, and limit sets the limits of one
// weight in it. The result's Gap is left at what the open nodes allow, in the
// programme's objective.
func (s *Solver) branch(ctx context.Context, in *Inputs, solve func() (*qp.Result, error),
	limit func(j int, lower, upper float64)) (*qp.Result, error) {
	n, least := in.Set.N, in.Set.MinWeight
	most := cmp.Or(in.MaxNodes, 20000)
	decide := func(j int, held bool) {
		lower, upper := bounds(&in.Set, j)
		if held {
			limit(j, max(lower, least), upper)
		} else {
			limit(j, 0, 0)
		}
	}
	undo := func(j int) {
		lower, upper := bounds(&in.Set, j)
		limit(j, lower, upper)
	}
	for j := range n { // what the bounds decide
		lower, upper := bounds(&in.Set, j)
		if lower < 0 {
			return nil, &UnsupportedError{"a minimum weight",
				"can't be combined with short positions: drop one of the two"}
		}
		if lower > 0 {
			decide(j, true)
		} else if upper < least {
			decide(j, false)
		}
	}
	best := &qp.Result{Status: qp.Infeasible, Objective: math.Inf(1)}
	path := make([]int, 0, n)
	open := []node{{bound: math.Inf(-1), asset: -1}}
	iterations, nodes := 0, 0
	for len(open) > 0 && nodes < most {
		this := open[len(open)-1]
		open = open[:len(open)-1]
		for len(path) > this.depth {
			undo(path[len(path)-1])
			path = path[:len(path)-1]
		}
		if this.bound >= best.Objective-1e-13*math.Abs(best.Objective) {
			continue
		}
		if this.asset >= 0 {
			decide(this.asset, this.in)
			path = append(path, this.asset)
		}
		nodes++
		r, err := solve()
		if err != nil {
			return nil, err
		}
		s.settings.Warm = true
		iterations += r.Iterations
		if r.Status == qp.Infeasible || r.Status == qp.Optimal && r.Objective >= best.Objective {
			continue
		}
		if r.Status != qp.Optimal {
			return nil, errStuck
		}
		asset, share := undecided(r.X[:n], least)
		if asset < 0 {
			best = clone(r)
			continue
		}
		held := share >= least/2
		open = append(open, node{r.Objective, len(path), asset, !held}, node{r.Objective, len(path), asset, held})
	}
	best.Iterations = iterations
	return best, s.closeGap(best, open, &in.Set)
}

// undecided returns the asset whose weight lies deepest between nothing and the
// least, with its share of the whole; or -1 where every weight is one of the two.
func undecided(x []float64, least float64) (asset int, share float64) {
	var total float64
	for _, v := range x {
		total += v
	}
	asset, fault := -1, 1e-11
	for j, v := range x {
		v /= total // 1, but for the ratio's programmes
		if short := min(v, least-v); short > fault {
			asset, fault, share = j, short, v
		}
	}
	return asset, share
}

// closeGap says how far the best portfolio may be from the optimum, by the
// nodes that are still open; or that there is none in the set.
func (s *Solver) closeGap(best *qp.Result, open []node, set *simplex.Set) error {
	floor := best.Objective
	for _, o := range open {
		floor = min(floor, o.bound)
	}
	if floor < best.Objective {
		s.result.Status = "node limit"
		if best.Status != qp.Optimal {
			return cmp.Or(set.Check(), errNodes)
		}
	}
	s.result.Gap = 0
	if best.Status == qp.Optimal {
		s.result.Gap = max(0, best.Objective-floor)
	}
	return nil
}

// clone copies what a solve found, out of the solver's memory.
func clone(r *qp.Result) *qp.Result {
	return &qp.Result{Status: r.Status, X: append([]float64(nil), r.X...), Objective: r.Objective, KKT: r.KKT}
}

var errNodes = errors.New(
	"branch and bound found no portfolio that keeps the minimum weight within its node limit: raise the limit")
