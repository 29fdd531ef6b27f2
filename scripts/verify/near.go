package main

import (
	"math"

	"vaefolio/vaelib/market"
)

// near is what is said of portfolios near the largest Sharpe ratio.
type near struct {
	Within float64 `json:"within"`
	Best   float64 `json:"best"`
	Least  float64 `json:"least_distance"`
}

// checkNear compares each portfolio's Sharpe ratio over the returns of the window, whose
// assets are those of the weights, with the largest and the share of it that may be missing,
// and the least distance between two with that of the file.
func (f *folder) checkNear(c *generateConfig, r *generated, w *market.Window, ids []string, weights [][]float64) {
	const file, about = "weights.csv", "provenance.json"
	if r.Near == nil {
		f.equal(about, "within", 0.0, c.Within)
		return
	}
	f.equal(about, "within", r.Near.Within, c.Within)
	perYear := w.PeriodsPerYear()
	if c.PeriodsPerYear > 0 {
		perYear = c.PeriodsPerYear
	}
	if c.Convention == "default" {
		floor, rows := (1-r.Near.Within)*r.Near.Best, returns(w)
		lowest := math.Inf(1)
		for i, x := range weights {
			own := orNaN(figures(rows, x, perYear, c.RiskFree, c.MAR), "sharpe")
			if lowest = min(lowest, own); !(own >= floor-f.tolerance) || own > r.Near.Best+f.tolerance {
				f.add(file, "Sharpe ratio of "+ids[i], differs, own, floor)
				return
			}
		}
		f.add(file, "Sharpe ratios near the largest", same, floor, lowest)
	}
	least := math.Inf(1)
	for i, a := range weights {
		for _, b := range weights[:i] {
			away := 0.0
			for j, x := range a {
				away = math.Hypot(away, x-b[j])
			}
			least = min(least, away)
		}
	}
	if len(weights) < 2 {
		least = 0
	}
	f.near(about, "least_distance", r.Near.Least, least, 1e-9)
}
