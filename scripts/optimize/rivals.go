package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"vaefolio/vaelib/optimize"
)

// rival is what a simple choice of at most MaxAssets assets reaches, beside branch and bound.
type rival struct {
	Name   string   `json:"name"`  // rounding or backward: see simpleChoices
	Value  *float64 `json:"value"` // null: it allows no portfolio
	Reason string   `json:"reason,omitempty"`
}

// simpleChoices choose assets in simple ways and optimise over those. Rounding takes the
// MaxAssets largest weights of the optimum without that limit. Backward elimination begins
// with all assets which that optimum holds, and leaves out one after another, each time the
// one without which the objective is best.
func simpleChoices(ctx context.Context, objective optimize.Objective, in *optimize.Inputs) ([]rival, error) {
	free := *in
	free.MaxAssets = 0
	whole, err := optimize.Solve(ctx, objective, &free)
	if err != nil {
		return nil, err
	}
	r := &reduction{objective: objective, in: &free}
	kept := make([]int, 0, in.Set.N)
	for j, w := range whole.Weights {
		if w != 0 {
			kept = append(kept, j)
		}
	}
	slices.SortStableFunc(kept, func(i, j int) int { return cmp.Compare(whole.Weights[j], whole.Weights[i]) })
	rounding, backward := rival{Name: "rounding"}, rival{Name: "backward", Value: &whole.Value}
	if value, _, err := r.only(ctx, kept[:min(len(kept), in.MaxAssets)]); err != nil {
		rounding.Reason = err.Error()
	} else {
		rounding.Value = &value
	}
	for len(kept) > in.MaxAssets && backward.Value != nil {
		next, most := -1, 0.0
		backward.Value = nil
		for i := range kept {
			value, worth, err := r.only(ctx, slices.Delete(slices.Clone(kept), i, i+1))
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err == nil && (next < 0 || worth > most) {
				next, most, backward.Value = i, worth, &value
			}
		}
		if next < 0 {
			backward.Reason = fmt.Sprintf("none of %d assets can be left out", len(kept))
			break
		}
		kept = slices.Delete(kept, next, next+1)
	}
	return []rival{rounding, backward}, nil
}

// reduction solves for some of the assets.
type reduction struct {
	objective optimize.Objective
	in        *optimize.Inputs
	solver    optimize.Solver
}

// only is the value of the optimum over some assets, and what it is worth: the value, less the
// charge for turnover, as something to be made large.
func (r *reduction) only(ctx context.Context, kept []int) (value, worth float64, err error) {
	some := *r.in
	some.Set.Upper = make([]float64, some.Set.N)
	for _, j := range kept {
		some.Set.Upper[j] = r.in.Set.Upper[j]
	}
	one, err := r.solver.Solve(ctx, r.objective, &some)
	if err != nil {
		return 0, 0, err
	}
	worth = -one.Value
	if r.objective == optimize.MaxSharpe || r.objective == optimize.MaxDiversification ||
		r.objective == optimize.MeanVariance && r.in.TargetReturn == nil {
		worth = one.Value
	}
	return one.Value, worth - one.Charge, nil
}
