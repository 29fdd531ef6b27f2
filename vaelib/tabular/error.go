package tabular

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Error is a defect of an input file: where it is, what is wrong, what to
// do.
type Error struct {
	File   string
	Line   int // from 1, the header's line included; 0: the file as a whole
	Column int // number of the field in its line, from 1; 0: the line as a whole
	Msg    string
	Err    error // cause, such as fs.ErrNotExist; may be nil
}

// Error returns "file:line: column 3: what is wrong: what to do".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Column > 0 {
		fmt.Fprintf(&b, "column %d: ", e.Column)
	}
	b.WriteString(e.Msg)
	return b.String()
}

// Unwrap returns the cause, if there is one.
func (e *Error) Unwrap() error { return e.Err }

// ErrNoTable is the cause where a file holds something else than a table, such as the answer
// to a download that failed, or nothing.
var ErrNoTable = errors.New("no table")

// OpenError is the defect of a file that can't be opened.
func OpenError(file string, err error) error {
	msg := Reason(err)
	if errors.Is(err, fs.ErrNotExist) {
		msg += NoPath(file)
	}
	return &Error{File: file, Msg: msg, Err: err}
}

// isAddress matches one of the web, also where a path was made of it.
var isAddress = regexp.MustCompile(`^(https?|ftp|s3|gs|file):/`)

// NoPath says, behind a colon, why a path that isn't there can be none: it is an address,
// a list, or a shell's abbreviation; "" otherwise.
func NoPath(path string) string {
	switch {
	case strings.HasPrefix(path, "~"):
		return ": ~ is a home for shells alone, where no quotes stand around it: write the whole path"
	case path == "-":
		return ": standard input is not read: save it in a file, and give that"
	case strings.ContainsAny(path, "*?"):
		return ": * and ? stand for names in shells alone, where no quotes stand around them: give one path"
	case strings.Contains(path, ","):
		return ": one path is meant, not a list"
	case isAddress.MatchString(path):
		return ": addresses are not fetched: download it, and give the file"
	}
	return ""
}

// Reason is an error of the file system without the path, which stands before
// it already.
func Reason(err error) string {
	if p := new(fs.PathError); errors.As(err, &p) {
		err = p.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file or folder"
	}
	return err.Error()
}
