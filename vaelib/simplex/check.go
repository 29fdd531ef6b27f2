package simplex

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/qp"
)

// InfeasibleError says why a set holds no weight vector, or is not a set at
// all.
type InfeasibleError struct {
	Reason string // with names and numbers, and what to change
	Assets []int  // whose bounds take part, where it is about some of them
	Groups []int  // likewise
}

// Error returns one line.
func (e *InfeasibleError) Error() string { return "impossible constraints: " + e.Reason }

func infeasible(format string, args ...any) *InfeasibleError {
	return &InfeasibleError{Reason: fmt.Sprintf(format, args...)}
}

// Check returns nil where the set holds a weight vector, and else an
// [*InfeasibleError] that says which constraints exclude each other. A
// combination of groups or a limit on turnover with a minimum holding whose search goes beyond its
// limit of nodes is an error of another kind.
func (s Set) Check() error {
	for _, check := range []func() *InfeasibleError{s.checkShape, s.checkBounds, s.checkBudget, s.checkHoldings,
		s.checkGroups} {
		if err := check(); err != nil {
			return err
		}
	}
	var err error
	switch {
	case len(s.Groups) == 0:
	case s.MinWeight > 0:
		err = s.checkSearch()
	default:
		err = s.checkJointly()
	}
	if err != nil {
		return err
	}
	return s.checkTurnover()
}

func (s Set) checkShape() *InfeasibleError {
	if s.N < 1 {
		return infeasible("%d assets: at least 1 is needed", s.N)
	}
	for _, part := range []struct {
		name   string
		length int
		absent bool
	}{
		{"lower bounds", len(s.Lower), s.Lower == nil},
		{"upper bounds", len(s.Upper), s.Upper == nil},
		{"symbols", len(s.Symbols), s.Symbols == nil},
	} {
		if !part.absent && part.length != s.N {
			return infeasible("%d %s for %d assets", part.length, part.name, s.N)
		}
	}
	if s.Turnover != nil && len(s.Turnover.Held) != s.N {
		return infeasible("%d weights held for %d assets", len(s.Turnover.Held), s.N)
	}
	for k, g := range s.Groups {
		if len(g.Share) != s.N {
			return &InfeasibleError{Groups: []int{k}, Reason: fmt.Sprintf("group %s has %d shares for %d assets",
				g.Name, len(g.Share), s.N)}
		}
	}
	return nil
}

func (s Set) checkBounds() *InfeasibleError {
	if !(s.MinWeight >= 0 && s.MinWeight <= 1) {
		return infeasible("minimum weight %v: it is a number from 0 to 1", s.MinWeight)
	}
	for i := range s.N {
		lower, upper := s.bound(i)
		about := func(format string, args ...any) *InfeasibleError {
			return &InfeasibleError{Assets: []int{i}, Reason: fmt.Sprintf(format, args...)}
		}
		switch {
		case !(math.Abs(lower) <= MaxBound):
			return about("lower bound %v of %s: it is a number from %d to %d", lower, s.symbol(i), -MaxBound, MaxBound)
		case !(math.Abs(upper) <= MaxBound):
			return about("upper bound %v of %s: it is a number from %d to %d", upper, s.symbol(i), -MaxBound, MaxBound)
		case lower > upper:
			return about("%s is to be at least %v and at most %v", s.symbol(i), lower, upper)
		case s.MinWeight > 0 && lower < 0:
			return about("lower bound %v of %s with the minimum weight %v: a minimum weight excludes short positions",
				lower, s.symbol(i), s.MinWeight)
		case s.MinWeight > 0 && lower > 0 && upper < s.MinWeight:
			return about("%s is to be at least %v and at most %v, below the minimum weight %v",
				s.symbol(i), lower, upper, s.MinWeight)
		}
	}
	return nil
}

// checkBudget looks at the bounds' sums.
func (s Set) checkBudget() *InfeasibleError {
	lower, upper := s.bounds()
	if sum := inorder.Sum(upper); sum < 1-slack {
		if allEqual(upper) {
			return infeasible("%d weights of at most %v reach %.6g, below 1: allow at least %.6g each",
				s.N, upper[0], sum, math.Ceil(1e6/float64(s.N))/1e6)
		}
		return infeasible("the upper bounds of %d assets sum to %.6g, below 1: raise some of them", s.N, sum)
	}
	if sum := inorder.Sum(lower); sum > 1+slack {
		if allEqual(lower) {
			return infeasible("%d weights of at least %v need %.6g, above 1: ask for at most %.6g each",
				s.N, lower[0], sum, math.Floor(1e6/float64(s.N))/1e6)
		}
		most := slices.Index(lower, slices.Max(lower))
		return infeasible("the lower bounds of %d assets sum to %.6g, above 1: lower some of them, such as %v of %s",
			s.N, sum, lower[most], s.symbol(most))
	}
	return nil
}

// checkHoldings looks for a number of holdings that can sum to 1. It is exact
// for any bounds: with k holdings beside those that can't be left out, the
// largest sum is reached by the k largest upper bounds, the smallest by any k.
func (s Set) checkHoldings() *InfeasibleError {
	if s.MinWeight == 0 {
		return nil
	}
	var least, most float64
	var optional []float64 // upper bounds
	for i := range s.N {
		switch lower, upper := s.bound(i); {
		case lower > 0:
			least += max(lower, s.MinWeight)
			most += upper
		case upper >= s.MinWeight:
			optional = append(optional, upper)
		}
	}
	slices.SortFunc(optional, func(a, b float64) int { return cmp.Compare(b, a) })
	for k := 0; k <= len(optional); k++ {
		if least <= 1+slack && most >= 1-slack {
			return nil
		}
		if k < len(optional) {
			least += s.MinWeight
			most += optional[k]
		}
	}
	_, upper := s.bounds()
	switch {
	case slices.Max(upper) < s.MinWeight:
		return infeasible("the minimum weight %v is above every upper bound: lower it to %v at most",
			s.MinWeight, slices.Max(upper))
	case len(optional) == s.N && allEqual(upper):
		k := int(1 / upper[0])
		return infeasible(
			"no number of holdings between %v and %v sums to 1: %d of them reach %.6g at most, %d need %.6g at "+
				"least: lower the minimum weight to %.6g",
			s.MinWeight, upper[0], k, float64(k)*upper[0], k+1, float64(k+1)*s.MinWeight,
			math.Floor(1e6/float64(k+1))/1e6)
	}
	return infeasible("no choice of holdings of at least %v within the bounds sums to 1: lower the minimum weight or "+
		"widen the bounds", s.MinWeight)
}

