package market_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/market"
)

const day = 24 * time.Hour

// bars are times of sessions: from the opening on, n times every step, on the
// days from first on that keep says, at the clock of a location.
func bars(zone *time.Location, first time.Time, days int, opening, step time.Duration, n int, keep func(time.Time) bool) (times []time.Time) {
	for d := range days {
		date := time.Date(first.Year(), first.Month(), first.Day()+d, 0, 0, 0, 0, time.UTC)
		if !keep(date) {
			continue
		}
		for i := range n {
			at := opening + time.Duration(i)*step
			times = append(times, time.Date(date.Year(), date.Month(), date.Day(), 0, int(at/time.Minute), 0, 0, zone))
		}
	}
	return times
}

func utc(times []time.Time) []time.Time {
	out := slices.Clone(times)
	for i := range out {
		out[i] = out[i].UTC()
	}
	return out
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Skip(err)
	}
	return l
}

func closedOn(days ...time.Weekday) func(time.Time) bool {
	return func(t time.Time) bool { return !slices.Contains(days, t.Weekday()) }
}

// holiday closes some nine weekdays of a year, the same ones everywhere.
func holiday(t time.Time) bool {
	return slices.Contains([]string{"01-01", "01-15", "02-19", "03-29", "05-27", "06-19", "07-04", "09-02", "11-28", "12-25"}, t.Format("01-02"))
}

