package market

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"
)

// period is a stretch of time that a label names, such as 2024-Q1: its first day in Unix
// milliseconds, and its length in months, or in days.
type period struct {
	ms           int64
	months, days int
}

// markers are the letters by which labels say what is counted, and in months or days how
// long one of it is: quarters (trimesters in French, Spanish, Italian and Portuguese),
// halves (semesters), months, weeks (Kalenderwochen) and years.
var markers = map[string]period{
	"q": {months: 3}, "qtr": {months: 3}, "t": {months: 3}, "h": {months: 6}, "s": {months: 6}, "m": {months: 1},
	"w": {days: 7}, "wk": {days: 7}, "week": {days: 7}, "cw": {days: 7}, "kw": {days: 7},
	"fy": {months: 12}, "cy": {months: 12},
}

// token is a run of digits, or of letters in small ones, in a label.
type token struct {
	word   string
	n      int64
	length int  // of digits; 0: a word
	before byte // what separates it from the token before; 0: nothing does
}

// tokensOf takes a label apart; nil for what is none.
func tokensOf(field []byte) (tokens []token) {
	isLetter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf }
	before := byte(0)
	for i := 0; i < len(field); {
		end := i
		switch c := field[i]; {
		case isDigit(c):
			for end < len(field) && isDigit(field[end]) {
				end++
			}
			n, ok := digits(field[i:end])
			if !ok || end-i > 4 {
				return nil
			}
			tokens = append(tokens, token{n: n, length: end - i, before: before})
		case isLetter(c):
			for end < len(field) && isLetter(field[end]) {
				end++
			}
			tokens = append(tokens, token{word: strings.ToLower(string(field[i:end])), before: before})
		case bytes.IndexByte([]byte(" -/.:'"), c) >= 0 && len(tokens) > 0 && (before == 0 || before == ' ' || c == ' '):
			before = c
			i++
			continue
		default:
			return nil
		}
		before, i = 0, end
		if len(tokens) > 4 {
			return nil
		}
	}
	if before != 0 && before != '.' { // a label doesn't end in a separator
		return nil
	}
	return tokens
}

// periodOf reads a label of a period: 2024-Q1, Q1 2024, Q1/24, 1Q24, H1 2024, 2024-S1, 2024M01,
// 2024-W05 and its day 2024-W05-3 of ISO 8601, and its day of the year 2024-031, 01/2024,
// 2024.01, Jan-24, FY2024.
func periodOf(field []byte) (p period, ok bool) {
	if len(field) > 24 {
		return period{}, false
	}
	tokens := tokensOf(field)
	switch len(tokens) {
	case 2:
		a, b := tokens[0], tokens[1]
		switch {
		case a.length > 0 && b.length > 0:
			return ofNumbers(a, b)
		case a.length == 0 && b.length == 2 && monthOf([]byte(a.word)) > 0:
			return ofCount(century(b.n), monthOf([]byte(a.word)), period{months: 1})
		case (a.word == "fy" || a.word == "cy") && (b.length == 4 || b.length == 2):
			return ofCount(yearOf(b), 1, markers[a.word])
		}
	case 3, 4:
		return ofMarked(tokens)
	}
	return period{}, false
}

// ofNumbers reads two numbers that something separates: a year and its month or day.
func ofNumbers(a, b token) (period, bool) {
	if b.before == 0 || b.before == ' ' || b.before == '\'' {
		return period{}, false
	}
	if a.length < 4 && b.length == 4 { // 01/2024
		a, b = b, token{n: a.n, length: a.length, before: b.before}
	}
	switch {
	case a.length != 4:
	case b.length == 3 && b.before == '-':
		ms, ok := ofYear(a.n, b.n)
		return period{ms: ms, days: 1}, ok
	case b.length > 2:
	case b.before == '.' && b.n == 0: // a year that a program wrote as a number: 2024.0
		return ofCount(a.n, 1, period{months: 12})
	case b.before == '.' && b.length == 1: // a program took the 0 off 2024.10, and 2024.2 is none of these
		return ofCount(a.n, 10*b.n, period{months: 1})
	default:
		return ofCount(a.n, b.n, period{months: 1})
	}
	return period{}, false
}

// ofMarked reads a year, a letter that says what is counted, and the count, in any order
// that is clear; of a week perhaps its day too.
func ofMarked(tokens []token) (period, bool) {
	year, count := tokens[0], tokens[2]
	mark, day := tokens[1].word, int64(1)
	switch {
	case tokens[0].length == 0: // Q1 2024
		mark, count, year = tokens[0].word, tokens[1], tokens[2]
	case year.length < count.length: // 1Q24, 1Q2024
		year, count = count, year
	case year.length == 4 && (mark == "w") && len(tokens) == 4 && tokens[3].length == 1: // 2024-W05-3
		day = tokens[3].n
	case year.length == 4 && mark == "w" && len(tokens) == 3 && count.length == 3: // 2024W053
		count, day = token{n: count.n / 10, length: 2}, count.n%10
	}
	p, known := markers[mark]
	hasDay := len(tokens) == 4 || tokens[len(tokens)-1].length == 3
	switch {
	case !known || p.months == 12 || count.length < 1 || count.length > 2 || year.length != 4 && year.length != 2,
		year.length == count.length, hasDay && (mark != "w" || year.length != 4),
		len(tokens) == 4 && tokens[3].length != 1:
		return period{}, false
	case p.days == 7:
		if count.length != 2 && (year.length != 4 || hasDay) || day < 1 || day > 7 {
			return period{}, false
		}
		ms, ok := weekOf(yearOf(year), count.n)
		if p.ms = ms + (day-1)*day24; hasDay {
			p.days = 1
		}
		return p, ok
	}
	return ofCount(yearOf(year), count.n, p)
}

