package polish

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
)

// Goal is what a measure of a portfolio is to be: from Lo to Hi, which may be
// equal or infinite. Scale is the unit of its misses, such as the standard
// deviation of what portfolios have; it is positive.
type Goal struct {
	Measure       *portfolio.Measure
	Lo, Hi, Scale float64
}

// Miss returns how far a value is from the goal, in its scale.
func (g *Goal) Miss(value float64) float64 { return max(g.Lo-value, value-g.Hi, 0) / g.Scale }

const (
	// mostSteps are taken, of which the first nearSteps look for the point nearest to
	// where the portfolio was, and the others for that nearest to where it is, which
	// arrives sooner.
	mostSteps = 40
	nearSteps = 4
	// met is the miss, in scales, from which a portfolio isn't moved any more.
	met = 1e-7
	// penalty weighs a squared miss, in scales, against a squared distance of
	// weights: so much that what can be met is.
	penalty = 1e7
	// leastEffective is an effective number of assets below which no set's lies.
	leastEffective = 1e-6
	// leastStep is the shortest part of a step that is tried.
	leastStep = 1.0 / 64
	// missed is the miss, in scales, from which another start is looked for, a share
	// pulled of the way to one asset, at most mostStarts of them.
	missed     = 1e-3
	pulled     = 0.5
	mostStarts = 16
)

// All moves every row of weights (N x n), each a member of the set, to its goals,
// on all cores, and writes the distances into moved (N, or nil). The result
// doesn't depend on the number of cores. It returns the errors of
// [simplex.Set.Check] and the context's, and a [*simplex.RowError].
func All(
	ctx context.Context, set simplex.Set, weights *mat.Dense, goals func(row int) []Goal, moved []float64,
) error {
	if err := set.Check(); err != nil {
		return err
	}
	rows, _ := weights.Dims()
	polishers := make([]*polisher, parallel.Workers(rows))
	return parallel.For(ctx, rows, func(worker, i int) error {
		if polishers[worker] == nil {
			var err error
			if polishers[worker], err = newPolisher(set); err != nil {
				return err
			}
		}
		distance, err := polishers[worker].move(ctx, weights.RawRowView(i), goals(i))
		if err != nil {
			return &simplex.RowError{Row: i, Err: err}
		}
		if moved != nil {
			moved[i] = distance
		}
		return nil
	})
}

// polisher has the memory for moving one portfolio after another.
type polisher struct {
	set       simplex.Set
	projector *simplex.Projector // onto the set, where it is convex; nil otherwise
	solver    qp.Solver
	problem   qp.Problem
	first     []float64 // n, where the portfolio was
	try       []float64 // n
	other     []float64 // n
	gradient  []float64 // n
}

func newPolisher(set simplex.Set) (*polisher, error) {
	p := &polisher{set: set, first: make([]float64, set.N), try: make([]float64, set.N),
		other: make([]float64, set.N), gradient: make([]float64, set.N)}
	var err error
	if set.MinWeight == 0 {
		p.projector, err = simplex.NewProjector(set)
	}
	return p, err
}

// move moves w to its goals and returns how far. Where the way there ends before
// them, as it does where other assets would have to be held, it is gone again from
// places nearer to one asset each, those with the most weight first, until one way
// arrives; otherwise the one that ends nearest to the goals is kept.
func (p *polisher) move(ctx context.Context, w []float64, goals []Goal) (float64, error) {
	copy(p.first, w)
	if worst(goals, w) <= met {
		return 0, nil
	}
	set, projector := p.set, p.projector
	if projector == nil {
		set = p.holding(w)
		var err error
		if projector, err = simplex.NewProjector(set); err != nil {
			return 0, nil // rounding alone keeps w in the set: it stays where it is
		}
	}
	p.lay(set, goals)
	if err := p.descend(ctx, projector, w, goals); err != nil {
		return 0, err
	}
	for _, i := range p.starts(w, goals) {
		floats.ScaleTo(p.other, 1-pulled, p.first)
		p.other[i] += pulled
		if _, err := projector.Project(p.other, p.other); err != nil {
			return 0, err
		}
		if err := p.descend(ctx, projector, p.other, goals); err != nil {
			return 0, err
		}
		if misses(goals, p.other) < misses(goals, w) {
			copy(w, p.other)
		}
		if worst(goals, w) <= missed {
			break
		}
	}
	return floats.Distance(w, p.first, 2), nil
}

