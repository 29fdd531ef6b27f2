package market

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// moment is a time as a file writes it.
type moment struct {
	ms     int64 // Unix milliseconds; of a time without a zone as if it were UTC
	offset int32 // seconds east of Greenwich that the file states; unzoned where it states none
}

// unzoned is the offset of a time without a zone.
const unzoned = math.MinInt32

// DateOrder says what comes first in a date such as 01/02/2024. The zero value:
// the file tells.
type DateOrder byte

// The orders.
const (
	DayFirst   DateOrder = 'd'
	MonthFirst DateOrder = 'm'
)

// unknownTime is what is wrong with a time that has none of the known forms.
func unknownTime(field []byte) string {
	return fmt.Sprintf("time %s is not YYYY-MM-DD, RFC 3339 or Unix milliseconds", excerpt(field))
}

// parse returns the moment that a field names, or what is wrong with it.
func (o DateOrder) parse(field []byte) (at moment, msg string) {
	at.offset = unzoned
	if len(field) == 0 {
		return at, "time is empty: put one in, or delete the row"
	}
	if n, ok := digits(field); ok {
		at.ms, ok = compact(n, len(field))
		if !ok && len(field) == 8 { // 31012024 or 01312024
			if ms, _, msg := o.date(bytes.Join([][]byte{field[:2], field[2:4], field[4:]}, []byte{'/'})); msg == "" {
				return moment{ms, unzoned}, ""
			}
		}
		if !ok {
			return at, fmt.Sprintf(
				"time %s is neither a date such as 20240131 or 202401310930 nor Unix seconds, milli-, micro- or "+
					"nanoseconds", field)
		}
		return at, ""
	}
	if ms, ok := fractional(field); ok {
		at.ms = ms
		return at, ""
	}
	field = plainDate(field)
	date, rest, msg := o.date(field)
	if msg != "" {
		return at, msg
	}
	clock, offset, ok := timeOfDay(rest)
	if !ok {
		return at, unknownTime(field)
	}
	at.ms, at.offset = date+clock.Milliseconds(), offset
	if offset != unzoned {
		at.ms -= 1000 * int64(offset)
	}
	if !known(at.ms) {
		return at, unknownTime(field)
	}
	return at, ""
}

// compact reads a number of so many digits as a date or as Unix time. The ways
// hardly overlap: where a number is a date and a time of day, it isn't taken
// for Unix time of the years that nobody has prices of.
func compact(n int64, length int) (ms int64, ok bool) {
	day := func(n int64) (int64, bool) {
		ms, ok := ymd(n/10000, n/100%100, n%100)
		return ms, ok && (length == 8 || n >= 1900_00_00 && n < 2100_00_00)
	}
	clock := func(ms int64, ok bool, h, m, s int64) (int64, bool) {
		return ms + 1000*(3600*h+60*m+s), ok && h < 24 && m < 60 && s < 60
	}
	unix := func(ms int64) (int64, bool) { return ms, known(ms) }
	switch length {
	case 4:
		return ymd(n, 1, 1)
	case 5: // Excel counts days from 1899-12-30
		return (n - 25569) * day24, n >= 20000 && n < 80000
	case 6:
		return ymd(n/100, n%100, 1)
	case 7: // ISO 8601 counts the days of a year
		return ofYear(n/1000, n%1000)
	case 8:
		return day(n)
	case 9:
		return unix(n * 1000)
	case 10:
		ms, ok = day(n / 100)
		if ms, ok = clock(ms, ok, n%100, 0, 0); ok {
			return ms, true
		}
		return unix(n * 1000)
	case 12:
		ms, ok = day(n / 10000)
		if ms, ok = clock(ms, ok, n/100%100, n%100, 0); ok {
			return ms, true
		}
		return unix(n)
	case 13:
		return unix(n)
	case 14:
		ms, ok = day(n / 1_000_000)
		return clock(ms, ok, n/10000%100, n/100%100, n%100)
	case 15, 16:
		return unix(n / 1000)
	case 17:
		ms, ok = day(n / 1_000_000_000)
		ms, ok = clock(ms, ok, n/10_000_000%100, n/100_000%100, n/1000%100)
		return ms + n%1000, ok
	case 18, 19:
		return unix(n / 1_000_000)
	}
	return 0, false
}

// day24 is a day in milliseconds.
const day24 = 24 * 3600 * 1000

// known tells whether a moment lies in the years 1500 to 2200.
func known(ms int64) bool { y := millis(ms).Year(); return y >= 1500 && y <= 2200 }

