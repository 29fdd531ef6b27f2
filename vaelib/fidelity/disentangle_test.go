package fidelity_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/stream"
)

func ExampleMeasureDisentanglement() {
	rng := stream.New(1, "example", 0)
	codes, factors := mat.NewDense(4000, 3, nil), mat.NewDense(4000, 2, nil)
	for i := range 4000 {
		a, b, c := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
		codes.SetRow(i, []float64{a, b, c})
		factors.SetRow(i, []float64{math.Exp(a), b + c}) // one code's own, and one spread over two
	}
	d, err := fidelity.MeasureDisentanglement(context.Background(), codes, factors,
		[]string{"volatility", "concentration"}, fidelity.DisentanglementSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range d.Factors {
		fmt.Printf("%s: gap %.2f (%.2f by chance), R² on all codes %.2f\n", f.Name, f.Gap, f.NullGap, f.R2)
	}
	// Output:
	// volatility: gap 0.98 (0.00 by chance), R² on all codes 0.58
	// concentration: gap 0.00 (0.00 by chance), R² on all codes 1.00
}

func scores(t *testing.T, codes, factors *mat.Dense, s fidelity.DisentanglementSettings) fidelity.Disentanglement {
	t.Helper()
	_, f := factors.Dims()
	return must[fidelity.Disentanglement](t)(fidelity.MeasureDisentanglement(ctx, codes, factors,
		[]string{"a", "b", "c", "d"}[:f], s))
}

// Codes that are the factors, in another order and on other scales, have all
// the information and all the gap, whatever the scale does to correlations.
func TestFactorsAsCodes(t *testing.T) {
	factors := normals(5000, 3, 1)
	codes := mat.NewDense(5000, 4, nil) // the last is dead
	for i := range 5000 {
		codes.SetRow(i, []float64{math.Exp(factors.At(i, 2)), -factors.At(i, 0), math.Pow(factors.At(i, 1), 3), 0.7})
	}
	d := scores(t, codes, factors, fidelity.DisentanglementSettings{})
	near(t, "MIG", d.MIG, 1, 0.03)
	near(t, "MIG by chance", d.NullMIG, 0, 0.01)
	for k, best := range []int{1, 2, 0} {
		f := d.Factors[k]
		if f.Best != best || f.P != 0.005 || f.InformationP != 0.005 {
			t.Errorf("factor %s: best code %d, want %d; p = %v and %v", f.Name, f.Best, best, f.P, f.InformationP)
		}
		near(t, "information of the best code", f.Information[best], 1, 1e-12)
		near(t, "information of the dead code", f.Information[3], 0, 1e-12)
		near(t, "correlation with the dead code", f.CodeR2[3], 0, 0)
	}
	near(t, "SAP of a reversed code", d.Factors[0].SAP, 1, 0.01)
	near(t, "R² of it", d.Factors[0].R2, 1, 1e-9)
	near(t, "R² of the cube", d.Factors[1].R2, 9.0/15, 0.08) // correlation 3/sqrt(15)
}

// Codes that know nothing: no gap, no information but the plug-in's bias, and
// p-values that are uniform, here by their mean, 1/2 within 4/sqrt(12 n).
func TestCodesThatKnowNothing(t *testing.T) {
	const repeats = 60
	var gaps, informations, r2, gap, null float64
	for r := range repeats {
		d := scores(t, normals(300, 3, uint64(2*r)), normals(300, 2, uint64(2*r+1)),
			fidelity.DisentanglementSettings{Bins: 5, Permutations: 99, Seed: uint64(r)})
		for _, f := range d.Factors {
			gaps += f.P / (2 * repeats)
			informations += f.InformationP / (2 * repeats)
			r2 += f.R2 / (2 * repeats)
			gap += f.Gap / (2 * repeats)
			null += f.NullGap / (2 * repeats)
		}
	}
	tolerance := 4 / math.Sqrt(12*2*repeats)
	near(t, "mean p of gaps", gaps, 0.5, tolerance)
	near(t, "mean p of information", informations, 0.5, tolerance)
	near(t, "mean adjusted R²", r2, 0, 0.005)
	near(t, "mean gap", gap, null, 0.002)
	// The bias of the plug-in, (bins-1)²/(2N) nats over an entropy of log bins.
	d := scores(t, normals(20000, 3, 1), normals(20000, 1, 2), fidelity.DisentanglementSettings{Permutations: 1})
	near(t, "bias", slices.Max(d.Factors[0].Information), 19*19/(2*20000*math.Log(20)), 0.001)
}

// Two codes that share a factor evenly have information and no gap: a rotation
// by 45 degrees.
func TestRotatedCodes(t *testing.T) {
	factors := normals(5000, 2, 1)
	codes := mat.NewDense(5000, 2, nil)
	codes.Mul(factors, mat.NewDense(2, 2, []float64{1, 1, 1, -1}))
	d := scores(t, codes, factors, fidelity.DisentanglementSettings{})
	for _, f := range d.Factors {
		near(t, "gap", f.Gap, 0, 0.02)
		near(t, "SAP", f.SAP, 0, 0.04)
		near(t, "R²", f.R2, 1, 1e-9)
		if f.InformationP != 0.005 || f.Information[0] < 0.1 {
			t.Errorf("the rotated codes know too little: %+v", f)
		}
	}
}

// Two bins of two values: information in closed form, ln 2 - H(1/4) for a copy
// that errs in a quarter of the rows.
func TestInformationInClosedForm(t *testing.T) {
	codes, factors := mat.NewDense(400, 1, nil), mat.NewDense(400, 1, nil)
	for i := range 400 {
		bit := i % 2
		factors.Set(i, 0, float64(bit))
		if i%8 < 2 {
			bit = 1 - bit
		}
		codes.Set(i, 0, float64(bit))
	}
	f := scores(t, codes, factors, fidelity.DisentanglementSettings{Bins: 20}).Factors[0]
	entropy := -0.25*math.Log(0.25) - 0.75*math.Log(0.75)
	near(t, "information", f.Information[0], (math.Log(2)-entropy)/math.Log(2), 1e-12)
	near(t, "gap of a single code", f.Gap, f.Information[0], 0)
	near(t, "squared correlation", f.CodeR2[0], 0.25, 1e-12)
	near(t, "SAP of a single code", f.SAP, 0.25, 1e-12)
}

// Most rows of a sector's exposure are exact zeros: they are one bin.
func TestTiesShareABin(t *testing.T) {
	factors, codes := normals(1000, 1, 1), mat.NewDense(1000, 1, nil)
	for i := range 1000 {
		factors.Set(i, 0, max(0, factors.At(i, 0)-0.5))
		if factors.At(i, 0) > 0 {
			codes.Set(i, 0, 1)
		}
	}
	f := scores(t, reordered(codes, 4), reordered(factors, 4), fidelity.DisentanglementSettings{}).Factors[0]
	held := mat.Sum(codes) / 1000
	bit := -held*math.Log(held) - (1-held)*math.Log(1-held)
	if f.Information[0] <= 0 || f.Information[0] >= 1 {
		t.Fatalf("information %v", f.Information[0])
	}
	// The code holds one bit of it: entropies are in the ratio of that bit to
	// the bit and the quantiles of the positive exposures.
	bins := math.Round(20 * held)
	near(t, "information", f.Information[0], bit/(bit+held*math.Log(bins)), 0.02)
}

func TestDisentanglementRefuses(t *testing.T) {
	codes, factors := normals(200, 2, 1), normals(200, 2, 2)
	constant := mat.DenseCopyOf(factors)
	for i := range 200 {
		constant.Set(i, 1, 0.3)
	}
	names := []string{"volatility", "sector L1"}
	for _, test := range []struct {
		want           string
		codes, factors *mat.Dense
		names          []string
		settings       fidelity.DisentanglementSettings
	}{
		{"sector L1 is constant", codes, constant, names, fidelity.DisentanglementSettings{}},
		{"don't pair up", codes, normals(100, 2, 2), names, fidelity.DisentanglementSettings{}},
		{"1 names for 2 factors", codes, factors, names[:1], fidelity.DisentanglementSettings{}},
		{"1 quantile bins", codes, factors, names, fidelity.DisentanglementSettings{Bins: 1}},
		{"-1 permutations", codes, factors, names, fidelity.DisentanglementSettings{Permutations: -1}},
		{"at least 250", codes, factors, names, fidelity.DisentanglementSettings{Bins: 50}},
	} {
		_, err := fidelity.MeasureDisentanglement(ctx, test.codes, test.factors, test.names, test.settings)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one with %q", err, test.want)
		}
	}
}

func BenchmarkMeasureDisentanglement(b *testing.B) {
	codes, factors := normals(5000, 8, 1), normals(5000, 3, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fidelity.MeasureDisentanglement(ctx, codes, factors, []string{"a", "b", "c"},
			fidelity.DisentanglementSettings{}); err != nil {
			b.Fatal(err)
		}
	}
}
