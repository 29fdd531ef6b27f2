// Package simulate draws markets whose truth is known: the mean and the
// covariance of their returns are given, so that an estimator, a rule or a
// generator can be held against what it should have found.
//
// A [World] is one market. [New] draws one from [Ranges] that are wider than
// any single market is (regimes, factors, fat tails, clustered volatility);
// [Resampled] makes one of a history of real returns. Either is then asked for
// as many histories as wanted:
//
//	world, err := simulate.New(seed, index, simulate.DefaultRanges())
//	returns := world.Returns(stream.New(seed, "history", 0), 120) // 120 x n
//	world.Mean, world.Cov                                         // the truth
package simulate

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Process is the law of a market's returns. Period t is in a regime s, by a
// Markov chain, and its n simple returns are
//
//	r = Mean[s] + sqrt(v) * Loadings[s] e
//
// where e is a Student t vector of k independent directions, each of variance
// 1, and v one GARCH(1,1) for all assets, of expectation 1,
//
//	v' = 1 - Alpha - Beta + Alpha*v*u^2 + Beta*v
//
// driven by u, the shock of the first factor. A draw that would take all of an
// asset's value is drawn again. Since v is independent of the regimes up to the
// same period, the moments of a regime are Mean[s] and [Process.Covariance],
// but for those rare draws.
type Process struct {
	Mean             [][]float64  // S x n, per period
	Loadings         []*mat.Dense // S of n x k
	Transition       [][]float64  // S x S, from row to column
	Shares           []float64    // S, long-run shares of the regimes: see [Stationary]
	DegreesOfFreedom int          // of the tails, at least 3
	Alpha, Beta      float64      // of the volatility's clustering, with sum below 1
}

// Path is one history drawn from a [Process].
type Path struct {
	Returns  *mat.Dense // periods x n
	Regimes  []int      // of each period
	Variance []float64  // v of each period
}

// redraws bounds how often a period is drawn again for a return of -1 or less.
const redraws = 100

// Draw returns a history that begins in a regime drawn from the long run, with
// the volatility at its mean. The regimes and the shocks have a source each,
// which may be the same one.
func (p *Process) Draw(periods int, regimes, shocks *rand.Rand) Path {
	n, k := p.Loadings[0].Dims()
	path := Path{Returns: mat.NewDense(periods, n, nil)}
	regime, variance := choose(p.Shares, regimes), 1.0
	z := make([]float64, k)
	for t := range periods {
		path.Regimes, path.Variance = append(path.Regimes, regime), append(path.Variance, variance)
		row := path.Returns.RawRowView(t)
		var scale float64
		for range redraws {
			scale = math.Sqrt(variance) * p.student(z, shocks)
			if p.fill(row, regime, scale, z) {
				break
			}
		}
		market := scale * z[0] // sqrt(v) * u
		variance = 1 - p.Alpha - p.Beta + float64(p.Alpha*market*market) + float64(p.Beta*variance)
		regime = choose(p.Transition[regime], regimes)
	}
	return path
}

// fill writes a period's returns, and says whether all of them lie above -1.
func (p *Process) fill(row []float64, regime int, scale float64, z []float64) bool {
	possible := true
	for i := range row {
		row[i] = p.Mean[regime][i] + float64(scale*dot(p.Loadings[regime].RawRowView(i), z))
		possible = possible && row[i] > -1
	}
	return possible
}

// student fills z with independent normal numbers, and returns the factor that
// turns all of them together into a Student t vector of unit variances.
func (p *Process) student(z []float64, rng *rand.Rand) float64 {
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	var chi2 float64
	for range p.DegreesOfFreedom {
		v := rng.NormFloat64()
		chi2 += float64(v * v)
	}
	return math.Sqrt(float64(p.DegreesOfFreedom-2) / chi2)
}

// Covariance returns that of the returns in a regime (n x n), per period.
func (p *Process) Covariance(regime int) *mat.SymDense {
	l := p.Loadings[regime]
	n, _ := l.Dims()
	cov := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			cov.SetSym(i, j, dot(l.RawRowView(i), l.RawRowView(j)))
		}
	}
	return cov
}

// Moments returns the mean (n) and the covariance (n x n) over all regimes at
// their long-run shares, per period.
func (p *Process) Moments() ([]float64, *mat.SymDense) {
	n := len(p.Mean[0])
	mean, cov := make([]float64, n), mat.NewSymDense(n, nil)
	for s, share := range p.Shares {
		for i, m := range p.Mean[s] {
			mean[i] += float64(share * m)
		}
	}
	for s, share := range p.Shares {
		regime := p.Covariance(s)
		for i := range n {
			for j := range i + 1 {
				apart := float64((p.Mean[s][i] - mean[i]) * (p.Mean[s][j] - mean[j]))
				cov.SetSym(i, j, cov.At(i, j)+float64(share*(regime.At(i, j)+apart)))
			}
		}
	}
	return mean, cov
}

// Stationary returns the long-run shares of a Markov chain, by taking steps
// until it no longer moves.
func Stationary(transition [][]float64) []float64 {
	p := make([]float64, len(transition))
	p[0] = 1
	for range 10_000 {
		next := make([]float64, len(p))
		for i, row := range transition {
			for j, v := range row {
				next[j] += float64(p[i] * v)
			}
		}
		p = next
	}
	return p
}

// choose returns an index with the given probabilities.
func choose(p []float64, rng *rand.Rand) int {
	u := rng.Float64()
	for i, v := range p[:len(p)-1] {
		if u -= v; u < 0 {
			return i
		}
	}
	return len(p) - 1
}

// dot is a sum of products, each rounded by itself: a processor that fuses
// multiplication and addition must not draw another market.
func dot(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}
