package bybit

import (
	"fmt"
	"strings"
	"time"
)

// Category is a market of the exchange.
type Category string

// The categories with candles.
const (
	Spot    Category = "spot"
	Linear  Category = "linear"  // contracts settled in a stablecoin
	Inverse Category = "inverse" // contracts settled in the base coin
)

func (c Category) check() error {
	switch c {
	case Spot, Linear, Inverse:
		return nil
	}
	return fmt.Errorf("category %q is not spot, linear or inverse", string(c))
}

// Perpetuals says whether the category has contracts without an end, whose
// holders pay each other funding.
func (c Category) Perpetuals() bool { return c == Linear || c == Inverse }

// Interval is the length of a candle as the exchange writes it: minutes, or D,
// W, M. Candles open on multiples of it in UTC, weeks on Monday, months on the
// first.
type Interval string

// Day is the interval of daily candles.
const Day Interval = "D"

// Intervals are all that the exchange has, from short to long.
var Intervals = []Interval{"1", "3", "5", "15", "30", "60", "120", "240", "360", "720", Day, "W", "M"}

// steps are the lengths of intervals; that of a month differs.
var steps = map[Interval]time.Duration{
	"1": time.Minute, "3": 3 * time.Minute, "5": 5 * time.Minute, "15": 15 * time.Minute, "30": 30 * time.Minute,
	"60": time.Hour, "120": 2 * time.Hour, "240": 4 * time.Hour, "360": 6 * time.Hour, "720": 12 * time.Hour,
	Day: 24 * time.Hour, "W": 7 * 24 * time.Hour, "M": 0,
}

func (i Interval) check() error {
	if _, ok := steps[i]; ok {
		return nil
	}
	names := make([]string, len(Intervals))
	for k, interval := range Intervals {
		names[k] = string(interval)
	}
	return fmt.Errorf("interval %q is not one of %s", string(i), strings.Join(names, ", "))
}

// firstMonday is when the first week since the epoch began.
var firstMonday = time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)

// Floor is the opening of the candle in which t lies.
func (i Interval) Floor(t time.Time) time.Time {
	t = t.UTC()
	switch i {
	case "M":
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	case "W":
		return firstMonday.Add(floorTo(t.Sub(firstMonday), steps["W"]))
	default:
		return time.UnixMilli(int64(floorTo(time.Duration(t.UnixMilli()), steps[i]/time.Millisecond))).UTC()
	}
}

// Next is the first opening after t.
func (i Interval) Next(t time.Time) time.Time { return i.Add(i.Floor(t), 1) }

// Add is the opening n candles after an opening, or before it where n is
// negative.
func (i Interval) Add(opening time.Time, n int) time.Time {
	if i == "M" {
		return opening.AddDate(0, n, 0)
	}
	return time.UnixMilli(opening.UnixMilli() + int64(n)*steps[i].Milliseconds()).UTC()
}

// Ceil is the first opening at or after t.
func (i Interval) Ceil(t time.Time) time.Time {
	if opening := i.Floor(t); opening.Equal(t) {
		return opening
	}
	return i.Next(t)
}

// previous is the last opening before t.
func (i Interval) previous(t time.Time) time.Time { return i.Floor(t.Add(-time.Millisecond)) }

// count is the number of openings in [from, until), both openings.
func (i Interval) count(from, until time.Time) int {
	if i == "M" {
		return 12*(until.Year()-from.Year()) + int(until.Month()) - int(from.Month())
	}
	return int(until.Sub(from) / steps[i])
}

// floorTo is the greatest multiple of step that is not above d.
func floorTo(d, step time.Duration) time.Duration {
	rest := d % step
	if rest < 0 {
		rest += step
	}
	return d - rest
}
