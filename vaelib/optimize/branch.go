package optimize

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"math"
	"slices"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
)

// combinatorial says whether it is to be decided which assets are held.
func (in *Inputs) combinatorial() bool {
	return in.Set.MinWeight > 0 || in.MaxAssets > 0 && in.MaxAssets < in.Set.N
}

// mostHeld is how many assets may be held.
func (in *Inputs) mostHeld() int {
	if in.MaxAssets > 0 {
		return min(in.MaxAssets, in.Set.N)
	}
	return in.Set.N
}

// branch minimises the posed programme over portfolios in which each asset is held with at
// least the set's minimum weight or not at all, and no more than MaxAssets are. Its first
// variables are the weights, or scaled to a size that is not known; then rows has for each
// asset the row that is to be at least 0 where it is held, nil without a minimum weight. The
// result's Gap is left at what the open nodes allow, in the programme's objective.
func (s *Solver) branch(ctx context.Context, in *Inputs, scaled bool, rows []int) (*qp.Result, error) {
	t, err := newSearch(in, &s.problem, scaled, rows)
	if err != nil {
		return nil, err
	}
	if err := t.search(ctx, s.start); err != nil {
		return nil, err
	}
	t.best.Iterations = t.iterations
	s.result.Nodes += max(t.nodes, 1) // the root is examined in any case
	return t.best, s.closeGap(t, &in.Set)
}

// newSearch is a search for the best of a programme that is as in branch.
func newSearch(in *Inputs, base *qp.Problem, scaled bool, rows []int) (*tree, error) {
	n := in.Set.N
	p := newSparse(base, n, in.mostHeld())
	p.held = rows
	for j := range n {
		lower, upper := bounds(&in.Set, j)
		p.least[j], p.upper[j] = max(lower, in.Set.MinWeight), upper
		if scaled {
			p.least[j], p.upper[j] = 0, inf
		}
		switch {
		case lower < 0:
			return nil, &UnsupportedError{"a minimum weight or number of assets",
				"can't be combined with short positions: drop one of the two"}
		case lower > 0:
			p.must[j] = held
		case upper < in.Set.MinWeight || upper == 0:
			p.must[j] = leftOut
		}
	}
	return &tree{p: p, least: in.Set.MinWeight, limit: cmp.Or(in.MaxNodes, maxNodes), enough: -inf,
		tried: map[string]bool{}}, nil
}

// maxNodes is the default of Inputs.MaxNodes.
const maxNodes = 20000

// tree is a search over which assets are held, the node of the least bound first.
type tree struct {
	p          *sparse
	least      float64 // of the set
	limit      int     // of nodes
	enough     float64 // the objective at which any portfolio will do
	open       nodes
	nodes      int
	iterations int
	best       *qp.Result // in the programme's variables; infeasible while there is none
	tried      map[string]bool
	exact      qp.Solver // for supports
	warm       bool
}

// node is a part of the search.
type node struct {
	choice []choice // n
	bound  float64  // of its parent
	price  float64  // at which that was found
	id     int
}

type nodes []*node

func (h nodes) Len() int { return len(h) }
func (h nodes) Less(i, j int) bool {
	if c := cmp.Compare(h[i].bound, h[j].bound); c != 0 {
		return c < 0
	}
	return h[i].id > h[j].id
}
func (h nodes) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *nodes) Push(x any)   { *h = append(*h, x.(*node)) }
func (h *nodes) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// search looks until nothing is open or the limit is reached. start is a support to begin
// with; nil: none.
func (t *tree) search(ctx context.Context, start []bool) error {
	t.best = &qp.Result{Status: qp.Infeasible, Objective: math.Inf(1)}
	if start != nil {
		if err := t.try(ctx, start); err != nil {
			return err
		}
	}
	id := 0
	push := func(choices []choice, bound, price float64) {
		heap.Push(&t.open, &node{choices, bound, price, id})
		id++
	}
	root, err := t.sharpen(ctx)
	if err != nil {
		return err
	}
	push(root.choice, root.bound, root.price)
	for len(t.open) > 0 && t.nodes < t.limit && t.best.Objective > t.enough {
		this := heap.Pop(&t.open).(*node)
		if t.cut(this.bound) {
			continue
		}
		t.nodes++
		bound, price, asset, err := t.examine(ctx, this)
		if err != nil {
			return err
		}
		if bound = max(bound, this.bound); asset < 0 || t.cut(bound) {
			continue
		}
		for _, c := range []choice{leftOut, held} {
			child := slices.Clone(this.choice)
			child[asset] = c
			push(child, bound, price)
		}
	}
	return nil
}

