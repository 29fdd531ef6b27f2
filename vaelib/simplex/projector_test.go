package simplex_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

func ExampleProjector_Project() {
	// Clipping .7 to a cap of .5 and renormalising would give .625.
	p, err := simplex.NewProjector(simplex.Set{N: 3, Upper: []float64{0.5, 0.5, 0.5}})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := []float64{0.7, 0.2, 0.1}
	distance, err := p.Project(w, w)
	fmt.Printf("%.3f %.3f %v\n", w, distance, err)
	// Output: [0.500 0.300 0.200] 0.245 <nil>
}

func ExampleSet_Check() {
	set := simplex.Set{
		N: 3, Upper: []float64{0.5, 0.5, 0.5}, Symbols: []string{"BTC", "ETH", "SOL"},
		Groups: []simplex.Group{
			{Name: "L1", Share: []float64{1, 1, 0}, Lo: 0, Hi: 0.3},
			{Name: "alt", Share: []float64{0, 0, 1}, Lo: 0, Hi: 0.6},
		},
	}
	fmt.Println(set.Check())
	// Output: impossible constraints: the weights can't sum to 1 with L1 <= 0.3 and the bounds of SOL: relax one of them
}

// roundTrip is what a CSV file gives back.
func roundTrip(t testing.TB, w []float64) []float64 {
	t.Helper()
	out := make([]float64, len(w))
	for i, x := range w {
		var err error
		if out[i], err = strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 64), 64); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The cases were computed by exact breakpoints in Python and checked against
// Clarabel.
func TestProjectReference(t *testing.T) {
	for _, name := range []string{"n5.csv", "n12.csv"} {
		file, err := os.Open(sharedtest.Path(t, "cases", "projection", name))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(file).ReadAll()
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != 401 {
			t.Fatalf("%s has %d lines", name, len(lines))
		}
		for k := 1; k < len(lines); k += 2 {
			v, want := parse(t, lines[k][2:]), parse(t, lines[k+1][2:])
			set := capped(len(v)-1, v[0])
			p, err := simplex.NewProjector(set)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float64, set.N)
			if _, err := p.Project(got, v[1:]); err != nil {
				t.Fatal(err)
			}
			if d := floats.Distance(got, want[1:], math.Inf(1)); d > 1e-12 {
				t.Errorf("%s, case %s: off by %v", name, lines[k][0], d)
			}
			// A sector that has just what it has in the answer changes nothing.
			half, sum := make([]float64, set.N), 0.0
			for i := range set.N / 2 {
				half[i], sum = 1, sum+want[1+i]
			}
			held := set
			held.Groups = []simplex.Group{{Name: "half", Share: half, Lo: sum, Hi: sum}}
			if p, err = simplex.NewProjector(held); err != nil {
				t.Fatal(err)
			}
			again := make([]float64, set.N)
			if _, err := p.Project(again, v[1:]); err != nil {
				t.Fatal(err)
			}
			if d := floats.Distance(again, want[1:], math.Inf(1)); d > 1e-12 {
				t.Errorf("%s, case %s, with a sector: off by %v", name, lines[k][0], d)
			}
			if violation := set.Violation(roundTrip(t, got)); violation > 1e-12 {
				t.Errorf("%s, case %s: violation %v", name, lines[k][0], violation)
			}
		}
	}
}

