package inference

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/metrics"
)

// Where risk persists, resampling makes the intervals of figures of spread too short:
// over 750 periods of a GARCH process that of the volatility covers .77, as blocks can't be
// long enough. So the ones here have the standard error of the mean of each period's
// influence by the lowest frequencies alone: the mean square of its projections on the
// first few cosines, beside Student's t with a degree of freedom for each (Müller 2007, "A
// theory of robust long-run variance estimation"; Lazarus, Lewis, Stock & Watson 2018, "HAR
// inference: recommendations for practice"). Spells of risk that are long beside the
// history show in the very lowest, so there are the fewer of them the more the sizes of
// returns go with those before.

// margin is half the length of such an interval of a figure on which the periods have
// these influences, of mean 0.
func margin(influence []float64, cosines int) float64 {
	periods := float64(len(influence))
	var variance float64
	for j := 1; j <= cosines; j++ {
		var projection float64
		for t, y := range influence {
			projection += y * math.Cos(math.Pi*float64(j)*(float64(t)+0.5)/periods)
		}
		variance += 2 * projection * projection / periods / float64(cosines)
	}
	t := distuv.StudentsT{Sigma: 1, Nu: float64(cosines)}
	return t.Quantile(0.975) * math.Sqrt(variance/periods)
}

// cosines is how many of them the risk of returns leaves. The steps were chosen by simulation:
// what they cost where returns are independent, and what they bring where risk persists, is
// in docs/walk-forward.md.
func cosines(tracks ...[]float64) int {
	persists := math.Inf(-1)
	for _, returns := range tracks {
		persists = max(persists, persistence(returns))
	}
	switch {
	case persists > 1:
		return 3
	case persists > 0:
		return 4
	}
	return min(8, len(tracks[0])/2)
}

// persistence is the sum of the first 20 autocorrelations of the distances from the mean
// over its deviation for independent returns, less its mean for these.
func persistence(returns []float64) float64 {
	periods, lags := float64(len(returns)), min(20, len(returns)/2)
	mean := stat.Mean(returns, nil)
	sizes := make([]float64, len(returns))
	for t, r := range returns {
		sizes[t] = math.Abs(r - mean)
	}
	covariances := autocovariances(sizes, lags)
	if covariances[0] == 0 {
		return 0
	}
	var sum float64
	for _, c := range covariances[1:] {
		sum += c/covariances[0] + 1/periods
	}
	return sum / math.Sqrt(float64(lags)/periods)
}

// around is the interval of a positive figure whose logarithm has the margin half. It
// reaches further up than down, as a history with few spells of high risk has a small
// figure and a small margin too: to second order in half, the interval is that of the
// figure's inverse square root.
func around(figure, half float64) (low, high float64) {
	skew := 1 + half/4
	return figure * math.Exp(-half/skew), figure * math.Exp(half*skew)
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
	return around(deviation, margin(influence, cosines(returns))/2)
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
	half := margin(influence, cosines(a, b))
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
// Both are NaN where fewer than [FewestBeyondVaR] losses are expected beyond it, for fewer
// than 8 periods, and for returns of which package metrics has no value at risk.
func VaRInterval(returns []float64, level float64) (low, high float64) {
	share := 1 - level
	threshold, _ := tail(returns, level)
	if len(returns) < 8 || share*float64(len(returns)) < FewestBeyondVaR-1e-9 || math.IsNaN(threshold) {
		return math.NaN(), math.NaN()
	}
	var beyond float64
	for _, r := range returns {
		if -r >= threshold {
			beyond += 1 / float64(len(returns))
		}
	}
	influence := make([]float64, len(returns))
	for t, r := range returns {
		if influence[t] = -beyond; -r >= threshold {
			influence[t]++
		}
	}
	sorted := slices.Sorted(slices.Values(returns))
	half := margin(influence, cosines(returns)) / (share * level)
	odds := math.Log(share / level)
	rank := func(odds float64) int { // of the loss beyond which lies the share of these odds
		return int(math.Ceil(float64(len(returns))/(1+math.Exp(-odds)) - 1e-9))
	}
	return -sorted[min(rank(odds+half), len(sorted)-1)], -sorted[max(rank(odds-half), 1)-1]
}

// CVaRInterval returns the interval that holds the mean of the worst share 1-level of
// returns, a positive loss, with probability .95.
//
// Both are NaN where fewer than [FewestBeyondCVaR] losses are expected beyond the value at
// risk, and for returns of which package metrics has none.
func CVaRInterval(returns []float64, level float64) (low, high float64) {
	share := 1 - level
	threshold, mean := tail(returns, level)
	if share*float64(len(returns)) < FewestBeyondCVaR-1e-9 || math.IsNaN(threshold) {
		return math.NaN(), math.NaN()
	}
	influence := make([]float64, len(returns))
	for t, r := range returns {
		influence[t] = threshold + max(-r-threshold, 0)/share - mean
	}
	half := margin(influence, cosines(returns))
	if mean > half { // a loss, and surely one: as a share of it
		return around(mean, half/mean)
	}
	return mean - half, mean + half
}

// tail returns the value at risk and the mean loss beyond it, NaN where there is none.
func tail(returns []float64, level float64) (valueAtRisk, conditional float64) {
	f, err := metrics.EvaluateSeries(returns, metrics.Settings{PeriodsPerYear: 1, Level: level,
		Figures: metrics.Of(metrics.VaR, metrics.CVaR)})
	if err != nil {
		return math.NaN(), math.NaN()
	}
	return f.VaR, f.CVaR
}
