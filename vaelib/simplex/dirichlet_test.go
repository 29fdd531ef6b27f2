package simplex_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

func ExampleSymmetric() {
	d, err := simplex.Symmetric(4, 0.001) // nearly everything in one asset
	if err != nil {
		fmt.Println(err)
		return
	}
	w := make([]float64, d.Dim())
	d.Rand(w, stream.New(1, "example", 0))
	fmt.Printf("%.3f\n", w)
	// Output: [0.000 0.000 0.000 1.000]
}

func relativeError(got, want float64) float64 {
	return math.Abs(got-want) / math.Max(math.Abs(want), 1e-300)
}

// The cases were computed with scipy 1.17 and closed forms.
func TestDirichletMoments(t *testing.T) {
	var file struct {
		Cases []struct {
			Alpha, Mean, Var []float64
			Cov01            float64   `json:"cov_01"`
			Eigenvalues      []float64 `json:"eigenvalues_desc"`
			Entropy          float64
			Points           []struct {
				X      []float64
				LogPDF float64
			}
		}
	}
	sharedtest.JSON(t, &file, "cases", "dirichlet", "moments.json")
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for k, c := range file.Cases {
		d, err := simplex.NewDirichlet(c.Alpha)
		if err != nil {
			t.Fatal(err)
		}
		mean, cov := d.Mean(nil), d.Cov()
		for i := range mean {
			if e := relativeError(mean[i], c.Mean[i]); e > 1e-10 {
				t.Errorf("case %d: mean %d is %v, want %v", k, i, mean[i], c.Mean[i])
			}
			if e := relativeError(cov.At(i, i), c.Var[i]); e > 1e-10 {
				t.Errorf("case %d: variance %d is %v, want %v", k, i, cov.At(i, i), c.Var[i])
			}
		}
		if e := relativeError(cov.At(0, 1), c.Cov01); e > 1e-10 {
			t.Errorf("case %d: covariance is %v, want %v", k, cov.At(0, 1), c.Cov01)
		}
		if e := relativeError(d.Entropy(), c.Entropy); e > 1e-10 {
			t.Errorf("case %d: entropy is %v, want %v", k, d.Entropy(), c.Entropy)
		}
		var eigen mat.EigenSym
		if !eigen.Factorize(cov, false) {
			t.Fatal("no eigenvalues")
		}
		values := eigen.Values(nil)
		for i, want := range c.Eigenvalues {
			if got := values[len(values)-1-i]; math.Abs(got-want) > 1e-10*c.Eigenvalues[0] {
				t.Errorf("case %d: eigenvalue %d is %v, want %v", k, i, got, want)
			}
		}
		for _, p := range c.Points {
			if got := d.LogProb(p.X); math.Abs(got-p.LogPDF) > 1e-9 {
				t.Errorf("case %d: log density is %v, want %v", k, got, p.LogPDF)
			}
		}
	}
}

