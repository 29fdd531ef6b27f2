package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/trained"
)

// checkTested recomputes the summary from the files of returns and of weights.
func (f *folder) checkTested(ctx context.Context) error {
	const file = "summary.json"
	s, err := f.object(file)
	if err != nil {
		return err
	}
	b, err := f.tested()
	if err != nil {
		return err
	}
	f.checkTest(s, b)
	rows, _ := s["strategies"].([]any)
	if !f.equal(file, "number of strategies", len(rows), len(b.config.Strategies)) {
		return nil
	}
	if b.config.Convention != "default" {
		f.add(file, "figures", unchecked, nil, "only those of the default convention are recomputed here")
		return nil
	}
	names, trials, err := f.series(b, "trials.csv")
	if err != nil {
		return err
	}
	var ratios []float64
	for _, name := range names {
		if sigma := deviation(trials[name]); sigma > 0 {
			ratios = append(ratios, (sum(trials[name])/float64(len(trials[name]))-b.config.RiskFree/b.perYear)/sigma)
		}
	}
	f.equal(file, "trials", s["trials"], len(ratios))
	var paths map[string][]float64
	if b.config.Groups > 0 {
		if _, paths, err = f.series(b, "paths.csv"); err != nil {
			return err
		}
	}
	for k, row := range rows {
		row, _ := row.(map[string]any)
		if err := f.checkStrategy(ctx, row, b, b.config.Strategies[k], ratios, trials, paths); err != nil {
			return err
		}
	}
	if err := f.checkIntervals(ctx, s, rows, b, trials); err != nil {
		return err
	}
	return f.checkAgainst(ctx, s, rows, b, trials)
}

// checkTest compares what the summary says of the test as a whole with its settings.
func (f *folder) checkTest(s map[string]any, b *tested) {
	c, train := b.config, b.config.Train
	if c.Groups > 0 {
		train = 0
	}
	const form = time.RFC3339
	times := b.data.Window.Times
	listings := "shared"
	if b.data.Listings != nil {
		listings = "as-it-was"
	}
	want := map[string]any{
		"train": train, "test": c.Test, "embargo": c.Embargo, "windows": len(b.trades),
		"unused_periods": len(times) - b.to, "cost_bps": c.CostBps, "constant_weights": c.ConstantWeights,
		"tested": map[string]any{"from": times[b.from].UTC().Format(form), "to": times[b.to-1].UTC().Format(form),
			"periods": b.to - b.from},
		"periods_per_year": b.perYear, "synthetic": b.data.Synthetic, "funding": c.Funding != "",
		"listings": listings, "seed": c.Seed,
	}
	if c.Groups > 0 {
		want["groups"], want["held_out"] = c.Groups, c.HeldOut
	}
	if c.NeedsSet() {
		network, _ := trained.ReadSet(c.Model) // of one that can't be read the hash differs
		want["model_over_sets"] = sha(network)
	}
	if c.NeedsRule() {
		want["learnt_rule"], _ = learnt.Hash(c.Rule...)
	}
	for name, value := range want {
		f.equal("summary.json", name, s[name], value)
	}
	known := []string{"trials", "strategies", "notes", "resamples", "block"}
	if b.beside != nil {
		known = append(known, "benchmark")
	}
	for name := range s {
		if _, ok := want[name]; !ok && !slices.Contains(known, name) {
			f.add("summary.json", name, differs, s[name], nil)
		}
	}
}

// checkStrategy recomputes one strategy's figures.
func (f *folder) checkStrategy(ctx context.Context, row map[string]any, b *tested, name string, ratios []float64,
	trials, paths map[string][]float64) error {
	const file = "summary.json"
	c, r := b.config, trials[name]
	near := func(figure string, want float64) { f.near(file, figure+" of "+name, row[figure], want, f.tolerance) }
	f.equal(file, "name of "+name, row["name"], name)
	own := f.ofSeries(r, b)
	for _, figure := range figureNames {
		if figure == "diversification_ratio" || figure == "effective_assets" {
			continue // of weights
		}
		near(figure, own(figure))
	}
	undefined := 0
	for _, figure := range figureNames {
		if math.IsNaN(own(figure)) && figure != "diversification_ratio" && figure != "effective_assets" {
			undefined++
		}
	}
	notes, list := row["notes"].([]any)
	f.equal(file, "notes of "+name, (list || row["notes"] == nil) && len(notes) == undefined, true)
	dsr := math.NaN()
	if _, known := row["psr"].(float64); known && len(ratios) > 1 {
		luck := deviation(ratios) * expectedLargest(float64(len(ratios)))
		dsr = probabilisticSharpe(r, sum(r)/float64(len(r))-c.RiskFree/b.perYear, luck)
	}
	near("dsr", dsr)
	all, err := f.earnings()
	if err != nil {
		return err
	}
	traded, wealth := all[name].traded, 1.0
	for _, x := range r {
		wealth *= 1 + x
	}
	near("final_wealth", wealth)
	near("cost", sum(traded)*c.CostBps/1e4)
	near("turnover", sum(traded[1:])/max(1, float64(len(traded)-1)))
	if err := f.checkHeld(ctx, row, b, all[name], name); err != nil {
		return err
	}
	for field, part := range map[string]struct {
		kind string
		all  map[string][]float64
	}{"sharpe_of_models": {" model ", trials}, "sharpe_of_paths": {" path ", paths}} {
		stored, _ := row[field].([]any)
		want := 0
		for ; part.all[fmt.Sprint(name, part.kind, want+1)] != nil; want++ {
			if want < len(stored) {
				f.near(file, fmt.Sprint(field, " of ", name), stored[want],
					f.ofSeries(part.all[fmt.Sprint(name, part.kind, want+1)], b)("sharpe"), f.tolerance)
			}
		}
		f.equal(file, "number of "+field+" of "+name, len(stored), want)
	}
	return nil
}

