package cli

import (
	"fmt"
	"slices"
	"strings"

	"vaefolio/internal/spelling"
	"vaefolio/vaelib/portfolio"
)

// MatchWeights returns portfolios of a file with their columns in the order of the symbols
// of the prices' window. A symbol that only one of them has is an error, with what may be meant.
func MatchWeights(given *portfolio.Portfolios, prices *Data, path string) (*portfolio.Portfolios, error) {
	symbols := prices.Window.Symbols
	shared := func(symbol string) bool {
		return slices.ContainsFunc(symbols, func(s string) bool { return strings.EqualFold(s, symbol) })
	}
	if len(given.Symbols) > 0 && !slices.ContainsFunc(given.Symbols, shared) {
		return nil, fmt.Errorf("%s: none of its symbols, such as %s, is in the prices, which have %s and the like: "+
			"give the portfolios' own prices by -prices PATH", path, given.Symbols[0], symbols[0])
	}
	for _, symbol := range given.Symbols {
		if slices.Contains(symbols, symbol) {
			continue
		}
		if portfolio.IsCash(symbol) {
			return nil, fmt.Errorf("%s: %s has no prices: give it a column of 1 in the prices, or leave it out "+
				"and divide the rest by its sum", path, symbol)
		}
		if prices.Panel != nil && slices.Contains(prices.Panel.Symbols, symbol) {
			return nil, fmt.Errorf("%s: %s has stopped, so that -listings leaves it out: leave out -listings, or its "+
				"column", path, symbol)
		}
		return nil, fmt.Errorf("%s: %w", path, UnknownSymbol(symbol, symbols))
	}
	for _, symbol := range symbols {
		if !slices.Contains(given.Symbols, symbol) {
			return nil, fmt.Errorf("%s: no column for symbol %s, which the prices have: "+
				"add one, or leave %s out with -exclude", path, symbol, symbol)
		}
	}
	return given.Reorder(symbols)
}

// UnknownSymbol is the error for a symbol that is none of those of the prices, with the
// nearest of these.
func UnknownSymbol(symbol string, symbols []string) error {
	nearest := slices.MinFunc(symbols, func(a, b string) int {
		return spelling.Distance(strings.ToUpper(symbol), strings.ToUpper(a)) -
			spelling.Distance(strings.ToUpper(symbol), strings.ToUpper(b))
	})
	text := fmt.Sprintf("unknown symbol %s, which the prices that -prices and -symbols choose have not", symbol)
	if d := spelling.Distance(strings.ToUpper(symbol), strings.ToUpper(nearest)); 2*d >= min(len(symbol), 6) {
		return fmt.Errorf("%s: take it out, or give its prices", text)
	}
	return fmt.Errorf("%s: is %s meant?", text, nearest)
}
