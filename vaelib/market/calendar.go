package market

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	year = 365 * day
)

// tradingDays are those of a year of an exchange with five days a week, less
// its holidays, as finance counts them.
const tradingDays = 252

// rhythm is the kind of a calendar.
type rhythm int

const (
	unknown    rhythm = iota
	continuous        // a time every step, around the clock and on all days
	daily             // one time a day, on the open weekdays
	sessions          // several times a day, on five open weekdays
	fixed             // every so many days
	monthly           // every so many months
	irregular         // none of these: counted over the span
)

// calendar is the rhythm of a row of times: when its periods are, and so how
// many a year has. It goes by the location that the times carry.
type calendar struct {
	rhythm rhythm
	step   time.Duration // the commonest step between neighbours; 0 when there are none
	months int           // between neighbours of a monthly rhythm
	days   *weekdays     // of daily, sessions and what is irregular; nil otherwise
	bars   int           // of a session, as most have
	breaks map[[2]int]int
	perDay float64 // of what is irregular: times a day of the calendar
}

// calendarOf finds the rhythm of times, which rise.
func calendarOf(times []time.Time) calendar {
	var c calendar
	if len(times) < 2 {
		return c
	}
	steps := make([]time.Duration, len(times)-1)
	for i := range steps {
		steps[i] = times[i+1].Sub(times[i])
	}
	slices.Sort(steps)
	most := 0
	for i := 0; i < len(steps); {
		j := i
		for j < len(steps) && steps[j] == steps[i] {
			j++
		}
		if j-i > most {
			c.step, most = steps[i], j-i
		}
		i = j
	}
	regular := 10*most >= 9*len(steps)
	median := steps[len(steps)/2]
	switch {
	case median > 4*day && c.coarse(times, steps, median):
		return c
	case median <= 4*day && c.step < 20*time.Hour:
		c.intraday(times, regular)
		return c
	case median <= 4*day:
		c.byDay(times)
		return c
	}
	c.count(times)
	return c
}

// coarse finds weeks, months and their multiples; false without any.
func (c *calendar) coarse(times []time.Time, steps []time.Duration, median time.Duration) bool {
	whole := int(math.Round(float64(median) / float64(day)))
	near := 0 // steps of that many days: to the day for whole weeks, which months never keep
	for _, s := range steps {
		if off := (s - time.Duration(whole)*day).Abs(); off <= 2*time.Hour {
			near++
		}
	}
	if 10*near >= 9*len(steps) && whole%7 == 0 && !(whole == 28 && len(steps) < 3) {
		c.rhythm, c.step = fixed, time.Duration(whole)*day
		return true
	}
	if c.months = monthsApart(times); c.months > 0 {
		c.rhythm = monthly
		return true
	}
	near = 0 // a holiday moves a week's end by a day or two
	for _, s := range steps {
		if (s - median).Abs() <= 2*day+2*time.Hour {
			near++
		}
	}
	if 10*near < 9*len(steps) {
		return false
	}
	c.rhythm, c.step = fixed, time.Duration(whole)*day
	return true
}

// monthsApart is how many months lie between neighbouring times that keep to
// one place in their month, be it told from its start or its end; 0 where they
// don't.
func monthsApart(times []time.Time) int {
	counts := map[int]int{}
	var starts, ends []int
	before := 0
	for i, t := range times {
		y, m, d := t.Date()
		month := 12*y + int(m)
		if i > 0 {
			counts[month-before]++
		}
		before = month
		starts = append(starts, d)
		ends = append(ends, time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()-d)
	}
	best := 0
	for months, n := range counts {
		if months > 0 && (n > counts[best] || n == counts[best] && months < best) {
			best = months
		}
	}
	if 10*counts[best] < 9*(len(times)-1) || !together(starts) && !together(ends) {
		return 0
	}
	return best
}

// together says whether nine in ten of the days lie within a week.
func together(days []int) bool {
	slices.Sort(days)
	spare := len(days) / 10
	for i := 0; i <= spare; i++ {
		if days[len(days)-1-spare+i]-days[i] <= 7 {
			return true
		}
	}
	return false
}

// byDay finds the rhythm of at most one time a day.
func (c *calendar) byDay(times []time.Time) {
	c.days = newWeekdays(times)
	contiguous := 0
	for i := range times[1:] {
		if c.days.between(times[i], times[i+1]) == 0 {
			contiguous++
		}
	}
	if n := c.days.open(); 20*c.days.held >= 19*len(times) && 100*contiguous >= 85*(len(times)-1) &&
		(n == 5 || n == 7) {
		c.rhythm, c.step = daily, day
		return
	}
	c.count(times)
}

