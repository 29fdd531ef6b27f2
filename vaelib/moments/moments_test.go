package moments_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/stream"
)

func noise(rng *rand.Rand, periods, n int) *mat.Dense {
	x := mat.NewDense(periods, n, nil)
	for t := range periods {
		market := rng.NormFloat64()
		for j := range n {
			x.Set(t, j, 0.001*float64(j)+0.02*market+0.01*rng.NormFloat64()*float64(1+j%3))
		}
	}
	return x
}

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1e-3, math.Abs(want))) {
		t.Errorf("%s is %.17g, want %.17g", name, got, want)
	}
}

// Mean and covariance of 365 daily returns by numpy; Ledoit-Wolf shrinkage by
// scikit-learn 1.9 and, for constant correlation, from the paper's formulas.
func TestReferenceCases(t *testing.T) {
	returns := sharedtest.Table(t, 1, "cases", "optimisers", "core12_returns.csv")
	want := sharedtest.Table(t, 1, "cases", "optimisers", "core12_mean_cov.csv")
	m, err := moments.Estimate(moments.Sample, returns)
	if err != nil {
		t.Fatal(err)
	}
	_, n := returns.Dims()
	for i := range n {
		near(t, fmt.Sprint("mean ", i), m.Mean[i], want.At(0, i), 1e-12)
		for j := range n {
			near(t, fmt.Sprint("covariance ", i, j), m.Cov.At(i, j), want.At(1+i, j), 1e-12)
		}
	}

	var expected struct {
		Problems struct {
			LedoitWolf struct {
				Identity            struct{ Shrinkage, Trace float64 }
				ConstantCorrelation struct{ Shrinkage, RBar float64 } `json:"constant_correlation"`
				PyPfOpt             struct {
					Variance   float64 `json:"own_cov_00"`
					Covariance float64 `json:"own_cov_01"`
				}
			} `json:"ledoit_wolf"`
		}
	}
	sharedtest.JSON(t, &expected, "cases", "optimisers", "core12_expected.json")
	identity, err := moments.Estimate(moments.LedoitWolf, returns)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "identity shrinkage", identity.Shrinkage, expected.Problems.LedoitWolf.Identity.Shrinkage, 1e-12)
	near(t, "identity trace", mat.Trace(identity.Cov), expected.Problems.LedoitWolf.Identity.Trace, 1e-12)
	constant, err := moments.Estimate(moments.ConstantCorrelation, returns)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "constant-correlation shrinkage", constant.Shrinkage, expected.Problems.LedoitWolf.ConstantCorrelation.Shrinkage, 1e-12)
	near(t, "constant-correlation variance", constant.Cov.At(0, 0), expected.Problems.LedoitWolf.PyPfOpt.Variance, 1e-12)
	near(t, "constant-correlation covariance", constant.Cov.At(0, 1), expected.Problems.LedoitWolf.PyPfOpt.Covariance, 1e-12)
	near(t, "condition", condition(m.Cov), 94.12258940950947, 1e-10)
}

// The exponentially weighted covariance, from its definition term by term.
func TestEWMADefinition(t *testing.T) {
	returns := mat.NewDense(4, 2, []float64{0.01, 0.02, -0.03, 0.01, 0.02, -0.02, 0.00, 0.05})
	const decay = 0.8
	weights := []float64{decay * decay * decay, decay * decay, decay, 1}
	var total, squares, meanA, meanB, want float64
	for _, w := range weights {
		total += w
	}
	for t, w := range weights {
		squares += w * w / (total * total)
		meanA += w / total * returns.At(t, 0)
		meanB += w / total * returns.At(t, 1)
	}
	for t, w := range weights {
		want += w / total * (returns.At(t, 0) - meanA) * (returns.At(t, 1) - meanB) / (1 - squares)
	}
	cov, shrinkage, err := moments.Covariance("ewma:0.8", returns)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "covariance", cov.At(0, 1), want, 1e-14)
	near(t, "covariance by pandas' ewm(alpha=0.2).cov()", cov.At(0, 1), -0.00020403838464614155, 1e-12)
	if shrinkage != 0 {
		t.Errorf("shrinkage %v, want 0", shrinkage)
	}
	half, _, err := moments.Covariance("ewma:half-life=3", returns)
	if err != nil {
		t.Fatal(err)
	}
	byDecay, _, err := moments.Covariance(fmt.Sprintf("ewma:%.17g", moments.Decay(3)), returns)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(half, byDecay) {
		t.Error("half-life and decay disagree")
	}
	near(t, "decay over a half-life", math.Pow(moments.Decay(3), 3), 0.5, 1e-15)
}

func TestEWMAApproachesSample(t *testing.T) {
	returns := noise(stream.New(1, "moments.test", 0), 60, 5)
	slow, _, err := moments.Covariance("ewma:0.999999999", returns)
	if err != nil {
		t.Fatal(err)
	}
	sample, _, err := moments.Covariance(moments.Sample, returns)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.EqualApprox(slow, sample, 1e-9) {
		t.Error("a decay of nearly 1 is not the sample covariance")
	}
}

