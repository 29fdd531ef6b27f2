package portfolio

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gonum.org/v1/gonum/mat"
)

// SumTolerance is how far the sum of a row that is read may be from 1.
const SumTolerance = 1e-6

// Portfolios are N weight vectors over n symbols.
type Portfolios struct {
	Symbols    []string    // n, the columns
	IDs        []string    // N, the rows; nil: they are called by their number, from 1
	Weights    *mat.Dense  // N x n
	Conditions *Conditions // of the same N rows; nil: none
	Notes      []string    // what was passed over in the file that they are from
}

// Conditions are what each portfolio is found to have, such as its volatility
// (see [Schema]).
type Conditions struct {
	Names  []string   // c
	Values *mat.Dense // N x c
}

// Len returns the number of portfolios N.
func (p *Portfolios) Len() int {
	if p.Weights == nil {
		return 0
	}
	n, _ := p.Weights.Dims()
	return n
}

// ID returns the name of row i: its id, or its number from 1.
func (p *Portfolios) ID(i int) string {
	if p.IDs != nil {
		return p.IDs[i]
	}
	return strconv.Itoa(i + 1)
}

// Check returns an error unless there is a portfolio, the parts fit together,
// names are unique and can be written, all numbers are finite, and every row
// sums to 1 within [SumTolerance].
func (p *Portfolios) Check() error {
	if err := p.checkNames(); err != nil {
		return err
	}
	for i := range p.Len() {
		row := p.Weights.RawRowView(i)
		if j := notFinite(row); j >= 0 {
			return fmt.Errorf("row %s has the weight %v of %s", p.ID(i), row[j], p.Symbols[j])
		}
		if err := checkSum(row, p.ID(i)); err != nil {
			return err
		}
		if p.Conditions == nil {
			continue
		}
		if c := p.Conditions.Values.RawRowView(i); notFinite(c) >= 0 {
			return fmt.Errorf("row %s has the condition %s of %v",
				p.ID(i), p.Conditions.Names[notFinite(c)], c[notFinite(c)])
		}
	}
	return nil
}

// checkNames is [Portfolios.Check] without a look at the numbers.
func (p *Portfolios) checkNames() error {
	if p.Len() == 0 {
		return fmt.Errorf("no portfolios")
	}
	rows, columns := p.Weights.Dims()
	if columns != len(p.Symbols) {
		return fmt.Errorf("%d columns of weights for %d symbols", columns, len(p.Symbols))
	}
	if p.IDs != nil && len(p.IDs) != rows {
		return fmt.Errorf("%d ids for %d portfolios", len(p.IDs), rows)
	}
	if err := checkNames("symbol", p.Symbols); err != nil {
		return err
	}
	if p.IDs == nil && strings.EqualFold(p.Symbols[0], idColumn) {
		return fmt.Errorf("symbol %s is the name of the column of ids", p.Symbols[0])
	}
	if err := checkNames("id", p.IDs); err != nil {
		return err
	}
	if p.Conditions == nil {
		return nil
	}
	if r, c := p.Conditions.Values.Dims(); r != rows || c != len(p.Conditions.Names) {
		return fmt.Errorf("%d x %d conditions for %d portfolios and %d names", r, c, rows, len(p.Conditions.Names))
	}
	return checkNames("condition", p.Conditions.Names)
}

func notFinite(row []float64) int {
	return slices.IndexFunc(row, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}

// checkSum returns an error where a row misses 1.
func checkSum(row []float64, id string) error {
	var sum float64
	for _, x := range row {
		sum += x
	}
	if !(math.Abs(sum-1) <= SumTolerance) {
		return fmt.Errorf("row %s sums to %.10g: weights sum to 1 within %g", id, sum, SumTolerance)
	}
	return nil
}

// checkNames returns an error where a name is repeated or no file could hold
// it.
func checkNames(kind string, names []string) error {
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if err := checkName(kind, name); err != nil {
			return fmt.Errorf("number %d: %w", i+1, err)
		}
		if seen[name] {
			return fmt.Errorf("%s %s is repeated", kind, name)
		}
		seen[name] = true
	}
	return nil
}

// longestName bounds a name, in bytes.
const longestName = 200

func checkName(kind, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s is empty: name it", kind)
	case len(name) > longestName:
		return fmt.Errorf("%s %s... is longer than %d bytes", kind, excerpt(name), longestName)
	case strings.TrimSpace(name) != name, strings.Contains(name, `"`),
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		return fmt.Errorf("%s %s holds a quote, or a character that does not print", kind, excerpt(name))
	}
	return nil
}

// excerpt quotes the start of a text from outside.
func excerpt(text string) string {
	if len(text) > 40 {
		text = text[:40]
	}
	return strconv.Quote(text)
}

// Reorder returns the portfolios with their columns in the order of symbols,
// which has to name each of them once. The weights are copied, unless they are in
// that order; ids and conditions are shared.
func (p *Portfolios) Reorder(symbols []string) (*Portfolios, error) {
	columns, err := match(p.Symbols, symbols)
	if err != nil {
		return nil, err
	}
	out := &Portfolios{Symbols: slices.Clone(symbols), IDs: p.IDs, Conditions: p.Conditions, Notes: p.Notes}
	if slices.Equal(p.Symbols, symbols) {
		out.Weights = p.Weights
		return out, nil
	}
	out.Weights = mat.NewDense(p.Len(), len(symbols), nil)
	for i := range p.Len() {
		from, to := p.Weights.RawRowView(i), out.Weights.RawRowView(i)
		for j, c := range columns {
			to[c] = from[j]
		}
	}
	return out, nil
}

// match returns the place of each name among the wanted ones, and a
// [*SymbolError] unless they are the same.
func match(names, wanted []string) ([]int, error) {
	at := make(map[string]int, len(wanted))
	for i, name := range wanted {
		if _, repeated := at[name]; repeated {
			return nil, fmt.Errorf("symbol %s is asked for twice", name)
		}
		at[name] = i
	}
	columns := make([]int, len(names))
	for j, name := range names {
		i, known := at[name]
		if !known {
			return nil, &SymbolError{Symbol: name}
		}
		columns[j] = i
	}
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return nil, &SymbolError{Symbol: name, Missing: true}
		}
	}
	return columns, nil
}