// starts are the assets near which other ways to the goals may begin, those with
// the most weight at first; none where w meets the goals.
func (p *polisher) starts(w []float64, goals []Goal) []int {
	if worst(goals, w) <= missed {
		return nil
	}
	assets := make([]int, len(w))
	for i := range assets {
		assets[i] = i
	}
	slices.SortStableFunc(assets, func(a, b int) int { return cmp.Compare(p.first[b], p.first[a]) })
	return assets[:min(mostStarts, len(assets))]
}

// descend moves w towards its goals as far as the misses fall.
func (p *polisher) descend(ctx context.Context, projector *simplex.Projector, w []float64, goals []Goal) error {
	miss := misses(goals, w)
	p.aim(p.first)
	for step := range mostSteps {
		if step >= nearSteps {
			p.aim(w)
		}
		p.linearise(goals, w)
		result, err := p.solver.Solve(ctx, &p.problem, qp.Settings{Start: p.start(w)})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || result.Status != qp.Optimal {
			return nil // goals that can't be told apart: what is reached stands
		}
		better := false
		for step := 1.0; step >= leastStep && !better; step /= 2 {
			for i := range w {
				p.try[i] = w[i] + step*(result.X[i]-w[i])
			}
			if _, err := projector.Project(p.try, p.try); err != nil {
				return err
			}
			if now := misses(goals, p.try); now < miss {
				better, miss = true, now
				copy(w, p.try)
			}
		}
		if !better || worst(goals, w) <= met {
			return nil
		}
	}
	return nil
}

// holding is the set with the choice of holdings that w has made, which makes it
// convex.
func (p *polisher) holding(w []float64) simplex.Set {
	set := p.set.Convex()
	set.Lower, set.Upper = make([]float64, set.N), make([]float64, set.N)
	for i, x := range w {
		if x != 0 {
			set.Lower[i], set.Upper[i] = p.set.MinWeight, 1
			if p.set.Lower != nil {
				set.Lower[i] = max(set.Lower[i], p.set.Lower[i])
			}
			if p.set.Upper != nil {
				set.Upper[i] = p.set.Upper[i]
			}
		}
	}
	return set
}

// lay makes the quadratic programme of n weights, one slack a goal and, where turnover
// is limited, what is bought and sold of each asset: its rows are the budget, the set's
// groups, those of the turnover, and the goals.
func (p *polisher) lay(set simplex.Set, goals []Goal) {
	set = cap(set, goals)
	n, k := set.N, len(goals)
	variables, rows := n+k, 1+len(set.Groups)+k
	if set.Turnover != nil {
		variables, rows = variables+2*n, rows+n+1
	}
	q := &p.problem
	*q = qp.Problem{
		H: mat.NewSymDense(variables, nil), C: make([]float64, variables), A: mat.NewDense(rows, variables, nil),
		Lower: make([]float64, variables), Upper: make([]float64, variables),
	}
	for i := range n {
		q.H.SetSym(i, i, 1)
		q.A.Set(0, i, 1)
		if q.Upper[i] = 1; set.Upper != nil {
			q.Upper[i] = set.Upper[i]
		}
		if set.Lower != nil {
			q.Lower[i] = set.Lower[i]
		}
	}
	q.Lo, q.Hi = []float64{1}, []float64{1}
	for r, g := range set.Groups {
		for i, share := range g.Share {
			q.A.Set(1+r, i, share)
		}
		q.Lo, q.Hi = append(q.Lo, g.Lo), append(q.Hi, g.Hi)
	}
	if set.Turnover != nil {
		p.layTurnover(set.Turnover, n+k)
	}
	for j := range k {
		q.H.SetSym(n+j, n+j, penalty)
		q.A.Set(len(q.Lo), n+j, 1)
		q.Lower[n+j], q.Upper[n+j] = math.Inf(-1), math.Inf(1)
		q.Lo, q.Hi = append(q.Lo, 0), append(q.Hi, 0)
	}
}

