package optimize

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// randomInputs draws a problem and its objective: covariances of full rank, of
// fewer periods than assets, with assets that are all but the same; bounds,
// short positions, caps and groups that now and then leave nothing.
func randomInputs(rng *rand.Rand) (Objective, *Inputs) {
	n := 2 + rng.IntN(13)
	periods := 2 + rng.IntN(3*n)
	returns := mat.NewDense(periods, n, nil)
	scale := math.Pow(10, -1-2*rng.Float64())
	common := rng.Float64()
	for t := range periods {
		factor := rng.NormFloat64() * common
		for j := range n {
			returns.Set(t, j, scale*(0.1+factor+rng.NormFloat64()))
		}
	}
	if rng.IntN(4) == 0 { // twins
		blur := []float64{0, 1e-9, 1e-6}[rng.IntN(3)]
		for t := range periods {
			returns.Set(t, 1, returns.At(t, 0)+blur*scale*rng.NormFloat64())
		}
	}
	mean, cov := sample(returns)
	in := &Inputs{Mean: mean, Cov: cov, Returns: returns, Set: simplex.Set{N: n}}
	switch rng.IntN(4) {
	case 0:
		in.Set.Upper = full(n, min(1, (1+rng.Float64())*1.5/float64(n)))
	case 1:
		in.Set.Lower, in.Set.Upper = make([]float64, n), make([]float64, n)
		for j := range n {
			in.Set.Lower[j] = 0.3 * (rng.Float64() - 0.7)
			in.Set.Upper[j] = in.Set.Lower[j] + rng.Float64()
		}
	}
	for range rng.IntN(4) {
		g := simplex.Group{Share: make([]float64, n), Lo: math.Inf(-1), Hi: math.Inf(1)}
		for j := range n {
			switch rng.IntN(3) {
			case 0:
				g.Share[j] = 1
			case 1:
				g.Share[j] = math.Round(4*rng.Float64()) / 4
			}
		}
		if rng.IntN(2) == 0 {
			g.Hi = 0.1 + 0.5*rng.Float64()
		} else {
			g.Lo = 0.4 * rng.Float64()
		}
		in.Set.Groups = append(in.Set.Groups, g)
	}
	w := func() []float64 {
		v := make([]float64, n)
		var sum float64
		for j := range v {
			v[j] = rng.ExpFloat64()
			sum += v[j]
		}
		for j := range v {
			v[j] /= sum
		}
		return v
	}
	objectives := []Objective{MinVariance, MeanVariance, MeanVariance, MinTrackingError, MaxSharpe, MaxDiversification, MinCVaR, MaxMin}
	objective := objectives[rng.IntN(len(objectives))]
	in.Level = 0.5 + 0.45*rng.Float64()
	switch objective {
	case MeanVariance:
		in.RiskAversion = []float64{0, 0.1, 1, 10, 1000}[rng.IntN(5)]
		if rng.IntN(3) == 0 {
			target := mean[rng.IntN(n)]
			in.TargetReturn = &target
		}
	case MinTrackingError:
		in.Benchmark = w()
	case MaxSharpe:
		in.RiskFree = mean[rng.IntN(n)]/2 - 0.01*scale
	}
	if objective != MaxSharpe && objective != MaxDiversification && objective != MinCVaR && objective != MaxMin && rng.IntN(5) == 0 {
		in.TurnoverCharge, in.Previous = scale*scale*rng.Float64(), w()
	}
	if rng.IntN(3) == 0 {
		in.Set.Turnover = &simplex.Turnover{Held: w(), Beside: 0.1 * rng.Float64()}
		in.Set.Turnover.Most = in.Set.Turnover.Beside + 1.5*rng.Float64()
	}
	return objective, in
}

// badness is the objective as something to be made small, and whether w is
// feasible for what the objective adds to the set.
func badness(objective Objective, in *Inputs, w []float64) (v float64, feasible bool) {
	if objective == MeanVariance && in.TargetReturn != nil && dot(in.Mean, w) < *in.TargetReturn-1e-12*(1e-3+math.Abs(*in.TargetReturn)) {
		return 0, false
	}
	s := &Solver{result: Result{Weights: w}}
	v = s.value(objective, in)
	switch objective {
	case MeanVariance:
		if in.TargetReturn == nil {
			v = -v
		}
	case MaxSharpe, MaxDiversification, MaxMin:
		v = -v
	}
	return v + s.charge(in), !math.IsNaN(v)
}

