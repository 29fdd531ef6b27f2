package report

import (
	"cmp"
	"fmt"
	"slices"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
)

// WalkForward compares strategies over consecutive test windows, each chosen
// on the training window before it.
type WalkForward struct {
	Train, Test, Embargo int // periods
	Windows              int
	// Splits says how the time was split where it wasn't walk-forward; "": it was.
	Splits          string
	Tested          Span // all test windows together
	CostBps         float64
	ConstantWeights bool    // restored every period, without cost
	Confidence      float64 // of the intervals
	Rows            []Tested
	Notes           []string
	Pictures        []Picture
}

// Tested is one strategy's figures over all test windows.
type Tested struct {
	Name, What string
	Figures    metrics.Figures
	Low, High  number.Value // ends of the Sharpe ratio's interval
	DSR        number.Value // probability
	Turnover   number.Value // mean of a rebalance, both sides
	Held       int          // rebalances without an answer
}

// walkForwardSection ranks nothing by itself: it states the intervals, and
// how many strategies overlap with the best.
func walkForwardSection(w WalkForward) Section {
	s := Section{ID: "walk-forward", Title: "Walk-forward test"}
	cost := fmt.Sprintf("%g basis points of what is traded", w.CostBps)
	holding := "drifting between rebalances"
	if w.ConstantWeights {
		holding = "restored every period, without cost"
	}
	windows := Fact{"Windows", fmt.Sprintf("%d of %s, after %s of training", w.Windows,
		plural(w.Test, "period"), plural(w.Train, "period"))}
	if w.Splits != "" {
		windows = Fact{"Splits", w.Splits}
		s.Title = "Test on combinatorially purged splits"
	}
	facts := []Fact{{"Tested", w.Tested.text()}, windows, {"Cost", cost}, {"Weights", holding}}
	if w.Embargo > 0 {
		facts = append(facts, Fact{"Embargo", plural(w.Embargo, "period")})
	}
	t := &Table{Caption: "Strategies over all test windows", Columns: headings(
		"Strategy", "Sharpe", fmt.Sprintf("%g %% from", 100*w.Confidence), "to", "PSR", "DSR", "Annual return",
		"CAGR", "Annual volatility", "Largest drawdown", "Turnover a rebalance")}
	for _, r := range w.Rows {
		cell := func(figure metrics.Figure, f Format) Cell { return NumberCell(r.Figures.Value(figure), f) }
		t.Rows = append(t.Rows, Row{Note: r.What, Cells: []Cell{
			TextCell(r.Name), cell(metrics.Sharpe, Ratio), NumberCell(r.Low, Ratio), NumberCell(r.High, Ratio),
			cell(metrics.PSR, Percent), NumberCell(r.DSR, Percent), cell(metrics.AnnualReturn, Percent),
			cell(metrics.CAGR, Percent), cell(metrics.Volatility, Percent), cell(metrics.MaxDrawdown, Percent),
			NumberCell(r.Turnover, Percent),
		}})
	}
	s.Blocks = append(s.Blocks, Block{Facts: facts}, Block{List: w.Judgement()}, Block{Table: t})
	if len(w.Notes) > 0 {
		s.Blocks = append(s.Blocks, Block{List: w.Notes})
	}
	return s
}

// Judgement says which strategy has the largest Sharpe ratio, and which others
// the data can't tell from it.
func (w WalkForward) Judgement() []string {
	type entry struct {
		row    Tested
		sharpe float64
	}
	var defined []entry
	for _, r := range w.Rows {
		if v, ok := r.Figures.Value(metrics.Sharpe).Float(); ok {
			defined = append(defined, entry{r, v})
		}
	}
	if len(defined) == 0 {
		return []string{"No strategy has a defined Sharpe ratio."}
	}
	slices.SortStableFunc(defined, func(a, b entry) int { return cmp.Compare(b.sharpe, a.sharpe) })
	best := defined[0]
	lines := []string{fmt.Sprintf("%s has the largest Sharpe ratio, %s.", best.row.Name, Ratio.write(best.sharpe))}
	if low, ok := best.row.Low.Float(); ok && len(defined) > 1 {
		inside := 0
		for _, e := range defined[1:] {
			if e.sharpe >= low {
				inside++
			}
		}
		lines = append(lines, fmt.Sprintf("Its interval reaches down to %s: %d of the %d others lie within it, "+
			"and the order among them is mostly luck.", Ratio.write(low), inside, len(defined)-1))
	}
	for _, r := range w.Rows {
		if r.Held > 0 {
			lines = append(lines, fmt.Sprintf("%s had no answer at %d of %d rebalances, and kept what it held.",
				r.Name, r.Held, w.Windows))
		}
	}
	return lines
}