func parse(t *testing.T, fields []string) []float64 {
	t.Helper()
	out := make([]float64, len(fields))
	for i, f := range fields {
		var err error
		if out[i], err = strconv.ParseFloat(f, 64); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func capped(n int, upper float64) simplex.Set {
	return simplex.Set{N: n, Upper: fill(n, upper)}
}

func fill(n int, x float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x
	}
	return out
}

// randomSet draws a set of any kind. It may be impossible.
func randomSet(rng *rand.Rand) simplex.Set {
	n := 1 + rng.IntN(12)
	if rng.IntN(50) == 0 {
		n = 100 + rng.IntN(401)
	}
	s := simplex.Set{N: n}
	kind := rng.IntN(6)
	common := min(1, (1+3*rng.Float64())/float64(n)*float64(1+rng.IntN(3)))
	switch rng.IntN(3) {
	case 1:
		s.Upper = fill(n, common)
	case 2:
		s.Upper = make([]float64, n)
		for i := range s.Upper {
			s.Upper[i] = common * (0.4 + rng.Float64())
		}
	}
	if kind == 1 || kind == 3 {
		s.Lower = make([]float64, n)
		for i := range s.Lower {
			s.Lower[i] = (rng.Float64() - 0.7) * common
			if s.Upper != nil {
				s.Lower[i] = min(s.Lower[i], s.Upper[i]*float64(rng.IntN(3))/2)
			}
		}
	}
	if kind >= 4 && n <= 12 {
		s.Lower = nil
		s.MinWeight = common * rng.Float64()
		if rng.IntN(3) == 0 {
			s.MinWeight = 1 / float64(1+rng.IntN(n)) // the only number of holdings
		}
	}
	if (kind == 2 || kind == 3 || kind == 5) && n <= 40 {
		for k := range 1 + rng.IntN(4) {
			g := simplex.Group{Name: fmt.Sprintf("G%d", k), Share: make([]float64, n), Lo: math.Inf(-1), Hi: math.Inf(1)}
			for i := range g.Share {
				switch rng.IntN(4) {
				case 0, 1:
					g.Share[i] = 1
				case 2:
					g.Share[i] = float64(rng.IntN(5)) / 4
				}
			}
			switch rng.IntN(4) {
			case 0:
				g.Lo = rng.Float64() * 0.6
			case 1:
				g.Lo = rng.Float64() * 0.5
				g.Hi = g.Lo + rng.Float64()*0.3*float64(rng.IntN(2))
			default:
				g.Hi = rng.Float64()
			}
			s.Groups = append(s.Groups, g)
		}
	}
	return s
}

// randomInput draws a vector: near the simplex, tied, tiny, large.
func randomInput(rng *rand.Rand, n int, huge bool) []float64 {
	v := make([]float64, n)
	scale := 1.0
	switch kind := rng.IntN(8); {
	case kind == 0:
		scale = 1e-12
	case kind == 1:
		scale = 100
	case kind == 2 && huge:
		scale = math.Pow(10, 300*rng.Float64())
	}
	offset := float64(rng.IntN(2)) * scale * rng.Float64()
	for i := range v {
		v[i] = offset + scale*(rng.Float64()-0.3)
		if rng.IntN(3) == 0 {
			v[i] = v[rng.IntN(i+1)]
		}
	}
	return v
}

// Ten thousand random sets: what comes back is a member as written, nobody
// found is nearer, projecting again changes nothing, and reordering the assets
// reorders the answer.
func TestRandomSets(t *testing.T) {
	count := 10000
	if testing.Short() {
		count = 1000
	}
	kinds := map[string]int{}
	for k := range count {
		rng := stream.New(11, "sets", uint64(k))
		set := randomSet(rng)
		p, err := simplex.NewProjector(set)
		if err != nil {
			var reason *simplex.InfeasibleError
			if !errors.As(err, &reason) {
				t.Fatalf("set %d: %v", k, err)
			}
			kinds["impossible"]++
			refute(t, k, set, rng)
			continue
		}
		convexBox := set.MinWeight == 0 && len(set.Groups) == 0
		v := randomInput(rng, set.N, len(set.Groups) == 0 && (convexBox || set.Upper == nil))
		w := make([]float64, set.N)
		distance, err := p.Project(w, v)
		if err != nil {
			t.Fatalf("set %d: %v", k, err)
		}
		if violation := set.Violation(roundTrip(t, w)); violation > 1e-12 {
			t.Fatalf("set %d: violation %v", k, violation)
		}
		for i, x := range w {
			if set.Upper != nil && x > set.Upper[i] || set.Lower != nil && x < set.Lower[i] {
				t.Fatalf("set %d: weight %v outside its bounds", k, x)
			}
		}
		if want := floats.Distance(v, w, 2); distance != want {
			t.Fatalf("set %d: distance %v, want %v", k, distance, want)
		}
		spread := floats.Max(v) - floats.Min(v)
		if p.Gap() != 0 {
			t.Fatalf("set %d: gap %v", k, p.Gap())
		}
		again := make([]float64, set.N)
		if d, err := p.Project(again, w); err != nil || d != 0 || floats.Distance(again, w, 2) != 0 {
			t.Fatalf("set %d: projected again it moves by %v (%v)", k, d, err)
		}
		switch {
		case set.MinWeight > 0:
			kinds["holdings"]++
			if set.N <= 10 {
				if best := bruteForce(t, set, v); distance > best+1e-12*max(1, spread) {
					t.Fatalf("set %d: distance %v, brute force finds %v", k, distance, best)
				}
			}
		case spread < 1e3:
			kinds["convex"]++
			variational(t, k, set, v, w, rng)
		default:
			kinds["convex, large"]++
		}
		if set.MinWeight == 0 {
			permuted(t, k, set, v, w, rng)
		}
	}
	t.Log(kinds)
	for _, kind := range []string{"impossible", "holdings", "convex", "convex, large"} {
		if kinds[kind] < count/100 {
			t.Errorf("only %d sets were %s", kinds[kind], kind)
		}
	}
}

// refute looks for a member of a set that was called impossible: the bounds'
// sums, or alternating projections that would approach one.
func refute(t *testing.T, k int, set simplex.Set, rng *rand.Rand) {
	t.Helper()
	if set.MinWeight > 0 && set.N <= 10 {
		if best := bruteForce(t, set, fill(set.N, 0)); !math.IsInf(best, 1) {
			t.Fatalf("set %d is called impossible, and has a member at distance %v", k, best)
		}
		return
	}
	w := make([]float64, set.N)
	for range 20 {
		for i := range w {
			w[i] = rng.ExpFloat64()
		}
		floats.Scale(1/floats.Sum(w), w)
		for range 300 {
			alternate(set, w)
		}
		if violation := set.Violation(w); violation <= 1e-9 {
			t.Fatalf("set %d is called impossible, and has a member within %v", k, violation)
		}
	}
}

// alternate projects w onto each constraint in turn.
func alternate(set simplex.Set, w []float64) {
	shift := func(row []float64, lo, hi float64) {
		sum, square := floats.Dot(row, w), floats.Dot(row, row)
		if square == 0 {
			return
		}
		floats.AddScaled(w, (min(max(sum, lo), hi)-sum)/square, row)
	}
	shift(fill(set.N, 1), 1, 1)
	for _, g := range set.Groups {
		shift(g.Share, g.Lo, g.Hi)
	}
	for i := range w {
		lower, upper := 0.0, 1.0
		if set.Lower != nil {
			lower = set.Lower[i]
		}
		if set.Upper != nil {
			upper = set.Upper[i]
		}
		w[i] = min(max(w[i], lower), upper)
	}
}

// variational checks (v - w)'(x - w) <= 0 for members x, which holds for the
// nearest point of a convex set and no other.
func variational(t *testing.T, k int, set simplex.Set, v, w []float64, rng *rand.Rand) {
	t.Helper()
	p, err := simplex.NewProjector(set)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, set.N)
	for range 5 {
		for i := range x {
			x[i] = w[i] + rng.NormFloat64()
		}
		if _, err := p.Project(x, x); err != nil {
			t.Fatal(err)
		}
		var product, size float64
		for i := range x {
			product += (v[i] - w[i]) * (x[i] - w[i])
			size += math.Abs(v[i]-w[i]) * math.Abs(x[i]-w[i])
		}
		if product > 1e-11*max(1, size) {
			t.Fatalf("set %d: a member is nearer, by %v", k, product)
		}
	}
}

