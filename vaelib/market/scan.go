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

// scanner walks a CSV line by line. It differs from encoding/csv in what a
// price file needs: it allocates nothing a line, every error names file, line
// and field, and a field can't hold a line end.
type scanner struct {
	file    string
	lines   *tabular.Lines
	dialect dialect
	dates   DateOrder
	line    int      // number of the current line, from 1
	fields  [][]byte // of the current line, trimmed; valid until the next
	rows    int      // below the header, by the size of the file; 0: not known
	err     error    // what ended the walk early
}

func newScanner(r io.Reader, file string) *scanner {
	return &scanner{file: file, lines: tabular.NewLines(r), dialect: dialect{separator: ',', decimal: '.'}}
}

// next moves to the next line that isn't blank.
func (s *scanner) next() bool {
	for s.err == nil {
		text, ok := s.lines.Line()
		if !ok {
			break
		}
		s.line++
		if text = s.clean(text); len(text) == 0 || s.isBlank(text) {
			continue
		}
		if bytes.IndexByte(text, 0) >= 0 {
			s.err = s.errorf(0, "holds a zero byte: not a text file")
			return false
		}
		s.split(text)
		return s.err == nil
	}
	if err := s.lines.Err(); err != nil && s.err == nil {
		failed := &DataError{File: s.file, Line: s.line + 1, Msg: "could not be read: " + tabular.Reason(err), Err: err}
		if errors.Is(err, bufio.ErrTooLong) {
			failed.Msg = fmt.Sprintf("line of more than %d MiB: not a CSV of prices", tabular.LongestLine>>20)
		}
		s.err = failed
		if defect := new(DataError); errors.As(err, &defect) {
			s.err = defect
		}
	}
	return false
}

// clean takes off what surrounds a line: a byte order mark and blanks, but not
// the tabs that separate fields.
func (s *scanner) clean(text []byte) []byte {
	if s.line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	if s.dialect.separator == '\t' {
		return bytes.TrimRight(bytes.TrimLeft(text, " \n\v\f\r"), " \n\v\f\r")
	}
	return bytes.TrimSpace(text)
}

// isBlank says whether a line has separators alone, as spreadsheets write rows below
// a table.
func (s *scanner) isBlank(text []byte) bool {
	sep := s.dialect.separator
	if text[0] != sep || text[len(text)-1] != sep {
		return false
	}
	return !bytes.ContainsFunc(text, func(r rune) bool { return r != rune(sep) && r != ' ' })
}

// split cuts a line into trimmed fields, and takes quotes off.
func (s *scanner) split(text []byte) {
	s.fields = s.fields[:0]
	for {
		var field []byte
		var more bool
		for len(text) > 0 && (text[0] == ' ' || text[0] == '\t' && s.dialect.separator != '\t') {
			text = text[1:]
		}
		if len(text) > 0 && text[0] == '"' {
			field, text, more = s.quoted(text[1:])
		} else {
			i := bytes.IndexByte(text, s.dialect.separator)
			if more = i >= 0; more {
				field, text = text[:i], text[i+1:]
			} else {
				field, text = text, nil
			}
			for n := len(field); n > 0 && (field[n-1] == ' ' || field[n-1] == '\t'); n-- {
				field = field[:n-1]
			}
		}
		s.fields = append(s.fields, field)
		if !more || s.err != nil {
			return
		}
	}
}

// quoted takes the field up to its closing quote, and the rest after the
// separator, if there is one.
func (s *scanner) quoted(text []byte) (field, rest []byte, more bool) {
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			field = append(field, text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			field = append(field, '"')
			i++
			continue
		}
		rest = bytes.TrimLeft(text[i+1:], " ")
		if len(rest) == 0 {
			return field, nil, false
		}
		if rest[0] != s.dialect.separator {
			break
		}
		return field, rest[1:], true
	}
	s.err = s.errorf(len(s.fields)+1, "quote that is not closed before the end of its field")
	return field, nil, false
}

// header reads the first line as names.
func (s *scanner) header() ([]string, error) {
	if !s.next() {
		if s.err == nil {
			s.err = &DataError{File: s.file, Msg: "file is empty"}
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

func (s *scanner) failure() error           { return s.err }
func (s *scanner) expected() int            { return s.rows }
func (s *scanner) row() int                 { return s.line }
func (s *scanner) goTo(row int)             { s.line = row }
func (s *scanner) width() int               { return len(s.fields) }
func (s *scanner) text(field int) []byte    { return s.fields[field] }
func (s *scanner) excerpt(field int) string { return excerpt(s.fields[field]) }

// errorf is a defect of the current line; column counts from 1, 0 is none.
func (s *scanner) errorf(column int, format string, args ...any) error {
	return &DataError{File: s.file, Line: s.line, Column: column, Msg: fmt.Sprintf(format, args...)}
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
