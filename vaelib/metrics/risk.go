package metrics

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrNoRisk is the error for a portfolio without variance, which has no
// contributions to it.
var ErrNoRisk = errors.New("portfolio's variance is 0: it has no risk contributions")

// RiskContributions returns the share that each asset has in the portfolio's
// variance, w_i (cov w)_i / w'cov w: they sum to 1, and one is negative where
// an asset hedges the others (Maillard, Roncalli & Teïletche 2010). It returns
// [ErrNoRisk] or an [*AssetsError].
func RiskContributions(w []float64, cov *mat.SymDense) ([]float64, error) {
	n := cov.SymmetricDim()
	if len(w) != n {
		return nil, &AssetsError{Got: len(w), Want: n}
	}
	var product mat.VecDense
	product.MulVec(cov, mat.NewVecDense(n, w))
	shares := make([]float64, n)
	var variance, scale float64
	for i, v := range w {
		shares[i] = v * product.AtVec(i)
		variance += shares[i]
		scale += math.Abs(v) * math.Sqrt(cov.At(i, i))
	}
	if !(variance > flatness*flatness*scale*scale) {
		return nil, ErrNoRisk
	}
	for i := range shares {
		shares[i] /= variance
	}
	return shares, nil
}
