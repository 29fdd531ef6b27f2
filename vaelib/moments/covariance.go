package moments

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// sample is the covariance with divisor T-1.
func sample(returns *mat.Dense, mean []float64) (*mat.SymDense, float64, error) {
	periods, _ := returns.Dims()
	cov := second(centred(returns, mean))
	cov.ScaleSym(1/float64(periods-1), cov)
	return cov, 0, nil
}

// weighted is the exponentially weighted covariance: the return of the last
// period has weight 1, the one before it decay, and so on; means are weighted
// alike, and the divisor 1 - sum(w^2) of weights that sum to 1 makes it
// unbiased for independent returns (pandas' ewm(alpha=1-decay).cov()). As the
// decay goes to 1 it becomes the sample covariance with divisor T-1.
func weighted(returns *mat.Dense, decay float64) *mat.SymDense {
	periods, n := returns.Dims()
	weights := make([]float64, periods)
	var total float64
	weight := 1.0
	for t := periods - 1; t >= 0; t-- {
		weights[t] = weight
		total += weight
		weight *= decay
	}
	var squares float64
	mean := make([]float64, n)
	for t := range weights {
		weights[t] /= total
		squares += weights[t] * weights[t]
		for j, r := range returns.RawRowView(t) {
			mean[j] += weights[t] * r
		}
	}
	x := centred(returns, mean)
	for t := range periods {
		scale := math.Sqrt(weights[t])
		row := x.RawRowView(t)
		for j := range row {
			row[j] *= scale
		}
	}
	cov := second(x)
	cov.ScaleSym(1/(1-squares), cov)
	return cov
}

// flatness is the deviation, relative to the mean, that is rounding and no
// more: an asset that earns the same in every period has exactly no variance.
const flatness = 1e-13

// centred returns a copy of returns less the mean of each column.
func centred(returns *mat.Dense, mean []float64) *mat.Dense {
	periods, n := returns.Dims()
	x := mat.NewDense(periods, n, nil)
	for t := range periods {
		row := x.RawRowView(t)
		for j, r := range returns.RawRowView(t) {
			if d := r - mean[j]; math.Abs(d) > flatness*math.Abs(mean[j]) {
				row[j] = d
			}
		}
	}
	return x
}

// second returns x'x.
func second(x *mat.Dense) *mat.SymDense {
	periods, n := x.Dims()
	// Columns made contiguous: long dot products are faster than short sums of
	// rows, by more than the copy costs.
	columns := mat.NewDense(n, periods, nil)
	data := columns.RawMatrix().Data
	for t := range periods {
		for j, v := range x.RawRowView(t) {
			data[j*periods+t] = v
		}
	}
	product := mat.NewSymDense(n, nil)
	product.SymOuterK(1, columns)
	return product
}

// Spectrum returns the eigenvalues of a covariance in falling order, those
// that rounding pushed below zero raised to it.
func Spectrum(cov *mat.SymDense) []float64 {
	var eigen mat.EigenSym
	if !eigen.Factorize(cov, false) {
		panic("moments: covariance holds NaN or Inf")
	}
	rising := eigen.Values(nil)
	falling := make([]float64, len(rising))
	for i, v := range rising {
		falling[len(rising)-1-i] = math.Max(v, 0)
	}
	return falling
}
