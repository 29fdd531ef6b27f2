package portfolio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/tabular"
)

const (
	idColumn    = "id"
	mostNumbers = 1 << 25 // numbers in a file: 256 MiB of memory
	inBlock     = 1 << 20 // numbers in a block, which is not moved as a file is read on
)

// ReadOptions say what is expected of a file of weights.
type ReadOptions struct {
	// Symbols are the wanted columns in their wanted order; the file's may
	// differ. Nil: those of the file, as they come.
	Symbols []string
	// Percent says that the weights are in percent: each is divided by 100. Those
	// with a percent sign are so anyhow.
	Percent bool
	// AnySum accepts rows that do not sum to 1: what is to be projected.
	AnySum bool
	// Called are names of the column of numbers in a list of symbols, in small letters
	// without blanks and marks, where these are no weights. Nil: the names of weights.
	Called []string
	// Amounts refuses percent signs, in numbers that are no shares of anything.
	Amounts bool
}

// ReadCSV reads the weights in a file: a header of symbols and a row a
// portfolio, perhaps with ids in a first column that is called id, portfolio, date or,
// as pandas writes its index, nothing; or lines of a symbol and its weight, with the
// portfolio where there are several; or a table on its side, with symbols in the first
// column and a portfolio in each other. Fields are separated by commas, or by
// semicolons, tabs or bars, beside which there may be decimal commas. The file may be
// packed as tables may be (package tabular). Text below the rows, such as a source, is passed
// over, as is a line that sums up a listing; Notes say so. Everything
// that is wrong with it is a [*FileError]; around a [*SymbolError] where a symbol
// is unknown or missing.
func ReadCSV(path string, options ReadOptions) (*Portfolios, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(file, path, options)
}

// Read is [ReadCSV] for any reader; name is what errors call it.
func Read(r io.Reader, name string, options ReadOptions) (*Portfolios, error) {
	t, err := readTable(r, name, "symbol", options, func(id string, names []string, row []float64) error {
		if options.AnySum {
			return nil
		}
		return hint(checkSum(row, id), names, row)
	})
	if err != nil {
		return nil, err
	}
	p := &Portfolios{Symbols: t.names, IDs: t.ids, Weights: t.values(), Notes: t.notes}
	if options.Symbols == nil {
		return p, nil
	}
	p, err = p.Reorder(options.Symbols)
	var symbol *SymbolError
	if errors.As(err, &symbol) {
		return nil, &FileError{File: name, Line: t.headerLine, Column: t.column(symbol.Symbol), Err: err}
	}
	return p, err
}

// hint adds to the error of a row that misses 1 what is likely meant.
func hint(err error, names []string, row []float64) error {
	if err == nil {
		return nil
	}
	var sum float64
	for _, x := range row {
		sum += x
	}
	total := slices.IndexFunc(row, func(x float64) bool { return x > 0 && math.Abs(2*x-sum) < SumTolerance })
	switch {
	case total >= 0 && len(row) > 2 && math.Abs(sum-2) <= 2*SumTolerance:
		return fmt.Errorf("%w: %s is the sum of the others: if it is no symbol, leave it out", err, names[total])
	case math.Abs(sum-1) <= 0.02:
		return fmt.Errorf("%w: rounded? The verb project makes rows sum to 1", err)
	case math.Abs(sum-100) <= 2:
		return fmt.Errorf("%w: %w Say -percent, or divide by 100", err, ErrPercent)
	case sum > 3:
		return fmt.Errorf("%w: amounts or numbers of shares? Give the value of each over that of all", err)
	case math.Abs(sum) < SumTolerance:
		return fmt.Errorf("%w: as much short as long? The rest is cash: add a symbol for it, whose price is 1", err)
	}
	return err
}

// ReadConditionsCSV reads the conditions of p's rows from a file: with the same
// ids in any order, or, where p has none and the file has none, as many rows in
// the same order. Everything that is wrong with it is a [*FileError].
func ReadConditionsCSV(path string, p *Portfolios) (*Conditions, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadConditions(file, path, p)
}

