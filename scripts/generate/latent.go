package main

import (
	"context"
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
)

// atVolatility is the objective that has a limit of its own.
const atVolatility = "return-at-volatility"

// Latent are the flags of the search in the latent space.
type Latent struct {
	Objective  string    `flag:"objective" choice:"sharpe|return|return-at-volatility|volatility|diversification|sortino|cvar|drawdown|worst" default:"sharpe" help:"what latent climbs, on -prices; losses are made small"`
	Volatility float64   `flag:"volatility" range:"[0,inf)" unit:"per year" help:"limit of return-at-volatility"`
	Starts     int       `flag:"starts" range:"[1,1000000]" unit:"codes" help:"of latent, side by side"`
	Iterations int       `flag:"iterations" range:"[1,100000]" unit:"steps" help:"of latent, at most"`
	Patience   int       `flag:"patience" range:"[0,100000]" unit:"steps" help:"end latent after so many without an improvement of any start; 0 means never"`
	Radius     float64   `flag:"radius" range:"[0,inf)" help:"bound on the length of a code; 0 means the prior's 95 % quantile"`
	Radii      []float64 `flag:"radii" help:"rising bounds that latent searches one after another besides: what each buys, and what it costs in realism, goes to radii.csv; with -from-weights, the distance to the nearest of those portfolios too"`
}

// latentRecord is what latent found, beside what there is to compare it with.
type latentRecord struct {
	Objective    string        `json:"objective"`
	Limit        *float64      `json:"volatility_limit,omitempty"`
	Radius       float64       `json:"radius"`
	Evaluations  int           `json:"evaluations"`
	Stop         generate.Stop `json:"stop"`
	Trace        []float64     `json:"trace"`
	Bound        *float64      `json:"convex_bound"` // null with a reason
	BoundMissing string        `json:"convex_bound_missing,omitempty"`
	Gap          *float64      `json:"gap"` // bound less best value
	Rivals       []rivalRecord `json:"rivals"`
}

// rivalRecord is the best of as many draws as the search made evaluations.
type rivalRecord struct {
	Name  string   `json:"name"`
	Value *float64 `json:"value"` // null: undefined for every draw
}

// climb searches the latent space.
func (j *job) climb(ctx context.Context) (*made, error) {
	objective, bound, missing, err := j.objective(ctx)
	if err != nil {
		return nil, err
	}
	density, err := j.density()
	if err != nil {
		return nil, err
	}
	count := j.count(10)
	settings := generate.OptimizeSettings{
		Starts: max(j.Starts, count), Iterations: j.Iterations, Patience: j.Patience, Radius: j.Radius, Seed: j.Seed,
		Progress: j.io.Progress("latent search"),
	}
	optimum, err := j.generator.Optimize(ctx, objective, density, settings)
	if err != nil {
		return nil, err
	}
	rivals, err := j.generator.Rivals(ctx, objective, optimum.Evaluated, j.Seed, j.io.Progress("the same number of draws"))
	if err != nil {
		return nil, err
	}
	record := &latentRecord{
		Objective: j.Objective, Radius: optimum.Radius, Evaluations: optimum.Evaluated, Stop: optimum.Stop, Trace: finite(optimum.Trace),
		BoundMissing: missing,
	}
	if j.Objective == atVolatility {
		record.Limit = &j.Volatility
	}
	best := optimum.Values[optimum.Best]
	j.io.Note("%s: %.6g by latent search, stopped by %s after %d iterations", j.Objective, best, optimum.Stop, len(optimum.Trace))
	if bound != nil {
		gap := bound.Value - best
		record.Bound, record.Gap = &bound.Value, &gap
		j.io.Note("%s: %.6g by convex optimisation, the bound", j.Objective, bound.Value)
	} else {
		j.io.Note("no bound: %s", missing)
	}
	for _, r := range rivals {
		rival := rivalRecord{Name: r.Name}
		if !math.IsInf(r.Value, 0) {
			rival.Value = &r.Value
		}
		record.Rivals = append(record.Rivals, rival)
		j.io.Note("%s: %.6g, %s, %d draws", j.Objective, r.Value, r.Name, optimum.Evaluated)
	}
	j.record.latentRecord = record
	top, values := optimum.Top(count)
	m := &made{batch: top, values: values}
	if len(j.Radii) > 0 {
		radii, err := j.radii(ctx, objective, density, settings)
		if err != nil {
			return nil, err
		}
		m.tables = map[string]table{"radii.csv": radii}
	}
	return m, nil
}

// radii is what each radius of the search buys and costs.
func (j *job) radii(ctx context.Context, objective metrics.Objective, density generate.Density, settings generate.OptimizeSettings) (table, error) {
	var known *mat.Dense
	t := table{header: []string{"radius", "prior_inside", "value", "length", "prior_beyond", "log_prior", "repair_distance"}}
	if j.given != nil {
		known, t.header = j.given.Weights, append(t.header, "nearest_given")
	}
	points, err := j.generator.SweepRadius(ctx, objective, density, j.Radii, known, settings)
	if err != nil {
		return t, err
	}
	for _, p := range points {
		row := []float64{p.Radius, p.Inside, p.Value, p.Length, p.Beyond, p.LogPrior, p.Repair}
		if p.Nearest != nil {
			row = append(row, *p.Nearest)
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

// objective is what is climbed, and its optimum by other means, or why there is
// none.
func (j *job) objective(ctx context.Context) (metrics.Objective, *optimize.Optimal, string, error) {
	returns := j.window.Returns
	if j.Objective == atVolatility {
		if j.Volatility == 0 {
			return nil, nil, "", cli.Usagef("%s needs its limit: give -volatility", atVolatility)
		}
		objective, bound, err := optimize.ReturnAtVolatility(ctx, returns, j.set, j.Volatility, j.settings)
		return objective, bound, "", err
	}
	objective, err := metrics.NewObjective(j.Objective, returns, j.settings)
	if err != nil {
		return nil, nil, "", err
	}
	bound, err := optimize.Bound(ctx, j.Objective, returns, j.set, j.settings)
	var unsupported *optimize.UnsupportedError
	var noExcess *optimize.NoExcessError
	if errors.As(err, &unsupported) || errors.As(err, &noExcess) {
		return objective, nil, err.Error(), nil
	}
	return objective, bound, "", err
}

// finite drops the values before the objective was first defined.
func finite(trace []float64) []float64 {
	for len(trace) > 0 && math.IsInf(trace[0], 0) {
		trace = trace[1:]
	}
	return trace
}
