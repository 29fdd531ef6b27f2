package main

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/relative"
)

// relate returns the figures of all portfolios against the benchmark; nil for none.
func relate(ctx context.Context, evaluator *metrics.Evaluator, b *relative.Benchmark, weights *mat.Dense,
	io *cli.IO) ([]relative.Figures, error) {
	if b == nil {
		return nil, nil
	}
	if b.Returns == nil { // of weights, which are restored every period as the portfolios' are
		b.Returns = make([]float64, evaluator.Periods())
		if err := evaluator.Returns(b.Returns, b.Weights); err != nil {
			return nil, err
		}
	}
	against, err := relative.NewEvaluator(*b, evaluator.Settings())
	if err != nil {
		return nil, err
	}
	total, _ := weights.Dims()
	figures := make([]relative.Figures, total)
	err = inBlocks(weights, io.Progress("comparing with the benchmark"), func(block *mat.Dense, from, to int) error {
		return against.EvaluateAll(ctx, evaluator, block, figures[from:to])
	})
	return figures, err
}

// shortRelative are headings for a screen's width.
var shortRelative = map[relative.Figure]string{
	relative.ActiveReturn: "active", relative.TrackingError: "te", relative.InformationRatio: "ir",
	relative.Correlation: "corr", relative.UpCapture: "up", relative.DownCapture: "down",
	relative.ActiveShare: "share",
}

// relativeColumns are those of the figures against a benchmark.
func relativeColumns() (columns []cli.Column) {
	for figure := range new(relative.Figures).All() {
		columns = append(columns, cli.Column{Name: figure.Name(), Short: shortRelative[figure]})
	}
	return columns
}
