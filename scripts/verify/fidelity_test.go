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
	if got := c.score(x)[undecided]; got != 6.0/49 {
		t.Errorf("%g of the pairs are undecided, not 6 of 49", got)
	}
}
