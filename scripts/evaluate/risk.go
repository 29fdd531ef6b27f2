package main

import (
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
)

// riskShares splits the variance of a portfolio among its assets.
type riskShares struct {
	cov   *mat.SymDense // sample covariance, n x n
	order []int         // column of the window for each asset of the output
	work  *mat.VecDense // cov w
}

// newRiskShares splits over the returns of the window, for the assets in the
// order of symbols.
func newRiskShares(window *market.Window, symbols []string) (*riskShares, error) {
	cov, _, err := moments.Covariance(moments.Sample, window.Returns)
	if err != nil {
		return nil, err
	}
	r := &riskShares{cov: cov, work: mat.NewVecDense(len(symbols), nil)}
	for _, symbol := range symbols {
		r.order = append(r.order, slices.Index(window.Symbols, symbol))
	}
	return r, nil
}

// of returns w_i (Sigma w)_i / (w' Sigma w), which sum to 1, for weights in the
// order of the window; it is undefined where the portfolio has no variance.
func (r *riskShares) of(w []float64) (shares []float64, defined bool) {
	weights := mat.NewVecDense(len(w), w)
	r.work.MulVec(r.cov, weights)
	variance := mat.Dot(weights, r.work)
	if !(variance > 0) {
		return nil, false
	}
	shares = make([]float64, len(r.order))
	for i, j := range r.order {
		shares[i] = w[j] * r.work.AtVec(j) / variance
	}
	return shares, true
}
