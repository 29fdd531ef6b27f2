package features

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/tabular"
)

// Series is a row of values from outside the prices, such as an index of
// implied volatility.
type Series struct {
	Name   string
	Unit   string
	Times  []time.Time // rising, as the file labels them
	Values []float64   // finite
	// Delay is from the label of a value to when it became known. A day's
	// close is labelled with the day's start, as candles are, and known a day
	// later; a value that is published at its label has none.
	Delay time.Duration
	// MaxAge is how old, from when it became known, a value may be and still
	// stand for the present.
	MaxAge time.Duration
}

// SeriesOptions say how [ReadSeries] reads a file.
type SeriesOptions struct {
	Column string // the values' column, in any case; "": the only one beside timestamp and date
	Name   string // "": the column's
	Unit   string // "": "as given"
	// Delay of [Series]. nil: the commonest step of the times, as of a row
	// whose values are closes of intervals that the times open. That is never
	// too early for closes, and a step late for values known at their times.
	Delay  *time.Duration
	MaxAge time.Duration // of [Series]; 0: 7 of the commonest steps
}

// ReadSeries reads a CSV, or a table packed as prices may be, with a header: a column timestamp or date (the first
// of them, in any case, as [market.ParseTime] reads it), the values' column,
// and others, which are ignored. Rows may be in any order, but only one may
// have a time. A row without a value is left out.
//
// It returns a [*market.DataError] for a defect of the file.
func ReadSeries(path string, opt SeriesOptions) (*Series, error) {
	file, err := tabular.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseSeries(file, path, opt)
}

// mostValues bounds the memory of a series: 30 years of minutes.
const mostValues = 16 << 20

func parseSeries(r io.Reader, file string, opt SeriesOptions) (*Series, error) {
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	lines.TrimLeadingSpace = true
	header, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil, &market.DataError{File: file, Msg: "file is empty"}
	}
	if err != nil {
		return nil, csvError(file, err)
	}
	timeColumn, valueColumn, err := seriesColumns(header, opt.Column)
	if err != nil {
		return nil, &market.DataError{File: file, Line: 1, Msg: err.Error()}
	}
	s := &Series{Name: opt.Name, Unit: opt.Unit, MaxAge: opt.MaxAge}
	if s.Name == "" {
		s.Name = strings.TrimSpace(header[valueColumn])
	}
	if s.Unit == "" {
		s.Unit = "as given"
	}
	if err := s.read(lines, file, timeColumn, valueColumn); err != nil {
		return nil, err
	}
	step := commonestStep(s.Times)
	s.Delay = step
	if opt.Delay != nil {
		s.Delay = *opt.Delay
	}
	if s.MaxAge == 0 {
		s.MaxAge = 7 * step
	}
	if s.Delay < 0 || s.MaxAge < 0 {
		return nil, fmt.Errorf("series %s has a delay of %v and a largest age of %v: neither can be negative",
			s.Name, s.Delay, s.MaxAge)
	}
	return s, nil
}

// read reads the values in the order of their times.
func (s *Series) read(lines *csv.Reader, file string, timeColumn, valueColumn int) error {
	type row struct {
		time  time.Time
		value float64
		line  int
	}
	var rows []row
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return csvError(file, err)
		}
		line, _ := lines.FieldPos(0)
		defect := func(column int, msg string) error {
			return &market.DataError{File: file, Line: line, Column: column + 1, Msg: msg}
		}
		at, err := market.ParseTime(strings.TrimSpace(record[timeColumn]))
		if err != nil {
			return defect(timeColumn, err.Error())
		}
		text := strings.TrimSpace(record[valueColumn])
		if text == "" {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || strings.ContainsAny(text, "xX_") {
			return defect(valueColumn, fmt.Sprintf(
				"%.40q is not a finite number: correct it, or leave it empty", text))
		}
		if len(rows) == mostValues {
			return defect(valueColumn, fmt.Sprintf("more than %d values: thin the series out", mostValues))
		}
		rows = append(rows, row{at, v, line})
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.time.Compare(b.time) })
	for i, r := range rows {
		if i > 0 && r.time.Equal(rows[i-1].time) {
			return &market.DataError{File: file, Line: r.line, Column: timeColumn + 1,
				Msg: fmt.Sprintf("time %s is on line %d already: keep one of the rows", stamp(r.time), rows[i-1].line)}
		}
		s.Times = append(s.Times, r.time)
		s.Values = append(s.Values, r.value)
	}
	if len(rows) < 2 {
		return &market.DataError{File: file, Msg: fmt.Sprintf(
			"%d values are too few for a series: at least 2 are needed", len(rows))}
	}
	return nil
}

// seriesColumns finds the columns of times and values.
func seriesColumns(header []string, want string) (times, values int, err error) {
	times, values = -1, -1
	var others []string
	for j, h := range header {
		h = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		switch {
		case strings.EqualFold(h, "timestamp"), strings.EqualFold(h, "date"):
			if times < 0 {
				times = j
			}
		case want == "" || strings.EqualFold(h, want):
			others = append(others, h)
			values = j
		}
	}
	switch {
	case times < 0:
		return 0, 0, errors.New("no column timestamp or date: name one so")
	case len(others) == 0 && want != "":
		return 0, 0, fmt.Errorf("no column %.40q: name one of the header's", want)
	case len(others) == 0:
		return 0, 0, errors.New("no column of values beside the times")
	case len(others) > 1:
		return 0, 0, fmt.Errorf("%d columns could be the values, the first is %.40q: choose one",
			len(others), others[0])
	}
	return times, values, nil
}

// csvError is a defect that encoding/csv found.
func csvError(file string, err error) error {
	if p := new(csv.ParseError); errors.As(err, &p) {
		return &market.DataError{File: file, Line: p.Line, Msg: p.Err.Error() + ": correct the line", Err: err}
	}
	if defect := new(market.DataError); errors.As(err, &defect) {
		return defect
	}
	return &market.DataError{File: file, Msg: "could not be read: " + err.Error(), Err: err}
}

// align calls set with the newest value that is known when a row of the given
// times is: one interval after its time.
func (s *Series) align(times []time.Time, interval time.Duration, set func(t int, v float64)) {
	for t, at := range times {
		now := at.Add(interval)
		i := sort.Search(len(s.Times), func(i int) bool { return s.Times[i].Add(s.Delay).After(now) }) - 1
		if i >= 0 && now.Sub(s.Times[i].Add(s.Delay)) <= s.MaxAge {
			set(t, s.Values[i])
		}
	}
}
