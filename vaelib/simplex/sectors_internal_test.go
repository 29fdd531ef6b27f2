package simplex

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/stream"
)

// randomSectors draws a set with sectors, which may be impossible. Some of them may
// be empty, and some assets in none.
func randomSectors(rng *rand.Rand) Set {
	n := 1 + rng.IntN(40)
	s := Set{N: n, Lower: make([]float64, n), Upper: make([]float64, n)}
	common, short := min(1, (1+4*rng.Float64())/float64(n)), 0.3*float64(rng.IntN(2))
	each := float64(rng.IntN(2))
	for i := range n {
		s.Upper[i] = common * (1 + each*(rng.Float64()-0.4))
		s.Lower[i] = -short * common * float64(rng.IntN(3))
		if rng.IntN(20) == 0 {
			s.Lower[i] = s.Upper[i]
		}
	}
	count := 1 + rng.IntN(8)
	for range count {
		g := Group{Share: make([]float64, n), Lo: math.Inf(-1), Hi: math.Inf(1)}
		kind := rng.IntN(5)
		if kind > 1 {
			g.Hi = 2 * rng.Float64() / float64(count)
		}
		switch kind {
		case 1, 2:
			g.Lo = min(g.Hi, rng.Float64()/float64(count))
		case 3:
			g.Lo = g.Hi
		}
		s.Groups = append(s.Groups, g)
	}
	outside := rng.IntN(3)
	for i := range n {
		if k := rng.IntN(count + outside); k < count {
			s.Groups[k].Share[i] = 1
		}
	}
	return s
}

// byProgramme is a projector onto a set that doesn't see that its groups are sectors.
func byProgramme(s Set) *Projector {
	p := newProjector(s)
	p.sectors, p.groups, p.active = nil, newGroups(s), newActive(s)
	return p
}

// The nearest point by sectors is that of the quadratic programme, and so is the derivative.
func TestSectorsAgreeWithTheProgramme(t *testing.T) {
	count, tested, atLimit := 2500, 0, 0
	if testing.Short() {
		count = 500
	}
	for k := range uint64(count) {
		rng := stream.New(21, "sectors", k)
		set := randomSectors(rng)
		p, err := NewProjector(set)
		if err != nil {
			continue
		}
		if p.sectors == nil {
			t.Fatalf("set %d: disjoint groups are no sectors", k)
		}
		v, scale := make([]float64, set.N), math.Pow(10, float64(rng.IntN(5)-3))
		for i := range v {
			v[i] = scale * (rng.NormFloat64() + float64(k%2))
			if rng.IntN(4) == 0 {
				v[i] = v[rng.IntN(i+1)]
			}
		}
		other := byProgramme(set)
		got, want := make([]float64, set.N), make([]float64, set.N)
		if _, err := p.Project(got, v); err != nil {
			t.Fatalf("set %d: %v", k, err)
		}
		if _, err := other.Project(want, v); err != nil {
			continue // sums so near to each other that the programme finds none
		}
		tested++
		if violation := set.Violation(got); violation > Tolerance || violation != p.violation(got) {
			t.Fatalf("set %d: violation %v, by sectors %v", k, violation, p.violation(got))
		}
		if d := floats.Distance(got, want, math.Inf(1)); d > 1e-12*max(1, scale) {
			t.Fatalf("set %d: off by %v", k, d)
		}
		for _, part := range p.sectors.parts {
			if part.atLimit() {
				atLimit++
			}
		}
		p.VJP(want, v) // any gradient will do
		dense := newActive(set)
		dense.find(got, p.lower, p.upper)
		copy(got, v)
		dense.tangent(got)
		if d := floats.Distance(got, want, math.Inf(1)); d > 1e-12*max(1, 10*scale) {
			t.Fatalf("set %d: the derivative is off by %v", k, d)
		}
	}
	if tested < count/3 || atLimit < tested {
		t.Errorf("only %d of %d sets, %d sectors at a limit", tested, count, atLimit)
	}
}

// Of inputs of any size the nearest member is found: far away it is one with the
// largest product with the input.
func TestSectorsFarInputs(t *testing.T) {
	tested := 0
	for k := range uint64(600) {
		rng := stream.New(22, "far sectors", k)
		set := randomSectors(rng)
		p, err := NewProjector(set)
		if err != nil {
			continue
		}
		scale := math.Pow(10, 15+285*rng.Float64())
		v, w, costs := make([]float64, set.N), make([]float64, set.N), make([]float64, set.N)
		for i := range v {
			costs[i] = -rng.NormFloat64()
			v[i] = -scale * costs[i]
		}
		if _, err := p.Project(w, v); err != nil {
			t.Fatalf("set %d: %v", k, err)
		}
		problem := set.rows()
		problem.C, problem.Lower, problem.Upper = costs, set.Lower, set.Upper
		best, err := qp.Solve(context.Background(), problem, qp.Settings{})
		if err != nil || best.Status != qp.Optimal {
			continue
		}
		tested++
		if violation := set.Violation(w); violation > Tolerance {
			t.Fatalf("set %d: violation %v", k, violation)
		}
		if got := floats.Dot(costs, w); got > best.Objective+1e-11 {
			t.Fatalf("set %d, of size %.0e: %v, and %v is possible", k, scale, got, best.Objective)
		}
	}
	if tested < 200 {
		t.Errorf("only %d sets", tested)
	}
}
