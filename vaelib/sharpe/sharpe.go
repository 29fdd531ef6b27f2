// Package sharpe tells what the Sharpe ratio of a sample says of the true one
// (Bailey & López de Prado 2012 and 2014).
package sharpe

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Probabilistic returns the probability that the true Sharpe ratio
// exceeds a benchmark, given the one observed over a number of periods (Bailey
// & López de Prado 2012, "The Sharpe ratio efficient frontier", equation 9).
//
// Both ratios are PER PERIOD, the skewness has divisor T, and the kurtosis is
// raw (3 for a normal), divisor T:
//
//	Phi((sr - benchmark) sqrt(T-1) / sqrt(1 - skewness sr + (kurtosis-1)/4 sr^2))
//
// The root's argument is above 0 for the moments of any data that take more
// than two values; where it isn't, the ratio has no error, and the result is
// 0, 1/2 or 1.
func Probabilistic(sr, benchmark float64, periods int, skewness, kurtosis float64) float64 {
	variance := 1 - skewness*sr + (kurtosis-1)/4*sr*sr
	excess := (sr - benchmark) * math.Sqrt(float64(periods-1))
	if variance <= 0 {
		switch {
		case excess > 0:
			return 1
		case excess < 0:
			return 0
		}
		return 0.5
	}
	return distuv.UnitNormal.CDF(excess / math.Sqrt(variance))
}

// ExpectedMax returns the Sharpe ratio that the best of a number of
// trials without skill is expected to show, when the trials' ratios have
// standard deviation trialStd (Bailey & López de Prado 2014, "The deflated
// Sharpe ratio", equation 1):
//
//	trialStd ((1-g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))), g Euler's constant
//
// It is in the unit of trialStd, and 0 for a single trial. It lies about 1 %
// above the exact expectation (2.53 against 2.51 for N = 100).
func ExpectedMax(trials int, trialStd float64) float64 {
	if trials <= 1 {
		return 0
	}
	const euler = 0.57721566490153286060651209008240243
	n := float64(trials)
	return trialStd * ((1-euler)*distuv.UnitNormal.Quantile(1-1/n) + euler*distuv.UnitNormal.Quantile(1-1/(n*math.E)))
}

// Deflated returns the probability that the true Sharpe ratio exceeds
// what luck alone gives the best of a number of trials: [Probabilistic]
// against [ExpectedMax]. Count every trial that was looked at; trialStd
// is the standard deviation of their ratios PER PERIOD.
func Deflated(sr float64, periods int, skewness, kurtosis float64, trials int, trialStd float64) float64 {
	return Probabilistic(sr, ExpectedMax(trials, trialStd), periods, skewness, kurtosis)
}
