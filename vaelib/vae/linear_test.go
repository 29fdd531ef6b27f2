package vae

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// The reconstruction of the closed form is that of the posterior mean of
// probabilistic PCA, x = W z + e with W = U (Lambda - beta v)^(1/2) and e of variance
// beta v, computed here from W (Tipping & Bishop 1999, eq. 9), and the share that it
// keeps of a direction is 1 - beta v/lambda.
func TestLinearR2(t *testing.T) {
	x := gaussianRows(900, []float64{4, 2, 1, 0.5, 0.25})
	train, heldOut := x.Slice(0, 600, 0, 5).(*mat.Dense), x.Slice(600, 900, 0, 5).(*mat.Dense)
	linear, err := FitLinear(train, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		d    int
		beta float64
	}{{2, 0}, {2, 0.1}, {5, 0.1}, {4, 0.5}, {3, 2}, {1, 100}} {
		noise := c.beta * linear.scaling.variance
		kept := 0
		for kept < c.d && linear.values[kept] > noise {
			kept++
		}
		w := mat.NewDense(5, max(kept, 1), nil)
		for j := range kept {
			for i := range 5 {
				w.Set(i, j, linear.vectors.At(i, j)*math.Sqrt(linear.values[j]-noise))
			}
		}
		var m, back, twice, decoded mat.Dense
		m.Mul(w.T(), w)
		for j := range max(kept, 1) {
			m.Set(j, j, m.At(j, j)+max(noise, 1e-12))
		}
		if err := m.Inverse(&m); err != nil {
			t.Fatal(err)
		}
		back.Mul(&m, w.T())
		twice.Mul(w, &back)
		rest := linear.residuals(heldOut, nil)
		decoded.Mul(rest, &twice)
		decoded.Sub(rest, &decoded)
		want := 1 - math.Pow(mat.Norm(&decoded, 2)/mat.Norm(rest, 2), 2)
		got, err := linear.R2(heldOut, nil, c.d, c.beta)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%d dimensions at beta %v: R2 %v, by the posterior mean %v", c.d, c.beta, got, want)
		}
		var share float64
		for j := range kept {
			share += linear.values[j] * (1 - noise/linear.values[j]) / (5 * linear.scaling.variance)
		}
		if got := linear.Kept(c.d, c.beta); math.Abs(got-share) > 1e-12 {
			t.Errorf("%d dimensions at beta %v keep %v of the variance, want %v", c.d, c.beta, got, share)
		}
	}
}

// Of rows that conditions tell in part, the directions that they tell die sooner:
// the thresholds given them are those of what is left, in units of the whole
// variance (Dang et al. 2023, arXiv 2306.05023). Conditions that depend on each
// other, as exposures that sum to 1 and levels do, change nothing.
func TestThresholdsGivenConditions(t *testing.T) {
	const rows = 4000
	rng := stream.New(1, "vae.test.given", 0)
	own := []float64{3, 1, 0.5, 0.2} // sd of what no condition tells
	x, told := mat.NewDense(rows, 4, nil), mat.NewDense(rows, 3, nil)
	for i := range rows {
		level, c := float64(rng.IntN(3)), 5+2*rng.NormFloat64()
		told.SetRow(i, []float64{c, 1 - c, level})
		for j, sd := range own {
			x.Set(i, j, 7+sd*rng.NormFloat64())
		}
		x.Set(i, 0, x.At(i, 0)+4*c)
		x.Set(i, 3, x.At(i, 3)+6*level*level)
	}
	conditions := []Condition{{Name: "c"}, {Name: "rest"}, {Name: "level", Levels: []string{"a", "b", "d"}}}
	given, err := FitLinear(x, conditions, told)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := FitLinear(x, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, sd := range own {
		got, want := given.Thresholds()[i], sd*sd/alone.scaling.variance
		if math.Abs(got-want) > 0.1*want {
			t.Errorf("threshold %d given the conditions is %.4f, want %.4f", i+1, got, want)
		}
	}
	if first := alone.Thresholds()[0]; first < 2*given.Thresholds()[0] {
		t.Errorf("the first threshold is %.3f without conditions and %.3f with them, want it lower", first,
			given.Thresholds()[0])
	}
	// What the conditions tell needs no dimension, and counts.
	r2, err := given.R2(x, told, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	var left, all float64
	for j, sd := range own {
		left += sd * sd
		all += variance(mat.Col(nil, j, x))
	}
	if want := 1 - left/all; math.Abs(r2-want) > 0.01 {
		t.Errorf("R2 with no direction kept is %.4f, want %.4f, what the conditions tell", r2, want)
	}
	with, err := given.LogLikelihood(x, told, 2)
	if err != nil {
		t.Fatal(err)
	}
	without, err := alone.LogLikelihood(x, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	if with < without+1 {
		t.Errorf("log likelihood %.2f given the conditions, %.2f without: want it higher by a nat", with, without)
	}
	if _, err := given.R2(x, nil, 1, 0); err == nil {
		t.Error("rows without their conditions were taken")
	}
}
