package experiment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
)

// flattened collects the training windows whose covariance is shrunk to that of
// assets which all look alike.
type flattened struct {
	ends  map[time.Time]bool
	first string // the return that did it in the first of them
}

// add takes the estimate of a training window in.
func (f *flattened) add(training *market.Window, m *moments.Moments) {
	warning := m.Warning(training.Returns, training.Symbols, training.Times)
	end := training.Times[len(training.Times)-1]
	if warning == "" || f.ends[end] {
		return
	}
	if f.ends == nil {
		f.ends, f.first = map[time.Time]bool{}, warning
	}
	f.ends[end] = true
}

// String says it in one line; it is empty where there is none.
func (f *flattened) String() string {
	if len(f.ends) == 0 {
		return ""
	}
	return fmt.Sprintf("in %d training windows %s", len(f.ends), f.first)
}

// listed says how many symbols could be chosen, and what was held of those that
// stopped.
func listed(result *backtest.Result, l *market.Listings) []string {
	fewest, most := len(result.Symbols), 0
	for _, r := range result.Tracks[0].Rebalances {
		fewest, most = min(fewest, len(r.Columns)), max(most, len(r.Columns))
	}
	notes := []string{fmt.Sprintf("listings as they were: from %d to %d of %d symbols could be chosen at a "+
		"rebalance, those traded throughout the training window before it", fewest, most, len(result.Symbols))}
	const told = 5
	more := 0
	for _, d := range l.Deaths() {
		holders := holdersOf(result, d)
		if len(holders) == 0 {
			continue
		}
		if len(notes) > told {
			more++
			continue
		}
		notes = append(notes, fmt.Sprintf("%s, held by %s: what its last close pays stays as cash until the next "+
			"rebalance", d, strings.Join(holders, ", ")))
	}
	if more > 0 {
		notes = append(notes, fmt.Sprintf("%d more symbols stopped while they were held", more))
	}
	return notes
}

// holdersOf are the strategies that held a symbol when it stopped.
func holdersOf(result *backtest.Result, d market.Death) []string {
	var holders []string
	for _, track := range result.Tracks {
		held := slices.ContainsFunc(track.Rebalances, func(r backtest.Rebalance) bool {
			return r.From <= d.Period && d.Period-1 < r.To && r.Weights[d.Column] != 0
		})
		if held {
			holders = append(holders, track.Name)
		}
	}
	return holders
}

// chosen are the weights of some columns.
func chosen(weights []float64, columns []int) []float64 {
	var some []float64
	for _, j := range columns {
		some = append(some, weights[j])
	}
	return some
}
