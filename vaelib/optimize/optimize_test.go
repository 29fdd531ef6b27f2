package optimize

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// TestMinimumWeight compares branch and bound with the enumeration of all
// supports.
func TestMinimumWeight(t *testing.T) {
	const n = 7
	for k := range 30 {
		returns := market(60, n, uint64(k))
		mean, cov := sample(returns)
		in := &Inputs{Mean: mean, Cov: cov, RiskAversion: 8}
		in.Set = simplex.Set{N: n, Upper: full(n, 0.45), MinWeight: 0.12}
		if k%2 == 0 {
			in.Set.Groups = []simplex.Group{{Share: []float64{1, 1, 0.5, 0, 0, 0, 0}, Lo: 0.1, Hi: 0.3}}
		}
		for _, objective := range []Objective{MinVariance, MeanVariance, MaxSharpe, MaxDiversification} {
			got, err := Solve(context.Background(), objective, in)
			best, found := math.Inf(1), false
			for support := 1; support < 1<<n; support++ {
				sub := *in
				sub.Set.MinWeight = 0
				sub.Set.Lower, sub.Set.Upper = make([]float64, n), make([]float64, n)
				for j := range n {
					if support>>j&1 == 1 {
						sub.Set.Lower[j], sub.Set.Upper[j] = in.Set.MinWeight, in.Set.Upper[j]
					}
				}
				if r, err := Solve(context.Background(), objective, &sub); err == nil {
					v, _ := badness(objective, in, r.Weights)
					best, found = min(best, v), true
				}
			}
			if !found {
				if err == nil {
					t.Errorf("market %d, %s: no support is feasible, but a result", k, objective)
				}
				continue
			}
			if err != nil {
				t.Errorf("market %d, %s: %v", k, objective, err)
				continue
			}
			v, _ := badness(objective, in, got.Weights)
			if math.Abs(v-best) > 1e-10*math.Abs(best) || got.Gap != 0 || got.Status != "optimal" {
				t.Errorf("market %d, %s: %v by branch and bound, %v by enumeration; gap %v", k, objective, v, best, got.Gap)
			}
			if violation := in.Set.Violation(got.Weights); violation > 1e-12 {
				t.Errorf("market %d, %s: violation %v", k, objective, violation)
			}
		}
	}
}

// TestNodeLimit stops branch and bound early: the gap it states must hold.
func TestNodeLimit(t *testing.T) {
	const n = 30
	mean, cov := sample(market(200, n, 3))
	in := &Inputs{Mean: mean, Cov: cov, RiskAversion: 4, Set: simplex.Set{N: n, MinWeight: 0.11, Upper: full(n, 0.2)}}
	stopped := 0
	for _, objective := range []Objective{MinVariance, MeanVariance, MaxSharpe} {
		whole, err := Solve(context.Background(), objective, in)
		if err != nil {
			t.Fatal(err)
		}
		if whole.Gap != 0 {
			t.Errorf("%s: gap %v", objective, whole.Gap)
		}
		cut := *in
		cut.MaxNodes = 2
		early, err := Solve(context.Background(), objective, &cut)
		if err != nil {
			continue // no portfolio yet
		}
		if early.Status != "optimal" {
			stopped++
		}
		a, _ := badness(objective, in, early.Weights)
		b, _ := badness(objective, in, whole.Weights)
		if a < b-1e-12 || a-b > early.Gap+1e-12 {
			t.Errorf("%s: %v after two nodes, %v in the end; gap %v, %s", objective, a, b, early.Gap, early.Status)
		}
	}
	if stopped == 0 {
		t.Error("two nodes were enough for everything: the test tests nothing")
	}
	in.Set.MinWeight, in.Set.Upper, in.MaxNodes = 0.35, full(n, 0.4), 9
	if _, err := Solve(context.Background(), MinVariance, in); err == nil || !strings.Contains(err.Error(), "no number of holdings") {
		t.Errorf("an empty set, and nine nodes: error %v doesn't say that it is empty", err)
	}
}

