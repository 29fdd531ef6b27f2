package moments

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Two assets without correlation, so that all can be worked out by hand:
// S = diag(1/100, 4/100), m = (.02, -.01), T = 50. The minimum-variance portfolio
// is (.8, .2), so m0 = .014; (m-m0)'S^-1(m-m0) = .0036 + .0144 = .018, and the
// shrinkage 4/(4 + .9).
func TestBayesSteinByHand(t *testing.T) {
	m := &Moments{Periods: 50, Mean: []float64{0.02, -0.01}, Cov: mat.NewSymDense(2, []float64{0.01, 0, 0, 0.04})}
	means, shrinkage, err := m.Means(BayesStein)
	if err != nil {
		t.Fatal(err)
	}
	want := 4 / 4.9
	if math.Abs(shrinkage-want) > 1e-14 {
		t.Errorf("shrinkage %v, not %v", shrinkage, want)
	}
	for i, v := range m.Mean {
		if expected := (1-want)*v + want*0.014; math.Abs(means[i]-expected) > 1e-16 {
			t.Errorf("mean %d is %v, not %v", i, means[i], expected)
		}
	}
}

// Sharpe ratios .2 and -.05, their average .075 and variance .03125; the noise is
// 1/50, so the shrinkage .64.
func TestEmpiricalBayesByHand(t *testing.T) {
	m := &Moments{Periods: 50, Mean: []float64{0.02, -0.01}, Cov: mat.NewSymDense(2, []float64{0.01, 0, 0, 0.04})}
	means, shrinkage, err := m.Means(EmpiricalBayes)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(shrinkage-0.64) > 1e-13 {
		t.Errorf("shrinkage %v, not .64", shrinkage)
	}
	for i, want := range []float64{0.1 * (0.36*0.2 + 0.64*0.075), 0.2 * (0.36*-0.05 + 0.64*0.075)} {
		if math.Abs(means[i]-want) > 1e-15 {
			t.Errorf("mean %d is %v, not %v", i, means[i], want)
		}
	}
}

// On average over many draws, shrunk means are nearer to the true ones, most of
// all where the truth is what they are shrunk towards.
func TestMeansShrinkUsefully(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, periods = 10, 60
	var errorOf [2][3]float64
	for trial := range 400 {
		spread := float64(trial%2) * 0.05 // of the true Sharpe ratios
		truth, returns := make([]float64, n), mat.NewDense(periods, n, nil)
		for i := range n {
			truth[i] = 0.02 * (0.05 + spread*rng.NormFloat64())
			for k := range periods {
				returns.Set(k, i, truth[i]+0.02*rng.NormFloat64())
			}
		}
		m, err := Estimate(LedoitWolf, returns)
		if err != nil {
			t.Fatal(err)
		}
		for k, name := range MeanNames() {
			means, shrinkage, err := m.Means(name)
			if err != nil {
				t.Fatal(err)
			}
			if !(shrinkage >= 0 && shrinkage <= 1) {
				t.Fatalf("%s shrinks by %v", name, shrinkage)
			}
			for i, v := range means {
				errorOf[trial%2][k] += (v - truth[i]) * (v - truth[i])
			}
		}
	}
	for spread, e := range errorOf {
		if !(e[1] < e[0]) || !(e[2] < e[0]) {
			t.Errorf("spread %d: squared errors of sample, bayes-stein and empirical-bayes are %v", spread, e)
		}
	}
	if gain := errorOf[0][2] / errorOf[0][0]; gain > 0.4 {
		t.Errorf("without any spread empirical-bayes has %.2f of the sample's squared error", gain)
	}
}

// Where nothing tells the assets' Sharpe ratios apart, all have the average one.
func TestEmpiricalBayesShrinksAllTheWay(t *testing.T) {
	m := &Moments{Periods: 100, Mean: []float64{0.01, 0.022, 0.03}, Cov: mat.NewSymDense(3, []float64{0.01, 0, 0, 0, 0.04, 0, 0, 0, 0.09})}
	means, shrinkage, err := m.Means(EmpiricalBayes)
	if err != nil || shrinkage != 1 {
		t.Fatalf("shrinkage %v, error %v", shrinkage, err)
	}
	average := stat.Mean([]float64{0.1, 0.11, 0.1}, nil)
	for i, v := range means {
		if want := average * math.Sqrt(m.Cov.At(i, i)); math.Abs(v-want) > 1e-15 {
			t.Errorf("mean %d is %v, not %v", i, v, want)
		}
	}
	// An asset without variance keeps its mean, and counts for none.
	flat := &Moments{Periods: 100, Mean: []float64{0.01, 0.001}, Cov: mat.NewSymDense(2, []float64{0.01, 0, 0, 0})}
	if means, shrinkage, err := flat.Means(EmpiricalBayes); err != nil || shrinkage != 0 || means[1] != 0.001 {
		t.Errorf("means %v, shrinkage %v, error %v", means, shrinkage, err)
	}
}

func TestMeansRefused(t *testing.T) {
	m := &Moments{Name: Sample, Periods: 5, Mean: []float64{1, 2}, Cov: mat.NewSymDense(2, []float64{1, 1, 1, 1})}
	if _, _, err := m.Means(BayesStein); err == nil || !strings.Contains(err.Error(), "shrink it") {
		t.Errorf("a singular covariance: %v", err)
	}
	var name *NameError
	if _, _, err := m.Means("median"); !errors.As(err, &name) {
		t.Errorf("an unknown estimator: %v", err)
	}
}
