package compare

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/tabular"
)

// Tracks are series of simple returns over the same periods, one a strategy.
type Tracks struct {
	Source  string // the file or folder, as errors call it
	Names   []string
	Sources []string    // of each track
	Times   []time.Time // the end of each period; nil: not known
	Returns *mat.Dense  // T x N
	// PeriodsPerYear as the run that made them has it; 0: not known.
	PeriodsPerYear float64
	Notes          []string // what was left out or looks odd, one line each
}

// Column returns the returns of track k (T).
func (t *Tracks) Column(k int) []float64 { return mat.Col(nil, k, t.Returns) }

// Periods returns T.
func (t *Tracks) Periods() int { rows, _ := t.Returns.Dims(); return rows }

// mostNumbers bounds the memory that a file takes: 256 MiB.
const mostNumbers = 1 << 25

// dateColumns are the names of a first column of times.
var dateColumns = []string{"date", "timestamp", "time", "datetime", "day", "month"}

// ReadTracks reads a file of returns: a header with a name for each strategy, one
// row a period, simple returns as shares (0.01 or 1% is one per cent), and perhaps
// a first column of dates. The file may be packed by gzip, or be Parquet or Arrow.
// Cells before a strategy's first return and after its last may be empty: the
// periods that all strategies have are kept. Everything that is wrong with the
// file is a [*tabular.Error].
func ReadTracks(path string) (*Tracks, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, &tabular.Error{File: path, Msg: "is a folder, not a file of returns"}
	}
	file, err := tabular.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readTracks(file, path)
}

// table is a file of returns being read.
type table struct {
	file  string
	line  int
	dates bool // the first column has times
	index bool // the first column has row numbers
	names []string
	times []time.Time
	lines []int // of the rows
	rows  [][]float64
}

func readTracks(r io.Reader, file string) (*Tracks, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord, reader.ReuseRecord, reader.TrimLeadingSpace = -1, true, true
	t := &table{file: file}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, t.unread(err)
		}
		t.line, _ = reader.FieldPos(0)
		switch {
		case t.names == nil:
			err = t.header(record)
		case len(t.rows)*len(t.names) > mostNumbers:
			err = t.refuse(0, "more than %d numbers: leave out strategies or rows", mostNumbers)
		default:
			err = t.row(record)
		}
		if err != nil {
			return nil, err
		}
	}
	return t.tracks()
}

// refuse is a defect of the current line; column counts from 1, 0 is none.
func (t *table) refuse(column int, format string, args ...any) error {
	return &tabular.Error{File: t.file, Line: t.line, Column: column, Msg: fmt.Sprintf(format, args...)}
}

// unread is what hinders reading on.
func (t *table) unread(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		t.line = parse.Line
		return t.refuse(parse.Column, "%v: this is no CSV", parse.Err)
	}
	var defect *tabular.Error
	if errors.As(err, &defect) {
		return defect
	}
	t.line++
	return t.refuse(0, "%s", tabular.Reason(err))
}

func (t *table) header(record []string) error {
	if len(record) == 1 && strings.ContainsAny(record[0], ";\t") {
		return t.refuse(0, "columns are separated by something else than commas: write them with commas, and "+
			"decimals with points")
	}
	first := strings.ToLower(strings.TrimSpace(record[0]))
	t.dates = slices.Contains(dateColumns, first)
	t.index = first == "" || first == "index"
	if first == "strategy" || first == "id" {
		return t.refuse(1, "a column %s: this looks like weights; a file of returns has one column a strategy", first)
	}
	named := make(map[string]bool, len(record))
	for j, name := range record {
		name = strings.TrimSpace(name)
		switch _, err := strconv.ParseFloat(name, 64); {
		case j == 0 && (t.dates || t.index):
			continue
		case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
			return t.refuse(j+1, "the name %q has letters that can't be seen: name the strategy otherwise", name)
		case name == "":
			return t.refuse(j+1, "a column without a name: name the strategy in the header")
		case err == nil:
			return t.refuse(j+1, "%s is no name: the first line is a header with a name for each strategy", name)
		case named[name]:
			return t.refuse(j+1, "strategy %s is there twice: give each column a name of its own", name)
		}
		t.names = append(t.names, strings.Clone(name))
		named[t.names[len(t.names)-1]] = true
	}
	if len(t.names) == 0 {
		return t.refuse(0, "no column of returns: one column a strategy is wanted")
	}
	return nil
}

func (t *table) row(record []string) error {
	lead := 0
	if t.dates || t.index {
		lead = 1
	}
	if len(record) == 1 && strings.TrimSpace(record[0]) == "" && len(t.names)+lead > 1 {
		return nil // blanks; of one column they are a cell without a return
	}
	if len(record) != len(t.names)+lead {
		return t.refuse(0, "%d cells where the header has %d: is the file cut short?", len(record), len(t.names)+lead)
	}
	if t.index && len(t.rows) == 0 { // pandas leaves the name of its index out
		_, err := strconv.ParseInt(strings.TrimSpace(record[0]), 10, 64)
		t.dates, t.index = err != nil, err == nil
	}
	if t.dates {
		at, err := market.ParseTime(strings.TrimSpace(record[0]))
		if err != nil {
			return t.refuse(1, "%v", err)
		}
		t.times = append(t.times, at)
	}
	row := make([]float64, len(t.names))
	for j, cell := range record[lead:] {
		var err error
		if row[j], err = parseReturn(strings.TrimSpace(cell)); err != nil {
			return t.refuse(j+lead+1, "strategy %s: %v", t.names[j], err)
		}
	}
	t.rows, t.lines = append(t.rows, row), append(t.lines, t.line)
	return nil
}

