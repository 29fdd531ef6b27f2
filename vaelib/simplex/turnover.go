package simplex

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/qp"
)

// Turnover limits what is traded to get from what is held to the weights, purchases
// and sales alike: sum |w - Held| + Beside <= Most.
type Turnover struct {
	Held   []float64 // N weights, at most [MaxBound] in size; what they leave of 1 is cash
	Beside float64   // what is traded beside the set's assets, and counts too
	Most   float64
}

// Of returns the turnover to w (N).
func (t *Turnover) Of(w []float64) float64 {
	turnover := t.Beside
	for i, x := range w {
		turnover += math.Abs(x - t.Held[i])
	}
	return turnover
}

// choose is the limit for some of the assets alone: the others are sold.
func (t *Turnover) choose(columns []int) *Turnover {
	if t == nil {
		return nil
	}
	chosen := &Turnover{Beside: t.Beside, Most: t.Most}
	kept := make([]bool, len(t.Held))
	for _, j := range columns {
		chosen.Held, kept[j] = append(chosen.Held, t.Held[j]), true
	}
	for j, x := range t.Held {
		if !kept[j] {
			chosen.Beside += math.Abs(x)
		}
	}
	return chosen
}

// legs are the limits of what is bought and of what is sold of each asset.
type legs struct {
	leastBought, mostBought, leastSold, mostSold []float64 // N
}

func newLegs(t *Turnover, lower, upper []float64) *legs {
	l := &legs{}
	for i, h := range t.Held {
		l.leastBought = append(l.leastBought, max(0, lower[i]-h))
		l.mostBought = append(l.mostBought, max(0, upper[i]-h))
		l.leastSold = append(l.leastSold, max(0, h-upper[i]))
		l.mostSold = append(l.mostSold, max(0, h-lower[i]))
	}
	return l
}

// trades projects onto a convex set with a limit on turnover. Where the projection
// without it trades too much, the limit holds with equality, and with it what is bought
// and what is sold in all: they differ by the cash, and sum to the limit. With
// multipliers t of the budget and u of the limit, what is bought is v - held - (t + u)
// and what is sold held - v - (u - t), each between its limits; as u is not negative no
// asset is both. So each of the two is the projection onto a box with a given sum.
// With groups both are found by one quadratic programme.
type trades struct {
	turnover     *Turnover
	legs         *legs
	without      *Projector // onto the set without the limit
	box          *box       // nil with groups
	x            []float64  // N, or 2N with groups: what is nearest without any limits
	bought, sold []float64  // N

	problem *qp.Problem // in what is bought (N), then what is sold (N)
	solver  qp.Solver
}

func newTrades(s Set) *trades {
	free := s
	free.Turnover = nil
	t := &trades{turnover: s.Turnover, without: newProjector(free)}
	lower, upper := s.bounds()
	t.legs = newLegs(s.Turnover, lower, upper)
	if len(s.Groups) > 0 {
		t.problem, t.x = s.trading(), make([]float64, 2*s.N)
		t.problem.H = mat.NewSymDense(2*s.N, nil)
		for i := range 2 * s.N {
			t.problem.H.SetSym(i, i, 1)
		}
		t.problem.C = make([]float64, 2*s.N)
		return t
	}
	reach := 0.0
	for i := range s.N {
		reach = max(reach, t.legs.mostBought[i], t.legs.mostSold[i])
	}
	t.box, t.x = newBox(s.N, reach), make([]float64, s.N)
	t.bought, t.sold = make([]float64, s.N), make([]float64, s.N)
	return t
}

// project writes the nearest point to v into dst, up to rounding.
func (t *trades) project(dst, v []float64) error {
	if _, err := t.without.Project(dst, v); err != nil {
		return err
	}
	if t.turnover.Of(dst) <= t.turnover.Most {
		return nil
	}
	if t.problem != nil {
		return t.programme(dst, v)
	}
	held, l := t.turnover.Held, t.legs
	cash, limit := 1-inorder.Sum(held), t.turnover.Most-t.turnover.Beside
	for i, h := range held {
		t.x[i] = v[i] - h
	}
	t.box.projectTo(max((limit+cash)/2, inorder.Sum(l.leastBought)), t.bought, t.x, l.leastBought, l.mostBought)
	for i, h := range held {
		t.x[i] = h - v[i]
	}
	t.box.projectTo(max((limit-cash)/2, inorder.Sum(l.leastSold)), t.sold, t.x, l.leastSold, l.mostSold)
	t.put(dst, t.bought, t.sold)
	return nil
}

// put writes what is held with what is bought and without what is sold into dst; what
// is at a bound is there exactly.
func (t *trades) put(dst, bought, sold []float64) {
	lower, upper := t.without.lower, t.without.upper
	for i, h := range t.turnover.Held {
		switch {
		case bought[i] > 0 && bought[i] >= t.legs.mostBought[i]:
			dst[i] = upper[i]
		case sold[i] > 0 && sold[i] >= t.legs.mostSold[i]:
			dst[i] = lower[i]
		default:
			dst[i] = h + bought[i] - sold[i]
		}
	}
}

