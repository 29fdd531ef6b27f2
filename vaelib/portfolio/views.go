package portfolio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"vaefolio/internal/spelling"
	"vaefolio/vaelib/tabular"
)

// View is a line of a file of views: what some assets are expected to return, or by how
// much some are expected to beat others.
type View struct {
	Name       string    // the legs as the file has them, as in "A" or "A over B"
	Legs       []float64 // n, in the order of the symbols; those held sum to 1, those sold to -1
	Return     float64   // per year, as a share
	Confidence float64   // above 0 and at most 1; 0.5 where the file says nothing
	Line       int
}

// What the columns of views are called, in small letters without marks.
var viewWords = [4][]string{
	{"long", "asset", "assets", "symbol", "symbols", "ticker", "overweight", "buy"},
	{"short", "against", "over", "versus", "vs", "underweight", "sell"},
	{"return", "returns", "annualreturn", "expectedreturn", "q", "ret"},
	{"confidence", "confidences", "conf"},
}

// Places of the columns of views.
const (
	longLegs = iota
	shortLegs
	viewReturn
	viewConfidence
)

// usualConfidence is that of a view that comes without one: He and Litterman's.
const usualConfidence = 0.5

// ReadViews reads a CSV of views about the symbols (n), with the columns long, short,
// return and confidence, of which short and confidence may be missing or empty. A leg is
// a symbol, or several separated by semicolons with the share of each, as in A=0.3;B=0.7,
// or without shares, which are equal then. Returns are per year and as shares, like
// confidences; percent signs are understood. Everything that is wrong is a [*FileError].
func ReadViews(path string, symbols []string) ([]View, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readViews(file, path, symbols)
}

func readViews(r io.Reader, path string, symbols []string) (views []View, err error) {
	rows, t := tabular.NewRows(r, path), &table{file: path}
	var header []string
	var columns []int
	for rows.Next() {
		if t.line = rows.Number; header == nil {
			t.separator = separatorOf(rows.Line)
		}
		t.fields, _ = tabular.Cut(t.fields[:0], rows.Line, t.separator)
		fields := tabular.WithoutEmptyEnd(t.fields, len(header))
		if header == nil {
			if header, columns, err = viewColumns(fields); err != nil {
				return nil, t.refuse(0, err)
			}
			continue
		}
		if len(fields) != len(header) {
			return nil, t.refuse(0, fmt.Errorf("has %d fields, and the header %d: complete the line%s", len(fields),
				len(header), orDelete(fields)))
		}
		v, column, err := viewOf(fields, header, columns, symbols)
		if err != nil {
			return nil, t.refuse(column+1, err)
		}
		v.Line = rows.Number
		views = append(views, v)
	}
	t.line = 0
	switch err := rows.Err(); {
	case err != nil:
		return nil, defectOf(path, err)
	case header == nil:
		return nil, t.refuse(0, errors.New("the file is empty: it starts with a header, long,short,return,confidence"))
	case len(views) == 0:
		return nil, t.refuse(0, errors.New("no views below the header"))
	}
	return views, nil
}

// viewColumns finds the columns in the header; -1: there is none.
func viewColumns(fields [][]byte) ([]string, []int, error) {
	names, columns, others, err := findColumns(fields, viewWords[:]...)
	if err != nil {
		return nil, nil, err
	}
	if len(others) > 0 {
		return nil, nil, fmt.Errorf("column %s is none of long, short, return and confidence: rename it, or leave it "+
			"out", excerpt(names[others[0]]))
	}
	if columns[longLegs] < 0 || columns[viewReturn] < 0 {
		return nil, nil, fmt.Errorf("header %s is not long,short,return,confidence, of which short and confidence "+
			"may be missing", excerpt(strings.Join(names, ",")))
	}
	return names, columns, nil
}

