package universe

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// Example is a universe with portfolios of it to learn from.
type Example struct {
	Universe
	ID      string
	HeldOut bool       // not to be learned from
	Weights *mat.Dense // P x n
	Truth   *Truth     // of the market, where it is known: Weights are then the universe's guides; nil: not known
}

// Truth is what returns are drawn from.
type Truth struct {
	Mean []float64 // n, per period
	Cov  *mat.SymDense
}

// Optimum returns the largest true Sharpe ratio, per period, that weights under the
// universe's largest weight can have. It returns an error where none is above 0.
func (e *Example) Optimum(ctx context.Context) (float64, error) {
	n := e.Assets()
	best, err := optimize.Solve(ctx, optimize.MaxSharpe, &optimize.Inputs{
		Set: simplex.Set{N: n, Upper: slices.Repeat([]float64{e.Cap}, n)}, Mean: e.Truth.Mean, Cov: e.Truth.Cov,
	})
	if err != nil {
		return 0, err
	}
	return e.Truth.Sharpe(best.Weights), nil
}

// Sharpe returns the true Sharpe ratio of weights (n), per period.
func (t *Truth) Sharpe(w []float64) float64 {
	v := mat.NewVecDense(len(w), w)
	return mat.Dot(v, mat.NewVecDense(len(w), t.Mean)) / math.Sqrt(mat.Inner(v, t.Cov, v))
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
	Truth      *truthRow   `json:"truth,omitempty"`
}

// truthRow is the truth as a line of a file holds it.
type truthRow struct {
	Mean       []float64   `json:"mean"`
	Covariance [][]float64 `json:"covariance"` // the lower triangle
}

// Write writes an example as one line of JSON.
func (e *Example) Write(w io.Writer) error {
	r := row{ID: e.ID, HeldOut: e.HeldOut, Symbols: e.Symbols, Periods: e.Periods, Cap: e.Cap, Mean: e.Mean,
		Covariance: lower(e.Cov)}
	if t := e.Truth; t != nil {
		r.Truth = &truthRow{Mean: t.Mean, Covariance: lower(t.Cov)}
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

// lower is the lower triangle of a matrix, diagonal included.
func lower(m *mat.SymDense) [][]float64 {
	var lines [][]float64
	for i := range m.SymmetricDim() {
		line := make([]float64, i+1)
		for j := range line {
			line[j] = m.At(i, j)
		}
		lines = append(lines, line)
	}
	return lines
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
		Symbols: r.Symbols, Mean: r.Mean, Periods: r.Periods, Cap: r.Cap}}
	var err error
	if e.Cov, err = symmetric(r.Covariance); err != nil {
		return nil, fmt.Errorf("covariance: %w", err)
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
	if r.Truth != nil {
		if e.Truth, err = r.Truth.parse(n); err != nil {
			return nil, fmt.Errorf("truth: %w", err)
		}
		if len(r.Weights) != GuideCount {
			return nil, fmt.Errorf("%d portfolios beside a truth: want the %d guides", len(r.Weights), GuideCount)
		}
	}
	return e, nil
}

// parse checks the truth as a universe of its own.
func (r *truthRow) parse(n int) (*Truth, error) {
	cov, err := symmetric(r.Covariance)
	if err != nil {
		return nil, fmt.Errorf("covariance: %w", err)
	}
	if len(r.Mean) != n {
		return nil, fmt.Errorf("%d means for %d assets", len(r.Mean), n)
	}
	if err := (&Universe{Mean: r.Mean, Cov: cov, Periods: 2, Cap: 1}).Check(); err != nil {
		return nil, err
	}
	return &Truth{Mean: r.Mean, Cov: cov}, nil
}

// symmetric is the matrix whose lower triangle is given.
func symmetric(lines [][]float64) (*mat.SymDense, error) {
	if len(lines) == 0 || len(lines) > MaxAssets {
		return nil, fmt.Errorf("%d rows: want 2 to %d", len(lines), MaxAssets)
	}
	m := mat.NewSymDense(len(lines), nil)
	for i, line := range lines {
		if len(line) != i+1 {
			return nil, fmt.Errorf("row %d has %d entries, want %d", i+1, len(line), i+1)
		}
		for j, v := range line {
			m.SetSym(i, j, v)
		}
	}
	return m, nil
}

// tolerance is how far weights of a file may be from summing to 1.
const tolerance = 1e-6
