package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/qp"
)

// region is what portfolios are chosen from: bounds of each weight, a sum of 1, bounds
// of sectors, and the smallest holding, 0 where there is none. Optimal portfolios are
// without it: minimum-or-zero is relaxed to its lower bound.
type region struct {
	lower, upper []float64
	groups       []group
	least        float64
}

// regionOf is what the flags allow for the symbols.
func regionOf(c *cli.Constraints, symbols []string) (*region, error) {
	n := len(symbols)
	r := &region{lower: slices.Repeat([]float64{c.Lower}, n), upper: slices.Repeat([]float64{c.MaxWeight}, n),
		least: c.MinWeight}
	lower, upper, err := c.LimitsOf(symbols)
	if err != nil {
		return nil, err
	}
	for j := range n {
		if !math.IsNaN(lower[j]) {
			r.lower[j] = lower[j]
		}
		if !math.IsNaN(upper[j]) {
			r.upper[j] = upper[j]
		}
	}
	r.groups, err = groupsOf(c, symbols)
	return r, err
}

// most is an upper bound of g'v over the region. A linear programme finds its
// multipliers; whatever these are, weak duality makes a bound of them, so that the
// programme's solver needn't be trusted.
func (r *region) most(ctx context.Context, g []float64) (float64, error) {
	n := len(g)
	rows := mat.NewDense(1+len(r.groups), n, nil)
	rows.SetRow(0, slices.Repeat([]float64{1}, n))
	lo, hi := []float64{1}, []float64{1}
	for k, group := range r.groups {
		rows.SetRow(k+1, group.share)
		lo, hi = append(lo, group.lo), append(hi, group.hi)
	}
	c := make([]float64, n)
	for j, v := range g {
		c[j] = -v
	}
	programme := &qp.Problem{C: c, A: rows, Lo: lo, Hi: hi, Lower: r.lower, Upper: r.upper}
	result, err := qp.Solve(ctx, programme, qp.Settings{})
	if err != nil {
		return 0, err
	}
	if result.Status != qp.Optimal {
		return 0, fmt.Errorf("the constraints' linear programme is %v", result.Status)
	}
	var bound float64
	rest := slices.Clone(g)
	for k, multiplier := range result.RowMultipliers { // of the minimum of -g'v
		limit := hi[k]
		if multiplier > 0 {
			limit = lo[k]
		}
		if multiplier != 0 {
			bound -= multiplier * limit
		}
		for j := range rest {
			rest[j] += multiplier * rows.At(k, j)
		}
	}
	for j, v := range rest {
		bound += max(v*r.lower[j], v*r.upper[j])
	}
	return bound, nil
}

// checkOptima checks certificates of the baselines that are solved for. At an optimum
// no feasible direction climbs: of a function that is concave, or like the Sharpe
// ratio rises along a way to any better portfolio, the gradient g at w has
// g'v <= g'w for all feasible v.
func (f *folder) checkOptima(ctx context.Context) error {
	const file = "baselines.csv"
	in, err := f.inputs()
	if err != nil {
		return err
	}
	ids, weights, err := f.portfolios(file, in.data.Window.Symbols)
	if err != nil {
		return err
	}
	r, err := regionOf(&in.config.Constraints, in.data.Window.Symbols)
	if err != nil {
		return err
	}
	r.least = 0
	f.checkConstraints(file, ids, weights, r)
	span := returns(in.in)
	m := &marketMoments{mean: columnMeans(span), sample: covarianceOf(span, float64(len(span)-1)), shrunk: shrunk(span),
		riskFree: in.config.RiskFree / in.perYear}
	for i, id := range ids {
		slope, scale := m.slope(id, weights[i])
		if slope == nil {
			continue
		}
		bound, err := r.most(ctx, slope)
		if err != nil {
			return err
		}
		var reached float64
		for j, v := range slope {
			reached += v * weights[i][j]
			scale = max(scale, math.Abs(v))
		}
		status := same
		if !(bound-reached <= 1e-6*scale) {
			status = differs
		}
		f.add(file, "optimality of "+id, status, reached, bound)
	}
	return f.checkBestSampled()
}

// marketMoments are what the baselines are optimal by.
type marketMoments struct {
	mean           []float64
	sample, shrunk [][]float64
	riskFree       float64
}

