package main

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/simplex"
)

// Outcomes are the flags of the simulation of wealth.
type Outcomes struct {
	Paths    int     `flag:"paths" range:"[2,1000000]" unit:"paths" help:"simulated for outcomes, the same for every portfolio"`
	Regimes  int     `flag:"regimes" range:"[0,10]" unit:"states" help:"of a hidden Markov model by which the paths of outcomes go, from the present state on; 0 means the stationary bootstrap"`
	Drawdown float64 `flag:"drawdown" range:"(0,1)" unit:"share" help:"the fall whose probability outcomes tells"`
}

// outcomesRecord is how the paths were made, and what becomes of each portfolio.
type outcomesRecord struct {
	Paths    int             `json:"paths"`
	Horizon  int             `json:"horizon"`
	Block    *float64        `json:"mean_block"`             // periods; null with regimes
	Stays    []float64       `json:"regime_stays,omitempty"` // periods, the calmest first
	Fall     float64         `json:"drawdown"`
	Outlooks []outlookRecord `json:"outlooks"` // in the order of the portfolios
}

// outlookRecord: wealth begins at 1.
type outlookRecord struct {
	Mean           float64 `json:"mean_final_wealth"`
	Loss           float64 `json:"probability_of_loss"`
	LossError      float64 `json:"probability_of_loss_error"`
	Drawdown       float64 `json:"probability_of_drawdown"`
	DrawdownError  float64 `json:"probability_of_drawdown_error"`
	MedianDrawdown float64 `json:"median_max_drawdown"`
}

// outcomes simulates the wealth of the portfolios given, or of drawn ones, over
// the horizon.
func (j *job) outcomes(ctx context.Context) (*made, error) {
	batch, err := j.held(ctx)
	if err != nil {
		return nil, err
	}
	quantiles := []float64{0.05, 0.25, 0.5, 0.75, 0.95}
	outlooks, err := choose.Outcomes(ctx, batch.Weights, j.window.Returns, choose.OutcomeSettings{
		Paths: j.Paths, Horizon: j.Horizon, Regimes: j.Regimes, Drawdown: j.Drawdown, Quantiles: quantiles, Seed: j.Seed,
		Progress: j.io.Progress("outcomes"),
	})
	if err != nil {
		return nil, err
	}
	record := &outcomesRecord{Paths: j.Paths, Horizon: j.Horizon, Stays: outlooks[0].Stays, Fall: j.Drawdown}
	if j.Regimes == 0 {
		record.Block = &outlooks[0].MeanBlock
		j.io.Note("stationary bootstrap in blocks of %.1f periods on average", outlooks[0].MeanBlock)
	} else {
		j.io.Note("regimes that last %.1f periods on average, the calmest first", outlooks[0].Stays)
	}
	fan := table{header: []string{"portfolio", "period", "wealth_p05", "wealth_p25", "wealth_p50", "wealth_p75", "wealth_p95"}}
	for i, o := range outlooks {
		record.Outlooks = append(record.Outlooks, outlookRecord{o.MeanFinal, o.Loss, o.LossError, o.Drawdown, o.DrawdownError, o.MedianDrawdown})
		for t := range j.Horizon + 1 {
			fan.rows = append(fan.rows, append([]float64{float64(i + 1), float64(t)}, o.Fan.RawRowView(t)...))
		}
		if i < 10 {
			j.io.Note("portfolio %d: a loss after %d periods with probability %.3f (+- %.3f), a fall by %.0f %% on the way with %.3f (+- %.3f)",
				i+1, j.Horizon, o.Loss, o.LossError, 100*j.Drawdown, o.Drawdown, o.DrawdownError)
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
