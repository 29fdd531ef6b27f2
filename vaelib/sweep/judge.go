package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
)

// MarketsFolder holds the returns that a sweep's models are judged on, each in a
// file named by what it holds.
const MarketsFolder = "markets"

// marketSuffix ends the name of a file of [MarketsFolder].
const marketSuffix = ".json"

// returnsFile has what a run's portfolio earned after the split.
const returnsFile = "returns.csv"

// judged is a market that models are judged on: the returns that they may know,
// and those after the split, under constraints.
type judged struct {
	Symbols        []string     `json:"symbols"`
	In             [][]float64  `json:"in"`  // T x n
	Out            [][]float64  `json:"out"` // T' x n
	Times          []time.Time  `json:"times"`
	PeriodsPerYear float64      `json:"periods_per_year"`
	Set            simplex.Set  `json:"set"`
	Bound          number.Value `json:"bound"` // the largest annual Sharpe ratio in sample, by a solver
}

// market is what the trial's model is judged on, but for the bound.
func (t *Trial) market(set *trainingSet) (*judged, error) {
	_, out, err := t.Window.Split(t.Split, 0)
	if err != nil {
		return nil, err
	}
	j := &judged{Symbols: set.window.Symbols, In: rows(set.window), Out: rows(out), Times: out.Times,
		PeriodsPerYear: t.PeriodsPerYear, Set: t.Set}
	return j, nil
}

func rows(w *market.Window) [][]float64 {
	all := make([][]float64, len(w.Times))
	for t := range all {
		all[t] = w.Returns.RawRowView(t)
	}
	return all
}

// writeMarkets writes the markets of the pending runs, and remembers where.
func (s *Sweep) writeMarkets(ctx context.Context, pending []int) error {
	s.markets = map[int]string{}
	for _, i := range pending {
		j, err := s.trials[i].market(s.sets[i])
		if err != nil {
			return err
		}
		text, err := json.Marshal(j)
		if err != nil {
			return err
		}
		path := filepath.Join(s.dir, MarketsFolder, run.Hash(text)[:idLength]+marketSuffix)
		s.markets[i] = path
		if _, err := os.Stat(path); err == nil {
			continue
		}
		bound, err := optimize.Bound(ctx, metrics.MaximizeSharpe, matrix(j.In), j.Set, j.settings())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			j.Bound = number.Unknown(err.Error())
		default:
			j.Bound = number.Known(bound.Value)
		}
		if err := locked(s.dir, func() error { return run.WriteJSON(path, j) }); err != nil {
			return err
		}
	}
	return nil
}

func (j *judged) settings() metrics.Settings {
	return metrics.Settings{PeriodsPerYear: j.PeriodsPerYear}
}

func matrix(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for t, row := range rows {
		m.SetRow(t, row)
	}
	return m
}

func readMarket(path string) (*judged, error) {
	text, err := run.ReadFile(path)
	if err != nil {
		return nil, err
	}
	j := new(judged)
	if err := json.Unmarshal(text, j); err != nil {
		return nil, fmt.Errorf("%s: %w: remove it, and run the sweep again", path, err)
	}
	return j, nil
}

// Worth is what a model's portfolios are worth. Sharpe ratios are annual, of the
// portfolio that a latent search finds in sample.
type Worth struct {
	SharpeIn  number.Value `json:"sharpe_in_sample"`
	Bound     number.Value `json:"sharpe_bound"` // the convex optimum in sample
	SharpeOut number.Value `json:"sharpe_out_of_sample"`
	// How faithful samples are to held-out portfolios: see [fidelity.Overlap].
	Precision number.Value `json:"precision"`
	Recall    number.Value `json:"recall"`
	Coverage  number.Value `json:"coverage"`

	PeriodsPerYear float64 `json:"periods_per_year"` // by which the ratios are annual
}

// The search and the samples by which models are judged: small, since there are
// many models.
const (
	judgeStarts     = 16
	judgeIterations = 50
	judgeRows       = 500
	judgeNeighbours = 5
)

