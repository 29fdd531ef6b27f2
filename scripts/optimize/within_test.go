package main

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// Within a share of the optimum takes less turnover than the optimum, as little as a limit
// on turnover shows.
func TestWithin(t *testing.T) {
	held := clitest.File(t, "held.csv", "ALDER,BIRCH,CEDAR,CASH\n0.3,0.3,0.2,0.2\n")
	args := []string{"-objective=max-sharpe", "-max-weight=0.3", "-holdings=" + held}
	best, near := solve(t, args...), solve(t, append(args, "-within=0.05")...)
	if near.Optimum == nil || math.Abs(*near.Optimum-best.Value) > 1e-12 || near.Value < 0.95*best.Value-1e-12 ||
		near.Value > best.Value || !(*near.Turnover < *best.Turnover) || near.Violation > 1e-12 {
		t.Fatalf("%+v, the best %+v", near, best)
	}
	limited := solve(t, append(args, "-max-turnover="+fmt.Sprint(*near.Turnover+1e-6))...)
	if limited.Value < near.Value-1e-9 {
		t.Errorf("with as much turnover the best value is %v, and %v was found", limited.Value, near.Value)
	}
	few := solve(t, append(args, "-within=0.05", "-min-weight=0.1", "-max-assets=4")...)
	if few.Violation > 1e-12 || *few.Assets > 4 || few.Value < 0.95**few.Optimum-1e-12 {
		t.Errorf("with a minimum weight and few assets %+v", few)
	}
	for want, more := range map[string][]string{
		"-within goes with":                {"-objective=hrp", "-holdings=" + held},
		"-within goes with -holdings":      {"-objective=max-sharpe"},
		"-within goes with no -turnover-c": {"-objective=min-variance", "-holdings=" + held, "-turnover-charge=0.1"},
		"-binding goes with":               {"-objective=max-sharpe", "-holdings=" + held, "-binding"},
	} {
		if code, _, stderr := execute(t, append(more, "-within=0.05")...); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d\n%s", more, code, stderr)
		}
	}
}
