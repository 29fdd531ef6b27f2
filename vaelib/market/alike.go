package market

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// alike doubts symbols that are no assets beside others: those that move as one, or one
// against the other, and those that don't move beside them.
func (p *Panel) alike(looks []look) (found []Doubt) {
	same, scaled, opposite := p.pairs(looks)
	for _, c := range []struct {
		pairs []string
		text  string
	}{
		{same, "the same closes on every row: one asset under two names? It gets the weight of both: leave one out " +
			"by -exclude"},
		{scaled, "closes in one ratio on every row: one asset in two units, or in shares of two sizes? It gets the " +
			"weight of both: leave one out by -exclude"},
		{opposite, "closes with one product on every row: a rate of exchange and its inverse? Half of each has next " +
			"to no risk on paper, so that minimum variance prefers it: leave one out by -exclude"},
	} {
		if len(c.pairs) > 0 {
			found = append(found, Doubt{Kind: twinDoubt, Symbol: c.pairs[0], Text: enumerate(c.pairs) + ": " + c.text})
		}
	}
	if still := p.still(looks); len(still) > 0 {
		found = append(found, Doubt{Kind: stillDoubt, Symbol: still[0], Text: fmt.Sprintf(
			"%s: less than a thousandth of the moves of the median symbol: as good as cash? Ratios of return to "+
				"risk are out of all measure there, and what seeks them holds little else: leave it out by -exclude",
			enumerate(still))})
	}
	return found
}

// moving is a symbol that does move, by its place, its first and last row and the
// logarithm of what its close became between them.
type moving struct {
	column, first, last int
	change              float64
}

// moved is the least change, up or down, by which symbols are told to be one, and
// rounding how far digits that a file cuts off may part them: a thousandth of it.
const (
	moved    = 1e-2
	rounding = 1e-5
)

// pairs are symbols, as "A and B", whose closes are the same on all rows, have one ratio
// or one product. Only those are compared whose closes have changed alike in all.
func (p *Panel) pairs(looks []look) (same, scaled, opposite []string) {
	var all []moving
	for j := range p.Symbols {
		if looks[j].changes > moved {
			first, last := p.span(j)
			all = append(all, moving{j, first, last, math.Log(p.Close.At(last, j) / p.Close.At(first, j))})
		}
	}
	slices.SortFunc(all, func(a, b moving) int {
		return cmp.Or(cmp.Compare(math.Abs(a.change), math.Abs(b.change)), a.column-b.column)
	})
	met := make([]bool, len(p.Symbols)) // as the second of a pair
	for i, a := range all {
		for _, b := range all[i+1:] {
			if math.Abs(b.change)-math.Abs(a.change) > rounding {
				break
			}
			if met[a.column] || met[b.column] || a.first != b.first || a.last != b.last {
				continue
			}
			x, y := min(a.column, b.column), max(a.column, b.column)
			pair := p.Symbols[x] + " and " + p.Symbols[y]
			switch {
			case p.follows(x, y, 1):
				if p.Close.At(a.first, x) == p.Close.At(a.first, y) {
					same = append(same, pair)
				} else {
					scaled = append(scaled, pair)
				}
			case p.follows(x, y, -1):
				opposite = append(opposite, pair)
			default:
				continue
			}
			met[y] = true
		}
	}
	return same, scaled, opposite
}

// follows says whether y is a multiple of x, to the power of 1 or -1, on all rows.
func (p *Panel) follows(x, y int, power float64) bool {
	ratio := math.NaN()
	rows, _ := p.Close.Dims()
	for t := range rows {
		a, b := p.Close.At(t, x), p.Close.At(t, y)
		switch now := b / math.Pow(a, power); {
		case math.IsNaN(a) != math.IsNaN(b):
			return false
		case math.IsNaN(a):
		case math.IsNaN(ratio):
			ratio = now
		case math.Abs(now/ratio-1) > rounding:
			return false
		}
	}
	return true
}

// still are the symbols that move, by less than a thousandth of what the median one
// moves by on average.
func (p *Panel) still(looks []look) (symbols []string) {
	var sizes []float64
	for _, l := range looks {
		if l.changes > 0 {
			sizes = append(sizes, l.changes/float64(l.n))
		}
	}
	if len(sizes) < 3 {
		return nil
	}
	slices.Sort(sizes)
	median := sizes[len(sizes)/2]
	for j, l := range looks {
		if l.changes > 0 && l.changes/float64(l.n) < median/1000 {
			symbols = append(symbols, p.Symbols[j])
		}
	}
	return symbols
}
