package portfolio

import (
	"errors"
	"fmt"
)

// FileError is a defect of a file: where it is, what is wrong, what to do.
type FileError struct {
	File   string
	Line   int // from 1, the header's line included; 0: the file as a whole
	Column int // number of the field in its line, from 1; 0: the line as a whole
	Err    error
}

// Error returns "file:line:column: what is wrong".
func (e *FileError) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Err)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// SymbolError reports a symbol that portfolios have and nobody asked for, or
// the other way about.
type SymbolError struct {
	Symbol  string
	Missing bool // asked for and not there
}

// Error returns one line.
func (e *SymbolError) Error() string {
	if e.Missing {
		return fmt.Sprintf("no column for symbol %s: add one, with 0 where it is not held", e.Symbol)
	}
	return fmt.Sprintf("unknown symbol %s: take its column out, or choose it among the symbols", e.Symbol)
}

// ErrPercent is a cause of the refusal of a row whose weights sum to about 100.
var ErrPercent = errors.New("in percent?")
