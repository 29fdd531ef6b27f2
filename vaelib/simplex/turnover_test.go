package simplex_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// randomTurnover draws a limit on turnover for a set, from next to nothing to more than
// any portfolio's, from holdings with cash and short positions among them.
func randomTurnover(rng *rand.Rand, n int) *simplex.Turnover {
	t := &simplex.Turnover{Held: make([]float64, n)}
	var sum float64
	for i := range t.Held {
		if rng.IntN(3) > 0 {
			t.Held[i] = rng.ExpFloat64()
		}
		if rng.IntN(20) == 0 {
			t.Held[i] = -0.3 * t.Held[i]
		}
		sum += math.Abs(t.Held[i])
	}
	if sum > 0 {
		floats.Scale(1/sum, t.Held)
	}
	if rng.IntN(3) == 0 {
		floats.Scale(rng.Float64(), t.Held)
	}
	if rng.IntN(4) == 0 {
		t.Beside = 0.2 * rng.Float64()
	}
	t.Most = t.Beside + 2.2*rng.Float64()*rng.Float64()
	return t
}

// nearestTraded is the nearest point of a convex set, by a quadratic programme in weights
// and the sizes of their changes: d >= w - held, d >= held - w, sum d <= most.
func nearestTraded(t *testing.T, set simplex.Set, v []float64) (w []float64, feasible bool) {
	t.Helper()
	n, groups := set.N, len(set.Groups)
	p := &qp.Problem{H: mat.NewSymDense(2*n, nil), C: make([]float64, 2*n), A: mat.NewDense(2+groups+2*n, 2*n, nil)}
	limit := func(lo, hi float64) { p.Lo, p.Hi = append(p.Lo, lo), append(p.Hi, hi) }
	for i := range n {
		p.H.SetSym(i, i, 1)
		p.C[i] = -v[i]
		lower, upper := 0.0, 1.0
		if set.Lower != nil {
			lower = set.Lower[i]
		}
		if set.Upper != nil {
			upper = set.Upper[i]
		}
		p.Lower, p.Upper = append(p.Lower, lower), append(p.Upper, upper)
		p.A.Set(0, i, 1)
		p.A.Set(1, n+i, 1)
	}
	limit(1, 1)
	limit(0, set.Turnover.Most-set.Turnover.Beside)
	for k, g := range set.Groups {
		for i, share := range g.Share {
			p.A.Set(2+k, i, share)
		}
		limit(g.Lo, g.Hi)
	}
	for i, h := range set.Turnover.Held {
		row := 2 + groups + 2*i
		p.A.Set(row, n+i, 1)
		p.A.Set(row, i, -1)
		limit(-h, math.Inf(1))
		p.A.Set(row+1, n+i, 1)
		p.A.Set(row+1, i, 1)
		limit(h, math.Inf(1))
		p.Lower, p.Upper = append(p.Lower, 0), append(p.Upper, math.Inf(1))
	}
	r, err := qp.Solve(context.Background(), p, qp.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return r.X[:n:n], r.Status == qp.Optimal
}

// The projection is the nearest point as another programme finds it, a member to 1e-12,
// and stays where it is; an empty set is told as such.
func TestTurnover(t *testing.T) {
	feasible, bound, empty := 0, 0, 0
	for k := range 1500 {
		rng := stream.New(21, "turnover", uint64(k))
		set := randomSet(rng)
		set.MinWeight, set.Turnover = 0, nil
		if set.N > 12 || set.Check() != nil {
			continue
		}
		free, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		set.Turnover = randomTurnover(rng, set.N)
		v := randomInput(rng, set.N, false)
		want, possible := nearestTraded(t, set, v)
		p, err := simplex.NewProjector(set)
		if err != nil {
			if possible && !strings.Contains(err.Error(), "turnover") || possible && leeway(t, set) > 1e-9 {
				t.Fatalf("set %d: %v, and %v is in it", k, err, want)
			}
			empty++
			continue
		}
		if !possible {
			t.Fatalf("set %d: passes, and holds nothing", k)
		}
		feasible++
		got, other := make([]float64, set.N), make([]float64, set.N)
		distance, err := p.Project(got, v)
		if err != nil {
			t.Fatalf("set %d: %v", k, err)
		}
		if violation := set.Violation(roundTrip(t, got)); violation > 1e-12 {
			t.Fatalf("set %d: violation %v", k, violation)
		}
		if d := floats.Distance(got, want, math.Inf(1)); d > 1e-9*max(1, floats.Norm(v, math.Inf(1))) {
			t.Fatalf("set %d: %v, %v away from %v (%+v, %+v)", k, got, d, want, set, set.Turnover)
		}
		if further := distance - floats.Distance(want, v, 2); further > 1e-12*max(1, distance) {
			t.Fatalf("set %d: %v farther than it could be", k, further)
		}
		again := append([]float64(nil), got...)
		if d, err := p.Project(again, again); err != nil || d != 0 || !floats.Equal(again, got) {
			t.Fatalf("set %d: projecting twice moves by %v, %v", k, d, err)
		}
		if _, err := free.Project(other, v); err != nil {
			t.Fatal(err)
		}
		if set.Turnover.Of(other) > set.Turnover.Most {
			bound++
		} else if !floats.Equal(other, got) {
			t.Fatalf("set %d: a limit that does not bind moves the answer", k)
		}
	}
	if feasible < 500 || bound < 300 || empty < 200 {
		t.Errorf("%d sets, %d of which bound, and %d empty ones", feasible, bound, empty)
	}
}

// Whatever is held and allowed, the answer is a member and no other one is nearer.
func FuzzTurnover(f *testing.F) {
	f.Add(uint64(1), 0.3)
	f.Add(uint64(7), 0.0)
	f.Add(uint64(12), 2.0)
	f.Fuzz(func(t *testing.T, seed uint64, most float64) {
		rng := stream.New(seed, "fuzz", 0)
		set := randomSet(rng)
		set.MinWeight = 0
		set.Turnover = randomTurnover(rng, set.N)
		set.Turnover.Most = most
		p, err := simplex.NewProjector(set)
		if err != nil || set.N > 12 {
			return
		}
		w, v, other := make([]float64, set.N), randomInput(rng, set.N, false), randomInput(rng, set.N, false)
		distance, err := p.Project(w, v)
		if err != nil || set.Violation(w) > simplex.Tolerance {
			t.Fatalf("violation %v, %v", set.Violation(w), err)
		}
		if _, err := p.Project(other, other); err != nil {
			t.Fatal(err)
		}
		if d := floats.Distance(other, v, 2); d < distance-1e-9*max(1, distance) {
			t.Fatalf("another member lies at %v, this one at %v", d, distance)
		}
	})
}

// leeway is by how much more may be traded than it takes.
func leeway(t *testing.T, set simplex.Set) float64 {
	for _, spare := range []float64{0, 1e-9, 1e-6} {
		less := set
		turnover := *set.Turnover
		turnover.Most -= spare
		less.Turnover = &turnover
		if _, possible := nearestTraded(t, less, make([]float64, set.N)); !possible {
			return spare
		}
	}
	return 1
}

// With nothing to trade the holdings come back, where the set has them; with twice the
// capital nothing changes.
func TestTurnoverEnds(t *testing.T) {
	share := []float64{1, 1, 0.5, 0, 0, 0}
	held := []float64{0.1, 0.2, 0.3, 0, 0.15, 0.25}
	for name, set := range map[string]simplex.Set{
		"simplex": {N: 6}, "capped": capped(6, 0.3), "group": {N: 6, Groups: []simplex.Group{{Name: "a", Share: share, Lo: 0.2, Hi: 0.6}}},
	} {
		free, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		rng := stream.New(1, name, 0)
		for range 50 {
			v, got, want := randomInput(rng, 6, false), make([]float64, 6), make([]float64, 6)
			if _, err := free.Project(want, v); err != nil {
				t.Fatal(err)
			}
			for most, expected := range map[float64][]float64{0: held, 2: want} {
				set.Turnover = &simplex.Turnover{Held: held, Most: most}
				p, err := simplex.NewProjector(set)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := p.Project(got, v); err != nil {
					t.Fatal(err)
				}
				if d := floats.Distance(got, expected, math.Inf(1)); d > 1e-12 {
					t.Errorf("%s: a turnover of %v gives %v, want %v", name, most, got, expected)
				}
			}
		}
	}
}

// A set that is out of reach is refused with the least turnover that reaches it, and that
// does.
func TestTurnoverOutOfReach(t *testing.T) {
	sector := []simplex.Group{{Name: "a", Share: []float64{1, 1, 0, 0}, Lo: math.Inf(-1), Hi: 0.3}}
	for name, c := range map[string]struct {
		set  simplex.Set
		says string
	}{
		"cash":   {simplex.Set{N: 4, Turnover: &simplex.Turnover{Held: []float64{0.5, 0.3, 0, 0}, Most: 0.1}}, "it takes 0.2 from what is held"},
		"cap":    {simplex.Set{N: 4, Upper: fill(4, 0.4), Turnover: &simplex.Turnover{Held: []float64{0.7, 0.3, 0, 0}, Most: 0.59}}, "it takes 0.6 from"},
		"cap 2":  {simplex.Set{N: 4, Upper: fill(4, 0.4), Turnover: &simplex.Turnover{Held: []float64{0.7, 0.2, 0, 0}, Most: 0.59}}, "it takes 0.7 from"},
		"beside": {simplex.Set{N: 4, Turnover: &simplex.Turnover{Held: []float64{0.5, 0.3, 0, 0}, Beside: 0.2, Most: 0.3}}, "it takes 0.4 from"},
		"floor":  {simplex.Set{N: 4, Lower: fill(4, 0.1), Turnover: &simplex.Turnover{Held: []float64{0.7, 0.3, 0, 0}, Most: 0}}, "it takes 0.4 from"},
		"sector": {simplex.Set{N: 4, Groups: sector, Turnover: &simplex.Turnover{Held: []float64{0.5, 0.3, 0.2, 0}, Most: 0.9}}, "it takes 1 from"},
		"NaN":    {simplex.Set{N: 2, Turnover: &simplex.Turnover{Held: []float64{0.5, 0.3}, Most: math.NaN()}}, "numbers from 0 on"},
		"shape":  {simplex.Set{N: 2, Turnover: &simplex.Turnover{Held: []float64{0.5}, Most: 1}}, "1 weights held for 2 assets"},
		"holds":  {simplex.Set{N: 2, Turnover: &simplex.Turnover{Held: []float64{0.5, math.Inf(1)}, Most: 1}}, "+Inf of asset 1 is held"},
	} {
		_, err := simplex.NewProjector(c.set)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
			continue
		}
		if _, after, found := strings.Cut(err.Error(), "it takes "); found {
			number, _, _ := strings.Cut(after, " ")
			c.set.Turnover.Most = parse(t, []string{number})[0]
			p, err := simplex.NewProjector(c.set)
			if err != nil {
				t.Errorf("%s: %s is not enough: %v", name, number, err)
				continue
			}
			w := []float64{0.1, 0.9, 0.4, 0.3}
			if _, err := p.Project(w, w); err != nil || c.set.Violation(w) > 1e-12 {
				t.Errorf("%s: violation %v, %v", name, c.set.Violation(w), err)
			}
		}
	}
}

