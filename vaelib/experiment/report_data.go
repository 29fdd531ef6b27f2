package experiment

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
)

func (p *state) dataSection(d *report.Document) error {
	data := &report.Data{
		Source: p.Source, Notes: p.Notes, Hash: p.Window.Hash(), Periods: len(p.Window.Times),
		PeriodsPerYear: p.Metrics.PeriodsPerYear,
		Train:          span(p.in), Test: span(p.out),
		Embargo: len(p.Window.Times) - len(p.in.Times) - len(p.out.Times),
	}
	if c := p.Cleaning; c != nil {
		var unfinished, gap, odd string
		if c.Unfinished > 0 {
			unfinished = day(c.UnfinishedAt)
		}
		if len(c.Gaps) > 0 {
			gap = fmt.Sprintf("%s after %s", c.Gaps[0].Symbol, day(c.Gaps[0].After))
		}
		if len(c.Oddities) > 0 {
			odd = fmt.Sprintf("%s:%d: %s", c.Oddities[0].File, c.Oddities[0].Line, c.Oddities[0].Note)
		}
		for _, row := range []report.Cleaning{
			{Defect: "rows out of the range asked for", Count: c.Outside, Action: "dropped"},
			{Defect: "identical duplicate rows", Count: c.Duplicates, Action: "dropped", Where: c.DuplicateAt},
			{Defect: "rows out of order", Count: c.Sorted, Action: "sorted"},
			{Defect: "unfinished last periods", Count: c.Unfinished, Action: "dropped", Where: unfinished},
			{Defect: "gaps in time", Count: len(c.Gaps), Action: "kept: the return spans the gap", Where: gap},
			{Defect: "oddities of open, high, low or volume", Count: c.Odd, Action: "kept: the close is sound",
				Where: odd},
		} {
			if row.Count > 0 {
				data.Cleaning = append(data.Cleaning, row)
			}
		}
	}
	if p.Dropped.Before+p.Dropped.After+p.Dropped.Inside > 0 {
		data.Dropped = append(data.Dropped, report.Fact{Name: "Times that not all symbols share",
			Text: p.Dropped.String()})
	}
	sample, err := moments.Estimate(moments.Sample, p.in.Returns)
	if err != nil {
		return err
	}
	for j, symbol := range p.in.Symbols {
		one := make([]float64, p.Set.N)
		one[j] = 1
		f, err := p.evaluateIn.Evaluate(one)
		if err != nil {
			return err
		}
		data.Assets = append(data.Assets, report.Asset{
			Symbol: symbol, Sector: p.sectorOf(symbol), First: p.in.Times[0], Last: p.in.Times[len(p.in.Times)-1],
			AnnualReturn: f.Value(metrics.AnnualReturn), Volatility: f.Value(metrics.Volatility),
			MaxDrawdown: f.Value(metrics.MaxDrawdown),
		})
	}
	data.Pictures, err = p.pictures(drawing{"correlation.png", "Correlation of returns in sample.", figure.Heatmap{
		Frame: p.frame("returns before the split"), Symbols: p.in.Symbols, Values: correlations(sample.Cov),
		Rank: meanWeights(p.training), RankBy: "mean weight in the training portfolios",
	}.Draw})
	d.Data = data
	return err
}

// correlations of a covariance, NaN where an asset doesn't move.
func correlations(cov *mat.SymDense) *mat.SymDense {
	n := cov.SymmetricDim()
	correlation := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			value := math.NaN()
			if s := math.Sqrt(cov.At(i, i) * cov.At(j, j)); s > 0 {
				value = cov.At(i, j) / s
			}
			correlation.SetSym(i, j, value)
		}
	}
	return correlation
}

// meanWeights are the means of the columns.
func meanWeights(weights *mat.Dense) []float64 {
	rows, n := weights.Dims()
	means := make([]float64, n)
	for i := range rows {
		floats.AddScaled(means, 1/float64(rows), weights.RawRowView(i))
	}
	return means
}

// sectorOf names the sectors of a symbol.
func (p *state) sectorOf(symbol string) string {
	text := ""
	if p.Sectors == nil {
		return text
	}
	for _, name := range p.Sectors.Names {
		if share := p.Sectors.Share(symbol, name); share > 0 {
			if text != "" {
				text += ", "
			}
			text += name
			if share < 1 {
				text += fmt.Sprintf(" (%.0f %%)", 100*share)
			}
		}
	}
	return text
}

func (p *state) constraintSection(d *report.Document) error {
	c := &report.Constraints{
		Assets: p.Set.N, MinWeight: p.Set.MinWeight, Portfolios: p.summary.Portfolios,
		MaxViolation: p.summary.MaxViolation, MaxRepair: p.summary.MaxRepair,
		MeanRepair: number.Known(stat.Mean(p.generated.Repair, nil)),
	}
	c.Lower, c.Upper, c.Notes = weightLimits(&p.Set)
	for _, g := range p.Set.Groups {
		group := report.Group{Name: g.Name, Lo: g.Lo, Hi: g.Hi}
		for j, share := range g.Share {
			if share > 0 {
				group.Members = append(group.Members, p.in.Symbols[j])
			}
		}
		c.Groups = append(c.Groups, group)
	}
	d.Constraints = c
	return nil
}
