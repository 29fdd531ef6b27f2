package simplex_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// A minimum holding and a limit on turnover together: the projection is as near as the
// nearest over all choices of holdings, a set is refused where none of them is possible, and
// the least turnover that the refusal tells is the least.
func TestTurnoverWithMinimum(t *testing.T) {
	nearest, refused := 0, 0
	for k := range 2000 {
		rng := stream.New(22, "turnover with minimum", uint64(k))
		set := randomSet(rng)
		if set.N < 2 || set.N > 7 || set.MinWeight == 0 || set.Check() != nil {
			continue
		}
		set.Turnover = randomTurnover(rng, set.N)
		for i, h := range set.Turnover.Held {
			if rng.IntN(2) == 0 {
				set.Turnover.Held[i] = math.Abs(h) // as without short positions
			}
		}
		v := make([]float64, set.N)
		for i := range v {
			v[i] = 0.3 * rng.NormFloat64()
		}
		best := bruteForce(t, set, v)
		p, err := simplex.NewProjector(set)
		if err != nil {
			var empty *simplex.InfeasibleError
			if !errors.As(err, &empty) || !math.IsInf(best, 1) {
				t.Errorf("set %d: %v, but the nearest is at %v", k, err, best)
				continue
			}
			refused++
			_, after, found := strings.Cut(err.Error(), "it takes ")
			if !found {
				t.Errorf("set %d: %v tells no remedy", k, err)
				continue
			}
			number, _, _ := strings.Cut(after, " ")
			set.Turnover.Most = parse(t, []string{number})[0]
			if err := set.Check(); err != nil {
				t.Errorf("set %d: %s is not enough: %v", k, number, err)
			}
			set.Turnover.Most -= 2e-6
			if !math.IsInf(bruteForce(t, set, v), 1) {
				t.Errorf("set %d: less than %s is enough", k, number)
			}
			continue
		}
		w := make([]float64, set.N)
		distance, err := p.Project(w, v)
		if err != nil {
			t.Errorf("set %d: %v", k, err)
			continue
		}
		nearest++
		if math.Abs(distance-best) > 1e-9 || p.Gap() != 0 || set.Violation(w) > simplex.Tolerance {
			t.Errorf("set %d: distance %v, brute force finds %v; gap %v, violation %v", k, distance, best, p.Gap(), set.Violation(w))
		}
	}
	t.Logf("%d projected, %d refused", nearest, refused)
	if nearest < 50 || refused < 50 {
		t.Errorf("only %d sets were projected onto and %d refused", nearest, refused)
	}
}
