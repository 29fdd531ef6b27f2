package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
)

// scripted is a contender whose turns give the rates one after the other; it
// fails after the last.
func scripted(name string, order *[]string, rates ...float64) contender {
	return contender{name: name, turn: func(context.Context, float64) (span, error) {
		*order = append(*order, name)
		if len(rates) == 0 {
			return span{}, errors.New("broke down")
		}
		s := span{units: rates[0], wall: 1, cpu: 2}
		rates = rates[1:]
		return s, nil
	}}
}

func measureScripted(t *testing.T, clock string, contenders ...contender) []result {
	t.Helper()
	w := workload{name: "w", unit: "things", contenders: func(context.Context, *bed) ([]contender, error) { return contenders, nil }}
	results, err := new(bed).measure(t.Context(), w, &config{Rounds: 3, Seconds: 1, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestMeasureInterleaves(t *testing.T) {
	var order []string
	a, b := scripted("a", &order, 10, 20, 40), scripted("b", &order, 5, 10, 10)
	a.answer, b.answer = []float64{2}, []float64{1}
	results := measureScripted(t, "wall", a, b)
	if want := []string{"a", "b", "b", "a", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("turns %v, want %v", order, want)
	}
	if got := results[0]; got.rate != (summary{20, 15, 30}) || got.versus != "" || !math.IsNaN(got.ratio.median) {
		t.Errorf("first contender: %+v", got)
	}
	if got := results[1]; got.rounds != 3 || got.versus != "a" || got.ratio != (summary{0.5, 0.375, 0.5}) || got.difference != 0.5 {
		t.Errorf("second contender: %+v", got)
	}
	order = nil
	if got := measureScripted(t, "cpu", scripted("a", &order, 10, 20, 40))[0].rate.median; got != 10 {
		t.Errorf("%v units a CPU second, want 10", got)
	}
}

// Whoever fails is left out, and who was to be compared with it is compared
// with the first that did not.
func TestMeasureLeavesOut(t *testing.T) {
	var order []string
	b := scripted("b", &order, 1, 1)
	c := scripted("c", &order, 3, 3, 3)
	c.versus = "b"
	d := contender{name: "d", missing: "not installed"}
	results := measureScripted(t, "wall", scripted("a", &order, 6, 6, 6), b, c, d)
	if got := results[1]; got.note != "broke down" || got.rounds != 0 || !math.IsNaN(got.rate.median) {
		t.Errorf("contender that broke down: %+v", got)
	}
	if got := results[2]; got.versus != "a" || got.ratio.median != 0.5 {
		t.Errorf("contender whose opponent broke down: %+v", got)
	}
	if got := results[3]; got.note != "not installed" {
		t.Errorf("contender that is not installed: %+v", got)
	}
}

func TestMeasureStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := contender{name: "a", turn: func(context.Context, float64) (span, error) {
		cancel()
		return span{}, errors.New("interrupted work")
	}}
	w := workload{contenders: func(context.Context, *bed) ([]contender, error) { return []contender{a}, nil }}
	if _, err := new(bed).measure(ctx, w, &config{Rounds: 3, Clock: "wall"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// repeat goes on until the time is over, and stops at an error.
func TestRepeat(t *testing.T) {
	calls := 0
	s, err := repeat(func(context.Context) (int, error) { calls++; return 3, nil })(t.Context(), 1e-4)
	if err != nil || s.units != float64(3*calls) || s.wall < 1e-4 {
		t.Errorf("%d calls: %+v, %v", calls, s, err)
	}
	broken := errors.New("broken")
	if _, err := oneCore(repeat(func(context.Context) (int, error) { return 0, broken }))(t.Context(), 1); err != broken {
		t.Errorf("error %v, want %v", err, broken)
	}
}
