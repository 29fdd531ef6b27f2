package optimize

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// The reference values are those of the shared case optimisers/core12: Clarabel
// at a tolerance of 1e-13 with an exact active-set polish, HiGHS for the linear
// programmes, scipy for the trees, Newton's method for the risk budgets.

type golden struct {
	Symbols  []string                   `json:"symbols"`
	Problems map[string]json.RawMessage `json:"problems"`
}

type goldenProblem struct {
	Weights   []float64
	Objective float64
	Budgets   []float64
	Lo, Hi    float64
	Support   []int
	Sectors   map[string][]string
	Cap       float64
}

type fixture struct {
	golden
	returns *mat.Dense
	mean    []float64
	cov     *mat.SymDense
}

func core12(t testing.TB) *fixture {
	t.Helper()
	f := new(fixture)
	sharedtest.JSON(t, &f.golden, "cases", "optimisers", "core12_expected.json")
	f.returns = sharedtest.Table(t, 1, "cases", "optimisers", "core12_returns.csv")
	f.mean, f.cov = sample(f.returns)
	return f
}

// window is the returns of core12 that end between two days, inclusive.
func window(t testing.TB, from, to string) *mat.Dense {
	t.Helper()
	path := sharedtest.Path(t, "cases", "data", "core12_close.csv")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []float64
	periods, n := 0, len(records[0])-1
	for i, record := range records[2:] {
		if day := record[0][:10]; day < from || day > to {
			continue
		}
		periods++
		for j := range n {
			before, err1 := strconv.ParseFloat(records[i+1][j+1], 64)
			after, err2 := strconv.ParseFloat(record[j+1], 64)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, after/before-1)
		}
	}
	return mat.NewDense(periods, n, rows)
}

// sample is the mean and the covariance with divisor T-1.
func sample(returns *mat.Dense) (mean []float64, cov *mat.SymDense) {
	periods, n := returns.Dims()
	mean = make([]float64, n)
	for j := range n {
		mean[j] = stat.Mean(mat.Col(make([]float64, periods), j, returns), nil)
	}
	cov = mat.NewSymDense(n, nil)
	stat.CovarianceMatrix(cov, returns, nil)
	return mean, cov
}

func (f *fixture) problem(t testing.TB, name string) goldenProblem {
	t.Helper()
	var p goldenProblem
	if err := json.Unmarshal(f.Problems[name], &p); err != nil {
		t.Fatal(name, err)
	}
	return p
}

func full(n int, v float64) []float64 {
	w := make([]float64, n)
	for j := range w {
		w[j] = v
	}
	return w
}

func relative(got, want float64) float64 { return math.Abs(got-want) / math.Abs(want) }

