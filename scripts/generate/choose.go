package main

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
)

// Choice are the flags of the modes that choose among many portfolios.
type Choice struct {
	Candidates int       `flag:"candidates" range:"[1,10000000]" unit:"portfolios" help:"drawn, of which robust and diversify choose, and codes that stress sweeps without a grid"`
	Horizon    int       `flag:"horizon" range:"[1,100000]" unit:"periods" help:"of a scenario of robust and stress, and of the paths of outcomes"`
	Scenarios  int       `flag:"scenarios" range:"[1,1000000]" unit:"paths" help:"bootstrapped for robust, in sample and as many held out"`
	Crises     int       `flag:"crises" range:"[1,1000]" unit:"windows" help:"the worst of the data, of the horizon's length, for robust and stress"`
	Shocks     []float64 `flag:"shocks" unit:"deviations" help:"sizes of the parametric shocks of robust and stress"`
	HeldOut    float64   `flag:"held-out" range:"(0,0.9]" unit:"share" help:"of the periods, the last ones, by which robust and styles are judged"`
}

// robustRecord is a max-min choice and its judgement.
type robustRecord struct {
	Scenarios  int               `json:"scenarios"`
	HeldOut    int               `json:"scenarios_held_out"`
	Horizon    int               `json:"horizon"`
	Bound      float64           `json:"linear_programme_bound"`
	Judgements []judgementRecord `json:"judgements"`
}

// judgementRecord: returns over the horizon.
type judgementRecord struct {
	Name          string  `json:"name"`
	Worst         float64 `json:"worst"`
	WorstScenario string  `json:"worst_scenario"`
	HeldOutWorst  float64 `json:"held_out_worst"`
	HeldOutTail   float64 `json:"held_out_tail"`
	HeldOutMean   float64 `json:"held_out_mean"`
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
	known, err := j.scenarios(in, j.Seed)
	if err != nil {
		return nil, err
	}
	heldOut, err := j.scenarios(out, j.Seed+1)
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
	record := &robustRecord{Scenarios: len(known.Names), HeldOut: len(heldOut.Names), Horizon: j.Horizon, Bound: chosen.Bound}
	for _, v := range chosen.Judgements {
		record.Judgements = append(record.Judgements, judgementRecord{v.Name, v.Worst, v.WorstScenario, v.HeldOutWorst, v.HeldOutTail, v.HeldOutMean})
		j.io.Note("%s: worst return %.4f (%s); held out: worst %.4f, worst twentieth %.4f, mean %.4f", v.Name, v.Worst, v.WorstScenario, v.HeldOutWorst, v.HeldOutTail, v.HeldOutMean)
	}
	j.record.Robust = record
	rows := chosen.Ranking[:min(j.count(10), len(chosen.Ranking))]
	m := &made{batch: batch.Pick(rows)}
	for _, i := range rows {
		m.values = append(m.values, chosen.Worst[i])
	}
	return m, nil
}

// scenarios are bootstrapped paths, the worst windows and parametric shocks of a
// window of returns.
func (j *job) scenarios(w *market.Window, seed uint64) (*choose.Scenarios, error) {
	mean := make([]float64, 0, len(w.Times))
	periods, n := w.Returns.Dims()
	for t := range periods {
		mean = append(mean, mat.Sum(w.Returns.RowView(t))/float64(n))
	}
	paths, err := choose.BootstrapScenarios(w.Returns, j.Scenarios, j.Horizon, inference.BlockLength(mean), seed)
	if err != nil {
		return nil, err
	}
	extremes, err := j.extremes(w)
	if err != nil {
		return nil, err
	}
	return paths.Join(extremes)
}

// extremes are the worst windows and the shocks.
func (j *job) extremes(w *market.Window) (*choose.Scenarios, error) {
	crises, err := choose.WorstWindows(w.Returns, j.Crises, j.Horizon)
	if err != nil {
		return nil, err
	}
	worst, err := choose.CrisisScenarios(w.Returns, crises)
	if err != nil {
		return nil, err
	}
	for i, c := range crises {
		worst.Names[i] = fmt.Sprintf("%s to %s", w.Times[c.From].Format("2006-01-02"), w.Times[c.To-1].Format("2006-01-02"))
	}
	shocks, err := choose.ShockScenarios(w.Returns, j.Horizon, j.Shocks...)
	if err != nil {
		return nil, err
	}
	return worst.Join(shocks)
}

// diversifyRecord is what the varied portfolios were chosen from.
type diversifyRecord struct {
	Candidates int     `json:"candidates"`
	Front      int     `json:"pareto_front"`
	Least      float64 `json:"least_distance"` // between two of the chosen; 0 for one
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
	figures := make([]metrics.Figures, j.Candidates)
	if err := evaluator.EvaluateAll(ctx, batch.Weights, figures); err != nil {
		return nil, err
	}
	front, err := choose.Pareto(figures, choose.DefaultGoals())
	if err != nil {
		return nil, err
	}
	if len(front) == 0 {
		return nil, fmt.Errorf("no candidate has a defined return, risk and concentration: do the prices move at all?")
	}
	rows, least, err := choose.Varied(ctx, batch.Weights, front, j.count(10))
	if err != nil {
		return nil, err
	}
	record := &diversifyRecord{Candidates: j.Candidates, Front: len(front)}
	if len(rows) > 1 {
		record.Least = least
	}
	j.record.Diversify = record
	j.io.Note("%d of %d candidates are on the Pareto front; the chosen are at least %.3f apart", len(front), j.Candidates, record.Least)
	m := &made{batch: batch.Pick(rows)}
	for _, i := range rows {
		m.figures = append(m.figures, figures[i])
	}
	return m, nil
}