// viewOf reads a line; column is where an error is, from 0.
func viewOf(fields [][]byte, header []string, columns []int, symbols []string) (v View, column int, err error) {
	field := func(at int) string {
		if columns[at] < 0 {
			return ""
		}
		return string(bytes.TrimSpace(fields[columns[at]]))
	}
	v = View{Legs: make([]float64, len(symbols)), Name: field(longLegs), Confidence: usualConfidence}
	if err := addLegs(v.Legs, v.Name, 1, symbols); err != nil {
		return v, columns[longLegs], err
	}
	if short := field(shortLegs); short != "" {
		if err := addLegs(v.Legs, short, -1, symbols); err != nil {
			return v, columns[shortLegs], err
		}
		v.Name += " over " + short
	}
	number := func(at int) (float64, error) {
		return shareBelow(header[columns[at]], fields[columns[at]])
	}
	if v.Return, err = number(viewReturn); err != nil {
		return v, columns[viewReturn], fmt.Errorf("return of %s: %w: a share per year such as 0.05", v.Name, err)
	}
	if math.Abs(v.Return) >= mostViewed {
		return v, columns[viewReturn], fmt.Errorf("return of %s is %.6g a year, which is %.6g %%: shares are meant; "+
			"if it is in percent, divide by 100 or write a percent sign", v.Name, v.Return, 100*v.Return)
	}
	if field(viewConfidence) == "" {
		return v, 0, nil
	}
	if v.Confidence, err = number(viewConfidence); err != nil {
		return v, columns[viewConfidence], fmt.Errorf("confidence of %s: %w: a share such as 0.5", v.Name, err)
	}
	if !(v.Confidence > 0 && v.Confidence <= 1) {
		hint := "it lies above 0 and is at most 1, which is certain"
		if v.Confidence > 1 && v.Confidence <= 100 {
			hint = fmt.Sprintf("is %v meant, or %v%%?", v.Confidence/100, v.Confidence)
		}
		if v.Confidence == 0 {
			hint = "a view that counts for nothing is left out"
		}
		return v, columns[viewConfidence], fmt.Errorf("confidence of %s is %v: %s", v.Name, v.Confidence, hint)
	}
	return v, 0, nil
}

// mostViewed is a return per year that is only reached in percent.
const mostViewed = 10

// addLegs adds the symbols of one side of a view, of sign 1 or -1.
func addLegs(legs []float64, text string, sign float64, symbols []string) error {
	parts := strings.Split(text, ";")
	var sum float64
	given := 0
	for _, part := range parts {
		part = strings.TrimSpace(part)
		weight := 1 / float64(len(parts))
		j := slices.Index(symbols, part)
		if at := strings.LastIndexByte(part, '='); j < 0 && at > 0 { // a symbol may have one, as EURUSD=X has
			x, err := share([]byte(strings.TrimSpace(part[at+1:])), shares)
			if err == nil {
				part, weight = strings.TrimSpace(part[:at]), x
				j = slices.Index(symbols, part)
				given++
			}
		}
		switch {
		case part == "":
			return errors.New("a leg names no symbol: write one, or several separated by semicolons as in A=0.3;B=0.7")
		case j < 0:
			nearest := slices.MinFunc(symbols, func(a, b string) int {
				return spelling.Distance(strings.ToUpper(part), strings.ToUpper(a)) -
					spelling.Distance(strings.ToUpper(part), strings.ToUpper(b))
			})
			return fmt.Errorf("symbol %s is not among the assets: is %s meant?", excerpt(part), nearest)
		case legs[j] != 0:
			return fmt.Errorf("symbol %s is there twice: a view has it once, on one side", part)
		case !(weight > 0):
			return fmt.Errorf("the share of %s is %v: shares of a leg are positive, and the column says which side",
				part, weight)
		}
		sum += weight
		legs[j] = sign * weight
	}
	if given != 0 && given != len(parts) {
		return fmt.Errorf("some symbols of %s have a share and some have none: give all of them one", excerpt(text))
	}
	if math.Abs(sum-1) > 1e-6 {
		return fmt.Errorf("the shares of %s sum to %s, not 1", excerpt(text), strconv.FormatFloat(sum, 'g', 6, 64))
	}
	return nil
}
