package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/vae"
)

// byRule is the objective of a learnt rule, which package optimize doesn't know: it is
// a model.
const byRule optimize.Objective = "learnt"

// choose returns what a learnt rule chooses, as a result whose value is the sample's
// Sharpe ratio per period.
func (c *config) choose(ctx context.Context, io *cli.IO, w *market.Window, in *optimize.Inputs) (*optimize.Result,
	error) {
	if len(in.Set.Lower) > 0 && slices.Min(in.Set.Lower) < 0 {
		return nil, cli.Usagef("-lower %v: %s makes no short positions", slices.Min(in.Set.Lower), byRule)
	}
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return nil, err
	}
	defer backend.Close()
	rule, err := learnt.Open(backend, c.Rule...)
	if err != nil {
		return nil, err
	}
	r := &optimize.Result{Status: "model", Notes: []string{fmt.Sprintf("a model's choice and no optimum: %s (%.12s), "+
		"which learned on simulated markets, on %s", rule.Name, rule.Hash(), backend.Description())}}
	if r.Weights, err = rule.Choose(ctx, w.Symbols, w.Returns, in.Set); err != nil {
		return nil, err
	}
	sample, err := moments.Estimate(moments.Sample, w.Returns)
	if err != nil {
		return nil, err
	}
	held := mat.NewVecDense(len(r.Weights), r.Weights)
	variance := mat.Inner(held, sample.Cov, held)
	if !(variance > 0) {
		return nil, fmt.Errorf("the weights have no variance in %d periods, so that their Sharpe ratio has no value: "+
			"take a longer window", sample.Periods)
	}
	r.Value = mat.Dot(held, mat.NewVecDense(len(sample.Mean), sample.Mean)) / math.Sqrt(variance)
	return r, nil
}