func permuted(t *testing.T, k int, set simplex.Set, v, w []float64, rng *rand.Rand) {
	t.Helper()
	order := rng.Perm(set.N)
	apply := func(x []float64) []float64 {
		if x == nil {
			return nil
		}
		out := make([]float64, len(x))
		for i, j := range order {
			out[i] = x[j]
		}
		return out
	}
	other := simplex.Set{N: set.N, Lower: apply(set.Lower), Upper: apply(set.Upper)}
	for _, g := range set.Groups {
		g.Share = apply(g.Share)
		other.Groups = append(other.Groups, g)
	}
	p, err := simplex.NewProjector(other)
	if err != nil {
		t.Fatalf("set %d, reordered: %v", k, err)
	}
	got := apply(v)
	if _, err := p.Project(got, got); err != nil {
		t.Fatalf("set %d, reordered: %v", k, err)
	}
	if d := floats.Distance(got, apply(w), math.Inf(1)); d > 1e-12*max(1, floats.Norm(v, math.Inf(1))*float64(len(set.Groups))) {
		t.Fatalf("set %d: reordering moves the answer by %v", k, d)
	}
}

// bruteForce tries every choice of holdings and returns the smallest distance,
// infinite where none is possible.
func bruteForce(t *testing.T, set simplex.Set, v []float64) float64 {
	t.Helper()
	best := math.Inf(1)
	w := make([]float64, set.N)
	for choice := 1; choice < 1<<set.N; choice++ {
		fixed := set.Convex()
		fixed.Lower, fixed.Upper = make([]float64, set.N), make([]float64, set.N)
		possible := true
		for i := range set.N {
			upper := 1.0
			if set.Upper != nil {
				upper = set.Upper[i]
			}
			if choice>>i&1 == 1 {
				fixed.Lower[i], fixed.Upper[i] = set.MinWeight, upper
				possible = possible && set.MinWeight <= upper
			}
		}
		if !possible || floats.Sum(fixed.Lower) > 1+1e-9 || floats.Sum(fixed.Upper) < 1-1e-9 {
			continue
		}
		p, err := simplex.NewProjector(fixed)
		if err != nil {
			continue
		}
		distance, err := p.Project(w, v)
		if err != nil {
			t.Fatal(err)
		}
		best = min(best, distance)
	}
	return best
}

