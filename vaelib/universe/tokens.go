package universe

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// The features of an asset, none of which has a scale: they are the same for
// returns of a day or an hour, of bonds or of coins, as far as their shape is.
const (
	featureVolatility = iota // logarithm, less the universe's mean of it
	featureMean              // t-statistic of the mean
	featureBeta              // to the basket of all assets in equal weights
	featureAlpha             // t-statistic of what the mean exceeds beta times the basket's by
	featureLoading           // on the first factors of the correlation matrix
	// Holdings in the portfolio of the largest Sharpe ratio without bounds, one for
	// each ridge, and n times the weight in that of least variance.
	featureTangency = featureLoading + factors
	featureVariance = featureTangency + len(ridges)
	Features        = featureVariance + 1 // of an asset
)

// factors is how many loadings an asset has; an asset of a smaller universe has 0
// for those that there are not.
const factors = 4

// The facts of a universe.
const (
	factPeriods = iota // logarithm of their number
	factCap            // logarithm of n times the largest weight
	factAssets         // logarithm of n
	Facts
)

// ridges are what the correlation matrix's diagonal gets, so that it can be inverted
// with fewer periods than assets: what is optimal in the window itself needs little,
// what is likely to stay optimal more. The portfolio of least variance has the last.
var ridges = [...]float64{0.01, 0.1}

// The universe whose facts are 0: of so many periods and assets, and the logarithm of its
// number of assets times its largest weight.
const (
	UsualPeriods = 120
	UsualRoom    = 1.5
	UsualAssets  = 16
)

// Facts returns what a model is told of the universe as a whole, about of unit
// size.
func (u *Universe) Facts() [Facts]float64 {
	n := float64(u.Assets())
	return [Facts]float64{
		factPeriods: math.Log(float64(u.Periods) / UsualPeriods), factCap: math.Log(n*u.Cap) - UsualRoom,
		factAssets: math.Log(n / UsualAssets),
	}
}

// Tokens returns what a model is told of each asset, n x [Features], about of unit
// size. Permuting the assets permutes its rows, but for roundings and where
// eigenvalues coincide. The universe has to pass [Universe.Check].
func (u *Universe) Tokens() *mat.Dense {
	n := u.Assets()
	tokens := mat.NewDense(n, Features, nil)
	vol, t, root := make([]float64, n), make([]float64, n), math.Sqrt(float64(u.Periods))
	var logs, basket, basketMean float64
	with := make([]float64, n) // covariance with the basket
	for i := range n {
		vol[i] = math.Sqrt(u.Cov.At(i, i))
		t[i] = u.Mean[i] / vol[i] * root
		logs += math.Log(vol[i]) / float64(n)
		basketMean += u.Mean[i] / float64(n)
		for j := range n {
			with[i] += u.Cov.At(i, j) / float64(n)
		}
		basket += with[i] / float64(n)
	}
	correlation := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			correlation.SetSym(i, j, u.Cov.At(i, j)/(vol[i]*vol[j]))
		}
		beta := with[i] / max(basket, 1e-12*vol[i]*vol[i])
		rest := u.Cov.At(i, i) - beta*with[i]
		alpha := 0.0
		if rest > 1e-9*u.Cov.At(i, i) {
			alpha = (u.Mean[i] - beta*basketMean) / math.Sqrt(rest) * root
		}
		tokens.Set(i, featureVolatility, math.Log(vol[i])-logs)
		tokens.Set(i, featureMean, bounded(t[i], boundStatistic))
		tokens.Set(i, featureBeta, bounded(beta-1, boundRatio))
		tokens.Set(i, featureAlpha, bounded(alpha, boundStatistic))
	}
	loadings(tokens, correlation)
	solutions(tokens, correlation, vol, t)
	return tokens
}

// Bounds of t-statistics, and of what is about 1.
const (
	boundStatistic = 4
	boundRatio     = 3
)

// bounded is x for small x, and nears the bound for large ones.
func bounded(x, bound float64) float64 { return bound * math.Tanh(x/bound) }

// loadings fills in those on the factors of the largest eigenvalues. A factor's sign
// is that in which the sum of its loadings' cubes is positive.
func loadings(tokens *mat.Dense, correlation *mat.SymDense) {
	n := correlation.SymmetricDim()
	var eigen mat.EigenSym
	if !eigen.Factorize(correlation, true) {
		return // which a finite matrix doesn't come to: without factors, the rest still tells something
	}
	values := eigen.Values(nil) // rising
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	for k := range min(factors, n) {
		column := n - 1 - k
		var cubes float64
		for i := range n {
			v := vectors.At(i, column)
			cubes += v * v * v
		}
		scale := math.Copysign(math.Sqrt(max(values[column], 0)), cubes)
		for i := range n {
			tokens.Set(i, featureLoading+k, scale*vectors.At(i, column))
		}
	}
}

// solutions fills in the holdings of optimal portfolios without bounds: in units of
// risk for those of the largest Sharpe ratio, whose holdings are divided by their root
// mean square, and by weight for that of least variance.
func solutions(tokens *mat.Dense, correlation *mat.SymDense, vol, t []float64) {
	n := len(vol)
	inverse := mat.NewVecDense(n, nil)
	for i := range n {
		inverse.SetVec(i, 1/vol[i])
	}
	ridged := mat.NewSymDense(n, nil)
	ridged.CopySym(correlation)
	for k, ridge := range ridges {
		for i := range n {
			ridged.SetSym(i, i, 1+ridge)
		}
		var chol mat.Cholesky
		var tangency, least mat.VecDense
		if !chol.Factorize(ridged) || chol.SolveVecTo(&tangency, mat.NewVecDense(n, t)) != nil ||
			chol.SolveVecTo(&least, inverse) != nil {
			continue // as above
		}
		square := mat.Dot(&tangency, &tangency) / float64(n)
		var sum float64
		for i := range n {
			sum += least.AtVec(i) / vol[i]
		}
		for i := range n {
			if square > 0 {
				tokens.Set(i, featureTangency+k, bounded(tangency.AtVec(i)/math.Sqrt(square), boundRatio))
			}
			if sum > 0 {
				tokens.Set(i, featureVariance, bounded(float64(n)*least.AtVec(i)/vol[i]/sum-1, boundRatio))
			}
		}
	}
}
