package main

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

// What is said of the prices.
const (
	funded    = "the returns have funding of perpetuals in them"
	synthetic = "made from the bundled sample, which is SYNTHETIC"
)

// answer is the json that is printed.
type answer struct {
	Objective  optimize.Objective `json:"objective"`
	Weights    number.Values      `json:"weights"`
	Value      float64            `json:"value"`
	Charge     *float64           `json:"charge,omitempty"` // of -turnover-charge, in the unit of value, which is without it
	Status     string             `json:"status"`
	Iterations int                `json:"iterations"`
	Optimum    *float64           `json:"optimum,omitempty"` // with -within: the best value
	KKT        float64            `json:"kkt"`
	Gap        float64            `json:"gap"`
	Assets     *int               `json:"assets,omitempty"` // held, where branch and bound chose them
	Nodes      int                `json:"nodes,omitempty"`  // of branch and bound
	Covariance *string            `json:"covariance"`       // null where none is used
	Shrinkage  *float64           `json:"shrinkage"`
	Means      *string            `json:"means,omitempty"` // as -means has it, of objectives that count on means
	Beliefs    *beliefs           `json:"black_litterman,omitempty"`
	Periods    int                `json:"periods"`
	Violation  float64            `json:"violation"`
	Gross      *float64           `json:"gross,omitempty"`     // sum |w|, with short positions
	Turnover   *float64           `json:"turnover,omitempty"`  // from -holdings: sum |w - held|
	Change     *number.Values     `json:"change,omitempty"`    // likewise: w - held, of what is sold whole too
	Units      *number.Values     `json:"units,omitempty"`     // with -cash
	Orders     *number.Values     `json:"orders,omitempty"`    // with -holdings too: to buy, below 0 to sell
	CashLeft   *float64           `json:"cash_left,omitempty"` // likewise
	Binding    []binding          `json:"binding,omitempty"`   // with -binding
	Rivals     []rival            `json:"rivals,omitempty"`    // with -rivals
	Notes      []string           `json:"notes"`
}

// output is what there is to print.
type output struct {
	c          *config
	prices     *cli.Data
	set        simplex.Set
	result     *optimize.Result
	held       *portfolio.Held      // nil without -holdings
	optimum    *optimize.Result     // that the result is within some share of; nil: the result
	beliefs    *beliefs             // nil without -means black-litterman
	shrinkage  *float64             // nil without a covariance
	flat       string               // what shrank the covariance to nothing; empty: it isn't
	allocation *optimize.Allocation // nil without cash
	orders     []float64            // n, units; nil without cash or holdings
	binding    []binding            // nil where nobody asks
	rivals     []rival              // likewise
	notes      []string             // which orders are too small, and which holdings for one
}

// write prints json with everything, csv as a file of weights that other verbs
// read, or a table.
func (o *output) write(io *cli.IO) error {
	notes := append([]string{}, o.result.Notes...)
	if o.prices.Window.Funded {
		notes = append(notes, funded)
	}
	if o.flat != "" {
		notes = append(notes, o.flat)
	}
	notes = append(notes, o.notes...)
	if a := o.allocation; a != nil && a.Missed > 1e-9 {
		notes = append(notes, fmt.Sprintf("in whole lots a least weight or sum, or the limit on turnover, is missed "+
			"by %.2g: give more cash, or smaller lots", a.Missed))
	}
	if o.prices.Synthetic {
		notes = append(notes, synthetic)
	}
	var err error
	switch o.c.Format.Format {
	case "json":
		notes = append(notes, o.prices.Notes...)
		return io.JSON(o.answer(append(notes, o.c.Annual.Told(o.prices.Window)...)))
	case "csv", "parquet":
		symbols := o.prices.Window.Symbols
		p := &portfolio.Portfolios{
			Symbols: symbols, IDs: []string{string(o.c.Objective)},
			Weights: mat.NewDense(1, len(symbols), o.result.Weights),
		}
		err = o.c.writeWeights(io, p)
	default:
		err = o.table(io)
	}
	if err != nil {
		return err
	}
	io.Note("%s: value %.8g, %s after %d iterations", o.c.Objective, o.result.Value, o.result.Status,
		o.result.Iterations)
	o.sayAssets(io)
	if o.c.Charge > 0 {
		io.Note("the charge for turnover, which is not in the value: %.8g", o.result.Charge)
	}
	if isShort(&o.set) {
		io.Note("gross exposure: %.6g", gross(o.result.Weights))
	}
	o.sayBinding(io)
	if o.held != nil {
		io.Note("turnover from the holdings: %.6g", o.held.Turnover(o.result.Weights))
		if o.optimum != nil {
			io.Note("the least within %.3g %% of the optimum, whose value is %.8g and whose turnover %.6g",
				100**o.c.Within, o.optimum.Value, o.held.Turnover(o.optimum.Weights))
		}
	}
	if o.allocation != nil {
		io.Note("cash left over: %.8g; the largest difference from a weight is %.2g",
			o.allocation.Cash, o.allocation.Distance)
	}
	if len(notes) > 0 {
		io.Note("%s", strings.Join(notes, "\n"))
	}
	return nil
}

