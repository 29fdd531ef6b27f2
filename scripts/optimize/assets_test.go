package main

import (
	"strings"
	"testing"
)

// Of the sample's assets three at most are held, and it is told how that was decided.
func TestMaxAssets(t *testing.T) {
	args := []string{"-objective=min-variance", "-max-weight=0.5"}
	free := solve(t, args...)
	if free.Nodes != 0 || free.Assets != nil {
		t.Errorf("nothing is to be decided: %d nodes", free.Nodes)
	}
	args = append(args, "-max-assets=3")
	r := solve(t, append(args, "-binding")...)
	count := 0
	for _, w := range r.Weights {
		if w != 0 {
			count++
		}
	}
	if count != 3 || *r.Assets != 3 || r.Nodes < 1 || r.Status != "optimal" || r.Gap != 0 || r.Value <= free.Value {
		t.Errorf("%d assets are held, %d told, %d nodes, %s, gap %v, value %v, without a limit %v", count, *r.Assets, r.Nodes,
			r.Status, r.Gap, r.Value, free.Value)
	}
	told := false
	for _, b := range r.Binding {
		if b.Constraint == "max-assets" {
			told = *b.Without == free.Value
		}
	}
	if !told {
		t.Errorf("binding %+v, without a limit %v", r.Binding, free.Value)
	}
	code, _, stderr := execute(t, append(args, "-format=csv")...)
	if code != 0 || !strings.Contains(stderr, "assets held: 3, the best choice, by branch and bound (nodes: ") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	code, _, stderr = execute(t, append(args, "-format=csv", "-rivals")...)
	if code != 0 || !strings.Contains(stderr, "rounding: value ") || !strings.Contains(stderr, "backward: value ") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	for want, bad := range map[string][]string{
		"-rivals goes":                       {"-objective=min-variance", "-rivals"},
		"-max-assets goes":                   {"-objective=hrp", "-max-assets=3"},
		"goes with no short positions":       {"-objective=min-variance", "-max-assets=3", "-lower=-0.1"},
		"3 reach 0.6, below 1): allow 5, or": {"-objective=min-variance", "-max-assets=3", "-max-weight=0.2"},
		"12 have a least weight above 0":     {"-objective=min-variance", "-max-assets=3", "-lower=0.01"},
		"L1 >= 0.2 takes 1, L2 >= 0.2 takes 1, DeFi >= 0.2 takes 1": {"-objective=min-variance", "-max-assets=2", "-sector-cap=L1=0.2:1", "-sector-cap=L2=0.2:1",
			"-sector-cap=DeFi=0.2:1"},
		"-max-nodes goes": {"-objective=min-variance", "-max-nodes=3"},
	} {
		code, stdout, stderr := execute(t, bad...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d\n%s", bad, code, stderr)
		}
	}
}