// The threshold solves the KKT conditions for inputs of any size: with the
// tops tied at 1e300 they share what the others leave.
func TestHugeInputs(t *testing.T) {
	for _, c := range []struct {
		set     simplex.Set
		v, want []float64
	}{
		{capped(4, 1), []float64{1e300, 1e300, -1e300, 0}, []float64{0.5, 0.5, 0, 0}},
		{capped(4, 0.4), []float64{1e300, 1e300, -1e300, 0}, []float64{0.4, 0.4, 0, 0.2}},
		{capped(3, 0.4), []float64{1e300, 0.3, 0.1}, []float64{0.4, 0.4, 0.2}},
		{capped(3, 0.4), []float64{-1e300, 1e17, 1e17}, []float64{0.2, 0.4, 0.4}},
		{capped(3, 1), []float64{1e9 + 0.5, 1e9 + 0.25, 1e9}, []float64{0.5 + 0.25/3, 0.25 + 0.25/3, 0.25 / 3}},
		{capped(2, 1), []float64{math.MaxFloat64, -math.MaxFloat64}, []float64{1, 0}},
		{capped(3, 1), []float64{5e-324, 0, 0}, []float64{1. / 3, 1. / 3, 1. / 3}},
		{simplex.Set{N: 3, Lower: fill(3, -1), Upper: fill(3, 2)}, []float64{1e200, 0, -1e200}, []float64{2, 0, -1}},
		{simplex.Set{N: 4, MinWeight: 0.3}, []float64{1e300, 1e300, 1e300, -1e300}, []float64{1. / 3, 1. / 3, 1. / 3, 0}},
		{simplex.Set{N: 4, MinWeight: 0.3, Upper: fill(4, 0.6)}, []float64{1e300, 1e200, 0, -1e300}, []float64{0.6, 0.4, 0, 0}},
	} {
		p, err := simplex.NewProjector(c.set)
		if err != nil {
			t.Fatal(err)
		}
		w := make([]float64, c.set.N)
		if _, err := p.Project(w, c.v); err != nil {
			t.Fatal(err)
		}
		if d := floats.Distance(w, c.want, math.Inf(1)); !(d <= 1e-12) {
			t.Errorf("%v goes to %v, want %v", c.v, w, c.want)
		}
	}
}