// The ways with and without groups agree, and inputs may be as large as they like.
func TestTurnoverMethodsAgree(t *testing.T) {
	const n = 40
	all := []simplex.Group{{Name: "all", Share: fill(n, 1), Lo: 0, Hi: 2}}
	for k := range uint64(60) {
		rng := stream.New(5, "turnover agrees", k)
		set := simplex.Set{N: n, Lower: fill(n, -0.01), Upper: fill(n, 0.15), Turnover: randomTurnover(rng, n)}
		v := make([]float64, n)
		for i := range v {
			v[i] = 0.2 * rng.ExpFloat64() * rng.Float64()
		}
		p, err := simplex.NewProjector(set)
		if err != nil {
			continue
		}
		set.Groups = all
		q, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		a, b := make([]float64, n), make([]float64, n)
		if _, err := p.Project(a, v); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Project(b, v); err != nil {
			t.Fatal(err)
		}
		if d := floats.Distance(a, b, math.Inf(1)); d > 1e-12 {
			t.Errorf("limit %d: a group that does not bind moves the answer by %v", k, d)
		}
		floats.Scale(math.Pow(10, 300*rng.Float64()), v)
		for _, projector := range []*simplex.Projector{p, q} {
			if _, err := projector.Project(a, v); err != nil {
				t.Fatalf("limit %d: %v", k, err)
			}
			if violation := set.Violation(a); violation > 1e-12 {
				t.Errorf("limit %d: violation %v of large input", k, violation)
			}
		}
	}
}

// Choosing assets sells the others.
func TestChooseTurnover(t *testing.T) {
	set := simplex.Set{N: 3, Turnover: &simplex.Turnover{Held: []float64{0.2, 0.3, 0.4}, Beside: 0.1, Most: 1.5}}
	got := set.Choose([]int{2, 0}).Turnover
	if want := set.Turnover.Of([]float64{0.4, 0, 0.6}); math.Abs(got.Of([]float64{0.6, 0.4})-want) > 1e-15 || got.Most != 1.5 {
		t.Errorf("%+v, a turnover of %v, want %v", got, got.Of([]float64{0.6, 0.4}), want)
	}
}
