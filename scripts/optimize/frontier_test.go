package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/portfolio"
)

// curveOf is the json of -frontier.
func curveOf(t *testing.T, args ...string) (f frontierJSON) {
	t.Helper()
	code, stdout, stderr := execute(t, append(args, "-objective=mean-variance", "-format=json", "-quiet")...)
	if code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// frontierJSON is the part of the json that tests look at.
type frontierJSON struct {
	Frontier []frontierRow
	Tangency *frontierRow
	Means    string
	Notes    []string
}

type frontierRow struct {
	ID                        string
	Weights                   map[string]float64
	Mean, Variance, Gap       float64
	Violation, Sharpe         float64
	AnnualReturn              float64 `json:"annual_return"`
	EffectiveAssets           float64 `json:"effective_assets"`
	Volatility, LargestWeight float64
	Turnover                  *float64
}

// Every point is the optimum that -target-return gives for its mean; the ends are the least
// variance and the largest mean, and the tangency is the largest Sharpe ratio.
func TestFrontier(t *testing.T) {
	held := clitest.File(t, "held.csv", "ALDER,BIRCH,WREN\n0.4,0.4,0.2\n")
	for _, set := range [][]string{
		{"-max-weight=0.3", "-limit=ALDER=0.1,WREN>=0.05"},
		{"-holdings=" + held, "-max-turnover=0.6", "-means=bayes-stein", "-covariance=ledoit-wolf"},
		{"-lower=-0.1", "-max-gross=1.3", "-means=" + clitest.File(t, "m.csv", "symbol,mean\nALDER,.1\nBIRCH,.2\nCEDAR,.1\n"), "-symbols=ALDER,BIRCH,CEDAR"},
	} {
		f := curveOf(t, append(set, "-frontier=6")...)
		if len(f.Frontier) != 6 || f.Frontier[0].ID != "f1" || f.Tangency == nil {
			t.Fatalf("%v: %+v", set, f)
		}
		for i, p := range f.Frontier {
			target := fmt.Sprintf("-target-return=%.17g", p.Mean-1e-13*math.Abs(p.Mean))
			want := solve(t, append(set, "-objective=mean-variance", target)...)
			if math.Abs(p.Variance-want.Value) > 1e-9*want.Value || p.Gap > 1e-9*p.Variance || p.Violation > 1e-12 {
				t.Errorf("%v, point %d: %+v, want the variance %v", set, i, p, want.Value)
			}
			if (p.Turnover != nil) != strings.HasPrefix(set[0], "-holdings") || p.Turnover != nil && *p.Turnover > 0.6+1e-9 {
				t.Errorf("%v, point %d: turnover %v", set, i, p.Turnover)
			}
			step := (f.Frontier[5].Mean - f.Frontier[0].Mean) / 5
			if math.Abs(p.Mean-f.Frontier[0].Mean-float64(i)*step) > 1e-12 {
				t.Errorf("%v: the means aren't equally spaced: %v at %d", set, p.Mean, i)
			}
			if p.Sharpe > f.Tangency.Sharpe*(1+1e-9) || math.Abs(p.Sharpe-p.AnnualReturn/p.Volatility) > 1e-12 {
				t.Errorf("%v, point %d: Sharpe ratio %v, the largest is %v", set, i, p.Sharpe, f.Tangency.Sharpe)
			}
		}
		calm := solve(t, append(set[:2:2], "-objective=min-variance")...)
		if len(set) == 2 && math.Abs(f.Frontier[0].Variance-calm.Value) > 1e-12*calm.Value {
			t.Errorf("%v: the least variance is %v, not %v", set, calm.Value, f.Frontier[0].Variance)
		}
		rich := solve(t, append(set, "-objective=mean-variance", "-risk-aversion=0")...)
		if math.Abs(f.Frontier[5].Mean-rich.Value) > 1e-12 {
			t.Errorf("%v: the largest mean is %v, not %v", set, rich.Value, f.Frontier[5].Mean)
		}
	}
}

// The csv is a file of weights, and the table has the tangency at its place.
func TestFrontierForms(t *testing.T) {
	args := []string{"-objective=mean-variance", "-frontier=10", "-max-weight=0.4"}
	code, stdout, stderr := execute(t, append(args, "-format=csv")...)
	p, err := portfolio.Read(strings.NewReader(stdout), "frontier.csv", portfolio.ReadOptions{})
	if code != 0 || err != nil || p.Len() != 10 || p.ID(0) != "f01" || p.ID(9) != "f10" || len(p.Symbols) != 12 ||
		!strings.Contains(stderr, "frontier: 10 portfolios") || !strings.Contains(stderr, "tangency: the largest Sharpe ratio") {
		t.Errorf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	code, stdout, stderr = execute(t, args...)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if code != 0 || len(lines) != 12 || !strings.HasPrefix(lines[0], "portfolio") || strings.Count(stdout, "\ntangency") != 1 {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = execute(t, append(args, "-rf=0.99")...)
	if code != 0 || strings.Contains(stdout, "tangency") || !strings.Contains(stderr, "no tangency: the largest mean") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if f := curveOf(t, "-frontier=4", "-min-weight=0.2", "-max-weight=0.5"); len(f.Frontier) != 4 {
		t.Errorf("with a minimum weight: %+v", f)
	}
	for _, p := range curveOf(t, "-frontier=4", "-max-assets=3", "-max-weight=0.5").Frontier {
		held := 0
		for _, w := range p.Weights {
			if w != 0 {
				held++
			}
		}
		if held > 3 {
			t.Errorf("%d assets are held where 3 may be: %+v", held, p)
		}
	}
	if f := curveOf(t, "-frontier=4", "-symbols=ALDER"); len(f.Frontier) != 1 || !strings.Contains(strings.Join(f.Notes, "\n"), "the frontier is that one") {
		t.Errorf("of one asset: %+v", f)
	}
}

func TestBadFrontier(t *testing.T) {
	for want, args := range map[string][]string{
		"-frontier goes with -objective mean-variance": {"-objective=min-variance", "-frontier=5"},
		"-frontier: 1 lies outside [2,10000]":          {"-objective=mean-variance", "-frontier=1"},
		"without -target-return":                       {"-objective=mean-variance", "-frontier=5", "-target-return=0.001"},
		"without -turnover-charge":                     {"-objective=mean-variance", "-frontier=5", "-turnover-charge=1", "-holdings=h.csv"},
		"without -cash":                                {"-objective=mean-variance", "-frontier=5", "-cash=100"},
		"12 weights of at most 0.05 reach 0.6":         {"-objective=mean-variance", "-frontier=5", "-max-weight=0.05"},
		`"x" is not a whole number`:                    {"-objective=mean-variance", "-frontier=x"},
	} {
		code, stdout, stderr := execute(t, append(args, "-quiet")...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q, want %q", args, code, stdout, stderr, want)
		}
	}
}