func TestUnsupported(t *testing.T) {
	const n = 6
	returns := market(80, n, 1)
	mean, cov := sample(returns)
	base := Inputs{Returns: returns, Mean: mean, Cov: cov, Budgets: []float64{1, 2, 3, 4, 5, 6}, Benchmark: full(n, 1./n), Previous: full(n, 1./n)}
	base.Set = simplex.Set{N: n}
	short := func(in *Inputs) { in.Set.Lower = full(n, -0.1) }
	least := func(in *Inputs) { in.Set.MinWeight = 0.3 }
	group := func(in *Inputs) {
		in.Set.Groups = []simplex.Group{{Name: "first", Share: []float64{1, 1, 1, 0, 0, 0}, Lo: math.Inf(-1), Hi: 0.1}}
	}
	charge := func(in *Inputs) { in.TurnoverCharge = 0.001 }
	for _, c := range []struct {
		change     func(*Inputs)
		objectives []Objective
	}{
		{short, []Objective{RiskParity, RiskBudget, HRP, InverseVolatility, EqualWeight}},
		{group, []Objective{RiskParity, RiskBudget, HRP, InverseVolatility, EqualWeight}},
		{least, []Objective{MinCVaR, MaxMin, RiskParity, HRP, EqualWeight}},
		{charge, []Objective{MaxSharpe, MinCVaR, HRP}},
	} {
		for _, objective := range c.objectives {
			in := base
			c.change(&in)
			var unsupported *UnsupportedError
			if _, err := Solve(context.Background(), objective, &in); !errors.As(err, &unsupported) {
				t.Errorf("%s: error %v", objective, err)
			}
		}
	}
	for _, objective := range []Objective{RiskParity, HRP, InverseVolatility, EqualWeight} {
		in := base
		group(&in)
		in.Project = true
		r, err := Solve(context.Background(), objective, &in)
		if err != nil {
			t.Fatal(err)
		}
		if v := in.Set.Violation(r.Weights); v > 1e-12 || len(r.Notes) != 1 {
			t.Errorf("%s projected: violation %v, notes %q", objective, v, r.Notes)
		}
	}
}

func TestErrors(t *testing.T) {
	const n = 4
	returns := market(50, n, 1)
	mean, cov := sample(returns)
	flat := mat.NewSymDense(n, nil)
	flat.CopySym(cov)
	for j := range n {
		flat.SetSym(2, j, 0)
	}
	holed := mat.NewSymDense(n, nil)
	holed.CopySym(cov)
	holed.SetSym(1, 3, math.NaN())
	set := simplex.Set{N: n, Symbols: []string{"A", "B", "C", "D"}}
	impossible := set
	impossible.Upper = full(n, 0.2)
	high := 1.0
	for _, c := range []struct {
		objective Objective
		in        Inputs
		says      string
	}{
		{"min-fun", Inputs{Set: set}, "unknown objective"},
		{MinVariance, Inputs{Set: set}, "needs a covariance"},
		{MeanVariance, Inputs{Set: set, Cov: cov}, "needs means"},
		{MinCVaR, Inputs{Set: set, Cov: cov}, "needs returns"},
		{RiskBudget, Inputs{Set: set, Cov: cov}, "needs budgets"},
		{RiskBudget, Inputs{Set: set, Cov: cov, Budgets: []float64{1, -1, 1, 1}}, "risk budget of B"},
		{MinVariance, Inputs{Set: set, Cov: holed}, "covariance of B and D"},
		{MinVariance, Inputs{Set: impossible, Cov: cov}, "0.8"},
		{RiskParity, Inputs{Set: impossible, Cov: cov}, "0.8"},
		{InverseVolatility, Inputs{Set: set, Cov: flat}, "C has no variance"},
		{HRP, Inputs{Set: set, Cov: flat}, "C has no variance"},
		{RiskParity, Inputs{Set: set, Cov: flat}, "C has no variance"},
		{HRP, Inputs{Set: set, Cov: cov, Linkage: "median"}, "unknown linkage"},
		{HRP, Inputs{Set: set, Cov: cov, LeafOrder: "best"}, "unknown leaf order"},
		{MeanVariance, Inputs{Set: set, Mean: mean, Cov: cov, TargetReturn: &high}, "the largest is"},
		{MeanVariance, Inputs{Set: set, Mean: mean, Cov: cov, RiskAversion: -1}, "risk aversion of -1"},
		{MinCVaR, Inputs{Set: set, Returns: returns, Level: 95}, "level of 95"},
	} {
		_, err := Solve(context.Background(), c.objective, &c.in)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, which should say %q", c.objective, err, c.says)
		}
	}
}

