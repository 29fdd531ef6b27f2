package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
)

// budget is the share of the variance that an asset is to have.
type budget struct {
	symbol string
	share  float64
}

// parseBudgets reads texts such as BTCUSDT=0.3.
func parseBudgets(texts []string) ([]budget, error) {
	var budgets []budget
	for _, text := range texts {
		at := max(0, strings.LastIndexByte(text, '=')) // a symbol may have one, as EURUSD=X has
		symbol, number := text[:at], strings.TrimPrefix(text[at:], "=")
		number, percent := strings.CutSuffix(strings.TrimSpace(number), "%")
		share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if percent {
			share /= 100
		}
		if symbol == "" || err != nil || !(share >= 0) || math.IsInf(share, 0) {
			return nil, fmt.Errorf("-budgets: %q is not a symbol and its share of at least 0: write SYM=X", text)
		}
		symbol = cli.Unquote(symbol)
		if slices.ContainsFunc(budgets, func(b budget) bool { return b.symbol == symbol }) {
			return nil, fmt.Errorf("-budgets: %s is given twice", symbol)
		}
		budgets = append(budgets, budget{symbol, share})
	}
	return budgets, nil
}

// budgets are the shares in the order of the symbols; nil where none are given.
func (c *config) budgets(symbols []string) ([]float64, error) {
	given, err := parseBudgets(c.Budgets)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	shares := make([]float64, len(symbols))
	for _, b := range given {
		i := slices.Index(symbols, b.symbol)
		if i < 0 {
			return nil, fmt.Errorf("-budgets: %w", &market.SymbolError{Symbol: b.symbol})
		}
		shares[i] = b.share
	}
	return shares, nil
}