// ReadConditions is [ReadConditionsCSV] for any reader; name is what errors
// call it.
func ReadConditions(r io.Reader, name string, p *Portfolios) (*Conditions, error) {
	t, err := readTable(r, name, "condition", ReadOptions{}, nil)
	if err != nil {
		return nil, err
	}
	refuse := func(line int, format string, args ...any) error {
		return &FileError{File: name, Line: line, Err: fmt.Errorf(format, args...)}
	}
	values := t.values()
	rows, columns := values.Dims()
	if (t.ids == nil) != (p.IDs == nil) {
		return nil, refuse(t.headerLine,
			"weights and conditions are matched by id: give both a first column %s, or neither", idColumn)
	}
	if rows != p.Len() {
		return nil, refuse(0, "conditions of %d portfolios for %d portfolios", rows, p.Len())
	}
	if t.ids == nil {
		return &Conditions{Names: t.names, Values: values}, nil
	}
	at := make(map[string]int, rows)
	for i, id := range p.IDs {
		at[id] = i
	}
	ordered := mat.NewDense(rows, columns, nil)
	for i, id := range t.ids {
		row, known := at[id]
		if !known {
			return nil, refuse(t.lines[i], "id %s is not among the portfolios", id)
		}
		ordered.SetRow(row, values.RawRowView(i))
	}
	return &Conditions{Names: t.names, Values: ordered}, nil
}

// open opens a file, with an error that says in one line what is wrong.
func open(path string) (io.ReadCloser, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = errors.New("is a folder, not a file")
	}
	if err == nil {
		var file io.ReadCloser
		if file, err = tabular.OpenText(path); err == nil {
			return file, nil
		}
	}
	return nil, defectOf(path, err)
}

// defectOf is an error of a file that can't be opened or read on, in one line.
func defectOf(path string, err error) error {
	if defect := new(tabular.Error); errors.As(err, &defect) {
		return &FileError{File: path, Line: defect.Line, Column: defect.Column, Err: errors.New(defect.Msg)}
	}
	if cause := new(fs.PathError); errors.As(err, &cause) {
		err = cause.Err
	}
	return &FileError{File: path, Err: err}
}

// table is a CSV of numbers with a header and, perhaps, ids.
type table struct {
	file, kind string   // as errors call it, and its columns
	known      []string // names that columns may have; nil: any
	called     []string // names of the column of numbers in a listing
	unit       unit     // of weights without a percent sign
	headerLine int
	names      []string
	ids        []string // nil: no such column
	lines      []int    // line of each row
	listing    *listing // nil: the lines are portfolios, not symbols
	separator  byte     // of the fields
	blocks     [][]float64
	numbers    []float64 // behind those in the blocks

	line    int // that is being read
	fields  [][]byte
	withIDs bool
	maybeID bool           // the first column may hold ids, which its first field tells
	seen    map[string]int // line of each id
	footer  footer
	notes   []string
}

func (t *table) values() *mat.Dense {
	if len(t.blocks) > 0 {
		t.numbers, t.blocks = slices.Concat(append(t.blocks, t.numbers)...), nil
	}
	return mat.NewDense(len(t.lines), len(t.names), t.numbers)
}

// column is the number of the field with a name, or 0.
func (t *table) column(name string) int {
	for j, n := range t.names {
		if n == name {
			if t.ids != nil {
				j++
			}
			return j + 1
		}
	}
	return 0
}

// readTable reads a table whose columns are called kind in errors; check, if
// any, looks at each row.
func readTable(r io.Reader, file, kind string, options ReadOptions,
	check func(id string, names []string, row []float64) error,
) (*table, error) {
	lines := tabular.NewRows(r, file)
	t := &table{file: file, kind: kind, known: options.Symbols, called: options.Called, separator: ',',
		seen: map[string]int{}}
	if t.called == nil {
		t.called = weightWords
	}
	switch {
	case options.Percent:
		t.unit = percent
	case options.Amounts:
		t.unit = amounts
	}
	if check == nil {
		check = func(string, []string, []float64) error { return nil }
	}
	for lines.Next() {
		t.line = lines.Number
		if err := t.take(lines.Line, check); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, defectOf(file, err)
	}
	if t.listing != nil {
		if err := t.takeListing(check); err != nil {
			return nil, err
		}
	}
	if t.footer.line > 0 {
		t.notes = append(t.notes, t.footer.note())
	}
	t.line = 0
	switch {
	case t.headerLine == 0:
		return nil, t.refuse(0, fmt.Errorf("the file is empty: it starts with a header of %ss", kind))
	case len(t.lines) == 0:
		return nil, t.refuse(0, errors.New("no rows below the header"))
	}
	return t, nil
}

// takeListing takes the portfolios of a listing, whose rows are whole at its end.
func (t *table) takeListing(check func(id string, names []string, row []float64) error) error {
	t.line = 0
	if err := t.listing.fill(t); err != nil {
		return t.refuse(0, err)
	}
	n := len(t.names)
	for i, line := range t.lines {
		id := strconv.Itoa(i + 1)
		if t.ids != nil {
			id = t.ids[i]
		}
		t.line = line
		if err := check(id, t.names, t.numbers[i*n:(i+1)*n]); err != nil {
			return t.refuse(0, err)
		}
	}
	return nil
}