// intraday finds the rhythm of several times a day.
func (c *calendar) intraday(times []time.Time, regular bool) {
	c.days = newWeekdays(times)
	if c.days.open() == 7 && regular || regular && c.step*time.Duration(c.days.usual) > day-2*c.step &&
		times[len(times)-1].Sub(times[0]) < 5*day {
		c.rhythm = continuous
		return
	}
	bars, full := c.days.usual, 0
	for _, size := range c.days.counts {
		if n := int(size); n > 0 && 10*(n-bars) <= bars && 10*(bars-n) <= bars {
			full++
		}
	}
	held, steady := c.days.held, false
	c.breaks, steady = c.days.breaks(times, c.step)
	if !steady || c.days.open() != 5 || bars < 2 || 10*full < 8*held-10 || 100*held < 85*c.days.expected() {
		c.count(times)
		return
	}
	c.rhythm, c.bars = sessions, bars
	// What is known of holidays is known from a year, not from a spring.
	c.perDay = tradingDays * float64(bars) / 365
	if span := times[len(times)-1].Sub(times[0]); span >= 350*day {
		c.perDay = perDay(times)
	}
}

// count leaves the number of periods to the span of the calendar.
func (c *calendar) count(times []time.Time) {
	c.rhythm, c.perDay = irregular, perDay(times)
}

// perDay is the number of times a day over whole weeks, of which a session's
// nights and a weekend are a part; over all of it below one week.
func perDay(times []time.Time) float64 {
	span := times[len(times)-1].Sub(times[0])
	weeks := span / week
	if weeks == 0 {
		return float64(len(times)-1) / (float64(span) / float64(day))
	}
	end := times[0].Add(weeks * week)
	n := len(times)
	for !times[n-1].Before(end) {
		n--
	}
	return float64(n) / (7 * float64(weeks))
}

// periodsPerYear is the number of periods in a year; 0 where nothing tells it.
func (c *calendar) periodsPerYear() float64 {
	switch c.rhythm {
	case continuous, fixed:
		return float64(year) / float64(c.step)
	case daily:
		if c.days.open() == 5 {
			return tradingDays
		}
		return 365
	case monthly:
		return 12 / float64(c.months)
	case sessions, irregular:
		return 365 * c.perDay
	}
	return 0
}

// String says the rhythm, and how the number of its periods was found.
func (c *calendar) String() string {
	switch c.rhythm {
	case continuous:
		return "every " + interval(c.step) + ", around the clock"
	case daily:
		return "daily, " + c.days.String()
	case sessions:
		return fmt.Sprintf("%d times of %s a session, %s", c.bars, interval(c.step), c.days)
	case fixed:
		return "every " + interval(c.step)
	case monthly:
		name := map[int]string{1: "monthly", 3: "quarterly", 6: "half-yearly", 12: "yearly"}[c.months]
		if name == "" {
			name = fmt.Sprintf("every %d months", c.months)
		}
		return name
	case irregular:
		return fmt.Sprintf("no steady rhythm, so counted over the calendar span: %.4g a week", 7*c.perDay)
	}
	return "the times don't tell"
}

// interval writes a step for people: 30m, 8h, 7 days.
func interval(step time.Duration) string {
	switch {
	case step == day:
		return "day"
	case step%day == 0:
		return fmt.Sprintf("%d days", step/day)
	}
	text := step.String()
	text = strings.TrimSuffix(text, "m0s")
	if text != step.String() {
		text += "m"
	}
	if head, ok := strings.CutSuffix(text, "h0m"); ok {
		text = head + "h"
	}
	return text
}

// end is when the candle that a time opens has closed.
func (c *calendar) end(opening time.Time) time.Time {
	if c.rhythm == monthly {
		return opening.AddDate(0, c.months, 0)
	}
	return opening.Add(c.step)
}

// missing is how many periods of this rhythm lie between two neighbouring
// times, as near as can be said; 0 where there is no gap. An exchange may close
// for up to five days in a row, and nothing can be told of what has no rhythm.
func (c *calendar) missing(a, b time.Time) int {
	step := b.Sub(a)
	switch c.rhythm {
	case continuous, fixed:
		if step > c.step+c.step/10 {
			return max(1, int(math.Round(float64(step)/float64(c.step)))-1)
		}
	case monthly:
		ay, am, _ := a.Date()
		by, bm, _ := b.Date()
		if n := (12*(by-ay) + int(bm-am)) / c.months; n > 1 {
			return n - 1
		}
	case daily:
		if n := c.days.between(a, b); n > 0 && (c.days.open() == 7 || step > 5*day+2*time.Hour) {
			return n
		}
	case sessions:
		if n := c.days.between(a, b); n > 0 && step > 5*day+2*time.Hour {
			return n * c.bars
		}
		if c.days.number(a) == c.days.number(b) && step > c.step && !c.isBreak(a, b) {
			return max(1, int(math.Round(float64(step)/float64(c.step)))-1)
		}
	}
	return 0
}

// isBreak says whether one day in twenty has this step between two times of the
// day, such as a lunch.
func (c *calendar) isBreak(a, b time.Time) bool {
	n := c.breaks[[2]int{minute(a), minute(b)}]
	return n > 1 && 20*n >= c.days.held
}

// minute is that of the day.
func minute(t time.Time) int { return 60*t.Hour() + t.Minute() }
