package portfolio

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"vaefolio/vaelib/tabular"
)

// Limits are the least and the largest weights of some symbols, as a file has them.
type Limits struct {
	Symbols      []string  // in the order of the file
	Lower, Upper []float64 // of each; infinite where the file says nothing
	Others       []string  // columns that are passed over
	file         string
	lines        map[string]int // of each symbol
	columns      [3]int         // of the symbol and both limits; -1: there is none
}

// What the columns of limits are called, in small letters without marks.
var (
	lowerWords = []string{"lower", "lowerbound", "lowerlimit", "lo", "low", "lb", "min", "minimum", "minweight",
		"minimumweight", "weightmin", "least", "floor", "from", "untergrenze", "mindestgewicht"}
	upperWords = []string{"upper", "upperbound", "upperlimit", "hi", "high", "ub", "max", "maximum", "maxweight",
		"maximumweight", "weightmax", "most", "cap", "ceiling", "to", "limit", "obergrenze", "hochstgewicht",
		"höchstgewicht"}
)

// mostTitles is in how many lines from the first the names of the columns are looked for.
const mostTitles = 20

// ReadLimits reads a CSV, or a table packed as tables may be (package tabular), with the
// columns symbol (or ticker, asset and the like) and lower (or min, floor) or upper (or
// max, cap), or both; titles above their names are passed over. An empty field is no
// limit. Numbers are shares; those with a percent sign, or below a header that has one,
// are in percent. Everything that is wrong with the file is a [*FileError].
func ReadLimits(path string) (*Limits, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows := tabular.NewRows(file, path)
	l, t := &Limits{file: path, lines: map[string]int{}}, &table{file: path, separator: ','}
	var header []string
	var none error // why the first line is no header: a title may stand above one
	for rows.Next() && (header != nil || rows.Number <= mostTitles) {
		t.line = rows.Number
		if header == nil {
			t.separator = separatorOf(rows.Line)
		}
		t.fields, _ = tabular.Cut(t.fields[:0], rows.Line, t.separator)
		if header == nil {
			if header, err = l.header(tabular.WithoutEmptyEnd(t.fields, 0)); err != nil && none == nil {
				none = t.refuse(0, err)
			}
			continue
		}
		fields := t.decimal(tabular.WithoutEmptyEnd(t.fields, len(header)))
		if column, err := l.add(fields, header, t.line); err != nil {
			return nil, t.refuse(column, err)
		}
	}
	t.line = 0
	switch err := rows.Err(); {
	case err != nil:
		return nil, defectOf(path, err)
	case header == nil && none != nil:
		return nil, none
	case header == nil:
		return nil, t.refuse(0, errors.New("the file is empty: it starts with a header, symbol,lower,upper"))
	case len(l.Symbols) == 0:
		return nil, t.refuse(0, errors.New("no rows below the header"))
	}
	return l, nil
}

// header finds the columns.
func (l *Limits) header(fields [][]byte) ([]string, error) {
	l.Others = nil
	names, columns, others, err := findColumns(fields, slices.Concat(symbolWords, looseWords[1:]), lowerWords,
		upperWords)
	if err != nil {
		return nil, err
	}
	for _, i := range others {
		if names[i] == "" { // a row's number, as pandas writes it
			continue
		}
		if err := checkName("column", names[i]); err != nil {
			return nil, err
		}
		l.Others = append(l.Others, names[i])
	}
	l.columns = [3]int(columns)
	if l.columns[0] < 0 || l.columns[1] < 0 && l.columns[2] < 0 {
		return nil, fmt.Errorf("header %s is not symbol,lower,upper, of which one of the limits may be missing",
			excerpt(strings.Join(names, ",")))
	}
	return names, nil
}

// add takes in a line.
func (l *Limits) add(fields [][]byte, header []string, line int) (column int, err error) {
	if len(fields) != len(header) {
		return 0, fmt.Errorf("has %d fields, and the header %d: complete the line%s", len(fields), len(header),
			orDelete(fields))
	}
	at := l.columns[0]
	symbol := string(fields[at])
	if err := checkName("symbol", symbol); err != nil {
		return at + 1, err
	}
	if before, known := l.lines[symbol]; known {
		return at + 1, fmt.Errorf("symbol %s is there twice, first in line %d: keep one of the lines", symbol, before)
	}
	limits := [3]float64{0, math.Inf(-1), math.Inf(1)}
	for k := 1; k < 3; k++ {
		at := l.columns[k]
		if at < 0 || len(bytes.TrimSpace(fields[at])) == 0 {
			continue
		}
		if limits[k], err = shareBelow(header[at], fields[at]); err != nil {
			return at + 1, fmt.Errorf("%s, %s: %w: a share such as 0.05, or nothing where there is no limit", symbol,
				header[at], err)
		}
	}
	if limits[1] > limits[2] {
		return 0, fmt.Errorf("%s is to be at least %v and at most %v: lower the first, or raise the second", symbol,
			limits[1], limits[2])
	}
	l.Symbols, l.lines[symbol] = append(l.Symbols, symbol), line
	l.Lower, l.Upper = append(l.Lower, limits[1]), append(l.Upper, limits[2])
	return 0, nil
}

// Refuse returns a [*FileError] about the line of a symbol; err itself where the file has
// none.
func (l *Limits) Refuse(symbol string, err error) error {
	line, known := l.lines[symbol]
	if !known {
		return err
	}
	return &FileError{File: l.file, Line: line, Err: err}
}