// sharpen chooses, for a limit on the number of assets, the split of the objective that
// bounds the whole tree best, and returns its root. The bound is concave in the split, which
// is convex combinations of splits (Frank & Wolfe 1956, "An algorithm for quadratic
// programming").
func (t *tree) sharpen(ctx context.Context) (root *node, err error) {
	const steps = 10
	root = &node{choice: slices.Clone(t.p.must), bound: math.Inf(-1)}
	if t.p.own == nil || t.p.most == t.p.n {
		return root, nil
	}
	best := slices.Clone(t.p.d)
	for k := range steps {
		at := &node{choice: slices.Clone(root.choice), bound: math.Inf(-1), price: root.price}
		bound, price, asset, err := t.examine(ctx, at)
		if err != nil {
			return nil, err
		}
		if bound > root.bound {
			root.bound, root.price = bound, price
			copy(best, t.p.d)
		}
		weights := t.p.pull()
		if asset < 0 || weights == nil || t.cut(bound) {
			break
		}
		d := separable(t.p.own, weights)
		for j, now := range t.p.d {
			d[j] = now + (d[j]-now)/float64(k+2)
		}
		t.p.split(d)
		t.p.warm = false
	}
	t.p.split(best)
	t.p.warm = false
	return root, nil
}

// cut says whether nothing above a bound can be better than the best.
func (t *tree) cut(bound float64) bool {
	best := t.best.Objective
	if t.p.fee > 0 { // a number of assets is whole
		bound = math.Ceil(bound/t.p.fee-1e-6) * t.p.fee
	}
	return !math.IsInf(best, 1) && bound >= best-1e-12*math.Abs(best)
}

// examine bounds a node, looks for a portfolio near its relaxation, and says on which asset
// to branch; -1: none, as the node is done.
func (t *tree) examine(ctx context.Context, this *node) (bound, price float64, asset int, err error) {
	in, open := t.complete(this.choice)
	if !open { // it is one support
		support := make([]bool, t.p.n)
		for j, c := range this.choice {
			support[j] = c == held
		}
		return math.Inf(1), 0, -1, t.try(ctx, support)
	}
	bound, asset = math.Inf(-1), -1
	price = this.price
	rounds := 3
	if this.id == 0 {
		rounds = 15
	}
	now := price
	for range rounds {
		r, err := t.relax(ctx, this.choice, now)
		if err != nil {
			return 0, 0, -1, err
		}
		if r.result.Status == qp.Infeasible {
			return math.Inf(1), 0, -1, nil
		}
		candidate, exact := t.fractional(this.choice, r, now)
		if r.bound > bound {
			bound, price, asset = r.bound, now, candidate
		}
		if err := t.round(ctx, this.choice, in); err != nil {
			return 0, 0, -1, err
		}
		if t.cut(bound) || exact && t.best.Objective <= r.bound+1e-9*math.Abs(r.bound) {
			return bound, price, -1, nil
		}
		next := t.reprice(now, r.count, in)
		if next == now {
			break
		}
		now = next
	}
	return bound, price, asset, nil
}

// complete counts what is held and leaves out the rest where no more may be; it says whether
// anything is undecided.
func (t *tree) complete(choices []choice) (in int, open bool) {
	for _, c := range choices {
		if c == held {
			in++
		}
		open = open || c == undecided
	}
	if in >= t.p.most {
		for j, c := range choices {
			if c == undecided {
				choices[j] = leftOut
			}
		}
		return in, false
	}
	return in, open
}

// relax solves the relaxation of a choice.
func (t *tree) relax(ctx context.Context, choices []choice, price float64) (relaxed, error) {
	if err := ctx.Err(); err != nil { // one programme ends before it looks
		return relaxed{}, err
	}
	constant := t.p.pose(choices, price)
	r, err := t.p.solver.Solve(ctx, t.p.problem, qp.Settings{Warm: t.p.warm})
	if err != nil {
		return relaxed{}, err
	}
	t.p.warm = true
	t.iterations += r.Iterations
	if r.Status != qp.Optimal && r.Status != qp.Infeasible {
		return relaxed{}, errStuck
	}
	out := relaxed{result: r, bound: r.Objective + constant}
	if r.Status == qp.Optimal {
		t.p.unpack(&out, choices)
	}
	return out, nil
}

