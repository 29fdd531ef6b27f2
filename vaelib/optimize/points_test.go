package optimize

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Each point is the least variance for its mean, as a quadratic programme of its own finds
// it, and its gap says so; a portfolio beside the frontier has a gap of at least what it
// lacks.
func TestSolverFrontier(t *testing.T) {
	for k := range 24 {
		rng := stream.New(2, "optimize.points", uint64(k))
		n := 4 + rng.IntN(16)
		mean, cov := sample(market(20+rng.IntN(100), n, uint64(k))) // of some the covariance is singular
		in := &Inputs{Mean: mean, Cov: cov, Set: simplex.Set{N: n, Lower: full(n, 0), Upper: full(n, 1)}}
		switch k % 4 {
		case 1:
			in.Set.Lower[0], in.Set.Upper[0], in.Set.Upper[1] = 0.03, 0.1, 0.02
		case 2:
			in.Set.Lower = full(n, -0.2)
			in.Set.Groups = []simplex.Group{{Share: append(full(n/2, 1), make([]float64, n-n/2)...), Lo: 0.1, Hi: 0.6}}
		case 3:
			in.Set.Turnover = &simplex.Turnover{Held: full(n, 1/float64(n)), Most: 0.5}
		}
		const count = 9
		done := 0
		points, err := new(Solver).Frontier(t.Context(), in, count, func(i, total int) { done += i; _ = total })
		if err != nil {
			t.Fatal(err)
		}
		if len(points) != count || done != count*(count+1)/2 {
			t.Fatalf("market %d: %d points", k, len(points))
		}
		low, high := dot(mean, points[0].Weights), dot(mean, points[count-1].Weights)
		for i, p := range points {
			own := dot(mean, p.Weights)
			if want := low + (high-low)*float64(i)/(count-1); math.Abs(own-want) > 1e-12*(high-low) {
				t.Errorf("market %d, point %d: mean %v, want %v", k, i, own, want)
			}
			if p.Gap > 1e-10*p.Value || in.Set.Violation(p.Weights) > simplex.Tolerance || p.Status != "optimal" {
				t.Errorf("market %d, point %d: %+v, violation %v", k, i, p, in.Set.Violation(p.Weights))
			}
			for j, w := range p.Weights {
				if lower, upper := bounds(&in.Set, j); w < lower || w > upper {
					t.Errorf("market %d, point %d: a weight of %v beyond [%v, %v]", k, i, w, lower, upper)
				}
			}
			at, target := *in, own-1e-13*math.Abs(own)
			at.TargetReturn = &target
			if r, err := Solve(t.Context(), MeanVariance, &at); err != nil || math.Abs(r.Value-p.Value) > 1e-9*p.Value {
				t.Errorf("market %d, point %d: variance %v, solved %v, %v", k, i, p.Value, r, err)
			}
		}
		beside := make([]float64, n)
		between(beside, points[count/2].Weights, points[0].Weights, 0.1)
		frontier, err := Frontier(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		target := dot(mean, beside)
		lacks := variance(cov, beside) - variance(cov, frontier.At(target))
		gap, err := new(Solver).varianceGap(t.Context(), in, beside, frontier.slope(target, frontier.At(target)))
		if err != nil || gap < lacks*(1-1e-9) || lacks < 0 {
			t.Errorf("market %d: a portfolio that lacks %v has a gap of %v, %v", k, lacks, gap, err)
		}
	}
}

// With a minimum weight each point is the best over all choices of holdings.
func TestSolverFrontierWithAMinimum(t *testing.T) {
	const n, count = 5, 6
	for k := range 6 {
		mean, cov := sample(market(80, n, uint64(100+k)))
		in := &Inputs{Mean: mean, Cov: cov, Set: simplex.Set{N: n, Upper: []float64{0.5, 0.5, 0.3, 0.5, 0.5}, MinWeight: 0.15}}
		points, err := new(Solver).Frontier(t.Context(), in, count, nil)
		if err != nil {
			t.Fatal(err)
		}
		low, high := dot(mean, points[0].Weights), dot(mean, points[count-1].Weights)
		for i, p := range points {
			target := low + (high-low)*float64(i)/(count-1)
			if dot(mean, p.Weights) < target-1e-9*math.Abs(target) || in.Set.Violation(p.Weights) > simplex.Tolerance {
				t.Errorf("market %d, point %d: mean %v, want %v; violation %v", k, i, dot(mean, p.Weights), target, in.Set.Violation(p.Weights))
			}
			target -= 1e-10 * math.Abs(target)
			best := math.Inf(1)
			for support := 1; support < 1<<n; support++ {
				sub := *in
				sub.Set.MinWeight, sub.TargetReturn = 0, &target
				sub.Set.Lower, sub.Set.Upper = make([]float64, n), make([]float64, n)
				for j := range n {
					if support>>j&1 == 1 {
						sub.Set.Lower[j], sub.Set.Upper[j] = in.Set.MinWeight, in.Set.Upper[j]
					}
				}
				if r, err := Solve(t.Context(), MeanVariance, &sub); err == nil {
					best = min(best, r.Value)
				}
			}
			if math.Abs(p.Value-best) > 1e-7*best+p.Gap {
				t.Errorf("market %d, point %d: variance %v, the best of all choices has %v", k, i, p.Value, best)
			}
		}
	}
}

// A frontier that is one portfolio is one point, and what has no frontier is said.
func TestSolverFrontierAtTheEdge(t *testing.T) {
	cov := mat.NewSymDense(2, []float64{1, 1.9, 1.9, 4}) // the first has the least variance, and the largest mean
	for _, least := range []float64{0, 0.1} {
		in := &Inputs{Mean: []float64{0.2, 0.1}, Cov: cov, Set: simplex.Set{N: 2, MinWeight: least}}
		points, err := new(Solver).Frontier(t.Context(), in, 5, nil)
		if err != nil || len(points) != 1 || points[0].Weights[0] != 1 {
			t.Errorf("%v: %+v, %v", least, points, err)
		}
	}
	in := &Inputs{Mean: []float64{0.2, 0.1}, Cov: cov, Set: simplex.Set{N: 2, Upper: []float64{0.1, 0.2}}}
	infeasible := new(simplex.InfeasibleError)
	if _, err := new(Solver).Frontier(t.Context(), in, 5, nil); !errors.As(err, &infeasible) {
		t.Errorf("an empty set: %v", err)
	}
	in = &Inputs{Mean: []float64{0.2, 0.1}, Cov: cov, Set: simplex.Set{N: 2}, TurnoverCharge: 1, Previous: []float64{1, 0}}
	unsupported := new(UnsupportedError)
	if _, err := new(Solver).Frontier(t.Context(), in, 5, nil); !errors.As(err, &unsupported) {
		t.Errorf("a charge for turnover: %v", err)
	}
}
