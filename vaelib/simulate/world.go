package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/stream"
)

// Range is where a figure of a world is drawn from, ends included. Equal ends
// give that figure.
type Range struct{ From, To float64 }

// Ranges are what worlds are drawn from.
type Ranges struct {
	Assets      Range // n, uniform over the whole numbers
	Factors     Range // common to the assets, the market's among them
	Volatility  Range // annual, of each asset; logarithmic
	Correlation Range // mean over the pairs
	Level       Range // mean of the assets' true Sharpe ratios, annual
	Dispersion  Range // their standard deviation, annual
	Regimes     Range // states of the market
	Freedom     Range // degrees of freedom of the tails
	// PeriodsPerYear turns annual figures into those of a period.
	PeriodsPerYear float64
}

// DefaultRanges are wider than the bundled sample's: from bonds to small
// coins, from a dozen unrelated assets to one market in many names.
func DefaultRanges() Ranges {
	return Ranges{
		Assets: Range{8, 40}, Factors: Range{1, 6}, Volatility: Range{0.05, 1.2}, Correlation: Range{0.05, 0.7},
		Level: Range{0.2, 0.8}, Dispersion: Range{0, 2}, Regimes: Range{1, 3}, Freedom: Range{5, 30},
		PeriodsPerYear: 365,
	}
}

// Validate says which range makes no sense.
func (r Ranges) Validate() error {
	for _, c := range []struct {
		name     string
		value    Range
		from, to float64
	}{
		{"assets", r.Assets, 2, 1000}, {"factors", r.Factors, 1, 50}, {"volatility", r.Volatility, 1e-3, 3},
		{"correlation", r.Correlation, 0, 0.75}, {"level", r.Level, -10, 10}, {"dispersion", r.Dispersion, 0, 10},
		{"regimes", r.Regimes, 1, 10}, {"freedom", r.Freedom, 3, 1000},
	} {
		if !(c.value.From >= c.from && c.value.From <= c.value.To && c.value.To <= c.to) {
			return fmt.Errorf("worlds with %s from %v to %v: they must rise, between %v and %v", c.name, c.value.From,
				c.value.To, c.from, c.to)
		}
	}
	if !(r.PeriodsPerYear >= 1) {
		return fmt.Errorf("%v periods per year: it must be at least 1", r.PeriodsPerYear)
	}
	return nil
}

// World is a market whose truth is known.
type World struct {
	Mean []float64     // n, per period
	Cov  *mat.SymDense // n x n, per period

	// what it was drawn as
	Level, Dispersion float64 // of the true Sharpe ratios, annual
	Correlation       float64 // mean over the pairs
	Factors, Regimes  int     // 0 for a resampled history

	draw func(rng *rand.Rand, periods int) *mat.Dense
}

// Returns draws a history (periods x n) of simple returns, all above -1. Equal
// sources give equal histories.
func (w *World) Returns(rng *rand.Rand, periods int) *mat.Dense { return w.draw(rng, periods) }

// New draws a world; equal arguments give equal ones. It returns an error for
// ranges that make no sense, and for Sharpe ratios of which none is positive
// in a hundred draws, where nothing would be worth holding.
func New(seed, index uint64, r Ranges) (*World, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	rng := stream.New(seed, "simulate.world", index)
	w := &World{}
	n := r.Assets.whole(rng)
	w.Factors, w.Regimes = r.Factors.whole(rng), r.Regimes.whole(rng)
	p := climates(w.Regimes, rng)
	p.DegreesOfFreedom = r.Freedom.whole(rng)
	s := newShape(n, w.Factors, p, rng)
	s.fit(p, r.Correlation.real(rng))
	volatility := volatilities(n, r.Volatility, rng)
	sharpe, err := w.sharpes(n, r.Level, r.Dispersion, rng)
	if err != nil {
		return nil, err
	}
	scale(p, volatility, sharpe, r.PeriodsPerYear)
	w.Mean, w.Cov = p.Moments()
	w.Correlation = meanCorrelation(w.Cov)
	w.draw = func(rng *rand.Rand, periods int) *mat.Dense { return p.Draw(periods, rng, rng).Returns }
	return w, nil
}