// Limits that contradict each other by rounding alone have a member within the
// tolerance.
func TestRoundingIsNoConflict(t *testing.T) {
	first, second := []float64{1, 1, 0, 0}, []float64{0, 0, 1, 1}
	for name, set := range map[string]simplex.Set{
		"caps":     capped(3, 0.3333333333333),
		"floors":   {N: 3, Lower: fill(3, 0.3333333333334)},
		"holdings": {N: 4, MinWeight: 0.3333333333334},
		"groups": {N: 4, Groups: []simplex.Group{
			{Name: "70 %", Share: first, Hi: 0.7}, {Name: "30 %", Share: second, Hi: 0.2999999999997},
		}},
		"groups that repeat the budget": {N: 4, Groups: []simplex.Group{
			{Name: "a", Share: first, Lo: 0.1 + 0.2, Hi: 0.1 + 0.2}, {Name: "b", Share: second, Lo: 0.7, Hi: 0.7},
		}},
		"holdings, groups": {N: 4, MinWeight: 0.3, Groups: []simplex.Group{
			{Name: "a", Share: first, Lo: 0.7, Hi: 0.7}, {Name: "b", Share: second, Hi: 0.2999999999997},
		}},
	} {
		p, err := simplex.NewProjector(set)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v := []float64{0.5, 0.2, 0.4, 0.1}[:set.N]
		if _, err := p.Project(v, v); err != nil || set.Violation(v) > 1e-12 {
			t.Errorf("%s: violation %v, error %v", name, set.Violation(v), err)
		}
	}
}

// The ways to the nearest point agree where more than one leads there.
func TestMethodsAgree(t *testing.T) {
	const n = 40
	everything := simplex.Group{Name: "all", Share: fill(n, 1), Lo: 0, Hi: 2}
	project := func(set simplex.Set, v []float64) []float64 {
		p, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		w := make([]float64, len(v))
		if _, err := p.Project(w, v); err != nil {
			t.Fatal(err)
		}
		return w
	}
	for k := range uint64(100) {
		rng := stream.New(4, "agree", k)
		v := make([]float64, n)
		for i := range v {
			v[i] = 0.2 * rng.ExpFloat64() * rng.Float64()
		}
		for name, set := range map[string]simplex.Set{
			"bounds":   {N: n, Lower: fill(n, -0.01), Upper: fill(n, 0.15)},
			"holdings": {N: n, MinWeight: 0.07, Upper: fill(n, 0.15)},
		} {
			want := project(set, v)
			set.Groups = []simplex.Group{everything}
			if d := floats.Distance(project(set, v), want, math.Inf(1)); d > 1e-12 {
				t.Errorf("%s: a group that does not bind moves the answer by %v", name, d)
			}
		}
		// Groups with fixed sums split the assets into problems of their own.
		first, second := make([]float64, n), make([]float64, n)
		for i := range n {
			first[i], second[i] = float64(i/25), float64(1-i/25)
		}
		upper := fill(n, 0.1)
		got := project(simplex.Set{N: n, Upper: upper, Groups: []simplex.Group{
			{Name: "first", Share: second, Lo: 0.7, Hi: 0.7}, {Name: "second", Share: first, Lo: 0.3, Hi: 0.3},
		}}, v)
		for _, part := range []struct {
			from, to int
			sum      float64
		}{{0, 25, 0.7}, {25, 40, 0.3}} {
			scaled := append([]float64(nil), v[part.from:part.to]...)
			floats.Scale(1/part.sum, scaled)
			want := project(capped(len(scaled), 0.1/part.sum), scaled)
			floats.Scale(part.sum, want)
			if d := floats.Distance(got[part.from:part.to], want, math.Inf(1)); d > 1e-12 {
				t.Errorf("groups with the sum %v: off by %v", part.sum, d)
			}
		}
	}
}

