package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
)

var inf = math.Inf(1)

func abs(v float64) float64 { return math.Abs(v) }

// homogenise states the programme whose solution y, divided by its sum, has
// the largest ratio w'e / sqrt(w'Sw) over the convex part of the set:
//
//	minimise 1/2 y'Sy  subject to  e'y = 1,  y / sum(y) in the set
//
// (Cornuejols & Tuetuncue 2007, "Optimization methods in finance", section
// 8.2). It has no feasible point when no w of the set has w'e > 0. For a set
// with a minimum weight it returns the row of each asset that is at least 0
// where the asset has that.
func (s *Solver) homogenise(set *simplex.Set, e []float64) (held []int) {
	n := set.N
	variables := n
	if set.Turnover != nil {
		variables += 2 * n // what is bought and sold, on the scale of y
	}
	s.lower, s.upper, s.c = resize(s.lower, variables), resize(s.upper, variables), resize(s.c, variables)
	clear(s.c)
	s.rows.reset(variables)
	copy(s.rows.add(1, 1), e)
	long := !slices.ContainsFunc(set.Lower, func(l float64) bool { return l < 0 })
	// row adds sign (x_j - limit sum(x)) >= 0 for one weight.
	row := func(j int, limit, lo, hi float64) {
		a := s.rows.add(lo, hi)
		for i := range n {
			a[i] = -limit
		}
		a[j]++
	}
	for j := range n {
		s.lower[j], s.upper[j] = -inf, inf
		lower, upper := bounds(set, j)
		if lower >= 0 {
			s.lower[j] = 0
		}
		if upper == 0 {
			s.upper[j] = 0
		}
		if set.MinWeight > 0 {
			held = append(held, len(s.rows.lo))
			lower = max(lower, set.MinWeight)
		}
		if lower != 0 {
			row(j, lower, 0, inf)
		}
		if upper != 0 && !(long && upper >= 1) && !math.IsInf(upper, 1) {
			row(j, upper, -inf, 0)
		}
	}
	group := func(share []float64, limit, lo, hi float64) {
		a := s.rows.add(lo, hi)
		for i := range n {
			a[i] = share[i] - limit
		}
	}
	for _, g := range set.Groups {
		if !math.IsInf(g.Lo, -1) && (g.Lo > 0 || !long) {
			group(g.Share, g.Lo, 0, inf)
		}
		if !math.IsInf(g.Hi, 1) && (g.Hi < 1 || !long) {
			group(g.Share, g.Hi, -inf, 0)
		}
	}
	if !long {
		a := s.rows.add(0, inf)
		for i := range n {
			a[i] = 1
		}
	}
	if set.Turnover != nil {
		s.homogeniseTurnover(set)
	}
	return held
}

// homogeniseTurnover adds y - bought + sold = sum(y) held, and that both together are
// at most sum(y) times the limit.
func (s *Solver) homogeniseTurnover(set *simplex.Set) {
	t, n := set.Turnover, set.N
	for j, h := range t.Held {
		bought, sold := n+j, 2*n+j
		a := s.rows.add(0, 0)
		for i := range n {
			a[i] = -h
		}
		a[j]++
		a[bought], a[sold] = -1, 1
		s.lower[bought], s.lower[sold] = 0, 0
		s.upper[bought], s.upper[sold] = inf, inf
	}
	a := s.rows.add(-inf, 0)
	for i := range a {
		if a[i] = 1; i < n {
			a[i] = t.Beside - t.Most
		}
	}
	for j, h := range t.Held {
		if 0 < h && h < set.MinWeight {
			a := s.rows.add(0, inf)
			for i := range n {
				a[i] = -h
			}
			s.tighten(j, h, set, a)
		}
	}
}

// ErrNoVariance says that a feasible portfolio without variance makes a ratio
// to the volatility as large as one likes.
var ErrNoVariance = errors.New(
	"a feasible portfolio has no variance, so the ratio has no bound: leave out assets that hardly move or that " +
		"cancel each other out, use a shrunk covariance, or forbid short positions")

