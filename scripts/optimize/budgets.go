package main

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
)

// budget is the share of the variance that an asset, or a sector, is to have.
type budget struct {
	name  string // the asset's symbol, or sector.NAME
	share float64
}

func (b budget) ofSector() bool { return strings.HasPrefix(b.name, portfolio.SectorPrefix) }

// parseBudgets reads texts such as BTCUSDT=0.3 and sector.L1=0.5.
func parseBudgets(texts []string) ([]budget, error) {
	var budgets []budget
	for _, text := range texts {
		name, share, ok := cli.ParseShare(text)
		if !ok || share < 0 {
			return nil, fmt.Errorf("-budgets: %q is not a symbol and its share of at least 0: write SYM=X, or "+
				"sector.NAME=X", text)
		}
		if slices.ContainsFunc(budgets, func(b budget) bool { return b.name == name }) {
			return nil, fmt.Errorf("-budgets: %s is given twice", name)
		}
		budgets = append(budgets, budget{name, share})
	}
	return budgets, nil
}

// budgets are the shares in the order of the symbols; nil where none are given.
// That of a sector is shared out in the proportion of its memberships.
func (c *config) budgets(io *cli.IO, symbols []string) ([]float64, error) {
	given, err := parseBudgets(c.Budgets)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	shares, of := make([]float64, len(symbols)), make([]string, len(symbols))
	for _, b := range given {
		members, err := c.membersOf(b, symbols)
		if err != nil {
			return nil, fmt.Errorf("-budgets: %w", err)
		}
		total := mat.Sum(mat.NewVecDense(len(members), members)) // floats.Sum depends on the address
		for i, member := range members {
			switch {
			case member == 0:
			case of[i] != "" && !(b.ofSector() && strings.HasPrefix(of[i], portfolio.SectorPrefix)):
				return nil, cli.Usagef("-budgets: %s has a share by %s and one by %s: give one of them", symbols[i],
					of[i], b.name)
			default:
				of[i] = b.name
				shares[i] += b.share * member / total
			}
		}
	}
	if bare := without(symbols, of); bySectors(given) && len(bare) > 0 {
		io.Note("WARNING: %s have a budget of 0, and so no weight: no budget names them or a sector of theirs",
			strings.Join(bare, ", "))
	}
	return shares, nil
}

// membersOf are the shares of the symbols in what a budget names: 1 for the asset alone, or
// those of a sector.
func (c *config) membersOf(b budget, symbols []string) ([]float64, error) {
	if i := slices.Index(symbols, b.name); i >= 0 {
		members := make([]float64, len(symbols))
		members[i] = 1
		return members, nil
	}
	sectors, err := c.SectorsOf(symbols)
	if err != nil {
		return nil, err
	}
	if !b.ofSector() {
		if sectors != nil && slices.Contains(sectors.Names, b.name) {
			return nil, cli.Usagef("%s is a sector: write %s%s", b.name, portfolio.SectorPrefix, b.name)
		}
		return nil, &market.SymbolError{Symbol: b.name}
	}
	if sectors == nil {
		return nil, cli.Usagef("%s needs -sectors FILE, which says what belongs to a sector", b.name)
	}
	if err := sectors.CheckSymbols(symbols); err != nil {
		return nil, err
	}
	return sectors.Shares(cli.Unquote(strings.TrimPrefix(b.name, portfolio.SectorPrefix)), symbols)
}

// without are the symbols that no budget reaches.
func without(symbols, of []string) (bare []string) {
	for i, symbol := range symbols {
		if of[i] == "" {
			bare = append(bare, symbol)
		}
	}
	return bare
}

func bySectors(budgets []budget) bool { return slices.ContainsFunc(budgets, budget.ofSector) }
