package optimize

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
)

// branches says whether an objective's programmes are solved by branch and bound where it
// is to be decided which assets are held.
func (o Objective) branches() bool {
	return slices.Contains([]Objective{MinVariance, MeanVariance, MinTrackingError, MaxSharpe, MaxDiversification}, o)
}

// prepare looks whether so few assets can be held, and finds a support for branch and bound
// to begin with.
func (s *Solver) prepare(ctx context.Context, objective Objective, in *Inputs) error {
	s.start = nil
	switch {
	case in.MaxAssets < 0:
		return fmt.Errorf("at most %d assets: give a number from 1 on, or 0 for any", in.MaxAssets)
	case in.MaxAssets == 0:
		return nil
	case !objective.branches():
		return &UnsupportedError{objective, "takes no limit on the number of assets: drop it, or use min-variance, " +
			"mean-variance, min-tracking-error, max-sharpe or max-diversification"}
	case !in.combinatorial():
		return nil
	}
	if err := in.Set.Check(); err != nil {
		return err
	}
	fewest, proven, err := s.fewest(ctx, in)
	if err == nil && proven && fewest > in.MaxAssets {
		err = tooFew(in, fewest)
	}
	return err
}

// fewest is how few assets a portfolio of the set may hold, or any number that is few enough,
// and whether that is sure; it leaves such a portfolio's support for branch and bound to begin
// with.
func (s *Solver) fewest(ctx context.Context, in *Inputs) (count int, proven bool, err error) {
	s.begin(&in.Set, 0)
	s.pose(nil)
	any := *in
	any.MaxAssets = 0
	p, err := newSearch(&any, &s.problem, false, nil)
	if err != nil {
		return 0, false, err
	}
	p.p.fee, p.enough = 1, float64(in.MaxAssets)
	if err := p.search(ctx, nil); err != nil {
		return 0, false, err
	}
	if p.best.Status != qp.Optimal {
		if len(p.open) > 0 {
			return 0, false, nil // nobody knows
		}
		return 0, false, explain(&in.Set)
	}
	s.start = make([]bool, in.Set.N)
	for j, x := range p.best.X[:in.Set.N] {
		lower, _ := bounds(&in.Set, j)
		if s.start[j] = x > nothing || lower > 0; s.start[j] {
			count++
		}
	}
	return count, len(p.open) == 0, nil
}

// tooFew says what takes more assets than may be held.
func tooFew(in *Inputs, fewest int) error {
	set, n := &in.Set, in.MaxAssets
	var parts []string
	var uppers []float64
	must := 0
	for j := range set.N {
		lower, upper := bounds(set, j)
		if uppers = append(uppers, upper); lower > 0 {
			must++
		}
	}
	slices.SortFunc(uppers, func(a, b float64) int { return cmp.Compare(b, a) })
	reach := 0.0
	for _, u := range uppers[:n] {
		reach += u
	}
	switch {
	case reach < 1-1e-12:
		parts = append(parts, fmt.Sprintf("the largest weights of %d reach %.6g, below 1", n, reach))
	case must > n:
		parts = append(parts, fmt.Sprintf("%d have a least weight above 0", must))
	}
	for _, g := range set.Groups {
		if k := needed(set, g); k > 0 {
			parts = append(parts, fmt.Sprintf("%s >= %v takes %d", g.Name, g.Lo, k))
		}
	}
	if set.Turnover != nil {
		parts = append(parts, fmt.Sprintf("the turnover is %v at most", set.Turnover.Most))
	}
	text := ""
	if len(parts) > 0 {
		text = " (" + strings.Join(parts, ", ") + ")"
	}
	return &simplex.InfeasibleError{Reason: fmt.Sprintf("at most %d assets are to be held, and the other constraints "+
		"take %d%s: allow %d, or loosen the others", n, fewest, text, fewest)}
}

// needed is how many assets a group's least sum takes by itself.
func needed(set *simplex.Set, g simplex.Group) (count int) {
	if !(g.Lo > 0) {
		return 0
	}
	most := make([]float64, set.N)
	for j, share := range g.Share {
		_, upper := bounds(set, j)
		most[j] = share * upper
	}
	slices.SortFunc(most, func(a, b float64) int { return cmp.Compare(b, a) })
	for sum := 0.0; sum < g.Lo-1e-12 && count < set.N; count++ {
		sum += most[count]
	}
	return count
}

// settleSupport brings weights that branch and bound chose into the set exactly: the assets
// that they hold are held, and the others are not.
func (s *Solver) settleSupport(in *Inputs) error {
	w, chosen := s.result.Weights, in.Set
	chosen.MinWeight, chosen.Lower, chosen.Upper = 0, make([]float64, chosen.N), make([]float64, chosen.N)
	for j, x := range w {
		lower, upper := bounds(&in.Set, j)
		if x > nothing || lower > 0 {
			chosen.Lower[j], chosen.Upper[j] = max(lower, in.Set.MinWeight), upper
		}
	}
	p, err := simplex.NewProjector(chosen)
	if err != nil {
		return err
	}
	distance, err := p.Project(w, w)
	if err == nil && distance > math.Sqrt(simplex.Tolerance) {
		err = errStuck
	}
	return err
}
