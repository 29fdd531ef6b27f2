package main

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/data"
	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/market"
)

// Symbols have equals signs and quotes around them.
func TestParseBudgets(t *testing.T) {
	got, err := parseBudgets([]string{"EURUSD=X=0.3", `"GC=F" = 2`, "OAK=0", "sector.L1=0.5"})
	want := []budget{{"EURUSD=X", 0.3}, {"GC=F", 2}, {"OAK", 0}, {"sector.L1", 0.5}}
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("budget %d is %v, not %v", i, got[i], want[i])
		}
	}
	for _, bad := range []string{"EURUSD", "=1", "EURUSD=X", "OAK=-1", "OAK=Inf"} {
		if _, err := parseBudgets([]string{bad}); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// A sector's budget is its share of the variance, shared out by membership.
func TestBudgetsOfSectors(t *testing.T) {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, window.Returns, nil)
	index := func(symbol string) int { return slices.Index(window.Symbols, symbol) }
	sectors := clitest.File(t, "sectors.csv", `symbol,sector,share
ALDER,"Real Estate, other",1
BIRCH,"Real Estate, other",0.5
BIRCH,Energy,0.5
BROOK,Energy,1
`)
	args := []string{"-objective=risk-budget", "-sectors=" + sectors}
	r := solve(t, append(args, `-budgets=sector."Real Estate, other"=3`, "-budgets=sector.Energy=1,FJORD=6")...)
	w := mat.NewVecDense(len(window.Symbols), nil)
	for symbol, weight := range r.Weights {
		w.SetVec(index(symbol), weight)
	}
	var marginal mat.VecDense
	marginal.MulVec(&covariance, w)
	variance := mat.Dot(w, &marginal)
	for symbol, want := range map[string]float64{"ALDER": 0.2, "BIRCH": 0.1 + 0.1/3, "BROOK": 0.2 / 3, "FJORD": 0.6,
		"WREN": 0} {
		j := index(symbol)
		if got := w.AtVec(j) * marginal.AtVec(j) / variance; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s has %v of the variance, not %v", symbol, got, want)
		}
	}
	for bad, want := range map[string]string{
		"sector.Energie=1":         "unknown sector Energie: did you mean Energy?",
		"sector.Energy=1,BROOK=1":  "BROOK has a share by sector.Energy and one by BROOK: give one of them",
		"sector.Energy=1,ENERGY=1": "unknown symbol ENERGY",
		"ALDER=1":                  "a budget of a sector is sector.NAME=X",
	} {
		code, stdout, stderr := execute(t, append(args, "-budgets="+bad)...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d\n%s", bad, code, stderr)
		}
	}
	if code, _, stderr := execute(t, "-objective=risk-budget", "-budgets=L1=1"); code != 2 ||
		!strings.Contains(stderr, "L1 is a sector: write sector.L1") {
		t.Errorf("a bare sector: exit code %d\n%s", code, stderr)
	}
	prices := clitest.File(t, "closes.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,2,1\n2024-01-03,1,3\n")
	code, _, stderr := execute(t, "-objective=risk-budget", "-prices="+prices, "-budgets=sector.X=1,A=1")
	if code != 2 || !strings.Contains(stderr, "sector.X needs -sectors FILE") {
		t.Errorf("no sectors: exit code %d\n%s", code, stderr)
	}
}
