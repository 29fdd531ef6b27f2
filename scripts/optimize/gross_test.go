package main

import (
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// Of two assets of which the calmer is to be leveraged, a gross exposure of G leaves
// (1 + G)/2 long and (1 - G)/2 short.
func TestMaxGross(t *testing.T) {
	prices := clitest.File(t, "closes.csv", `date,CALM,WILD
2024-01-01,100,100
2024-01-02,101,103
2024-01-03,100,99
2024-01-04,102,105
2024-01-05,101,100
2024-01-06,104,112
`)
	args := []string{"-prices=" + prices, "-objective=min-variance", "-lower=-2", "-max-weight=3"}
	free := solve(t, args...)
	if free.Gross == nil || *free.Gross < 1.3 || *free.Gross > 4.9 {
		t.Fatalf("without a limit the gross exposure is %v", free.Gross)
	}
	for _, most := range []string{"1", "1.1", "1.3"} {
		r := solve(t, append(args, "-binding", "-max-gross="+most)...)
		want := map[string]float64{"1": 0, "1.1": -0.05, "1.3": -0.15}[most]
		if math.Abs(r.Weights["WILD"]-want) > 1e-9 || math.Abs(*r.Gross-(1-2*want)) > 1e-9 {
			t.Errorf("gross of at most %s: %v, which is %v", most, r.Weights, *r.Gross)
		}
		if len(r.Binding) != 1 || r.Binding[0].Constraint != "max-gross" ||
			math.Abs(*r.Binding[0].Without-free.Value) > 1e-12 {
			t.Errorf("gross of at most %s: binding %+v, without it %v", most, r.Binding, free.Value)
		}
	}
	if r := solve(t, append(args, "-max-gross=5")...); math.Abs(r.Value-free.Value) > 1e-15 {
		t.Errorf("a limit that is not reached changes %v to %v", free.Value, r.Value)
	}
	for want, bad := range map[string][]string{
		"allow short positions with -lower": {"-objective=min-variance", "-max-gross=1.5"},
		"-max-gross goes":                   {"-objective=learnt", "-max-gross=2", "-lower=-1"},
		"at most 1.2 reaches no portfolio": {"-prices=" + prices, "-objective=min-variance", "-lower=-1",
			"-max-weight=2", "-max-gross=1.2", "-sectors=" + clitest.File(t, "sectors.csv", "symbol,sector\nWILD,W\nCALM,C\n"),
			"-sector-cap=W=-0.9:-0.5"},
	} {
		code, stdout, stderr := execute(t, bad...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d\n%s", bad, code, stderr)
		}
	}
}