// Whatever the input and the kind of set, the answer is a member.
func TestFarInputs(t *testing.T) {
	tested := 0
	for k := range 4000 {
		rng := stream.New(12, "far", uint64(k))
		set := randomSet(rng)
		p, err := simplex.NewProjector(set)
		if err != nil || set.N > 12 {
			continue
		}
		tested++
		v := randomInput(rng, set.N, false)
		floats.Scale(math.Pow(10, 300*rng.Float64()), v)
		if _, err := p.Project(v, v); err != nil {
			t.Fatalf("set %d: %v", k, err)
		}
		if violation := set.Violation(roundTrip(t, v)); violation > 1e-12 || p.Gap() != 0 {
			t.Fatalf("set %d: violation %v, gap %v", k, violation, p.Gap())
		}
	}
	if tested < 2000 {
		t.Errorf("only %d sets", tested)
	}
}

// The VJP agrees with central differences, for each kind of set.
func TestVJP(t *testing.T) {
	half := []float64{1, 1, 1, 0.5, 0, 0, 0, 0}
	for name, set := range map[string]simplex.Set{
		"simplex":           {N: 8},
		"capped":            {N: 8, Upper: fill(8, 0.2)},
		"short":             {N: 8, Lower: fill(8, -0.1), Upper: fill(8, 0.4)},
		"holdings":          {N: 8, MinWeight: 0.1, Upper: fill(8, 0.3)},
		"groups":            {N: 8, Groups: []simplex.Group{{Name: "a", Share: half, Lo: 0.1, Hi: 0.3}}},
		"sectors":           sectored(8, 3),
		"nested groups":     {N: 8, Groups: []simplex.Group{{Name: "a", Share: half, Hi: 0.5}, {Name: "b", Share: []float64{1, 1, 0, 0, 0, 0, 0, 0}, Hi: 0.2}}},
		"holdings, groups":  {N: 8, MinWeight: 0.1, Groups: []simplex.Group{{Name: "a", Share: half, Hi: 0.3}}},
		"repeated group":    {N: 8, Groups: []simplex.Group{{Name: "a", Share: half, Hi: 0.3}, {Name: "b", Share: half, Hi: 0.3}}},
		"holdings, uneven":  {N: 8, MinWeight: 0.1, Upper: []float64{0.3, 0.2, 0.3, 0.4, 0.3, 0.2, 0.3, 0.4}},
		"equality in group": {N: 8, Groups: []simplex.Group{{Name: "a", Share: half, Lo: 0.4, Hi: 0.4}}},
		"turnover":          {N: 8, Upper: fill(8, 0.4), Turnover: &simplex.Turnover{Held: []float64{0.3, 0.2, 0, 0, 0.1, 0.1, 0.1, 0.1}, Most: 0.5}},
		"turnover, cash":    {N: 8, Turnover: &simplex.Turnover{Held: []float64{0.3, 0.1, 0, 0, 0.1, 0.1, 0.1, 0.1}, Most: 0.4}},
		"turnover, groups": {N: 8, Groups: []simplex.Group{{Name: "a", Share: half, Hi: 0.45}},
			Turnover: &simplex.Turnover{Held: []float64{0.2, 0.2, 0, 0, 0.2, 0.2, 0.1, 0.1}, Most: 0.4}},
	} {
		p, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		rng := stream.New(5, name, 0)
		checked := 0
		for range 20 {
			v, g := make([]float64, 8), make([]float64, 8)
			for i := range v {
				v[i], g[i] = 0.3*rng.Float64(), rng.NormFloat64()
			}
			w, got := make([]float64, 8), make([]float64, 8)
			if _, err := p.Project(w, v); err != nil {
				t.Fatal(err)
			}
			p.VJP(got, g)
			const h = 1e-6
			other := p.Clone()
			smooth := true
			for i := range v {
				up, down := append([]float64(nil), v...), append([]float64(nil), v...)
				up[i] += h
				down[i] -= h
				for _, x := range [][]float64{up, down} {
					if _, err := other.Project(x, x); err != nil {
						t.Fatal(err)
					}
					for j := range x {
						smooth = smooth && math.Abs(x[j]-w[j]) < 10*h
					}
				}
				if want := (floats.Dot(up, g) - floats.Dot(down, g)) / (2 * h); smooth && math.Abs(got[i]-want) > 1e-7 {
					// A corner within h of v is no failure: the one-sided slopes differ there.
					middle := floats.Dot(w, g)
					forward, backward := (floats.Dot(up, g)-middle)/h, (middle-floats.Dot(down, g))/h
					if math.Abs(forward-backward) < 1e-6 {
						t.Errorf("%s: derivative %d is %v, want %v", name, i, got[i], want)
					}
				}
			}
			if smooth {
				checked++
			}
		}
		if checked < 15 {
			t.Errorf("%s: only %d points were smooth", name, checked)
		}
	}
}

