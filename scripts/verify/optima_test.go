package main

import (
	"math"
	"slices"
	"testing"
)

// TestInteriorOptimum takes weights to which no bound applies, so that the slope of
// their ratio is what roundings leave: they are as good as the best, and weights a
// ten-thousandth away are not.
func TestInteriorOptimum(t *testing.T) {
	r := &region{lower: []float64{0, 0}, upper: []float64{1, 1}}
	for _, ratio := range []float64{1, 3, 40, 200} { // of the two volatilities
		volatility := []float64{0.01, 0.01 * ratio}
		covariance := [][]float64{{volatility[0] * volatility[0], 0}, {0, volatility[1] * volatility[1]}}
		for _, away := range []float64{0, 1e-14, 1e-4} {
			w := normalised([]float64{1 / volatility[0], 1 / volatility[1]})
			w[0], w[1] = w[0]-away, w[1]+away
			slope, scale := ratioSlope(volatility, covariance, w)
			bound, err := r.most(t.Context(), slope)
			if err != nil {
				t.Fatal(err)
			}
			if left := bound - slope[0]*w[0] - slope[1]*w[1]; (left <= 1e-6*scale) != (away < 1e-6) {
				t.Errorf("volatilities %v, weights %v: %v is left to climb, of slopes of %v", volatility, w, left, scale)
			}
		}
	}
}

// TestNearTies asks for the rows nearest to conditions that many have: all that are as
// near as the last of 40, in their order.
func TestNearTies(t *testing.T) {
	b := &nearby{}
	for i := range 200 {
		b.given = append(b.given, []float64{math.Abs(float64(i/50) - 1)}) // 1, 0, 1, 2: fifty each
	}
	for _, c := range []struct {
		seen        float64
		first, last int
		count       int
	}{{0, 50, 99, 50}, {2, 150, 199, 50}, {1, 0, 149, 100}} {
		_, order := b.near([]float64{c.seen})
		if len(order) != c.count || order[0] != c.first || order[len(order)-1] != c.last || !slices.IsSorted(order) {
			t.Errorf("conditions of %v: rows %v", c.seen, order)
		}
	}
}
