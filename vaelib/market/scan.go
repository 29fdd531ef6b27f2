package market

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"vaefolio/vaelib/tabular"
)

// longestName bounds a symbol.
const longestName = 100

// scanner reads prices out of the fields of a text, line by line.
type scanner struct {
	tabular.Rows
	dialect dialect
	dates   DateOrder
	fields  [][]byte // of the current line; valid until the next
	rows    int      // below the header, by the size of the file; 0: not known
	err     error    // what ended the walk early

	planned  bool  // the lines are those of a plan, which asks for what is unclosed
	unclosed error // a quote of the current line
}

func newScanner(r io.Reader, file string) *scanner {
	return &scanner{Rows: tabular.NewRows(r, file), dialect: dialect{separator: ',', decimal: '.'}}
}

// next moves to the next line that isn't blank.
func (s *scanner) next() bool {
	if s.err != nil {
		return false
	}
	if !s.Next() {
		if s.err = s.Err(); errors.Is(s.err, bufio.ErrTooLong) {
			s.err = &DataError{File: s.File, Line: s.Number + 1, Err: bufio.ErrTooLong,
				Msg: fmt.Sprintf("line of more than %d MiB: not a CSV of prices", tabular.LongestLine>>20)}
		}
		return false
	}
	var open int
	s.unclosed = nil
	if s.fields, open = tabular.Cut(s.fields[:0], s.Line, s.dialect.separator); open > 0 {
		s.unclosed = s.errorf(open, "quote that is not closed before the end of its field")
		if !s.planned {
			s.err = s.unclosed
		}
	}
	return s.err == nil
}

// header reads the first line as names.
func (s *scanner) header() ([]string, error) {
	if !s.next() {
		if s.err == nil {
			s.err = &DataError{File: s.File, Msg: "file is empty", Err: tabular.ErrNoTable}
		}
		return nil, s.err
	}
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		if msg := checkName(f); msg != "" {
			return nil, s.errorf(i+1, "header %s", msg)
		}
		names[i] = string(f)
	}
	if len(names) == 1 && strings.ContainsAny(names[0], ";\t|") {
		return nil, s.errorf(0, "header %s has no comma: separate columns with commas", excerpt(s.fields[0]))
	}
	return names, nil
}

// checkName says what is wrong with a name, "" for nothing. Letters that nobody
// sees, or that turn the direction of others, would make two names look alike.
func checkName(name []byte) string {
	hidden := func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
	if !utf8.Valid(name) || bytes.ContainsFunc(name, hidden) {
		return excerpt(name) + " is not plain text"
	}
	if len(name) > longestName {
		return fmt.Sprintf("%s is longer than %d bytes", excerpt(name), longestName)
	}
	return ""
}

// number parses a field of the current line as a finite number.
func (s *scanner) number(i int, name string) (float64, error) {
	v, ok, err := s.value(i, name)
	switch {
	case err != nil || ok:
	case len(s.fields[i]) == 0:
		err = s.errorf(i+1, "%s is empty: put in a number, or delete the row", name)
	default:
		err = s.errorf(i+1, "%s %s is not a number: correct it, or delete the row", name, excerpt(s.fields[i]))
	}
	return v, err
}

// value is [scanner.number] of a field that may hold no number.
func (s *scanner) value(i int, name string) (v float64, ok bool, err error) {
	field := s.fields[i]
	v, ok = s.dialect.number(field)
	switch {
	case ok && !math.IsInf(v, 0) && v == v:
		return v, true, nil
	case isGap(field):
		return 0, false, nil
	case ok:
		return 0, false, s.errorf(i+1, "%s %s is not a finite number: correct it, or delete the row",
			name, excerpt(field))
	}
	return 0, false, s.errorf(i+1, "%s %s is not a number: correct it, or delete the row", name, excerpt(field))
}

// amount is [scanner.value] of a number that may end in K, M or B.
func (s *scanner) amount(i int, name string) (v float64, ok bool, err error) {
	if v, ok, err = s.value(i, name); err != nil {
		if large, isAmount := s.dialect.amount(s.fields[i]); isAmount && !math.IsInf(large, 0) {
			return large, true, nil
		}
	}
	return v, ok, err
}

// time parses a field as a time.
func (s *scanner) time(i int) (moment, error) {
	at, msg := s.dates.parse(s.fields[i])
	if msg != "" {
		return at, s.errorf(i+1, "%s", msg)
	}
	return at, nil
}

// moment parses one field as a time, or a date and a time of day of two.
func (s *scanner) moment(fields []int) (moment, error) {
	if len(fields) == 1 {
		return s.time(fields[0])
	}
	at, err := s.time(fields[0])
	if err != nil {
		return at, err
	}
	clock, offset, ok := clockOf(s.fields[fields[1]])
	if !ok {
		return at, s.errorf(fields[1]+1, "time of day %s is not HH:MM, HH:MM:SS or HHMMSS",
			excerpt(s.fields[fields[1]]))
	}
	at.ms, at.offset = at.ms+clock.Milliseconds(), offset
	if offset != unzoned {
		at.ms -= 1000 * int64(offset)
	}
	return at, nil
}

func (s *scanner) sound() error             { return s.unclosed }
func (s *scanner) failure() error           { return s.err }
func (s *scanner) expected() int            { return s.rows }
func (s *scanner) row() int                 { return s.Number }
func (s *scanner) goTo(row int)             { s.Number = row }
func (s *scanner) width() int               { return len(s.fields) }
func (s *scanner) text(field int) []byte    { return s.fields[field] }
func (s *scanner) excerpt(field int) string { return excerpt(s.fields[field]) }

// errorf is a defect of the current line; column counts from 1, 0 is none.
func (s *scanner) errorf(column int, format string, args ...any) error {
	return &DataError{File: s.File, Line: s.Number, Column: column, Msg: fmt.Sprintf(format, args...)}
}

// ragged is the defect of a row that has more or fewer fields than its header.
func (s *scanner) ragged(want int) error { return ragged(s, want) }

// hasWidth says whether the current row has as many fields as the plan wants, or one
// more that is empty: some programs end rows, but not their header, by a separator.
func (p *plan) hasWidth(r rows) bool {
	n := r.width()
	return p.width == 0 || n == p.width || n == p.width+1 && len(r.text(n-1)) == 0
}

func ragged(r rows, want int) error {
	return r.errorf(0, "%d fields where the header has %d: complete the row, or delete it", r.width(), want)
}

// excerpt quotes the start of a field.
func excerpt(field []byte) string {
	const most = 40
	if len(field) > most {
		return strconv.Quote(string(field[:most])) + "..."
	}
	return strconv.Quote(string(field))
}
