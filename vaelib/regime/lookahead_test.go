package regime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/features"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/regime"
	"vaefolio/vaelib/stream"
)

// past is a made-up market: all that anything here is computed from.
type past struct {
	prices, turnover *market.Panel
	rates            []market.Settlement // of every symbol
	index            *features.Series
}

const (
	days    = 90
	assets  = 3
	trained = 50 // rows of returns that scalers and states are fitted to
)

func drawPast(rng *rand.Rand) *past {
	p := &past{index: &features.Series{Name: "DVOL", Unit: "percent a year", Delay: 24 * time.Hour, MaxAge: 72 * time.Hour}}
	p.prices = &market.Panel{Close: mat.NewDense(days, assets, nil)}
	p.turnover = &market.Panel{Close: mat.NewDense(days, assets, nil)}
	for j := range assets {
		p.prices.Symbols = append(p.prices.Symbols, string(rune('A'+j)))
	}
	p.turnover.Symbols = p.prices.Symbols
	price := [assets]float64{1, 10, 100}
	for i := range days {
		day := time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)
		p.prices.Times = append(p.prices.Times, day)
		p.index.Times = append(p.index.Times, day)
		p.index.Values = append(p.index.Values, 20+70*rng.Float64())
		for j := range assets {
			price[j] *= math.Exp((0.02 + 0.06*float64(i/15%2)) * rng.NormFloat64())
			p.prices.Close.Set(i, j, price[j])
			p.turnover.Close.Set(i, j, 1+9*rng.Float64())
		}
		for k := range 3 {
			p.rates = append(p.rates, market.Settlement{Time: day.Add(time.Duration(8*k) * time.Hour), Rate: 0.01 * rng.NormFloat64()})
		}
	}
	p.turnover.Times = p.prices.Times
	return p
}

// changeAfter changes everything that isn't known when row now of the returns
// is, which is at the given time.
func (p *past) changeAfter(rng *rand.Rand, now int, known time.Time) {
	for i := now + 2; i < days; i++ { // return now ends with price now+1
		for j := range assets {
			p.prices.Close.Set(i, j, p.prices.Close.At(i-1, j)*math.Exp(0.3*rng.NormFloat64()))
			p.turnover.Close.Set(i, j, 1+9*rng.Float64())
		}
	}
	for i := range p.rates {
		if !p.rates[i].Time.Before(known) {
			p.rates[i].Rate = 0.01 * rng.NormFloat64()
		}
	}
	for i, at := range p.index.Times {
		if at.Add(p.index.Delay).After(known) {
			p.index.Values[i] = 20 + 70*rng.Float64()
		}
	}
}

// derived is all that is computed from the past, row by row of the returns,
// and what was fitted to the training rows.
type derived struct {
	rows     []string
	fitted   string
	smoothed []float64 // probability of the calmer state
	known    func(row int) time.Time
}

func derive(t *testing.T, p *past) derived {
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	window, _, err := p.prices.Window()
	check(err)
	funding := &market.Funding{Settlements: map[string][]market.Settlement{}}
	for _, symbol := range window.Symbols {
		funding.Settlements[symbol] = p.rates
	}
	net, _, err := window.WithFunding(funding)
	check(err)
	table, err := features.BuildWindow(context.Background(), net, features.Config{
		Windows: []int{2, 5}, Lookback: 7, Index: p.index, Correlation: &features.Correlation{Lookback: 5, At: []int{6, 20, 40, 60, 70, 80}},
	})
	check(err)
	scaler, err := table.Fit(0, trained)
	check(err)
	scaled, err := scaler.Apply(table)
	check(err)

	volatility, _ := table.Column("market.volatility.5")
	trend, _ := table.Column("market.trend.5")
	grid, err := regime.FitGrid(volatility.Values[4:trained])
	check(err)
	basket := mat.NewDense(days-1, 1, nil)
	for i := range days - 1 {
		basket.Set(i, 0, mat.Sum(net.Returns.RowView(i))/assets)
	}
	model, _, err := regime.Fit(context.Background(), basket.Slice(0, trained, 0, 1).(*mat.Dense), regime.Settings{States: 2, Starts: 4, Iterations: 20, Seed: 1})
	check(err)
	filtered, _, err := model.Filter(basket)
	check(err)
	smoothed, err := model.Smooth(basket)
	check(err)
	states := regime.MostLikely(filtered)
	universe, err := market.NewUniverse(p.prices, p.turnover, market.UniverseOptions{Top: 2, Lookback: 5})
	check(err)

	d := derived{known: table.Known}
	marshal := func(v any) string {
		text, err := json.Marshal(v)
		check(err)
		return string(text)
	}
	d.fitted = marshal(scaler) + marshal(grid) + marshal(model)
	for i := range days - 1 {
		// %x writes every bit of a float64.
		row := fmt.Sprintf("returns %x\n", net.Returns.RawRowView(i))
		for _, columns := range [][]features.Column{table.Columns, scaled.Columns} {
			for _, c := range columns {
				row += fmt.Sprintf("%s %x %v\n", c.Name, c.Values[i], c.Defined[i])
			}
		}
		row += fmt.Sprintf("grid %d\n", grid.State(volatility.Values[i], trend.Values[i]))
		row += fmt.Sprintf("filtered %x %d\n", filtered.RawRowView(i), states[i])
		row += fmt.Sprintf("universe %v\n", universe.At(i+1))
		d.rows = append(d.rows, row)
		d.smoothed = append(d.smoothed, smoothed.At(i, 0))
	}
	return d
}

// Whatever comes later, each return with its funding, each feature, scaled and
// not, each state of the market and each universe up to a row stay as they are
// to the bit, and so does all that was fitted before it. Smoothed states don't,
// which shows that a look ahead would be seen.
func TestNoLookAhead(t *testing.T) {
	betrayed, seeds := false, uint64(100)
	if testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		rng := stream.New(seed, "regime.lookahead", 0)
		p := drawPast(rng)
		before := derive(t, p)
		now := trained - 1 + rng.IntN(days-1-trained)
		p.changeAfter(rng, now, before.known(now))
		after := derive(t, p)
		for i := range now + 1 {
			if before.rows[i] != after.rows[i] {
				t.Fatalf("seed %d: row %d was\n%s, and is\n%s after what came behind row %d changed", seed, i, before.rows[i], after.rows[i], now)
			}
		}
		if before.fitted != after.fitted {
			t.Fatalf("seed %d: fitted to rows before %d was\n%s, and is\n%s after what came behind row %d changed", seed, trained, before.fitted, after.fitted, now)
		}
		if before.rows[days-2] == after.rows[days-2] {
			t.Fatalf("seed %d: nothing has changed at the end", seed)
		}
		betrayed = betrayed || before.smoothed[now] != after.smoothed[now]
	}
	if !betrayed {
		t.Error("smoothed states never change with what comes later, so that the test sees nothing")
	}
}
