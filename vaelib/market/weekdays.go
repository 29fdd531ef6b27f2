package market

import (
	"slices"
	"strings"
	"time"
)

// weekdays are the days of the week on which a row of times has any. A day
// begins in the longest stretch of the clock without a time, so that a session
// that passes midnight (in UTC, say) stays whole.
type weekdays struct {
	shift  time.Duration // added to a time, so that its date is that of its day
	isOpen [7]bool       // by time.Weekday
	counts []int32       // times of each day from the first to the last
	first  int           // the first day since 1970, and the last
	last   int
	held   int // days that have any time
	usual  int // times of a day, the median over those
}

// newWeekdays finds those of rising times.
func newWeekdays(times []time.Time) *weekdays {
	shift, open := dayShift(times)
	best := weekdaysWith(times, shift)
	// Where a day begins about noon, or has one time, such as a midnight of
	// elsewhere, it may bear the date of its start or of its end: the one that
	// rests at the weekend of most exchanges is right.
	if open && !best.isWeekend() {
		if shift > 0 {
			shift -= day
		} else {
			shift += day
		}
		if other := weekdaysWith(times, shift); other.isWeekend() {
			return other
		}
	}
	return best
}

// dayShift moves the start of a day to midnight, the shorter way, and says
// whether the longer one may be meant.
func dayShift(times []time.Time) (shift time.Duration, open bool) {
	var used [24 * 60]bool
	for _, t := range times {
		used[minute(t)] = true
	}
	var marks []int
	for m, ok := range used {
		if ok {
			marks = append(marks, m)
		}
	}
	gap, at := 0, 0 // the longest stretch, and where it ends
	for i, m := range marks {
		before := marks[(i+len(marks)-1)%len(marks)]
		length := (m - before + 24*60) % (24 * 60)
		if length == 0 {
			length = 24 * 60
		}
		if length > gap {
			gap, at = length, m
		}
	}
	if gap < 2*60 || at == 0 {
		return 0, false // around the clock, or a day that begins at midnight
	}
	shift = -time.Duration((at-gap/2+24*60)%(24*60)) * time.Minute
	if shift < -day/2 {
		shift += day
	}
	return shift, shift.Abs() >= 8*time.Hour || gap > 22*60
}

// weekdaysWith counts the days of shifted times.
func weekdaysWith(times []time.Time, shift time.Duration) *weekdays {
	w := &weekdays{shift: shift}
	w.first, w.last = w.number(times[0]), w.number(times[len(times)-1])
	w.counts = make([]int32, w.last-w.first+1)
	for _, t := range times {
		w.counts[w.number(t)-w.first]++
	}
	var have, could [7]int
	sizes := make([]int32, 0, len(w.counts))
	for i, n := range w.counts {
		d := weekdayOf(w.first + i)
		could[d]++
		if n > 0 {
			have[d]++
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	w.held, w.usual = len(sizes), int(sizes[len(sizes)/2])
	highest := 0.0
	for i := range have {
		if could[i] > 0 {
			highest = max(highest, float64(have[i])/float64(could[i]))
		}
	}
	for i := range have {
		if could[i] > 0 {
			w.isOpen[i] = float64(have[i]) > 0.25*highest*float64(could[i])
		}
	}
	// A weekday that the times are too few to hold is open, but for a weekend's.
	for i := range have {
		if could[i] == 0 {
			w.isOpen[i] = i != int(time.Saturday) && i != int(time.Sunday) || w.isOpen[time.Saturday] ||
				w.isOpen[time.Sunday]
		}
	}
	return w
}

// number is the day that a time belongs to, since 1970.
func (w *weekdays) number(t time.Time) int {
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset) + int64(w.shift/time.Second)
	const perDay = int64(day / time.Second)
	if seconds < 0 {
		seconds -= perDay - 1
	}
	return int(seconds / perDay)
}

// weekdayOf is the weekday of a day; 1970 began on a Thursday.
func weekdayOf(number int) time.Weekday { return time.Weekday(((number+4)%7 + 7) % 7) }

// open counts the open weekdays.
func (w *weekdays) open() int {
	n := 0
	for _, ok := range w.isOpen {
		if ok {
			n++
		}
	}
	return n
}

// isWeekend says whether Saturday and Sunday alone are closed.
func (w *weekdays) isWeekend() bool {
	return w.open() == 5 && !w.isOpen[time.Saturday] && !w.isOpen[time.Sunday]
}

// between counts the open days between those of two times.
func (w *weekdays) between(a, b time.Time) int {
	from, to := w.number(a), w.number(b)
	if to <= from+1 {
		return 0
	}
	n := (to - from - 1) / 7 * w.open()
	for d := from + 1 + (to-from-1)/7*7; d < to; d++ {
		if w.isOpen[weekdayOf(d)] {
			n++
		}
	}
	return n
}

// expected is the number of open days from the first to the last.
func (w *weekdays) expected() int {
	n := (w.last - w.first + 1) / 7 * w.open()
	for d := w.first + (w.last-w.first+1)/7*7; d <= w.last; d++ {
		if w.isOpen[weekdayOf(d)] {
			n++
		}
	}
	return n
}

// breaks counts the steps above the given one within a day, by the minutes of
// the day at which they begin and end, and says whether most are that one.
func (w *weekdays) breaks(times []time.Time, step time.Duration) (found map[[2]int]int, regular bool) {
	found = map[[2]int]int{}
	long, within := 0, 0
	for i := range times[1:] {
		a, b := times[i], times[i+1]
		if w.number(a) != w.number(b) {
			continue
		}
		if within++; b.Sub(a) > step {
			found[[2]int{minute(a), minute(b)}]++
			long++
		}
	}
	return found, 4*long <= within
}

// String names the days.
func (w *weekdays) String() string {
	var closed []string
	for _, d := range []time.Weekday{time.Thursday, time.Friday, time.Saturday, time.Sunday, time.Monday, time.Tuesday,
		time.Wednesday} {
		if !w.isOpen[d] {
			closed = append(closed, d.String())
		}
	}
	if len(closed) == 0 {
		return "seven days a week"
	}
	names := map[int]string{1: "one day", 2: "two days", 3: "three days", 4: "four days", 5: "five days", 6: "six days"}
	return names[7-len(closed)] + " a week, closed on " + strings.Join(closed, " and ")
}
