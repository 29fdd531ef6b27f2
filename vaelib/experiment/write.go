package experiment

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
)

// evaluate measures every portfolio that the run writes, in sample and out of
// sample, and fills in the summary's ratios.
func (p *state) evaluate(ctx context.Context) error {
	p.begin("evaluation in sample and out of sample")
	rows := p.settings.Portfolios
	p.portfolios = &portfolio.Portfolios{Symbols: p.in.Symbols}
	var weights []float64
	for _, c := range p.candidates {
		if c.model {
			p.portfolios.IDs = append(p.portfolios.IDs, c.id)
			weights = append(weights, c.weights...)
		}
	}
	digits := len(fmt.Sprint(rows))
	for i := range rows {
		p.portfolios.IDs = append(p.portfolios.IDs, fmt.Sprintf("s%0*d", digits, i+1))
		weights = append(weights, p.generated.Weights.RawRowView(i)...)
	}
	p.portfolios.Weights = mat.NewDense(len(p.portfolios.IDs), p.Set.N, weights)
	p.summary.Portfolios = len(p.portfolios.IDs)

	for _, c := range p.candidates {
		if !c.model {
			weights = append(weights, c.weights...)
		}
	}
	all := mat.NewDense(len(weights)/p.Set.N, p.Set.N, weights)
	var err error
	if p.figuresIn, err = p.evaluateIn.Figures(ctx, all); err != nil {
		return err
	}
	if p.figuresOut, err = p.evaluateOut.Figures(ctx, all); err != nil {
		return err
	}
	if p.trainingFigures, err = p.evaluateIn.Figures(ctx, p.training); err != nil {
		return err
	}

	var violation, repair float64
	for i := range p.portfolios.IDs {
		violation = max(violation, p.Set.Violation(all.RawRowView(i)))
	}
	for i := range rows {
		repair = max(repair, p.generated.Repair[i])
	}
	p.summary.MaxViolation = number.Known(violation)
	p.summary.MaxRepair = number.Known(max(repair, p.latent.Repair[p.latent.Best]))

	for id, pair := range map[string][2]*number.Value{
		latentSharpe:  {&p.summary.SharpeLatent, &p.summary.SharpeLatentOOS},
		bestSampled:   {&p.summary.SharpeBestSampled, &p.summary.SharpeBestSampledOOS},
		bestDirichlet: {&p.summary.SharpeBestDirichlet, &p.summary.SharpeBestDirichletOOS},
		bestMixture:   {&p.summary.SharpeBestMixture, &p.summary.SharpeBestMixtureOOS},
		ascent:        {&p.summary.SharpeAscent, &p.summary.SharpeAscentOOS},
		equalWeight:   {&p.summary.SharpeEqualWeight, &p.summary.SharpeEqualWeightOOS},
		convexBound:   {&p.summary.SharpeConvexBound, &p.summary.SharpeConvexBoundOOS},
	} {
		in, out, ok := p.figuresOf(id)
		if !ok {
			*pair[0], *pair[1] = number.Unknown(p.summary.Notes[id]), number.Unknown(p.summary.Notes[id])
			continue
		}
		*pair[0], *pair[1] = in.Value(metrics.Sharpe), out.Value(metrics.Sharpe)
	}
	return p.checkBound()
}

// checkBound refuses a result above the bound: a Sharpe ratio in sample that
// beats the convex optimum of the same set and window is a mistake in one of
// the two.
func (p *state) checkBound() error {
	bound, ok := p.summary.SharpeConvexBound.Float()
	if !ok {
		return nil
	}
	for name, sharpe := range map[string]number.Value{
		latentSharpe: p.summary.SharpeLatent, bestSampled: p.summary.SharpeBestSampled,
		bestDirichlet: p.summary.SharpeBestDirichlet, bestMixture: p.summary.SharpeBestMixture,
		ascent: p.summary.SharpeAscent,
	} {
		if v, ok := sharpe.Float(); ok && v > bound*(1+1e-9)+1e-12 {
			return fmt.Errorf("the in-sample Sharpe ratio of %s, %v, is above the convex bound %v: one of them is "+
				"wrong", name, v, bound)
		}
	}
	return nil
}

// rowOf returns the row of a candidate in figuresIn and figuresOut: those from
// the model come first, then the samples, then the baselines.
func (p *state) rowOf(id string) (row int, ok bool) {
	next := len(p.portfolios.IDs)
	first := 0
	for _, c := range p.candidates {
		row := &next
		if c.model {
			row = &first
		}
		if c.id == id {
			return *row, true
		}
		*row++
	}
	return 0, false
}

func (p *state) figuresOf(id string) (in, out *metrics.Figures, ok bool) {
	row, ok := p.rowOf(id)
	if !ok {
		return nil, nil, false
	}
	return &p.figuresIn[row], &p.figuresOut[row], true
}

// write makes the run's tables.
func (p *state) write(context.Context) error {
	if err := run.WriteFile(p.folder.Path(HistoryFile), p.history.WriteCSV); err != nil {
		return err
	}
	if err := run.WriteFile(p.folder.Path(WeightsFile), p.portfolios.WriteCSV); err != nil {
		return err
	}
	baselines := &portfolio.Portfolios{Symbols: p.in.Symbols}
	var weights []float64
	for _, c := range p.candidates {
		if !c.model {
			baselines.IDs = append(baselines.IDs, c.id)
			weights = append(weights, c.weights...)
		}
	}
	baselines.Weights = mat.NewDense(len(baselines.IDs), p.Set.N, weights)
	if err := run.WriteFile(p.folder.Path(BaselinesFile), baselines.WriteCSV); err != nil {
		return err
	}
	ids := append(append([]string(nil), p.portfolios.IDs...), baselines.IDs...)
	err := run.WriteFile(p.folder.Path(MetricsFile), func(w io.Writer) error { return p.writeMetrics(w, ids) })
	if err != nil {
		return err
	}
	p.summary.Seconds = time.Since(p.started).Seconds()
	p.summary.SamplesPerSecond = p.history.SamplesPerSecond()
	p.summary.explain()
	return run.WriteJSON(p.folder.Path(SummaryFile), &p.summary)
}

// writeMetrics writes one row a portfolio: id, source (model or baseline), the
// figures in sample, and the same out of sample with the suffix _oos. A figure
// that is undefined is an empty cell.
func (p *state) writeMetrics(w io.Writer, ids []string) error {
	names := p.evaluateIn.Settings().Names()
	header := []string{"id", "source"}
	header = append(header, names...)
	for _, name := range names {
		header = append(header, name+"_oos")
	}
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for i, id := range ids {
			source := "model"
			if i >= len(p.portfolios.IDs) {
				source = "baseline"
			}
			record := []string{id, source}
			for _, f := range []*metrics.Figures{&p.figuresIn[i], &p.figuresOut[i]} {
				for k := range names {
					cell := ""
					if v, ok := f.Value(metrics.Figure(k)).Float(); ok {
						cell = strconv.FormatFloat(v, 'g', -1, 64)
					}
					record = append(record, cell)
				}
			}
			write(record...)
		}
	})
}