// A network that has learned nothing gives nearly equal weights; every choice
// of holdings is then nearly as good, and the search must still end.
func TestTiedHoldings(t *testing.T) {
	n := 40
	share := make([]float64, n)
	for i := range 10 {
		share[i] = 1
	}
	set := simplex.Set{N: n, MinWeight: 0.05, Upper: fill(n, 0.2), Groups: []simplex.Group{{Name: "a", Share: share, Hi: 0.2}}}
	p, err := simplex.NewProjector(set)
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "tied", 0)
	for range 20 {
		v := fill(n, 1/float64(n))
		for i := range v {
			v[i] += 1e-4 * rng.NormFloat64()
		}
		if _, err := p.Project(v, v); err != nil {
			t.Fatal(err)
		}
		if violation := set.Violation(v); violation > 1e-12 || p.Gap() != 0 {
			t.Errorf("violation %v, gap %v", violation, p.Gap())
		}
	}
}

func TestProjectAllIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	const rows, n = 1000, 12
	share := []float64{1, 1, 1, 0.5, 0, 0, 0, 0, 0, 0, 0, 0}
	v := mat.NewDense(rows, n, nil)
	rng := stream.New(2, "batch", 0)
	for i := range rows {
		for j := range n {
			v.Set(i, j, rng.Float64()*0.3)
		}
	}
	for name, set := range map[string]simplex.Set{
		"capped":           capped(n, 0.25),
		"groups":           {N: n, Groups: []simplex.Group{{Name: "a", Share: share, Hi: 0.2}}},
		"holdings, groups": {N: n, MinWeight: 0.1, Groups: []simplex.Group{{Name: "a", Share: share, Hi: 0.2}}},
	} {
		var first *mat.Dense
		var firstDistances []float64
		for _, workers := range []int{1, 2, 7} {
			before := runtime.GOMAXPROCS(workers)
			got, distances := mat.NewDense(rows, n, nil), make([]float64, rows)
			err := simplex.ProjectAll(context.Background(), set, got, v, distances)
			runtime.GOMAXPROCS(before)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first, firstDistances = got, distances
			}
			if !mat.Equal(got, first) || !floats.Equal(distances, firstDistances) {
				t.Errorf("%s: %d workers give another result", name, workers)
			}
		}
	}
}