// refuse is a defect of the current line; column counts from 1, 0 is none.
func (t *table) refuse(column int, err error) error {
	return &FileError{File: t.file, Line: t.line, Column: column, Err: err}
}

// take takes in a line: the header, a row, or a symbol and its weight.
func (t *table) take(text []byte, check func(id string, names []string, row []float64) error) error {
	if t.headerLine == 0 {
		if text[0] == '#' {
			return nil // a remark
		}
		t.separator = separatorOf(text)
	}
	t.fields, _ = tabular.Cut(t.fields[:0], text, t.separator)
	if t.headerLine == 0 {
		t.headerLine = t.line
		t.fields = tabular.WithoutEmptyEnd(t.fields, 0)
		if t.kind == "symbol" {
			var named bool
			if t.listing, named = t.listingOf(t.fields); named {
				return nil
			}
		}
	}
	if t.headerLine != t.line {
		if below, err := t.isBelow(); below || err != nil {
			return err
		}
	}
	switch {
	case t.listing != nil:
		t.fields = tabular.WithoutEmptyEnd(t.fields, t.listing.fields)
		column, err := t.listing.add(t.decimal(t.fields), t.line)
		if err != nil {
			return t.refuse(column, err)
		}
		return nil
	case t.headerLine == t.line:
		t.withIDs = isIDColumn(string(t.fields[0])) && (t.kind == "symbol" || len(t.fields[0]) > 0)
		t.maybeID = !t.withIDs && t.kind == "symbol" && len(t.fields) > 1 &&
			slices.Contains(append(portfolioWords, "name"), plain(t.fields[0]))
		if column, err := t.header(t.fields, t.withIDs, t.kind); err != nil {
			return t.refuse(column, err)
		}
		return nil
	}
	return t.addRow(check)
}

// separatorOf is what separates the fields of a line: a comma, unless it has none and
// one of the others.
func separatorOf(text []byte) byte {
	if bytes.IndexByte(text, ',') < 0 {
		for _, sep := range []byte(";\t|") {
			if bytes.IndexByte(text, sep) >= 0 {
				return sep
			}
		}
	}
	return ','
}

// decimal writes points for decimal commas, where commas don't separate fields, or stand in
// quotes and don't set thousands apart.
func (t *table) decimal(fields [][]byte) [][]byte {
	for i, f := range fields {
		if bytes.IndexByte(f, ',') < 0 || t.separator == ',' && !hasDecimalComma(f) {
			continue
		}
		if bytes.Count(f, []byte{','}) == 1 && len(bytes.Trim(f, "0123456789,+-%() ")) == 0 {
			fields[i] = bytes.Replace(f, []byte{','}, []byte{'.'}, 1)
		}
	}
	return fields
}

// hasDecimalComma says whether the comma of a field can be no mark of thousands: 0,125 or 12,5%.
func hasDecimalComma(field []byte) bool {
	whole, fraction, ok := bytes.Cut(bytes.Trim(field, "+-%() "), []byte{','})
	return ok && len(whole) > 0 && len(fraction) > 0 && (len(fraction) != 3 || whole[0] == '0')
}

// addRow takes in the fields of a row.
func (t *table) addRow(check func(id string, names []string, row []float64) error) error {
	id := strconv.Itoa(len(t.lines) + 1)
	t.fields = t.decimal(t.fields)
	if _, err := weight(t.fields[0]); t.maybeID && err != nil {
		t.withIDs, t.names = true, t.names[1:]
	}
	t.maybeID = false
	first := 0
	if t.withIDs {
		first, id = 1, string(t.fields[0])
		if err := checkName("id", id); err != nil {
			return t.refuse(1, err)
		}
		if before, repeated := t.seen[id]; repeated {
			return t.refuse(1, fmt.Errorf("id %s is repeated from line %d: ids are unique", id, before))
		}
		t.seen[id] = t.line
		t.ids = append(t.ids, id)
	}
	t.fields = tabular.WithoutEmptyEnd(t.fields, len(t.names)+first)
	if len(t.fields)-first != len(t.names) {
		if len(t.names)+first == 1 {
			return t.refuse(0, fmt.Errorf("has %d fields, and the first line 1: start with the names of the columns, "+
				"and delete what stands above them", len(t.fields)))
		}
		return t.refuse(0, fmt.Errorf("has %d fields, and the header %d: complete the line%s", len(t.fields),
			len(t.names)+first, orDelete(t.fields)))
	}
	if (len(t.lines)+1)*len(t.names) > mostNumbers {
		return t.refuse(0, fmt.Errorf("the file holds more than %d numbers, the most that are read, %d rows of %d: "+
			"split it", mostNumbers, mostNumbers/len(t.names), len(t.names)))
	}
	if len(t.numbers) >= inBlock {
		t.blocks, t.numbers = append(t.blocks, t.numbers), make([]float64, 0, inBlock+len(t.names))
	}
	for j, field := range t.fields[first:] {
		x, err := share(field, t.unit)
		if err != nil {
			return t.refuse(first+j+1, fmt.Errorf("row %s, %s: %w", id, t.names[j], err))
		}
		t.numbers = append(t.numbers, x)
	}
	if err := check(id, t.names, t.numbers[len(t.numbers)-len(t.names):]); err != nil {
		return t.refuse(0, err)
	}
	t.lines = append(t.lines, t.line)
	return nil
}

