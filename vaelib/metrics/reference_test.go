package metrics

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/sharpe"
)

// near fails unless got is want within a relative tolerance, with an absolute
// floor of a thousandth of it.
func near(t testing.TB, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1e-3, math.Abs(want))) {
		t.Errorf("%s is %.17g, want %.17g", name, got, want)
	}
}

// goldenReturns is one asset with r_t = 0.001 + 0.02 sin(1.7t) + 0.01 cos(0.3
// t^2) for t = 1..200, except r_1 = -0.04: a loss on the first day.
func goldenReturns() *mat.Dense {
	returns := mat.NewDense(200, 1, nil)
	for i := range 200 {
		t := float64(i + 1)
		returns.Set(i, 0, 0.001+0.02*math.Sin(1.7*t)+0.01*math.Cos(0.3*t*t))
	}
	returns.Set(0, 0, -0.04)
	return returns
}

// Expected values were computed with the libraries' own code (skfolio 1.12.2,
// empyrical-reloaded 0.7.1, Riskfolio-Lib 7.4.0) and are printed with 12
// digits.
func TestGoldenVector(t *testing.T) {
	tests := []struct {
		settings Settings
		figure   Figure
		want     float64
	}{
		{Settings{}, AnnualReturn, .467366508654},
		{Settings{}, CAGR, .516915115761},
		{Settings{}, Volatility, .318541724102},
		{Settings{}, Sharpe, 1.46720656445},
		{Settings{}, Sortino, 2.22070938552},
		{Settings{}, MaxDrawdown, .0749429662554},
		{Settings{}, Calmar, .516915115761 / .0749429662554},
		{Settings{}, VaR, .0250420960738},
		{Settings{}, CVaR, .0286170255342},
		{Settings{Level: 0.93}, CVaR, .0274105601165},
		{Settings{}, PSR, .860115947878},
		{Settings{}, DiversificationRatio, 1},
		{Settings{}, EffectiveAssets, 1},
		{Settings{PeriodsPerYear: 252}, Sharpe, 1.21911619222},
		{Settings{PeriodsPerYear: 252}, CAGR, .333329997846},
		{Settings{Convention: Skfolio}, AnnualReturn, .467366508654},
		{Settings{Convention: Skfolio}, Sortino, 2.21515065494},
		{Settings{Convention: Skfolio}, VaR, .0248358844331},
		{Settings{Convention: Skfolio}, CVaR, .0286170255342},
		{Settings{Convention: Skfolio, Level: 0.93}, CVaR, .0274105601165},
		{Settings{Convention: Skfolio}, MaxDrawdown, .0749429662554},
		{Settings{Convention: Skfolio}, Calmar, .00128045618809 / .0749429662554},
		{Settings{Convention: SkfolioDefaults}, Sortino, 2.07106159716},
		{Settings{Convention: SkfolioDefaults}, MaxDrawdown, .0753413974836},
		{Settings{Convention: SkfolioDefaults}, VaR, .0248358844331},
		{Settings{Convention: Empyrical}, AnnualReturn, .516915115761},
		{Settings{Convention: Empyrical}, Sharpe, 1.46720656445},
		{Settings{Convention: Empyrical}, Sortino, 2.22070938552},
		{Settings{Convention: Empyrical}, VaR, .0248461950151},
		{Settings{Convention: Empyrical}, CVaR, .0286170255342},
		{Settings{Convention: Empyrical, Level: 0.93}, CVaR, .0274105601165},
		{Settings{Convention: Empyrical}, Calmar, 6.897446706329844},
	}
	for _, test := range tests {
		name := fmt.Sprintf("%s of %+v", test.figure.Name(0.95), test.settings)
		if test.settings.PeriodsPerYear == 0 {
			test.settings.PeriodsPerYear = 365
		}
		e, err := NewEvaluator(goldenReturns(), test.settings)
		if err != nil {
			t.Fatal(err)
		}
		f, err := e.Evaluate([]float64{1})
		if err != nil {
			t.Fatal(err)
		}
		got, defined := f.Value(test.figure).Float()
		if !defined {
			t.Errorf("%s is undefined: %s", name, f.Value(test.figure).Reason())
		}
		near(t, name, got, test.want, 1e-11)
	}
	e, err := NewEvaluator(goldenReturns(), Settings{PeriodsPerYear: 365})
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.Evaluate([]float64{1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "expected maximum", sharpe.ExpectedMax(100, 0.05), .12653014466, 1e-11)
	deflated, defined := f.DeflatedSharpe(100, 0.05).Float()
	if !defined {
		t.Error("deflated Sharpe ratio is undefined")
	}
	near(t, "deflated Sharpe ratio", deflated, .241981899547, 1e-11)
}

func core12Returns(t testing.TB) *mat.Dense {
	closes := sharedtest.Table(t, 1, "cases", "data", "core12_close.csv")
	rows, n := closes.Dims()
	returns := mat.NewDense(rows-1, n, nil)
	for i := range rows - 1 {
		for j := range n {
			returns.Set(i, j, closes.At(i+1, j)/closes.At(i, j)-1)
		}
	}
	return returns
}

// Thirty portfolios on real data, against an independent computation and the
// libraries themselves, to 1e-9.
func TestReferencePortfolios(t *testing.T) {
	type numbers map[string]any // 0 where a key is absent would hide a mistake
	var cases struct {
		TrialStd   float64 `json:"trial_sr_std"`
		Trials     int     `json:"n_trials"`
		SR0        float64
		Portfolios []struct {
			Expected numbers
			Library  map[string]numbers
		}
	}
	sharedtest.JSON(t, &cases, "cases", "metrics", "core12_expected.json")
	returns := core12Returns(t)
	weights := sharedtest.Table(t, 1, "cases", "metrics", "core12_weights.csv")
	rows, _ := weights.Dims()
	if len(cases.Portfolios) != rows {
		t.Fatalf("%d expected portfolios for %d rows of weights", len(cases.Portfolios), rows)
	}
	evaluate := func(convention Convention) []Figures {
		e, err := NewEvaluator(returns, Settings{PeriodsPerYear: 365, Convention: convention})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]Figures, rows)
		if err := e.EvaluateAll(t.Context(), weights, dst); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	own, skfolio, empyrical := evaluate(Default), evaluate(Skfolio), evaluate(Empyrical)
	near(t, "expected maximum", sharpe.ExpectedMax(cases.Trials, cases.TrialStd), cases.SR0, 1e-9)

	var cov mat.SymDense
	covariance(&cov, returns)
	compared := 0
	for i, portfolio := range cases.Portfolios {
		check := func(name string, from numbers, key string, got float64) {
			t.Helper()
			want, ok := from[key].(float64)
			if !ok {
				t.Fatalf("the reference has no %s", key)
			}
			near(t, fmt.Sprintf("portfolio %d: %s", i, name), got, want, 1e-9)
		}
		f, want := own[i], portfolio.Expected
		if f.Undefined != 0 {
			t.Errorf("portfolio %d: %v", i, f.Notes())
		}
		check("annual return", want, "annual_return", f.AnnualReturn)
		check("cagr", want, "cagr", f.CAGR)
		check("volatility", want, "volatility", f.Volatility)
		check("sharpe", want, "sharpe", f.Sharpe)
		check("sortino", want, "sortino", f.Sortino)
		check("drawdown", want, "max_drawdown", f.MaxDrawdown)
		check("calmar", want, "calmar_cagr", f.Calmar)
		check("var", want, "var95", f.VaR)
		check("cvar", want, "cvar95", f.CVaR)
		check("diversification", want, "diversification_ratio", f.DiversificationRatio)
		check("effective assets", want, "effective_number", f.EffectiveAssets)
		check("skewness", want, "skew", f.Skewness)
		check("kurtosis", want, "kurtosis_raw", f.Kurtosis)
		check("period Sharpe", want, "sr_period", f.PeriodSharpe)
		check("psr", want, "psr0", f.PSR)
		deflated, _ := f.DeflatedSharpe(cases.Trials, cases.TrialStd).Float()
		check("dsr", want, "dsr", deflated)

		if portfolio.Library != nil { // the first few
			compared++
			f, want = skfolio[i], portfolio.Library["skfolio"]
			check("skfolio annual return", want, "annual_return", f.AnnualReturn)
			check("skfolio sharpe", want, "sharpe", f.Sharpe)
			check("skfolio sortino", want, "sortino", f.Sortino)
			check("skfolio drawdown", want, "max_drawdown", f.MaxDrawdown)
			check("skfolio calmar", want, "calmar", f.Calmar)
			check("skfolio var", want, "var95", f.VaR)
			check("skfolio cvar", want, "cvar95", f.CVaR)

			f, want = empyrical[i], portfolio.Library["empyrical"]
			check("empyrical cagr", want, "cagr", f.CAGR)
			check("empyrical annual return", want, "cagr", f.AnnualReturn)
			check("empyrical sharpe", want, "sharpe", f.Sharpe)
			check("empyrical sortino", want, "sortino", f.Sortino)
			check("empyrical drawdown", want, "max_drawdown", f.MaxDrawdown)
			check("empyrical var", want, "var95", f.VaR)
			check("empyrical cvar", want, "cvar95", f.CVaR)
			check("empyrical calmar", want, "calmar_cagr", f.Calmar)
		}

		w := weights.RawRowView(i)
		shares, err := RiskContributions(w, &cov)
		if err != nil {
			t.Fatal(err)
		}
		for j, share := range shares {
			expected := portfolio.Expected["risk_contributions"].([]any)[j].(float64)
			if math.Abs(share-expected) > 1e-10 {
				t.Errorf("portfolio %d: risk contribution %d is %v, want %v", i, j, share, expected)
			}
		}
	}
	if compared < 2 {
		t.Errorf("compared %d portfolios with the libraries, want at least 2", compared)
	}
}

// covariance is the sample covariance with divisor T-1, entry by entry.
func covariance(cov *mat.SymDense, returns *mat.Dense) {
	periods, n := returns.Dims()
	mean, _, _ := assetMoments(returns)
	*cov = *mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			var sum float64
			for t := range periods {
				sum += (returns.At(t, i) - mean[i]) * (returns.At(t, j) - mean[j])
			}
			cov.SetSym(i, j, sum/float64(periods-1))
		}
	}
}
