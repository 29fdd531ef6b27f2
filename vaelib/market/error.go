package market

import (
	"fmt"
	"strings"

	"vaefolio/vaelib/tabular"
)

// DataError is a defect of an input file: where it is, what is wrong, what to
// do.
type DataError = tabular.Error

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
