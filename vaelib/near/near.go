// Package near finds portfolios that differ and are nearly the best.
//
// Portfolios whose Sharpe ratio is near the largest are a convex set around the optimum,
// so that the line from any portfolio to the optimum enters it once. In go candidates,
// returns and a constraint set; out come those candidates that lie farthest apart after
// each was moved along its line, just far enough:
//
//	s, err := near.Choose(ctx, candidates, returns, set, metrics.Settings{PeriodsPerYear: 252},
//		near.Settings{Within: 0.02, Count: 20, Rng: rng})
//	s.Weights.RawRowView(s.Rows[0])
package near

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// Selection is what was chosen. Its JSON form says from what.
type Selection struct {
	Within     float64 `json:"within"` // what may be missing, as a share of the largest ratio
	Best       float64 `json:"best"`   // the largest Sharpe ratio of the constraint set, annual
	Candidates int     `json:"candidates"`
	Inside     int     `json:"inside"`         // candidates that were within it as they came
	Least      float64 `json:"least_distance"` // between two of the chosen; 0 for a single one
	// Rival is the least distance of as many that are chosen alike out of as many corners
	// of the constraint set, without a model.
	Rival   float64    `json:"least_distance_of_corners"`
	Rows    []int      `json:"-"` // chosen: see [choose.Varied]
	Weights *mat.Dense `json:"-"` // N x n, the candidates, those outside moved
	Moved   []float64  `json:"-"` // N, how far

	optimum []float64
	excess  []float64 // n, means above the risk-free rate
	cov     *mat.SymDense
	floor   float64 // least ratio per period
}

// Settings say what [Choose] chooses.
type Settings struct {
	Within float64 // share of the largest ratio; in (0, 1)
	Count  int
	// Away orders the candidates, once moved: the one with the least is the first that is
	// chosen, as the one nearest to what is held. Nil: the first candidate.
	Away func(w []float64) float64
	Rng  *rand.Rand // of the corners
}

// Choose chooses portfolios that lie far apart, all with a Sharpe ratio of at least
// 1 - Within times the largest that the set holds over the returns (T x n). The candidates
// (N x n, of the set) are first moved towards the optimum, just far enough. It returns an
// error for a set that isn't convex, and [*optimize.NoExcessError] where there is no
// largest ratio.
func Choose(ctx context.Context, candidates, returns *mat.Dense, set simplex.Set, m metrics.Settings,
	s Settings) (*Selection, error) {
	if set.MinWeight > 0 {
		return nil, errors.New("portfolios on the way to the optimum have small positions, which a minimum weight " +
			"forbids: leave it out")
	}
	if !(s.Within > 0 && s.Within < 1) || s.Count < 1 || s.Rng == nil {
		return nil, fmt.Errorf("%d portfolios within %v of the largest Sharpe ratio: give a share and a number, and "+
			"a random source", s.Count, s.Within)
	}
	n, err := newSelection(ctx, returns, set, m, s.Within)
	if err != nil {
		return nil, err
	}
	n.Candidates, _ = candidates.Dims()
	n.Weights, n.Moved = mat.DenseCopyOf(candidates), make([]float64, n.Candidates)
	if err := n.moveAll(ctx, set, n.Weights, n.Moved); err != nil {
		return nil, err
	}
	order := make([]int, n.Candidates)
	first, least := 0, math.Inf(1)
	for i := range order {
		order[i] = i
		if n.Moved[i] == 0 {
			n.Inside++
		}
		if s.Away != nil {
			if away := s.Away(n.Weights.RawRowView(i)); away < least {
				first, least = i, away
			}
		}
	}
	order[0], order[first] = order[first], order[0]
	if n.Rows, n.Least, err = choose.Varied(ctx, n.Weights, order, s.Count); err != nil {
		return nil, err
	}
	n.Rival, err = n.corners(ctx, set, s.Rng, len(n.Rows))
	if len(n.Rows) == 1 {
		n.Least, n.Rival = 0, 0 // there are no two
	}
	return n, err
}

// newSelection finds the optimum and the moments that ratios are of.
func newSelection(ctx context.Context, returns *mat.Dense, set simplex.Set, m metrics.Settings, within float64) (
	*Selection, error) {
	best, err := optimize.Bound(ctx, metrics.MaximizeSharpe, returns, set, m)
	if err != nil {
		return nil, err
	}
	sample, err := moments.Estimate(moments.Sample, returns)
	if err != nil {
		return nil, err
	}
	n := &Selection{Within: within, Best: best.Value, optimum: best.Weights, cov: sample.Cov, excess: sample.Mean}
	floats.AddConst(-m.RiskFree/m.PeriodsPerYear, n.excess)
	w := mat.NewVecDense(len(n.optimum), n.optimum)
	n.floor = (1 - within) * floats.Dot(n.excess, n.optimum) / math.Sqrt(mat.Inner(w, n.cov, w))
	return n, nil
}

// moveAll moves the rows of weights, and writes how far to moved.
func (n *Selection) moveAll(ctx context.Context, set simplex.Set, weights *mat.Dense, moved []float64) error {
	rows, columns := weights.Dims()
	projectors := make([]*simplex.Projector, parallel.Workers(rows))
	for k := range projectors {
		var err error
		if projectors[k], err = simplex.NewProjector(set); err != nil {
			return err
		}
	}
	return parallel.For(ctx, rows, func(worker, i int) error {
		w := weights.RawRowView(i)
		share := n.share(w)
		if share == 0 {
			return nil
		}
		from := make([]float64, columns)
		copy(from, w)
		for j := range w {
			w[j] += share * (n.optimum[j] - w[j])
		}
		if _, err := projectors[worker].Project(w, w); err != nil { // of rounding alone
			return err
		}
		moved[i] = floats.Distance(from, w, 2)
		return nil
	})
}

// share is how much of the way to the optimum takes w (n) to the floor; 0 where it is there.
func (n *Selection) share(w []float64) float64 {
	size := len(w)
	from, way := mat.NewVecDense(size, w), mat.NewVecDense(size, nil)
	for j, v := range w {
		way.SetVec(j, n.optimum[j]-v)
	}
	excess := mat.NewVecDense(size, n.excess)
	mean, slope := mat.Dot(excess, from), mat.Dot(excess, way)
	start, cross, square := mat.Inner(from, n.cov, from), mat.Inner(from, n.cov, way), mat.Inner(way, n.cov, way)
	above := func(t float64) bool {
		return mean+t*slope >= n.floor*math.Sqrt(max(start+2*t*cross+t*t*square, 0))
	}
	if above(0) {
		return 0
	}
	low, high := 0.0, 1.0
	for range 60 {
		if t := (low + high) / 2; above(t) {
			high = t
		} else {
			low = t
		}
	}
	return high
}

// far is how far out the points lie whose projections are corners of a set.
const far = 100

// corners is the least distance of count portfolios that are chosen as those of the model
// are, out of as many corners: projections of random points far away.
func (n *Selection) corners(ctx context.Context, set simplex.Set, rng *rand.Rand, count int) (float64, error) {
	weights := mat.NewDense(n.Candidates, set.N, nil)
	for i := range n.Candidates {
		row := weights.RawRowView(i)
		for j := range row {
			row[j] = far * rng.NormFloat64()
		}
	}
	if err := simplex.ProjectAll(ctx, set, weights, weights, nil); err != nil {
		return 0, err
	}
	if err := n.moveAll(ctx, set, weights, make([]float64, n.Candidates)); err != nil {
		return 0, err
	}
	_, least, err := choose.Varied(ctx, weights, nil, count)
	return least, err
}