func TestFitDirichletReference(t *testing.T) {
	var file struct {
		Samples []struct {
			File          string
			Alpha         []float64 `json:"alpha_mle"`
			LogLikelihood float64   `json:"log_likelihood"`
		}
	}
	sharedtest.JSON(t, &file, "cases", "dirichlet", "mle.json")
	want := file.Samples[0]
	in, err := os.Open(sharedtest.Path(t, "cases", "dirichlet", "mle_sample0.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	lines, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sample := mat.NewDense(len(lines)-1, len(lines[0]), nil)
	for i, line := range lines[1:] {
		for j, field := range line {
			x, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			sample.Set(i, j, x)
		}
	}
	d, err := simplex.FitDirichlet(sample)
	if err != nil {
		t.Fatal(err)
	}
	var logLikelihood float64
	for i := range lines[1:] {
		logLikelihood += d.LogProb(sample.RawRowView(i))
	}
	if e := relativeError(logLikelihood, want.LogLikelihood); e > 1e-10 {
		t.Errorf("log likelihood is %v, want %v", logLikelihood, want.LogLikelihood)
	}
	for j, a := range d.Alpha() {
		if e := relativeError(a, want.Alpha[j]); e > 1e-7 {
			t.Errorf("alpha %d is %v, want %v", j, a, want.Alpha[j])
		}
	}
}

// Draws have the moments of the density, for the smallest concentrations too:
// w_0 of Dir(alpha) has the mean 1/n and the variance (1/n)(1-1/n)/(n alpha+1).
func TestRandMoments(t *testing.T) {
	const n, draws = 5, 40000
	for _, alpha := range []float64{1e-3, 0.05, 0.7, 1, 3, 500} {
		d, err := simplex.Symmetric(n, alpha)
		if err != nil {
			t.Fatal(err)
		}
		rng := stream.New(7, "moments", 0)
		w := make([]float64, n)
		mean, square := make([]float64, n), make([]float64, n)
		for range draws {
			d.Rand(w, rng)
			var sum float64
			for i, x := range w {
				if !(x >= 0 && x <= 1) {
					t.Fatalf("alpha %v: weight %v", alpha, x)
				}
				sum += x
				mean[i] += x / draws
				square[i] += x * x / draws
			}
			if math.Abs(sum-1) > 1e-14 {
				t.Fatalf("alpha %v: sum %v", alpha, sum)
			}
		}
		variance := d.Cov().At(0, 0)
		for i := range n {
			if deviation := math.Sqrt(variance / draws); math.Abs(mean[i]-1.0/n) > 5*deviation {
				t.Errorf("alpha %v: mean %d is %v", alpha, i, mean[i])
			}
			if got := square[i] - mean[i]*mean[i]; relativeError(got, variance) > 0.05 {
				t.Errorf("alpha %v: variance %d is %v, want %v", alpha, i, got, variance)
			}
		}
	}
}

// The constructors have the means and spreads that they promise.
func TestDirichletConstructors(t *testing.T) {
	concentrated, err := simplex.Concentrated(12, 3)
	if err != nil {
		t.Fatal(err)
	}
	var sumOfSquares float64
	for i := range 12 {
		sumOfSquares += concentrated.Cov().At(i, i) + 1.0/144
	}
	if math.Abs(1/sumOfSquares-3) > 1e-12 {
		t.Errorf("effective assets %v, want 3", 1/sumOfSquares)
	}
	tilted, err := simplex.SectorTilted([]float64{1, 0.5, 0, 0}, 0.7, 20)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{0.7 / 1.5, 0.35/1.5 + 0.06, 0.12, 0.12}
	for i, m := range tilted.Mean(nil) {
		if math.Abs(m-want[i]) > 1e-12 {
			t.Errorf("tilted mean %d is %v, want %v", i, m, want[i])
		}
	}
}

func TestLogProbAtTheEdge(t *testing.T) {
	d, err := simplex.NewDirichlet([]float64{0.5, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		w    []float64
		want float64
	}{
		{[]float64{0, 0.5, 0.5}, math.Inf(1)},
		{[]float64{0.5, 0.5, 0}, math.Inf(-1)},
		{[]float64{0, 1, 0}, math.Inf(-1)},
		{[]float64{-0.1, 0.6, 0.5}, math.Inf(-1)},
		{[]float64{0.2, 0.2, 0.2}, math.Inf(-1)},
		{[]float64{math.NaN(), 0.5, 0.5}, math.Inf(-1)},
		// Gamma(3.5)/(Gamma(.5)Gamma(1)Gamma(2)) * .5^-.5 * .5
		{[]float64{0.5, 0, 0.5}, math.Log(1.875 * math.Sqrt2 / 2)},
	} {
		if got := d.LogProb(c.w); got != c.want && !(math.Abs(got-c.want) < 1e-14) {
			t.Errorf("log density at %v is %v, want %v", c.w, got, c.want)
		}
	}
}

// Fitting draws gives the distribution back, within a few standard errors, for
// small, large and uneven concentrations.
func TestFitDirichletRecovers(t *testing.T) {
	for _, alpha := range [][]float64{{0.15, 0.15, 0.15, 0.15}, {20, 30, 50}, {0.3, 4, 1, 12}} {
		want, err := simplex.NewDirichlet(alpha)
		if err != nil {
			t.Fatal(err)
		}
		sample := mat.NewDense(4000, len(alpha), nil)
		rng := stream.New(3, "fit", 0)
		for i := range 4000 {
			want.Rand(sample.RawRowView(i), rng)
		}
		got, err := simplex.FitDirichlet(sample)
		if err != nil {
			t.Fatal(err)
		}
		for j, a := range got.Alpha() {
			if relativeError(a, alpha[j]) > 0.1 {
				t.Errorf("alpha %v, want %v", got.Alpha(), alpha)
			}
		}
	}
}

func TestDirichletErrors(t *testing.T) {
	fit := func(values ...float64) error {
		_, err := simplex.FitDirichlet(mat.NewDense(len(values)/2, 2, values))
		return err
	}
	distribution := func(_ *simplex.Dirichlet, err error) error { return err }
	for _, c := range []struct {
		err  error
		want string
	}{
		{distribution(simplex.NewDirichlet(nil)), "at least 1"},
		{distribution(simplex.NewDirichlet([]float64{1, 0})), "concentration 0 of asset 1"},
		{distribution(simplex.NewDirichlet([]float64{math.NaN()})), "NaN of asset 0"},
		{distribution(simplex.Symmetric(-1, 1)), "at least 1"},
		{distribution(simplex.Concentrated(5, 5)), "fewer than 5"},
		{distribution(simplex.SectorTilted([]float64{1, 0}, 0.5, -3)), "concentration"},
		{distribution(simplex.SectorTilted([]float64{1, 1}, 0.5, 3)), "both the sector and the rest"},
		{distribution(simplex.SectorTilted([]float64{1.5, 0}, 0.5, 3)), "both the sector and the rest|share 1.5"},
		{fit(0.5, 0.5), "2 of 2 at least"},
		{fit(0.5, 0.5, 0, 1), "row 2 has the weight 0 of asset 0"},
		{fit(0.5, 0.5, math.NaN(), 1), "row 2 has the weight NaN"},
		{fit(0.5, 0.5, 0.5, 0.6), "row 2 sums to 1.1"},
		{fit(0.5, 0.5, 0.5, 0.5), "all alike"},
	} {
		matches := false
		for _, want := range strings.Split(c.want, "|") {
			matches = matches || c.err != nil && strings.Contains(c.err.Error(), want)
		}
		if !matches {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}

func BenchmarkDirichletRand(b *testing.B) {
	d, err := simplex.Symmetric(40, 0.5)
	if err != nil {
		b.Fatal(err)
	}
	rng, w := stream.New(1, "benchmark", 0), make([]float64, 40)
	b.ReportAllocs()
	for b.Loop() {
		d.Rand(w, rng)
	}
}
