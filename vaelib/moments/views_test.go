package moments

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// Indices of the seven countries.
const (
	australia = iota
	canada
	france
	germany
	japan
	unitedKingdom
	unitedStates
)

// sevenCountries are the covariance, market and settings of He & Litterman 1999, "The intuition
// behind Black-Litterman model portfolios", tables 1 and 2.
func sevenCountries() (*Moments, Equilibrium) {
	correlations := [7][7]float64{
		{1, 0.488, 0.478, 0.515, 0.439, 0.512, 0.491},
		{0, 1, 0.664, 0.655, 0.310, 0.608, 0.779},
		{0, 0, 1, 0.861, 0.355, 0.783, 0.668},
		{0, 0, 0, 1, 0.354, 0.777, 0.653},
		{0, 0, 0, 0, 1, 0.405, 0.306},
		{0, 0, 0, 0, 0, 1, 0.652},
		{0, 0, 0, 0, 0, 0, 1},
	}
	volatilities := []float64{0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187}
	cov := mat.NewSymDense(7, nil)
	for i := range 7 {
		for j := i; j < 7; j++ {
			cov.SetSym(i, j, correlations[i][j]*volatilities[i]*volatilities[j])
		}
	}
	return &Moments{Name: Sample, Periods: 100, Mean: make([]float64, 7), Cov: cov}, Equilibrium{
		Market:       []float64{0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615},
		RiskAversion: 2.5, Tau: 0.05,
	}
}

// europe is their first view: Germany beats the rest of Europe by 5 % a year.
func europe() View {
	return View{[]float64{france: -0.295, germany: 1, unitedKingdom: -0.705, unitedStates: 0}, 0.05, 0.5}
}

// america is their second one: Canada beats the United States by 3 % a year.
func america() View {
	return View{[]float64{canada: 1, unitedStates: -1}, 0.03, 0.5}
}

// unconstrained are the weights (delta Cov)^-1 mean.
func unconstrained(t *testing.T, p *Posterior, aversion float64) []float64 {
	t.Helper()
	var factor mat.Cholesky
	var w mat.VecDense
	if !factor.Factorize(p.Cov) {
		t.Fatal("the covariance is singular")
	}
	if err := factor.SolveVecTo(&w, mat.NewVecDense(len(p.Mean), p.Mean)); err != nil {
		t.Fatal(err)
	}
	w.ScaleVec(1/aversion, &w)
	return w.RawVector().Data
}

// TestHeLitterman has the example of He & Litterman 1999 in percent: the equilibrium and the
// posterior means of tables 2, 4 and 5 to the digit printed there, and the unconstrained
// weights that numpy gives to those inputs.
func TestHeLitterman(t *testing.T) {
	m, e := sevenCountries()
	for _, c := range []struct {
		views         []View
		mean, weights []float64
	}{
		{nil, []float64{3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6}, []float64{1.5, 2.1, 5.0, 5.2, 11.0, 11.8, 58.6}},
		{[]View{europe()}, []float64{4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1}, []float64{1.5, 2.1, -3.9, 35.4, 11.0, -9.5, 58.6}},
		{[]View{europe(), america()}, []float64{4.4, 8.7, 9.5, 11.2, 4.6, 7.0, 7.5},
			[]float64{1.5, 41.9, -3.4, 33.6, 11.0, -8.2, 18.8}},
	} {
		p, err := m.BlackLitterman(e, c.views)
		if err != nil {
			t.Fatal(err)
		}
		w := unconstrained(t, p, e.RiskAversion)
		for j := range 7 {
			if math.Abs(100*p.Mean[j]-c.mean[j]) > 0.05 || math.Abs(100*w[j]-c.weights[j]) > 0.05 {
				t.Errorf("%d views, country %d: mean %.3f and weight %.3f, want %v and %v", len(c.views), j, 100*p.Mean[j],
					100*w[j], c.mean[j], c.weights[j])
			}
		}
	}
	p, err := m.BlackLitterman(e, []View{europe(), america()})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.021, 0.017} { // omega / tau
		if got := p.StdErr[i] * p.StdErr[i] / e.Tau; math.Abs(got-want) > 0.0005 {
			t.Errorf("view %d has omega/tau %v, want %v", i+1, got, want)
		}
	}
}

