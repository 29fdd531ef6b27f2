package market

import (
	"fmt"
	"strings"
)

// DataError is a defect of an input file: where it is, what is wrong, what to
// do.
type DataError struct {
	File   string
	Line   int // from 1, the header's line included; 0: the file as a whole
	Column int // number of the field in its line, from 1; 0: the line as a whole
	Msg    string
	Err    error // cause, such as fs.ErrNotExist; may be nil
}

// Error returns "file:line: column 3: what is wrong: what to do".
func (e *DataError) Error() string {
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
func (e *DataError) Unwrap() error { return e.Err }

// SymbolError reports a symbol that was asked for and is not there.
type SymbolError struct {
	Symbol string
	Near   []string // symbols that look like it, nearest first
}

// Error returns "unknown symbol BTC: did you mean BTCUSDT?".
func (e *SymbolError) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("unknown symbol %s: the data have none like it", e.Symbol)
	}
	return fmt.Sprintf("unknown symbol %s: did you mean %s?", e.Symbol, strings.Join(e.Near, " or "))
}
