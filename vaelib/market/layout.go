package market

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"vaefolio/vaelib/tabular"
)

// layout is one way in which people's files hold prices. Each has a file of its
// own, layout_NAME.go, and a place in layouts.
type layout interface {
	// name is what -layout calls it.
	name() string
	// recognise looks at the start of a file and returns how to read its rows:
	// nil where the file is none of this layout, and an error where it is one,
	// but can't be read.
	recognise(h *head) (*plan, error)
}

// layouts are all that are known; the first that recognises a file has it, so
// that those with marks of their own come before those that take almost any.
var layouts = []layout{
	freqtrade{}, french{}, bybit{}, binance{}, metatrader{}, ohlcv{}, bloomberg{}, yfinance{}, flattened{}, long{},
	klineFiles{}, wideFile{},
}

// Layouts are the names of all layouts, as [Options].Layout takes them.
func Layouts() []string {
	names := make([]string, len(layouts))
	for i, l := range layouts {
		names[i] = l.name()
	}
	slices.Sort(names)
	return names
}

// shape is what the rows of a file hold.
type shape int

const (
	wideShape    shape = iota // a time, and a price of each of many assets
	candlesShape              // a time, and the numbers of one asset
	longShape                 // a time, the name of an asset, and its numbers
)

// plan says how the rows of a file are read. Fields count from 0; -1 is none.
type plan struct {
	layout string
	shape  shape
	skip   int   // lines of the file before the first row
	width  int   // fields in a row; 0: of any number
	times  []int // field of the time, or of the date and the time of day
	dates  DateOrder

	symbols []string // wide: the assets ...
	columns []int    // ... and their fields
	symbol  string   // candles: the asset, where not the file's name says it
	asset   int      // long: field of the asset's name

	close, open, high, low, volume, turnover int  // candles and long
	split                                    int  // of new shares for an old one, where no close is adjusted for it
	raw                                      int  // the close as it was paid, where close is the adjusted one
	factor                                   int  // a close over it is adjusted for splits
	earned                                   int  // the return of the period
	quoted                                   bool // a close below 0 is the middle of bid and ask, 0 is none (CRSP)
	last                                     bool // rows are trades: the last of a day is its close

	returns Returns  // wide: the numbers are returns, in the file's own unit
	until   bool     // rows end at the first line that isn't one
	part    bool     // several files of one asset, each of a part of its life
	ignored []string // columns left out
	said    []string // what people should know: "adjusted closes"
	rows    int      // that were read so far
}

// newPlan is a plan without fields.
func newPlan(layout string, s shape) *plan {
	return &plan{layout: layout, shape: s, asset: -1, close: -1, split: -1, raw: -1, factor: -1,
		earned: -1, open: -1, high: -1, low: -1, volume: -1, turnover: -1}
}

// recognise finds the layout of a file, or the one that was asked for.
func recognise(h *head, opt *Options) (*plan, error) {
	if err := h.checkTable(); err != nil {
		return nil, err
	}
	for _, l := range layouts {
		if opt.Layout != "" && l.name() != opt.Layout {
			continue
		}
		p, err := l.recognise(h)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		if opt.Dates != 0 {
			p.dates = opt.Dates
		}
		if p.dates == 0 && len(p.times) > 0 {
			p.dates = h.orderOf(p.times[0])
		}
		return p, h.checkTimes(p)
	}
	return nil, h.unknown(opt)
}

// checkTable refuses what programs save when a download has failed: an answer in JSON,
// or a line of text.
func (h *head) checkTable() error {
	if err := h.source.Lines.Err(); err != nil && len(h.lines) == 0 && !h.typed {
		return &DataError{File: h.source.Shown, Msg: "could not be read: " + tabular.Reason(err), Err: err}
	}
	if len(h.lines) == 0 || h.typed || h.ending == "json" {
		return nil
	}
	text := h.source.Lines.Peek(longestName)
	switch first := bytes.TrimSpace(text); {
	case len(first) > 0 && (first[0] == '{' || first[0] == '['):
		return &DataError{File: h.source.Shown, Line: 1, Msg: fmt.Sprintf("is JSON, and no table: it begins %s: "+
			"is it the answer to a download that failed?", excerpt(first)), Err: tabular.ErrNoTable}
	case len(h.lines) == 1 && len(h.lines[0]) == 1 && strings.Contains(h.lines[0][0], " ") &&
		len(text) < longestName:
		return &DataError{File: h.source.Shown, Line: 1, Msg: fmt.Sprintf("holds nothing but %s: is it the answer "+
			"to a download that failed?", excerpt(first)), Err: tabular.ErrNoTable}
	}
	return nil
}

// checkTimes refuses Unix times that a spreadsheet has cut to six digits, 1.70407E+12:
// they are wrong by up to an hour and a half.
func (h *head) checkTimes(p *plan) error {
	if len(p.times) == 0 || h.header < 0 {
		return nil
	}
	if err := h.checkLabels(p.times[0]); err != nil || h.typed {
		return err
	}
	values := h.column(p.times[0])
	for _, text := range values {
		digits, _, scientific := strings.Cut(strings.ToUpper(text), "E+")
		if !scientific || len(strings.Replace(digits, ".", "", 1)) > 6 {
			return nil
		}
	}
	if len(values) < 2 {
		return nil
	}
	return h.errorf(h.header+1, p.times[0]+1, "time %s has lost digits, as spreadsheets cut them: write "+
		"whole numbers, or dates", excerpt([]byte(values[0])))
}

