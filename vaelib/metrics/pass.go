package metrics

import "math"

// passSums are the sums of one pass over the returns of a portfolio.
type passSums struct {
	squares  float64 // of deviations from the mean
	downside float64 // of squared shortfalls below the target
	wealth   float64 // at the end, from 1
	worst    float64 // smallest ratio of wealth to an earlier peak, at most 1
}

// pass takes the sums. It is the inner loop of an evaluation: it has no call,
// no division but at a new worst, and its two branches are rarely taken.
func pass(y []float64, mean, target float64) passSums {
	s := passSums{wealth: 1, worst: 1}
	peak := 1.0
	for _, r := range y {
		d := r - mean
		s.squares += d * d
		short := r - target
		short -= math.Abs(short) // twice the shortfall, without a branch
		s.downside += short * short
		s.wealth *= 1 + r
		if s.wealth > peak {
			peak = s.wealth
		} else if s.wealth < s.worst*peak {
			s.worst = s.wealth / peak
		}
	}
	s.downside /= 4
	return s
}

// cumulativeDrawdown is the largest fall of the running sum of returns from an
// earlier peak; the sum starts at 0.
func cumulativeDrawdown(y []float64) float64 {
	var sum, peak, worst float64
	for _, r := range y {
		sum += r
		peak = max(peak, sum)
		worst = max(worst, peak-sum)
	}
	return worst
}
