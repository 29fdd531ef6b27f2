package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"time"

	"vaefolio/vaelib/run"
)

// fetchKind marks the manifest of a folder of candles.
const fetchKind = "vaefolio fetch"

var fetchChecks = []check{{manifestFile, (*folder).checkFetched}}

// candleFolder is the manifest of a folder of candles.
type candleFolder struct {
	Interval   string    `json:"interval"`
	ServerTime time.Time `json:"server_time"`
	Symbols    map[string]struct {
		Candles candleFile `json:"candles"`
		Funding candleFile `json:"funding"`
	} `json:"symbols"`
	Stale []string `json:"stale"`
}

type candleFile struct {
	Path   string    `json:"path"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Rows   int       `json:"rows"`
	SHA256 string    `json:"sha256"`
	Gaps   []struct {
		From  time.Time `json:"from"`
		Until time.Time `json:"until"`
	} `json:"gaps"`
}

// checkFetched compares the files of a folder of candles with its manifest, and the
// candles with themselves: their values only the exchange can confirm.
func (f *folder) checkFetched(context.Context) error {
	var m candleFolder
	if err := f.json(manifestFile, &m); err != nil {
		return err
	}
	listed := []string{manifestFile, ".lock"}
	for _, symbol := range slices.Sorted(maps.Keys(m.Symbols)) {
		entry := m.Symbols[symbol]
		for _, of := range []candleFile{entry.Candles, entry.Funding} {
			if of.Rows == 0 {
				continue
			}
			listed = append(listed, of.Path)
			if err := f.checkCandles(of, &m, of.Path == entry.Candles.Path); err != nil {
				return err
			}
		}
	}
	for _, name := range m.Stale {
		f.add(name, "of this call", unchecked, nil, "a file of an earlier call, which the next one replaces")
		listed = append(listed, name)
	}
	f.add(manifestFile, "values of candles", unchecked, nil, "only the exchange can confirm them")
	return f.checkOnly(listed, manifestFile)
}

// stepOf is the time between candles; 0 of months, which differ.
func stepOf(interval string) (time.Duration, error) {
	switch interval {
	case "D":
		return 24 * time.Hour, nil
	case "W":
		return 7 * 24 * time.Hour, nil
	case "M":
		return 0, nil
	}
	minutes, err := number(interval)
	if err != nil || minutes < 1 {
		return 0, fmt.Errorf("%s: interval %q is none", manifestFile, interval)
	}
	return time.Duration(minutes) * time.Minute, nil
}

// checkCandles checks one file: its hash, its range, and that its rows rise without
// gaps but for those that are told of.
func (f *folder) checkCandles(of candleFile, m *candleFolder, candles bool) error {
	sum, err := run.HashFile(f.path(of.Path))
	if err != nil {
		return err
	}
	f.equal(of.Path, "sha256", of.SHA256, sum)
	t, err := f.table(of.Path)
	if err != nil {
		return err
	}
	if !f.equal(of.Path, "rows", of.Rows, len(t.rows)) || len(t.rows) == 0 {
		return nil
	}
	var times []time.Time
	for i, row := range t.rows {
		at, err := stamped(row[0])
		if err != nil {
			return fmt.Errorf("%s:%d: %w", of.Path, i+2, err)
		}
		times = append(times, at)
	}
	f.equal(of.Path, "first", of.First.UTC(), times[0])
	f.equal(of.Path, "last", of.Last.UTC(), times[len(times)-1])
	f.equal(of.Path, "range", !times[0].Before(of.From) && times[len(times)-1].Before(of.Until), true)
	f.equal(of.Path, "rises", slices.IsSortedFunc(times, func(a, b time.Time) int { return a.Compare(b) }) &&
		len(slices.Compact(slices.Clone(times))) == len(times), true)
	if !candles {
		return nil
	}
	step, err := stepOf(m.Interval)
	if err != nil {
		return err
	}
	if step > 0 {
		f.equal(of.Path, "closed", !times[len(times)-1].Add(step).After(m.ServerTime), true)
		var want []string
		for i := range times[1:] {
			if due := times[i].Add(step); !due.Equal(times[i+1]) {
				want = append(want, due.Format(time.RFC3339)+" "+times[i+1].Format(time.RFC3339))
			}
		}
		var told []string
		for _, gap := range of.Gaps {
			told = append(told, gap.From.UTC().Format(time.RFC3339)+" "+gap.Until.UTC().Format(time.RFC3339))
		}
		f.equal(of.Path, "gaps", told, want)
	}
	return f.checkPrices4(t)
}

// checkPrices4 compares the four prices of each candle with each other.
func (f *folder) checkPrices4(t *table) error {
	var columns [5][]float64
	for k, name := range []string{"open", "high", "low", "close", "volume"} {
		var err error
		if columns[k], err = t.numbers(name); err != nil {
			return err
		}
	}
	for i := range t.rows {
		open, high, low, last, volume := columns[0][i], columns[1][i], columns[2][i], columns[3][i], columns[4][i]
		if !(low <= min(open, last) && high >= max(open, last) && last > 0 && volume >= 0) || math.IsInf(high, 0) {
			f.add(path.Base(t.name), fmt.Sprintf("candle of line %d", i+2), differs, t.rows[i], nil)
			return nil
		}
	}
	f.add(t.name, "candles", same, len(t.rows), len(t.rows))
	return nil
}

// stamped reads a time of a file of candles.
func stamped(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly, time.DateTime} {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), nil
		}
	}
	x, err := number(text)
	return time.UnixMilli(int64(x)).UTC(), err
}
