package portfolio

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// listing is a file whose lines are symbols: each has a weight, as fund managers and
// spreadsheets give holdings, perhaps with the portfolio that it belongs to; or it has
// a column of weights for each portfolio, a table on its side.
type listing struct {
	symbol     int   // field of the symbol
	id         int   // field of the portfolio; -1: there is one portfolio, or a column each
	weights    []int // fields of weights
	unit       unit  // of weights, as far as the header says
	notes      []string
	fields     int            // of a line
	symbols    []string       // in the order of the file
	ids        []string       // of the portfolios; one of the name "" where nothing names it
	lines      []int          // of each portfolio, the last
	places     map[string]int // of symbols
	portfolios map[string]int // places of ids
	rows       [][]float64    // of each portfolio; NaN where it has no line of the symbol
}

// What the columns of lists of holdings are called, in small letters without marks.
var (
	// A first column called so has symbols, whatever else there is.
	symbolWords = []string{"symbol", "symbols", "ticker", "tickers", "instrument", "isin"}
	// A column called so has symbols where another one has weights.
	looseWords  = []string{"", "name", "index", "indexlevel0", "asset", "assets", "security"}
	weightWords = []string{"weight", "weights", "w", "share", "allocation", "alloc", "weightpct", "weightpercent",
		"pctweight", "percent", "targetweight", "target", "portfolioweight", "gewicht", "gewichtung", "poids", "peso",
		"weighting", "percentage", "percentofaccount", "percentofportfolio", "percentoftotal", "ofnav", "ofaccount",
		"ofacct", "ofacctofaccount", "ofportfolio", "ofnetassets", "offund", "oftotal", "anteil", "anteilin",
		"gewichtin", "gewichtungin"}
	portfolioWords = []string{idColumn, "portfolio", "portfolioid", "strategy", "fund", "account", "scenario", "label",
		"date", "model"}
)

// plain is a name in small letters without blanks and marks.
func plain(name []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, string(name))
}

// place is the field of the first name among the words, -1 without one.
func place(fields [][]byte, words []string) int {
	return slices.IndexFunc(fields, func(f []byte) bool { return slices.Contains(words, plain(f)) })
}

// listingOf tells by the first line whether a file is a listing, nil: it is none.
// Named says that the line names the columns, and isn't one of them.
func (t *table) listingOf(fields [][]byte) (l *listing, named bool) {
	isKnown := func(f []byte) bool { return slices.Contains(t.known, string(f)) }
	if len(fields) < 2 || !slices.ContainsFunc(fields, func(f []byte) bool { return !isKnown(f) }) {
		return nil, false // symbols, of which some may be numbers
	}
	l = &listing{id: -1, unit: t.unit, fields: len(fields), places: map[string]int{},
		portfolios: map[string]int{}}
	if _, err := weight(fields[1]); err == nil && len(fields) == 2 {
		if _, err := weight(fields[0]); err == nil {
			return nil, false
		}
		l.of([]int{1}, "")
		return l, len(fields[0]) == 0 // pandas calls the column of a series 0
	}
	w := place(fields, t.called)
	if l.symbol = place(fields, symbolWords); l.symbol < 0 && w >= 0 {
		l.symbol = place(fields, looseWords)
	}
	switch {
	case l.symbol < 0 || isKnown(fields[l.symbol]) || w >= 0 && isKnown(fields[w]):
		return nil, false
	case w >= 0:
		for i, f := range fields[w+1:] {
			if slices.Contains(t.called, plain(f)) {
				l.notes = append(l.notes, fmt.Sprintf("the weights are those of column %d, %s, and column %d, %s, is "+
					"passed over", w+1, fields[w], w+i+2, f))
			}
		}
		l.of([]int{w}, "")
		if inPercent(fields[w]) {
			l.unit = percent
		}
		if l.id = place(fields, portfolioWords); l.id >= 0 {
			l.of([]int{w})
		}
	case l.symbol > 0:
		return nil, false
	default:
		var columns []int
		var ids []string
		for i, f := range fields[1:] {
			columns, ids = append(columns, i+1), append(ids, string(f))
		}
		l.of(columns, ids...)
		if !slices.ContainsFunc(fields[1:], func(f []byte) bool { return !inPercent(f) }) {
			l.unit = percent
		}
	}
	return l, true
}