// TestRiskBudgets checks the shares of the variance, with assets that are all
// but the same, very different volatilities, and budgets over four decades.
func TestRiskBudgets(t *testing.T) {
	var s Solver
	undefined := 0
	for k := range 400 {
		rng := stream.New(1, "optimize.budgets", uint64(k))
		n := 2 + rng.IntN(40)
		returns := market(2+rng.IntN(100), n, uint64(k))
		periods, _ := returns.Dims()
		for t := range periods {
			for j := range n {
				returns.Set(t, j, returns.At(t, j)*math.Pow(10, float64(j%4)-2))
			}
			if k%3 == 0 {
				returns.Set(t, 1, returns.At(t, 0)*(1+1e-9*rng.Float64()))
			}
		}
		_, cov := sample(returns)
		budgets := make([]float64, n)
		for j := range budgets {
			budgets[j] = math.Pow(10, -4*rng.Float64())
		}
		if k%5 == 0 {
			budgets[n-1] = 0
		}
		r, err := s.Solve(context.Background(), RiskBudget, &Inputs{Set: simplex.Set{N: n}, Cov: cov, Budgets: budgets})
		if err != nil {
			// It must be true that a portfolio has no variance.
			correlations := mat.NewSymDense(n, nil)
			for i := range n {
				for j := range i + 1 {
					correlations.SetSym(i, j, cov.At(i, j)/math.Sqrt(cov.At(i, i)*cov.At(j, j)))
				}
			}
			least, other := s.Solve(context.Background(), MinVariance, &Inputs{Set: simplex.Set{N: n}, Cov: correlations})
			if other != nil || least.Value > 1e-12 {
				t.Errorf("budgets %d, %d assets, %d periods: %v", k, n, periods, err)
			}
			undefined++
			continue
		}
		if r.Value > 1e-9 || r.Iterations > 60 {
			t.Errorf("budgets %d: a share is off by %v after %d iterations", k, r.Value, r.Iterations)
		}
		if k%5 == 0 && r.Weights[n-1] != 0 {
			t.Errorf("budgets %d: %v without a budget", k, r.Weights[n-1])
		}
	}
	if undefined > 20 {
		t.Errorf("%d of 400 are undefined", undefined)
	}
}

