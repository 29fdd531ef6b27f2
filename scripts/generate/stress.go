package main

import (
	"context"
	"fmt"
	"time"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/run"
)

// Stress are the flags of the sweep under stresses.
type Stress struct {
	Sweep string `flag:"sweep" choice:"grid|halton" default:"grid" help:"the codes to try: grid is a square of the plane in which codes vary most, halton fills N(0, I) evenly"`
	Side  int    `flag:"side" range:"[2,2000]" only:"sweep=grid" help:"the number of codes along a side of the square"`

	Traded  string  `flag:"traded-value" was:"turnover" unit:"FILE" help:"a wide CSV of the value of each asset that its market trades in each period; adds the loss of selling -capital within one period of median trade"`
	Capital float64 `flag:"capital" range:"[0,inf)" unit:"currency" only:"traded-value" help:"the value to sell, in the currency of -traded-value"`
}

// stress sweeps the latent space and returns the portfolios that lose most in
// any stress.
func (j *job) stress(ctx context.Context) (*made, error) {
	batch, losses, err := j.sweep(ctx)
	if err != nil {
		return nil, err
	}
	stresses, err := j.stresses()
	if err != nil {
		return nil, err
	}
	results, err := choose.RunStresses(ctx, batch.Weights, stresses, j.io.Progress("stresses"))
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		losses.Add(r.Name, r.Losses)
		summary := r.Summary(j.symbols)
		j.record.Stresses = append(j.record.Stresses, summary)
		j.io.Note("%s: mean loss %.4f, worst %.4f", r.Name, summary.Mean, summary.Worst)
	}
	rows, values := choose.Hardest(results, j.count(10))
	for i := range values {
		values[i] = -values[i]
	}
	return &made{batch: batch.Pick(rows), values: values, tables: map[string]*run.Table{lossesFile: losses}}, nil
}

// sweep decodes the codes, with a table of where each of them lies.
func (j *job) sweep(ctx context.Context) (*generate.Batch, *run.Table, error) {
	if j.Sweep == "halton" {
		return j.generator.Halton(ctx, j.Candidates, j.Seed)
	}
	known, err := j.draw(ctx, j.Candidates)
	if err != nil {
		return nil, nil, err
	}
	return j.generator.Square(ctx, known.Codes, j.Side)
}

// stresses are those of the prices and, where the values traded are given, liquidation.
func (j *job) stresses() ([]choose.Stress, error) {
	if j.Traded == "" {
		return j.Choice.Stresses(j.window, nil, 0)
	}
	end := j.window.Times[len(j.window.Times)-1]
	panel, _, err := market.Load(j.Traded, market.Options{Symbols: j.symbols, To: end})
	if err != nil {
		return nil, err
	}
	traded, err := choose.MedianTraded(panel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w up to %s", j.Traded, err, end.Format(time.DateOnly))
	}
	return j.Choice.Stresses(j.window, traded, j.Capital)
}