func TestCalendars(t *testing.T) {
	start := time.Date(2022, 1, 3, 0, 0, 0, 0, time.UTC)
	const hour, minute = time.Hour, time.Minute
	weekend := closedOn(time.Saturday, time.Sunday)
	open := func(t time.Time) bool { return weekend(t) && !holiday(t) }
	always := func(time.Time) bool { return true }
	newYork, frankfurt, tokyo, sydney, riyadh := zone(t, "America/New_York"), zone(t, "Europe/Berlin"), zone(t, "Asia/Tokyo"), zone(t, "Australia/Sydney"), zone(t, "Asia/Riyadh")
	rng := rand.New(rand.NewPCG(1, 1))
	some := func(times []time.Time, share float64) []time.Time {
		return slices.DeleteFunc(times, func(time.Time) bool { return rng.Float64() > share })
	}
	lunch := func(times []time.Time) []time.Time {
		return slices.DeleteFunc(times, func(t time.Time) bool { return t.Hour()*60+t.Minute() >= 11*60+30 && t.Hour()*60+t.Minute() < 12*60+30 })
	}
	// Sunday 17:00 to Friday 17:00 of New York, by the hour.
	var forex []time.Time
	for at := time.Date(2022, 1, 2, 17, 0, 0, 0, newYork); at.Year() < 2024; at = at.Add(hour) {
		l := at.In(newYork)
		if l.Weekday() == time.Saturday || l.Weekday() == time.Friday && l.Hour() >= 17 || l.Weekday() == time.Sunday && l.Hour() < 17 || l.Format("01-02") == "12-25" || l.Format("01-02") == "01-01" {
			continue
		}
		forex = append(forex, at.UTC())
	}
	fourWeeks := func(n int) (times []time.Time) {
		for i := range n {
			times = append(times, start.AddDate(0, 0, 28*i))
		}
		return times
	}
	var monthly, quarterly []time.Time // the last weekday of each
	for i := range 60 {
		last := time.Date(2018, time.Month(i+2), 0, 0, 0, 0, 0, time.UTC)
		for !weekend(last) {
			last = last.AddDate(0, 0, -1)
		}
		monthly = append(monthly, last)
		if i%3 == 2 {
			quarterly = append(quarterly, last)
		}
	}
	fridays := bars(time.UTC, start, 800, 0, day, 1, func(t time.Time) bool {
		// A holiday on one Friday in twenty moves the week's end to Thursday.
		if t.YearDay()/7%20 == 3 {
			return t.Weekday() == time.Thursday
		}
		return t.Weekday() == time.Friday
	})
	for _, c := range []struct {
		name   string
		times  []time.Time
		lo, hi float64
		says   string
	}{
		{"half hours of New York in UTC", utc(bars(newYork, start, 365, 9*hour+30*minute, 30*minute, 13, open)), 3200, 3330, "13 times of 30m a session"},
		{"a quarter of them", utc(bars(newYork, start, 84, 9*hour+30*minute, 30*minute, 13, weekend)), 3276, 3276, "closed on Saturday and Sunday"},
		{"three days of them", utc(bars(newYork, start, 3, 9*hour+30*minute, 30*minute, 13, weekend)), 3276, 3276, "a session"},
		{"minutes of New York", utc(bars(newYork, start, 60, 9*hour+30*minute, minute, 390, open)), 390 * 252, 390 * 252, "390 times of 1m"},
		{"hours of Sydney in UTC", utc(bars(sydney, start, 365, 10*hour, hour, 6, open)), 6 * 250, 6 * 257, "closed on Saturday and Sunday"},
		{"five minutes of Tokyo, with lunch", utc(lunch(bars(tokyo, start, 200, 9*hour, 5*minute, 72, open))), 60 * 252, 60 * 252, "60 times of 5m"},
		{"hours of Riyadh", bars(riyadh, start, 300, 10*hour, hour, 5, closedOn(time.Friday, time.Saturday)), 5 * 252, 5 * 252, "closed on Friday and Saturday"},
		{"hours of forex", forex, 6100, 6300, "counted over the calendar span"},
		{"hours of crypto", bars(time.UTC, start, 100, 0, hour, 24, always), 8760, 8760, "around the clock"},
		{"two days of them", bars(time.UTC, start, 2, 0, hour, 24, always), 8760, 8760, "around the clock"},
		{"half of the hours of crypto", some(bars(time.UTC, start, 300, 0, hour, 24, always), 0.5), 4200, 4560, "counted"},
		{"half of the minutes of sessions", some(bars(newYork, start, 364, 9*hour+30*minute, minute, 390, weekend), 0.5), 130 * 390 * .97, 131 * 390 * 1.03, "counted"},
		{"half of the days of crypto", some(bars(time.UTC, start, 1000, 0, day, 1, always), 0.5), 170, 195, "counted"},
		{"half of the days of shares", some(bars(time.UTC, start, 1000, 0, day, 1, weekend), 0.5), 120, 140, "counted"},
		{"days of crypto, a quarter missing", slices.DeleteFunc(bars(time.UTC, start, 700, 0, day, 1, always), func(t time.Time) bool { return t.Day()%4 == 0 }), 270, 285, "counted"},
		{"days of crypto with a year's gap", append(bars(time.UTC, start, 300, 0, day, 1, always), bars(time.UTC, start.AddDate(2, 0, 0), 300, 0, day, 1, always)...), 365, 365, "seven days"},
		{"days at midnight of Frankfurt", bars(frankfurt, start, 700, 0, day, 1, open), 252, 252, "closed on Saturday and Sunday"},
		{"the same in UTC", utc(bars(frankfurt, start, 700, 0, day, 1, open)), 252, 252, "closed on Saturday and Sunday"},
		{"days at midnight of Tokyo in UTC", utc(bars(tokyo, start, 700, 0, day, 1, open)), 252, 252, "closed on Saturday and Sunday"},
		{"days at midnight of New York in UTC", utc(bars(newYork, start, 700, 0, day, 1, open)), 252, 252, "closed on Saturday and Sunday"},
		{"days at the close of New York in UTC", utc(bars(newYork, start, 700, 16*hour, day, 1, open)), 252, 252, "closed on Saturday and Sunday"},
		{"days from Sunday to Thursday", bars(time.UTC, start, 700, 0, day, 1, closedOn(time.Friday, time.Saturday)), 252, 252, "closed on Friday and Saturday"},
		{"days from Saturday to Wednesday", bars(time.UTC, start, 700, 0, day, 1, closedOn(time.Thursday, time.Friday)), 252, 252, "closed on Thursday and Friday"},
		{"six days a week", bars(time.UTC, start, 700, 0, day, 1, closedOn(time.Friday)), 312, 314, "counted"},
		{"weeks, some ending on Thursday", fridays, 365. / 7, 365. / 7, "every 7 days"},
		{"four weeks", fourWeeks(40), 365. / 28, 365. / 28, "every 28 days"},
		{"a few of them", fourWeeks(5), 365. / 28, 365. / 28, "every 28 days"},
		{"two weeks", bars(time.UTC, start, 700, 0, day, 1, func(t time.Time) bool { return int(t.Sub(start)/day)%14 == 0 }), 365. / 14, 365. / 14, "every 14 days"},
		{"last weekdays of months", monthly, 12, 12, "monthly"},
		{"three of them", monthly[:3], 12, 12, "monthly"},
		{"last weekdays of quarters", quarterly, 4, 4, "quarterly"},
		{"half of the months", some(slices.Clone(monthly), 0.5), 5, 7, ""},
		{"four days", bars(time.UTC, start, 4, 0, day, 1, always), 252, 252, "five days"},
		{"five days with a weekend", bars(time.UTC, start.AddDate(0, 0, 3), 5, 0, day, 1, always), 365, 365, "seven days"},
	} {
		w := &market.Window{Times: c.times}
		if got, says := w.PeriodsPerYear(), w.Rhythm(); got < c.lo*(1-1e-12) || got > c.hi*(1+1e-12) || !strings.Contains(says, c.says) {
			t.Errorf("%s: %v periods a year (%s), not from %v to %v (%s)", c.name, got, says, c.lo, c.hi, c.says)
		}
	}
}

