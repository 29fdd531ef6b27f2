package inference

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Where risk persists, resampling makes the intervals of figures of spread too short:
// over 750 periods of a GARCH process that of the volatility covers .77, as blocks can't be
// long enough. So the ones here have the standard error of the mean of each period's
// influence, by a Bartlett kernel whose bandwidth is three tenths of the periods, and the
// critical value for 95 % that belongs to so long a bandwidth (Kiefer & Vogelsang 2005, "A
// new asymptotic theory for heteroskedasticity-autocorrelation robust tests", table 1).

// margin is half the length of such an interval of a figure on which the periods have
// these influences, of mean 0.
func margin(influence []float64) float64 {
	const b = 0.3 // share of the periods
	const critical = 1.9600 + b*(2.9694+b*(0.4160-b*0.5324))
	periods := float64(len(influence))
	return critical * math.Sqrt(max(bartlett(influence, b*periods), 0)/periods)
}

// bartlett is [longRun] with that kernel, in time that doesn't grow with the bandwidth: what
// a period is multiplied by, the sum of those before it less j/bandwidth of each at lag j, is
// carried on from one period to the next.
func bartlett(y []float64, bandwidth float64) float64 {
	most := int(math.Ceil(bandwidth)) - 1 // the last lag with a weight
	var sum, within, weighted float64     // within: of the lags 1 to most; weighted: each times its lag
	for t, now := range y {
		sum += now*now + 2*now*(within-weighted/bandwidth)
		within += now
		weighted += within // each is a lag further away, and now is at lag 1
		if old := t - most; old >= 0 {
			within -= y[old]
			weighted -= float64(most+1) * y[old]
		}
	}
	return sum / float64(len(y))
}

// VolatilityInterval returns the interval that holds the deviation of returns, per
// period, with probability .95, by that of the variance's logarithm.
//
// Both are 0 for returns that are all equal and NaN for fewer than 8 of them.
func VolatilityInterval(returns []float64) (low, high float64) {
	periods := float64(len(returns))
	if periods < 8 {
		return math.NaN(), math.NaN()
	}
	mean, deviation := stat.MeanStdDev(returns, nil)
	if !(deviation > flatness*math.Abs(mean)) {
		return 0, 0
	}
	variance := deviation * deviation * (periods - 1) / periods
	influence := make([]float64, len(returns)) // of each period on the variance's logarithm
	for t, r := range returns {
		influence[t] = (r-mean)*(r-mean)/variance - 1
	}
	half := margin(influence) / 2
	return deviation * math.Exp(-half), deviation * math.Exp(half)
}

// CorrelationInterval returns the interval that holds the correlation of a and b, of the
// same periods, with probability .95, by that of Fisher's z.
//
// Both are the correlation where it is 1 or -1 but for rounding, and NaN for fewer than 8
// periods and where one track is flat.
func CorrelationInterval(a, b []float64) (low, high float64) {
	if len(a) != len(b) {
		panic("inference: tracks of different lengths")
	}
	if len(a) < 8 {
		return math.NaN(), math.NaN()
	}
	x, y := standardised(a), standardised(b)
	if x == nil || y == nil {
		return math.NaN(), math.NaN()
	}
	var r float64
	for t := range x {
		r += x[t] * y[t] / float64(len(x))
	}
	if !(1-r*r > flatness) {
		return math.Copysign(1, r), math.Copysign(1, r)
	}
	influence := make([]float64, len(x))
	for t := range x {
		influence[t] = (x[t]*y[t] - r*(x[t]*x[t]+y[t]*y[t])/2) / (1 - r*r)
	}
	half := margin(influence)
	return math.Tanh(math.Atanh(r) - half), math.Tanh(math.Atanh(r) + half)
}

// standardised returns x less its mean over its deviation (divisor T), nil where it is flat.
func standardised(x []float64) []float64 {
	mean, deviation := stat.PopMeanStdDev(x, nil)
	if !(deviation > flatness*math.Abs(mean)) {
		return nil
	}
	out := make([]float64, len(x))
	for t, v := range x {
		out[t] = (v - mean) / deviation
	}
	return out
}

// The fewest losses that must be expected beyond the value at risk for an interval of it and
// of the mean loss beyond it: with fewer they hold much less than 95 %.
const (
	FewestBeyondVaR  = 3
	FewestBeyondCVaR = 12
)

// VaRInterval returns the interval that holds the value at risk of returns, a positive
// loss, with probability .95: the losses of which such shares lie beyond as the interval of
// the share has it (Woodruff 1952, "Confidence intervals for medians and other position
// measures"), on the scale of its log odds.
//
// Both are NaN where fewer than [FewestBeyondVaR] losses are expected beyond it, and for fewer than 8 periods.
func VaRInterval(returns []float64, level float64) (low, high float64) {
	losses, at := tail(returns, level)
	share := 1 - level
	if len(returns) < 8 || share*float64(len(returns)) < FewestBeyondVaR-1e-9 {
		return math.NaN(), math.NaN()
	}
	var beyond float64
	for _, r := range returns {
		if -r >= losses[at] {
			beyond += 1 / float64(len(returns))
		}
	}
	influence := make([]float64, len(returns))
	for t, r := range returns {
		if influence[t] = -beyond; -r >= losses[at] {
			influence[t]++
		}
	}
	half := margin(influence) / (share * level)
	odds := math.Log(share / level)
	rank := func(odds float64) int { // of the loss beyond which lies the share of these odds
		return int(math.Ceil(float64(len(returns))/(1+math.Exp(-odds)) - 1e-9))
	}
	return losses[min(rank(odds+half), len(losses)-1)], losses[max(rank(odds-half), 1)-1]
}

// CVaRInterval returns the interval that holds the mean of the worst share 1-level of
// returns, a positive loss, with probability .95.
//
// Both are NaN where fewer than [FewestBeyondCVaR] losses are expected beyond the value at risk.
func CVaRInterval(returns []float64, level float64) (low, high float64) {
	losses, at := tail(returns, level)
	share := 1 - level
	if share*float64(len(returns)) < FewestBeyondCVaR-1e-9 {
		return math.NaN(), math.NaN()
	}
	threshold := losses[at]
	mean := threshold
	influence := make([]float64, len(returns))
	for t, r := range returns {
		influence[t] = threshold + max(-r-threshold, 0)/share
		mean += max(-r-threshold, 0) / share / float64(len(returns))
	}
	for t := range influence {
		influence[t] -= mean
	}
	half := margin(influence)
	if mean > half { // a loss, and surely one: as a share of it
		return mean * math.Exp(-half/mean), mean * math.Exp(half/mean)
	}
	return mean - half, mean + half
}

// tail returns the losses, the largest first, and the place of the value at risk among them.
func tail(returns []float64, level float64) (losses []float64, at int) {
	losses = make([]float64, len(returns))
	for t, r := range returns {
		losses[t] = -r
	}
	slices.Sort(losses)
	slices.Reverse(losses)
	count := int(math.Ceil((1-level)*float64(len(returns)) - 1e-9))
	return losses, min(max(count, 1), len(losses)) - 1
}