// judge climbs the Sharpe ratio in the model's latent space, earns what comes out
// after the split, and compares samples with the held-out portfolios. It writes
// what was earned.
func (t *trainer) judge(ctx context.Context, j job, model *trained.Model, folder *run.Run) (*Worth, error) {
	w := &Worth{}
	if j.Market != t.judgedBy {
		var err error
		if t.market, err = readMarket(j.Market); err != nil {
			return nil, err
		}
		t.judgedBy = j.Market
	}
	m := t.market
	w.Bound, w.PeriodsPerYear = m.Bound, m.PeriodsPerYear
	network, err := generate.New(model.Network, m.Set)
	if err != nil {
		return nil, err
	}
	if t.data.Told != nil { // whatever is typical, as nothing is wished
		if network, _, err = network.Given(model.Donors, portfolio.Wish{}); err != nil {
			return nil, err
		}
	}
	sharpe, err := metrics.NewObjective(metrics.MaximizeSharpe, matrix(m.In), m.settings())
	if err != nil {
		return nil, err
	}
	density, err := model.Density(trained.Aggregate)
	if err != nil {
		return nil, err
	}
	found, err := network.Optimize(ctx, sharpe, density,
		generate.OptimizeSettings{Starts: judgeStarts, Iterations: judgeIterations, Seed: j.Seed})
	if err != nil {
		return nil, err
	}
	w.SharpeIn = number.Known(found.Values[found.Best])
	earned := make([]float64, len(m.Out))
	for i, row := range m.Out {
		for k, x := range found.Weights.RawRowView(found.Best) {
			earned[i] += x * row[k]
		}
	}
	figures, err := metrics.EvaluateSeries(earned, m.settings())
	if err != nil {
		return nil, err
	}
	w.SharpeOut = figures.Value(metrics.Sharpe)
	batch, err := network.Sample(ctx, judgeRows, density, j.Seed)
	if err != nil {
		return nil, err
	}
	if err := w.compare(ctx, batch.Weights, t.data.HeldOut); err != nil {
		return nil, err
	}
	return w, run.WriteFile(folder.Path(returnsFile), func(out io.Writer) error {
		return run.WriteCSV(out, []string{"date", "latent-sharpe"}, func(write func(cells ...string)) {
			for i, r := range earned {
				write(m.Times[i].UTC().Format(time.RFC3339), strconv.FormatFloat(r, 'g', -1, 64))
			}
		})
	})
}

// compare measures how faithful samples (N x n) are to held-out portfolios (M x n).
func (w *Worth) compare(ctx context.Context, samples, heldOut *mat.Dense) error {
	count := min(judgeRows, heldOut.RawMatrix().Rows)
	overlap, err := fidelity.MeasureOverlap(ctx, spread(heldOut, count), spread(samples, count), judgeNeighbours)
	var few *fidelity.TooFewRowsError
	if errors.As(err, &few) {
		reason := number.Unknown(err.Error())
		w.Precision, w.Recall, w.Coverage = reason, reason, reason
		return nil
	}
	if err != nil { // an interrupt among them, which must not end as a result
		return err
	}
	w.Precision, w.Recall, w.Coverage = number.Known(overlap.Precision), number.Known(overlap.Recall),
		number.Known(overlap.Coverage)
	return nil
}

// spread takes so many rows, evenly: they are in order of time.
func spread(m *mat.Dense, count int) *mat.Dense {
	total, n := m.Dims()
	out := mat.NewDense(count, n, nil)
	for i := range count {
		out.SetRow(i, m.RawRowView(i*total/count))
	}
	return out
}

// worthNames are the columns of results.csv with what portfolios are worth.
var worthNames = []string{"sharpe_in_sample", "sharpe_bound", "distance_to_bound", "sharpe_out_of_sample", "precision",
	"recall", "coverage"}

// cells are the worth under worthNames; all empty of a run that wasn't judged.
func (w *Worth) cells() []string {
	cells := make([]string, len(worthNames))
	if w == nil {
		return cells
	}
	distance := number.Unknown("unknown")
	in, ok := w.SharpeIn.Float()
	bound, known := w.Bound.Float()
	if ok && known {
		distance = number.Known(bound - in)
	}
	for i, v := range []number.Value{w.SharpeIn, w.Bound, distance, w.SharpeOut, w.Precision, w.Recall, w.Coverage} {
		if x, ok := v.Float(); ok {
			cells[i] = strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	return cells
}