func TestGivenShrinkage(t *testing.T) {
	returns := noise(stream.New(2, "moments.test", 0), 40, 4)
	for _, kind := range []string{moments.LedoitWolf, moments.ConstantCorrelation} {
		none, a, err := moments.Covariance(kind+":0", returns)
		if err != nil {
			t.Fatal(err)
		}
		sample, _, err := moments.Covariance(moments.Sample, returns)
		if err != nil {
			t.Fatal(err)
		}
		sample.ScaleSym(39.0/40, sample)
		if a != 0 || !mat.EqualApprox(none, sample, 1e-15) {
			t.Errorf("%s: no shrinkage gives another matrix than the sample's with divisor T", kind)
		}
		estimated, a, err := moments.Covariance(kind, returns)
		if err != nil {
			t.Fatal(err)
		}
		repeated, b, err := moments.Covariance(fmt.Sprintf("%s:%.17g", kind, a), returns)
		if err != nil {
			t.Fatal(err)
		}
		if a != b || !mat.Equal(estimated, repeated) {
			t.Errorf("%s: the estimated shrinkage %v, given back, makes another matrix", kind, a)
		}
	}
	full, _, err := moments.Covariance("ledoit-wolf:1", returns)
	if err != nil {
		t.Fatal(err)
	}
	if full.At(0, 1) != 0 || full.At(0, 0) != full.At(3, 3) {
		t.Error("full shrinkage is not a multiple of the identity")
	}
}

// condition returns the ratio of the largest to the smallest eigenvalue of a
// covariance: +Inf where the matrix is singular in float64.
func condition(cov *mat.SymDense) float64 {
	spectrum := moments.Spectrum(cov)
	largest, smallest := spectrum[0], spectrum[len(spectrum)-1]
	if smallest <= largest*float64(len(spectrum))*0x1p-52 {
		return math.Inf(1)
	}
	return largest / smallest
}

// With fewer periods than assets the sample covariance is singular and the
// shrunk ones are not.
func TestFewPeriods(t *testing.T) {
	returns := noise(stream.New(3, "moments.test", 0), 10, 30)
	for _, name := range moments.Names() {
		cov, shrinkage, err := moments.Covariance(name, returns)
		if err != nil {
			t.Fatal(err)
		}
		condition := condition(cov)
		singular := name == moments.Sample || name == moments.EWMA
		if math.IsInf(condition, 1) != singular {
			t.Errorf("%s: condition %v with shrinkage %v", name, condition, shrinkage)
		}
		if !singular && !(shrinkage > 0 && shrinkage <= 1) {
			t.Errorf("%s: shrinkage %v outside (0, 1]", name, shrinkage)
		}
	}
}

func TestErrors(t *testing.T) {
	good := mat.NewDense(3, 2, []float64{1, 2, 3, 5, 2, 1})
	for _, name := range []string{"", "Sample", "shrink", "sample:1", "ewma:", "ewma:1", "ewma:0", "ewma:0.49", "ewma:half-life=0.9", "ewma:half-life=-3", "ewma:half-life=NaN", "ewma:x", "ewma:half-life=0", "ewma:half-life=+Inf", "ewma:NaN", "ledoit-wolf:1.1", "ledoit-wolf:NaN", "ledoit-wolf:half-life=3", "constant-correlation:-0.1"} {
		var wrong *moments.NameError
		if _, err := moments.Estimate(name, good); !errors.As(err, &wrong) {
			t.Errorf("name %q gives %v, want a NameError", name, err)
		}
		if err := moments.CheckName(name); !errors.As(err, &wrong) {
			t.Errorf("CheckName(%q) gives %v", name, err)
		}
	}
	if _, err := moments.Estimate(moments.Sample, mat.NewDense(1, 2, nil)); !errors.Is(err, moments.ErrTooShort) {
		t.Errorf("one period gives %v", err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e200} {
		var at *moments.ReturnError
		_, err := moments.Estimate(moments.Sample, mat.NewDense(2, 3, []float64{0, 0, 0, 0, bad, 0}))
		if !errors.As(err, &at) || at.Period != 1 || at.Asset != 1 {
			t.Errorf("a return of %v gives %v", bad, err)
		}
	}
	// A price that grows by one rate has equal returns but for rounding.
	flat := mat.NewDense(5, 2, nil)
	price := 100.0
	for i := range 5 {
		next := price * 1.01
		flat.Set(i, 0, float64(i))
		flat.Set(i, 1, next/price-1)
		price = next
	}
	var asset *moments.FlatError
	if _, err := moments.Estimate(moments.ConstantCorrelation, flat); !errors.As(err, &asset) || asset.Asset != 1 {
		t.Errorf("a flat asset gives %v, want a FlatError for asset 1", err)
	}
	cov, _, err := moments.Covariance(moments.Sample, flat)
	if err != nil || cov.At(1, 1) != 0 {
		t.Errorf("variance of a flat asset is %v with error %v, want 0", cov.At(1, 1), err)
	}
	if _, _, err := moments.Covariance(moments.LedoitWolf, flat); err != nil {
		t.Errorf("ledoit-wolf of a flat asset: %v", err)
	}
}

func TestErrorsReadAsOneLine(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{moments.CheckName("shrink"), `covariance "shrink" is unknown: choose one of sample, ewma, ledoit-wolf, constant-correlation`},
		{moments.CheckName("ewma:2"), `covariance "ewma:2" has a decay outside [0.5, 1), a half-life below 1 period or beyond float64`},
		{&moments.ReturnError{Period: 3, Asset: 1, Value: math.NaN()}, "return of asset 1 in period 3 (both from 0) is NaN: choose a window in which every asset has a price"},
		{&moments.FlatError{Asset: 2}, "asset 2 (from 0) has the same return in every period and so no correlation: leave it out or use ledoit-wolf"},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("error reads %q, want %q", test.err, test.want)
		}
	}
}