// ymd is midnight UTC of a date in the years 1500 to 2200.
func ymd(y, m, d int64) (ms int64, ok bool) {
	t := time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC)
	// An impossible date such as 02-30 comes back as another.
	return t.UnixMilli(), y >= 1500 && y <= 2200 && m >= 1 && m <= 12 && t.Day() == int(d)
}

// fractional reads Unix time or Excel's days with a fraction or an exponent,
// as programs write columns that once had gaps.
func fractional(field []byte) (ms int64, ok bool) {
	whole, fraction, dotted := bytes.Cut(field, []byte{'.'})
	if n, isWhole := digits(whole); isWhole && dotted {
		part, err := strconv.ParseFloat("0."+string(fraction), 64)
		if err == nil && len(whole) != 4 && len(whole) != 6 && len(whole) != 8 && part < 1 {
			ms, ok = compact(n, len(whole))
			switch {
			case len(whole) == 5:
				ms += int64(math.Round(part * day24))
			case len(whole) < 11:
				ms += int64(part * 1000)
			}
			return ms, ok
		}
	}
	if v, err := strconv.ParseFloat(string(field), 64); err == nil && bytes.ContainsAny(field, "eE") && v >= 1e8 &&
		v < 1e19 && v == math.Trunc(v) {
		text := strconv.FormatFloat(v, 'f', 0, 64)
		n, _ := digits([]byte(text))
		return compact(n, len(text))
	}
	return 0, false
}

// cjk are the marks behind the numbers of a Chinese or Japanese date.
var cjk = strings.NewReplacer("年", "-", "月", "-", "日", "")

// plainDate takes the day of the week off the start of a date in numbers, and an apostrophe,
// by which spreadsheets say that it is text; and writes 2024年1月31日 as 2024-1-31.
func plainDate(field []byte) []byte {
	field = bytes.TrimPrefix(field, []byte{'\''})
	if bytes.Contains(field, []byte("年")) {
		field = bytes.TrimRight([]byte(cjk.Replace(string(field))), "-")
	}
	if end := bytes.IndexAny(field, " ,."); end >= 3 && isWeekday(field[:end]) {
		if rest := bytes.TrimLeft(field[end:], " ,."); len(rest) > 0 && isDigit(rest[0]) &&
			bytes.ContainsAny(rest[:min(3, len(rest))], "/-.") {
			return rest
		}
	}
	return field
}

// date reads the date at the start of a field and returns what follows it.
func (o DateOrder) date(field []byte) (ms int64, rest []byte, msg string) {
	a, n, sep := part(field)
	b, m, again := part(field[n:])
	c, l, _ := part(field[n+m:])
	end := n + m + l
	if ms, rest, ok := basicDate(field); ok {
		return ms, rest, ""
	}
	if n < 2 || m < 2 || sep != again || sep != '-' && sep != '/' && sep != '.' || l == 0 {
		if p, ok := periodOf(field); ok {
			return p.ms, nil, ""
		}
		return namedDate(field)
	}
	if last := field[end-1]; last < '0' || last > '9' {
		end--
		l--
	}
	y, mon, d := a, b, c
	if n == 5 {
		if l > 2 {
			return 0, nil, unknownTime(field)
		}
	} else {
		short := l == 2 && n <= 3 && m <= 3
		if !short && (l != 4 || n > 3 || m > 3) {
			return 0, nil, unknownTime(field)
		}
		if y = c; short {
			y = century(c)
		}
		switch {
		case short && o == 0:
			return 0, nil, fmt.Sprintf("time %s has a year of two digits, and what stands first isn't clear: write "+
				"YYYY-MM-DD, or say -dates dmy or mdy where the year is last", excerpt(field))
		case a > 12 || o == DayFirst || o == 0 && sep == '.':
			d, mon = a, b
		case b > 12 || o == MonthFirst || a == b:
			mon, d = a, b
		default:
			return 0, nil, fmt.Sprintf("time %s has its day or its month first: say which by -dates dmy or mdy",
				excerpt(field))
		}
		if o == DayFirst && mon > 12 || o == MonthFirst && a > 12 {
			return 0, nil, fmt.Sprintf("time %s has its parts in another order than other rows", excerpt(field))
		}
	}
	ms, ok := ymd(y, mon, d)
	if !ok {
		return 0, nil, unknownTime(field)
	}
	return ms, field[end:], ""
}

// basicDate reads 20240131 where a time of day follows it, behind a blank or, as ISO 8601
// has it, a T.
func basicDate(field []byte) (ms int64, rest []byte, ok bool) {
	if len(field) < 9 || field[8] != 'T' && field[8] != ' ' {
		return 0, nil, false
	}
	if n, isNumber := digits(field[:8]); isNumber {
		ms, ok = compact(n, 8)
	}
	return ms, field[8:], ok
}

