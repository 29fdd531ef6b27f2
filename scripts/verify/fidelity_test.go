package main

import "testing"

// Distances that are equal but for roundings leave open which is the smaller; rows
// that are the same do not.
func TestUndecidedPairs(t *testing.T) {
	var x, real [][]float64
	for i := range 6 {
		d := float64(i + 1)
		x, real = append(x, []float64{d, 0}), append(real, []float64{0, d * (1 + 1e-15)})
	}
	x, real = append(x, []float64{9, 9}), append(real, []float64{9, 9})
	c := &comparison{training: [][]float64{{0, 0}}, real: real, bandwidth: 1}
	c.reach = c.nearest(real)
	s := c.score(x)
	if got := s[undecided+"memorisation_auc"]; got != 6.0/49 {
		t.Errorf("%g of the pairs are undecided, not 6 of 49", got)
	}
	corners := [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1 - 1e-15}, {0.5, 0.5, 0}}
	c = &comparison{training: corners, real: corners, bandwidth: 1}
	c.reach = c.nearest(corners)
	if s = c.score(corners); s[undecided+"density"] == 0 {
		t.Errorf("none of the corners, all as far from each other, is undecided: %v", s)
	}
}
