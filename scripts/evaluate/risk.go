package main

import (
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
)

// riskShares splits the variance of a portfolio among its assets.
type riskShares struct {
	cov   *mat.SymDense // sample covariance, n x n
	order []int         // column of the window for each asset of the output
}

// newRiskShares splits over the returns of the window, for the assets in the
// order of symbols.
func newRiskShares(window *market.Window, symbols []string) (*riskShares, error) {
	cov, _, err := moments.Covariance(moments.Sample, window.Returns)
	if err != nil {
		return nil, err
	}
	r := &riskShares{cov: cov}
	for _, symbol := range symbols {
		r.order = append(r.order, slices.Index(window.Symbols, symbol))
	}
	return r, nil
}

// of returns the assets' shares, for weights in the order of the window. Its
// errors are those of [metrics.RiskContributions].
func (r *riskShares) of(w []float64) ([]float64, error) {
	shares, err := metrics.RiskContributions(w, r.cov)
	if err != nil {
		return nil, err
	}
	ordered := make([]float64, len(r.order))
	for i, j := range r.order {
		ordered[i] = shares[j]
	}
	return ordered, nil
}
