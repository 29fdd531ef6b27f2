package main

import (
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// Of each constraint that binds the value without it is that of a run without it.
func TestBinding(t *testing.T) {
	sectors := clitest.File(t, "sectors.csv", "symbol,sector\nALDER,wood\nBIRCH,wood\nCEDAR,wood\n")
	base := []string{"-symbols=ALDER,BIRCH,CEDAR,BROOK,CREEK", "-objective=min-variance"}
	capped, sector := "-max-weight=0.3", []string{"-sectors=" + sectors, "-sector-cap=wood=0.5"}
	both := solve(t, append(append(base, capped, "-binding"), sector...)...)
	want := map[string]float64{
		"max-weight":      solve(t, append(base, sector...)...).Value,
		"sector-cap wood": solve(t, append(base, capped)...).Value,
	}
	if len(both.Binding) == 0 {
		t.Fatal("nothing binds")
	}
	for _, b := range both.Binding {
		if b.Without == nil || math.Abs(*b.Without-want[b.Constraint]) > 1e-12 || *b.Without > both.Value+1e-15 {
			t.Errorf("%+v, want %v", b, want[b.Constraint])
		}
		if b.Constraint == "max-weight" && len(b.Symbols) == 0 {
			t.Errorf("no symbols at the cap: %+v", b)
		}
	}
	own := solve(t, append(base, capped, "-limit=BIRCH=0.1,CREEK>=0.15", "-binding")...)
	want = map[string]float64{
		"limit BIRCH": solve(t, append(base, capped, "-limit=CREEK>=0.15")...).Value,
		"limit CREEK": solve(t, append(base, capped, "-limit=BIRCH=0.1")...).Value,
		"max-weight":  solve(t, append(base, "-limit=BIRCH=0.1,CREEK>=0.15")...).Value,
	}
	if len(own.Binding) != len(want) {
		t.Errorf("limits of assets: %+v", own.Binding)
	}
	for _, b := range own.Binding {
		if b.Without == nil || math.Abs(*b.Without-want[b.Constraint]) > 1e-12 || len(b.Symbols) == 0 {
			t.Errorf("%+v, want %v", b, want[b.Constraint])
		}
	}
	// With short positions a weight of at most 1, and a sector's least sum of 0 or less, are limits.
	base[1] = "-objective=mean-variance"
	short := append(base, "-lower=-0.5", "-binding", sector[0], "-sector-cap=wood=-0.1:0")
	free := solve(t, append(base, "-lower=-0.5", "-max-weight=10", sector[0], "-sector-cap=wood=-0.1:0")...).Value
	found := map[string]float64{}
	for _, b := range solve(t, short...).Binding {
		found[b.Constraint] = *b.Without
	}
	if _, ok := found["sector-cap wood"]; !ok || math.Abs(found["max-weight"]-free) > 1e-12 || free == 0 {
		t.Errorf("%v, want %v", found, free)
	}
	base[1] = "-objective=min-variance"
	if code, _, stderr := execute(t, append(base, capped, "-binding")...); code != 0 ||
		!strings.Contains(stderr, "max-weight binds at ") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if code, _, stderr := execute(t, "-objective=hrp", "-binding"); code != 2 ||
		!strings.Contains(stderr, "-binding goes with -objective") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