func TestProjectAllErrors(t *testing.T) {
	v := mat.NewDense(300, 2, nil)
	v.Set(130, 1, math.NaN())
	v.Set(280, 0, math.Inf(1))
	err := simplex.ProjectAll(context.Background(), simplex.Set{N: 2, Symbols: []string{"A", "B"}}, v, v, nil)
	var row *simplex.RowError
	if !errors.As(err, &row) || row.Row != 130 || !strings.Contains(err.Error(), "row 131: B has the weight NaN") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := simplex.ProjectAll(ctx, simplex.Set{N: 2}, v, v, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestProjectAllocatesNothing(t *testing.T) {
	v := randomInput(stream.New(1, "alloc", 0), 40, false)
	for name, set := range map[string]simplex.Set{
		"capped":   capped(40, 0.1),
		"holdings": {N: 40, MinWeight: 0.05, Upper: fill(40, 0.2)},
		"turnover": {N: 40, Upper: fill(40, 0.2), Turnover: &simplex.Turnover{Held: fill(40, 0.02), Most: 0.5}},
		"sectors":  sectored(40, 8),
	} {
		p, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		w := make([]float64, 40)
		if allocs := testing.AllocsPerRun(10, func() {
			if _, err := p.Project(w, v); err != nil {
				t.Fatal(err)
			}
			p.VJP(w, w)
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkProject(b *testing.B) {
	for _, n := range []int{10, 40, 500} {
		share := make([]float64, n)
		for i := range n / 2 {
			share[i] = 1
		}
		third := make([]float64, n)
		for i := range n / 3 {
			third[2*i] = 1
		}
		groups := []simplex.Group{{Name: "a", Share: share, Hi: 0.3}, {Name: "b", Share: third, Hi: 0.4}}
		for _, c := range []struct {
			name string
			set  simplex.Set
		}{
			{"capped", capped(n, 4/float64(n))},
			{"holdings", simplex.Set{N: n, MinWeight: 1 / float64(n), Upper: fill(n, 4/float64(n))}},
			{"turnover", simplex.Set{N: n, Upper: fill(n, 4/float64(n)), Turnover: &simplex.Turnover{Held: fill(n, 1/float64(n)), Most: 0.3}}},
			{"groups", simplex.Set{N: n, Upper: fill(n, 4/float64(n)), Groups: groups}},
			{"holdings-groups", simplex.Set{N: n, MinWeight: 1 / float64(n), Upper: fill(n, 4/float64(n)), Groups: groups}},
		} {
			if n == 500 && c.name == "holdings-groups" {
				continue
			}
			b.Run(fmt.Sprintf("%s-%d", c.name, n), func(b *testing.B) {
				p, err := simplex.NewProjector(c.set)
				if err != nil {
					b.Fatal(err)
				}
				d, err := simplex.Symmetric(n, 0.5)
				if err != nil {
					b.Fatal(err)
				}
				v, w := make([]float64, n), make([]float64, n)
				d.Rand(v, stream.New(1, "benchmark", uint64(n)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := p.Project(w, v); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// sectored is a set whose assets belong in turn to so many sectors, each capped.
func sectored(n, sectors int) simplex.Set {
	set := capped(n, max(0.1, 3/float64(n)))
	for k := range sectors {
		g := simplex.Group{Name: fmt.Sprint("sector ", k), Share: make([]float64, n), Hi: 1.2 / float64(sectors)}
		for i := k; i < n; i += sectors {
			g.Share[i] = 1
		}
		set.Groups = append(set.Groups, g)
	}
	return set
}

func BenchmarkProjectSectors(b *testing.B) {
	for _, n := range []int{12, 40, 100, 200} {
		for _, sectors := range []int{3, 8, 20} {
			if sectors > n {
				continue
			}
			b.Run(fmt.Sprintf("%d-of-%d", sectors, n), func(b *testing.B) {
				set := sectored(n, sectors)
				p, err := simplex.NewProjector(set)
				if err != nil {
					b.Fatal(err)
				}
				rng, points := stream.New(1, "benchmark", uint64(n)), make([][]float64, 100)
				for k := range points {
					points[k] = make([]float64, n)
					for i := range n {
						points[k][i] = 1/float64(n) + set.Upper[0]*rng.NormFloat64()
					}
				}
				w := make([]float64, n)
				b.ReportAllocs()
				for k := 0; b.Loop(); k++ {
					if _, err := p.Project(w, points[k%len(points)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A part of a set has its assets' bounds, and the groups that matter to them.
func TestChoose(t *testing.T) {
	set := simplex.Set{
		N: 3, Lower: []float64{0, 0.1, 0.2}, Upper: []float64{0.5, 0.6, 0.7}, MinWeight: 0.05, Symbols: []string{"A", "B", "C"},
		Groups: []simplex.Group{{Name: "x", Share: []float64{1, 0, 0.5}, Lo: 0, Hi: 0.6}, {Name: "y", Share: []float64{0, 1, 0}, Lo: 0, Hi: 0.3}},
	}
	got := set.Choose([]int{2, 0})
	want := simplex.Set{
		N: 2, Lower: []float64{0.2, 0}, Upper: []float64{0.7, 0.5}, MinWeight: 0.05, Symbols: []string{"C", "A"},
		Groups: []simplex.Group{{Name: "x", Share: []float64{0.5, 1}, Lo: 0, Hi: 0.6}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, not %+v", got, want)
	}
}
