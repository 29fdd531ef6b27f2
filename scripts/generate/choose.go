package main

import (
	"context"
	"fmt"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/near"
	"vaefolio/vaelib/stream"
)

// Choice are the flags of the modes that choose among many portfolios.
type Choice struct {
	Candidates int      `flag:"candidates" range:"[1,10000000]" only:"mode=robust|diversify|stress" help:"the number of portfolios to draw and choose from; of stress, the number of codes to draw"`
	Within     *float64 `flag:"within" range:"(0,0.5]" unit:"share" only:"mode=diversify" help:"the share of the largest Sharpe ratio that a portfolio may miss: candidates that miss more are moved towards the optimum, just far enough; without it the choice is on the Pareto front"`
	choose.Settings
	HeldOut float64 `flag:"held-out" range:"(0,0.9]" unit:"share" only:"mode=robust|styles" help:"the last part of the periods, by which portfolios are judged but not chosen"`
}

// split cuts the held-out periods off.
func (j *job) split() (in, out *market.Window, err error) {
	return j.window.Split(1-j.HeldOut, 0)
}

// robust chooses by the worst of the scenarios of the earlier periods, and is
// judged by those of the later ones.
func (j *job) robust(ctx context.Context) (*made, error) {
	in, out, err := j.split()
	if err != nil {
		return nil, err
	}
	known, err := j.Choice.Scenarios(in, j.Seed)
	if err != nil {
		return nil, err
	}
	heldOut, err := j.Choice.Scenarios(out, j.Seed+1)
	if err != nil {
		return nil, fmt.Errorf("held-out periods: %w", err)
	}
	batch, err := j.draw(ctx, j.Candidates)
	if err != nil {
		return nil, err
	}
	chosen, err := choose.Robust(ctx, batch.Weights, j.set, known, heldOut)
	if err != nil {
		return nil, err
	}
	for _, v := range chosen.Judgements {
		j.io.Note("%s: worst return %.4f (%s); held out: worst %.4f, worst twentieth %.4f, mean %.4f",
			v.Name, v.Worst, v.WorstScenario, v.HeldOutWorst, v.HeldOutTail, v.HeldOutMean)
	}
	j.record.Robust = chosen
	rows := chosen.Ranking[:min(j.count(10), len(chosen.Ranking))]
	m := &made{batch: batch.Pick(rows)}
	for _, i := range rows {
		m.values = append(m.values, chosen.Worst[i])
	}
	return m, nil
}

// diversify chooses a varied part of the Pareto front of return, risk and
// concentration, or of the portfolios near the largest Sharpe ratio.
func (j *job) diversify(ctx context.Context) (*made, error) {
	if j.Within != nil && j.set.MinWeight > 0 {
		return nil, cli.Usagef("-within goes with no minimum weight, which is %v: leave it out, or say -min-weight 0",
			j.set.MinWeight)
	}
	batch, err := j.draw(ctx, j.Candidates)
	if err != nil {
		return nil, err
	}
	if j.Within != nil {
		return j.near(ctx, batch)
	}
	evaluator, err := metrics.NewEvaluator(j.window.Returns, j.settings)
	if err != nil {
		return nil, err
	}
	figures, err := evaluator.Figures(ctx, batch.Weights)
	if err != nil {
		return nil, err
	}
	front, err := choose.VariedFront(ctx, batch.Weights, figures, choose.DefaultGoals(), j.count(10))
	if err != nil {
		return nil, err
	}
	j.record.Diversify = front
	j.io.Note("%d of %d candidates are on the Pareto front; the chosen are at least %.3f apart", front.Size,
		front.Candidates, front.Least)
	if asked := j.count(10); len(front.Rows) < asked {
		j.io.Note("%d portfolios, not %d: the front has no more; raise -candidates", len(front.Rows), asked)
	}
	m := &made{batch: batch.Pick(front.Rows)}
	for _, i := range front.Rows {
		m.figures = append(m.figures, figures[i])
	}
	return m, nil
}

// near chooses among candidates that are moved near the largest Sharpe ratio.
func (j *job) near(ctx context.Context, batch *generate.Batch) (*made, error) {
	settings := near.Settings{Within: *j.Within, Count: j.count(10), Rng: stream.New(j.Seed, "generate.near", 0)}
	if j.present != nil {
		settings.Away = j.present.Turnover
	}
	chosen, err := near.Choose(ctx, batch.Weights, j.window.Returns, j.set, j.settings, settings)
	if err != nil {
		return nil, err
	}
	j.record.Near = chosen
	j.io.Note("largest Sharpe ratio: %.6g; %d of %d candidates are within %.3g %% of it as they come, the others are "+
		"moved; the chosen are at least %.4f apart, and as many out of corners of the constraints %.4f", chosen.Best,
		chosen.Inside, chosen.Candidates, 100**j.Within, chosen.Least, chosen.Rival)
	batch.Weights, batch.Moved = chosen.Weights, chosen.Moved
	m := &made{batch: batch.Pick(chosen.Rows)}
	evaluator, err := metrics.NewEvaluator(j.window.Returns, j.settings)
	if err != nil {
		return nil, err
	}
	m.figures, err = evaluator.Figures(ctx, m.batch.Weights)
	return m, err
}
