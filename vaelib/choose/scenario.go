package choose

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/stream"
)

// Scenarios are S joint returns of n assets, each over a whole horizon: a
// portfolio that is bought at its beginning and held has the return w.r in each,
// which is linear in w.
type Scenarios struct {
	Names   []string   // S
	Returns *mat.Dense // S x n, simple, over the horizon
	Horizon int        // periods; 0 where they differ, or are unknown
}

// Join puts scenarios over the same assets one after another.
func (s *Scenarios) Join(others ...*Scenarios) (*Scenarios, error) {
	joined := s
	for _, o := range others {
		_, n := joined.Returns.Dims()
		if _, m := o.Returns.Dims(); n != m {
			return nil, fmt.Errorf("scenarios of %d and of %d assets can't be joined", n, m)
		}
		var both mat.Dense
		both.Stack(joined.Returns, o.Returns)
		horizon := joined.Horizon
		if o.Horizon != horizon {
			horizon = 0
		}
		joined = &Scenarios{Names: slices.Concat(joined.Names, o.Names), Returns: &both, Horizon: horizon}
	}
	return joined, nil
}

// BootstrapScenarios are count paths of horizon periods drawn from returns (T x
// n) by the stationary bootstrap with a mean block length, compounded asset by
// asset: outcomes of a path that keep the dependence between assets and, within
// blocks, in time. Scenario i draws from a stream of its own.
func BootstrapScenarios(returns *mat.Dense, count, horizon int, meanBlock float64, seed uint64) (*Scenarios, error) {
	periods, n := returns.Dims()
	if count < 1 || horizon < 1 || !(meanBlock >= 1) {
		return nil, fmt.Errorf("%d scenarios of %d periods in blocks of %v: all must be at least 1", count, horizon,
			meanBlock)
	}
	s := &Scenarios{Returns: mat.NewDense(count, n, nil), Horizon: horizon}
	indices := make([]int, horizon)
	for i := range count {
		inference.StationaryIndices(indices, periods, meanBlock, stream.New(seed, "generate.scenarios", uint64(i)))
		compound(s.Returns.RawRowView(i), returns, indices)
		s.Names = append(s.Names, fmt.Sprintf("path %d", i+1))
	}
	return s, nil
}

// compound sets dst to what each asset returns over the given periods.
func compound(dst []float64, returns *mat.Dense, periods []int) {
	for j := range dst {
		dst[j] = 1
	}
	for _, t := range periods {
		for j, r := range returns.RawRowView(t) {
			dst[j] *= 1 + r
		}
	}
	for j := range dst {
		dst[j]--
	}
}

// Crisis is a stretch of the data: returns [From, To).
type Crisis struct{ From, To int }

// WorstWindows finds the count worst stretches of a length in returns (T x n):
// those in which an equally weighted holding of all assets, bought at the
// beginning, loses most, the worst first, none overlapping another. There are
// fewer where the data have no room for them.
func WorstWindows(returns *mat.Dense, count, length int) ([]Crisis, error) {
	periods, n := returns.Dims()
	if count < 1 || length < 1 || length > periods {
		return nil, fmt.Errorf("%d windows of %d periods in returns of %d: both must be positive, and fit",
			count, length,
			periods)
	}
	outcome := make([]float64, periods-length+1)
	order := make([]int, len(outcome))
	assets, window := make([]float64, n), make([]int, length)
	for from := range outcome {
		for k := range window {
			window[k] = from + k
		}
		compound(assets, returns, window)
		outcome[from], order[from] = inorder.Sum(assets)/float64(n), from
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(outcome[a], outcome[b]) })
	var crises []Crisis
	for _, from := range order {
		free := !slices.ContainsFunc(crises, func(c Crisis) bool { return from < c.To && c.From < from+length })
		if free {
			if crises = append(crises, Crisis{from, from + length}); len(crises) == count {
				break
			}
		}
	}
	return crises, nil
}

// CrisisScenarios are what the assets returned over each of the crises.
func CrisisScenarios(returns *mat.Dense, crises []Crisis) (*Scenarios, error) {
	if len(crises) == 0 {
		return nil, errors.New("no crises: look for at least one")
	}
	periods, n := returns.Dims()
	s := &Scenarios{Returns: mat.NewDense(len(crises), n, nil), Horizon: crises[0].To - crises[0].From}
	for i, c := range crises {
		if c.From < 0 || c.To > periods || c.From >= c.To {
			return nil, fmt.Errorf("crisis of periods %d to %d in returns of %d periods", c.From, c.To, periods)
		}
		if c.To-c.From != s.Horizon {
			s.Horizon = 0
		}
		var window []int
		for t := c.From; t < c.To; t++ {
			window = append(window, t)
		}
		compound(s.Returns.RawRowView(i), returns, window)
		s.Names = append(s.Names, fmt.Sprintf("periods %d to %d", c.From+1, c.To))
	}
	return s, nil
}

// ShockScenarios are parametric: for each size, in standard deviations, one in
// which the market (the mean of all assets) moves by so many of its own and each
// asset by its beta to the market times that, and one in which every asset falls
// by so many of its own standard deviations at once, as if correlations were 1.
// Deviations are those of returns (T x n) over the horizon, sqrt(horizon) times
// those of a period, and compound: a move of x is the return exp(x) - 1, so that
// no asset loses more than everything.
func ShockScenarios(returns *mat.Dense, horizon int, sizes ...float64) (*Scenarios, error) {
	m, err := moments.Estimate(moments.Sample, returns)
	if err != nil {
		return nil, err
	}
	if horizon < 1 || len(sizes) == 0 {
		return nil, fmt.Errorf("%d shocks over %d periods: both must be at least 1", len(sizes), horizon)
	}
	n := len(m.Mean)
	with := make([]float64, n) // covariance with the market
	var variance float64
	for i := range n {
		for j := range n {
			with[i] += m.Cov.At(i, j) / float64(n)
		}
		variance += with[i] / float64(n)
	}
	if !(variance > 0) {
		return nil, errors.New("the market never moves: there are no shocks to it")
	}
	root := math.Sqrt(float64(horizon))
	s := &Scenarios{Returns: mat.NewDense(2*len(sizes), n, nil), Horizon: horizon}
	for k, size := range sizes {
		if !(size > 0) {
			return nil, fmt.Errorf("a shock of %v standard deviations: sizes are positive falls", size)
		}
		for j := range n {
			s.Returns.Set(2*k, j, math.Expm1(-size*root*with[j]/math.Sqrt(variance)))
			s.Returns.Set(2*k+1, j, math.Expm1(-size*root*math.Sqrt(m.Cov.At(j, j))))
			if math.IsInf(size, 1) || math.IsInf(s.Returns.At(2*k, j), 1) { // of one that moves against the market
				return nil, fmt.Errorf("a shock of %v standard deviations multiplies prices without bounds: give a "+
					"smaller one", size)
			}
		}
		s.Names = append(s.Names, fmt.Sprintf("market falls %g deviations", size),
			fmt.Sprintf("every asset falls %g deviations", size))
	}
	return s, nil
}
