package portfolio

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/tabular"
)

// positions is what brokers export: a line a position, with its value in money or its
// share of the account, perhaps below a title and above a total and small print; several
// lots of one symbol may have a line each.
type positions struct {
	file    string
	header  []string // in small letters without marks
	symbol  int
	value   int  // or the share of the account, where there is one
	shares  bool // it is that
	percent bool // in percent without a sign
	size    int  // number of shares; -1: none
	money   int  // currency; -1: none

	decimal    byte
	separator  byte
	symbols    []string
	places     map[string]int
	values     []float64
	lots       []int
	currencies map[string]bool
	notes      []string
}

// What brokers call the columns beside the symbol, in small letters without marks.
var (
	valueWords = []string{"marketvalue", "mktval", "mktvalmarketvalue", "currentvalue", "value", "positionvalue",
		"marktwert", "kurswert", "wert", "valeur", "valorisation", "valor", "valordemercado", "valoredimercato",
		"marketvalueusd", "totalvalue", "equity", "notionalvalue", "valuation", "marktwertineur", "currentmarketvalue"}
	sizeWords = []string{"quantity", "qty", "qtyquantity", "shares", "units", "position", "menge", "stück", "stueck",
		"anzahl", "quantité", "cantidad", "quantità", "quantidade", "stk"}
	moneyWords = []string{"currency", "ccy", "währung", "waehrung", "devise", "divisa", "valuta", "moeda", "moneda"}
	kindWords  = []string{"description", "name", "sector", "assetclass", "securitytype", "assettype", "securityname"}
	totalWords = []string{"total", "sum", "totals", "accounttotal", "grandtotal", "summe", "gesamt",
		"portfoliototal", "totale"}
)

// mostPreamble bounds the lines of a title above the names of the columns.
const mostPreamble = 20

// readPositions reads a broker's export as one portfolio, the value of each symbol over
// that of all, and what they sum to in money, where it tells that; nil for a file that is none.
func readPositions(path string) (p *Portfolios, sum float64, notes []string, err error) {
	file, err := open(path)
	if err != nil {
		return nil, 0, nil, err
	}
	defer file.Close()
	lines := tabular.NewRows(file, path)
	t := &positions{file: path, places: map[string]int{}, currencies: map[string]bool{}}
	above := t.findHeader(lines.Lines.Peek(tabular.HeadSize))
	if above < 0 {
		return nil, 0, nil, nil
	}
	if above > 0 {
		t.notes = append(t.notes, fmt.Sprintf("the %d lines above the names of the columns are passed over", above))
	}
	for lines.Number <= above && lines.Next() {
	}
	if err := t.read(&lines); err != nil {
		return nil, 0, nil, err
	}
	return t.portfolio()
}

// findHeader finds the first line that names a symbol and a value, and returns how many
// there are above it; -1 without one.
func (t *positions) findHeader(head []byte) int {
	for i, line := range bytes.Split(head, []byte{'\n'}) {
		if i > mostPreamble {
			break
		}
		line = tabular.TrimLine(line, i+1)
		t.separator = separatorOf(line)
		fields, _ := tabular.Cut(nil, line, t.separator)
		t.symbol, t.value = place(fields, append(symbolWords, "security")), place(fields, valueWords)
		t.size, t.money = place(fields, sizeWords), place(fields, moneyWords)
		if t.symbol < 0 || t.value < 0 {
			continue
		}
		if w := place(fields, weightWords); w >= 0 {
			t.value, t.shares, t.percent = w, true, inPercent(fields[w])
		}
		for _, f := range fields {
			t.header = append(t.header, plain(f))
		}
		return i
	}
	return -1
}

