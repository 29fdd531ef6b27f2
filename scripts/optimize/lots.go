package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
)

// Columns of a file of lots.
const (
	lotColumn        = "lot"
	leastColumn      = "min_quantity"
	leastValueColumn = "min_value"
)

// lots are the amounts in which the assets can be held.
func (c *config) lots(io *cli.IO, symbols []string) (optimize.Lots, error) {
	var lots optimize.Lots
	if c.Lots == "" {
		lots.Size = slices.Repeat([]float64{c.Lot}, len(symbols))
		return lots, nil
	}
	p, err := portfolio.ReadCSV(c.Lots, portfolio.ReadOptions{AnySum: true, Amounts: true})
	if err != nil {
		return lots, err
	}
	io.Told(c.Lots, p.Notes)
	columns, missing := columnsOf(p, symbols)
	if missing != "" {
		return lots, fmt.Errorf("%s: no lot of %s, which is among the assets: add a line", c.Lots, missing)
	}
	for i := range p.Len() {
		values := make([]float64, len(symbols))
		for j, k := range columns {
			values[j] = p.Weights.At(i, k)
			if values[j] < 0 || values[j] == 0 && p.ID(i) == lotColumn {
				return lots, fmt.Errorf("%s: the %s of %s is %v: it must be positive", c.Lots, p.ID(i), symbols[j],
					values[j])
			}
		}
		switch p.ID(i) {
		case lotColumn:
			lots.Size = values
		case leastColumn:
			lots.Least = values
		case leastValueColumn:
			lots.LeastValue = values
		default:
			return lots, fmt.Errorf("%s: unknown column %q: the columns are symbol, %s and, where wanted, %s and %s",
				c.Lots, p.ID(i), lotColumn, leastColumn, leastValueColumn)
		}
	}
	if lots.Size == nil {
		return lots, fmt.Errorf("%s: no column %s, the smallest lot of each symbol: add one", c.Lots, lotColumn)
	}
	return lots, nil
}

// allocate turns the weights into whole lots, where there is cash.
func (c *config) allocate(io *cli.IO, o *output) (err error) {
	if c.Cash == 0 {
		return nil
	}
	symbols := o.prices.Window.Symbols
	lots, err := c.lots(io, symbols)
	if err != nil {
		return err
	}
	closes := o.prices.LastCloses()
	if o.allocation, err = optimize.Allocate(o.result.Weights, closes, c.Cash, lots, &o.set); err != nil {
		return err
	}
	if o.held == nil {
		return nil
	}
	if value := o.held.Value; value > 0 && math.Abs(value/c.Cash-1) > 0.02 {
		o.notes = append(o.notes, fmt.Sprintf("WARNING: the holdings are worth %.10g by their list, and -cash is "+
			"%.10g: orders take their weights as shares of that", value, c.Cash))
	}
	var small, dust []string
	var remains []float64
	o.orders, remains = o.allocation.Orders(o.held.Weights, closes, c.Cash, lots, &o.set)
	for j, order := range o.orders {
		if o.held.Weights[j] > 0 && o.allocation.Units[j] == 0 && remains[j] > 1e-6*lots.Size[j] {
			dust = append(dust, symbols[j])
		}
		size := math.Abs(order)
		tooFew := lots.Least != nil && size < lots.Least[j]
		if size > 0 && (tooFew || lots.LeastValue != nil && size*closes[j] < lots.LeastValue[j]) {
			small = append(small, symbols[j])
		}
	}
	if len(small) > 0 {
		o.notes = append(o.notes, "orders smaller than the least, which an exchange refuses: "+
			strings.Join(small, ", "))
	}
	if len(dust) > 0 {
		o.notes = append(o.notes, "less than a lot, which no order sells, remains of: "+strings.Join(dust, ", "))
	}
	return nil
}