func TestRandomProblems(t *testing.T) {
	problems, points := 10000, 1000
	if testing.Short() {
		problems, points = 1500, 200
	}
	var s, permuted Solver
	counts := map[string]int{}
	worstKKT := 0.0
	for k := range problems {
		rng := stream.New(1, "optimize.random", uint64(k))
		objective, in := randomInputs(rng)
		r, err := s.Solve(context.Background(), objective, in)
		if err != nil {
			counts[verdict(t, k, &s, in, err)]++
			continue
		}
		counts[string(objective)]++
		worstKKT = max(worstKKT, r.KKT)
		if r.KKT > 1e-9 {
			t.Errorf("problem %d, %s: KKT residual %v", k, objective, r.KKT)
		}
		if v := in.Set.Violation(r.Weights); v > 1e-12 {
			t.Errorf("problem %d, %s: violation %v", k, objective, v)
		}
		best, _ := badness(objective, in, r.Weights)
		size := math.Abs(best)
		if objective != MaxSharpe && objective != MaxDiversification {
			for j := range in.Set.N { // the terms may cancel
				size = max(size, 1e-3*in.Cov.At(j, j))
			}
		}
		for _, w := range feasiblePoints(rng, in, points) {
			if v, ok := badness(objective, in, w); ok && v < best-1e-9*size {
				t.Errorf("problem %d, %s: %v, but a feasible point has %v", k, objective, best, v)
				break
			}
		}
		order := rng.Perm(in.Set.N)
		other := permute(in, order)
		p, err := permuted.Solve(context.Background(), objective, other)
		if err != nil {
			t.Errorf("problem %d, %s: permuted: %v", k, objective, err)
			continue
		}
		again, _ := badness(objective, other, p.Weights)
		if math.Abs(again-best) > 1e-9*size {
			t.Errorf("problem %d, %s: %v, but %v with the assets permuted", k, objective, best, again)
		}
		if mat.Cond(in.Cov, 2) < 1e4 && (objective == MinVariance || objective == MaxDiversification) {
			for i, j := range order {
				if math.Abs(p.Weights[i]-r.Weights[j]) > 1e-9 {
					t.Errorf("problem %d, %s: weights aren't permuted with the assets: %v", k, objective, p.Weights[i]-r.Weights[j])
					break
				}
			}
		}
	}
	if counts["ill-conditioned"] > problems/5000 {
		t.Errorf("%d problems are called too ill-conditioned", counts["ill-conditioned"])
	}
	t.Logf("%v; worst KKT residual %.2g", counts, worstKKT)
}

// verdict checks an error's reason, and names it.
func verdict(t *testing.T, k int, s *Solver, in *Inputs, err error) string {
	t.Helper()
	var target *InfeasibleTargetError
	var excess *NoExcessError
	var empty *simplex.InfeasibleError
	switch {
	case errors.Is(err, ErrNoVariance):
		return "no variance"
	case errors.Is(err, qp.ErrIllConditioned):
		return "ill-conditioned"
	case errors.As(err, &target):
		if !(target.Best < target.Target) {
			t.Errorf("problem %d: %v", k, err)
		}
		return "target out of reach"
	case errors.As(err, &excess):
		if !(excess.Best <= excess.RiskFree+1e-12) {
			t.Errorf("problem %d: %v", k, err)
		}
		return "no excess"
	case errors.As(err, &empty):
		s.begin(&in.Set, 0)
		s.pose(nil)
		r, err := s.qp.Solve(context.Background(), &s.problem, s.settings)
		if err != nil || r.Status != qp.Infeasible {
			t.Errorf("problem %d: %v, %v", k, r, err)
		} else if err := r.Certificate.Check(&s.problem); err != nil {
			t.Errorf("problem %d: %v", k, err)
		}
		return "empty set"
	}
	t.Errorf("problem %d: %v", k, err)
	return "error"
}

// feasiblePoints draws mixtures of a few projected points.
func feasiblePoints(rng *rand.Rand, in *Inputs, count int) [][]float64 {
	p, err := simplex.NewProjector(in.Set)
	if err != nil {
		return nil
	}
	n := in.Set.N
	base := make([][]float64, 12)
	for i := range base {
		base[i] = make([]float64, n)
		for j := range base[i] {
			base[i][j] = rng.NormFloat64()
		}
		if _, err := p.Project(base[i], base[i]); err != nil {
			return nil
		}
	}
	points := make([][]float64, count)
	for i := range points {
		a, b, share := base[rng.IntN(len(base))], base[rng.IntN(len(base))], rng.Float64()
		points[i] = make([]float64, n)
		for j := range n {
			points[i][j] = share*a[j] + (1-share)*b[j]
		}
	}
	return points
}

// permute reorders the assets: new asset i is old asset order[i].
func permute(in *Inputs, order []int) *Inputs {
	vector := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		p := make([]float64, len(order))
		for i, j := range order {
			p[i] = v[j]
		}
		return p
	}
	out := *in
	out.Mean, out.Benchmark, out.Previous = vector(in.Mean), vector(in.Benchmark), vector(in.Previous)
	out.Set.Lower, out.Set.Upper = vector(in.Set.Lower), vector(in.Set.Upper)
	out.Set.Groups = nil
	for _, g := range in.Set.Groups {
		g.Share = vector(g.Share)
		out.Set.Groups = append(out.Set.Groups, g)
	}
	if t := in.Set.Turnover; t != nil {
		out.Set.Turnover = &simplex.Turnover{Held: vector(t.Held), Beside: t.Beside, Most: t.Most}
	}
	n := len(order)
	out.Cov = mat.NewSymDense(n, nil)
	periods, _ := in.Returns.Dims()
	out.Returns = mat.NewDense(periods, n, nil)
	for i := range n {
		for j := range i + 1 {
			out.Cov.SetSym(i, j, in.Cov.At(order[i], order[j]))
		}
		for t := range periods {
			out.Returns.Set(t, i, in.Returns.At(t, order[i]))
		}
	}
	return &out
}
