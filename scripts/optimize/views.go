package main

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
)

// Equilibrium are the flags of means by Black and Litterman.
type Equilibrium struct {
	Views    string  `flag:"views" unit:"FILE" help:"a CSV of views with the columns long, return and, where wanted, short and confidence: what assets will return, or by how much they will beat others, as shares per year; without it the equilibrium alone"`
	Market   string  `flag:"market" unit:"FILE" help:"a CSV with one row of the market's weights, or of the assets' market values, for the equilibrium; without it equal weights"`
	Aversion float64 `flag:"market-risk-aversion" range:"(0,inf)" help:"the market's risk aversion: its expected return above the risk-free rate, over its variance"`
	Tau      float64 `flag:"tau" range:"(0,100]" help:"the variance of the equilibrium's means, as a share of the covariance"`
}

// usualEquilibrium has He and Litterman's numbers.
func usualEquilibrium() Equilibrium { return Equilibrium{Aversion: 2.5, Tau: 0.05} }

// beliefs are what the json says of equilibrium and views; returns are per year.
type beliefs struct {
	Market       number.Values `json:"market"`
	RiskAversion float64       `json:"market_risk_aversion"`
	Tau          float64       `json:"tau"`
	Equilibrium  number.Values `json:"equilibrium"`
	Means        number.Values `json:"means"` // with the views
	Views        []belief      `json:"views"`
}

// belief is a view, and what comes of it.
type belief struct {
	View        string  `json:"view"`
	Return      float64 `json:"return"`
	Confidence  float64 `json:"confidence"`
	StdErr      float64 `json:"standard_error"`
	Equilibrium float64 `json:"equilibrium"` // what the market says of it
	Posterior   float64 `json:"posterior"`   // what both say together
}

// believes says whether the means are those of equilibrium and views.
func (c *config) believes() bool { return c.countsOnMeans() && c.Means == moments.BlackLitterman }

// believe puts means by equilibrium and views into the inputs, with the covariance that
// goes with them, and says what they come from; nil where -means is something else.
func (c *config) believe(io *cli.IO, w *market.Window, in *optimize.Inputs, m *moments.Moments, periods float64) (
	*beliefs, error,
) {
	if !c.believes() {
		return nil, nil
	}
	weights, err := c.marketWeights(io, w.Symbols)
	if err != nil {
		return nil, err
	}
	var given []portfolio.View
	var views []moments.View
	if c.Views != "" {
		if given, err = portfolio.ReadViews(c.Views, w.Symbols); err != nil {
			return nil, err
		}
	}
	for _, v := range given {
		views = append(views, moments.View{Legs: v.Legs, Return: v.Return / periods, Confidence: v.Confidence})
	}
	p, err := m.BlackLitterman(moments.Equilibrium{Market: weights, RiskAversion: c.Aversion,
		RiskFree: c.RiskFree / periods, Tau: c.Tau}, views)
	if err != nil {
		return nil, fmt.Errorf("-views %s: %w", c.Views, err)
	}
	in.Mean, in.Cov = p.Mean, p.Cov
	annual := func(means []float64) number.Values {
		scaled := slices.Clone(means)
		floats.Scale(periods, scaled)
		return number.Values{Names: w.Symbols, Numbers: scaled}
	}
	b := &beliefs{Market: number.Values{Names: w.Symbols, Numbers: weights}, RiskAversion: c.Aversion, Tau: c.Tau,
		Equilibrium: annual(p.Equilibrium), Means: annual(p.Mean), Views: []belief{}}
	for i, v := range given {
		b.Views = append(b.Views, belief{v.Name, v.Return, v.Confidence, p.StdErr[i] * periods, p.Before[i] * periods,
			p.After[i] * periods})
	}
	b.tell(io, floats.Dot(weights, b.Equilibrium.Numbers))
	return b, nil
}

// tell says what the equilibrium is, and what each view does to it.
func (b *beliefs) tell(io *cli.IO, expected float64) {
	io.Note("means: an equilibrium in which the market returns %.4g a year (risk aversion %v), tau %v and %d views: "+
		"from %.4g to %.4g a year", expected, b.RiskAversion, b.Tau, len(b.Views), slices.Min(b.Means.Numbers),
		slices.Max(b.Means.Numbers))
	for _, v := range b.Views {
		io.Note("view: %s returns %.4g a year with a confidence of %v; the equilibrium says %.4g, both together %.4g",
			v.View, v.Return, v.Confidence, v.Equilibrium, v.Posterior)
	}
}

// marketWeights are the weights of -market, made to sum to 1, or equal ones.
func (c *config) marketWeights(io *cli.IO, symbols []string) ([]float64, error) {
	weights := slices.Repeat([]float64{1 / float64(len(symbols))}, len(symbols))
	if c.Market == "" {
		io.Note("the market is taken to be equal weights: -market FILE gives it its own")
		return weights, nil
	}
	p, err := portfolio.ReadCSV(c.Market, portfolio.ReadOptions{AnySum: true, Amounts: true})
	if err != nil {
		return nil, err
	}
	io.Told(c.Market, p.Notes)
	if p.Len() != 1 {
		return nil, fmt.Errorf("%s: %d rows of weights where one is wanted: keep one", c.Market, p.Len())
	}
	columns, missing := columnsOf(p, symbols)
	if missing != "" {
		return nil, fmt.Errorf("%s: no weight of %s, which is among the assets: add one, or leave %s out with "+
			"-exclude", c.Market, missing, missing)
	}
	for j, k := range columns {
		if weights[j] = p.Weights.At(0, k); weights[j] < 0 {
			return nil, fmt.Errorf("%s: the weight of %s is %v: a market holds nothing short", c.Market, symbols[j],
				weights[j])
		}
	}
	sum := mat.Sum(mat.NewVecDense(len(weights), weights))
	if !(sum > 0) {
		return nil, fmt.Errorf("%s: all weights are 0: give the market some", c.Market)
	}
	if beyond := len(p.Symbols) - len(symbols); beyond > 0 {
		io.Note("%s: of its %d weights %d are of no asset here, and left out", c.Market, len(p.Symbols), beyond)
	}
	floats.Scale(1/sum, weights)
	return weights, nil
}
