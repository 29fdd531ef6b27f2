package simplex

import (
	"fmt"
	"math"
	"slices"
)

// Set is a set of weight vectors w of length N: sum w = 1, bounds for each
// weight, limits for groups of them, a limit on what is traded to get there and, where
// MinWeight is positive, holdings that are nothing or at least MinWeight.
type Set struct {
	N            int
	Lower, Upper []float64 // N bounds, at most [MaxBound] in size; nil: 0 and 1
	// MinWeight makes each weight either 0 or at least MinWeight; 0 means no
	// such rule. Where it is positive no bound in Lower may be negative, and a
	// positive one makes the asset a holding that can't be left out.
	MinWeight float64
	Groups    []Group
	Turnover  *Turnover // nil: any
	Symbols   []string  // N names for errors; nil: asset 0, asset 1, ...
}

// Group limits a sum over some of the weights: Lo <= Share.w <= Hi. An
// infinite limit is none.
type Group struct {
	Name   string
	Share  []float64 // N, each 0 or in [MinShare, 1]: how much of the asset belongs to the group
	Lo, Hi float64
}

// MaxBound is the largest size of a bound: weights of more than ten times the
// capital are taken for a mistake, and sums of larger ones could not be kept
// to [Tolerance].
const MaxBound = 10

// MinShare is the smallest membership in a group. Limits on sums of smaller
// ones would be met or broken by differences that no weight can express to
// [Tolerance].
const MinShare = 1e-6

// Tolerance is the violation up to which a weight vector counts as a member of
// its set.
const Tolerance = 1e-12

// slack is by how much limits may contradict each other and still pass as
// rounding, as three caps of 0.3333333333333 do.
const slack = Tolerance / 2

// Choose returns the set for some of the assets alone, in the order of columns:
// their bounds, the groups that have any of them or a lower limit, and the limit on
// turnover, to which it counts that the other assets are sold.
func (s Set) Choose(columns []int) Set {
	chosen := Set{N: len(columns), MinWeight: s.MinWeight, Turnover: s.Turnover.choose(columns)}
	pick := func(from []float64) (to []float64) {
		for _, j := range columns {
			to = append(to, from[j])
		}
		return to
	}
	if s.Lower != nil {
		chosen.Lower = pick(s.Lower)
	}
	if s.Upper != nil {
		chosen.Upper = pick(s.Upper)
	}
	for _, j := range columns {
		if s.Symbols != nil {
			chosen.Symbols = append(chosen.Symbols, s.Symbols[j])
		}
	}
	for _, g := range s.Groups {
		share := pick(g.Share)
		if g.Lo > 0 || slices.ContainsFunc(share, func(x float64) bool { return x > 0 }) {
			chosen.Groups = append(chosen.Groups, Group{Name: g.Name, Share: share, Lo: g.Lo, Hi: g.Hi})
		}
	}
	return chosen
}

// bounds are the effective limits of each weight, ignoring that a weight may be
// zero under MinWeight.
func (s Set) bounds() (lower, upper []float64) {
	lower, upper = make([]float64, s.N), make([]float64, s.N)
	copy(lower, s.Lower)
	copy(upper, s.Upper)
	if s.Upper == nil {
		for i := range upper {
			upper[i] = 1
		}
	}
	return lower, upper
}

// bound is one entry of bounds.
func (s Set) bound(i int) (lower, upper float64) {
	upper = 1
	if s.Lower != nil {
		lower = s.Lower[i]
	}
	if s.Upper != nil {
		upper = s.Upper[i]
	}
	return lower, upper
}

// Convex returns the set without its minimum holding: every weight from zero,
// or its lower bound, to its upper bound. It contains the set.
func (s Set) Convex() Set {
	s.MinWeight = 0
	return s
}

// Violation returns by how much w (length N) misses the set: the largest of
// |sum w - 1|, added up in index order, the excess over a bound, the excess
// over a group's limit or that on turnover, and the distance from 0 or [MinWeight, upper
// bound]. It is 0 for a member, and infinite where w holds NaN.
func (s Set) Violation(w []float64) float64 {
	if len(w) != s.N {
		panic("simplex: weights have the wrong length")
	}
	worst := s.withoutGroups(w)
	if math.IsInf(worst, 1) {
		return worst
	}
	for _, g := range s.Groups {
		share := dot(g.Share, w)
		worst = max(worst, g.Lo-share, share-g.Hi)
	}
	if s.Turnover != nil {
		worst = max(worst, s.Turnover.Of(w)-s.Turnover.Most)
	}
	return worst
}

// withoutGroups is the violation without groups and turnover.
func (s Set) withoutGroups(w []float64) float64 {
	var worst, sum float64
	for i, x := range w {
		lower, upper := s.bound(i)
		if below := lower - x; below > worst {
			worst = below
		}
		if above := x - upper; above > worst {
			worst = above
		}
		if s.MinWeight > 0 && x < s.MinWeight {
			worst = max(worst, min(math.Abs(x), s.MinWeight-x))
		}
		sum += x
	}
	if math.IsNaN(sum) {
		return math.Inf(1)
	}
	return max(worst, math.Abs(sum-1))
}

// dot adds up in index order.
func dot(a, b []float64) float64 {
	var sum float64
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// symbol names asset i in an error.
func (s Set) symbol(i int) string {
	if i < len(s.Symbols) {
		return s.Symbols[i]
	}
	return fmt.Sprintf("asset %d", i)
}

// clone copies the set, so that the caller's slices may change.
func (s Set) clone() Set {
	s.Lower, s.Upper = slices.Clone(s.Lower), slices.Clone(s.Upper)
	s.Symbols = slices.Clone(s.Symbols)
	s.Groups = slices.Clone(s.Groups)
	for k := range s.Groups {
		s.Groups[k].Share = slices.Clone(s.Groups[k].Share)
	}
	if s.Turnover != nil {
		own := *s.Turnover
		own.Held = slices.Clone(own.Held)
		s.Turnover = &own
	}
	return s
}
