package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
)

// tangencyID is what the portfolio of the largest Sharpe ratio is called in the table.
const tangencyID = "tangency"

// frontierAnswer is the json of -frontier.
type frontierAnswer struct {
	Objective      optimize.Objective `json:"objective"`
	Frontier       []frontierPoint    `json:"frontier"`
	Tangency       *frontierPoint     `json:"tangency"` // of the largest Sharpe ratio; null with a note
	Covariance     string             `json:"covariance"`
	Shrinkage      float64            `json:"shrinkage"`
	Means          string             `json:"means"`
	Beliefs        *beliefs           `json:"black_litterman,omitempty"`
	Periods        int                `json:"periods"`
	PeriodsPerYear float64            `json:"periods_per_year"`
	RiskFree       float64            `json:"rf"` // per year
	Notes          []string           `json:"notes"`
}

// frontierPoint is a portfolio of the frontier. Its figures are those of the means and the
// covariance that the frontier is made from.
type frontierPoint struct {
	ID              string        `json:"id"`
	Weights         number.Values `json:"weights"`
	AnnualReturn    float64       `json:"annual_return"`
	Volatility      float64       `json:"volatility"` // per year
	Sharpe          *float64      `json:"sharpe"`     // per year; null without volatility
	EffectiveAssets float64       `json:"effective_assets"`
	LargestWeight   float64       `json:"largest_weight"`
	Mean            float64       `json:"mean"`     // per period, as -target-return has it
	Variance        float64       `json:"variance"` // per period
	// Gap bounds by how much less the variance of a portfolio with at least this mean can be.
	Gap       float64  `json:"gap"`
	Status    string   `json:"status"`
	Violation float64  `json:"violation"`
	Turnover  *float64 `json:"turnover,omitempty"` // from -holdings
}

// curve is the frontier that there is to print.
type curve struct {
	c        *config
	prices   *cli.Data
	in       *optimize.Inputs
	held     *portfolio.Held // nil without -holdings
	estimate *moments.Moments
	beliefs  *beliefs // nil without -means black-litterman
	perYear  float64

	points   []frontierPoint
	tangency *frontierPoint
	notes    []string
}

// frontier computes the frontier and prints it.
func (c *config) frontier(ctx context.Context, io *cli.IO, prices *cli.Data, in *optimize.Inputs,
	estimate *moments.Moments, held *portfolio.Held, beliefs *beliefs) error {
	f := &curve{c: c, prices: prices, in: in, held: held, estimate: estimate, beliefs: beliefs,
		perYear: cmp.Or(c.PeriodsPerYear, prices.Window.PeriodsPerYear())}
	results, err := new(optimize.Solver).Frontier(ctx, in, *c.Frontier, report(io))
	if err != nil {
		return err
	}
	digits := len(fmt.Sprint(*c.Frontier))
	stopped := 0
	for i := range results {
		r := &results[i]
		f.points = append(f.points, f.point(fmt.Sprintf("f%0*d", digits, i+1), r, r.Value, r.Gap))
		if r.Status != "optimal" {
			stopped++
		}
	}
	if len(results) == 1 {
		f.notes = append(f.notes, "the portfolio of the least variance has the largest mean: the frontier is that one")
	}
	if stopped > 0 {
		f.notes = append(f.notes, fmt.Sprintf("of %d portfolios the search for the least variance stopped at its "+
			"limit: gap says how much less it can be", stopped))
	}
	if err := f.touch(ctx); err != nil {
		return err
	}
	return f.write(io)
}

// report tells of a frontier that takes its time.
func report(io *cli.IO) func(done, total int) {
	tell := io.Progress("frontier")
	return func(done, total int) { tell(done, total, "") }
}

// touch finds the portfolio where the line from the risk-free rate touches the frontier.
func (f *curve) touch(ctx context.Context) error {
	r, err := optimize.Solve(ctx, optimize.MaxSharpe, f.in)
	none := new(optimize.NoExcessError)
	switch {
	case errors.As(err, &none):
		f.notes = append(f.notes, fmt.Sprintf("no tangency: the largest mean, %.6g a year, doesn't exceed the "+
			"risk-free rate", none.Best*f.perYear))
		return nil
	case errors.Is(err, optimize.ErrNoVariance):
		f.notes = append(f.notes, "no tangency: "+err.Error())
		return nil
	case err != nil:
		return err
	}
	w := mat.NewVecDense(len(r.Weights), r.Weights)
	variance := mat.Inner(w, f.in.Cov, w)
	// By how much less the variance can be at this mean where the ratio can be larger by its gap.
	gap := variance * (1 - math.Pow(r.Value/(r.Value+r.Gap), 2))
	at := f.point(tangencyID, r, variance, gap)
	f.tangency = &at
	return nil
}

