package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Rows walks the lines of a text of fields, such as a CSV, of which [Cut] makes fields.
// It differs from encoding/csv in what files of strangers need: nothing is allocated a
// line but where a field in quotes goes on in the next, no line is longer than
// [LongestLine], and every defect is an [*Error] with file and line.
type Rows struct {
	File   string // as errors call it
	Lines  *Lines
	Number int    // of the current line, from 1
	Line   []byte // the current one, as [TrimLine] leaves it; valid until the next
	joined int    // further lines in the current one
	err    error
}

// NewRows walks a text in UTF-8, which errors call by the name of the file.
func NewRows(r io.Reader, file string) Rows { return Rows{File: file, Lines: NewLines(r)} }

// Next moves to the next line that has more than blanks and separators, which
// spreadsheets write below a table; false after the last, and at an error.
func (r *Rows) Next() bool {
	for r.err == nil {
		line, ok := r.Lines.Line()
		if !ok {
			r.err = r.failed(r.Lines.Err())
			return false
		}
		r.Number, r.joined = r.Number+1+r.joined, 0
		if r.Line = TrimLine(line, r.Number); isBlank(r.Line) {
			continue
		}
		if !r.Lines.cr && bytes.IndexByte(r.Line, '"') >= 0 {
			if open, _ := opens(r.Line, false); open {
				r.join()
			}
		}
		if bytes.IndexByte(r.Line, 0) >= 0 {
			r.err = &Error{File: r.File, Line: r.Number, Msg: "holds a zero byte: not a text file"}
			return false
		}
		return true
	}
	return false
}

// mostJoined bounds the text in quotes that goes over several lines, in bytes.
const mostJoined = 4096

// join adds the lines into which a field in quotes goes on, as spreadsheets write names and
// titles of several lines, each behind a blank. A quote that nothing closes, or behind whose
// end there is more than a separator, is left as it is.
func (r *Rows) join() {
	whole := bytes.Clone(r.Line)
	rest := r.Lines.Peek(mostJoined)
	for open, n := true, 1; open; n++ {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		if !ended && len(rest) == mostJoined || len(rest) == 0 {
			r.Line = whole
			return
		}
		var sound bool
		if open, sound = opens(TrimLine(line, 0), true); !sound {
			r.Line = whole
			return
		}
		if rest = after; !open {
			r.joined = n
		}
	}
	for range r.joined {
		line, _ := r.Lines.Line()
		whole = append(append(whole, ' '), TrimLine(line, 0)...)
	}
	r.Line = whole
}

// opens says whether a field in quotes is open at the end of a line, at whose beginning one is
// or isn't, and whether all that are closed in it end by a separator.
func opens(line []byte, open bool) (still, sound bool) {
	begins, sound := !open, true
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case open && c == '"' && i+1 < len(line) && line[i+1] == '"':
			i++
		case open && c == '"':
			open = false
			rest := bytes.TrimLeft(line[i+1:], " ")
			sound = sound && (len(rest) == 0 || strings.IndexByte(",;\t|", rest[0]) >= 0)
		case open:
		case c == '"':
			open = begins
		default:
			begins = c == ',' || c == ';' || c == '\t' || c == '|' || c == ' ' && begins
			continue
		}
		begins = false
	}
	return open, sound
}

// Err is what ended the lines early, if anything did.
func (r *Rows) Err() error { return r.err }

// failed says where the lines could not be read on.
func (r *Rows) failed(err error) error {
	defect := new(Error)
	switch {
	case err == nil, errors.As(err, &defect):
		return err
	case errors.Is(err, bufio.ErrTooLong):
		why := fmt.Sprintf("a line of more than %d MiB: this is no table of text", LongestLine>>20)
		return &Error{File: r.File, Line: r.Number + 1, Msg: why, Err: err}
	}
	return &Error{File: r.File, Line: r.Number + 1, Msg: "could not be read: " + Reason(err), Err: err}
}

// TrimLine takes off what surrounds a line of a number from 1: a byte order mark, and
// blanks, but for tabs, which may separate empty fields.
func TrimLine(line []byte, number int) []byte {
	if number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return bytes.Trim(line, " \n\v\f\r")
}

// separatorsAndBlanks are all that a line without a field has.
const separatorsAndBlanks = ",;\t| "

func isBlank(line []byte) bool {
	return len(line) == 0 || strings.IndexByte(separatorsAndBlanks, line[0]) >= 0 &&
		len(bytes.Trim(line, separatorsAndBlanks)) == 0
}

// Cut cuts a line at its separators and appends the fields to those given, without the
// blanks and quotes around them: between quotes a separator is part of the field, and two
// quotes are one; Excel's ="text" is text. Fields share the line's memory where they can. A field whose quotes
// don't surround it whole is left as it is; open is the number, from 1, of the first such
// field, or 0.
func Cut(fields [][]byte, line []byte, separator byte) (all [][]byte, open int) {
	for more := true; more; {
		start := line
		for len(start) > 0 && (start[0] == ' ' || start[0] == '\t' && separator != '\t') {
			start = start[1:]
		}
		var field []byte
		if len(start) > 0 && start[0] == '"' {
			var rest []byte
			var closed bool
			if field, rest, closed = quoted(start[1:], separator); closed {
				fields = append(fields, formula(bytes.TrimSpace(field)))
				if more = len(rest) > 0; more {
					line = rest[1:]
				}
				continue
			}
			if open == 0 {
				open = len(fields) + 1
			}
		}
		field, line, more = bytes.Cut(line, []byte{separator})
		fields = append(fields, formula(bytes.TrimSpace(field)))
	}
	return fields, open
}

// WithoutEmptyEnd leaves out the empty fields behind the last separator: all of them but the
// first field, or where a row should have so many fields, those beyond.
func WithoutEmptyEnd(fields [][]byte, want int) [][]byte {
	for n := len(fields); n > max(1, want) && len(fields[n-1]) == 0; n-- {
		fields = fields[:n-1]
	}
	return fields
}

// formula is the text in ="text", by which programs keep Excel from reading a number or a
// date in it.
func formula(field []byte) []byte {
	if n := len(field); n > 2 && field[0] == '=' && field[1] == '"' && field[n-1] == '"' {
		return bytes.TrimSpace(field[2 : n-1])
	}
	return field
}

// quoted returns the field up to its closing quote, and the rest from the separator on,
// if there is one; closed is false where there is no such quote, or text behind it.
func quoted(text []byte, separator byte) (field, rest []byte, closed bool) {
	for {
		end := bytes.IndexByte(text, '"')
		if end < 0 {
			return nil, nil, false
		}
		if end+1 < len(text) && text[end+1] == '"' {
			field = append(field, text[:end+1]...)
			text = text[end+2:]
			continue
		}
		rest = bytes.TrimLeft(text[end+1:], " ")
		if field == nil {
			field = text[:end]
		} else {
			field = append(field, text[:end]...)
		}
		return field, rest, len(rest) == 0 || rest[0] == separator
	}
}