// orDelete is what else helps against a line of text.
func orDelete(fields [][]byte) string {
	if _, err := weight(fields[0]); len(fields) > 1 || err == nil {
		return ""
	}
	return ", or delete it with what is below it, where that is none of the table"
}

// isIDColumn says whether a first column holds ids: pandas' index has no name.
func isIDColumn(name string) bool {
	return strings.EqualFold(name, idColumn) || name == "" || name == "Unnamed: 0" || name == "__index_level_0__"
}

// header takes the names from the first line; column is where an error is.
func (t *table) header(fields [][]byte, withIDs bool, kind string) (column int, err error) {
	first := 0
	if withIDs {
		first = 1
	} else if len(fields[0]) == 0 {
		return 1, fmt.Errorf("the first column has no name: call it %s, or leave it out", idColumn)
	}
	if len(fields) == first {
		return 0, fmt.Errorf("the header names no %s after %s", kind, idColumn)
	}
	place := make(map[string]int, len(fields))
	if kind == "symbol" && allShares(fields) {
		return 1, errors.New("the first line has numbers alone: put a line of symbols above it")
	}
	for j, field := range fields[first:] {
		name := string(field)
		if err := checkName(kind, name); err != nil {
			return first + j + 1, err
		}
		if before, repeated := place[name]; repeated {
			return first + j + 1, fmt.Errorf("%s %s is repeated from column %d: keep one of them", kind, name, before)
		}
		place[name] = first + j + 1
		if j == 0 || withIDs || !strings.EqualFold(name, idColumn) {
			t.names = append(t.names, name)
			continue
		}
		return first + j + 1, fmt.Errorf("column %s is not the first: move it there", name)
	}
	return 0, nil
}

// allShares says whether a line has numbers with a fraction alone, as no symbols are.
func allShares(fields [][]byte) bool {
	return !slices.ContainsFunc(fields, func(f []byte) bool {
		_, err := weight(f)
		return err != nil || !bytes.ContainsAny(f, ".%")
	})
}

// weight parses a number, with a percent sign or without.
func weight(field []byte) (float64, error) {
	if last := len(field) - 1; last > 0 && field[last] == '%' {
		x, err := number(bytes.TrimSpace(field[:last]))
		return x / 100, err
	}
	return number(field)
}

// unit is what numbers without a percent sign are in.
type unit int

const (
	shares unit = iota
	percent
	amounts // of which a percent sign is a mistake
)

// share is [weight] of a field in a unit.
func share(field []byte, in unit) (float64, error) {
	x, err := weight(field)
	if err != nil || field[len(field)-1] == '%' && in != amounts {
		return x, err
	}
	switch {
	case in == percent:
		x /= 100
	case in == amounts && field[len(field)-1] == '%':
		return 0, fmt.Errorf("%s is in percent, and an amount is meant: write the number of units, or the value",
			excerpt(string(field)))
	}
	return x, nil
}

// number parses a finite decimal number; one in brackets is below 0, as accountants
// write it.
func number(field []byte) (float64, error) {
	if n := len(field); n > 2 && field[0] == '(' && field[n-1] == ')' {
		x, err := number(field[1 : n-1])
		return -x, err
	}
	if len(field) == 0 {
		return 0, errors.New("the field is empty: write 0 for nothing")
	}
	x, err := strconv.ParseFloat(string(field), 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange), bytes.IndexByte(field, '_') >= 0,
		bytes.IndexByte(field, 'x') >= 0, bytes.IndexByte(field, 'X') >= 0:
		return 0, fmt.Errorf("%s is not a number", excerpt(string(field)))
	case math.IsNaN(x) || math.IsInf(x, 0):
		return 0, fmt.Errorf("%s is not a finite number", excerpt(string(field)))
	}
	return x, nil
}