// inPercent says whether the name of a column of weights says that they are in percent.
func inPercent(header []byte) bool {
	name := strings.ReplaceAll(strings.ToLower(string(header)), "%", "percent")
	return strings.Contains(name, "pct") || strings.Contains(name, "percent")
}

// of says in which fields there are weights, and of which portfolios.
func (l *listing) of(weights []int, ids ...string) {
	l.weights, l.ids, l.rows, l.lines = weights, ids, make([][]float64, len(ids)), make([]int, len(ids))
}

// add takes in a line.
func (l *listing) add(fields [][]byte, line int) (column int, err error) {
	if len(fields) != l.fields {
		return 0, fmt.Errorf("has %d fields, and the first line %d: complete the line%s", len(fields), l.fields,
			orDelete(fields))
	}
	name := string(fields[l.symbol])
	if len(name) == 0 {
		return l.symbol + 1, errors.New("symbol is empty: name it, or delete the line if it is none")
	}
	if err := checkName("symbol", name); err != nil {
		return l.symbol + 1, err
	}
	first := 0
	if l.id >= 0 {
		id := string(fields[l.id])
		if err := checkName("portfolio", id); err != nil {
			return l.id + 1, err
		}
		var known bool
		if first, known = l.portfolios[id]; !known {
			first, l.ids = len(l.ids), append(l.ids, id)
			l.portfolios[id] = first
			l.rows, l.lines = append(l.rows, nil), append(l.lines, line)
		}
	}
	values := make([]float64, len(l.weights))
	for k, field := range l.weights {
		if values[k], err = share(fields[field], l.unit); err != nil {
			return field + 1, fmt.Errorf("%s: %w", name, err)
		}
	}
	if l.isTotal(name, first, values) {
		l.notes = append(l.notes, fmt.Sprintf("line %d, %s, is passed over as the sum of the others", line, name))
		return 0, nil
	}
	return 0, l.put(name, first, values, line)
}

// put takes in the weights of a symbol in the portfolios from first on.
func (l *listing) put(name string, first int, values []float64, line int) error {
	at, known := l.places[name]
	if !known {
		at = len(l.symbols)
		if (at+1)*len(l.ids) > mostNumbers {
			return fmt.Errorf("the file holds more than %d numbers, the most that are read: split it", mostNumbers)
		}
		l.symbols, l.places[name] = append(l.symbols, name), at
	}
	for k, x := range values {
		i := first + k
		for len(l.rows[i]) <= at {
			l.rows[i] = append(l.rows[i], math.NaN())
		}
		if old := l.rows[i][at]; old == old {
			return fmt.Errorf("symbol %s is there twice: keep one of the lines", name)
		}
		l.lines[i] = line
		l.rows[i][at] = x
	}
	return nil
}

// isTotal says whether a line sums up those above it, in all of the portfolios from first on.
func (l *listing) isTotal(name string, first int, values []float64) bool {
	if !slices.Contains(totalWords, plain([]byte(name))) {
		return false
	}
	for k, x := range values {
		row := l.rows[first+k]
		if len(row) > 0 && (x == 1 || x == 100) {
			continue // with what is left out, such as cash
		}
		for _, v := range row {
			if v == v {
				x -= v
			}
		}
		if math.Abs(x) >= 1e-4 {
			return false
		}
	}
	return true
}

// fill puts the portfolios into the table.
func (l *listing) fill(t *table) error {
	if len(l.symbols) == 0 {
		return errors.New("no rows below the header")
	}
	t.names, t.lines, t.notes = l.symbols, l.lines, append(t.notes, l.notes...)
	if len(l.ids) > 1 || l.ids[0] != "" {
		t.ids = l.ids
		if err := checkNames("portfolio", l.ids); err != nil {
			return err
		}
	}
	t.numbers = make([]float64, 0, len(l.ids)*len(l.symbols))
	for _, row := range l.rows {
		for j := range l.symbols {
			x := 0. // it has no line: it isn't held
			if j < len(row) && row[j] == row[j] {
				x = row[j]
			}
			t.numbers = append(t.numbers, x)
		}
	}
	return nil
}
