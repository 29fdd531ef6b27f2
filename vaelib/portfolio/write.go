package portfolio

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/tabular"
)

// WriteCSV writes the weights, with a first column id where there are ids. The
// numbers have the fewest digits that read back as the same float64. It returns
// an error, before the first byte, for what [Portfolios.Check] refuses, save
// that rows may have any sum.
func (p *Portfolios) WriteCSV(w io.Writer) error {
	return p.write(w, p.Symbols, p.Weights)
}

// WriteParquet writes the weights as a Parquet file, with a first column id
// where there are ids. It refuses what [Portfolios.WriteCSV] does.
func (p *Portfolios) WriteParquet(w io.Writer) error {
	if err := p.checkNames(); err != nil {
		return err
	}
	var columns []tabular.Series
	if p.IDs != nil {
		columns = append(columns, tabular.Series{Name: idColumn, Texts: p.IDs})
	}
	for j, symbol := range p.Symbols {
		numbers := mat.Col(nil, j, p.Weights)
		if i := notFinite(numbers); i >= 0 {
			return errors.New("row " + p.ID(i) + ", " + symbol + ": not a finite number")
		}
		columns = append(columns, tabular.Series{Name: symbol, Numbers: numbers})
	}
	return tabular.WriteParquet(w, columns)
}

// WriteConditionsCSV writes the conditions, with the ids of the weights.
func (p *Portfolios) WriteConditionsCSV(w io.Writer) error {
	if p.Conditions == nil {
		return errors.New("the portfolios have no conditions")
	}
	return p.write(w, p.Conditions.Names, p.Conditions.Values)
}

func (p *Portfolios) write(w io.Writer, names []string, values *mat.Dense) error {
	if err := p.checkNames(); err != nil {
		return err
	}
	for i := range p.Len() {
		if j := notFinite(values.RawRowView(i)); j >= 0 {
			return errors.New("row " + p.ID(i) + ", " + names[j] + ": not a finite number")
		}
	}
	var line []byte
	next := func(field string) {
		if len(line) > 0 {
			line = append(line, ',')
		}
		if strings.Contains(field, ",") {
			field = `"` + field + `"`
		}
		line = append(line, field...)
	}
	flush := func() error {
		_, err := w.Write(append(line, '\n'))
		line = line[:0]
		return err
	}
	if p.IDs != nil {
		next(idColumn)
	}
	for _, name := range names {
		next(name)
	}
	if err := flush(); err != nil {
		return err
	}
	for i := range p.Len() {
		if p.IDs != nil {
			next(p.IDs[i])
		}
		for _, x := range values.RawRowView(i) {
			if len(line) > 0 {
				line = append(line, ',')
			}
			line = strconv.AppendFloat(line, x+0, 'g', -1, 64) // + 0: no negative zero
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return nil
}
