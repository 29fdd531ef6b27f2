package market

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseTime reads a time as price files write it: a date such as 2024-01-31,
// 2024/01/31, 20240131, 31-Jan-2024 or 2024-01, with or without a time of day
// and a zone, RFC 3339, or Unix seconds, milli-, micro- or nanoseconds, which
// their size tells apart. Without a zone it is UTC. Dates such as 31/01/2024 are
// read where they can mean one thing only.
func ParseTime(text string) (time.Time, error) { return DateOrder(0).time(text) }

// time is [ParseTime] with what stands first in 01/02/2024.
func (o DateOrder) time(text string) (time.Time, error) {
	at, msg := o.parse([]byte(text))
	if msg != "" {
		return time.Time{}, errors.New(msg)
	}
	return millis(at.ms), nil
}

// ParseSpan reads the two ends of a range for [Options]. Both are inclusive;
// empty text leaves an end open, and a date, a month, a quarter or a year as the
// second means all of it. The order says what stands first in 01/02/2024; 0 refuses
// such dates.
func ParseSpan(from, to string, order DateOrder) (first, last time.Time, err error) {
	if from != "" {
		if first, err = order.time(strings.TrimSpace(from)); err != nil {
			return time.Time{}, time.Time{}, err
		}
	}
	if to != "" {
		text := strings.TrimSpace(to)
		if last, err = order.time(text); err != nil {
			return time.Time{}, time.Time{}, err
		}
		last = endOf(last, text)
	}
	if from != "" && to != "" && last.Before(first) {
		return time.Time{}, time.Time{}, fmt.Errorf("range from %s to %s is empty: swap its ends", from, to)
	}
	return first, last, nil
}

// endOf is the last millisecond of the day, week, month, quarter, half or year that a text
// names by its first one; of a text with a time of day that time itself.
func endOf(at time.Time, text string) time.Time {
	if p, ok := periodOf([]byte(text)); ok {
		return at.AddDate(0, p.months, p.days).Add(-time.Millisecond)
	}
	numbers := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	first, n := len(numbers[0]), len(numbers)
	next := at.AddDate(0, 0, 1)
	switch {
	case strings.Contains(text, ":"), first > 8, first > 4 && n > 1: // Unix time or Excel's days with a fraction
		return at
	case first == 4 && len(text) == 4:
		next = at.AddDate(1, 0, 0)
	case first == 6, first == 4 && n == 1 && len(text) > 4: // 202401, Jan 2024
		next = at.AddDate(0, 1, 0)
	}
	return next.Add(-time.Millisecond)
}

// digits reads up to 19 decimal digits and nothing else.
func digits(field []byte) (n int64, ok bool) {
	if len(field) == 0 || len(field) > 19 {
		return 0, false
	}
	for _, c := range field {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, n >= 0 // 19 digits can be too many
}

// stamp writes a time for people: the day alone where it is midnight UTC.
func stamp(t time.Time) string {
	if t.Equal(t.Truncate(day)) {
		return t.UTC().Format(time.DateOnly)
	}
	return t.UTC().Format(time.RFC3339)
}

// stampMillis is [stamp] of Unix milliseconds.
func stampMillis(ms int64) string { return stamp(millis(ms)) }

// millis is the time of Unix milliseconds, in UTC.
func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// allMillis is [millis] of many.
func allMillis(ms []int64) []time.Time {
	times := make([]time.Time, len(ms))
	for i, m := range ms {
		times[i] = millis(m)
	}
	return times
}

// count writes a number with thousands apart.
func count(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