// writeWeights writes portfolios in the form that other verbs read.
func (c *config) writeWeights(io *cli.IO, p *portfolio.Portfolios) error {
	if c.Format.Format == "parquet" {
		return p.WriteParquet(io.Stdout)
	}
	return p.WriteCSV(io.Stdout)
}

func (o *output) answer(notes []string) answer {
	symbols, r := o.prices.Window.Symbols, o.result
	periods, _ := o.prices.Window.Returns.Dims()
	a := answer{
		Objective: o.c.Objective, Weights: number.Values{Names: symbols, Numbers: r.Weights}, Value: r.Value,
		Status:     r.Status,
		Iterations: r.Iterations, KKT: r.KKT, Gap: r.Gap, Shrinkage: o.shrinkage, Periods: periods,
		Violation: o.set.Violation(r.Weights), Binding: o.binding, Rivals: o.rivals, Beliefs: o.beliefs,
		Notes: notes,
	}
	if count := positions(r.Weights); r.Nodes > 0 {
		a.Assets, a.Nodes = &count, r.Nodes
	}
	if o.c.Charge > 0 {
		a.Charge = &r.Charge
	}
	if sum := gross(r.Weights); isShort(&o.set) {
		a.Gross = &sum
	}
	if o.held != nil {
		turnover := o.held.Turnover(r.Weights)
		a.Turnover, a.Change = &turnover, &number.Values{Names: slices.Concat(symbols, o.held.Sold)}
		for j := range a.Change.Names {
			to, from := o.change(j)
			a.Change.Numbers = append(a.Change.Numbers, to-from)
		}
	}
	if o.optimum != nil {
		a.Optimum = &o.optimum.Value
	}
	if o.shrinkage != nil {
		a.Covariance = &o.c.Covariance
	}
	if o.c.countsOnMeans() {
		a.Means = &o.c.Means
	}
	if o.allocation != nil {
		a.Units, a.CashLeft = &number.Values{Names: symbols, Numbers: o.allocation.Units}, &o.allocation.Cash
		if o.orders != nil {
			a.Orders = &number.Values{Names: symbols, Numbers: o.orders}
		}
	}
	return a
}

// change is the weight of a row of the table, and what is held of it; the rows beyond the
// assets are of what is sold.
func (o *output) change(j int) (to, from float64) {
	if beyond := j - len(o.result.Weights); beyond >= 0 {
		return 0, o.held.SoldWeights[beyond]
	}
	return o.result.Weights[j], o.held.Weights[j]
}

// lots are the columns of units: what to hold, and what to order.
func (o *output) lots() (columns [][]float64) {
	if o.allocation != nil {
		columns = append(columns, o.allocation.Units)
	}
	if o.orders != nil {
		columns = append(columns, o.orders)
	}
	return columns
}

func (o *output) table(io *cli.IO) error {
	columns, rows := []cli.Column{{Name: "symbol"}, {Name: "weight"}}, o.prices.Window.Symbols
	if o.held != nil {
		columns = append(columns, cli.Column{Name: "held"}, cli.Column{Name: "change"})
		rows = slices.Concat(rows, o.held.Sold)
	}
	if o.allocation != nil {
		columns = append(columns, cli.Column{Name: "units"})
	}
	if o.orders != nil {
		columns = append(columns, cli.Column{Name: "order"})
	}
	table := io.Table("table", columns...)
	for i, symbol := range rows {
		row := []any{symbol}
		if o.held != nil {
			to, from := o.change(i)
			row = append(row, to, from, to-from)
		} else {
			row = append(row, o.result.Weights[i])
		}
		for _, units := range o.lots() {
			if i < len(units) {
				row = append(row, fmt.Sprintf("%.10g", units[i]))
			} else {
				row = append(row, nil) // what is sold whole has no price here
			}
		}
		if err := table.Row(row...); err != nil {
			return err
		}
	}
	return table.Close()
}

// sayBinding says what binds, where that is asked for.
func (o *output) sayBinding(io *cli.IO) {
	if o.c.Binding && len(o.binding) == 0 && isShort(&o.set) {
		io.Note("no constraint binds")
	} else if o.c.Binding && len(o.binding) == 0 {
		io.Note("no constraint binds, but for weights of at least 0")
	}
	for _, b := range o.binding {
		said := b.Constraint + " binds"
		if len(b.Symbols) > 0 {
			said += " at " + strings.Join(b.Symbols, ", ")
		}
		if b.Without == nil {
			io.Note("%s; without it there is no value: %s", said, b.Reason)
		} else {
			io.Note("%s; without it the value is %.8g", said, *b.Without)
		}
	}
}
