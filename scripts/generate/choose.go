package main

import (
	"context"
	"fmt"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
)

// Choice are the flags of the modes that choose among many portfolios.
type Choice struct {
	Candidates int `flag:"candidates" range:"[1,10000000]" only:"mode=robust|diversify|stress" help:"the number of portfolios to draw and choose from; of stress, the number of codes to draw"`
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
// concentration.
func (j *job) diversify(ctx context.Context) (*made, error) {
	batch, err := j.draw(ctx, j.Candidates)
	if err != nil {
		return nil, err
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
	m := &made{batch: batch.Pick(front.Rows)}
	for _, i := range front.Rows {
		m.figures = append(m.figures, figures[i])
	}
	return m, nil
}
