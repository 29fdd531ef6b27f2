package universe

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
)

// Example is a universe with portfolios of it to learn from.
type Example struct {
	Universe
	ID      string
	HeldOut bool       // not to be learned from
	Weights *mat.Dense // P x n
}

// row is an example as a line of a file holds it.
type row struct {
	ID         string      `json:"id"`
	HeldOut    bool        `json:"held_out"`
	Symbols    []string    `json:"symbols,omitempty"`
	Periods    int         `json:"periods"`
	Cap        float64     `json:"cap"`
	Mean       []float64   `json:"mean"`
	Covariance [][]float64 `json:"covariance"` // the lower triangle
	Weights    [][]float64 `json:"weights"`
}

// Write writes an example as one line of JSON.
func (e *Example) Write(w io.Writer) error {
	r := row{ID: e.ID, HeldOut: e.HeldOut, Symbols: e.Symbols, Periods: e.Periods, Cap: e.Cap, Mean: e.Mean}
	for i := range e.Mean {
		line := make([]float64, i+1)
		for j := range line {
			line[j] = e.Cov.At(i, j)
		}
		r.Covariance = append(r.Covariance, line)
	}
	rows, _ := e.Weights.Dims()
	for i := range rows {
		r.Weights = append(r.Weights, e.Weights.RawRowView(i))
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// maxLine bounds a line of a file, so that a hostile one can't fill the memory.
const maxLine = 64 << 20

// Read reads the examples that [Example.Write] wrote, one after another, and hands
// each to use. It returns an error that names the line for one that is no example,
// and that of use.
func Read(from io.Reader, use func(*Example) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		e, err := parse(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := use(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return nil
}

func parse(line []byte) (*Example, error) {
	var r row
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("no universe: %w", err)
	}
	n := len(r.Mean)
	if n == 0 || n > MaxAssets || len(r.Covariance) != n || len(r.Weights) == 0 {
		return nil, fmt.Errorf("%d means, %d rows of covariance and %d portfolios: want as many of the first two, and "+
			"at least one portfolio", n, len(r.Covariance), len(r.Weights))
	}
	e := &Example{ID: r.ID, HeldOut: r.HeldOut, Weights: mat.NewDense(len(r.Weights), n, nil), Universe: Universe{
		Symbols: r.Symbols, Mean: r.Mean, Cov: mat.NewSymDense(n, nil), Periods: r.Periods, Cap: r.Cap}}
	for i, line := range r.Covariance {
		if len(line) != i+1 {
			return nil, fmt.Errorf("row %d of the covariance has %d entries, want %d", i+1, len(line), i+1)
		}
		for j, v := range line {
			e.Cov.SetSym(i, j, v)
		}
	}
	if err := e.Check(); err != nil {
		return nil, err
	}
	set := simplex.Set{N: n}
	for i, w := range r.Weights {
		if len(w) != n {
			return nil, fmt.Errorf("portfolio %d has %d weights, want %d", i+1, len(w), n)
		}
		e.Weights.SetRow(i, w)
		if v := set.Violation(w); !(v <= tolerance) {
			return nil, fmt.Errorf("portfolio %d is none: its weights must be at least 0 and sum to 1", i+1)
		}
	}
	return e, nil
}

// tolerance is how far weights of a file may be from summing to 1.
const tolerance = 1e-6
