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
func ParseTime(text string) (time.Time, error) {
	at, msg := DateOrder(0).parse([]byte(text))
	if msg != "" {
		return time.Time{}, errors.New(msg)
	}
	return millis(at.ms), nil
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
		if wholeDay(to) {
			last = last.Add(day - time.Millisecond)
		}
	}
	if from != "" && to != "" && last.Before(first) {
		return time.Time{}, time.Time{}, fmt.Errorf("range from %s to %s is empty: swap its ends", from, to)
	}
	return first, last, nil
}

// wholeDay says whether a time is a date alone.
func wholeDay(text string) bool {
	return !strings.ContainsAny(text, ":T") && (len(text) == len(time.DateOnly) || len(text) == len("20060102"))
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