// century is the year of two digits: up to 68 of this century, as in POSIX.
func century(n int64) int64 {
	if n > 68 {
		return 1900 + n
	}
	return 2000 + n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// part reads digits and one byte after them, of which there are length.
func part(field []byte) (n int64, length int, after byte) {
	for i, c := range field {
		if c < '0' || c > '9' {
			if i == 0 {
				return 0, 0, c
			}
			return n, i + 1, c
		}
		if i >= 4 {
			return 0, 0, 0
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(field), 0
}

// timeOfDay reads what may follow a date: nothing, or a blank or T, hours and
// minutes, perhaps seconds and their fraction, AM or PM, and a zone.
func timeOfDay(text []byte) (clock time.Duration, offset int32, ok bool) {
	offset = unzoned
	text = bytes.TrimLeft(text, " T,;")
	if len(text) == 0 {
		return 0, offset, true
	}
	if c := text[0]; c == 'Z' || c == '+' || c == '-' && len(text) > 3 { // a date with a zone, as XML writes them
		offset, ok = zoneOffset(text)
		return 0, offset, ok
	}
	if text = withColons(text); len(text) == 0 {
		return 0, offset, false
	}
	hours, n, sep := part(text)
	if n < 2 || sep != ':' || hours > 24 {
		return 0, offset, false
	}
	text = text[n:]
	minutes, n, sep := part(text)
	if n < len(text) || sep != 0 {
		n-- // what follows the digits
	}
	if n < 1 || n > 2 || minutes > 59 {
		return 0, offset, false
	}
	clock = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	text = text[n:]
	if sep == ':' {
		text = text[1:]
		end := bytes.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end < 0 {
			end = len(text)
		}
		seconds, err := strconv.ParseFloat(string(text[:end]), 64)
		if err != nil || seconds >= 60 {
			return 0, offset, false
		}
		clock += time.Duration(math.Round(seconds*1e6)) * time.Microsecond
		text = text[end:]
	}
	text = bytes.TrimLeft(text, " ")
	if len(text) >= 2 && (text[1] == 'M' || text[1] == 'm') {
		switch afternoon := text[0] == 'P' || text[0] == 'p'; {
		case !afternoon && text[0] != 'A' && text[0] != 'a', hours > 12:
			return 0, offset, false
		case afternoon && hours < 12:
			clock += 12 * time.Hour
		case !afternoon && hours == 12:
			clock -= 12 * time.Hour
		}
		text = bytes.TrimLeft(text[2:], " ")
	} else if hours == 24 {
		return 0, offset, false
	}
	offset, ok = zoneOffset(text)
	return clock, offset, ok
}

// withColons writes the colons into HHMMSS or HHMM at the start of a time of day.
func withColons(text []byte) []byte {
	n := bytes.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if n < 0 {
		n = len(text)
	}
	switch n {
	case 4:
		return slices.Concat(text[:2], []byte{':'}, text[2:])
	case 6:
		return slices.Concat(text[:2], []byte{':'}, text[2:4], []byte{':'}, text[4:])
	}
	return text
}

// clockOf reads a time of day that stands alone: HH:MM, HH:MM:SS, HHMMSS or, as
// programs drop leading zeros, fewer digits.
func clockOf(text []byte) (clock time.Duration, offset int32, ok bool) {
	if n, isNumber := digits(text); isNumber && len(text) <= 6 {
		if len(text) <= 4 && len(text) > 2 { // HHMM
			n *= 100
		}
		h, m, s := n/10000, n/100%100, n%100
		return time.Duration(3600*h+60*m+s) * time.Second, unzoned, h < 24 && m < 60 && s < 60
	}
	if len(text) == 0 {
		return 0, unzoned, false
	}
	return timeOfDay(text)
}

// abbreviated are zones by the letters that mean one alone, in minutes east of Greenwich. CST,
// IST and BST mean several.
var abbreviated = map[string]int32{"EST": -300, "EDT": -240, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480,
	"PDT": -420, "WET": 0, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180, "HKT": 480, "SGT": 480,
	"JST": 540, "KST": 540, "AEST": 600, "AEDT": 660}

// zoneOffset reads Z, UTC, GMT, EST and the like, +01:00, +0100 or +01, or nothing.
func zoneOffset(text []byte) (offset int32, ok bool) {
	switch string(text) {
	case "":
		return unzoned, true
	case "Z", "z", "UTC", "GMT", "+00:00 UTC", "+0000 UTC":
		return 0, true
	}
	if minutes, known := abbreviated[string(text)]; known {
		return 60 * minutes, true
	}
	sign := int32(1)
	switch text[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	plain := bytes.Replace(text[1:], []byte{':'}, nil, 1)
	n, ok := digits(plain)
	switch {
	case !ok:
		return 0, false
	case len(plain) == 2:
		n *= 100
	case len(plain) != 4:
		return 0, false
	}
	if n/100 > 15 || n%100 > 59 {
		return 0, false
	}
	return sign * int32(n/100*3600+n%100*60), true
}

// namedDate reads dates with the English name of a month, such as Jan 02, 2024,
// 02-Jan-2024, 2 January 2024 or Tue Jan 2 2024, and what follows them.
func namedDate(field []byte) (ms int64, rest []byte, msg string) {
	var y, m, d int64
	text := field
	for y == 0 || m == 0 || d == 0 {
		text = bytes.TrimLeft(text, " -/,.")
		if len(text) == 0 {
			break
		}
		end := bytes.IndexAny(text, " -/,.:")
		if end < 0 {
			end = len(text)
		}
		for i := 1; i < end; i++ { // 02JAN2024
			if isDigit(text[i-1]) != isDigit(text[i]) {
				end = i
				break
			}
		}
		word := text[:end]
		if d > 0 && isOrdinal(word) {
			text = text[end:]
			continue
		}
		if end < len(text) && text[end] == ':' { // a time of day before the year
			return 0, nil, unknownTime(field)
		}
		text = text[end:]
		if n, ok := digits(word); ok {
			switch {
			case len(word) == 4 && y == 0:
				y = n
			case len(word) <= 2 && d == 0:
				d = n
			case len(word) == 2 && y == 0 && m > 0: // 02-Jan-24
				y = century(n)
			default:
				return 0, nil, unknownTime(field)
			}
			continue
		}
		switch month := monthOf(word); {
		case month > 0 && m == 0:
			m = month
		case m == 0 && isWeekday(word):
		default:
			return 0, nil, unknownTime(field)
		}
	}
	if y > 0 && m > 0 && d == 0 {
		d = 1
	}
	ms, ok := ymd(y, m, d)
	if !ok {
		return 0, nil, unknownTime(field)
	}
	return ms, text, ""
}

// isOrdinal says whether a word is what follows the number of a day, as in Jan 1st, 2024.
func isOrdinal(word []byte) bool {
	return len(word) == 2 && slices.Contains([]string{"st", "nd", "rd", "th"}, strings.ToLower(string(word)))
}

// moments are a column of times.
type moments struct {
	ms      []int64
	offsets []int32 // nil while no row states one
}

// grow makes room for n rows.
func (m *moments) grow(n int) { m.ms = slices.Grow(m.ms, n) }

// add appends a row's time.
func (m *moments) add(at moment) {
	if at.offset != unzoned && m.offsets == nil {
		m.offsets = slices.Repeat([]int32{unzoned}, len(m.ms))
	}
	m.ms = append(m.ms, at.ms)
	if m.offsets != nil {
		m.offsets = append(m.offsets, at.offset)
	}
}

// local is what the clock shows where the file was written.
func (m moment) local() int64 {
	if m.offset == unzoned {
		return m.ms
	}
	return m.ms + 1000*int64(m.offset)
}

// arrange brings the times in order. It returns the order (nil when they are
// in order already), and how many rows stood behind a later one.
func (m *moments) arrange() (order []int, moved int) {
	latest := int64(math.MinInt64)
	for _, ms := range m.ms {
		if ms < latest {
			moved++
		}
		latest = max(latest, ms)
	}
	if moved == 0 {
		return nil, 0
	}
	order = make([]int, len(m.ms))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(m.ms[a], m.ms[b]) })
	sorted := moments{ms: make([]int64, 0, len(order))}
	for _, o := range order {
		sorted.add(m.at(o))
	}
	*m = sorted
	return order, moved
}

// at is row i.
func (m *moments) at(i int) moment {
	if m.offsets == nil {
		return moment{m.ms[i], unzoned}
	}
	return moment{m.ms[i], m.offsets[i]}
}

// move puts row from in the place of row to.
func (m *moments) move(to, from int) {
	m.ms[to] = m.ms[from]
	if m.offsets != nil {
		m.offsets[to] = m.offsets[from]
	}
}

// cut keeps the first n rows.
func (m *moments) cut(n int) {
	m.ms = m.ms[:n]
	if m.offsets != nil {
		m.offsets = m.offsets[:n]
	}
}
