package main

import (
	"math"
	"slices"
	"testing"
)

func TestSummarise(t *testing.T) {
	for _, c := range []struct {
		numbers []float64
		want    summary
	}{
		{[]float64{7}, summary{7, 7, 7}},
		{[]float64{3, 1}, summary{2, 1.5, 2.5}},
		{[]float64{5, 1, 4, 2, 3}, summary{3, 2, 4}},
		{[]float64{1, 2, 3, 1000}, summary{2.5, 1.75, 252.25}}, // numpy.quantile
	} {
		before := slices.Clone(c.numbers)
		if got := summarise(c.numbers); got != c.want {
			t.Errorf("summarise(%v) = %v, want %v", c.numbers, got, c.want)
		}
		if !slices.Equal(before, c.numbers) {
			t.Errorf("summarise changed its argument %v to %v", before, c.numbers)
		}
	}
}

// A machine that halves its speed for some rounds changes rates, not ratios.
func TestRatiosOfRounds(t *testing.T) {
	a, b := []float64{10, 5, 10, 5, 10}, []float64{20, 10, 20, 10, 20}
	if got := summarise(ratios(a, b)); got != (summary{0.5, 0.5, 0.5}) {
		t.Errorf("ratio %v, want 0.5 without spread", got)
	}
}

func TestDifference(t *testing.T) {
	for _, c := range []struct {
		answer, want []float64
		difference   float64
	}{
		{[]float64{1, 2}, []float64{1, 2}, 0},
		{[]float64{0}, []float64{0}, 0},
		{[]float64{1, 2.5}, []float64{1, 2}, 0.25},
		{[]float64{-1, 0}, []float64{-4, 0}, 0.75},
		{[]float64{1}, []float64{0}, math.Inf(1)},
		{[]float64{math.NaN()}, []float64{1}, math.Inf(1)},
		{[]float64{1}, []float64{1, 2}, math.NaN()},
	} {
		got := difference(c.answer, c.want)
		if got != c.difference && !(math.IsNaN(got) && math.IsNaN(c.difference)) {
			t.Errorf("difference(%v, %v) = %v, want %v", c.answer, c.want, got, c.difference)
		}
	}
}

func TestSignificant(t *testing.T) {
	for x, want := range map[float64]string{
		0.0123456: "0.0123", 0.8764: "0.876", 1: "1.00", 13.44: "13.4", 99.96: "100.0", 912.4: "912", 9999: "10,000",
		66123: "66,100", 1234567: "1,230,000", 1000: "1,000", math.NaN(): "-", math.Inf(1): "-",
	} {
		if got := significant(x); got != want {
			t.Errorf("significant(%v) = %s, want %s", x, got, want)
		}
	}
}
