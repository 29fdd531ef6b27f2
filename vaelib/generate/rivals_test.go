package generate

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

func TestRivals(t *testing.T) {
	set := capped(0.4)
	g := generator(t, set)
	objective := sharpe(t)
	last := 0
	rivals, err := g.Rivals(t.Context(), objective, 5000, 1, func(done, total int, _ string) {
		if done <= last || total != 15000 {
			t.Errorf("reported %d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil || last != 15000 {
		t.Fatalf("%d reported, error %v", last, err)
	}
	bound, err := optimize.Bound(t.Context(), metrics.MaximizeSharpe, returns(), set, daily)
	if err != nil {
		t.Fatal(err)
	}
	was := runtime.GOMAXPROCS(1)
	again, err := g.Rivals(t.Context(), objective, 5000, 1, nil)
	runtime.GOMAXPROCS(was)
	if err != nil {
		t.Fatal(err)
	}
	for k, r := range rivals {
		if r.Value != objective.Value(r.Weights) || r.Value > bound.Value || set.Violation(r.Weights) > simplex.Tolerance {
			t.Errorf("%s: value %v, bound %v, violation %v", r.Name, r.Value, bound.Value, set.Violation(r.Weights))
		}
		if again[k].Value != r.Value || !slices.Equal(again[k].Weights, r.Weights) {
			t.Errorf("%s depends on the number of cores", r.Name)
		}
	}
	fewer, err := g.Rivals(t.Context(), objective, 10, 1, nil)
	if err != nil || fewer[0].Value > rivals[0].Value || math.IsInf(fewer[1].Value, 0) {
		t.Errorf("%+v, error %v", fewer, err)
	}
	if _, err := g.Rivals(t.Context(), objective, 0, 1, nil); err == nil {
		t.Error("no error for no evaluations")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Rivals(ctx, objective, 10, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