// unknown is the refusal of a file that no layout recognises.
func (h *head) unknown(opt *Options) error {
	if len(h.lines) == 0 {
		return &DataError{File: h.source.Shown, Msg: "file is empty", Err: tabular.ErrNoTable}
	}
	if opt.Layout != "" {
		return &DataError{File: h.source.Shown, Line: h.number[0], Msg: fmt.Sprintf(
			"is no file of the layout %s: leave -layout out, or see docs/files.md", opt.Layout)}
	}
	return h.errorf(0, 0, "no layout that is known: see docs/files.md")
}

// errorf is a defect of a line of the head; column counts from 1, 0 is none.
func (h *head) errorf(line, column int, format string, args ...any) error {
	n := 0
	if line < len(h.number) {
		n = h.number[line]
	}
	return &DataError{File: h.source.Shown, Line: n, Column: column, Msg: fmt.Sprintf(format, args...)}
}

// checkNames refuses names that no program wrote on purpose.
func (h *head) checkNames() error {
	line := max(h.header, 0)
	for i, name := range h.names() {
		if msg := checkName([]byte(name)); msg != "" {
			return h.errorf(line, i+1, "header %s", msg)
		}
	}
	return nil
}

// timeFields finds the fields of the time: one, or a date and a time of day. A
// timestamp comes first, then a date, then Unix time, which programs get wrong.
func (h *head) timeFields() []int {
	names, rows := h.names(), h.rows()
	if len(h.times) > 0 {
		return h.times[:1]
	}
	var found []int
	for i, name := range names {
		if i > 0 && name == "T" { // a symbol, whose price may look like a year or a time of day
			continue
		}
		if timeWords[canon(name)] &&
			(len(rows) == 0 || i < len(rows[0]) && (isTime(rows[0][i]) || isClock(rows[0][i]))) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		for i, name := range names { // pandas' index has no name
			c := canon(name)
			if nameless := c == "" || c == "index" || c == "unnamed0" ||
				i == 0 && (describing[c] || c == "year" || c == "quarter" || c == "week"); nameless &&
				len(rows) > 0 && i < len(rows[0]) && isTime(rows[0][i]) && !h.counts(i) {
				return []int{i}
			}
		}
		if i := find(names, timeWords); i >= 0 { // whose first values are none: the reading says so
			return []int{i}
		}
		return nil
	}
	if len(found) == 1 || len(rows) == 0 {
		return found[:1]
	}
	for _, i := range found {
		for _, j := range found {
			if i != j && isClock(rows[0][j]) && !isClock(rows[0][i]) && canon(names[j]) == "time" {
				return []int{i, j}
			}
		}
	}
	if i := column(names, "timestamp"); slices.Contains(found, i) {
		return []int{i}
	}
	for _, i := range found {
		if _, isUnix := digits([]byte(rows[0][i])); !isUnix {
			return []int{i}
		}
	}
	return found[:1]
}

// isClock says whether a field is a time of day.
func isClock(field string) bool {
	_, _, ok := clockOf([]byte(field))
	return ok && field != "" && len(field) <= 15
}

// counts says whether a field counts the rows, from 0 or 1, as pandas and R
// number them.
func (h *head) counts(i int) bool {
	values := h.column(i)
	if len(values) == 0 {
		return false
	}
	first, ok := digits([]byte(values[0]))
	if !ok || first > 1 {
		return false
	}
	for k, text := range values {
		if n, ok := digits([]byte(text)); !ok || n != first+int64(k) {
			return false
		}
	}
	return true
}

// isKey says whether a field has the same whole number in all rows of the head.
func (h *head) isKey(i int) bool {
	values := h.column(i)
	if len(values) < 2 {
		return false
	}
	_, isNumber := digits([]byte(values[0]))
	return isNumber && !slices.ContainsFunc(values, func(text string) bool { return text != values[0] })
}

// isEmpty says whether a field has nothing in all rows of the head.
func (h *head) isEmpty(i int) bool {
	values := h.column(i)
	return len(values) > 0 && !slices.ContainsFunc(values, func(text string) bool { return text != "" })
}

// skip is how many lines of the file come before the first row.
func (h *head) skip() int {
	switch {
	case h.header >= 0 && len(h.number) > 0:
		return max(h.number[h.header], h.described)
	case len(h.number) > 0:
		return h.number[0] - 1
	}
	return 0
}

// recognised says in one line what a file was taken for.
func (p *plan) recognised(h *head, zone string) string {
	parts := []string{p.layout}
	parts = append(parts, h.notes...)
	if h.dialect.separator != ',' && !h.typed {
		parts = append(parts, "separated by "+map[byte]string{';': "semicolons", '\t': "tabs",
			'|': "bars"}[h.dialect.separator])
	}
	if h.dialect.decimal == ',' {
		parts = append(parts, "decimal comma")
	}
	if p.skip > 1 && !h.typed {
		parts = append(parts, fmt.Sprintf("%d header lines", p.skip))
	}
	switch p.dates {
	case DayFirst:
		parts = append(parts, "days before months")
	case MonthFirst:
		parts = append(parts, "months before days")
	}
	parts = append(parts, p.said...)
	if zone != "" {
		parts = append(parts, zone)
	}
	return strings.Join(parts, ", ")
}