// yearOf is a year of four digits, or of two.
func yearOf(t token) int64 {
	if t.length == 2 {
		return century(t.n)
	}
	return t.n
}

// ofCount is the n-th part of a year, from 1.
func ofCount(year, n int64, p period) (period, bool) {
	if n < 1 || n > int64(12/p.months) {
		return period{}, false
	}
	ms, ok := ymd(year, (n-1)*int64(p.months)+1, 1)
	p.ms = ms
	return p, ok
}

// ofYear is a day of a year, from 1.
func ofYear(year, n int64) (ms int64, ok bool) {
	ms, ok = ymd(year, 1, 1)
	at := ms + (n-1)*day24
	return at, ok && n >= 1 && millis(at).Year() == int(year)
}

// weekOf is the Monday of a week of ISO 8601: that of the year's fourth day is its first.
// Not all years have a week 53.
func weekOf(year, n int64) (ms int64, ok bool) {
	ms, ok = ymd(year, 1, 4)
	ms += (7*(n-1) - int64(millis(ms).Weekday()+6)%7) * day24
	of, _ := millis(ms).ISOWeek()
	return ms, ok && n >= 1 && n <= 53 && of == int(year)
}

// foreign are the names of months in German, French, Spanish, Italian and Portuguese by
// their first letters, where English ones differ.
var foreign = map[string]time.Month{
	"jän": 1, "janv": 1, "ene": 1, "gen": 1, "fév": 2, "fev": 2, "mär": 3, "mrz": 3, "avr": 4, "abr": 4, "mai": 5,
	"mag": 5, "juin": 6, "giu": 6, "juil": 7, "lug": 7, "aoû": 8, "aou": 8, "ago": 8, "set": 9, "okt": 10, "ott": 10,
	"out": 10, "dez": 12, "déc": 12, "dic": 12,
}

// beginnings are what the names of months in these languages go on with.
var beginnings = strings.Fields(
	"januar jänner janvier enero gennaio janeiro februar février febrero febbraio fevereiro märz mars " +
		"marzo março avril abril aprile mai mayo maggio maio juni juin junio giugno junho juli juillet julio " +
		"luglio julho août agosto september septembre septiembre settembre setembro oktober octobre octubre " +
		"ottobre outubro november novembre noviembre novembro dezember décembre diciembre dicembre dezembro")

// monthOf is the number of a month of which the word is the name or its first letters,
// in English, German, French, Spanish, Italian or Portuguese; 0 for none.
func monthOf(word []byte) int64 {
	lower := strings.ToLower(string(word))
	if utf8.RuneCountInString(lower) < 3 {
		return 0
	}
	for m := time.January; m <= time.December; m++ {
		if strings.HasPrefix(strings.ToLower(m.String()), lower) || lower == "sept" && m == time.September {
			return int64(m)
		}
	}
	isName := lower == "mrz"
	for _, name := range beginnings {
		isName = isName || strings.HasPrefix(name, lower)
	}
	if !isName {
		return 0
	}
	for first, m := range foreign {
		if strings.HasPrefix(lower, first) {
			return int64(m)
		}
	}
	for m := time.January; m <= time.December; m++ { // septiembre
		if strings.HasPrefix(lower, strings.ToLower(m.String()[:3])) {
			return int64(m)
		}
	}
	return 0
}

func isWeekday(word []byte) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if len(word) >= 3 && bytes.EqualFold(word, []byte(d.String())[:min(len(word), len(d.String()))]) {
			return true
		}
	}
	return false
}

// checkLabels refuses labels in a field that may mean two kinds of periods.
func (h *head) checkLabels(field int) error {
	counts, years, months := map[int64]bool{}, map[int64]bool{}, map[string]bool{}
	pairs, days, reversed, next, most := 0, 0, 0, 0, int64(0)
	values := h.column(field)
	for _, text := range values {
		tokens := tokensOf([]byte(text))
		if len(tokens) != 2 {
			return nil
		}
		a, b := tokens[0], tokens[1]
		switch {
		case a.length == 4 && b.length > 0 && b.length < 3 && b.before != ' ':
			pairs++
			years[a.n], counts[b.n], most = true, true, max(most, b.n)
			if b.length == 2 && b.n == (a.n+1)%100 {
				next++
			}
			if b.length == 2 && b.n < 10 { // 2024-01 counts months
				most = 12
			}
		case b.length == 2 && a.length == 0 && monthOf([]byte(a.word)) > 0:
			days++
			months[a.word], counts[b.n] = true, true
		case a.length == 2 && b.length == 0 && monthOf([]byte(b.word)) > 0:
			reversed++
		}
	}
	what := ""
	switch {
	case len(values) > 1 && reversed == len(values), // 05-Jan: a day or a year?
		len(values) > 1 && days == len(values) && len(counts) > len(months):
		what = "has no year, or a year of two digits: write 2024-01, or 2024-01-31"
	case len(values) < 2 || pairs < len(values):
	case next == pairs && len(years) > 1:
		what = "may be a fiscal year or a month: write the years alone, such as 2024, or 2024-01"
	case most > 1 && most <= 4 && len(years) > 1:
		what = "may count quarters or months: write 2024-Q1, or 2024-01"
	}
	if what == "" {
		return nil
	}
	return h.errorf(h.header+1, field+1, "time %s %s", excerpt([]byte(values[0])), what)
}
