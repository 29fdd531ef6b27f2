package optimize

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"vaefolio/vaelib/simplex"
)

// TestMaxAssets compares branch and bound with the enumeration of all supports, with and
// without a minimum weight, floors, groups, holdings and a charge for turnover.
func TestMaxAssets(t *testing.T) {
	solved, empty := 0, 0
	for k := range 80 {
		rng := rand.New(rand.NewPCG(7, uint64(k)))
		n := 4 + rng.IntN(4)
		returns := market(40, n, uint64(k))
		mean, cov := sample(returns)
		most := 2 + rng.IntN(n-1) // n is no limit
		in := &Inputs{Mean: mean, Cov: cov, RiskAversion: 8 * float64(rng.IntN(2)), MaxAssets: most, Benchmark: full(n, 1/float64(n))}
		in.Set = simplex.Set{N: n, Upper: full(n, 0.3+0.5*rng.Float64()), Lower: make([]float64, n)}
		if rng.IntN(2) == 0 {
			in.Set.MinWeight = 0.05 + 0.15*rng.Float64()
		}
		if rng.IntN(3) == 0 {
			in.Set.Lower[rng.IntN(n)] = 0.07
		}
		if rng.IntN(2) == 0 {
			share := make([]float64, n)
			share[0], share[1], share[n-1] = 1, 1, 0.5
			in.Set.Groups = []simplex.Group{{Name: "L1", Share: share, Lo: 0.1, Hi: 0.1 + 0.5*rng.Float64()}}
		}
		if rng.IntN(3) == 0 {
			in.TurnoverCharge, in.Previous = 1e-5, full(n, 1/float64(n))
		}
		if rng.IntN(2) == 0 {
			held := make([]float64, n)
			held[0], held[1], held[2], held[3] = 0.5, 0.3, 0.04, 0.1*rng.Float64()
			in.Set.Turnover = &simplex.Turnover{Held: held, Most: 0.6 + rng.Float64()}
		}
		for _, objective := range []Objective{MinVariance, MeanVariance, MinTrackingError, MaxSharpe, MaxDiversification} {
			this := *in
			if objective == MaxSharpe || objective == MaxDiversification {
				this.TurnoverCharge = 0
			}
			best, found := enumerate(objective, &this)
			got, err := Solve(t.Context(), objective, &this)
			if !found {
				if empty++; err == nil {
					t.Errorf("market %d, %s: no support is feasible, but a result", k, objective)
				}
				continue
			}
			if err != nil {
				t.Errorf("market %d, %s: %v", k, objective, err)
				continue
			}
			solved++
			v, _ := badness(objective, &this, got.Weights)
			if math.Abs(v-best) > 1e-9*math.Abs(best)+1e-13 || got.Gap != 0 || got.Status != "optimal" {
				t.Errorf("market %d, %s, %d of %d: %v by branch and bound, %v by enumeration; gap %v, %s", k, objective, most, n, v, best,
					got.Gap, got.Status)
			}
			if violation := this.Set.Violation(got.Weights); violation > 1e-12 || positions(got.Weights) > most {
				t.Errorf("market %d, %s: violation %v, %d assets", k, objective, violation, positions(got.Weights))
			}
		}
	}
	if solved < 150 || empty < 40 {
		t.Errorf("only %d problems were solved and %d empty", solved, empty)
	}
}

// positions counts the assets of a portfolio.
func positions(w []float64) (count int) {
	for _, x := range w {
		if x != 0 {
			count++
		}
	}
	return count
}

// enumerate is the least badness over all supports that are small enough.
func enumerate(objective Objective, in *Inputs) (best float64, found bool) {
	n := in.Set.N
	best = math.Inf(1)
	for support := uint(1); support < 1<<n; support++ {
		if bits.OnesCount(support) > in.MaxAssets {
			continue
		}
		sub := *in
		sub.MaxAssets, sub.Set.MinWeight = 0, 0
		sub.Set.Lower, sub.Set.Upper = make([]float64, n), make([]float64, n)
		for j := range n {
			lower, upper := bounds(&in.Set, j)
			if support>>j&1 == 1 {
				sub.Set.Lower[j], sub.Set.Upper[j] = max(lower, in.Set.MinWeight), upper
			} else if lower > 0 {
				sub.Set.Upper[j] = -1 // it can't be left out
			}
		}
		if r, err := Solve(context.Background(), objective, &sub); err == nil {
			v, _ := badness(objective, in, r.Weights)
			best, found = min(best, v), true
		}
	}
	return best, found
}

// TestMaxAssetsRandom compares the verdicts and values of problems of all kinds, as those with
// singular covariances and twins are.
func TestMaxAssetsRandom(t *testing.T) {
	solved, refused := 0, 0
	for k := range 800 {
		rng := rand.New(rand.NewPCG(99, uint64(k)))
		objective, in := randomInputs(rng)
		if !objective.branches() || in.Set.N > 6 {
			continue
		}
		in.MaxAssets = 1 + rng.IntN(in.Set.N)
		for j, lower := range in.Set.Lower {
			in.Set.Lower[j] = max(lower, 0)
			in.Set.Upper[j] = max(in.Set.Upper[j], in.Set.Lower[j]+0.1)
		}
		if rng.IntN(3) == 0 {
			in.Set.MinWeight = 0.3 * rng.Float64() / float64(in.MaxAssets)
		}
		got, err := Solve(t.Context(), objective, in)
		best, found := enumerate(objective, in)
		switch {
		case errors.Is(err, ErrNoVariance):
		case (err == nil) != found:
			t.Errorf("problem %d, %s: error %v, enumeration finds any: %v", k, objective, err, found)
		case err != nil:
			refused++
		default:
			solved++
			v, _ := badness(objective, in, got.Weights)
			if math.Abs(v-best) > 1e-8*math.Abs(best)+1e-14 || in.Set.Violation(got.Weights) > 1e-12 || positions(got.Weights) > in.MaxAssets {
				t.Errorf("problem %d, %s, %d of %d: %v by branch and bound, %v by enumeration; %d assets", k, objective, in.MaxAssets,
					in.Set.N, v, best, positions(got.Weights))
			}
		}
	}
	if solved < 50 || refused < 20 {
		t.Errorf("only %d problems were solved and %d refused", solved, refused)
	}
}

// TestMaxAssetsEnds stops early: the gap that is told holds; an interruption is an error.
func TestMaxAssetsEnds(t *testing.T) {
	const n = 30
	mean, cov := sample(market(200, n, 3))
	in := &Inputs{Mean: mean, Cov: cov, Benchmark: full(n, 1./n), MaxAssets: 6, Set: simplex.Set{N: n}}
	whole, err := Solve(t.Context(), MinTrackingError, in)
	if err != nil || whole.Gap != 0 || whole.Nodes < 10 {
		t.Fatalf("gap %v, %d nodes, %v", whole.Gap, whole.Nodes, err)
	}
	in.MaxNodes = whole.Nodes / 4
	early, err := Solve(t.Context(), MinTrackingError, in)
	if err != nil {
		t.Fatal(err)
	}
	if early.Status != "node limit" || !(early.Gap > 0) || early.Value < whole.Value-1e-12 || early.Value-early.Gap > whole.Value+1e-12 {
		t.Errorf("%s, %v with the gap %v, where the optimum is %v", early.Status, early.Value, early.Gap, whole.Value)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Solve(ctx, MinTrackingError, in); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	in.MaxAssets = -1
	if _, err := Solve(t.Context(), MinTrackingError, in); err == nil {
		t.Error("at most -1 assets")
	}
}