// fractional is the undecided asset that the relaxation is least decided on, and whether it
// is exact, as it breaks nothing.
func (t *tree) fractional(choices []choice, r relaxed, price float64) (asset int, exact bool) {
	var total float64
	for _, v := range t.p.x[:t.p.n] {
		total += v
	}
	asset, worst, first, size := -1, 1e-9, -1, -1.0
	for j, c := range choices {
		if c != undecided {
			continue
		}
		x := t.p.x[j] / total // total is 1, but for the ratio's programmes
		if x > size {
			first, size = j, x
		}
		doubt := min(t.p.z[j], 1-t.p.z[j])
		if t.least > 0 && x > nothing && x < t.least-nothing {
			doubt = max(doubt, min(x, t.least-x)/t.least)
		}
		if doubt > worst {
			asset, worst = j, doubt
		}
	}
	if asset >= 0 {
		return asset, false
	}
	over := r.count - float64(t.p.most)
	return first, over <= 0 && (price == 0 || over == 0)
}

// reprice is the next price to try for the number of assets.
func (t *tree) reprice(price, count float64, in int) float64 {
	most := float64(t.p.most - in)
	count -= float64(in)
	switch {
	case t.p.most == t.p.n:
		return price // no limit
	case price == 0 && count <= most:
		return price
	case price == 0:
		return t.guess(most)
	}
	factor := count / most
	return price * min(max(factor*factor, 0.1), 10)
}

// guess is the price at which the assets held would be as many as may be, were weights and
// the split of each as they are.
func (t *tree) guess(most float64) float64 {
	var sum float64
	for j, d := range t.p.d {
		sum += math.Sqrt(d/2) * t.p.x[j]
	}
	if sum > 0 {
		return sum * sum / (most * most)
	}
	var size float64
	for j, c := range t.p.c[:t.p.n] {
		size = max(size, math.Abs(c)*t.p.x[j])
	}
	return size / most
}

// round tries the assets that the relaxation holds most of.
func (t *tree) round(ctx context.Context, choices []choice, in int) error {
	var order []int
	support := make([]bool, t.p.n)
	for j, c := range choices {
		support[j] = c == held
		if c == undecided && t.p.x[j] > nothing && (t.least == 0 || t.p.z[j] >= 0.5) {
			order = append(order, j)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.p.x[b], t.p.x[a]) })
	for _, j := range order[:min(len(order), t.p.most-in)] {
		support[j] = true
	}
	return t.try(ctx, support)
}

// try solves for a support, and keeps the result where it is the best.
func (t *tree) try(ctx context.Context, support []bool) error {
	choices, key := make([]choice, t.p.n), make([]byte, t.p.n)
	count := 0
	for j, in := range support {
		if choices[j] = leftOut; in {
			choices[j], key[j] = held, 1
			count++
		}
		if t.p.must[j] != undecided && t.p.must[j] != choices[j] {
			return nil
		}
	}
	if count > t.p.most || t.tried[string(key)] {
		return nil
	}
	t.tried[string(key)] = true
	constant := t.p.pose(choices, 0)
	r, err := t.exact.Solve(ctx, t.p.problem, qp.Settings{Warm: t.warm})
	if err != nil {
		return err
	}
	t.warm = true
	t.iterations += r.Iterations
	if r.Status != qp.Optimal {
		if r.Status != qp.Infeasible {
			return errStuck
		}
		return nil
	}
	if value := r.Objective + constant; value < t.best.Objective {
		x := slices.Clone(r.X[:t.p.columns])
		for j := range t.p.n {
			x[j] += r.X[t.p.columns+j]
		}
		t.best = &qp.Result{Status: qp.Optimal, X: x, Objective: value, KKT: r.KKT}
	}
	return nil
}

// closeGap says how far the best portfolio may be from the optimum, by the
// nodes that are still open; or that there is none in the set.
func (s *Solver) closeGap(t *tree, set *simplex.Set) error {
	floor := t.best.Objective
	for _, o := range t.open {
		if o.bound < floor-1e-12*math.Abs(floor) || math.IsInf(floor, 1) {
			floor = o.bound
		}
	}
	s.result.Gap = 0
	if floor < t.best.Objective {
		s.result.Status = "node limit"
		if t.best.Status != qp.Optimal {
			return cmp.Or(set.Check(), errNodes)
		}
		s.result.Gap = t.best.Objective - floor
	}
	return nil
}

var errNodes = errors.New("branch and bound found no portfolio that keeps the minimum weight or number of assets " +
	"within its limit of nodes, and there may be none: loosen the constraints, or raise the limit")
