package main

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/simplex"
)

// outcomesRecord is how the paths were made, and what becomes of each portfolio.
type outcomesRecord struct {
	Paths    int              `json:"paths"`
	Horizon  int              `json:"horizon"`
	Block    *float64         `json:"mean_block"`             // periods; null with regimes
	Stays    []float64        `json:"regime_stays,omitempty"` // periods, the calmest first
	Fall     float64          `json:"drawdown"`
	Outlooks []choose.Outlook `json:"outlooks"` // in the order of the portfolios
}

// outcomes simulates the wealth of the portfolios given, or of drawn ones, over
// the horizon.
func (j *job) outcomes(ctx context.Context) (*made, error) {
	batch, err := j.held(ctx)
	if err != nil {
		return nil, err
	}
	settings := j.Outcomes
	settings.Horizon, settings.Seed, settings.Progress = j.Horizon, j.Seed, j.io.Progress("outcomes")
	outlooks, err := choose.Outcomes(ctx, batch.Weights, j.window.Returns, settings)
	if err != nil {
		return nil, err
	}
	record := &outcomesRecord{
		Paths: settings.Paths, Horizon: j.Horizon, Stays: outlooks[0].Stays, Fall: settings.Drawdown, Outlooks: outlooks,
	}
	if settings.Regimes == 0 {
		record.Block = &outlooks[0].MeanBlock
		j.io.Note("stationary bootstrap in blocks of %.1f periods on average", outlooks[0].MeanBlock)
	} else {
		j.io.Note("regimes that last %.1f periods on average, the calmest first", outlooks[0].Stays)
	}
	fan := table{header: []string{"portfolio", "period", "wealth_p05", "wealth_p25", "wealth_p50", "wealth_p75",
		"wealth_p95"}}
	for i, o := range outlooks {
		for t := range j.Horizon + 1 {
			fan.rows = append(fan.rows, append([]float64{float64(i + 1), float64(t)}, o.Fan.RawRowView(t)...))
		}
		if i < 10 {
			j.io.Note("portfolio %d: a loss after %d periods with probability %.3f (+- %.3f), a fall by %.0f %% on "+
				"the way with %.3f (+- %.3f)",
				i+1, j.Horizon, o.Loss, o.LossError, 100*settings.Drawdown, o.Drawdown, o.DrawdownError)
		}
	}
	j.record.Outcomes = record
	return &made{batch: batch, tables: map[string]table{"fan.csv": fan}}, nil
}

// held is the portfolios given, each the nearest member of the set to it, or
// drawn ones.
func (j *job) held(ctx context.Context) (*generate.Batch, error) {
	if j.given == nil {
		return j.draw(ctx, j.count(10))
	}
	batch := &generate.Batch{Weights: mat.DenseCopyOf(j.given.Weights), Repair: make([]float64, j.given.Len())}
	return batch, simplex.ProjectAll(ctx, j.set, batch.Weights, batch.Weights, batch.Repair)
}