// layTurnover adds the rows of the limit on turnover: w - bought + sold = held, the two
// beginning at a variable, and the sum of both.
func (p *polisher) layTurnover(t *simplex.Turnover, first int) {
	q, n := &p.problem, len(t.Held)
	total := len(q.Lo) + n
	for i, held := range t.Held {
		bought, sold, row := first+i, first+n+i, len(q.Lo)
		q.A.Set(row, i, 1)
		q.A.Set(row, bought, -1)
		q.A.Set(row, sold, 1)
		q.Lo, q.Hi = append(q.Lo, held), append(q.Hi, held)
		q.A.Set(total, bought, 1)
		q.A.Set(total, sold, 1)
		q.Upper[bought], q.Upper[sold] = math.Inf(1), math.Inf(1)
	}
	q.Lo, q.Hi = append(q.Lo, 0), append(q.Hi, t.Most-t.Beside)
}

// aim makes the programme look for the solution nearest to w.
func (p *polisher) aim(w []float64) { floats.ScaleTo(p.problem.C[:len(w)], -1, w) }

// cap is the set with the bounds on the largest weight among the goals, as far as
// they leave anything in it: that holds all weights at once, where a goal's line
// holds the one that is largest.
func cap(set simplex.Set, goals []Goal) simplex.Set {
	for _, g := range goals {
		if g.Measure.Form != portfolio.Largest || math.IsInf(g.Hi, 1) {
			continue
		}
		capped := set
		capped.Upper = slices.Repeat([]float64{g.Hi}, set.N)
		for i := range set.Upper {
			capped.Upper[i] = min(capped.Upper[i], set.Upper[i])
		}
		if capped.Check() == nil {
			set = capped
		}
	}
	return set
}

// linearise fills in the goals' rows around w: in scales, the measure's linear
// part and the slack lie between the limits.
func (p *polisher) linearise(goals []Goal, w []float64) {
	first := len(p.problem.Lo) - len(goals)
	for j := range goals {
		value, lo, hi, scale := straight(&goals[j], p.gradient, w)
		row := p.problem.A.RawRowView(first + j)
		for i, g := range p.gradient {
			row[i] = g / scale
		}
		at := floats.Dot(row[:len(w)], w)
		p.problem.Lo[first+j], p.problem.Hi[first+j] = (lo-value)/scale+at, (hi-value)/scale+at
	}
}

// straight is a goal as a straight line sees it: value and gradient of the
// measure with its limits and scale. The effective number of assets is taken by
// the length of the weights, of which it is the inverse square: that bends less.
func straight(g *Goal, gradient, w []float64) (value, lo, hi, scale float64) {
	if g.Measure.Form != portfolio.Effective {
		return g.Measure.Gradient(gradient, w), g.Lo, g.Hi, g.Scale
	}
	value = floats.Norm(w, 2)
	floats.ScaleTo(gradient, 1/value, w)
	lo, hi = 0, math.Inf(1)
	if !math.IsInf(g.Hi, 1) {
		lo = 1 / math.Sqrt(max(g.Hi, leastEffective))
	}
	if g.Lo > 0 {
		hi = 1 / math.Sqrt(g.Lo)
	}
	return value, lo, hi, g.Scale * value * value * value / 2
}

// start is a point near the solution: the weights, and no slack.
func (p *polisher) start(w []float64) []float64 {
	start := make([]float64, len(p.problem.C))
	copy(start, w)
	return start
}

// misses is the sum of the goals' squared misses.
func misses(goals []Goal, w []float64) (sum float64) {
	for j := range goals {
		miss := goals[j].Miss(goals[j].Measure.Value(w))
		sum += miss * miss
	}
	return sum
}

// worst is the largest of the goals' misses.
func worst(goals []Goal, w []float64) (largest float64) {
	for j := range goals {
		largest = max(largest, goals[j].Miss(goals[j].Measure.Value(w)))
	}
	return largest
}

