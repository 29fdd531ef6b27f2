package qp

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

func TestTextbook(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name      string
		p         Problem
		status    Status
		x         []float64
		objective float64
	}{
		{
			name: "Nocedal and Wright, Numerical Optimization, example 16.4, less its constant",
			p: Problem{H: mat.NewSymDense(2, []float64{2, 0, 0, 2}), C: []float64{-2, -5},
				A: mat.NewDense(3, 2, []float64{1, -2, -1, -2, -1, 2}), Lo: []float64{-2, -6, -2}, Lower: []float64{0, 0}},
			x: []float64{1.4, 1.7}, objective: -6.45,
		},
		{
			name: "linear programme with its optimum at a vertex",
			p: Problem{C: []float64{-3, -5}, A: mat.NewDense(3, 2, []float64{1, 0, 0, 2, 3, 2}),
				Hi: []float64{4, 12, 18}, Lower: []float64{0, 0}},
			x: []float64{2, 6}, objective: -36,
		},
		{
			name:   "linear programme without a bound",
			p:      Problem{C: []float64{-1, 0}, A: mat.NewDense(1, 2, []float64{1, -1}), Hi: []float64{1}, Lower: []float64{0, 0}},
			status: Unbounded,
		},
		{
			name: "singular quadratic term, bounded by the rows",
			p: Problem{H: mat.NewSymDense(2, []float64{1, 1, 1, 1}), C: []float64{1, 0},
				A: mat.NewDense(1, 2, []float64{1, 0}), Lo: []float64{-2}, Hi: []float64{inf}},
			x: []float64{-2, 2}, objective: -2,
		},
		{
			name: "two rows that contradict each other",
			p: Problem{H: mat.NewSymDense(2, []float64{1, 0, 0, 1}), A: mat.NewDense(2, 2, []float64{1, 1, 1, 1}),
				Lo: []float64{1, -inf}, Hi: []float64{inf, 0.5}},
			status: Infeasible,
		},
		{
			name:   "limits of one row that exclude each other",
			p:      Problem{A: mat.NewDense(1, 2, []float64{1, 1}), Lo: []float64{1}, Hi: []float64{0}},
			status: Infeasible,
		},
		{
			name:   "a row out of the bounds' reach",
			p:      Problem{A: mat.NewDense(1, 2, []float64{1, 1}), Lo: []float64{3}, Lower: []float64{0, 0}, Upper: []float64{1, 1}},
			status: Infeasible,
		},
		{
			name: "no rows",
			p:    Problem{H: mat.NewSymDense(2, []float64{1, 0, 0, 1}), C: []float64{-3, 0.5}, Lower: []float64{0, 0}, Upper: []float64{1, 1}},
			x:    []float64{1, 0}, objective: -2.5,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Solve(context.Background(), &c.p, Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != c.status {
				t.Fatalf("status %v, want %v", r.Status, c.status)
			}
			switch c.status {
			case Infeasible:
				if err := r.Certificate.Check(&c.p); err != nil {
					t.Error(err)
				}
			case Optimal:
				for j, v := range c.x {
					if math.Abs(r.X[j]-v) > 1e-12 {
						t.Errorf("x = %v, want %v", r.X, c.x)
						break
					}
				}
				if math.Abs(r.Objective-c.objective) > 1e-12 || r.KKT > 1e-12 {
					t.Errorf("objective %v, want %v; KKT %v", r.Objective, c.objective, r.KKT)
				}
			}
		})
	}
}