// Resampled makes a world of real returns (T x n): histories are drawn by the
// stationary bootstrap in blocks of the mean length, so that tails, clusters
// and the dependence between assets are theirs, and their covariance is the
// truth. Their means are not known, and are put where the true Sharpe ratios
// of the level and the dispersion of r want them; nothing else of r counts but
// its periods per year. It returns an error for ranges that make no sense, for
// a constant asset, and for means so low that a return would reach -1.
func Resampled(seed, index uint64, returns *mat.Dense, meanBlock float64, r Ranges) (*World, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	periods, n := returns.Dims()
	if periods < 2 || !(meanBlock >= 1) {
		return nil, fmt.Errorf("%d periods in blocks of %v: at least 2 and 1 are needed", periods, meanBlock)
	}
	w := &World{}
	sharpe, err := w.sharpes(n, r.Level, r.Dispersion, stream.New(seed, "simulate.resampled", index))
	if err != nil {
		return nil, err
	}
	mean, cov := populationMoments(returns)
	history := mat.DenseCopyOf(returns)
	for i := range n {
		if !(cov.At(i, i) > 0) {
			return nil, fmt.Errorf("column %d of the returns is constant: a Sharpe ratio needs a deviation", i+1)
		}
		w.Mean = append(w.Mean, sharpe[i]*math.Sqrt(cov.At(i, i)/r.PeriodsPerYear))
		for t := range periods {
			v := history.At(t, i) - mean[i] + w.Mean[i]
			if !(v > -1) {
				return nil, fmt.Errorf("period %d, column %d: a return of %v with the mean put right", t+1, i+1, v)
			}
			history.Set(t, i, v)
		}
	}
	w.Cov, w.Correlation = cov, meanCorrelation(cov)
	w.draw = func(rng *rand.Rand, periods int) *mat.Dense {
		return inference.Resample(history, periods, meanBlock, rng)
	}
	return w, nil
}

// sharpes draws the assets' true Sharpe ratios, annual.
func (w *World) sharpes(n int, level, dispersion Range, rng *rand.Rand) ([]float64, error) {
	w.Level, w.Dispersion = level.real(rng), dispersion.real(rng)
	s := make([]float64, n)
	for range 100 {
		positive := false
		for i := range s {
			s[i] = w.Level + float64(w.Dispersion*rng.NormFloat64())
			positive = positive || s[i] > 0
		}
		if positive {
			return s, nil
		}
	}
	return nil, fmt.Errorf("true Sharpe ratios about %v with a deviation of %v: none of %d was positive in 100 draws",
		w.Level, w.Dispersion, n)
}

// real draws a figure.
func (r Range) real(rng *rand.Rand) float64 { return r.From + float64((r.To-r.From)*rng.Float64()) }

// whole draws a whole number.
func (r Range) whole(rng *rand.Rand) int {
	from, to := int(math.Ceil(r.From)), int(math.Floor(r.To))
	return from + rng.IntN(max(1, to-from+1))
}

// volatilities draws annual ones: a world has a middle of its own and a spread
// about it, so that some worlds are of bonds and coins together and some of
// coins alone.
func volatilities(n int, r Range, rng *rand.Rand) []float64 {
	low, high := math.Log(r.From), math.Log(r.To)
	middle, spread := Range{low, high}.real(rng), rng.Float64()
	v := make([]float64, n)
	for i := range v {
		v[i] = math.Exp(min(high, max(low, middle+float64(spread*(2*rng.Float64()-1)))))
	}
	return v
}

// populationMoments returns the moments of a period drawn from all of them.
func populationMoments(returns *mat.Dense) ([]float64, *mat.SymDense) {
	periods, n := returns.Dims()
	mean, cov := make([]float64, n), mat.NewSymDense(n, nil)
	for t := range periods {
		for i, v := range returns.RawRowView(t) {
			mean[i] += v / float64(periods)
		}
	}
	for t := range periods {
		row := returns.RawRowView(t)
		for i := range n {
			for j := range i + 1 {
				product := float64((row[i] - mean[i]) * (row[j] - mean[j]))
				cov.SetSym(i, j, cov.At(i, j)+product/float64(periods))
			}
		}
	}
	return mean, cov
}

// meanCorrelation is that over the pairs.
func meanCorrelation(cov *mat.SymDense) float64 {
	n := cov.SymmetricDim()
	var sum float64
	for i := range n {
		for j := range i {
			sum += cov.At(i, j) / math.Sqrt(cov.At(i, i)*cov.At(j, j))
		}
	}
	return sum / float64(n*(n-1)/2)
}
