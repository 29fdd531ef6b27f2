package experiment

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
)

func (p *state) generatedSection(d *report.Document) error {
	samples := p.generated.Weights.Slice(0, p.settings.Portfolios, 0, p.Set.N).(*mat.Dense)
	first := len(p.portfolios.IDs) - p.settings.Portfolios
	figures := p.figuresIn[first:len(p.portfolios.IDs)]
	g := &report.Generated{
		Portfolios: p.settings.Portfolios, Fidelity: p.samples(),
		Sampler: fmt.Sprintf("a mixture of %d normals fitted to the training codes", p.settings.Components),
		Rows: []report.Comparison{
			compareMeans("Volatility, mean", report.Percent, metrics.Volatility, figures, p.trainingFigures),
			compareMeans("Return, mean", report.Percent, metrics.AnnualReturn, figures, p.trainingFigures),
			compareMeans("Sharpe ratio, mean", report.Number, metrics.Sharpe, figures, p.trainingFigures),
			compareMeans("Maximum drawdown, mean", report.Percent, metrics.MaxDrawdown, figures, p.trainingFigures),
			compareMeans("Effective number of assets, mean", report.Number, metrics.EffectiveAssets, figures,
				p.trainingFigures),
			{Name: "Weights that are exactly 0", Format: report.Percent, Generated: number.Known(zeros(samples)),
				Training: number.Known(zeros(p.training))},
			{Name: "Largest weight, mean", Format: report.Percent, Generated: number.Known(meanLargest(samples)),
				Training: number.Known(meanLargest(p.training))},
		},
	}
	risk, reward := plane(figures)
	trainingRisk, trainingReturn := plane(p.trainingFigures[:min(len(p.trainingFigures), p.settings.Portfolios)])
	cloud := figure.RiskReturn{
		Frame: p.frame("over the in-sample window"),
		Clouds: []figure.Cloud{
			{Name: "training", Risk: trainingRisk, Return: trainingReturn},
			{Name: "generated", Risk: risk, Return: reward},
		},
	}
	for _, id := range p.named() {
		if f, _, ok := p.figuresOf(id); ok {
			cloud.Marks = append(cloud.Marks, figure.Mark{Name: id, Risk: f.Volatility, Return: f.AnnualReturn})
		}
	}
	var err error
	g.Pictures, err = p.pictures(
		drawing{"risk_return.png", "Generated and training portfolios by risk and return.", cloud.Draw},
		drawing{"concentration.png", "How concentrated portfolios are.", figure.Concentration{
			Frame: p.frame("generated against training"), Generated: samples, Training: p.training}.Draw},
		drawing{"weights.png", "Mean weight of each asset, with the 5th to 95th percentile.", figure.WeightBars{
			Frame: p.frame("generated against training"), Symbols: p.in.Symbols, Generated: samples,
			Training: p.training}.Draw},
	)
	d.Generated = g
	return err
}

// named are the portfolios that pictures name: those of the page's first sentence,
// the model's and the first out of sample, with the bound, 1/N and minimum variance.
func (p *state) named() []string {
	first, most := "", math.Inf(-1)
	for _, c := range p.candidates {
		if _, out, ok := p.figuresOf(c.id); ok {
			if v, known := out.Value(metrics.Sharpe).Float(); known && v > most {
				first, most = c.id, v
			}
		}
	}
	ids := []string{latentSharpe}
	for _, id := range []string{first, convexBound, equalWeight, "min-variance"} {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func compareMeans(name string, format report.Format, which metrics.Figure, generated,
	training []metrics.Figures) report.Comparison {
	return report.Comparison{Name: name, Format: format, Generated: mean(generated, which),
		Training: mean(training, which)}
}

// mean averages a figure over the portfolios for which it is defined.
func mean(figures []metrics.Figures, which metrics.Figure) number.Value {
	var sum, count float64
	for i := range figures {
		if v, ok := figures[i].Value(which).Float(); ok {
			sum += v
			count++
		}
	}
	if count == 0 {
		return number.Unknown("undefined for every portfolio")
	}
	return number.Known(sum / count)
}

// zeros returns the share of weights that are exactly 0.
func zeros(weights *mat.Dense) float64 {
	rows, n := weights.Dims()
	count := 0
	for i := range rows {
		for _, w := range weights.RawRowView(i) {
			if w == 0 {
				count++
			}
		}
	}
	return float64(count) / float64(rows*n)
}

func meanLargest(weights *mat.Dense) float64 {
	rows, _ := weights.Dims()
	var sum float64
	for i := range rows {
		sum += slices.Max(weights.RawRowView(i))
	}
	return sum / float64(rows)
}

// plane returns the volatilities and returns of portfolios.
func plane(figures []metrics.Figures) (risk, reward []float64) {
	for i := range figures {
		risk = append(risk, figures[i].Volatility)
		reward = append(reward, figures[i].AnnualReturn)
	}
	return risk, reward
}

func (p *state) weightSection(d *report.Document) error {
	w := &report.Weights{Symbols: p.in.Symbols}
	for _, c := range p.candidates {
		w.Portfolios = append(w.Portfolios, report.Portfolio{Name: c.id, Weights: c.weights})
	}
	d.Weights = w
	return nil
}

func (p *state) baselineSection(d *report.Document) error {
	b := &report.Baselines{
		Model: latentSharpe, InSample: span(p.in), OutSample: span(p.out), Budget: p.summary.Evaluations,
		Ascent: ascent, Matched: p.ascent.Matched,
		AscentSeconds: p.summary.AscentSeconds, SearchSeconds: p.summary.LatentSeconds,
		Notes: []string{
			"Weights are constant: rebalanced every period, without costs.",
			"One seed and one split: differences out of sample are well within noise unless they are large.",
		},
	}
	named := p.named()
	b.Intervals = map[string][2]number.Value{}
	for name, interval := range p.summary.SharpeIntervals {
		b.Intervals[name] = [2]number.Value{interval.From, interval.To}
	}
	wealth := figure.Wealth{Frame: p.frame("after the split, constant weights, without costs"),
		Start: p.Window.Times[len(p.Window.Times)-len(p.out.Times)-1], Times: p.out.Times}
	for _, c := range p.candidates {
		in, out, _ := p.figuresOf(c.id)
		row := report.Baseline{Name: c.id, What: c.what, InSample: *in, OutSample: *out,
			Evaluations: number.Unknown("solved for, not searched")}
		if c.evaluations > 0 {
			row.Evaluations = number.Known(float64(c.evaluations))
		}
		if c.id == convexBound {
			b.Bound = convexBound
		}
		b.Rows = append(b.Rows, row)
		if slices.Contains(named, c.id) {
			path := figure.Path{Name: c.id, Returns: make([]float64, len(p.out.Times))}
			if err := p.evaluateOut.Returns(path.Returns, c.weights); err != nil {
				return err
			}
			wealth.Paths = append(wealth.Paths, path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.summary.Notes)) {
		if name == "sizes" {
			continue // stands with the training
		}
		b.Notes = append(b.Notes, name+": "+p.summary.Notes[name])
	}
	var err error
	b.Pictures, err = p.pictures(drawing{"wealth.png", "Wealth after the split.", wealth.Draw})
	d.Baselines = b
	return err
}