// randomProblem draws problems of every kind: definite, singular and absent
// quadratic terms, equalities, duplicated rows and columns, fixed variables,
// integer data with many ties. Most are feasible; all are bounded by a box.
func randomProblem(rng *rand.Rand) *Problem {
	n, m := 1+rng.IntN(12), rng.IntN(9)
	integers := rng.IntN(2) == 0
	draw := func() float64 {
		if integers {
			return float64(rng.IntN(5) - 2)
		}
		return rng.NormFloat64()
	}
	p := &Problem{C: make([]float64, n), Lower: make([]float64, n), Upper: make([]float64, n)}
	if rank := rng.IntN(n + 2); rank > 0 {
		f := mat.NewDense(rank, n, nil)
		for i := range rank {
			for j := range n {
				f.Set(i, j, draw())
			}
		}
		if n > 1 && rng.IntN(3) == 0 { // two variables that are all but the same
			for i := range rank {
				f.Set(i, 1, f.At(i, 0)*(1+1e-7*float64(rng.IntN(2))))
			}
		}
		scale := math.Pow(10, -float64(rng.IntN(5)))
		h := mat.NewSymDense(n, nil)
		h.SymOuterK(scale, f.T())
		p.H = h
	}
	if rng.IntN(4) > 0 {
		for j := range n {
			p.C[j] = draw()
		}
	}
	inside := make([]float64, n)
	for j := range n {
		p.Lower[j] = -float64(rng.IntN(3))
		p.Upper[j] = p.Lower[j] + float64(rng.IntN(4))
		inside[j] = p.Lower[j] + rng.Float64()*(p.Upper[j]-p.Lower[j])
		if integers {
			inside[j] = math.Round(inside[j])
		}
	}
	if m == 0 {
		return p
	}
	p.A = mat.NewDense(m, n, nil)
	p.Lo, p.Hi = make([]float64, m), make([]float64, m)
	for i := range m {
		activity := 0.0
		copyOf := -1
		if i > 0 && rng.IntN(4) == 0 {
			copyOf = rng.IntN(i)
		}
		for j := range n {
			v := draw()
			if copyOf >= 0 {
				v = p.A.At(copyOf, j)
			}
			p.A.Set(i, j, v)
			activity += v * inside[j]
		}
		p.Lo[i], p.Hi[i] = math.Inf(-1), math.Inf(1)
		switch rng.IntN(4) {
		case 0:
			p.Lo[i], p.Hi[i] = activity, activity
		case 1:
			p.Lo[i] = activity
		case 2:
			p.Hi[i] = activity + float64(rng.IntN(2))
		case 3:
			p.Lo[i], p.Hi[i] = activity-1, activity+1
		}
		if rng.IntN(40) == 0 { // perhaps out of reach
			p.Lo[i], p.Hi[i] = activity+3, activity+4
		}
	}
	return p
}

func TestRandomProblems(t *testing.T) {
	count := 20000
	if testing.Short() {
		count = 2000
	}
	var s Solver
	worst, iterations := 0.0, 0
	statuses := map[Status]int{}
	for k := range count {
		p := randomProblem(stream.New(1, "qp.random", uint64(k)))
		r, err := s.Solve(context.Background(), p, Settings{})
		if err != nil {
			t.Fatalf("problem %d: %v", k, err)
		}
		statuses[r.Status]++
		iterations += r.Iterations
		switch r.Status {
		case Optimal:
			worst = max(worst, r.KKT)
			if kkt := independentKKT(p, r); kkt > 1e-9 || r.KKT > 1e-9 {
				t.Errorf("problem %d: KKT residual %v, reported %v", k, kkt, r.KKT)
			}
		case Infeasible:
			if err := r.Certificate.Check(p); err != nil {
				t.Errorf("problem %d: %v", k, err)
			}
		default:
			t.Errorf("problem %d is %v", k, r.Status)
		}
	}
	t.Logf("%v, worst KKT residual %.2g, %.1f iterations a problem", statuses, worst, float64(iterations)/float64(count))
	if statuses[Optimal] < count*7/10 || statuses[Infeasible] < count/50 {
		t.Errorf("the problems are not the mix they should be: %v", statuses)
	}
}