// Estimates of any data are symmetric, positive semidefinite, don't depend on
// the order of the assets, and grow with the square of the returns' scale.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		periods, n := rapid.IntRange(2, 40).Draw(t, "periods"), rapid.IntRange(1, 8).Draw(t, "assets")
		returns := noise(stream.New(rapid.Uint64().Draw(t, "seed"), "moments.test", 0), periods, n)
		name := rapid.SampledFrom(moments.Names()).Draw(t, "estimator")
		m, err := moments.Estimate(name, returns)
		if err != nil {
			t.Fatal(err)
		}
		if m.Shrinkage < 0 || m.Shrinkage > 1 {
			t.Fatalf("shrinkage %v", m.Shrinkage)
		}
		var eigen mat.EigenSym
		if !eigen.Factorize(m.Cov, false) {
			t.Fatal("no eigenvalues")
		}
		values := eigen.Values(nil)
		if values[0] < -1e-14*values[n-1] {
			t.Fatalf("negative eigenvalue %v beside %v", values[0], values[n-1])
		}

		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0)).Perm(n)
		permuted, scaled := mat.NewDense(periods, n, nil), mat.NewDense(periods, n, nil)
		for i := range periods {
			for j := range n {
				permuted.Set(i, j, returns.At(i, order[j]))
				scaled.Set(i, j, 4*returns.At(i, j))
			}
		}
		p, err := moments.Estimate(name, permuted)
		if err != nil {
			t.Fatal(err)
		}
		s, err := moments.Estimate(name, scaled)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				if math.Abs(p.Cov.At(i, j)-m.Cov.At(order[i], order[j])) > 1e-12*values[n-1] {
					t.Fatalf("permuting the assets changes their covariance")
				}
				if math.Abs(s.Cov.At(i, j)-16*m.Cov.At(i, j)) > 1e-12*16*values[n-1] {
					t.Fatalf("scaling the returns by 4 doesn't scale the covariance by 16")
				}
			}
		}
	})
}

// Whatever the name, it is refused or gives a finite estimate.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"sample", "ewma:0.97", "ewma:half-life=30", "ledoit-wolf:0.2", "constant-correlation:1", "ewma:half-life=1e-300", "ewma:1e-320"} {
		f.Add(seed)
	}
	returns := noise(stream.New(4, "moments.test", 0), 12, 3)
	f.Fuzz(func(t *testing.T, name string) {
		m, err := moments.Estimate(name, returns)
		if (err == nil) != (moments.CheckName(name) == nil) {
			t.Fatalf("%q: Estimate says %v, CheckName %v", name, err, moments.CheckName(name))
		}
		if err != nil {
			return
		}
		for i := range 3 {
			for j := range 3 {
				if v := m.Cov.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%q gives a covariance of %v", name, v)
				}
			}
		}
	})
}

func ExampleEstimate() {
	returns := mat.NewDense(4, 2, []float64{
		0.01, 0.02,
		-0.02, -0.01,
		0.03, 0.01,
		0.00, -0.02,
	})
	m, err := moments.Estimate("ledoit-wolf", returns)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("mean %.4f, shrinkage %.2f\n", m.Mean, m.Shrinkage)
	fmt.Printf("%.6f\n", mat.Formatted(m.Cov))
	// Output:
	// mean [0.0050 0.0000], shrinkage 0.48
	// ⎡0.000307  0.000090⎤
	// ⎣0.000090  0.000268⎦
}

func BenchmarkEstimate365x40(b *testing.B) {
	returns := noise(stream.New(1, "moments.benchmark", 0), 365, 40)
	for _, name := range moments.Names() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := moments.Estimate(name, returns); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