// Whatever five days a week an exchange keeps, in whatever zone and stamped at
// whatever time of the day, 252 of them are a year; seven are 365.
func TestFiveDaysAWeek(t *testing.T) {
	zones := []string{"America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "UTC", "Europe/London", "Europe/Berlin", "Asia/Riyadh", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland"}
	seeds := uint64(400)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := zone(t, zones[rng.IntN(len(zones))])
		closed := time.Weekday(rng.IntN(7))
		stamp := []time.Duration{0, 0, 9 * time.Hour, 16 * time.Hour, 17*time.Hour + 30*time.Minute}[rng.IntN(5)]
		free := 0.05 * rng.Float64()
		inUTC, seven := rng.IntN(2) == 0, rng.IntN(4) == 0
		start := time.Date(2000+rng.IntN(30), time.Month(1+rng.IntN(12)), 1+rng.IntN(28), 0, 0, 0, 0, time.UTC)
		times := bars(l, start, 40+rng.IntN(1500), stamp, day, 1, func(t time.Time) bool {
			return seven || t.Weekday() != closed && t.Weekday() != (closed+1)%7 && rng.Float64() >= free
		})
		want := 252.
		if seven {
			want = 365
		}
		if inUTC {
			times = utc(times)
		}
		w := &market.Window{Times: times}
		if got := w.PeriodsPerYear(); got != want {
			t.Errorf("seed %d: %s, closed on %v, %d days at %v, %.1f %% free: %v periods a year (%s), not %v", seed, l, closed, len(times), stamp, 100*free, got, w.Rhythm(), want)
		}
	}
}

// Nights, lunches, weekends and holidays of a session are no gaps; an hour that
// is missing within one is, and so is a week.
func TestGapsOfSessions(t *testing.T) {
	newYork := zone(t, "America/New_York")
	start := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	open := func(t time.Time) bool {
		return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && !holiday(t)
	}
	times := utc(bars(newYork, start, 200, 9*time.Hour+30*time.Minute, 30*time.Minute, 13, open))
	file := func(times []time.Time) string {
		var b strings.Builder
		b.WriteString("date,OAK\n")
		for i, at := range times {
			fmt.Fprintf(&b, "%s,%d\n", at.Format(time.RFC3339), 100+i%7)
		}
		return b.String()
	}
	gaps := func(times []time.Time) []market.Gap {
		_, c, err := market.LoadFS(wide(file(times)), "p.csv", market.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return c.Gaps
	}
	if found := gaps(times); len(found) > 0 {
		t.Errorf("gaps of a whole file: %v", found)
	}
	two := slices.Delete(slices.Clone(times), 13*20+4, 13*20+6)
	if found := gaps(two); len(found) != 1 || found[0].Missing != 2 {
		t.Errorf("two bars missing: %v", found)
	}
	fortnight := slices.Delete(slices.Clone(times), 13*20, 13*30)
	if found := gaps(fortnight); len(found) != 1 || math.Abs(float64(found[0].Missing-130)) > 13 {
		t.Errorf("ten sessions missing: %v", found)
	}
}

// A day without a price of anything, as a reindexed table has at weekends, is
// no hole in a symbol.
func TestEmptyRows(t *testing.T) {
	var b strings.Builder
	b.WriteString("date,OAK,ELM\n")
	for i := range 70 {
		at := time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)
		if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday {
			fmt.Fprintf(&b, "%s,,\n", at.Format(time.DateOnly))
			continue
		}
		fmt.Fprintf(&b, "%s,%d,%d\n", at.Format(time.DateOnly), 100+i%7, 50+i%5)
	}
	p, c, err := market.LoadFS(wide(b.String()), "p.csv", market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	if c.Empty != 20 || len(c.Gaps) > 0 || w.PeriodsPerYear() != 252 || len(w.Times) != 49 || !strings.Contains(c.String(), "rows without a price, dropped: 20") {
		t.Errorf("%d empty rows, gaps %v, %v periods a year, %d returns; %s", c.Empty, c.Gaps, w.PeriodsPerYear(), len(w.Times), c)
	}
}