// independentKKT recomputes the optimality conditions by other means than the
// solver's: gradient, signs and complementary slackness with gonum.
func independentKKT(p *Problem, r *Result) float64 {
	n, m := p.Dims()
	x := mat.NewVecDense(n, r.X)
	g := mat.NewVecDense(n, nil)
	if p.H != nil {
		g.MulVec(p.H, x)
	}
	scale := mat.Norm(g, math.Inf(1))
	if p.C != nil {
		c := mat.NewVecDense(n, p.C)
		scale = max(scale, mat.Norm(c, math.Inf(1)))
		g.AddVec(g, c)
	}
	if p.H != nil {
		for j := range n {
			scale = max(scale, 1e-2*p.H.At(j, j)) // the bounds are of the order of 1
		}
	}
	if scale == 0 {
		scale = 1
	}
	worst := 0.0
	complement := func(multiplier, v, lo, hi float64) {
		worst = max(worst, lo-v, v-hi)
		if multiplier > 0 {
			worst = max(worst, multiplier*math.Abs(v-lo)/scale)
		} else if multiplier < 0 {
			worst = max(worst, -multiplier*math.Abs(hi-v)/scale)
		}
	}
	for i := range m {
		var activity float64
		for j := range n {
			activity += p.A.At(i, j) * r.X[j]
			g.SetVec(j, g.AtVec(j)-p.A.At(i, j)*r.RowMultipliers[i])
		}
		lo, hi := limits(p.Lo, p.Hi, i)
		complement(r.RowMultipliers[i], activity, lo, hi)
	}
	for j := range n {
		lo, hi := limits(p.Lower, p.Upper, j)
		complement(r.BoundMultipliers[j], r.X[j], lo, hi)
		worst = max(worst, math.Abs(g.AtVec(j)-r.BoundMultipliers[j])/scale)
	}
	return worst
}

func budget(n int, h *mat.SymDense, c []float64) *Problem {
	ones := mat.NewDense(1, n, nil)
	for j := range n {
		ones.Set(0, j, 1)
	}
	return &Problem{H: h, C: c, A: ones, Lo: []float64{1}, Hi: []float64{1}, Lower: make([]float64, n)}
}

// factorModel is a covariance matrix with one strong factor.
func factorModel(n int) *mat.SymDense {
	rng := stream.New(1, "qp.factor", uint64(n))
	h := mat.NewSymDense(n, nil)
	beta := make([]float64, n)
	for j := range beta {
		beta[j] = 0.02 + 0.02*rng.Float64()
	}
	noise := mat.NewDense(3*n, n, nil)
	for i := range 3 * n {
		for j := range n {
			noise.Set(i, j, 0.03*rng.NormFloat64())
		}
	}
	h.SymOuterK(1/float64(3*n), noise.T())
	for i := range n {
		for j := i; j < n; j++ {
			h.SetSym(i, j, h.At(i, j)+beta[i]*beta[j])
		}
	}
	return h
}

func BenchmarkMinimumVariance(b *testing.B) {
	for _, n := range []int{12, 40, 500} {
		for _, warm := range []bool{false, true} {
			name := map[bool]string{false: "cold", true: "warm"}[warm]
			b.Run(name+"/"+strconv.Itoa(n), func(b *testing.B) {
				p := budget(n, factorModel(n), nil)
				var s Solver
				if _, err := s.Solve(context.Background(), p, Settings{}); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					r, err := s.Solve(context.Background(), p, Settings{Warm: warm})
					if err != nil || r.Status != Optimal {
						b.Fatal(r, err)
					}
				}
				b.ReportMetric(float64(s.result.Iterations), "iterations")
			})
		}
	}
}