// read reads the lines below the header, up to the small print.
func (t *positions) read(lines *tabular.Rows) error {
	var rows [][]string
	var numbers []int
	below, begins := 0, ""
	for lines.Next() {
		cut, _ := tabular.Cut(nil, lines.Line, t.separator)
		cut = tabular.WithoutEmptyEnd(cut, len(t.header))
		if len(cut) == 1 || len(cut) < len(t.header) && t.isProse(cut) {
			if below++; below == 1 {
				begins = fmt.Sprintf("line %d, %s", lines.Number, excerpt(string(cut[0])))
			}
			continue
		}
		if len(cut) != len(t.header) {
			return t.refuse(lines.Number, 0, "has %d fields, and the line of names %d: complete the line, or delete it",
				len(cut), len(t.header))
		}
		if below > 0 {
			return t.refuse(lines.Number, 0, "stands below %s, which is no position: delete what is none", begins)
		}
		fields := make([]string, len(cut))
		for i, f := range cut {
			fields[i] = string(f)
		}
		rows, numbers = append(rows, fields), append(numbers, lines.Number)
		if len(rows) > mostNumbers/len(t.header) {
			return t.refuse(lines.Number, 0, "the file is too long for a list of holdings: split it")
		}
	}
	if err := lines.Err(); err != nil {
		return defectOf(t.file, err)
	}
	if below > 0 {
		t.notes = append(t.notes, fmt.Sprintf("what stands below the holdings is passed over, from %s", begins))
	}
	t.decimal = decimalOf(rows, t.value, t.separator)
	for i, fields := range rows {
		if err := t.add(fields, numbers[i]); err != nil {
			return err
		}
	}
	return nil
}

// isProse says whether a short line has no number where values stand.
func (t *positions) isProse(fields [][]byte) bool {
	_, ok := amount(string(fields[len(fields)-1]), '.')
	return !ok || len(fields) <= t.value
}

// add takes in a position.
func (t *positions) add(fields []string, line int) error {
	name, text := fields[t.symbol], fields[t.value]
	cash := t.isCash(fields)
	value, isNumber := amount(strings.TrimRight(text, " %"), t.decimal)
	if t.shares && (t.percent || strings.HasSuffix(text, "%")) {
		value /= 100
	}
	switch {
	case slices.Contains(totalWords, plain([]byte(name))):
		t.notes = append(t.notes, fmt.Sprintf("line %d, %s, is passed over as a sum of the others", line, name))
		return nil
	case isBlank(name) && !cash && isBlank(text):
		return nil // such as a heading
	case isBlank(text):
		if size, ok := t.sizeOf(fields); ok && size == 0 {
			return nil // closed
		}
		return t.refuse(line, t.value+1, "%s has no value: write one, or 0, or delete the line", name)
	case !isNumber:
		return t.refuse(line, t.value+1, "%s: %s is not a number", name, excerpt(text))
	case isBlank(name) && !cash:
		return t.refuse(line, t.symbol+1, "symbol is empty: name it, or delete the line if it is none")
	}
	if size, ok := t.sizeOf(fields); ok && size < 0 && value > 0 {
		value = -value
		t.notes = append(t.notes, fmt.Sprintf("%s is short by its number of shares, and its value counts as negative",
			name))
	}
	if t.money >= 0 && !isBlank(fields[t.money]) && value != 0 {
		t.currencies[strings.ToUpper(fields[t.money])] = true
	}
	if cash {
		name = "CASH"
	}
	if err := checkName("symbol", name); err != nil {
		return t.refuse(line, t.symbol+1, "%v", err)
	}
	at, known := t.places[name]
	if !known {
		at = len(t.symbols)
		t.places[name] = at
		t.symbols, t.values, t.lots = append(t.symbols, name), append(t.values, 0), append(t.lots, 0)
	}
	t.values[at] += value
	t.lots[at]++
	return nil
}

// isCash says whether a position is cash, by its symbol or by what describes it.
func (t *positions) isCash(fields []string) bool {
	if IsCash(fields[t.symbol]) || strings.HasSuffix(fields[t.symbol], "**") {
		return true
	}
	for i, name := range t.header {
		text := strings.ToLower(fields[i])
		if i != t.symbol && slices.Contains(kindWords, name) &&
			(strings.Contains(text, "money market") || strings.HasPrefix(text, "cash") || text == "us dollar") {
			return true
		}
	}
	return false
}

// sizeOf is the number of shares of a position, where it is told.
func (t *positions) sizeOf(fields []string) (size float64, ok bool) {
	if t.size < 0 {
		return 0, false
	}
	return amount(fields[t.size], t.decimal)
}