// slope is the gradient, of what a baseline maximises, at its weights, and how large
// what it is the difference of is, where it may be 0; nil where no such condition is
// known here.
func (m *marketMoments) slope(id string, w []float64) (slope []float64, scale float64) {
	const ofWeights = 1e-3
	n := len(w)
	volatilities := func(covariance [][]float64) []float64 {
		v := make([]float64, n)
		for j := range v {
			v[j] = math.Sqrt(covariance[j][j])
		}
		return v
	}
	switch id {
	case "convex-max-sharpe":
		excess := make([]float64, n)
		for j, v := range m.mean {
			excess[j] = v - m.riskFree
		}
		return ratioSlope(excess, m.sample, w)
	case "max-diversification":
		return ratioSlope(volatilities(m.shrunk), m.shrunk, w)
	case "min-variance":
		slope = times(m.shrunk, w)
		for j := range slope {
			slope[j] *= -2
		}
		return slope, 0
	case "equal-weight":
		return away(slices.Repeat([]float64{1 / float64(n)}, n), w), ofWeights
	case "inverse-volatility":
		target := volatilities(m.sample)
		for j, v := range target {
			target[j] = 1 / v
		}
		return away(normalised(target), w), ofWeights
	case "risk-parity":
		return away(equalRisk(m.shrunk), w), ofWeights
	}
	return nil, 0
}

// ratioSlope is the gradient of a'w/sqrt(w'Cw), and the largest size of its first term:
// where no bound is met, the second one takes all of it away but for roundings.
func ratioSlope(a []float64, c [][]float64, w []float64) (slope []float64, scale float64) {
	risk := times(c, w)
	var variance, value float64
	for j, v := range risk {
		variance += v * w[j]
		value += a[j] * w[j]
	}
	slope = make([]float64, len(w))
	for j := range slope {
		slope[j] = (a[j] - value*risk[j]/variance) / math.Sqrt(variance)
		scale = max(scale, math.Abs(a[j])/math.Sqrt(variance))
	}
	return slope, scale
}

// away points from w to a target: w is the nearest feasible point to it where no
// feasible direction leads that way.
func away(target, w []float64) []float64 {
	slope := make([]float64, len(w))
	for j := range slope {
		slope[j] = target[j] - w[j]
	}
	return slope
}

func times(c [][]float64, w []float64) []float64 {
	product := make([]float64, len(w))
	for i, row := range c {
		for j, v := range row {
			product[i] += v * w[j]
		}
	}
	return product
}

func normalised(w []float64) []float64 {
	total := sum(w)
	for j := range w {
		w[j] /= total
	}
	return w
}

// equalRisk are the weights whose risk contributions are equal: of
// x'Cx/2 - sum log x the minimum, one coordinate after the other, made to sum to 1.
func equalRisk(c [][]float64) []float64 {
	x := make([]float64, len(c))
	for j := range x {
		x[j] = 1 / math.Sqrt(c[j][j])
	}
	for range 500 {
		for j := range x {
			rest := times(c, x)[j] - c[j][j]*x[j]
			x[j] = (-rest + math.Sqrt(rest*rest+4*c[j][j])) / (2 * c[j][j])
		}
	}
	return normalised(x)
}

// shrunk is the covariance of Ledoit & Wolf (2004): the sample's, with divisor T,
// towards its mean variance.
func shrunk(rows [][]float64) [][]float64 {
	periods := float64(len(rows))
	c := covarianceOf(rows, periods)
	means := columnMeans(rows)
	var average, squares, fourth float64
	for i := range c {
		average += c[i][i] / float64(len(c))
		for _, v := range c[i] {
			squares += v * v
		}
	}
	for _, row := range rows {
		fourth += math.Pow(squared(row, means), 2) / periods
	}
	noise, distance := (fourth-squares)/periods, squares-float64(len(c))*average*average
	if noise <= 0 || distance <= 0 {
		return c
	}
	share := min(1, noise/distance)
	for i := range c {
		for j := range c[i] {
			c[i][j] *= 1 - share
		}
		c[i][i] += share * average
	}
	return c
}

// checkBestSampled compares the best of the samples with those that were written.
func (f *folder) checkBestSampled() error {
	t, ids, err := f.identified("metrics.csv")
	if err != nil {
		return err
	}
	ratios, err := t.numbers("sharpe")
	if err != nil {
		return err
	}
	best := slices.Index(ids, "best-sampled")
	if best < 0 {
		return nil
	}
	for i, id := range ids {
		if id[0] == 's' && ratios[i] > ratios[best]+f.tolerance {
			f.add("metrics.csv", "sharpe of best-sampled", differs, ratios[best], ratios[i])
			return nil
		}
	}
	f.add("metrics.csv", "sharpe of best-sampled is the best", same, ratios[best], ratios[best])
	return nil
}