// point is what is told of a portfolio.
func (f *curve) point(id string, r *optimize.Result, variance, gap float64) frontierPoint {
	w := r.Weights
	mean := floats.Dot(f.in.Mean, w)
	at := frontierPoint{
		ID: id, Weights: number.Values{Names: f.prices.Window.Symbols, Numbers: w},
		AnnualReturn: mean * f.perYear, Volatility: math.Sqrt(variance * f.perYear),
		EffectiveAssets: 1 / floats.Dot(w, w), LargestWeight: floats.Max(w),
		Mean: mean, Variance: variance, Gap: gap, Status: r.Status, Violation: f.in.Set.Violation(w),
	}
	if variance > 0 {
		sharpe := (at.AnnualReturn - f.c.RiskFree) / at.Volatility
		at.Sharpe = &sharpe
	}
	if f.held != nil {
		turnover := f.held.Turnover(w)
		at.Turnover = &turnover
	}
	return at
}

// write prints json with everything, csv or parquet as a file of weights that other verbs
// read, or a table of figures.
func (f *curve) write(io *cli.IO) error {
	window := f.prices.Window
	if window.Funded {
		f.notes = append(f.notes, funded)
	}
	if flat := f.estimate.Warning(f.in.Returns, window.Symbols, window.Times); flat != "" {
		f.notes = append(f.notes, flat)
	}
	if f.prices.Synthetic {
		f.notes = append(f.notes, synthetic)
	}
	var err error
	switch f.c.Format.Format {
	case "json":
		return io.JSON(f.answer())
	case "csv", "parquet":
		p := &portfolio.Portfolios{Symbols: window.Symbols, Weights: mat.NewDense(len(f.points), f.in.Set.N, nil)}
		for i, at := range f.points {
			p.IDs = append(p.IDs, at.ID)
			p.Weights.SetRow(i, at.Weights.Numbers)
		}
		err = f.c.writeWeights(io, p)
	default:
		err = f.table(io)
	}
	if err != nil {
		return err
	}
	last := f.points[len(f.points)-1]
	io.Note("frontier: %d portfolios, from an annual return of %.6g and a volatility of %.6g to %.6g and %.6g",
		len(f.points), f.points[0].AnnualReturn, f.points[0].Volatility, last.AnnualReturn, last.Volatility)
	if t := f.tangency; t != nil {
		io.Note("tangency: the largest Sharpe ratio, %.6g a year, is at an annual return of %.6g and a volatility of "+
			"%.6g; -objective max-sharpe gives it", *t.Sharpe, t.AnnualReturn, t.Volatility)
	}
	if len(f.notes) > 0 {
		io.Note("%s", strings.Join(f.notes, "\n"))
	}
	return nil
}

func (f *curve) answer() frontierAnswer {
	periods, _ := f.prices.Window.Returns.Dims()
	return frontierAnswer{
		Objective: f.c.Objective, Frontier: f.points, Tangency: f.tangency, Covariance: f.c.Covariance,
		Shrinkage: f.estimate.Shrinkage, Means: f.c.Means, Beliefs: f.beliefs, Periods: periods,
		PeriodsPerYear: f.perYear, RiskFree: f.c.RiskFree,
		Notes: slices.Concat([]string{}, f.notes, f.prices.Notes, f.c.Annual.Told(f.prices.Window)),
	}
}

// table has a row a portfolio, and the tangency at its place among them.
func (f *curve) table(io *cli.IO) error {
	columns := []cli.Column{{Name: "portfolio"}, {Name: "annual_return"}, {Name: "volatility"}, {Name: "sharpe"},
		{Name: "effective_assets"}, {Name: "largest_weight"}}
	if f.held != nil {
		columns = append(columns, cli.Column{Name: "turnover"})
	}
	rows := f.points
	if f.tangency != nil {
		at := slices.IndexFunc(rows, func(p frontierPoint) bool { return p.Mean > f.tangency.Mean })
		if at < 0 {
			at = len(rows)
		}
		rows = slices.Insert(slices.Clone(rows), at, *f.tangency)
	}
	table := io.Table("table", columns...)
	for _, p := range rows {
		row := []any{p.ID, p.AnnualReturn, p.Volatility, nil, p.EffectiveAssets, p.LargestWeight}
		if p.Sharpe != nil {
			row[3] = *p.Sharpe
		}
		if f.held != nil {
			row = append(row, *p.Turnover)
		}
		if err := table.Row(row...); err != nil {
			return err
		}
	}
	return table.Close()
}
