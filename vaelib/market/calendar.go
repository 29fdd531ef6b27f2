package market

import (
	"math"
	"slices"
	"time"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// calendar is the rhythm of a row of times.
type calendar struct {
	step     time.Duration // the commonest step between neighbours; 0 when there are none
	regular  bool          // nine in ten steps are that one
	weekdays bool          // daily, with next to nothing on Saturdays and Sundays
	mean     time.Duration // mean step
}

// calendarOf finds the rhythm of times, which rise.
func calendarOf(times []time.Time) calendar {
	if len(times) < 2 {
		return calendar{}
	}
	steps := make([]time.Duration, len(times)-1)
	weekend := 0
	for i, t := range times {
		if i > 0 {
			steps[i-1] = t.Sub(times[i-1])
		}
		if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
			weekend++
		}
	}
	slices.Sort(steps)
	var c calendar
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
	c.regular = 10*most >= 9*len(steps)
	c.mean = times[len(times)-1].Sub(times[0]) / time.Duration(len(steps))
	// Two days in seven are weekend; exchanges that open on the odd Saturday
	// still keep their 252 days.
	c.weekdays = c.step == day && 7*weekend < len(times)
	return c
}

// periodsPerYear is the number of such steps in a year; 0 without a step.
func (c calendar) periodsPerYear() float64 {
	switch {
	case c.step <= 0:
		return 0
	case c.weekdays:
		return 252
	case c.step == day:
		return 365
	case c.step >= 28*day:
		months := math.Round(float64(c.step) / float64(year/12))
		return 12 / months
	case c.regular:
		return float64(year) / float64(c.step)
	default: // such as hours of exchanges that close at night
		return float64(year) / float64(c.mean)
	}
}

// end is when the candle that a time opens has closed.
func (c calendar) end(opening time.Time) time.Time {
	if c.step >= 28*day {
		return opening.AddDate(0, int(math.Round(float64(c.step)/float64(year/12))), 0)
	}
	return opening.Add(c.step)
}

// gap says whether a step leaves out periods that this rhythm should have had.
// An exchange without weekends may close for up to five days in a row.
func (c calendar) gap(step time.Duration) bool {
	switch {
	case c.weekdays:
		return step > 5*day
	case c.step >= 28*day:
		return step > c.step+c.step/2
	default:
		return (c.regular || c.step == day) && step > c.step
	}
}

// missing is how many periods a gap leaves out, as near as can be said.
func (c calendar) missing(step time.Duration) int {
	n := int(math.Round(float64(step)/float64(c.step))) - 1
	if c.weekdays {
		n = n * 5 / 7
	}
	return max(n, 1)
}
