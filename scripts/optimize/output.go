package main

import (
	"bytes"
	"encoding/json"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
)

// answer is the json that is printed.
type answer struct {
	Objective  optimize.Objective `json:"objective"`
	Weights    weights            `json:"weights"`
	Value      float64            `json:"value"`
	Status     string             `json:"status"`
	Iterations int                `json:"iterations"`
	KKT        float64            `json:"kkt"`
	Gap        float64            `json:"gap"`
	Covariance *string            `json:"covariance"` // null where none is used
	Shrinkage  *float64           `json:"shrinkage"`
	Periods    int                `json:"periods"`
	Violation  float64            `json:"violation"`
	Notes      []string           `json:"notes"`
}

// weights is an object of the symbols' weights in their order.
type weights struct {
	symbols []string
	values  []float64
}

func (w weights) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, symbol := range w.symbols {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(symbol)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(w.values[i])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// write prints the result: json with everything, csv as a file of weights that
// other verbs read, or a table.
func (c *config) write(io *cli.IO, prices *cli.Data, r *optimize.Result, shrinkage *float64) error {
	symbols := prices.Window.Symbols
	set, err := c.Set(symbols)
	if err != nil {
		return err
	}
	notes := append([]string{}, r.Notes...)
	if prices.Synthetic {
		notes = append(notes, "made from the bundled sample, which is SYNTHETIC")
	}
	switch c.Format.Format {
	case "json":
		periods, _ := prices.Window.Returns.Dims()
		a := answer{
			Objective: c.Objective, Weights: weights{symbols, r.Weights}, Value: r.Value, Status: r.Status,
			Iterations: r.Iterations, KKT: r.KKT, Gap: r.Gap, Shrinkage: shrinkage, Periods: periods,
			Violation: set.Violation(r.Weights), Notes: notes,
		}
		if shrinkage != nil {
			a.Covariance = &c.Covariance
		}
		return io.JSON(a)
	case "csv":
		p := &portfolio.Portfolios{
			Symbols: symbols, IDs: []string{string(c.Objective)}, Weights: mat.NewDense(1, len(symbols), r.Weights),
		}
		if err := p.WriteCSV(io.Stdout); err != nil {
			return err
		}
	default:
		table := io.Table("table", cli.Column{Name: "symbol"}, cli.Column{Name: "weight"})
		for i, symbol := range symbols {
			if err := table.Row(symbol, r.Weights[i]); err != nil {
				return err
			}
		}
		if err := table.Close(); err != nil {
			return err
		}
	}
	io.Note("%s: value %.8g, %s after %d iterations", c.Objective, r.Value, r.Status, r.Iterations)
	if len(notes) > 0 {
		io.Note("%s", strings.Join(notes, "\n"))
	}
	return nil
}
