package corpus

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Row is where a portfolio comes from.
type Row struct {
	Source    string  // one of [Sources], never mixed
	Recipe    string  // the objective, or the kind of Dirichlet
	Estimator string  // of the covariance, as package moments names it; empty where none is used
	Parameter string  // what was varied: alpha, risk_aversion, target_return, …; empty where nothing was
	Value     float64 // of the parameter; per period where it has a time unit
	MaxWeight float64 // upper bound that this row was made under, at most the set's
	Span      int     // index into [Corpus].Spans
	Repair    float64 // distance of the projection onto the set
}

// Corpus is a training set with its provenance.
type Corpus struct {
	Portfolios portfolio.Portfolios  // N x n, with conditions N x k
	Schema     []portfolio.Attribute // k
	Rows       []Row                 // N
	Spans      []Span                // the rolling windows, training windows first

	config  Config
	set     simplex.Set
	window  *market.Window
	cut     int         // periods before it are the training part
	tilts   [][]float64 // sectors x n, shares
	sectors []string    // their names
	redrawn map[string]int
	state   state
}

// maxDraws bounds the draws of one row: some recipes have no answer in some
// windows (no portfolio with a positive mean, say), and another is drawn then.
const maxDraws = 50

// Build makes a corpus from a window of returns (T x n) under a constraint set.
// Every row lies in the set, has its conditions measured as the configuration
// says, and draws from its own random stream. sectors, which may be nil, are
// for the sector-tilted rows and the sector conditions.
//
// It returns an error for a configuration that makes no sense, for an empty
// set, for a window that is too short, and the context's when it is cancelled.
func Build(ctx context.Context, window *market.Window, set simplex.Set, sectors *market.Sectors, config Config,
	progress func(done, total int, note string)) (*Corpus, error) {
	if err := config.Check(window, set); err != nil {
		return nil, err
	}
	config, err := config.over(window)
	if err != nil {
		return nil, err
	}
	periods, n := window.Returns.Dims()
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return nil, err
	}
	training, validation, cut, err := spans(periods, config.Lookbacks, config.Step, config.Validation)
	if err != nil {
		return nil, err
	}
	c := &Corpus{
		Rows: make([]Row, config.N), Spans: append(training, validation...),
		config: config, set: set, window: window, cut: cut, redrawn: map[string]int{},
		Portfolios: portfolio.Portfolios{Symbols: window.Symbols, IDs: ids(config.N),
			Weights: mat.NewDense(config.N, n, nil)},
	}
	c.tilts, c.sectors = sectorShares(sectors, window.Symbols)
	if err := c.observe(ctx); err != nil {
		return nil, fmt.Errorf("conditions of the market: %w", err)
	}
	c.describe(sectors)
	b := &builder{Corpus: c, upper: largestWeight(set)}
	if config.Measured == MeasuredTraining {
		if b.evaluator, err = c.evaluator(Span{To: cut}); err != nil {
			return nil, err
		}
	}

	sources, windows := config.plan(len(training), len(validation))
	bySpan := make([][]int, len(c.Spans))
	for i, s := range windows {
		c.Rows[i] = Row{Source: sources[i], Span: s}
		bySpan[s] = append(bySpan[s], i)
	}
	if err := b.makeAll(ctx, projector, bySpan, progress); err != nil {
		return nil, err
	}
	return c, nil
}

