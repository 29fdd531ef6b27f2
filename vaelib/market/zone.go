package market

import (
	"fmt"
	"time"
)

// labels are the times of a file's rows, rising, as the panel is to name them.
type labels struct {
	times []int64        // Unix milliseconds
	zone  *time.Location // in which the file's local dates are; nil: it states none
	daily bool           // the times are local dates, at midnight UTC
}

// localise finds what rows with these instants and stated offsets (nil: none)
// are to be called. A file with at most one row a local date is labelled by
// those dates, so that Monday is Monday east of Greenwich too and daily files of
// all exchanges meet; other rows keep their instants.
func localise(times []int64, offsets []int32) labels {
	if offsets == nil {
		return labels{times: times}
	}
	midnight, daily := true, true // in UTC; one row a local date
	dates := make([]int64, len(times))
	for i, ms := range times {
		offset := offsets[i]
		if offset == unzoned {
			offset = 0
		}
		local := ms + 1000*int64(offset)
		dates[i] = local - floorMod(local, day24)
		midnight = midnight && floorMod(ms, day24) == 0
		daily = daily && (i == 0 || dates[i] > dates[i-1] || ms == times[i-1])
	}
	zone := zoneOf(times, offsets)
	switch {
	case midnight: // days of UTC, whatever the zone that they are written in
		return labels{times: times, daily: daily}
	case daily && len(times) > 1:
		return labels{times: dates, zone: zone, daily: true}
	}
	return labels{times: times, zone: zone}
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }

// zones are those that a file's offsets are compared with, the largest
// exchanges first.
var zones = []string{
	"America/New_York", "America/Chicago", "Europe/London", "Europe/Berlin", "Asia/Tokyo", "Asia/Hong_Kong",
	"Asia/Kolkata",
	"Australia/Sydney", "America/Sao_Paulo", "America/Los_Angeles", "America/Denver", "Europe/Helsinki",
	"Asia/Jerusalem",
	"Africa/Johannesburg", "Europe/Istanbul", "Asia/Bangkok", "Pacific/Auckland", "America/Halifax",
}

// zoneOf is the first of the zones that has all the offsets at their times, or
// else a fixed one of the last row. It is nil for UTC, and without offsets.
func zoneOf(times []int64, offsets []int32) *time.Location {
	stated, east := false, int32(0)
	for _, offset := range offsets {
		if offset != unzoned {
			stated = stated || offset != 0
			east = offset
		}
	}
	if !stated {
		return nil
	}
	for _, name := range zones {
		if zone, err := time.LoadLocation(name); err == nil && fits(zone, times, offsets) {
			return zone
		}
	}
	sign, minutes := '+', east/60
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	return time.FixedZone(fmt.Sprintf("%c%02d:%02d", sign, minutes/60, minutes%60), int(east))
}

// fits says whether a zone has the offsets stated at the times. It looks at a
// row of every change, and at some between.
func fits(zone *time.Location, times []int64, offsets []int32) bool {
	for i, offset := range offsets {
		if i > 0 && i < len(offsets)-1 && offset == offsets[i-1] && offset == offsets[i+1] && i%20 != 0 {
			continue
		}
		if _, at := millis(times[i]).In(zone).Zone(); offset != unzoned && int32(at) != offset {
			return false
		}
	}
	return true
}