func TestGolden(t *testing.T) {
	f := core12(t)
	base := Inputs{Mean: f.mean, Cov: f.cov, Returns: f.returns}
	base.Set = simplex.Set{N: 12, Symbols: f.Symbols}
	for _, c := range []struct {
		name      string
		objective Objective
		tolerance float64 // of the value, relative
		weights   float64 // of the weights, absolute; 0: not compared
		change    func(*Inputs, goldenProblem)
	}{
		{"min_variance", MinVariance, 1e-12, 1e-9, nil},
		{"min_variance_wmax025", MinVariance, 1e-12, 1e-9, nil},
		{"max_sharpe", MaxSharpe, 1e-12, 1e-9, nil},
		{"max_sharpe_wmax025", MaxSharpe, 1e-12, 1e-9, nil},
		{"risk_parity", RiskParity, 0, 1e-12, nil},
		{"risk_budgeting", RiskBudget, 0, 1e-12, func(in *Inputs, p goldenProblem) { in.Budgets = p.Budgets }},
		{"inverse_volatility", InverseVolatility, 1e-13, 1e-13, nil},
		{"max_diversification", MaxDiversification, 1e-12, 1e-9, nil},
		{"min_cvar95", MinCVaR, 1e-12, 0, nil},
		{"min_cvar95_wmax025", MinCVaR, 1e-12, 0, nil},
		{"max_min_return", MaxMin, 1e-12, 0, nil},
		{"max_min_return_wmax025", MaxMin, 1e-12, 0, nil},
		{"min_variance_sector_caps035", MinVariance, 1e-12, 1e-9, nil},
		{"min_variance_sector_caps035_wmax025", MinVariance, 1e-12, 1e-9, nil},
		{"min_or_zero_min_variance", MinVariance, 1e-12, 1e-9, nil},
		{"min_or_zero_utility_gamma3", MeanVariance, 1e-12, 1e-9, func(in *Inputs, _ goldenProblem) { in.RiskAversion = 3 }},
		{"min_or_zero_utility_gamma10", MeanVariance, 1e-12, 1e-9, func(in *Inputs, _ goldenProblem) { in.RiskAversion = 10 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := f.problem(t, c.name)
			in := base
			if strings.HasSuffix(c.name, "wmax025") {
				in.Set.Upper = full(12, 0.25)
			}
			for name, members := range want.Sectors {
				share := make([]float64, 12)
				for _, m := range members {
					share[slices.Index(f.Symbols, m)] = 1
				}
				in.Set.Groups = append(in.Set.Groups, simplex.Group{Name: name, Share: share, Lo: math.Inf(-1), Hi: want.Cap})
			}
			if want.Lo > 0 {
				in.Set.MinWeight, in.Set.Upper = want.Lo, full(12, want.Hi)
			}
			if c.change != nil {
				c.change(&in, want)
			}
			r, err := Solve(context.Background(), c.objective, &in)
			if err != nil {
				t.Fatal(err)
			}
			if c.objective == MeanVariance {
				want.Objective = -want.Objective // there it is minimised
			}
			if c.tolerance > 0 && relative(r.Value, want.Objective) > c.tolerance {
				t.Errorf("value %v, want %v: off by %.2g", r.Value, want.Objective, relative(r.Value, want.Objective))
			}
			if (c.objective == RiskParity || c.objective == RiskBudget) && r.Value > 1e-13 {
				t.Errorf("a risk contribution is off by %v", r.Value)
			}
			if off := apart(r.Weights, want.Weights); c.weights > 0 && off > c.weights {
				t.Errorf("a weight is off by %v", off)
			}
			if v := in.Set.Violation(r.Weights); v > 1e-12 || r.KKT > 1e-9 || r.Gap > 1e-10 || r.Status != "optimal" {
				t.Errorf("violation %v, KKT %v, gap %v, %s", v, r.KKT, r.Gap, r.Status)
			}
			t.Logf("value %.17g, KKT %.2g, gap %.2g, %d iterations", r.Value, r.KKT, r.Gap, r.Iterations)
		})
	}
}

func TestGoldenUtilityAndFrontier(t *testing.T) {
	f := core12(t)
	in := Inputs{Mean: f.mean, Cov: f.cov, Set: simplex.Set{N: 12}}
	var utility, frontier struct {
		Points []struct {
			Gamma, Objective, Target, Variance float64
			Weights                            []float64
		}
	}
	if err := json.Unmarshal(f.Problems["mean_variance_utility"], &utility); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(f.Problems["efficient_frontier"], &frontier); err != nil {
		t.Fatal(err)
	}
	if len(utility.Points) == 0 || len(frontier.Points) == 0 {
		t.Fatal("the reference has no points")
	}
	efficient, err := Frontier(context.Background(), &in)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range utility.Points {
		in.RiskAversion = p.Gamma
		r, err := Solve(context.Background(), MeanVariance, &in)
		if err != nil {
			t.Fatal(err)
		}
		if relative(r.Value, p.Objective) > 1e-11 || apart(r.Weights, p.Weights) > 1e-9 || r.KKT > 1e-9 {
			t.Errorf("risk aversion %v: utility %v, want %v; weights off by %v; KKT %v", p.Gamma, r.Value, p.Objective, apart(r.Weights, p.Weights), r.KKT)
		}
		if w := efficient.At(dot(f.mean, r.Weights)); apart(w, r.Weights) > 1e-9 {
			t.Errorf("risk aversion %v: the frontier is off by %v", p.Gamma, apart(w, r.Weights))
		}
	}
	for _, p := range frontier.Points {
		in.TargetReturn = &p.Target
		r, err := Solve(context.Background(), MeanVariance, &in)
		if err != nil {
			t.Fatal(err)
		}
		if relative(r.Value, p.Variance) > 1e-11 || apart(r.Weights, p.Weights) > 1e-9 || r.KKT > 1e-9 {
			t.Errorf("target %v: variance %v, want %v; weights off by %v; KKT %v", p.Target, r.Value, p.Variance, apart(r.Weights, p.Weights), r.KKT)
		}
		if w := efficient.At(p.Target); apart(w, p.Weights) > 1e-9 {
			t.Errorf("target %v: the frontier is off by %v", p.Target, apart(w, p.Weights))
		}
	}
	t.Logf("%d corners", len(efficient.Corners))
}

