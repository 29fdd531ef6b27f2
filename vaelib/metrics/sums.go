package metrics

import "math"

// holding is what the weights alone decide.
type holding struct {
	mean     float64 // return per period
	weighted float64 // the assets' standard deviations, weighted
	size     float64 // the assets' root mean squares, weighted by the weights' sizes
	squares  float64 // of the weights
}

func (e *Evaluator) hold(w []float64) holding {
	var h holding
	for j, v := range w {
		h.mean += float64(v * e.mean[j])
		h.weighted += float64(v * e.sigma[j])
		h.size += float64(math.Abs(v) * e.size[j])
		h.squares += float64(v * v)
	}
	return h
}

// targetOf is the return per period that Sortino counts shortfalls from.
func (e *Evaluator) targetOf(h *holding) float64 {
	if e.settings.Convention == SkfolioDefaults {
		return h.mean
	}
	return e.target
}

// deviation is the standard deviation per period, 0 where it is rounding.
func (e *Evaluator) deviation(h *holding, squares float64) float64 {
	std := math.Sqrt(squares / float64(e.periods-1))
	if std <= flatness*h.size {
		return 0
	}
	return std
}

// sums are what a series of returns decides. Of several portfolios side by
// side the same is computed by [Evaluator.sumBlock], with the same bits: here
// every sum and product is rounded by itself, as the vector instructions do.
type sums struct {
	passSums
	std                      float64
	fall                     float64 // of the running sum; SkfolioDefaults only
	valueAtRisk, conditional float64 // where asked for
	powers                           // where asked for
}

func (e *Evaluator) sum(h *holding, y, kept, work []float64) sums {
	s := sums{passSums: pass(y, h.mean, e.targetOf(h))}
	s.std = e.deviation(h, s.squares)
	if e.settings.Convention == SkfolioDefaults {
		s.fall = cumulativeDrawdown(y)
	}
	if e.settings.Figures&Of(VaR, CVaR) != 0 {
		s.valueAtRisk, s.conditional = e.tail.risk(y, e.tail.threshold(h.mean, s.std), kept, work)
	}
	if e.settings.Figures.Has(PSR) && s.std > 0 {
		s.powers = sumPowers(y, h.mean, s.std)
	}
	return s
}

// passSums are the sums of one pass over the returns of a portfolio.
type passSums struct {
	squares  float64 // of deviations from the mean
	downside float64 // of squared shortfalls below the target
	wealth   float64 // at the end, from 1
	worst    float64 // smallest ratio of wealth to an earlier peak, at most 1
}

// pass takes the sums. It has no call, no division but at a new worst, and its
// two branches are rarely taken.
func pass(y []float64, mean, target float64) passSums {
	s := passSums{wealth: 1, worst: 1}
	peak := 1.0
	for _, r := range y {
		d := r - mean
		s.squares += float64(d * d)
		short := min(r-target, 0)
		s.downside += float64(short * short)
		s.wealth *= 1 + r
		if s.wealth > peak {
			peak = s.wealth
		} else if s.wealth < s.worst*peak {
			s.worst = s.wealth / peak
		}
	}
	return s
}

// powers are the sums of the powers of the deviations from the mean, in units
// of the standard deviation, so that none overflows.
type powers struct{ second, third, fourth float64 }

func sumPowers(y []float64, mean, std float64) powers {
	var p powers
	for _, r := range y {
		d := (r - mean) / std
		square := float64(d * d)
		cube := float64(square * d)
		p.second += square
		p.third += cube
		p.fourth += float64(cube * d)
	}
	return p
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
