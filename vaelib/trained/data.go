package trained

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Data are what a model learns from, and what it is judged by.
type Data struct {
	Symbols        []string     // n
	Train, HeldOut *mat.Dense   // N x n and M x n; HeldOut may be nil
	Told           *Told        // of a conditional model; nil: none
	Set            *simplex.Set // that the rows lie in; nil: unknown
	Hash           string       // of the files read; "" where they were made
	To             time.Time    // end of the prices that the rows were made of; zero: unknown
}

// ReadOptions say how [ReadData] reads.
type ReadOptions struct {
	Symbols []string // of the columns, in this order; nil: those of the file
	// Conditions is the file of what the portfolios have, which makes the model
	// conditional; "": none. Conditioning says what of it the model is told.
	Conditions   string
	Conditioning Conditioning
	// Validation is the share of rows to hold out at random where no provenance
	// of a corpus lies beside the file; 0: none. Seed decides which.
	Validation float64
	Seed       uint64
	Note       func(line string) // what a user should know; nil: it isn't said
}

// ReadData reads training portfolios (N x n) from a file, and from what a corpus
// has beside it: which windows are held out, and the constraint set. It returns
// an error for fewer than 2 rows to learn from, and those of the files.
func ReadData(weights string, o ReadOptions) (*Data, error) {
	note := o.Note
	if note == nil {
		note = func(string) {}
	}
	p, err := portfolio.ReadCSV(weights, portfolio.ReadOptions{Symbols: o.Symbols})
	if err != nil {
		return nil, err
	}
	for _, line := range p.Notes {
		note(filepath.Base(weights) + ": " + line)
	}
	d := &Data{Symbols: p.Symbols}
	if d.Hash, err = run.HashFile(weights); err != nil {
		return nil, err
	}
	heldOut, err := corpus.ReadValidation(weights, p)
	if err != nil {
		return nil, err
	}
	if heldOut == nil {
		heldOut = make([]bool, p.Len())
		order := stream.New(o.Seed, "train.split", 0).Perm(p.Len())
		for _, i := range order[:int(o.Validation*float64(p.Len()))] {
			heldOut[i] = true
		}
		note(fmt.Sprintf("%s has no %s beside it: %v of its rows are held out at random",
			filepath.Base(weights), corpus.ProvenanceFile, o.Validation))
	}
	if d.Train, d.HeldOut = SplitRows(p.Weights, heldOut); d.Train == nil {
		return nil, fmt.Errorf("%s: fewer than 2 rows to learn from: give more portfolios", weights)
	}
	if d.Set, err = corpus.ReadSet(weights); err != nil {
		return nil, err
	}
	if d.To, err = corpus.ReadEnd(weights); err != nil {
		return nil, err
	}
	if err := d.checkSet(p); err != nil {
		note(fmt.Sprintf("the constraints beside %s are not those of its portfolios, and are left out: %v",
			filepath.Base(weights), err))
		d.Set = nil
	}
	if o.Conditions == "" {
		return d, nil
	}
	conditions, err := run.HashFile(o.Conditions)
	if err != nil {
		return nil, err
	}
	d.Hash = run.Hash([]byte(d.Hash), []byte(conditions))
	d.Told, err = o.Conditioning.Read(o.Conditions, p, heldOut)
	return d, err
}

// DataOf returns a corpus as what a model learns from, and what it is judged by: a
// conditional one where on says what it is told of each portfolio.
func DataOf(c *corpus.Corpus, on *Conditioning) (*Data, error) {
	set, summary := c.Set(), c.Summary()
	d := &Data{Symbols: c.Portfolios.Symbols, Set: &set}
	if d.Train, d.HeldOut = c.Split(); d.Train.RawMatrix().Rows < 2 {
		return nil, errors.New("fewer than 2 rows to learn from: give more portfolios")
	}
	var err error
	if d.To, err = time.Parse(time.RFC3339, summary.To); err != nil || on == nil {
		return d, err
	}
	names, levels := make([]string, len(c.Schema)), map[string][]string{}
	for j, condition := range c.Schema {
		names[j], levels[condition.Name] = condition.Name, condition.Levels
	}
	columns, chosen, err := on.Choose(names, levels)
	if err != nil {
		return nil, err
	}
	d.Told = &Told{Conditions: chosen, Measures: c.Measures(), Control: on.Control}
	if len(summary.Market.Names()) > 0 {
		d.Told.Market = &summary.Market
	}
	train, heldOut := c.SplitConditions()
	d.Told.Train, d.Told.HeldOut = pick(train, columns), pick(heldOut, columns)
	return d, nil
}

// pick returns columns of x; nil of nil.
func pick(x *mat.Dense, columns []int) *mat.Dense {
	if x == nil {
		return nil
	}
	rows, _ := x.Dims()
	picked := mat.NewDense(rows, len(columns), nil)
	for k, j := range columns {
		picked.SetCol(k, mat.Col(nil, j, x))
	}
	return picked
}

// checkSet says why portfolios don't lie in the set.
func (d *Data) checkSet(p *portfolio.Portfolios) error {
	if d.Set == nil {
		return nil
	}
	if err := sameAssets(d.Set, p.Symbols); err != nil {
		return err
	}
	const written = 1e-6 // as far as a row of a file may be from a sum of 1
	for i := range p.Len() {
		if v := d.Set.Violation(p.Weights.RawRowView(i)); v > written {
			return fmt.Errorf("portfolio %s violates them by %.3g", p.ID(i), v)
		}
	}
	return nil
}

// sameAssets returns an error unless a set is one of the symbols, in their order.
func sameAssets(set *simplex.Set, symbols []string) error {
	switch {
	case set.N != len(symbols):
		return fmt.Errorf("a constraint set of %d assets for %d", set.N, len(symbols))
	case set.Symbols == nil:
		return errors.New("a constraint set without symbols")
	case !slices.Equal(set.Symbols, symbols):
		return fmt.Errorf("a constraint set of %s for %s", strings.Join(set.Symbols, ", "), strings.Join(symbols, ", "))
	}
	return set.Check()
}

// SplitRows separates the rows of x (N x n) into those to learn from and those
// held out, in order; either is nil where it has fewer than 2.
func SplitRows(x *mat.Dense, heldOut []bool) (training, rest *mat.Dense) {
	_, n := x.Dims()
	var kept, held []float64
	for i, out := range heldOut {
		if out {
			held = append(held, x.RawRowView(i)...)
		} else {
			kept = append(kept, x.RawRowView(i)...)
		}
	}
	if len(kept) >= 2*n {
		training = mat.NewDense(len(kept)/n, n, kept)
	}
	if len(held) >= 2*n {
		rest = mat.NewDense(len(held)/n, n, held)
	}
	return training, rest
}