// Attainable returns the least and the greatest value that a measure has in a
// set, with its minimum holding left out of account. Of the ends where a curved
// measure would have to be followed to every corner of the set, the greatest norm
// and the least effective number of assets, it returns a bound that no portfolio
// exceeds, and not always one that is attained.
func Attainable(ctx context.Context, set simplex.Set, m *portfolio.Measure) (least, greatest float64, err error) {
	set = set.Convex()
	if err := set.Check(); err != nil {
		return 0, 0, err
	}
	switch m.Form {
	case portfolio.Linear:
		if least, err = lowest(ctx, set, nil, m.Vector); err != nil {
			return 0, 0, err
		}
		greatest, err = lowest(ctx, set, nil, negated(m.Vector))
		return least, -greatest, err
	case portfolio.Norm:
		return normRange(ctx, set, m)
	case portfolio.Effective:
		nearest := make([]float64, set.N)
		projector, err := simplex.NewProjector(set)
		if err != nil {
			return 0, 0, err
		}
		if _, err := projector.Project(nearest, nearest); err != nil {
			return 0, 0, err
		}
		square, err := largest(ctx, set) // sum w^2 <= max w, of weights that are not negative
		if short(set) {
			square = 0
			for i := range set.N {
				square += math.Pow(reach(set, i), 2)
			}
		}
		return 1 / square, m.Value(nearest), err
	}
	if greatest, err = largest(ctx, set); err != nil {
		return 0, 0, err
	}
	return 1 / float64(set.N), greatest, nil
}

// normRange is [Attainable] of a norm.
func normRange(ctx context.Context, set simplex.Set, m *portfolio.Measure) (least, greatest float64, err error) {
	h := mat.NewSymDense(set.N, nil)
	lengths := make([]float64, set.N)
	bound := 0.0
	for i, a := range m.Matrix {
		lengths[i] = -floats.Norm(a, 2)
		bound -= reach(set, i) * lengths[i]
		for j, b := range m.Matrix {
			h.SetSym(i, j, 2*floats.Dot(a, b))
		}
	}
	square, err := lowest(ctx, set, h, nil)
	if err != nil {
		return 0, 0, err
	}
	if least = math.Sqrt(max(0, square)); short(set) {
		return least, bound, nil
	}
	// |sum w_i a_i| <= sum w_i |a_i|, of weights that are not negative.
	greatest, err = lowest(ctx, set, nil, lengths)
	return least, -greatest, err
}

// short says whether weights may be negative.
func short(set simplex.Set) bool { return set.Lower != nil && floats.Min(set.Lower) < 0 }

// reach is the largest size of the weight of asset i.
func reach(set simplex.Set, i int) float64 {
	most := 1.0
	if set.Upper != nil {
		most = math.Abs(set.Upper[i])
	}
	if set.Lower != nil {
		most = max(most, -set.Lower[i])
	}
	return most
}

// largest is the largest weight that an asset can have.
func largest(ctx context.Context, set simplex.Set) (float64, error) {
	most := math.Inf(-1)
	for i := range set.N {
		c := make([]float64, set.N)
		c[i] = -1
		v, err := lowest(ctx, set, nil, c)
		if err != nil {
			return 0, err
		}
		most = max(most, -v)
	}
	return most, nil
}

// lowest is the minimum of 1/2 w'Hw + c'w over the set.
func lowest(ctx context.Context, set simplex.Set, h *mat.SymDense, c []float64) (float64, error) {
	p := polisher{set: set, first: make([]float64, set.N)}
	p.lay(set, nil)
	if h == nil {
		p.problem.H = nil
	} else {
		p.problem.H.Zero()
		for i := range set.N {
			for j := i; j < set.N; j++ {
				p.problem.H.SetSym(i, j, h.At(i, j))
			}
		}
	}
	copy(p.problem.C, c)
	result, err := qp.Solve(ctx, &p.problem, qp.Settings{})
	if err != nil {
		return 0, err
	}
	if result.Status != qp.Optimal {
		return 0, fmt.Errorf("what the constraints allow was not found: %v", result.Status)
	}
	return result.Objective, nil
}

func negated(v []float64) []float64 {
	out := make([]float64, len(v))
	floats.ScaleTo(out, -1, v)
	return out
}
