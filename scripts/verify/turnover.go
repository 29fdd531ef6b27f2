package main

import (
	"fmt"
	"math"
	"slices"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
)

// turnovers are those from what is held to all portfolios.
type turnovers struct {
	Least   float64 `json:"least"`
	Mean    float64 `json:"mean"`
	Largest float64 `json:"largest"`
}

// checkTraded compares what the record says of the turnover with that from the file of
// holdings, symbol by symbol.
func (f *folder) checkTraded(c *generateConfig, r *generated, symbols []string, ids []string,
	weights [][]float64) error {
	const about = "provenance.json"
	if c.Trading.Holdings == "" {
		f.equal(about, "holdings_hash", r.Holdings, "")
		return nil
	}
	hash, err := run.HashFile(c.Trading.Holdings)
	if err != nil {
		return err
	}
	f.equal(about, "holdings_hash", r.Holdings, hash)
	held, _, err := heldOf(c.Trading.Holdings, symbols)
	if err != nil {
		return err
	}
	own := make([]float64, len(weights))
	stored := make([]float64, len(weights))
	for i, w := range weights {
		for symbol, x := range held {
			if j := slices.Index(symbols, symbol); j < 0 {
				own[i] += math.Abs(x)
			}
		}
		for j, symbol := range symbols {
			own[i] += math.Abs(w[j] - held[symbol])
		}
	}
	if r.Turnover == nil {
		f.add(about, "turnover", differs, nil, slices.Max(own))
		return nil
	}
	f.near(about, "least turnover", r.Turnover.Least, slices.Min(own), 1e-12)
	f.near(about, "largest turnover", r.Turnover.Largest, slices.Max(own), 1e-12)
	f.near(about, "mean turnover", r.Turnover.Mean, sum(own)/float64(len(own)), 1e-9)
	if len(r.Portfolios) != len(ids) {
		return nil // too many for the record
	}
	for i, p := range r.Portfolios {
		if stored[i] = math.NaN(); p.Turnover != nil {
			stored[i] = *p.Turnover
		}
	}
	f.all(about, "turnover", ids, stored, own, 1e-12)
	return nil
}

// limit is the constraint that -max-turnover is.
func (c *generateConfig) limit(set *simplex.Set, symbols []string) error {
	if c.Trading.Holdings == "" || c.Trading.Most == nil {
		return nil
	}
	held, names, err := heldOf(c.Trading.Holdings, symbols)
	if err != nil {
		return err
	}
	t := &simplex.Turnover{Held: make([]float64, len(symbols)), Most: *c.Trading.Most}
	for _, symbol := range names {
		if j := slices.Index(symbols, symbol); j >= 0 {
			t.Held[j] = held[symbol]
		} else {
			t.Beside += math.Abs(held[symbol])
		}
	}
	set.Turnover = t
	return nil
}

// nearestTraded is the nearest point to y of a box whose weights sum to 1 and, where there
// is a limit, trade no more: by bisection of the price u of turnover, and for each by that
// of the price of the budget. An asset moves as far as it would without, less u, and not
// beyond what is held.
func nearestTraded(y, lower, upper []float64, t *simplex.Turnover) []float64 {
	w := boxedBy(y, lower, upper)
	if t == nil || turnoverOf(w, t) <= t.Most {
		return w
	}
	const far, bisections = 64, 100
	for least, most, k := 0.0, float64(far), 0; k < bisections; k++ {
		u := (least + most) / 2
		for low, high, l := -2.0*far, 2.0*far, 0; l < bisections; l++ {
			price, total := (low+high)/2, 0.0
			for i, h := range t.Held {
				x := y[i] - price - h
				w[i] = min(max(h+math.Copysign(max(0, math.Abs(x)-u), x), lower[i]), upper[i])
				total += w[i]
			}
			if total > 1 {
				low = price
			} else {
				high = price
			}
		}
		if turnoverOf(w, t) > t.Most {
			least = u
		} else {
			most = u
		}
	}
	return w
}

// turnoverOf is what it takes to get from what is held to w.
func turnoverOf(w []float64, t *simplex.Turnover) float64 {
	traded := t.Beside
	for i, x := range w {
		traded += math.Abs(x - t.Held[i])
	}
	return traded
}

// heldOf is what a file says is held, by symbol, without cash, and the symbols in the
// file's order.
func heldOf(path string, symbols []string) (held map[string]float64, names []string, err error) {
	p, err := portfolio.ReadCSV(path, portfolio.ReadOptions{AnySum: true})
	if err != nil {
		return nil, nil, err
	}
	if p.Len() != 1 {
		return nil, nil, fmt.Errorf("%s: %d rows of holdings", path, p.Len())
	}
	held = map[string]float64{}
	total := 0.0
	for k, symbol := range p.Symbols {
		if !slices.Contains(symbols, symbol) && portfolio.IsCash(symbol) {
			continue
		}
		held[symbol], names = p.Weights.At(0, k), append(names, symbol)
		total += held[symbol]
	}
	if math.Abs(total-1) <= 1e-6 { // rounded
		for symbol := range held {
			held[symbol] /= total
		}
	}
	return held, names, nil
}
