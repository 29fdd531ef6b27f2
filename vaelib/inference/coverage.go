package inference

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/metrics"
)

// Test is a likelihood-ratio test: a small p-value speaks against the null
// hypothesis.
type Test struct{ Statistic, PValue float64 }

func likelihoodRatio(statistic, freedom float64) Test {
	statistic = math.Max(statistic, 0) // rounding
	return Test{statistic, distuv.ChiSquared{K: freedom}.Survival(statistic)}
}

// Exceedances says in which periods the loss was larger than the VaR that had
// been forecast for it; both are T long, VaR is a positive loss.
func Exceedances(returns, valueAtRisk []float64) []bool {
	if len(returns) != len(valueAtRisk) {
		panic("inference: one VaR for each return")
	}
	hits := make([]bool, len(returns))
	for t, r := range returns {
		hits[t] = r < -valueAtRisk[t]
	}
	return hits
}

// Kupiec tests whether a VaR at the given level is exceeded as often as it
// should be, in a share 1-level of the periods (Kupiec 1995, the
// proportion-of-failures test; chi-square with 1 degree of freedom). With few
// expected exceedances, (1-level) T below ten or so, it has little power.
func Kupiec(periods, exceedances int, level float64) (Test, error) {
	if err := checkCoverage(periods, exceedances, level); err != nil {
		return Test{}, err
	}
	misses, hits := float64(periods-exceedances), float64(exceedances)
	expected := misses*math.Log(level) + hits*math.Log1p(-level)
	return likelihoodRatio(2*(bernoulli(misses, hits)-expected), 1), nil
}

// Coverage is the result of [Christoffersen].
type Coverage struct {
	Exceedances   int
	Unconditional Test // as often as it should be: Kupiec's
	Independence  Test // an exceedance is as likely after one as after none
	Conditional   Test // both at once
}

// Christoffersen tests whether exceedances of a VaR come as often as they
// should AND don't come in clusters (Christoffersen 1998, "Evaluating interval
// forecasts"): a first-order Markov chain is the alternative. Independence has
// 1 degree of freedom, and is about the T-1 transitions; the conditional
// statistic is the sum of the two others, with 2.
func Christoffersen(exceeded []bool, level float64) (Coverage, error) {
	var counts [2][2]float64 // transitions from, to
	index := func(hit bool) int {
		if hit {
			return 1
		}
		return 0
	}
	c := Coverage{}
	for t, hit := range exceeded {
		c.Exceedances += index(hit)
		if t > 0 {
			counts[index(exceeded[t-1])][index(hit)]++
		}
	}
	var err error
	if c.Unconditional, err = Kupiec(len(exceeded), c.Exceedances, level); err != nil {
		return Coverage{}, err
	}
	if len(exceeded) < 2 {
		return Coverage{}, errors.New("1 period has no transitions to test for independence: give at least 2")
	}
	chain := bernoulli(counts[0][0], counts[0][1]) + bernoulli(counts[1][0], counts[1][1])
	constant := bernoulli(counts[0][0]+counts[1][0], counts[0][1]+counts[1][1])
	c.Independence = likelihoodRatio(2*(chain-constant), 1)
	c.Conditional = likelihoodRatio(c.Unconditional.Statistic+c.Independence.Statistic, 2)
	return c, nil
}

// bernoulli is the log-likelihood of misses and hits at their own frequency.
func bernoulli(misses, hits float64) float64 {
	part := func(count float64) float64 {
		if count == 0 {
			return 0
		}
		return count * math.Log(count/(misses+hits))
	}
	return part(misses) + part(hits)
}

func checkCoverage(periods, exceedances int, level float64) error {
	if periods < 1 || exceedances < 0 || exceedances > periods {
		return fmt.Errorf("%d exceedances in %d periods: give at least 1 period and at most as many exceedances",
			exceedances, periods)
	}
	if !(level > 0 && level < 1) {
		return wrong("level", fmt.Sprint(level), "a number between 0 and 1, such as 0.95")
	}
	return nil
}

func wrong(setting, value, want string) error {
	return &metrics.SettingsError{Setting: setting, Value: value, Want: want}
}