// ratio maximises w'e / sqrt(w'Sw), with e scaled so that its largest entry is
// 1. It says whether there is a w with w'e > 0.
func (s *Solver) ratio(ctx context.Context, in *Inputs, e []float64) (positive bool, err error) {
	n := in.Set.N
	held := s.homogenise(&in.Set, e)
	s.pose(in.Cov)
	s.settings.Warm = false
	var r *qp.Result
	if in.combinatorial() {
		r, err = s.branch(ctx, in, true, held)
	} else {
		r, err = s.qp.Solve(ctx, &s.problem, s.settings)
	}
	if err != nil {
		return false, err
	}
	switch r.Status {
	case qp.Optimal:
	case qp.Infeasible:
		return false, nil
	default:
		return false, errStuck
	}
	var sum float64
	for _, v := range r.X[:n] {
		sum += v
	}
	if !(sum > 0) || sum > 1e13 {
		return false, nil
	}
	largest := 0.0
	for j := range n {
		largest = max(largest, in.Cov.At(j, j))
	}
	if 2*r.Objective <= 1e-13*largest*sum*sum {
		return false, ErrNoVariance
	}
	// The programme's objective is 1/(2 ratio^2).
	if gap := s.result.Gap; gap > 0 {
		s.result.Gap = math.Sqrt(0.5/max(r.Objective-gap, 0)) - math.Sqrt(0.5/r.Objective)
	}
	for j, v := range r.X[:n] {
		s.result.Weights[j] = v / sum
	}
	s.result.KKT = r.KKT
	s.result.Iterations += r.Iterations
	return true, nil
}

// maxSharpe maximises (w'm - rf)/sqrt(w'Sw).
func (s *Solver) maxSharpe(ctx context.Context, in *Inputs) error {
	s.work = resize(s.work, in.Set.N)
	largest := 0.0
	for j, v := range in.Mean {
		s.work[j] = v - in.RiskFree
		largest = max(largest, abs(s.work[j]))
	}
	if largest > 0 {
		for j := range s.work {
			s.work[j] /= largest
		}
		positive, err := s.ratio(ctx, in, s.work)
		if err != nil {
			return err
		}
		if positive {
			s.result.Gap *= largest
			return nil
		}
	}
	best, err := s.bestMean(ctx, in)
	if err != nil {
		return err
	}
	undefined := &NoExcessError{Best: best, RiskFree: in.RiskFree}
	if !in.MinVarianceFallback {
		return undefined
	}
	s.result.Notes = append(s.result.Notes, fmt.Sprintf(
		"no feasible mean exceeds the risk-free rate of %.6g a period (the largest is %.6g): these are the "+
			"minimum-variance weights", in.RiskFree, best))
	return s.quadratic(ctx, MinVariance,
		&Inputs{Set: in.Set, Cov: in.Cov, MaxNodes: in.MaxNodes, MaxAssets: in.MaxAssets})
}

// maxDiversification maximises w's/sqrt(w'Sw), s the volatilities (Choueifaty
// & Coignard 2008, "Toward maximum diversification").
func (s *Solver) maxDiversification(ctx context.Context, in *Inputs) error {
	s.work = resize(s.work, in.Set.N)
	largest := 0.0
	for j := range s.work {
		s.work[j] = math.Sqrt(in.Cov.At(j, j))
		largest = max(largest, s.work[j])
	}
	if largest == 0 {
		return fmt.Errorf("every asset's variance is zero: there is nothing to diversify")
	}
	for j := range s.work {
		s.work[j] /= largest
	}
	positive, err := s.ratio(ctx, in, s.work)
	if err != nil {
		return err
	}
	if !positive {
		return explain(&in.Set)
	}
	s.result.Gap *= largest
	return nil
}
