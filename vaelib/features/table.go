package features

import (
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Column is one feature over time.
type Column struct {
	Name    string // unique: Subject.Kind, then the window or component, such as BTCUSDT.volatility.20
	Subject string // the symbol or the basket that it describes
	Kind    Kind   // what it measures
	// Window is the number of periods that a value looks back over, 0 for all
	// before; of Share and Loading the number of the component, from 1.
	Window  int
	Unit    string    // such as "per period"
	Values  []float64 // T; 0 where undefined
	Defined []bool    // T
}

// Kind is what a feature measures; its methods of computation are documented
// with [Config].
type Kind string

// The kinds of features.
const (
	Mean            Kind = "mean"
	Volatility      Kind = "volatility"
	Momentum        Kind = "momentum"
	Trend           Kind = "trend"
	Drawdown        Kind = "drawdown"
	MaxDrawdown     Kind = "max_drawdown"
	VaR             Kind = "var"
	CVaR            Kind = "cvar"
	Dispersion      Kind = "dispersion"
	VolatilityIndex Kind = "volatility_index"
	Share           Kind = "share"
	Loading         Kind = "loading"
)

// Table holds features over the same times. It is immutable by convention.
type Table struct {
	Times    []time.Time   // T, those of the returns
	Interval time.Duration // from the time of a row to when it is known
	Columns  []Column      // c
}

// Len returns the number of rows T.
func (t *Table) Len() int { return len(t.Times) }

// Known returns the earliest time at which row i may be acted on: when the
// candle that its time opens has closed.
func (t *Table) Known(i int) time.Time { return t.Times[i].Add(t.Interval) }

// Names returns the columns' names.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for j := range t.Columns {
		names[j] = t.Columns[j].Name
	}
	return names
}

// Column returns the column of a name, and whether there is one.
func (t *Table) Column(name string) (*Column, bool) {
	j := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if j < 0 {
		return nil, false
	}
	return &t.Columns[j], true
}

// Row writes row i into dst (length c) and says whether every value of it is
// defined.
func (t *Table) Row(dst []float64, i int) bool {
	if len(dst) != len(t.Columns) {
		panic("features: destination has the wrong length")
	}
	complete := true
	for j := range t.Columns {
		dst[j] = t.Columns[j].Values[i]
		complete = complete && t.Columns[j].Defined[i]
	}
	return complete
}

// Complete returns the rows from <= i < to in which every value is defined.
func (t *Table) Complete(from, to int) []int {
	var rows []int
	for i := from; i < to; i++ {
		if !slices.ContainsFunc(t.Columns, func(c Column) bool { return !c.Defined[i] }) {
			rows = append(rows, i)
		}
	}
	return rows
}

// Matrix returns the chosen rows as a matrix, N x c: the values of
// conditions, say, under [Table.Names]. It returns an error without a row or
// a column, for a row that is out of range, and for a value that is undefined.
func (t *Table) Matrix(rows []int) (*mat.Dense, error) {
	if len(rows) == 0 || len(t.Columns) == 0 {
		return nil, fmt.Errorf("a matrix of %d rows of %d features is empty: choose rows past the warm-up",
			len(rows), len(t.Columns))
	}
	x := mat.NewDense(len(rows), len(t.Columns), nil)
	for k, i := range rows {
		if i < 0 || i >= t.Len() {
			return nil, fmt.Errorf("row %d is out of range: the table has %d", i, t.Len())
		}
		dst := x.RawRowView(k)
		for j := range t.Columns {
			c := &t.Columns[j]
			if !c.Defined[i] {
				return nil, fmt.Errorf("feature %s is undefined at %s: choose complete rows", c.Name, stamp(t.Times[i]))
			}
			dst[j] = c.Values[i]
		}
	}
	return x, nil
}

// stamp writes a time for people: the day alone where it is midnight UTC.
func stamp(t time.Time) string {
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.UTC().Format(time.DateOnly)
	}
	return t.UTC().Format(time.RFC3339)
}
