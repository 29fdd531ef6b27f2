package inference

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Superior is the result of [SPA]: p-values for "no strategy is better than the
// benchmark".
type Superior struct {
	Statistic float64 // the largest studentised difference, at least 0
	Best      int     // the strategy whose studentised difference is largest, also where none is above 0
	PValue    float64 // Hansen's consistent one
	Lower     float64 // if all that look worse were left out
	Upper     float64 // if all were as good as the benchmark: White's reality check
}

// SPA tests whether the best of K strategies is better than a benchmark, given
// that it was chosen among K (Hansen 2005, "A test for superior predictive
// ability"). differences (K) are in a figure such as the Sharpe ratio, strategy
// less benchmark; draws (B x K) are the same over resamples of the periods,
// [BootstrapTracks]. A strategy whose difference doesn't vary is left out.
func SPA(differences []float64, draws *mat.Dense, periods int) Superior {
	resamples, _ := draws.Dims()
	deviations := spread(draws)
	s := Superior{PValue: 1, Lower: 1, Upper: 1}
	// A difference this far below 0 can't be the best, if the sample grows.
	poor := math.Sqrt(2 * math.Log(math.Log(float64(max(periods, 3)))))
	largest := math.Inf(-1)
	for k, d := range differences {
		if deviations[k] > 0 && d/deviations[k] > largest {
			largest, s.Best = d/deviations[k], k
		}
	}
	if largest <= 0 {
		return s
	}
	s.Statistic = largest
	s.PValue, s.Lower, s.Upper = 0, 0, 0
	for i := range resamples {
		row := draws.RawRowView(i)
		var consistent, lower, upper float64
		for k, d := range differences {
			if !(deviations[k] > 0) {
				continue
			}
			centred := (row[k] - d) / deviations[k]
			upper = max(upper, centred)
			lower = max(lower, centred+min(d, 0)/deviations[k])
			if d/deviations[k] < -poor {
				centred += d / deviations[k]
			}
			consistent = max(consistent, centred)
		}
		for _, x := range []struct {
			p        *float64
			greatest float64
		}{{&s.PValue, consistent}, {&s.Lower, lower}, {&s.Upper, upper}} {
			if x.greatest >= s.Statistic {
				*x.p += 1 / float64(resamples)
			}
		}
	}
	return s
}

// StepDown returns p-values for "strategy k is no better than the benchmark",
// one a strategy, adjusted so that all that are below a level hold together: the
// chance that any of them is wrong is at most that level (Romano & Wolf 2005,
// "Stepwise multiple testing as formalized data snooping"; p-values by their
// paper of 2016). differences and draws are those of [SPA]; the p-value of a
// strategy whose difference doesn't vary is NaN.
func StepDown(differences []float64, draws *mat.Dense) []float64 {
	resamples, _ := draws.Dims()
	deviations := spread(draws)
	adjusted := make([]float64, len(differences))
	var order []int
	for k := range differences {
		if adjusted[k] = math.NaN(); deviations[k] > 0 {
			order = append(order, k)
		}
	}
	ratio := func(k int) float64 { return differences[k] / deviations[k] }
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := ratio(a), ratio(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	greatest := make([]float64, resamples) // of those that are left, in each resample
	for i := range greatest {
		greatest[i] = math.Inf(-1)
	}
	p := make([]float64, len(order))
	for j := len(order) - 1; j >= 0; j-- {
		k, count := order[j], 1
		for i := range greatest {
			greatest[i] = max(greatest[i], (draws.At(i, k)-differences[k])/deviations[k])
			if greatest[i] >= ratio(k) {
				count++
			}
		}
		p[j] = float64(count) / float64(resamples+1)
	}
	for j, k := range order {
		if j > 0 {
			p[j] = max(p[j], p[j-1])
		}
		adjusted[k] = p[j]
	}
	return adjusted
}

// spread returns the standard deviations of the columns; 0 where it is rounding,
// or undefined in a resample.
func spread(draws *mat.Dense) []float64 {
	_, columns := draws.Dims()
	deviations := make([]float64, columns)
	for k := range deviations {
		column := mat.Col(nil, k, draws)
		mean, deviation := stat.MeanStdDev(column, nil)
		if deviation > flatness*max(1, math.Abs(mean)) {
			deviations[k] = deviation
		}
	}
	return deviations
}
