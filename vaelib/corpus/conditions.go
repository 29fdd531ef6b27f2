package corpus

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
)

// Schema describes the conditions that the portfolios of a corpus themselves have,
// the first of [Corpus.Schema]; sectors may be nil.
func (c Config) Schema(sectors *market.Sectors, symbols []string) []portfolio.Attribute {
	basis := portfolio.TrainingReturns
	if c.Measured == MeasuredRolling {
		basis = portfolio.WindowReturns
	}
	_, names := sectorShares(sectors, symbols)
	return portfolio.Schema(basis, names)
}

// describe sets what conditions the rows will have, and makes room for them.
func (c *Corpus) describe(sectors *market.Sectors) {
	c.Schema = append(c.config.Schema(sectors, c.window.Symbols), c.state.schema...)
	c.Portfolios.Conditions = &portfolio.Conditions{
		Names: portfolio.Names(c.Schema), Values: mat.NewDense(len(c.Rows), len(c.Schema), nil),
	}
}

// evaluator computes the conditions that follow from weights and the returns
// of a span.
func (c *Corpus) evaluator(s Span) (*metrics.Evaluator, error) {
	return metrics.NewEvaluator(c.window.Slice(s.From, s.To).Returns, metrics.Settings{
		PeriodsPerYear: c.config.PeriodsPerYear,
		Figures: metrics.Of(metrics.Volatility, metrics.AnnualReturn, metrics.MaxDrawdown, metrics.VaR, metrics.CVaR,
			metrics.EffectiveAssets),
	})
}

// setConditions fills row i of the conditions, in the order of the schema.
func (c *Corpus) setConditions(i int, f metrics.Figures) {
	weights, dst := c.Portfolios.Weights.RawRowView(i), c.Portfolios.Conditions.Values.RawRowView(i)
	k := copy(dst, []float64{f.Volatility, f.AnnualReturn, f.MaxDrawdown, f.VaR, f.CVaR, f.EffectiveAssets,
		slices.Max(weights)})
	for _, shares := range c.tilts {
		for j, share := range shares {
			dst[k] += share * weights[j]
		}
		k++
	}
	copy(dst[k:], c.state.values[c.Rows[i].Span])
}

// Measures returns how those conditions follow from the weights that have a
// closed form: concentration and sectors, and, where they are measured over the
// training part, volatility and annual return.
func (c *Corpus) Measures() []portfolio.Measure {
	var measures []portfolio.Measure
	if c.config.Measured == MeasuredTraining {
		measures = ofReturns(c.window.Slice(0, c.cut).Returns, c.config.PeriodsPerYear)
	}
	return append(measures, ofWeights(c.sectors, c.tilts)...)
}

// Measures returns how conditions follow from weights, over a window of returns: those
// of [Corpus.Measures]. Sectors may be nil.
func Measures(w *market.Window, periodsPerYear float64, sectors *market.Sectors) []portfolio.Measure {
	shares, names := sectorShares(sectors, w.Symbols)
	return append(ofReturns(w.Returns, periodsPerYear), ofWeights(names, shares)...)
}

// ofReturns are the measures of risk and return over returns (T x n).
func ofReturns(returns *mat.Dense, periodsPerYear float64) []portfolio.Measure {
	root, mean := riskAndReturn(returns, periodsPerYear)
	return []portfolio.Measure{
		{Name: "volatility", Form: portfolio.Norm, Matrix: root},
		{Name: "annual_return", Form: portfolio.Linear, Vector: mean},
	}
}

// ofWeights are those of concentration, and of the shares in sectors.
func ofWeights(sectors []string, shares [][]float64) []portfolio.Measure {
	measures := []portfolio.Measure{
		{Name: "effective_assets", Form: portfolio.Effective}, {Name: "max_weight", Form: portfolio.Largest},
	}
	for k, name := range sectors {
		measures = append(measures, portfolio.Measure{Name: portfolio.SectorPrefix + name, Form: portfolio.Linear,
			Vector: slices.Clone(shares[k])})
	}
	return measures
}

// riskAndReturn returns a root (n x r, r = min(T, n)) of the sample covariance
// (divisor T-1) and the means (n) of returns (T x n), both annual. With QR the
// decomposition of the centred returns, the root is R' over sqrt(T-1): the
// covariance itself, whose condition number is the square, is never formed.
func riskAndReturn(returns *mat.Dense, periodsPerYear float64) (root [][]float64, mean []float64) {
	periods, n := returns.Dims()
	mean = make([]float64, n)
	for t := range periods {
		for j, r := range returns.RawRowView(t) {
			mean[j] += r / float64(periods)
		}
	}
	centred := mat.NewDense(periods, n, nil)
	centred.Apply(func(_, j int, r float64) float64 { return r - mean[j] }, returns)
	if periods > n {
		var qr mat.QR
		qr.Factorize(centred)
		var r mat.Dense
		qr.RTo(&r)
		centred = r.Slice(0, n, 0, n).(*mat.Dense)
	}
	scale := math.Sqrt(periodsPerYear / float64(periods-1))
	rows, _ := centred.Dims()
	root = make([][]float64, n)
	for j := range root {
		mean[j] *= periodsPerYear
		root[j] = make([]float64, rows)
		for k := range root[j] {
			root[j][k] = scale * centred.At(k, j)
		}
	}
	return root, mean
}
