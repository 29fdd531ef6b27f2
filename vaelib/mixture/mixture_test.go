package mixture_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distmv"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/stream"
)

// twoClusters has a third of its points around (-3, 0) and the rest around
// (3, 1) with correlated coordinates.
func twoClusters(n int) *mat.Dense {
	rng := stream.New(1, "two clusters", 0)
	x := mat.NewDense(n, 2, nil)
	for i := range n {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		if i%3 == 0 {
			x.SetRow(i, []float64{-3 + 0.5*a, 0.5 * b})
		} else {
			x.SetRow(i, []float64{3 + a, 1 + 0.8*a + 0.6*b})
		}
	}
	return x
}

func ExampleFit() {
	m, err := mixture.Fit(context.Background(), twoClusters(3000), mixture.Settings{Components: 2},
		stream.New(1, "fit", 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	z := make([]float64, m.Dim())
	rng := stream.New(1, "draw", 0)
	left := 0
	for range 100000 {
		m.Rand(z, rng)
		if z[0] < 0 {
			left++
		}
	}
	fmt.Printf("%d components, %.1f of the draws on the left\n", m.Components(), float64(left)/100000)
	// Output: 2 components, 0.3 of the draws on the left
}

// One component is the maximum-likelihood normal, whose density gonum knows.
func TestOneComponentIsTheNormal(t *testing.T) {
	x := twoClusters(500)
	m, err := mixture.Fit(context.Background(), x, mixture.Settings{Components: 1, Ridge: 1e-14}, stream.New(1, "fit", 0))
	if err != nil {
		t.Fatal(err)
	}
	mean := []float64{stat.Mean(mat.Col(nil, 0, x), nil), stat.Mean(mat.Col(nil, 1, x), nil)}
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, x, nil)
	cov.ScaleSym(499.0/500, &cov) // maximum likelihood divides by N
	normal, ok := distmv.NewNormal(mean, &cov, nil)
	if !ok {
		t.Fatal("reference covariance is not positive definite")
	}
	for i := range 20 {
		point := x.RawRowView(i)
		if got, want := m.LogProb(point), normal.LogProb(point); math.Abs(got-want) > 1e-9 {
			t.Errorf("log density at %v is %v, want %v", point, got, want)
		}
	}
}

// Draws have the moments of the data, which one component matches exactly and
// more components match up to the ridge.
func TestMomentsOfDraws(t *testing.T) {
	x := twoClusters(5000)
	for _, k := range []int{1, 2, 10} {
		m, err := mixture.Fit(context.Background(), x, mixture.Settings{Components: k}, stream.New(1, "fit", 0))
		if err != nil {
			t.Fatal(err)
		}
		const n = 40000
		draws := mat.NewDense(n, 2, nil)
		rng := stream.New(2, "draws", 0)
		for i := range n {
			m.Rand(draws.RawRowView(i), rng)
		}
		var got, want mat.SymDense
		stat.CovarianceMatrix(&got, draws, nil)
		stat.CovarianceMatrix(&want, x, nil)
		for a := range 2 {
			for b := range 2 {
				if math.Abs(got.At(a, b)-want.At(a, b)) > 0.03*want.At(0, 0) {
					t.Errorf("%d components: covariance %d,%d is %.3f, want %.3f", k, a, b, got.At(a, b), want.At(a, b))
				}
			}
		}
	}
}

// Expectation-maximisation never lowers the likelihood: more iterations are
// never worse.
func TestLikelihoodGrows(t *testing.T) {
	x := twoClusters(1000)
	previous := math.Inf(-1)
	for iterations := 1; iterations < 40; iterations += 3 {
		m, err := mixture.Fit(context.Background(), x,
			mixture.Settings{Components: 5, Iterations: iterations, Tolerance: 1e-300, Ridge: 1e-12}, stream.New(1, "fit", 0))
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for i := range 1000 {
			sum += m.LogProb(x.RawRowView(i))
		}
		if sum < previous-1e-6 {
			t.Errorf("log-likelihood fell from %v to %v at %d iterations", previous, sum, iterations)
		}
		previous = sum
	}
}

// Where the origin lies doesn't matter: a fit to points around a million has the
// densities of one to the same points around 0. Sums of their squares would
// have lost 12 of 16 digits.
func TestFarFromTheOrigin(t *testing.T) {
	x := twoClusters(600)
	far := mat.DenseCopyOf(x)
	far.Apply(func(_, _ int, v float64) float64 { return v + 1e6 }, far)
	var fits [2]*mixture.Mixture
	for i, x := range []*mat.Dense{x, far} {
		var err error
		if fits[i], err = mixture.Fit(context.Background(), x, mixture.Settings{Components: 4},
			stream.New(1, "fit", 0)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 600 {
		if got, want := fits[1].LogProb(far.RawRowView(i)), fits[0].LogProb(x.RawRowView(i)); math.Abs(got-want) > 1e-6 {
			t.Fatalf("log density of point %d is %v, want %v", i, got, want)
		}
	}
}

func TestSameForAnyNumberOfWorkers(t *testing.T) {
	x := twoClusters(4000)
	fit := func(workers int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
		m, err := mixture.Fit(context.Background(), x, mixture.Settings{Components: 7}, stream.New(1, "fit", 0))
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	one := fit(1)
	for _, workers := range []int{2, 3, 8} {
		if fit(workers) != one {
			t.Errorf("%d workers give another mixture than one", workers)
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	m, err := mixture.Fit(context.Background(), twoClusters(300), mixture.Settings{Components: 3}, stream.New(1, "fit", 0))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back mixture.Mixture
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	point := []float64{0.3, -0.2}
	if got, want := back.LogProb(point), m.LogProb(point); got != want {
		t.Errorf("log density after the round trip is %v, want %v", got, want)
	}
}

func TestBadInput(t *testing.T) {
	ctx := context.Background()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	nan := twoClusters(10)
	nan.Set(4, 1, math.NaN())
	same, large := mat.NewDense(7, 2, nil), twoClusters(10)
	same.Apply(func(int, int, float64) float64 { return 0.1 }, same)
	large.Scale(1e200, large)
	for _, test := range []struct {
		name string
		ctx  context.Context
		x    *mat.Dense
		k    int
		want string
	}{
		{"one point", ctx, twoClusters(1), 1, "at least 2 points"},
		{"no spread", ctx, mat.NewDense(5, 2, nil), 1, "no spread"},
		{"no spread away from 0", ctx, same, 1, "no spread"},
		{"too large", ctx, large, 1, "too large"},
		{"NaN", ctx, nan, 1, "point 4"},
		{"negative components", ctx, twoClusters(10), -1, "at least 1 component"},
		{"cancelled", cancelled, twoClusters(10), 1, "canceled"},
	} {
		_, err := mixture.Fit(test.ctx, test.x, mixture.Settings{Components: test.k}, stream.New(1, "fit", 0))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
	for _, text := range []string{
		`{}`, `{"weights":[1],"means":[[0]],"cholesky":[[0]],"dimension":1}`,
		`{"weights":[0.5],"means":[[0]],"cholesky":[[1]],"dimension":1}`,
		`{"weights":[1],"means":[[0,1]],"cholesky":[[1]],"dimension":1}`, `[`,
	} {
		var m mixture.Mixture
		if err := json.Unmarshal([]byte(text), &m); err == nil {
			t.Errorf("%s was accepted as a mixture", text)
		}
	}
}

// The sizes of a sweep's fit and of the pipeline's, both of 8 dimensions. Run
// with -cpu 1 for the figure of one core.
func BenchmarkFit(b *testing.B) {
	for _, size := range []struct {
		name          string
		n, components int
	}{{"sweep", 2000, 20}, {"pipeline", 16000, 40}} {
		b.Run(size.name, func(b *testing.B) {
			rng := stream.New(1, "benchmark", 0)
			x := mat.NewDense(size.n, 8, nil)
			for i := range size.n {
				for j := range 8 {
					x.Set(i, j, rng.NormFloat64())
				}
			}
			settings := mixture.Settings{Components: size.components, Iterations: 10, Tolerance: 1e-300}
			for b.Loop() {
				if _, err := mixture.Fit(context.Background(), x, settings, stream.New(1, "fit", 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