// TestLinearProgrammes compares the cutting planes with the whole programme.
func TestLinearProgrammes(t *testing.T) {
	const n, periods = 9, 120
	for k := range 10 {
		returns := market(periods, n, uint64(k))
		in := &Inputs{Returns: returns, Level: 0.9, Set: simplex.Set{N: n, Upper: full(n, 0.3), Lower: full(n, -0.05*float64(k%2))}}
		tail := 0.1 * periods
		p := &qp.Problem{C: make([]float64, n+1+periods), A: mat.NewDense(periods+1, n+1+periods, nil),
			Lo: make([]float64, periods+1), Hi: full(periods+1, math.Inf(1)), Lower: make([]float64, n+1+periods), Upper: full(n+1+periods, math.Inf(1))}
		for j := range n {
			p.Lower[j], p.Upper[j] = in.Set.Lower[j], in.Set.Upper[j]
			p.A.Set(periods, j, 1)
		}
		p.Lo[periods], p.Hi[periods] = 1, 1
		p.C[n], p.Lower[n] = 1, math.Inf(-1)
		for i := range periods {
			p.C[n+1+i] = 1 / tail
			for j := range n {
				p.A.Set(i, j, returns.At(i, j))
			}
			p.A.Set(i, n, 1)
			p.A.Set(i, n+1+i, 1)
		}
		want, err := qp.Solve(context.Background(), p, qp.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Solve(context.Background(), MinCVaR, in)
		if err != nil {
			t.Fatal(err)
		}
		if relative(got.Value, want.Objective) > 1e-10 || got.Gap > 1e-12 {
			t.Errorf("market %d: CVaR %v, want %v; gap %v", k, got.Value, want.Objective, got.Gap)
		}
		s := &Solver{result: Result{Weights: make([]float64, n)}}
		if err := s.minCVaRByMeans(context.Background(), in, 1, tail); err != nil {
			t.Fatal(err)
		}
		if v := s.cvar(in, s.result.Weights); relative(v, want.Objective) > 1e-10 || s.result.Gap > 1e-10 {
			t.Errorf("market %d: CVaR %v by the tails' means, want %v; gap %v", k, v, want.Objective, s.result.Gap)
		}
	}
}

func TestFrontier(t *testing.T) {
	for k := range 40 {
		rng := stream.New(1, "optimize.frontier", uint64(k))
		n := 3 + rng.IntN(20)
		mean, cov := sample(market(30+rng.IntN(200), n, uint64(k)))
		in := &Inputs{Mean: mean, Cov: cov, Set: simplex.Set{N: n}}
		switch k % 3 {
		case 1:
			in.Set.Upper = full(n, min(1, 2.5/float64(n)))
		case 2:
			in.Set.Lower = full(n, -0.2)
			in.Set.Groups = []simplex.Group{{Share: append(full(n/2, 1), make([]float64, n-n/2)...), Lo: 0.1, Hi: 0.6}}
		}
		f, err := Frontier(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(f.Corners, func(a, b Corner) int { return compare(a.Mean, b.Mean) }) {
			t.Errorf("market %d: the corners' means don't rise", k)
		}
		low, high := f.Corners[0].Mean, f.Corners[len(f.Corners)-1].Mean
		for i := range 21 {
			target := low + (high-low)*float64(i)/20
			in.TargetReturn = &target
			if i == 20 {
				target -= 1e-12 * math.Abs(target)
			}
			r, err := Solve(context.Background(), MeanVariance, in)
			if err != nil {
				t.Fatalf("market %d, point %d: %v", k, i, err)
			}
			w := f.At(target)
			if v := variance(cov, w); relative(v, r.Value) > 1e-9 {
				t.Errorf("market %d, point %d of 20, %d corners: variance %v on the frontier, %v solved", k, i, len(f.Corners), v, r.Value)
			}
			if v := in.Set.Violation(w); v > 1e-11 {
				t.Errorf("market %d, point %d: violation %v", k, i, v)
			}
		}
		weights, variances := f.Points(5)
		if rows, _ := weights.Dims(); rows != 5 || !slices.IsSorted(variances) {
			t.Errorf("market %d: points with variances %v", k, variances)
		}
	}
}

func TestTurnover(t *testing.T) {
	const n = 8
	mean, cov := sample(market(100, n, 1))
	in := &Inputs{Mean: mean, Cov: cov, RiskAversion: 3, Set: simplex.Set{N: n}, Previous: full(n, 1./n)}
	last := math.Inf(1)
	for _, charge := range []float64{0, 1e-5, 1e-4, 1e-3, 1} {
		in.TurnoverCharge = charge
		r, err := Solve(context.Background(), MeanVariance, in)
		if err != nil {
			t.Fatal(err)
		}
		var moved float64
		for j, w := range r.Weights {
			moved += math.Abs(w - in.Previous[j])
		}
		if moved > last+1e-12 {
			t.Errorf("a charge of %v moves %v, a lower one %v", charge, moved, last)
		}
		last = moved
		if charge == 1 && moved > 1e-15 {
			t.Errorf("a charge of 1 moves %v", moved)
		}
	}
}

// TestNoAllocation: the solver's memory doesn't grow.
func TestNoAllocation(t *testing.T) {
	const n = 20
	mean, cov := sample(market(100, n, 1))
	in := &Inputs{Mean: mean, Cov: cov, RiskAversion: 3, Set: simplex.Set{N: n, Upper: full(n, 0.2)}, Project: false}
	var s Solver
	for _, objective := range []Objective{MinVariance, MeanVariance, MaxSharpe, MaxDiversification, RiskParity, InverseVolatility, EqualWeight} {
		solve := func() {
			if _, err := s.Solve(context.Background(), objective, in); err != nil {
				t.Fatal(err)
			}
		}
		solve()
		if allocations := testing.AllocsPerRun(20, solve); allocations > 0 {
			t.Errorf("%s allocates %v times", objective, allocations)
		}
	}
}

// TestOneAsset leaves nothing to choose.
func TestOneAsset(t *testing.T) {
	returns := mat.NewDense(3, 1, []float64{0.01, -0.02, 0.03})
	mean, cov := sample(returns)
	in := &Inputs{Returns: returns, Mean: mean, Cov: cov, Set: simplex.Set{N: 1}, Budgets: []float64{1}, Benchmark: []float64{1}, LeafOrder: OrderOptimal}
	for _, objective := range Objectives() {
		r, err := Solve(context.Background(), objective, in)
		if err != nil {
			t.Errorf("%s: %v", objective, err)
		} else if r.Weights[0] != 1 {
			t.Errorf("%s: weight %v", objective, r.Weights[0])
		}
	}
}

// TestMinimumWeightVerdicts: what a minimum weight makes impossible is said
// with the figures of the set as it is.
func TestMinimumWeightVerdicts(t *testing.T) {
	cov := mat.NewSymDense(3, []float64{1, 0, 0, 0, 1, 0, 0, 0, 1})
	in := &Inputs{Mean: []float64{3, -2, -2}, Cov: cov, Set: simplex.Set{N: 3, Upper: full(3, 0.6), MinWeight: 0.4}}
	target := 1.5
	in.TargetReturn = &target
	var unreachable *InfeasibleTargetError
	if _, err := Solve(context.Background(), MeanVariance, in); !errors.As(err, &unreachable) || math.Abs(unreachable.Best-1) > 1e-12 {
		t.Errorf("target: error %v", err)
	}
	in.RiskFree = 1.5
	var excess *NoExcessError
	if _, err := Solve(context.Background(), MaxSharpe, in); !errors.As(err, &excess) || math.Abs(excess.Best-1) > 1e-12 {
		t.Errorf("ratio: error %v", err)
	}
}
