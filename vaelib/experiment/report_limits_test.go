package experiment

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/simplex"
)

func TestWeightLimits(t *testing.T) {
	for want, set := range map[string]*simplex.Set{
		"0 1 []":     {N: 2},
		"0.1 0.5 []": {N: 2, Lower: []float64{0.1, 0.1}, Upper: []float64{0.5, 0.5}},
		"0 0.5 [That of B is from 2 % to 5 % instead.]": {N: 3, Symbols: []string{"A", "B", "C"}, Lower: []float64{0, 0.02, 0},
			Upper: []float64{0.5, 0.05, 0.5}},
	} {
		if got := fmt.Sprintln(weightLimits(set)); strings.TrimSpace(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	many := &simplex.Set{N: 100, Upper: slices.Repeat([]float64{1}, 100)}
	for j := range 45 {
		many.Upper[j] = float64(j+1) / 100
	}
	if _, _, others := weightLimits(many); len(others) != mostLimits+1 || others[mostLimits] != "15 more assets have limits of their own." {
		t.Errorf("%d lines: %v", len(others), others[len(others)-1])
	}
}
