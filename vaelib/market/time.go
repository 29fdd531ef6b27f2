package market

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ParseTime reads a time as price files write it: YYYY-MM-DD, RFC 3339 (with a
// blank for the T, and without a zone, too), or Unix milliseconds. Without a
// zone it is UTC.
func ParseTime(text string) (time.Time, error) {
	ms, msg := parseTime([]byte(text))
	if msg != "" {
		return time.Time{}, errors.New(msg)
	}
	return millis(ms), nil
}

// ParseSpan reads the two ends of a range for [Options]. Both are inclusive;
// empty text leaves an end open, and a bare date as the second means the whole
// day.
func ParseSpan(from, to string) (first, last time.Time, err error) {
	if from != "" {
		if first, err = ParseTime(from); err != nil {
			return time.Time{}, time.Time{}, err
		}
	}
	if to != "" {
		if last, err = ParseTime(to); err != nil {
			return time.Time{}, time.Time{}, err
		}
		if len(to) == len(time.DateOnly) {
			last = last.Add(day - time.Millisecond)
		}
	}
	if from != "" && to != "" && last.Before(first) {
		return time.Time{}, time.Time{}, fmt.Errorf("range from %s to %s is empty: swap its ends", from, to)
	}
	return first, last, nil
}

// Unix milliseconds between these are years 1973 to 5138; a smaller number is
// taken for seconds, a larger one for microseconds.
const (
	fewestMillis = 100_000_000_000
	mostMillis   = 100_000_000_000_000
)

var layouts = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", time.DateTime, "2006-01-02T15:04:05"}

// parseTime returns Unix milliseconds, or what is wrong.
func parseTime(field []byte) (ms int64, msg string) {
	if len(field) == 0 {
		return 0, "time is empty: put one in, or delete the row"
	}
	if n, ok := digits(field); ok {
		switch {
		case n < fewestMillis:
			return 0, fmt.Sprintf("time %d is too small for Unix milliseconds: seconds times 1000, or a date YYYY-MM-DD?", n)
		case n >= mostMillis:
			return 0, fmt.Sprintf("time %d is too large for Unix milliseconds: micro- or nanoseconds?", n)
		}
		return n, ""
	}
	if len(field) == len(time.DateOnly) && field[4] == '-' && field[7] == '-' {
		y, okY := digits(field[:4])
		m, okM := digits(field[5:7])
		d, okD := digits(field[8:])
		t := time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC)
		// An impossible date such as 02-30 comes back as another.
		if okY && okM && okD && t.Month() == time.Month(m) && t.Day() == int(d) {
			return t.UnixMilli(), ""
		}
	} else {
		for _, layout := range layouts {
			if t, err := time.Parse(layout, string(field)); err == nil {
				return t.UnixMilli(), ""
			}
		}
	}
	return 0, fmt.Sprintf("time %s is not YYYY-MM-DD, RFC 3339 or Unix milliseconds", excerpt(field))
}

// digits reads up to 18 decimal digits and nothing else.
func digits(field []byte) (n int64, ok bool) {
	if len(field) == 0 || len(field) > 18 {
		return 0, false
	}
	for _, c := range field {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
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
