package inference

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// VolatilityInterval returns the interval that holds the deviation of returns, per
// period, with probability .95. Resampling covers it in .77 of histories of 750
// periods where risk persists, as in GARCH: blocks can't be long enough. So the
// logarithm of the variance gets a standard error by a Bartlett kernel whose
// bandwidth is three tenths of the periods, and the critical value that belongs to so
// long a bandwidth (Kiefer & Vogelsang 2005, "A new asymptotic theory for
// heteroskedasticity-autocorrelation robust tests", table 1).
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
	const b = 0.3 // share of the periods
	critical := 1.9600 + b*(2.9694+b*(0.4160-b*0.5324))
	half := critical * math.Sqrt(longRun(influence, Bartlett, b*periods)/periods) / 2
	return deviation * math.Exp(-half), deviation * math.Exp(half)
}