// checkGroups looks at the groups one by one.
func (s Set) checkGroups() *InfeasibleError {
	for k, g := range s.Groups {
		about := func(format string, args ...any) *InfeasibleError {
			return &InfeasibleError{Groups: []int{k}, Reason: "group " + g.Name + " " + fmt.Sprintf(format, args...)}
		}
		var least, most float64
		for i, share := range g.Share {
			if !(share >= 0 && share <= 1) {
				return about("has the share %v of %s: it is a number from 0 to 1", share, s.symbol(i))
			}
			if share > 0 && share < MinShare {
				return about("has the share %v of %s: below %v write 0", share, s.symbol(i), MinShare)
			}
			lower, upper := s.bound(i)
			if s.MinWeight > 0 && upper < s.MinWeight {
				upper = 0
			}
			if s.MinWeight > 0 && lower > 0 {
				lower = max(lower, s.MinWeight)
			}
			least += share * lower
			most += share * upper
		}
		switch {
		case math.IsNaN(g.Lo) || math.IsNaN(g.Hi) || math.IsInf(g.Lo, 1) || math.IsInf(g.Hi, -1):
			return about("has the limits %v and %v", g.Lo, g.Hi)
		case g.Lo > g.Hi:
			return about("is to be at least %v and at most %v", g.Lo, g.Hi)
		case least > g.Hi+slack:
			return about("is to be at most %v, but its assets' lower bounds need %.6g", g.Hi, least)
		case most < g.Lo-slack:
			return about("is to be at least %v, but its assets' upper bounds allow %.6g", g.Lo, most)
		}
	}
	return nil
}

// checkJointly looks at all constraints together, as a linear programme whose
// certificate names those in conflict.
func (s Set) checkJointly() error {
	problem := s.rows()
	problem.Lower, problem.Upper = s.bounds()
	problem.C = make([]float64, s.N)
	for i := range problem.Lo { // rounding is no conflict
		problem.Lo[i] -= slack
		problem.Hi[i] += slack
	}
	result, err := qp.Solve(context.Background(), problem, qp.Settings{})
	if err != nil {
		return err
	}
	if result.Status != qp.Infeasible {
		return nil
	}
	rows, assets := result.Certificate.Conflict()
	conflict := &InfeasibleError{Assets: assets}
	var names []string
	for _, r := range rows {
		if r == 0 {
			continue // the budget
		}
		k := r - 1
		conflict.Groups = append(conflict.Groups, k)
		if result.Certificate.Rows[r] > 0 {
			names = append(names, fmt.Sprintf("%s >= %v", s.Groups[k].Name, s.Groups[k].Lo))
		} else {
			names = append(names, fmt.Sprintf("%s <= %v", s.Groups[k].Name, s.Groups[k].Hi))
		}
	}
	if len(assets) > 0 {
		names = append(names, "the bounds of "+s.someSymbols(assets))
	}
	conflict.Reason = fmt.Sprintf("the weights can't sum to 1 with %s: relax one of them", strings.Join(names, " and "))
	return conflict
}

// checkSearch looks for any choice of holdings that meets the groups.
func (s Set) checkSearch() error {
	convex := s.Convex()
	if err := convex.checkJointly(); err != nil {
		return err
	}
	s.Turnover = nil // it has a check of its own
	outcome, err := newBranching(s).search(make([]float64, s.N), make([]float64, s.N), true)
	if err != nil {
		return err
	}
	if outcome.found {
		return nil
	}
	names := make([]string, len(s.Groups))
	for k, g := range s.Groups {
		names[k] = g.Name
	}
	return &InfeasibleError{
		Groups: seq(len(names)),
		Reason: fmt.Sprintf(
			"no choice of holdings of at least %v within the limits of %s sums to 1: lower the minimum weight or "+
				"widen the limits",
			s.MinWeight, strings.Join(names, ", ")),
	}
}

// rows are the budget and the groups.
func (s Set) rows() *qp.Problem {
	m := 1 + len(s.Groups)
	p := &qp.Problem{A: mat.NewDense(m, s.N, nil), Lo: make([]float64, m), Hi: make([]float64, m)}
	for i := range s.N {
		p.A.Set(0, i, 1)
	}
	p.Lo[0], p.Hi[0] = 1, 1
	for k, g := range s.Groups {
		p.A.SetRow(k+1, g.Share)
		p.Lo[k+1], p.Hi[k+1] = g.Lo, g.Hi
	}
	return p
}

// someSymbols lists a few assets.
func (s Set) someSymbols(assets []int) string {
	const most = 5
	var names []string
	for _, i := range assets[:min(most, len(assets))] {
		names = append(names, s.symbol(i))
	}
	if more := len(assets) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	return strings.Join(names, ", ")
}

func allEqual(v []float64) bool {
	for _, x := range v {
		if x != v[0] {
			return false
		}
	}
	return true
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