func TestGoldenHRP(t *testing.T) {
	f := core12(t)
	var reference struct {
		Variants map[string]struct {
			Order   []int
			Weights []float64
		}
	}
	if err := json.Unmarshal(f.Problems["hrp"], &reference); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Inputs{
		"single_plain":              {},
		"single_optimal_leaf_order": {LeafOrder: OrderOptimal},
		"ward_plain":                {Linkage: Ward},
		"ward_optimal_leaf_order":   {Linkage: Ward, LeafOrder: OrderOptimal},
		"complete_plain":            {Linkage: Complete},
		"average_plain":             {Linkage: Average},

		"complete_optimal_leaf_order": {Linkage: Complete, LeafOrder: OrderOptimal},
		"average_optimal_leaf_order":  {Linkage: Average, LeafOrder: OrderOptimal},
	} {
		t.Run(name, func(t *testing.T) {
			want, ok := reference.Variants[name]
			if !ok {
				t.Fatal("no reference")
			}
			c.Cov, c.Set = f.cov, simplex.Set{N: 12}
			var s Solver
			r, err := s.Solve(context.Background(), HRP, &c)
			if err != nil {
				t.Fatal(err)
			}
			if off := apart(r.Weights, want.Weights); off > 1e-12 {
				t.Errorf("weights off by %v; order %v, want %v", off, s.cluster.order, want.Order)
			}
		})
	}
}

// TestBearWindow is a real year in which one asset's mean is positive, and no
// capped portfolio's.
func TestBearWindow(t *testing.T) {
	mean, cov := sample(window(t, "2021-12-07", "2022-12-06"))
	in := Inputs{Mean: mean, Cov: cov, Set: simplex.Set{N: 12}}
	r, err := Solve(context.Background(), MaxSharpe, &in)
	if err != nil {
		t.Fatal(err)
	}
	if relative(r.Value, 0.0004118985268660848) > 1e-9 {
		t.Errorf("uncapped Sharpe ratio %v", r.Value)
	}
	in.Set.Upper = full(12, 0.25)
	_, err = Solve(context.Background(), MaxSharpe, &in)
	var undefined *NoExcessError
	if !errors.As(err, &undefined) || relative(undefined.Best, -0.0007527481820422273) > 1e-9 {
		t.Errorf("error %v", err)
	}
	bear := window(t, "2021-12-07", "2022-12-06")
	_, err = Bound(context.Background(), metrics.MaximizeSharpe, bear, in.Set, metrics.Settings{PeriodsPerYear: 365})
	if !errors.As(err, &undefined) {
		t.Errorf("the bound's error is %v", err)
	}
	in.MinVarianceFallback = true
	r, err = Solve(context.Background(), MaxSharpe, &in)
	if err != nil {
		t.Fatal(err)
	}
	least, err := Solve(context.Background(), MinVariance, &in)
	if err != nil {
		t.Fatal(err)
	}
	if apart(r.Weights, least.Weights) > 0 || len(r.Notes) != 1 {
		t.Errorf("the fallback isn't the minimum variance: %v, notes %q", r.Weights, r.Notes)
	}
}

// TestRollingWindows solves every objective on the rolling years of core12. In
// 5 of the 38 no portfolio with a cap of a quarter has a positive mean.
func TestRollingWindows(t *testing.T) {
	all := window(t, "0000", "9999")
	periods, n := all.Dims()
	var s Solver
	windows, undefined := 0, 0
	for from := 0; from+365 <= periods; from += 30 {
		windows++
		returns := all.Slice(from, from+365, 0, n).(*mat.Dense)
		mean, cov := sample(returns)
		in := Inputs{Returns: returns, Mean: mean, Cov: cov, RiskAversion: 4, Set: simplex.Set{N: n, Upper: full(n, 0.25)}}
		in.Budgets, in.Benchmark = full(n, 1), full(n, 1/float64(n))
		in.Project = true
		for _, objective := range Objectives() {
			r, err := s.Solve(context.Background(), objective, &in)
			var excess *NoExcessError
			if objective == MaxSharpe && errors.As(err, &excess) {
				undefined++
				continue
			}
			if err != nil {
				t.Fatalf("window from %d, %s: %v", from, objective, err)
			}
			if v := in.Set.Violation(r.Weights); v > 1e-12 || r.KKT > 1e-9 || r.Gap > 1e-9 || math.IsNaN(r.Value) {
				t.Errorf("window from %d, %s: violation %v, KKT %v, gap %v, value %v", from, objective, v, r.KKT, r.Gap, r.Value)
			}
		}
	}
	if windows != 38 || undefined != 5 {
		t.Errorf("%d of %d windows have no positive mean, want 5 of 38", undefined, windows)
	}
}