// TestWarm changes limits between solves: the working set of the last solve
// must not be trusted for more than it is.
func TestWarm(t *testing.T) {
	var warm, cold Solver
	for k := range 3000 {
		rng := stream.New(1, "qp.warm", uint64(k))
		p := randomProblem(rng)
		for round := range 4 {
			a, err := warm.Solve(context.Background(), p, Settings{Warm: round > 0})
			if err != nil {
				t.Fatal(err)
			}
			b, err := cold.Solve(context.Background(), p, Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if a.Status != b.Status {
				t.Fatalf("problem %d, round %d: %v warm, %v cold", k, round, a.Status, b.Status)
			}
			if a.Status == Optimal {
				if math.Abs(a.Objective-b.Objective) > 1e-9*(1+math.Abs(b.Objective)) || a.KKT > 1e-9 {
					t.Fatalf("problem %d, round %d: objective %v warm, %v cold; KKT %v", k, round, a.Objective, b.Objective, a.KKT)
				}
			}
			j := rng.IntN(len(p.Lower))
			switch rng.IntN(3) {
			case 0:
				p.Lower[j] = p.Upper[j]
			case 1:
				p.Upper[j]++
			case 2:
				for i := range p.C {
					p.C[i] += 0.1 * rng.NormFloat64()
				}
			}
		}
	}
}

// TestLarge solves problems whose working sets grow and shrink by dozens.
func TestLarge(t *testing.T) {
	var s Solver
	for k := range 60 {
		rng := stream.New(1, "qp.large", uint64(k))
		n, m := 20+rng.IntN(100), rng.IntN(60)
		rank := 1 + rng.IntN(2*n)
		f := mat.NewDense(rank, n, nil)
		p := &Problem{H: mat.NewSymDense(n, nil), C: make([]float64, n), Lower: make([]float64, n), Upper: make([]float64, n)}
		for j := range n {
			for i := range rank {
				f.Set(i, j, rng.NormFloat64())
			}
			p.C[j] = 10 * rng.NormFloat64()
			p.Upper[j] = rng.Float64()
		}
		p.H.SymOuterK(1, f.T())
		if m > 0 {
			p.A = mat.NewDense(m, n, nil)
			p.Lo, p.Hi = make([]float64, m), make([]float64, m)
			for i := range m {
				for j := range n {
					v := rng.NormFloat64()
					p.A.Set(i, j, v)
					p.Lo[i] += v * p.Upper[j] / 2
				}
				p.Hi[i] = p.Lo[i]
				if i >= n/4 {
					p.Lo[i] -= rng.Float64()
				}
			}
		}
		if k%5 == 0 {
			p.H = nil
		}
		r, err := s.Solve(context.Background(), p, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != Optimal || r.KKT > 1e-10 {
			t.Errorf("problem %d, n %d, m %d: %v, KKT %v, %d iterations", k, n, m, r.Status, r.KKT, r.Iterations)
		}
		if kkt := independentKKT(p, r); kkt > 1e-9 {
			t.Errorf("problem %d: KKT residual %v", k, kkt)
		}
		r, err = s.Solve(context.Background(), p, Settings{Warm: true})
		if err != nil || r.Status != Optimal || r.Iterations > 2 {
			t.Errorf("problem %d again: %v, %v", k, r, err)
		}
	}
}

// TestProjection checks the nearest point of a simplex, which is known in
// closed form: v less one number, cut off at zero.
func TestProjection(t *testing.T) {
	const n = 200
	rng := stream.New(1, "qp.projection", 0)
	h := mat.NewSymDense(n, nil)
	c := make([]float64, n)
	for j := range n {
		h.SetSym(j, j, 1)
		c[j] = -rng.NormFloat64()
	}
	r, err := Solve(context.Background(), budget(n, h, c), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	threshold := -r.RowMultipliers[0]
	var sum float64
	for j, x := range r.X {
		want := max(-c[j]-threshold, 0)
		sum += want
		if math.Abs(x-want) > 1e-14 {
			t.Errorf("x[%d] = %v, want %v", j, x, want)
		}
	}
	if math.Abs(sum-1) > 1e-13 {
		t.Errorf("the threshold's weights sum to %v", sum)
	}
}

func TestCuts(t *testing.T) {
	// The smallest value of the highest of many planes, as a programme with all
	// its rows and by cuts.
	const n, planes = 6, 400
	rng := stream.New(1, "qp.cuts", 0)
	slopes := mat.NewDense(planes, n, nil)
	for i := range planes {
		for j := range n {
			slopes.Set(i, j, rng.NormFloat64())
		}
	}
	p := &Problem{C: make([]float64, n+1), Lower: make([]float64, n+1), Upper: make([]float64, n+1)}
	p.C[n], p.Lower[n], p.Upper[n] = 1, -100, 100
	whole := *p
	for j := range n {
		p.Lower[j], p.Upper[j] = -1, 2
	}
	plane := func(row []float64, i int) float64 { // height - slope'x >= i/planes
		for j := range n {
			row[j] = -slopes.At(i, j)
		}
		row[n] = 1
		return float64(i) / planes
	}
	whole.A, whole.Lo = mat.NewDense(planes, n+1, nil), make([]float64, planes)
	for i := range planes {
		whole.Lo[i] = plane(whole.A.RawRowView(i), i)
	}
	want, err := Solve(context.Background(), &whole, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range []float64{0, 0.01} {
		got, err := new(Solver).SolveByCuts(context.Background(), p, func(x []float64, cuts *Cuts) float64 {
			highest, at := math.Inf(-1), 0
			for i := range planes {
				v := float64(i) / planes
				for j := range n {
					v += slopes.At(i, j) * x[j]
				}
				if v > highest {
					highest, at = v, i
				}
			}
			if highest > x[n]+1e-12 {
				plane(cuts.Row(float64(at)/planes, math.Inf(1)), at)
			}
			return highest
		}, gap, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if off := want.Objective - got.Objective; want.Status != Optimal || off < -1e-12 || off > got.Gap+1e-11 || got.Gap > gap {
			t.Errorf("%v by cuts, %v with all rows; gap %v", got.Objective, want.Objective, got.Gap)
		}
		if got.Cuts == 0 || got.Cuts > planes/4 {
			t.Errorf("%d cuts", got.Cuts)
		}
	}
}

func TestSensitivity(t *testing.T) {
	const n, step = 12, 1e-6
	rng := stream.New(1, "qp.sensitivity", 0)
	p := budget(n, factorModel(n), make([]float64, n))
	direction := make([]float64, n)
	for j := range direction {
		direction[j] = 1e-3 * rng.NormFloat64()
	}
	var s Solver
	r, err := s.Solve(context.Background(), p, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	before := append([]float64(nil), r.X...)
	slope := make([]float64, n)
	s.Sensitivity(slope, direction)
	for j := range p.C {
		p.C[j] = step * direction[j]
	}
	if r, err = s.Solve(context.Background(), p, Settings{}); err != nil {
		t.Fatal(err)
	}
	for j := range n {
		if got := (r.X[j] - before[j]) / step; math.Abs(got-slope[j]) > 1e-7 {
			t.Errorf("x[%d] moves at %v, not %v", j, got, slope[j])
		}
	}
}

func TestErrors(t *testing.T) {
	nan := math.NaN()
	for name, p := range map[string]*Problem{
		"indefinite":           {H: mat.NewSymDense(2, []float64{1, 2, 2, 1}), Lower: []float64{-1, -1}, Upper: []float64{1, 1}, C: []float64{0.1, -0.1}},
		"no number in H":       {H: mat.NewSymDense(1, []float64{nan})},
		"no number in C":       {C: []float64{nan}},
		"no number in A":       {C: []float64{1}, A: mat.NewDense(1, 1, []float64{nan})},
		"no number in Lo":      {C: []float64{1}, A: mat.NewDense(1, 1, []float64{1}), Lo: []float64{nan}},
		"limit at infinity":    {C: []float64{1}, Lower: []float64{math.Inf(1)}},
		"no number in a limit": {C: []float64{1}, Upper: []float64{nan}},
	} {
		if r, err := Solve(context.Background(), p, Settings{}); err == nil {
			t.Errorf("%s: no error, but %v", name, r.Status)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n := 300
	c := make([]float64, n)
	h := mat.NewSymDense(n, nil)
	for j := range n {
		h.SetSym(j, j, 1)
		c[j] = -1
	}
	if _, err := Solve(ctx, budget(n, h, c), Settings{}); err != context.Canceled {
		t.Errorf("a cancelled solve returns %v", err)
	}
	if r, err := Solve(context.Background(), budget(n, h, c), Settings{MaxIterations: 5}); err != nil || r.Status != IterationLimit {
		t.Errorf("five iterations: %v, %v", r.Status, err)
	}
}