// parseReturn reads a cell; an empty one is NaN.
func parseReturn(cell string) (float64, error) {
	switch strings.ToLower(cell) {
	case "", "nan", "na", "null":
		return math.NaN(), nil
	}
	digits, percent := strings.CutSuffix(cell, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if percent {
		x /= 100
	}
	switch {
	case err != nil || strings.ContainsAny(cell, "_xXiI"):
		return 0, fmt.Errorf("%q is no number: a return such as 0.012 is wanted", cell)
	case x < -1:
		return 0, fmt.Errorf("a return of %s is a loss of more than everything: if returns are in percent, divide "+
			"them by 100", cell)
	case x > 1e15:
		return 0, fmt.Errorf("a return of %s can't be", cell)
	}
	return x, nil
}

// tracks brings the rows in order and cuts them to the periods that all have.
func (t *table) tracks() (*Tracks, error) {
	if t.names == nil || len(t.rows) == 0 {
		t.line = 0
		return nil, t.refuse(0, "no returns: a header with a name for each strategy and one row a period are wanted")
	}
	out := &Tracks{Source: t.file, Names: t.names, Sources: slices.Repeat([]string{t.file}, len(t.names))}
	if t.dates {
		if err := t.sort(out); err != nil {
			return nil, err
		}
	}
	from, to, err := t.shared(out)
	if err != nil {
		return nil, err
	}
	out.Returns = mat.NewDense(to-from, len(t.names), nil)
	for i := from; i < to; i++ {
		out.Returns.SetRow(i-from, t.rows[i])
	}
	if t.dates {
		out.Times = t.times[from:to]
	}
	return out, t.doubt(out)
}

// sort puts the rows in order of time, and refuses two of one time.
func (t *table) sort(out *Tracks) error {
	order := make([]int, len(t.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return t.times[a].Compare(t.times[b]) })
	if !slices.IsSorted(order) {
		out.Notes = append(out.Notes, fmt.Sprintf("%s: rows were not in order of time, and are sorted", t.file))
	}
	rows, times, lines := make([][]float64, len(order)), make([]time.Time, len(order)), make([]int, len(order))
	for i, k := range order {
		rows[i], times[i], lines[i] = t.rows[k], t.times[k], t.lines[k]
		if i > 0 && times[i].Equal(times[i-1]) {
			t.line = max(lines[i], lines[i-1])
			return t.refuse(1, "the time of line %d again: keep one of the two", min(lines[i], lines[i-1]))
		}
	}
	t.rows, t.times, t.lines = rows, times, lines
	return nil
}

// shared is the range of rows in which every strategy has a return.
func (t *table) shared(out *Tracks) (from, to int, err error) {
	to = len(t.rows)
	for j, name := range t.names {
		first, last := -1, -1
		for i, row := range t.rows {
			if !math.IsNaN(row[j]) {
				if last = i; first < 0 {
					first = i
				}
			}
		}
		if first < 0 {
			t.line = 0
			return 0, 0, t.refuse(0, "strategy %s has no return at all: leave it out", name)
		}
		for i := first; i < last; i++ {
			if math.IsNaN(t.rows[i][j]) {
				t.line = t.lines[i]
				return 0, 0, t.refuse(0, "strategy %s has no return between others of its own: give it, or 0 where "+
					"nothing was held", name)
			}
		}
		from, to = max(from, first), min(to, last+1)
	}
	if to-from < 2 {
		t.line = 0
		return 0, 0, t.refuse(0, "the strategies share %d periods: at least 2 are wanted; leave out those of other "+
			"times", max(0, to-from))
	}
	if left := len(t.rows) - (to - from); left > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%s: %d of %d periods left out, in which some strategy has no return",
			t.file, left, len(t.rows)))
	}
	return from, to, nil
}

// doubt refuses prices, and says what looks like percent.
func (t *table) doubt(out *Tracks) error {
	rows, columns := out.Returns.Dims()
	for j := range columns {
		least, squares := math.Inf(1), 0.0
		for i := range rows {
			x := out.Returns.At(i, j)
			least, squares = min(least, x), squares+x*x
		}
		t.line = 0
		switch size := math.Sqrt(squares / float64(rows)); {
		case rows >= 10 && least > 0.1:
			return t.refuse(0, "strategy %s never earns less than %.4g in a period: this looks like prices or wealth; "+
				"returns are wanted, each the change since the row before as a share of it", out.Names[j], least)
		case size > 0.5:
			out.Notes = append(out.Notes, fmt.Sprintf("WARNING: %s: the returns of %s are of size %.3g, %.0f %% a "+
				"period: are they in percent?", t.file, out.Names[j], size, 100*size))
		}
	}
	return nil
}
