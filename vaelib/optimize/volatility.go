package optimize

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// ReturnAtVolatility returns the objective "largest annual return at an annual
// volatility of at most limit" over returns (T x n) and a constraint set, and
// its optimum on the set's convex relaxation, from the exact efficient frontier.
//
// The limit is a constraint, not a taste: a portfolio within it has its annual
// return for a value, and one beyond it has a value below that of every
// portfolio within it:
//
//	return - k (volatility - limit) - offset,
//
// where the offset is the difference between the largest and the smallest
// feasible return, and k is twice the largest Lagrange multiplier that the limit
// can have, so that the penalty is exact (Zangwill 1967, "Non-linear programming
// via penalty functions"): climbing from beyond the limit leads back to it. The
// largest return at volatility s, V(s), is concave, so its slope at the limit is
// at most (V's maximum - V(least))/(limit - least), least being the smallest
// feasible volatility.
//
// It is an error when the limit is not above the least volatility.
func ReturnAtVolatility(
	ctx context.Context, returns *mat.Dense, set simplex.Set, limit float64, settings metrics.Settings,
) (metrics.Objective, *Optimal, error) {
	gain, err := metrics.NewObjective(metrics.MaximizeReturn, returns, settings)
	if err != nil {
		return nil, nil, err
	}
	risk, err := metrics.NewObjective(metrics.MinimizeVolatility, returns, settings)
	if err != nil {
		return nil, nil, err
	}
	in, err := convexInputs(returns, set, settings)
	if err != nil {
		return nil, nil, err
	}
	frontier, err := Frontier(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	corners := frontier.Corners
	calm, rich := corners[0].Weights, corners[len(corners)-1].Weights
	least := -risk.Value(calm)
	if !(limit > least) {
		return nil, nil, fmt.Errorf("a volatility of at most %.4g a year is out of reach: "+
			"the least of the set is %.4g, give a limit above it", limit, least)
	}
	poor := *in
	poor.Mean = make([]float64, len(in.Mean))
	floats.SubTo(poor.Mean, poor.Mean, in.Mean)
	lowest, err := Solve(ctx, MeanVariance, &poor)
	if err != nil {
		return nil, nil, err
	}
	o := &returnAtVolatility{
		gain: gain, risk: risk, limit: limit,
		slope:  2 * (gain.Value(rich) - gain.Value(calm)) / (limit - least),
		offset: gain.Value(rich) - gain.Value(lowest.Weights),
		work:   make([]float64, set.N),
	}
	w := o.optimum(corners)
	return o, &Optimal{Weights: w, Value: o.Value(w)}, nil
}

// returnAtVolatility is a metrics.Objective.
type returnAtVolatility struct {
	gain, risk           metrics.Objective
	limit, slope, offset float64
	work                 []float64 // n
}

func (o *returnAtVolatility) Value(w []float64) float64 {
	return o.rank(o.gain.Value(w), -o.risk.Value(w))
}

// rank is the value of a return and a volatility.
func (o *returnAtVolatility) rank(gain, volatility float64) float64 {
	if volatility <= o.limit {
		return gain
	}
	return gain - o.slope*(volatility-o.limit) - o.offset
}

func (o *returnAtVolatility) Gradient(dst, w []float64) float64 {
	gain := o.gain.Gradient(dst, w)
	volatility := -o.risk.Gradient(o.work, w)
	if volatility > o.limit {
		floats.AddScaled(dst, o.slope, o.work)
	}
	return o.rank(gain, volatility)
}

func (o *returnAtVolatility) Clone() metrics.Objective {
	c := *o
	c.gain, c.risk, c.work = o.gain.Clone(), o.risk.Clone(), make([]float64, len(o.work))
	return &c
}

// optimum is the point of the efficient frontier at the limit. Between two
// corners the weights are their mixtures, along which the volatility rises.
func (o *returnAtVolatility) optimum(corners []Corner) []float64 {
	last := len(corners) - 1
	if -o.risk.Value(corners[last].Weights) <= o.limit {
		return corners[last].Weights
	}
	upper := 1
	for -o.risk.Value(corners[upper].Weights) <= o.limit {
		upper++
	}
	w := make([]float64, len(o.work))
	low, high := 0.0, 1.0
	for range 60 {
		t := (low + high) / 2
		between(w, corners[upper-1].Weights, corners[upper].Weights, t)
		if -o.risk.Value(w) <= o.limit {
			low = t
		} else {
			high = t
		}
	}
	between(w, corners[upper-1].Weights, corners[upper].Weights, low)
	return w
}

// between sets dst to the point t of the way from a to b.
func between(dst, a, b []float64, t float64) {
	for i := range dst {
		dst[i] = (1-t)*a[i] + t*b[i]
	}
}