// checkHeld counts the rebalances without an answer: of what always has one there are
// none, and the largest Sharpe ratio has none where no mean is above the risk-free rate.
// Others can't have more than those at which nothing was traded.
func (f *folder) checkHeld(ctx context.Context, row map[string]any, b *tested, e earned, name string) error {
	const file = "summary.json"
	item, c := "rebalances_without_answer of "+name, b.config
	stored, _ := row["rebalances_without_answer"].(float64)
	simple := c.Groups == 0 && b.data.Listings == nil
	switch {
	case simple && name == string(optimize.MaxSharpe) && c.MinWeight == 0:
		r, err := regionOf(&c.Constraints, b.data.Window.Symbols)
		if err != nil {
			return err
		}
		held, rows := 0, returns(b.data.Window)
		for _, at := range b.trades {
			most, err := r.most(ctx, columnMeans(rows[at-c.Train:at-c.Embargo]))
			if err != nil {
				return err
			}
			if most <= c.RiskFree/b.perYear {
				held++
			}
		}
		f.equal(file, item, stored, held)
		return nil
	case simple && name != string(optimize.MaxSharpe) &&
		slices.Contains(optimize.Objectives(), optimize.Objective(name)):
		f.equal(file, item, stored, 0)
		return nil
	}
	still := 0
	if slices.Max(e.first)-slices.Min(e.first) < 1e-12 || b.data.Listings != nil {
		still++ // equal weights may be for want of an answer
	}
	for _, x := range e.traded[1:] {
		if x <= 1e-12 {
			still++
		}
	}
	f.equal(file, item, stored >= 0 && stored == math.Trunc(stored) && (c.Groups > 0 || stored <= float64(still)), true)
	return nil
}

// ofSeries returns figures of returns by their names, NaN where one is undefined.
func (f *folder) ofSeries(r []float64, b *tested) func(figure string) float64 {
	var rows [][]float64
	for _, x := range r {
		rows = append(rows, []float64{x})
	}
	all := figures(rows, []float64{1}, b.perYear, b.config.RiskFree, b.config.MAR)
	return func(figure string) float64 {
		if x, known := all[figure]; known {
			return x
		}
		return math.NaN()
	}
}

// expectedLargest approximates the largest of n standard normal numbers (Bailey and
// López de Prado 2014).
func expectedLargest(n float64) float64 {
	const euler = 0.5772156649015329
	quantile := func(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
	return (1-euler)*quantile(1-1/n) + euler*quantile(1-1/(n*math.E))
}

// checkIntervals draws the resamples of the Sharpe ratios again.
func (f *folder) checkIntervals(ctx context.Context, s map[string]any, rows []any, b *tested,
	trials map[string][]float64) error {
	const file = "summary.json"
	draws, err := f.drawn(ctx, b, trials)
	if err != nil {
		return err
	}
	resamples, _ := draws.Values.Dims()
	f.equal(file, "resamples", s["resamples"], resamples)
	f.near(file, "block", s["block"], draws.MeanBlock, 1e-9)
	for k, name := range b.config.Strategies {
		row, _ := rows[k].(map[string]any)
		low, high := math.NaN(), math.NaN()
		if !isRounding(trials[name]) {
			low, high, _ = inference.Percentiles(mat.Col(nil, k, draws.Values), 0.95)
		}
		f.near(file, "sharpe_low of "+name, row["sharpe_low"], low, 1e-9)
		f.near(file, "sharpe_high of "+name, row["sharpe_high"], high, 1e-9)
	}
	return nil
}
