package simplex

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// Projector finds the nearest weight vector of a set. It keeps scratch memory
// and the last projection: use one per goroutine, made by [Projector.Clone].
type Projector struct {
	set          Set
	lower, upper []float64 // of the set, N

	// One of these does the work.
	box       *box
	holdings  *holdings
	sectors   *sectors
	groups    *groups
	branching *branching
	trades    *trades

	input    []float64 // N: the last v
	least    []float64 // N bounds that held in the last projection
	most     []float64
	active   face // what held with equality in it
	gap      float64
	hasInput bool
}

// face is the active set of a projection.
type face interface {
	// find determines it at w, given the bounds in force.
	find(w, lower, upper []float64)
	// restore puts w between the bounds, takes rounding errors out of its sums, and determines it.
	restore(w, lower, upper []float64)
	// tangent takes out of g what would leave it.
	tangent(g []float64)
}

// NewProjector prepares projections onto a set, after [Set.Check]. The set is
// copied.
func NewProjector(s Set) (*Projector, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return newProjector(s.clone()), nil
}

func newProjector(s Set) *Projector {
	p := &Projector{set: s, input: make([]float64, s.N), least: make([]float64, s.N), most: make([]float64, s.N),
		active: newActive(s)}
	p.lower, p.upper = s.bounds()
	switch {
	case s.Turnover != nil && s.MinWeight == 0:
		p.trades = newTrades(s)
	case s.MinWeight == 0 && len(s.Groups) == 0:
		p.box = newBox(s.N, max(-floats.Min(p.lower), floats.Max(p.upper), 0))
	case s.MinWeight == 0:
		if p.sectors = newSectors(s); p.sectors != nil {
			p.active = p.sectors
		} else {
			p.groups = newGroups(s)
		}
	case len(s.Groups) == 0 && s.Turnover == nil && allEqual(p.upper) && floats.Max(p.lower) == 0:
		p.holdings = newHoldings(s.N, s.MinWeight, p.upper[0])
	default:
		p.branching = newBranching(s)
	}
	return p
}

// Clone returns a projector onto the same set with memory of its own.
func (p *Projector) Clone() *Projector { return newProjector(p.set) }

// Set returns the set. Its slices are the projector's own: don't change them.
func (p *Projector) Set() Set { return p.set }

// Project writes the point of the set that is nearest to v into dst and returns
// its Euclidean distance. Both have length N; dst may be v. A member of the set
// comes back as it is, so that projecting twice changes nothing.
//
// With bounds alone, with a limit on turnover or sectors that share no asset besides, or with
// a minimum holding and bounds that all assets share, the result is exact up to rounding for
// finite input of any size and nothing is allocated. Among equal inputs those of lower index
// are held first. Other sets go through quadratic programmes: the result is a member as
// exactly, and the nearest one up to about 1e-15 times the spread of v.
//
// It returns an error for NaN or infinite input, and where a minimum holding
// needs a search that finds nothing within its limit of nodes.
func (p *Projector) Project(dst, v []float64) (distance float64, err error) {
	n := p.set.N
	if len(dst) != n || len(v) != n {
		panic("simplex: vector has the wrong length")
	}
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return 0, fmt.Errorf("%s has the weight %v: only finite numbers have a nearest portfolio",
				p.set.symbol(i), x)
		}
	}
	copy(p.input, v)
	copy(dst, v)
	p.hasInput, p.gap = true, 0
	p.least, p.most = append(p.least[:0], p.lower...), append(p.most[:0], p.upper...)
	if p.within(dst) {
		p.hold(dst)
		p.active.find(dst, p.least, p.most)
		return 0, nil
	}
	if err := p.solve(dst); err != nil {
		p.hasInput = false
		return 0, err
	}
	p.hold(dst)
	p.active.restore(dst, p.least, p.most)
	if violation := p.violation(dst); violation > Tolerance {
		p.hasInput = false
		return 0, fmt.Errorf("the nearest portfolio could only be found to %.1e: bring the weights to the order of 1",
			violation)
	}
	return floats.Distance(dst, p.input, 2), nil
}

// within says whether w is a member of the set that keeps its bounds exactly.
func (p *Projector) within(w []float64) bool {
	for i, x := range w {
		if x < p.lower[i] || x > p.upper[i] || 0 < x && x < p.set.MinWeight {
			return false
		}
	}
	return p.violation(w) <= Tolerance
}

// violation is that of the set; of sectors it looks at each weight once.
func (p *Projector) violation(w []float64) float64 {
	if p.sectors == nil {
		return p.set.Violation(w)
	}
	return max(p.set.withoutGroups(w), p.sectors.violation(w))
}

// solve replaces the input in dst by its projection, up to rounding.
func (p *Projector) solve(dst []float64) error {
	switch {
	case p.box != nil:
		p.box.project(dst, p.input, p.lower, p.upper)
	case p.holdings != nil:
		p.holdings.project(dst, p.input)
	case p.sectors != nil:
		p.sectors.project(dst, p.input)
	case p.groups != nil:
		return p.groups.project(dst, p.input, p.lower, p.upper)
	case p.trades != nil:
		return p.trades.project(dst, p.input)
	default:
		outcome, err := p.branching.search(dst, p.input, false)
		if err != nil {
			return err
		}
		p.gap = outcome.gap
	}
	return nil
}

// hold narrows the bounds in force to the choices that w has made.
func (p *Projector) hold(w []float64) {
	if p.set.MinWeight > 0 {
		p.choose(w)
	}
	if p.set.Turnover != nil {
		p.set.Turnover.narrow(w, p.least, p.most)
	}
}

// choose narrows them to the choice of holdings.
func (p *Projector) choose(w []float64) {
	for i, x := range w {
		if x == 0 {
			p.least[i], p.most[i] = 0, 0
		} else {
			p.least[i] = max(p.least[i], p.set.MinWeight)
		}
	}
}

// Gap returns by how much the last distance can exceed the smallest possible
// one: 0 where the projection is proven, which it always is unless the search
// among holdings was cut off at its limit of nodes.
func (p *Projector) Gap() float64 { return p.gap }

// VJP multiplies g (length N) by the transposed Jacobian of the last
// projection, into dst, which may be g. Near the last input the projection is
// an affine map: the orthogonal projection onto the directions that keep the
// active constraints, so that the Jacobian is symmetric. Where the active set
// is about to change it is the Jacobian of one side; the choice of holdings is
// taken as fixed. It panics when there was no successful projection before.
func (p *Projector) VJP(dst, g []float64) {
	if !p.hasInput {
		panic("simplex: VJP without a projection before it")
	}
	if len(dst) != p.set.N || len(g) != p.set.N {
		panic("simplex: vector has the wrong length")
	}
	copy(dst, g)
	p.active.tangent(dst)
}
