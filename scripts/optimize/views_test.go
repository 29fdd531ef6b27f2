package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// viewPrices are 60 closes of three assets.
func viewPrices(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("date,A,B,C\n")
	for day := range 60 {
		x := float64(day)
		fmt.Fprintf(&b, "2024-%02d-%02d,%.10g,%.10g,%.10g\n", 1+day/28, 1+day%28, 100+3*math.Sin(1.3*x),
			50+2*math.Sin(0.9*x)+math.Cos(1.3*x), 20+math.Cos(2.1*x))
	}
	return clitest.File(t, "closes.csv", b.String())
}

func TestViewsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-objective max-sharpe -views v.csv":                                               "-views goes with -means black-litterman",
		"-objective max-sharpe -market m.csv":                                              "-market goes with -means black-litterman",
		"-objective max-sharpe -means sample -tau 1":                                       "-tau goes with -means black-litterman",
		"-objective hrp -means black-litterman":                                            "-means goes with -objective mean-variance or max-sharpe",
		"-objective max-sharpe -means black-litterman -tau 0":                              "-tau: 0 lies outside",
		"-objective max-sharpe -means black-litterman -market-risk-aversion -1":            "-market-risk-aversion: -1 lies outside",
		"-objective max-sharpe -means black-litterman -market-risk-aversion 2 -views v -x": "unknown flag -x",
	})
}

// Without views the portfolio of the largest Sharpe ratio is the market, whatever the
// covariance; a view tilts it, by more the surer it is, and the json says how.
func TestBlackLitterman(t *testing.T) {
	closes, market := viewPrices(t), clitest.File(t, "market.csv", "symbol,value\nC,200\nXYZ,1000\nA,500\nB,300\n")
	args := []string{"-prices", closes, "-objective=max-sharpe", "-means=black-litterman", "-market", market, "-rf=0.02",
		"-format=json"}
	solve := func(more ...string) (answer map[string]any, stderr string) {
		t.Helper()
		code, stdout, stderr := execute(t, append(args, more...)...)
		if code != 0 {
			t.Fatalf("exit code %d, %s", code, stderr)
		}
		if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
			t.Fatal(err)
		}
		return answer, stderr
	}
	got, stderr := solve("-covariance=ledoit-wolf")
	weights := got["weights"].(map[string]any)
	for symbol, want := range map[string]float64{"A": 0.5, "B": 0.3, "C": 0.2} {
		if x := weights[symbol].(float64); math.Abs(x-want) > 1e-6 {
			t.Errorf("the weight of %s is %v, that in the market %v", symbol, x, want)
		}
	}
	if !strings.Contains(stderr, "an equilibrium in which the market returns") || !strings.Contains(stderr, "of its 4 weights 1 are of no asset") {
		t.Errorf("stderr is %s", stderr)
	}
	before := weights["C"].(float64)
	for _, confidence := range []string{"0.1", "0.5", "1"} {
		views := clitest.File(t, "views.csv", "long,short,return,confidence\nC,A=0.5;B=0.5,0.10,"+confidence+"\n")
		got, stderr := solve("-views", views)
		beliefs := got["black_litterman"].(map[string]any)
		view := beliefs["views"].([]any)[0].(map[string]any)
		x := got["weights"].(map[string]any)["C"].(float64)
		if surprise := 0.1 - view["equilibrium"].(float64); !((x-before)*surprise > 0) {
			t.Errorf("with a confidence of %s C has the weight %v, with less %v, for a surprise of %v", confidence, x,
				before, surprise)
		}
		before = x
		means := beliefs["means"].(map[string]any)
		after := means["C"].(float64) - means["A"].(float64)/2 - means["B"].(float64)/2
		if math.Abs(after-view["posterior"].(float64)) > 1e-12 || view["return"] != 0.1 || confidence == "1" && math.Abs(after-0.1) > 1e-12 {
			t.Errorf("the view is %v, and what is made of it %v", view, after)
		}
		if !strings.Contains(stderr, "view: C over A=0.5;B=0.5 returns 0.1 a year with a confidence of "+confidence) {
			t.Errorf("stderr is %s", stderr)
		}
	}
}

func TestBadBlackLitterman(t *testing.T) {
	closes := viewPrices(t)
	views := func(text string) string { return clitest.File(t, "views.csv", "long,short,return,confidence\n"+text) }
	market := func(text string) string { return clitest.File(t, "market.csv", text) }
	for _, c := range []struct {
		flag, value, want string
	}{
		{"-views", views("D,,0.1,\n"), `views.csv:2:1: symbol "D" is not among the assets: is A meant?`},
		{"-views", views("A,B,0.1,1\nA,B,0.2,1\n"), "the views contradict each other"},
		{"-views", "none.csv", "none.csv: no such file"},
		{"-market", market("A,B\n0.5,0.5\n"), "no weight of C, which is among the assets"},
		{"-market", market("A,B,C\n0,0,0\n"), "all weights are 0"},
		{"-market", market("A,B,C\n-1,1,1\n"), "the weight of A is -1: a market holds nothing short"},
		{"-market", market("A,B,C\n1,1,1\n1,1,2\n"), "2 rows of weights where one is wanted"},
	} {
		code, stdout, stderr := execute(t, "-prices", closes, "-objective=max-sharpe", "-means=black-litterman", c.flag, c.value)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if last := lines[len(lines)-1]; code != 1 || stdout != "" || !strings.Contains(last, c.want) {
			t.Errorf("%s %s: exit code %d, %q, want %q", c.flag, c.value, code, last, c.want)
		}
	}
}
