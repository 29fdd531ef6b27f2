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
			scale = max(scale, 1e-4*p.H.At(j, j)) // the bounds are of the order of 1
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