// portfolio is the value of each symbol over that of all, and what these sum to.
func (t *positions) portfolio() (*Portfolios, float64, []string, error) {
	if len(t.currencies) > 1 && !t.shares {
		names := make([]string, 0, len(t.currencies))
		for c := range t.currencies {
			names = append(names, c)
		}
		slices.Sort(names)
		return nil, 0, nil, t.refuse(0, 0, "values in several currencies, %s, can't be added up: give all in one",
			strings.Join(names, " and "))
	}
	var sum float64
	for j, v := range t.values {
		sum += v
		if t.lots[j] > 1 && t.symbols[j] != "CASH" {
			t.notes = append(t.notes, fmt.Sprintf("%s: %d lots are added up", t.symbols[j], t.lots[j]))
		}
	}
	if len(t.symbols) == 0 {
		return nil, 0, nil, t.refuse(0, 0, "no holdings below the names of the columns")
	}
	if t.shares {
		return &Portfolios{Symbols: t.symbols, Weights: mat.NewDense(1, len(t.values), t.values)}, 0, t.notes, nil
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil, 0, nil, t.refuse(0, 0, "the values sum to %.10g, and shares of the capital are taken of a sum "+
			"above 0: add the cash", sum)
	}
	weights := mat.NewDense(1, len(t.values), nil)
	for j, v := range t.values {
		weights.Set(0, j, v/sum)
	}
	t.notes = append(t.notes, fmt.Sprintf("the weights are the values in the column %s over their sum, %.10g",
		t.header[t.value], sum))
	return &Portfolios{Symbols: t.symbols, Weights: weights}, sum, t.notes, nil
}

// refuse is a defect of a line; 0 is the file as a whole, and of a column none.
func (t *positions) refuse(line, column int, format string, args ...any) error {
	return &FileError{File: t.file, Line: line, Column: column, Err: fmt.Errorf(format, args...)}
}

// isBlank says whether a field stands for nothing.
func isBlank(field string) bool {
	return slices.Contains([]string{"", "-", "--", "—", "–", "n/a", "na", "null", "nan"}, strings.ToLower(field))
}

// amount reads a number of people: a currency's sign or letters around it, thousands apart, in
// brackets or with a minus behind it below 0.
func amount(field string, decimal byte) (float64, bool) {
	const marks = " $€£¥₹₩₽₺\u00a0\u202f"
	field = strings.Trim(field, marks)
	if n := len(field); n > 3 && isCode(field[:3]) {
		field = strings.Trim(field[3:], marks)
	} else if n > 3 && isCode(field[n-3:]) {
		field = strings.Trim(field[:n-3], marks)
	}
	bare := strings.Trim(field, "()+-"+marks)
	negative := strings.HasPrefix(field, "(") && strings.HasSuffix(field, ")") || strings.HasPrefix(field, "-") ||
		strings.HasSuffix(field, "-")
	if field = bare; strings.Contains(field, "-") {
		return 0, false
	}
	group := ","
	if decimal == ',' {
		group = "."
	}
	field = strings.NewReplacer(group, "", "'", "", "’", "", " ", "", "\u00a0", "", "\u202f", "").Replace(field)
	field = strings.Replace(field, string(rune(decimal)), ".", 1)
	if strings.Trim(field, "0123456789.") != "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(field, 64)
	if negative {
		x = -x
	}
	return x, err == nil
}

// isCode says whether a text may be the code of a currency.
func isCode(text string) bool { return strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

// decimalOf tells the decimal mark by a column of values: the last of two marks, or a comma
// behind which not three digits stand.
func decimalOf(rows [][]string, column int, separator byte) byte {
	for _, fields := range rows {
		text := strings.Trim(fields[column], "()+- $€£¥ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00a0")
		comma, point := strings.LastIndexByte(text, ','), strings.LastIndexByte(text, '.')
		switch {
		case comma >= 0 && point >= 0 && comma > point, comma >= 0 && point < 0 && len(text)-comma != 4,
			strings.Count(text, ".") > 1:
			return ','
		case comma >= 0 && point > comma:
			return '.'
		}
	}
	if separator == ';' {
		return ','
	}
	return '.'
}