// TestIdzorek compares with PyPortfolioOpt 1.6.0: BlackLittermanModel(S, pi=pi, P=P, Q=Q,
// tau=0.05, omega="idzorek", view_confidences=[0.25, 0.9, 0.5]) and its bl_returns, the
// diagonal of its bl_cov and the roots of that of its omega.
func TestIdzorek(t *testing.T) {
	m, e := sevenCountries()
	first, second := europe(), america()
	first.Confidence, second.Confidence = 0.25, 0.9
	third := View{[]float64{japan: 1, unitedStates: 0}, 0.06, 0.5}
	p, err := m.BlackLitterman(e, []View{first, second, third})
	if err != nil {
		t.Fatal(err)
	}
	var variances []float64
	for j := range 7 {
		variances = append(variances, p.Cov.At(j, j))
	}
	for name, c := range map[string][2][]float64{
		"means": {p.Mean, []float64{0.04556702541637921, 0.09598533092108405, 0.09512754793367888, 0.10769788124013409,
			0.053083302793792086, 0.0717131603312523, 0.06954568362750899}},
		"variances": {variances, []float64{0.026741592348411402, 0.04279308037495183, 0.06429416053548394, 0.07647276419384035,
			0.04520057445155123, 0.04183377293319702, 0.036525211737947046}},
		"standard errors": {p.StdErr, []float64{0.056534502704100986, 0.009728184140252824, 0.046957427527495585}},
	} {
		if !floats.EqualApprox(c[0], c[1], 1e-12) {
			t.Errorf("%s are %v, want %v", name, c[0], c[1])
		}
	}
}

// A certain view comes true, one of no surprise changes no mean, and a confidence is the
// share of the way to the weights of who is certain (Idzorek's definition).
func TestConfidence(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m, e := sevenCountries()
		e.RiskFree = rapid.Float64Range(-0.05, 0.05).Draw(r, "rf")
		e.Tau = rapid.Float64Range(0.01, 2).Draw(r, "tau")
		v := View{make([]float64, 7), rapid.Float64Range(-0.3, 0.3).Draw(r, "return"), 1}
		long := rapid.IntRange(0, 6).Draw(r, "long")
		v.Legs[long] = 1
		if short := rapid.IntRange(-1, 6).Draw(r, "short"); short >= 0 && short != long {
			v.Legs[short] = -1
		}
		certain, err := m.BlackLitterman(e, []View{v})
		if err != nil {
			r.Fatal(err)
		}
		if math.Abs(certain.After[0]-v.Return) > 1e-12 || certain.StdErr[0] != 0 {
			r.Fatalf("a certain view of %v became %v", v.Return, certain.After[0])
		}
		v.Confidence = rapid.Float64Range(0.01, 0.99).Draw(r, "confidence")
		partly, err := m.BlackLitterman(e, []View{v})
		if err != nil {
			r.Fatal(err)
		}
		for j := range 7 {
			want := partly.Equilibrium[j] + v.Confidence*(certain.Mean[j]-partly.Equilibrium[j])
			if math.Abs(partly.Mean[j]-want) > 1e-12 {
				r.Fatalf("mean %d is %v, want %v", j, partly.Mean[j], want)
			}
		}
		v.Return = partly.Before[0]
		same, err := m.BlackLitterman(e, []View{v})
		if err != nil || !floats.EqualApprox(same.Mean, same.Equilibrium, 1e-14) {
			r.Fatalf("a view of what the market says makes %v of %v", same.Mean, same.Equilibrium)
		}
	})
}

func TestViewsRefused(t *testing.T) {
	m, e := sevenCountries()
	certain := europe()
	certain.Confidence = 1
	nothing := View{make([]float64, 7), 0.05, 0.5}
	for _, c := range []struct {
		market []float64
		views  []View
		want   string
	}{
		{e.Market[:6], nil, "6 weights of 7 assets"},
		{e.Market, []View{nothing}, "view 1 is about a portfolio without variance"},
		{e.Market, []View{certain, certain}, "contradict each other"},
		{e.Market, []View{{europe().Legs, math.NaN(), 0.5}}, "a return of NaN"},
		{e.Market, []View{{europe().Legs, 0.05, 0}}, "a confidence of 0"},
		{e.Market, []View{{europe().Legs, 0.05, 1.5}}, "a confidence of 1.5"},
	} {
		e := e
		e.Market = slices.Clone(c.market)
		if _, err := m.BlackLitterman(e, c.views); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.views, err, c.want)
		}
	}
}
