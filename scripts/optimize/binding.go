package main

import (
	"context"
	"slices"

	"gonum.org/v1/gonum/floats"

	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// binding is a constraint that holds with equality at the optimum.
type binding struct {
	Constraint string   `json:"constraint"`        // as its flag has it
	Symbols    []string `json:"symbols,omitempty"` // of the assets at it
	// Without is what the objective's value would be without the constraint; nil with a reason.
	Without *float64 `json:"value_without"`
	Reason  string   `json:"reason,omitempty"`
}

// atLimit is how near to its limit a weight or a sum counts as at it.
const atLimit = 1e-9

// limits lists the constraints that bind at w, each with the set that lacks it: an asset
// without its own limit has those of all assets.
func (c *config) limits(set *simplex.Set, w []float64) (all []binding, without []simplex.Set) {
	add := func(name string, symbols []string, drop func(s *simplex.Set)) {
		rest := *set
		drop(&rest)
		all, without = append(all, binding{Constraint: name, Symbols: symbols}), append(without, rest)
	}
	at := func(binds func(j int) bool) (symbols []string) {
		for j, symbol := range set.Symbols {
			if binds(j) {
				symbols = append(symbols, symbol)
			}
		}
		return symbols
	}
	most, free, short := 1.0, 0.0, isShort(set)
	if short {
		most = simplex.MaxBound // 1 is a limit too
	}
	if c.Lower < 0 {
		free = -simplex.MaxBound // as far as -lower goes
	}
	atUpper := func(j int) bool { return set.Upper[j] < most && w[j] >= set.Upper[j]-atLimit }
	atLower := func(j int) bool { return (set.Lower[j] != 0 || c.Lower != 0) && w[j] <= set.Lower[j]+atLimit }
	if capped := at(func(j int) bool { return atUpper(j) && set.Upper[j] == c.MaxWeight }); capped != nil {
		add("max-weight", capped, func(s *simplex.Set) { s.Upper = replaced(set.Upper, c.MaxWeight, most) })
	}
	if floored := at(func(j int) bool { return atLower(j) && set.Lower[j] == c.Lower }); floored != nil {
		add("lower", floored, func(s *simplex.Set) { s.Lower = replaced(set.Lower, c.Lower, free) })
	}
	for j, symbol := range set.Symbols {
		if atUpper(j) && set.Upper[j] != c.MaxWeight || atLower(j) && set.Lower[j] != c.Lower {
			add("limit "+symbol, []string{symbol}, func(s *simplex.Set) {
				s.Lower, s.Upper = slices.Clone(set.Lower), slices.Clone(set.Upper)
				s.Lower[j], s.Upper[j] = c.Lower, c.MaxWeight
			})
		}
	}
	if least := at(func(j int) bool {
		return set.MinWeight > 0 && (w[j] == 0 || w[j] <= set.MinWeight+atLimit)
	}); least != nil {
		add("min-weight", least, func(s *simplex.Set) { s.MinWeight = 0 })
	}
	for k, g := range set.Groups {
		if sum := floats.Dot(g.Share, w); sum >= g.Hi-atLimit || sum <= g.Lo+atLimit && (g.Lo > 0 || short) {
			add("sector-cap "+g.Name, nil, func(s *simplex.Set) {
				s.Groups = slices.Concat(set.Groups[:k], set.Groups[k+1:])
			})
		}
	}
	if t := set.Turnover; t != nil && t.Of(w) >= t.Most-atLimit {
		name := "max-turnover"
		if c.Gross != nil {
			name = "max-gross"
		}
		add(name, nil, func(s *simplex.Set) { s.Turnover = nil })
	}
	return all, without
}

// isShort says whether weights may be below 0.
func isShort(set *simplex.Set) bool {
	return slices.ContainsFunc(set.Lower, func(x float64) bool { return x < 0 })
}

// replaced is a copy of bounds with another number where they are the usual one.
func replaced(bounds []float64, usual, by float64) []float64 {
	bounds = slices.Clone(bounds)
	for j, x := range bounds {
		if x == usual {
			bounds[j] = by
		}
	}
	return bounds
}

// bindings are the constraints that bind at a result, and what each costs.
func (c *config) bindings(ctx context.Context, in *optimize.Inputs, w []float64) ([]binding, error) {
	all, without := c.limits(&in.Set, w)
	if in.MaxAssets > 0 && in.MaxAssets < in.Set.N && positions(w) == in.MaxAssets {
		all, without = append(all, binding{Constraint: "max-assets"}), append(without, in.Set)
	}
	for i := range all {
		free := *in
		if free.Set = without[i]; all[i].Constraint == "max-assets" {
			free.MaxAssets = 0
		}
		r, err := optimize.Solve(ctx, c.Objective, &free)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			all[i].Reason = err.Error()
		default:
			all[i].Without = &r.Value
		}
	}
	return all, nil
}
