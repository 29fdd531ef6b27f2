package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
)

// Stress are the flags of the sweep under stresses.
type Stress struct {
	Sweep string `flag:"sweep" choice:"grid|halton" default:"grid" help:"of stress: a square of the plane in which the codes vary most, or codes that fill N(0, I) evenly"`
	Side  int    `flag:"side" range:"[2,2000]" unit:"codes" help:"of the grid's square"`

	Turnover string  `flag:"turnover" unit:"FILE" help:"of stress, with -capital: a wide CSV of the value traded in each period; adds the loss of selling everything within one period of median turnover"`
	Capital  float64 `flag:"capital" range:"[0,inf)" unit:"currency" help:"what stress has to sell, in the turnover's currency"`
}

// stressRecord is what one stress does.
type stressRecord struct {
	Name    string         `json:"name"`
	Mean    float64        `json:"mean_loss"`
	Worst   float64        `json:"worst_loss"`
	Drivers []driverRecord `json:"drivers"` // of the worst loss, at most five
	Typical []driverRecord `json:"typical"` // of the mean loss, at most five
}

type driverRecord struct {
	Symbol string  `json:"symbol"`
	Loss   float64 `json:"loss"`
}

// deviations is the fall, in standard deviations, of the stresses of volatility
// and correlation.
const deviations = 3

// stress sweeps the latent space and returns the portfolios that lose most in
// any stress.
func (j *job) stress(ctx context.Context) (*made, error) {
	codes, places, err := j.sweep(ctx)
	if err != nil {
		return nil, err
	}
	batch, err := j.generator.Decode(ctx, codes)
	if err != nil {
		return nil, err
	}
	stresses, err := j.stresses()
	if err != nil {
		return nil, err
	}
	results, err := choose.RunStresses(ctx, batch.Weights, stresses, j.io.Progress("stresses"))
	if err != nil {
		return nil, err
	}
	rows, _ := codes.Dims()
	largest, order := make([]float64, rows), make([]int, rows)
	for i := range rows {
		order[i], largest[i] = i, math.Inf(-1)
		for _, r := range results {
			largest[i] = max(largest[i], r.Losses[i])
			places.rows[i] = append(places.rows[i], r.Losses[i])
		}
	}
	for _, r := range results {
		places.header = append(places.header, r.Name)
		record := stressRecord{Name: r.Name, Mean: r.Mean, Worst: r.Losses[r.Worst], Drivers: j.drivers(r.Drivers), Typical: j.drivers(r.Typical)}
		j.record.Stresses = append(j.record.Stresses, record)
		j.io.Note("%s: mean loss %.4f, worst %.4f", record.Name, record.Mean, record.Worst)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(largest[b], largest[a]) })
	order = order[:min(j.count(10), rows)]
	m := &made{batch: batch.Pick(order), tables: map[string]table{"losses.csv": places}}
	for _, i := range order {
		m.values = append(m.values, -largest[i])
	}
	return m, nil
}

// sweep returns the codes, and a table with where each of them lies.
func (j *job) sweep(ctx context.Context) (*mat.Dense, table, error) {
	if j.Sweep == "halton" {
		codes, err := generate.Halton(j.Candidates, j.generator.Latent(), j.Seed)
		if err != nil {
			return nil, table{}, err
		}
		places := table{header: []string{"code"}}
		for i := range j.Candidates {
			places.rows = append(places.rows, []float64{float64(i + 1)})
		}
		return codes, places, nil
	}
	known, err := j.draw(ctx, j.Candidates)
	if err != nil {
		return nil, table{}, err
	}
	plane, err := generate.PrincipalPlane(known.Codes)
	if err != nil {
		return nil, table{}, err
	}
	codes, ticks, err := plane.Grid(j.Side, generate.Radius95(2))
	if err != nil {
		return nil, table{}, err
	}
	places := table{header: []string{"x", "y"}}
	for _, y := range ticks {
		for _, x := range ticks {
			places.rows = append(places.rows, []float64{x, y})
		}
	}
	return codes, places, nil
}

// stresses are the worst windows and shocks, volatilities doubled, correlations
// of one, each asset at zero, and liquidation where turnovers are given.
func (j *job) stresses() ([]choose.Stress, error) {
	extremes, err := j.extremes(j.window)
	if err != nil {
		return nil, err
	}
	m, err := moments.Estimate(moments.Sample, j.window.Returns)
	if err != nil {
		return nil, err
	}
	all := append(extremes.Stresses(),
		choose.VolatilityTimes(1, m.Cov, deviations, j.Horizon),
		choose.VolatilityTimes(2, m.Cov, deviations, j.Horizon),
		choose.CorrelationsToOne(m.Cov, deviations, j.Horizon))
	for asset, symbol := range j.symbols {
		all = append(all, choose.AssetToZero(asset, symbol))
	}
	if j.Turnover == "" {
		return all, nil
	}
	turnover, err := j.turnover()
	if err != nil {
		return nil, err
	}
	liquidation, err := choose.Liquidation(m.Cov, turnover, j.Capital)
	if err != nil {
		return nil, err
	}
	return append(all, liquidation), nil
}

// turnover is the median of each asset's last turnovers up to the end of the
// prices.
func (j *job) turnover() ([]float64, error) {
	const recent = 60 // periods
	end := j.window.Times[len(j.window.Times)-1]
	panel, _, err := market.Load(j.Stress.Turnover, market.Options{Symbols: j.symbols, To: end})
	if err != nil {
		return nil, err
	}
	median := make([]float64, len(j.symbols))
	for k, symbol := range j.symbols {
		var last []float64
		for t := len(panel.Times) - 1; t >= 0 && len(last) < recent; t-- {
			if v := panel.Close.At(t, k); !math.IsNaN(v) {
				last = append(last, v)
			}
		}
		if len(last) == 0 {
			return nil, fmt.Errorf("%s: no turnover of %s up to %s", j.Stress.Turnover, symbol, end.Format(time.DateOnly))
		}
		slices.Sort(last)
		median[k] = stat.Quantile(0.5, stat.LinInterp, last, nil)
	}
	return median, nil
}

// drivers names the assets with the five largest losses.
func (j *job) drivers(from []choose.Driver) []driverRecord {
	var named []driverRecord
	for _, d := range from[:min(5, len(from))] {
		named = append(named, driverRecord{j.symbols[d.Asset], d.Loss})
	}
	return named
}