// narrow limits each asset to being bought, sold or kept, as it is in w, where its
// turnover is at the limit.
func (t *Turnover) narrow(w, least, most []float64) {
	if t.Of(w) < t.Most-nearby {
		return
	}
	for i, h := range t.Held {
		if w[i] >= h {
			least[i] = max(least[i], h)
		}
		if w[i] <= h {
			most[i] = min(most[i], h)
		}
	}
}

// programme is the case with groups.
func (t *trades) programme(dst, v []float64) error {
	n, p, l := len(v), t.problem, t.legs
	mean := 0.0 // a constant added to every input changes nothing: take it out
	for i, x := range v {
		mean += (x - t.turnover.Held[i]) / float64(n)
	}
	for i, x := range v {
		x -= t.turnover.Held[i]
		x -= mean
		p.C[i], p.C[n+i] = -x, x
		t.x[i] = clamp(x, l.leastBought[i], l.mostBought[i])
		t.x[n+i] = clamp(-x, l.leastSold[i], l.mostSold[i])
	}
	x, err := nearest(&t.solver, p, t.x)
	if err != nil {
		return err
	}
	t.put(dst, x[:n], x[n:])
	return nil
}

// trading is the set as a programme in what is bought (N) and what is sold (N), without
// an objective: the budget, the groups, and last the limit on turnover.
func (s Set) trading() *qp.Problem {
	rows := s.rows()
	m, n := 1+len(s.Groups), s.N
	p := &qp.Problem{A: mat.NewDense(m+1, 2*n, nil)}
	for k := range m {
		var held float64
		for i, a := range rows.A.RawRowView(k) {
			p.A.Set(k, i, a)
			p.A.Set(k, n+i, -a)
			held += a * s.Turnover.Held[i]
		}
		p.Lo, p.Hi = append(p.Lo, rows.Lo[k]-held), append(p.Hi, rows.Hi[k]-held)
	}
	for i := range 2 * n {
		p.A.Set(m, i, 1)
	}
	p.Lo, p.Hi = append(p.Lo, 0), append(p.Hi, s.Turnover.Most-s.Turnover.Beside)
	lower, upper := s.bounds()
	l := newLegs(s.Turnover, lower, upper)
	p.Lower = append(l.leastBought, l.leastSold...)
	p.Upper = append(l.mostBought, l.mostSold...)
	return p
}

// checkTurnover looks whether the limit on turnover leaves anything of the set without
// it, which holds something.
func (s Set) checkTurnover() error {
	t := s.Turnover
	if t == nil {
		return nil
	}
	if !(t.Most >= 0 && t.Beside >= 0) || math.IsInf(t.Most+t.Beside, 1) {
		return infeasible("a turnover of at most %v, of which %v is traded beside: numbers from 0 on", t.Most, t.Beside)
	}
	for i, h := range t.Held {
		if !(math.Abs(h) <= MaxBound) {
			return infeasible("%v of %s is held: it is a number from %d to %d", h, s.symbol(i), -MaxBound, MaxBound)
		}
	}
	least, err := s.leastTurnover()
	if err != nil || least <= t.Most+slack {
		return err
	}
	enough := math.Round(least*1e6) / 1e6
	if enough < least-slack/2 {
		enough = math.Ceil(least*1e6) / 1e6
	}
	return infeasible("a turnover of at most %v reaches no portfolio within the other constraints: it takes %.7g from "+
		"what is held: allow that, or loosen the others", t.Most, enough)
}

// leastTurnover is what the other constraints take.
func (s Set) leastTurnover() (float64, error) {
	t := s.Turnover
	if s.MinWeight > 0 {
		least, err := newBranching(s).leastTurnover(t.Most - t.Beside + slack)
		return least + t.Beside, err
	}
	if len(s.Groups) == 0 {
		lower, upper := s.bounds()
		l := newLegs(t, lower, upper)
		cash := 1 - inorder.Sum(t.Held)
		bought := max(inorder.Sum(l.leastBought), inorder.Sum(l.leastSold)+cash)
		return 2*bought - cash + t.Beside, nil
	}
	p := s.trading()
	last := len(p.Hi) - 1
	p.Hi[last] = math.Inf(1)
	for k := range last { // rounding is no conflict
		p.Lo[k] -= slack
		p.Hi[k] += slack
	}
	p.C = make([]float64, 2*s.N)
	for i := range p.C {
		p.C[i] = 1
	}
	result, err := qp.Solve(context.Background(), p, qp.Settings{})
	if err != nil {
		return 0, err
	}
	if result.Status != qp.Optimal {
		return 0, fmt.Errorf("the least turnover was not found: %v after %d iterations", result.Status,
			result.Iterations)
	}
	return result.Objective + t.Beside, nil
}
