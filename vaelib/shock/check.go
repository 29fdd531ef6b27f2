package shock

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
)

// Check is how far the rules were off in earlier large moves.
type Check struct {
	Moves   int     // of the moved assets that were large and went the move's way
	Typical float64 // their mean distance, as [Study.Distance] is one
	Scores  []Score // of the rules: gaussian, history, beta and zero
}

// Score is one rule's record over the moves of a check.
type Score struct {
	Rule string
	// Error is the mean absolute error over the moves and the assets that were not
	// moved, Basket that of all of these at equal weights, and R2 is 1 less the squared
	// errors over the squared returns, so that of zero it is 0.
	Error, Basket, R2 float64
	// Covered is the share of the returns that lay within the interval of the rule's
	// deviation; NaN of rules without one.
	Covered float64
}

// Names of the rules in a check. Beta takes the basket of all assets to move as the mean
// of the moved ones, and each asset by its beta to it; zero expects nothing of anything.
const (
	byGaussian = "gaussian"
	byHistory  = "history"
	byBeta     = "beta"
	byZero     = "zero"
)

// leastMoves is how many moves a check wants.
const leastMoves = 5

// share of the earlier moves that a large one exceeds in distance.
const largeMove = 0.9

// Check asks the rules about earlier moves of the same assets. Over the later half of
// the periods, it takes every move that went the same way and was larger than nine
// tenths of those before it, none overlapping the one before; each rule is fitted to
// the periods that had ended before the move began, and told what the moved assets
// returned in it. It returns an error where there are fewer than 5 such moves.
func (s *Study) Check(ctx context.Context) (*Check, error) {
	at, err := s.earlier()
	if err != nil {
		return nil, err
	}
	trials := make([]*trial, len(at))
	err = parallel.For(ctx, len(at), func(_, i int) error {
		var err error
		trials[i], err = s.try(at[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	c := &Check{Moves: len(at)}
	for _, t := range trials {
		c.Typical += t.distance / float64(len(at))
	}
	for _, rule := range []string{byGaussian, byHistory, byBeta, byZero} {
		c.Scores = append(c.Scores, score(rule, trials))
	}
	return c, nil
}

// earlier are the periods of the moves that the check is about.
func (s *Study) earlier() ([]int, error) {
	inverted, err := inverseSecond(s.returns, s.moves)
	if err != nil {
		return nil, err
	}
	z := targets(s.moves)
	var at []int
	var before []float64 // distances of moves that went the same way
	free := 0
	for t := range s.Periods {
		x := chosen(s.returns.RawRowView(t), s.moves)
		if !(form(inverted, x, z) > 0) {
			continue
		}
		d := form(inverted, x, x)
		if t >= max(s.Periods/2, fewest+s.Settings.Horizon) && t >= free && len(before) >= fewestAlong(s.moves) {
			sorted := slices.Sorted(slices.Values(before))
			if d > sorted[int(largeMove*float64(len(sorted)))] {
				at, free = append(at, t), t+s.Settings.Horizon
			}
		}
		before = append(before, d)
	}
	if len(at) < leastMoves {
		return nil, fmt.Errorf("%d large moves of the same direction lie in the later half of the periods, and %d are "+
			"wanted", len(at), leastMoves)
	}
	return at, nil
}

// trial is what the rules expected of one move, and what came; nil where a rule could
// not tell.
type trial struct {
	distance float64
	other    []bool // assets that were not moved
	came     []float64
	expected map[string][]float64
	width    map[string][]float64 // half of each interval
}

// try fits the rules to what had ended before period t, and asks them about it.
func (s *Study) try(t int) (*trial, error) {
	known := s.returns.Slice(0, t-s.Settings.Horizon+1, 0, len(s.NearestReturns)).(*mat.Dense)
	came := s.returns.RawRowView(t)
	moves := slices.Clone(s.moves)
	for i, x := range chosen(came, moves) {
		moves[i].Return = x
	}
	o := &trial{came: came, other: make([]bool, len(came)), expected: map[string][]float64{},
		width: map[string][]float64{}}
	for j := range came {
		o.other[j] = !slices.ContainsFunc(moves, func(m Move) bool { return m.Asset == j })
	}
	inverted, err := inverseSecond(known, moves)
	if err != nil {
		return nil, err
	}
	o.distance = math.Sqrt(form(inverted, targets(moves), targets(moves)))
	m, err := moments.Estimate(s.Settings.Covariance, known)
	if err != nil {
		return nil, err
	}
	z := distuv.UnitNormal.Quantile((1 + s.Settings.Confidence) / 2)
	keep := func(name string, r *Rule) {
		o.expected[name] = r.Mean
		for j := range r.Mean {
			o.width[name] = append(o.width[name], z*math.Sqrt(math.Max(0, r.Cov.At(j, j))))
		}
	}
	rule, err := gaussian(m, moves)
	if err != nil {
		return nil, err
	}
	keep(byGaussian, rule)
	if rule, err := history(known, moves); err == nil {
		keep(byHistory, rule)
	}
	o.expected[byZero] = make([]float64, len(came))
	o.expected[byBeta] = betas(known)
	var basket float64
	for _, move := range moves {
		basket += move.Return / float64(len(moves))
	}
	for j := range came {
		o.expected[byBeta][j] *= basket
	}
	return o, nil
}

// betas are those of all assets to their basket.
func betas(returns *mat.Dense) []float64 {
	basket := market.Basket(returns)
	var mean, variance float64
	for _, r := range basket {
		mean += r / float64(len(basket))
	}
	_, n := returns.Dims()
	with := make([]float64, n)
	for t, r := range basket {
		variance += (r - mean) * (r - mean)
		for j, x := range returns.RawRowView(t) {
			with[j] += (r - mean) * x
		}
	}
	for j := range with {
		with[j] /= variance
	}
	return with
}

// score sums up one rule over the trials; NaN where it couldn't tell in one of them.
func score(rule string, trials []*trial) Score {
	r := Score{Rule: rule}
	var squares, of, count, inside float64
	for _, t := range trials {
		expected, width := t.expected[rule], t.width[rule]
		if expected == nil {
			return Score{rule, math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		}
		var basket, others float64
		for j, came := range t.came {
			if !t.other[j] {
				continue
			}
			miss := came - expected[j]
			others++
			basket += miss
			r.Error += math.Abs(miss)
			squares, of = squares+miss*miss, of+came*came
			if width != nil && math.Abs(miss) <= width[j] {
				inside++
			}
		}
		count += others
		r.Basket += math.Abs(basket/others) / float64(len(trials))
	}
	r.Error, r.R2, r.Covered = r.Error/count, 1-squares/of, inside/count
	if trials[0].width[rule] == nil {
		r.Covered = math.NaN()
	}
	return r
}
