package main

import (
	"context"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/run"
)

// outcomes simulates the wealth of the portfolios given, or of drawn ones, over
// the horizon.
func (j *job) outcomes(ctx context.Context) (*made, error) {
	batch, err := j.held(ctx)
	if err != nil {
		return nil, err
	}
	settings := j.Outcomes
	settings.Horizon, settings.Seed, settings.Progress = j.Horizon, j.Seed, j.io.Progress("outcomes")
	p, err := choose.NewProspect(ctx, batch.Weights, j.window.Returns, settings)
	if err != nil {
		return nil, err
	}
	if p.Block != nil {
		j.io.Note("stationary bootstrap in blocks of %.1f periods on average", *p.Block)
	} else {
		j.io.Note("regimes that last %.1f periods on average, the calmest first", p.Stays)
	}
	for i, o := range p.Outlooks[:min(10, len(p.Outlooks))] {
		j.io.Note("portfolio %d: a loss after %d periods with probability %.3f (+- %.3f), a fall by %.0f %% on "+
			"the way with %.3f (+- %.3f)", i+1, p.Horizon, o.Loss, o.LossError, 100*p.Fall, o.Drawdown, o.DrawdownError)
	}
	j.record.Outcomes = p
	return &made{batch: batch, tables: map[string]*run.Table{fanFile: p.Fan()}}, nil
}

// held is the portfolios given, each the nearest member of the set to it, or
// drawn ones.
func (j *job) held(ctx context.Context) (*generate.Batch, error) {
	if j.given == nil {
		return j.draw(ctx, j.count(10))
	}
	return j.generator.Project(ctx, j.given.Weights)
}
