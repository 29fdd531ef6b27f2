package main

import (
	"math"
	"slices"
)

// summary is the median of some numbers and their quartiles.
type summary struct {
	median, low, high float64
}

// summarise returns the summary of at least one number.
func summarise(x []float64) summary {
	sorted := slices.Sorted(slices.Values(x))
	return summary{median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75)}
}

// quantile interpolates linearly between the two nearest of sorted numbers
// (definition 7 of Hyndman & Fan 1996).
func quantile(sorted []float64, p float64) float64 {
	position := p * float64(len(sorted)-1)
	i := int(position)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (position-float64(i))*(sorted[i+1]-sorted[i])
}

// ratios divides the rates of two contenders round by round.
func ratios(rates, against []float64) []float64 {
	r := make([]float64, len(rates))
	for i := range r {
		r[i] = rates[i] / against[i]
	}
	return r
}

// difference is the largest difference of two answers, relative to the largest
// number of the second; NaN where they are different things, infinite where the
// first is undefined.
func difference(answer, want []float64) float64 {
	if len(answer) != len(want) {
		return math.NaN()
	}
	var gap, size float64
	for i, x := range answer {
		if math.IsNaN(x) {
			return math.Inf(1)
		}
		gap, size = max(gap, math.Abs(x-want[i])), max(size, math.Abs(want[i]))
	}
	if gap == 0 {
		return 0
	}
	return gap / size
}
