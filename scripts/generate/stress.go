package main

import (
	"context"
	"fmt"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
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
	for _, r := range results {
		for i, loss := range r.Losses {
			places.rows[i] = append(places.rows[i], loss)
		}
		places.header = append(places.header, r.Name)
		record := stressRecord{Name: r.Name, Mean: r.Mean, Worst: r.Losses[r.Worst], Drivers: j.drivers(r.Drivers),
			Typical: j.drivers(r.Typical)}
		j.record.Stresses = append(j.record.Stresses, record)
		j.io.Note("%s: mean loss %.4f, worst %.4f", record.Name, record.Mean, record.Worst)
	}
	rows, losses := choose.Hardest(results, j.count(10))
	m := &made{batch: batch.Pick(rows), tables: map[string]table{"losses.csv": places}}
	for _, loss := range losses {
		m.values = append(m.values, -loss)
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

// stresses are those of the prices and, where turnovers are given, liquidation.
func (j *job) stresses() ([]choose.Stress, error) {
	if j.Turnover == "" {
		return j.Choice.Stresses(j.window, nil, 0)
	}
	end := j.window.Times[len(j.window.Times)-1]
	panel, _, err := market.Load(j.Turnover, market.Options{Symbols: j.symbols, To: end})
	if err != nil {
		return nil, err
	}
	turnover, err := choose.MedianTurnover(panel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w up to %s", j.Turnover, err, end.Format(time.DateOnly))
	}
	return j.Choice.Stresses(j.window, turnover, j.Capital)
}

// drivers names the assets with the five largest losses.
func (j *job) drivers(from []choose.Driver) []driverRecord {
	var named []driverRecord
	for _, d := range from[:min(5, len(from))] {
		named = append(named, driverRecord{j.symbols[d.Asset], d.Loss})
	}
	return named
}