// makeAll makes the rows of every span, on all cores.
func (b *builder) makeAll(ctx context.Context, projector *simplex.Projector, bySpan [][]int,
	progress func(done, total int, note string)) error {
	makers := make([]*maker, parallel.Workers(len(bySpan)))
	refused := make([]map[string]int, len(makers))
	for w := range makers {
		refused[w] = map[string]int{}
		makers[w] = newMaker(b, projector.Clone(), refused[w])
	}
	var mu sync.Mutex
	done := 0
	err := parallel.For(ctx, len(bySpan), func(worker, span int) error {
		if err := makers[worker].makeSpan(ctx, span, bySpan[span]); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		done += len(bySpan[span])
		if progress != nil {
			progress(done, b.config.N, "portfolios")
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, counts := range refused {
		for reason, count := range counts {
			b.redrawn[reason] += count
		}
	}
	return nil
}

// ids numbers rows so that they sort as they count.
func ids(n int) []string {
	digits := len(fmt.Sprint(n))
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("c%0*d", digits, i+1)
	}
	return names
}

// sectorShares lists the sectors that hold any of the symbols.
func sectorShares(sectors *market.Sectors, symbols []string) (shares [][]float64, names []string) {
	if sectors == nil {
		return nil, nil
	}
	for _, name := range sectors.Names {
		if s, err := sectors.Shares(name, symbols); err == nil {
			shares, names = append(shares, s), append(names, name)
		}
	}
	return shares, names
}

// Set returns the constraint set that all rows lie in, with its symbols.
func (c *Corpus) Set() simplex.Set {
	set := c.set
	set.Symbols = c.Portfolios.Symbols
	return set
}

// Split returns the weights of the training rows and of the held-out rows, in
// order. The second is nil where nothing is held out.
func (c *Corpus) Split() (training, validation *mat.Dense) {
	return c.rows(c.Portfolios.Weights, false), c.rows(c.Portfolios.Weights, true)
}

// SplitConditions returns the conditions (N x k) of the rows that
// [Corpus.Split] returns.
func (c *Corpus) SplitConditions() (training, validation *mat.Dense) {
	values := c.Portfolios.Conditions.Values
	return c.rows(values, false), c.rows(values, true)
}

func (c *Corpus) rows(of *mat.Dense, heldOut bool) *mat.Dense {
	var picked []float64
	count := 0
	for i, r := range c.Rows {
		if c.Spans[r.Span].Validation == heldOut {
			picked = append(picked, of.RawRowView(i)...)
			count++
		}
	}
	if count == 0 {
		return nil
	}
	_, columns := of.Dims()
	return mat.NewDense(count, columns, picked)
}

// largestWeight is the largest bound of a set.
func largestWeight(set simplex.Set) float64 {
	if set.Upper == nil {
		return 1
	}
	return slices.Max(set.Upper)
}

// builder is what all makers share and none changes.
type builder struct {
	*Corpus
	upper     float64            // the largest bound of the set
	evaluator *metrics.Evaluator // of the training part; nil: each rolling window has its own
}

// makeSpan makes the given rows, all of one rolling window, and their
// conditions.
func (m *maker) makeSpan(ctx context.Context, span int, rows []int) error {
	if len(rows) == 0 {
		return nil
	}
	s := m.Spans[span]
	m.enter(m.window.Slice(s.From, s.To).Returns)
	evaluator := m.evaluator
	if evaluator == nil {
		var err error
		if evaluator, err = m.Corpus.evaluator(s); err != nil {
			return err
		}
	}
	for _, i := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		weights := m.Portfolios.Weights.RawRowView(i)
		row := &m.Rows[i]
		if err := m.makeRow(ctx, row, weights, stream.New(m.config.Seed, "corpus", uint64(i))); err != nil {
			return fmt.Errorf("row %s, over the window that ends %s: %w", m.Portfolios.IDs[i],
				m.window.Times[s.To-1].UTC().Format(time.DateOnly), err)
		}
		figures, err := evaluator.Evaluate(weights)
		if err != nil {
			return fmt.Errorf("row %s: %w", m.Portfolios.IDs[i], err)
		}
		m.setConditions(i, figures)
	}
	return nil
}

// makeRow draws recipes until one has an answer, and projects it onto the set.
func (m *maker) makeRow(ctx context.Context, row *Row, weights []float64, rng *rand.Rand) error {
	blank := *row
	var last error
	for range maxDraws {
		*row = blank
		row.MaxWeight = m.drawMaxWeight(rng)
		err := m.draw(ctx, row, weights, rng)
		if err == nil {
			row.Repair, err = m.projector.Project(weights, weights)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last = err
		m.refused[row.Recipe]++
	}
	return fmt.Errorf("no %s portfolio in %d draws: %w", row.Source, maxDraws, last)
}

// drawMaxWeight varies the upper bound: the set's own half of the time, else
// log-uniform between twice the equal weight and the set's.
func (m *maker) drawMaxWeight(rng *rand.Rand) float64 {
	upper := m.upper
	low := 2 / float64(m.set.N)
	if rng.IntN(2) == 0 || low >= upper {
		return upper
	}
	return low * math.Pow(upper/low, rng.Float64())
}
