package portfolio

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"vaefolio/internal/spelling"
	"vaefolio/vaelib/simplex"
)

// Held is what is held now, beside the assets of the portfolios that may come of it.
type Held struct {
	Weights     []float64 // n, in the order of the assets; 0 where nothing is held
	Sold        []string  // what is held and not among the assets
	SoldWeights []float64 // of each of these
	Cash        float64   // what the weights leave of 1
	Value       float64   // of all in money, as a broker's list tells it; 0: nobody does
	Notes       []string  // how a broker's list of positions was read
}

// Turnover returns what is traded from there to w (n): the sum of |w - held| over the
// assets, purchases and sales alike, and of all that is held beside them. Cash that is
// spent counts as the purchase that it pays for.
func (h *Held) Turnover(w []float64) float64 {
	traded := simplex.Turnover{Held: h.Weights, Beside: h.Beside()}
	return traded.Of(w)
}

// Beside returns the part of every turnover that sells what is not among the assets.
func (h *Held) Beside() float64 {
	var sum float64
	for _, x := range h.SoldWeights {
		sum += math.Abs(x)
	}
	return sum
}

// ReadHeld reads the holdings in a file of one portfolio, as [ReadCSV] reads weights,
// beside the assets called symbols. A symbol that the file lacks is not held. One that
// is not among the assets counts as sold, unless its name may be a slip for one of
// theirs; but cash, by its name, is cash, as is what the sum leaves below 1. A sum that
// misses 1 by rounding is made 1. A broker's list of positions, with their values in money,
// is read as the value of each symbol over that of all. Everything that is wrong is a [*FileError].
func ReadHeld(path string, symbols []string) (*Held, error) {
	p, value, notes, err := readPositions(path)
	if p == nil && err == nil {
		p, err = ReadCSV(path, ReadOptions{AnySum: true})
	}
	if err != nil {
		return nil, err
	}
	notes = append(notes, p.Notes...)
	refuse := func(format string, args ...any) (*Held, error) {
		return nil, &FileError{File: path, Err: fmt.Errorf(format, args...)}
	}
	if p.Len() != 1 {
		names := ""
		if p.IDs != nil {
			names = ", of these: " + strings.Join(p.IDs, ", ")
		}
		return refuse("%d rows of weights where one is wanted, that of what is held: keep one%s", p.Len(), names)
	}
	h := &Held{Weights: make([]float64, len(symbols)), Value: value, Notes: notes}
	row, known, sum, cash := p.Weights.RawRowView(0), 0, 0.0, 0.0
	for k, symbol := range p.Symbols {
		x := row[k]
		switch j := slices.Index(symbols, symbol); {
		case j >= 0:
			h.Weights[j] = x
			known++
		case x == 0:
			continue
		case IsCash(symbol):
			cash += x
			continue
		default:
			if meant := slip(symbol, symbols, p.Symbols); meant != "" {
				return refuse("%s is held and not among the assets: is %s meant? Rename it; if it is another one, "+
					"which is then sold, add %s with 0", symbol, meant, meant)
			}
			h.Sold, h.SoldWeights = append(h.Sold, symbol), append(h.SoldWeights, x)
		}
		sum += x
	}
	if known == 0 && len(h.Sold) > 0 {
		return refuse("none of its symbols, such as %s, is among the assets, such as %s: give the holdings of these",
			h.Sold[0], symbols[0])
	}
	large := slices.IndexFunc(row, func(x float64) bool { return math.Abs(x) > simplex.MaxBound })
	h.Cash = 1 - sum // in one step, so that weights of a sum of 1 stay as they are
	switch {
	case sum <= 1+SumTolerance && sum+cash > 1+heldTolerance:
		return refuse("the row sums to %.10g, cash of %.10g in it, above 1: give the shares of the capital", sum+cash,
			cash)
	case math.Abs(sum+cash-100) <= 2:
		return refuse("the row sums to %.10g: in percent? Write percent signs, or divide by 100", sum+cash)
	case sum > 1+SumTolerance:
		return nil, &FileError{File: path, Err: hint(fmt.Errorf("the row sums to %.10g, above 1: shares of the "+
			"capital are meant", sum), p.Symbols, row)}
	case large >= 0:
		return refuse("%s is held with %.10g, more than %d times the capital: shares of the capital are meant",
			p.Symbols[large], row[large], simplex.MaxBound)
	case math.Abs(h.Cash) <= SumTolerance:
		for j := range h.Weights {
			h.Weights[j] /= sum
		}
		for k := range h.SoldWeights {
			h.SoldWeights[k] /= sum
		}
		h.Cash = 0
	}
	return h, nil
}

// heldTolerance is how far a sum with cash may exceed 1: lists round each weight.
const heldTolerance = 0.005

// IsCash says whether a name is that of cash, as brokers and funds give it: USD, or CASH
// or the like as one of its words.
func IsCash(name string) bool {
	lower := strings.ToLower(name)
	return slices.Contains([]string{"usd", "eur", "gbp", "chf", "jpy", "cad", "aud", "hkd", "sek", "nok", "dkk", "nzd",
		"sgd", "cny", "inr", "money", "money market", "us dollar", "liquidity", "usdt", "usdc"}, lower) ||
		slices.ContainsFunc(strings.FieldsFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) }),
			func(word string) bool {
				return slices.Contains([]string{"cash", "bargeld", "efectivo", "liquidités", "contanti"}, word)
			})
}

// slip is the asset that a symbol may be a slip for: one that differs in case, in an
// ending or, of four letters and more, in one letter, and that the file doesn't have.
func slip(symbol string, symbols, have []string) string {
	upper := strings.ToUpper(symbol)
	for _, s := range symbols {
		if slices.Contains(have, s) {
			continue
		}
		u := strings.ToUpper(s)
		ending := min(len(u), len(upper)) >= 3 && (strings.HasPrefix(u, upper) || strings.HasPrefix(upper, u))
		if u == upper || ending || min(len(u), len(upper)) >= 4 && spelling.Distance(u, upper) <= 1 {
			return s
		}
	}
	return ""
}
