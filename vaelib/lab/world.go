package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
)

// world is one market of a cell, by its number there.
type world struct {
	Cell
	Number int
}

// outcome is result.json: what became of the strategies in a world. It holds no
// times, so that equal worlds have equal bytes.
type outcome struct {
	Cell
	World       int         `json:"world"`
	Level       float64     `json:"level"`       // mean of the law of the true Sharpe ratios, annual
	Correlation float64     `json:"correlation"` // mean over the pairs
	Optimum     float64     `json:"optimum"`     // the largest true Sharpe ratio of long-only weights, annual
	Strategies  []string    `json:"strategies"`
	Kinds       []string    `json:"kinds"`
	Shares      [][]float64 `json:"shares"` // of the optimum, a row a history, in the order of the strategies

	chosen [][][]float64 // weights by history and strategy, of which weights.csv is made
}

// streamOf is the stream index of a history of a world: 0 of the world itself.
// Worlds of different cells have nothing in common.
func (w world) streamOf(history int) uint64 {
	hash := run.Hash(fmt.Appendf(nil, "%d %d %v %d %d", w.Assets, w.Periods, w.Dispersion, w.Number, history))
	return binary.BigEndian.Uint64([]byte(hash))
}

// draw makes the market.
func (w world) draw(in *Inputs) (*simulate.World, error) {
	r := simulate.DefaultRanges()
	n := float64(w.Assets)
	r.Assets = simulate.Range{From: n, To: n}
	r.Level, r.Dispersion = level, simulate.Range{From: w.Dispersion, To: w.Dispersion}
	if in.Source == Simulated {
		return simulate.New(in.Seed, w.streamOf(0), r)
	}
	r.PeriodsPerYear = in.Market.PeriodsPerYear
	rng := stream.New(in.Seed, "lab.columns", w.streamOf(0))
	periods, columns := in.Market.Returns.Dims()
	chosen := mat.NewDense(periods, w.Assets, nil)
	for i, j := range rng.Perm(columns)[:w.Assets] {
		for t := range periods {
			chosen.Set(t, i, in.Market.Returns.At(t, j))
		}
	}
	const block = 10
	return simulate.Resampled(in.Seed, w.streamOf(0), chosen, block, r)
}

// make draws the world's histories and has every strategy choose on each.
func (w world) make(ctx context.Context, in *Inputs) (*outcome, error) {
	truth, err := w.draw(in)
	if err != nil {
		return nil, err
	}
	best, err := optimize.Solve(ctx, optimize.MaxSharpe, long(truth.Mean, truth.Cov))
	if err != nil {
		return nil, err
	}
	judge := newRatio(truth.Mean, truth.Cov)
	annual := 1.0 // of a ratio by periodsPerYear
	if in.Market != nil {
		annual = math.Sqrt(in.Market.PeriodsPerYear / periodsPerYear)
	}
	most := judge.Value(best.Weights)
	o := &outcome{Cell: w.Cell, World: w.Number, Level: truth.Level, Correlation: truth.Correlation,
		Optimum: most * annual}
	members := roster(in)
	for _, m := range members {
		o.Strategies, o.Kinds = append(o.Strategies, m.name), append(o.Kinds, m.kind)
	}
	generates := generates(members)
	if generates {
		o.Strategies, o.Kinds = append(o.Strategies, ceiling), append(o.Kinds, Ceiling)
	}
	shared := in.bench()
	for k := range in.Windows {
		rng := stream.New(in.Seed, "lab.history", w.streamOf(1+k))
		window := windowOf(truth.Returns(rng, w.Periods))
		var shares []float64
		var chosen [][]float64
		for _, m := range members {
			weights, err := shared.weigher(m)(ctx, window, nil)
			if err != nil {
				return nil, fmt.Errorf("%s, world %d, history %d: %w", w.Name(), w.Number, k, err)
			}
			shares, chosen = append(shares, judge.Value(weights)/most), append(chosen, weights)
		}
		if generates {
			weights, found, err := shared.best(ctx, judge)
			if err != nil {
				return nil, err
			}
			shares, chosen = append(shares, found/most), append(chosen, weights)
		}
		o.Shares, o.chosen = append(o.Shares, shares), append(o.chosen, chosen)
	}
	return o, nil
}

// ceiling names the best portfolio by the truth among a generator's samples.
const ceiling = "best-sample-by-truth"

// best is the sample of the history's model with the largest true ratio.
func (b *bench) best(ctx context.Context, judge *ratio) (weights []float64, most float64, err error) {
	samples, err := b.at.samples(ctx, (*history).decoder)
	if err != nil {
		return nil, 0, err
	}
	rows, _ := samples.Dims()
	most = math.Inf(-1)
	for i := range rows {
		if value := judge.Value(samples.RawRowView(i)); value > most || i == 0 {
			weights, most = samples.RawRowView(i), value
		}
	}
	return weights, most, nil
}

// writeWeights writes a row a history and strategy, in the order of the shares, to
// eight digits: enough for the shares to follow from, and half as long as all.
func (o *outcome) writeWeights(w io.Writer) error {
	header := []string{"window", "strategy"}
	header = append(header, symbolsOf(o.Assets)...)
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for k, chosen := range o.chosen {
			for s, weights := range chosen {
				cells := []string{strconv.Itoa(k), o.Strategies[s]}
				for _, v := range weights {
					cells = append(cells, strconv.FormatFloat(v, 'g', 8, 64))
				}
				write(cells...)
			}
		}
	})
}

// symbolsOf names n assets.
func symbolsOf(n int) (symbols []string) {
	for j := range n {
		symbols = append(symbols, fmt.Sprintf("A%03d", j+1))
	}
	return symbols
}

// windowOf names a history's assets and days.
func windowOf(returns *mat.Dense) *market.Window {
	periods, n := returns.Dims()
	w := &market.Window{Symbols: symbolsOf(n), Returns: returns,
		Start: time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)}
	for t := range periods {
		w.Times = append(w.Times, w.Start.AddDate(0, 0, t+1))
	}
	return w
}
