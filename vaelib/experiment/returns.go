package experiment

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/compare"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
)

// ReturnsFile has returns out of sample, one column a portfolio or strategy.
const ReturnsFile = "returns.csv"

// Interval is a 95 % interval by the stationary bootstrap.
type Interval struct {
	From number.Value `json:"from"`
	To   number.Value `json:"to"`
}

// rank writes what each candidate earns after the split, weights restored every
// period, and gives its Sharpe ratio an interval: without it the ranking of one
// stretch of time is mostly luck, and nobody sees that.
func (p *state) rank(ctx context.Context) error {
	p.begin("intervals of the ranking")
	t := &compare.Tracks{Times: p.out.Times, Returns: mat.NewDense(len(p.out.Times), len(p.candidates), nil)}
	for k, c := range p.candidates {
		returns := make([]float64, len(p.out.Times))
		if err := p.evaluateOut.Returns(returns, c.weights); err != nil {
			return err
		}
		t.Names, t.Sources = append(t.Names, c.id), append(t.Sources, "")
		t.Returns.SetCol(k, returns)
	}
	result, err := compare.Run(ctx, t, p.Metrics, compare.Settings{Seed: p.Seed})
	if err != nil {
		return fmt.Errorf("intervals of the ranking: %w", err)
	}
	p.summary.SharpeIntervals = map[string]Interval{}
	for _, row := range result.Rows {
		sharpe := row.Figures.Get("sharpe")
		p.summary.SharpeIntervals[row.Name] = Interval{sharpe.From, sharpe.To}
	}
	return run.WriteFile(p.folder.Path(ReturnsFile), func(w io.Writer) error {
		return run.WriteCSV(w, append([]string{"date"}, t.Names...), func(write func(cells ...string)) {
			for i, at := range t.Times {
				record := []string{stamp(at)}
				for _, r := range t.Returns.RawRowView(i) {
					record = append(record, strconv.FormatFloat(r, 'g', -1, 64))
				}
				write(record...)
			}
		})
	})
}
