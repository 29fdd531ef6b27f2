package market

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestLine bounds the memory that one line can take: 4 MiB are about
// 400,000 prices.
const longestLine = 4 << 20

// longestName bounds a symbol.
const longestName = 100

// scanner walks a CSV line by line. It differs from encoding/csv in what a
// price file needs: it allocates nothing a line, every error names file, line
// and field, and a field can't hold a line end.
type scanner struct {
	file   string
	lines  *bufio.Scanner
	line   int      // number of the current line, from 1
	fields [][]byte // of the current line, trimmed; valid until the next
	dates  dateOrder
	err    error // what ended the walk early
}

func newScanner(r io.Reader, file string) *scanner {
	s := &scanner{file: file, lines: bufio.NewScanner(r)}
	s.lines.Buffer(make([]byte, 0, 1<<16), longestLine)
	return s
}

// next moves to the next line that isn't blank.
func (s *scanner) next() bool {
	for s.err == nil && s.lines.Scan() {
		s.line++
		text := s.lines.Bytes()
		if s.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if bytes.IndexByte(text, 0) >= 0 {
			s.err = s.errorf(0, "holds a zero byte: not a text file")
			return false
		}
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		s.split(text)
		return s.err == nil
	}
	if err := s.lines.Err(); err != nil && s.err == nil {
		failed := &DataError{File: s.file, Line: s.line + 1, Msg: "could not be read: " + reason(err), Err: err}
		if errors.Is(err, bufio.ErrTooLong) {
			failed.Msg = fmt.Sprintf("line of more than %d MiB: not a CSV of prices", longestLine>>20)
		}
		s.err = failed
	}
	return false
}

// split cuts a line into trimmed fields, and takes quotes off.
func (s *scanner) split(text []byte) {
	s.fields = s.fields[:0]
	for {
		var field []byte
		var more bool
		if text = bytes.TrimLeft(text, " \t"); len(text) > 0 && text[0] == '"' {
			field, text, more = s.quoted(text[1:])
		} else {
			field, text, more = bytes.Cut(text, []byte{','})
			field = bytes.TrimRight(field, " \t")
		}
		s.fields = append(s.fields, field)
		if !more || s.err != nil {
			return
		}
	}
}

// quoted takes the field up to its closing quote, and the rest after the
// comma, if there is one.
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
		rest = bytes.TrimLeft(text[i+1:], " \t")
		if len(rest) == 0 {
			return field, nil, false
		}
		if rest[0] != ',' {
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

// checkName says what is wrong with a name, "" for nothing.
func checkName(name []byte) string {
	if !utf8.Valid(name) || bytes.ContainsFunc(name, unicode.IsControl) {
		return excerpt(name) + " is not plain text"
	}
	if len(name) > longestName {
		return fmt.Sprintf("%s is longer than %d bytes", excerpt(name), longestName)
	}
	return ""
}

// number parses a field of the current line as a finite number.
func (s *scanner) number(i int, name string) (float64, error) {
	field := s.fields[i]
	v, err := strconv.ParseFloat(string(field), 64)
	switch {
	case len(field) == 0:
		return 0, s.errorf(i+1, "%s is empty: put in a number, or delete the row", name)
	case err != nil && !errors.Is(err, strconv.ErrRange), bytes.ContainsAny(field, "xX_"):
		return 0, s.errorf(i+1, "%s %s is not a number: correct it, or delete the row", name, excerpt(field))
	case math.IsInf(v, 0) || math.IsNaN(v):
		return 0, s.errorf(i+1, "%s %s is not a finite number: correct it, or delete the row", name, excerpt(field))
	}
	return v, nil
}

// price parses a field as a number above 0.
func (s *scanner) price(i int, name string) (float64, error) {
	v, err := s.number(i, name)
	if err == nil && !(v > 0) {
		err = s.errorf(i+1, "%s %s is not above 0: correct it, or delete the row", name, excerpt(s.fields[i]))
	}
	return v, err
}

// amount parses a field as a number of at least 0.
func (s *scanner) amount(i int, name string) (float64, error) {
	v, err := s.number(i, name)
	if err == nil && v < 0 {
		err = s.errorf(i+1, "%s %s is below 0: correct it, or delete the row", name, excerpt(s.fields[i]))
	}
	return v, err
}

// time parses a field as a time.
func (s *scanner) time(i int) (moment, error) {
	at, msg := s.dates.parse(s.fields[i])
	if msg != "" {
		return at, s.errorf(i+1, "%s", msg)
	}
	return at, nil
}

// errorf is a defect of the current line; column counts from 1, 0 is none.
func (s *scanner) errorf(column int, format string, args ...any) error {
	return &DataError{File: s.file, Line: s.line, Column: column, Msg: fmt.Sprintf(format, args...)}
}

// ragged is the defect of a line that has more or fewer fields than its header.
func (s *scanner) ragged(want int) error {
	return s.errorf(0, "%d fields where the header has %d: complete the row, or delete it", len(s.fields), want)
}

// excerpt quotes the start of a field.
func excerpt(field []byte) string {
	const most = 40
	if len(field) > most {
		return strconv.Quote(string(field[:most])) + "..."
	}
	return strconv.Quote(string(field))
}

// openError is the defect of a file that can't be opened.
func openError(file string, err error) error {
	return &DataError{File: file, Msg: reason(err), Err: err}
}

// reason is an error of the file system without the path, which stands before
// it already.
func reason(err error) string {
	if p := new(fs.PathError); errors.As(err, &p) {
		err = p.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file or folder"
	}
	return err.Error()
}
