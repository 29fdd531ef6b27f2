package main

import (
	"math"
	"slices"
)

// figures computes the figures of one portfolio over periods of returns by
// their definitions, one after the other: slow, and independent of the code
// that is verified. An undefined figure is missing from the result.
func figures(returns [][]float64, w []float64, perYear, riskFree, mar float64) map[string]float64 {
	r := make([]float64, len(returns))
	for t, row := range returns {
		for j, x := range w {
			r[t] += x * row[j]
		}
	}
	n := float64(len(r))
	f := map[string]float64{}
	mean := sum(r) / n
	f["annual_return"] = mean * perYear

	growth, broke := 1.0, false
	peak, drawdown := 1.0, 0.0
	for _, x := range r {
		growth *= 1 + x
		broke = broke || growth <= 0
		peak = max(peak, growth)
		drawdown = max(drawdown, (peak-growth)/peak)
	}
	f["max_drawdown"] = drawdown
	if !broke {
		f["cagr"] = math.Pow(growth, perYear/n) - 1
		if drawdown > 0 {
			f["calmar"] = f["cagr"] / drawdown
		}
	}

	sigma := deviation(r)
	f["volatility"] = sigma * math.Sqrt(perYear)
	if sigma > 0 {
		f["sharpe"] = (f["annual_return"] - riskFree) / f["volatility"]
		f["psr"] = probabilisticSharpe(r, mean-riskFree/perYear, 0)
		var average float64
		for j, x := range w {
			column := make([]float64, len(returns))
			for t := range returns {
				column[t] = returns[t][j]
			}
			average += x * deviation(column)
		}
		f["diversification_ratio"] = average / sigma
	}
	var below float64
	for _, x := range r {
		if short := x - mar/perYear; short < 0 {
			below += short * short
		}
	}
	if below > 0 {
		f["sortino"] = (f["annual_return"] - mar) / (math.Sqrt(below/n) * math.Sqrt(perYear))
	}

	f["var95"], f["cvar95"] = tail(r, 0.05)

	var concentration float64
	for _, x := range w {
		concentration += x * x
	}
	f["effective_assets"] = 1 / concentration
	return f
}

// tail returns the value at risk and the expected shortfall of the worst share
// of the returns, as losses.
func tail(r []float64, share float64) (worst, mean float64) {
	losses := make([]float64, len(r))
	for t, x := range r {
		losses[t] = -x
	}
	slices.Sort(losses)
	slices.Reverse(losses)
	size := share * float64(len(r))
	k := int(math.Ceil(size - 1e-9))
	return losses[k-1], (sum(losses[:k-1]) + (size-float64(k-1))*losses[k-1]) / size
}

// probabilisticSharpe is the probability that the true Sharpe ratio is above another
// one (Bailey and López de Prado 2012), for an excess mean and a ratio per period.
func probabilisticSharpe(r []float64, excess, above float64) float64 {
	n := float64(len(r))
	mean := sum(r) / n
	var m2, m3, m4 float64
	for _, x := range r {
		d := x - mean
		m2 += d * d / n
		m3 += d * d * d / n
		m4 += d * d * d * d / n
	}
	sr := excess / deviation(r)
	skewness, kurtosis := m3/math.Pow(m2, 1.5), m4/(m2*m2)
	z := (sr - above) * math.Sqrt(n-1) / math.Sqrt(1-skewness*sr+(kurtosis-1)/4*sr*sr)
	return math.Erfc(-z/math.Sqrt2) / 2
}

func sum(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s
}

// deviation is the standard deviation with divisor n - 1.
func deviation(x []float64) float64 {
	mean := sum(x) / float64(len(x))
	var squares float64
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(x)-1))
}
