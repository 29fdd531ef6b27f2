package metrics

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Wealth writes the wealth that 1 becomes under the given returns per period:
// dst[0] is 1, before the first return, and dst[t] is after the t-th. So dst
// is one longer than returns.
func Wealth(dst, returns []float64) {
	if len(dst) != len(returns)+1 {
		panic("metrics: wealth is one longer than the returns")
	}
	dst[0] = 1
	for t, r := range returns {
		dst[t+1] = dst[t] * (1 + r)
	}
}

// Drawdowns writes, for each point of a wealth path, by what share of the
// highest wealth up to there it lies below: 0 at a peak, 1 at ruin. dst may be
// wealth.
func Drawdowns(dst, wealth []float64) {
	if len(dst) != len(wealth) {
		panic("metrics: drawdowns are as long as the wealth")
	}
	peak := math.Inf(-1)
	for t, v := range wealth {
		peak = max(peak, v)
		dst[t] = 1 - v/peak
	}
}

// WorstDrawdown returns the largest drawdown of a wealth path, and the
// positions of the peak that it fell from and of the trough: the first of
// each where several tie. A path that never falls gives 0 and twice position
// 0.
func WorstDrawdown(wealth []float64) (depth float64, peak, trough int) {
	highest := 0
	for t, v := range wealth {
		if v > wealth[highest] {
			highest = t
		}
		if d := 1 - v/wealth[highest]; d > depth {
			depth, peak, trough = d, highest, t
		}
	}
	return depth, peak, trough
}

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
