package experiment

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

var rivalsTable = flag.Bool("rivals", false, "make the table of docs/rivals.md, which takes an hour on two cores without XLA")

// Rivals keep to the set, copy nothing but where they are made to, and depend on
// the random source alone.
func TestRivalsAreFeasible(t *testing.T) {
	rows := mixedRows(t, "sample", nil, 1)
	training, _ := rows.Split()
	training = training.Slice(0, 300, 0, 12).(*mat.Dense)
	set := simplex.Set{N: 12, Upper: slices.Repeat([]float64{0.3}, 12)}
	must(t, simplex.ProjectAll(t.Context(), set, training, training, nil))
	draw := func() []fidelity.Candidate {
		drawn, err := rivals(t.Context(), set, training, 8, 40, stream.New(1, "test.rivals", 0))
		must(t, err)
		return drawn
	}
	first, again := draw(), draw()
	for k, c := range first {
		if n, _ := c.Weights.Dims(); n != 40 || !mat.Equal(c.Weights, again[k].Weights) {
			t.Errorf("%s: %d rows, or others when drawn again", c.Name, n)
		}
		copies := 0
		for i := range 40 {
			w := c.Weights.RawRowView(i)
			if v := set.Violation(w); v > simplex.Tolerance {
				t.Errorf("%s violates the set by %v", c.Name, v)
			}
			for k := range 300 {
				if slices.Equal(w, training.RawRowView(k)) {
					copies++
					break
				}
			}
		}
		if copies > 4 != (c.Name == "training portfolios, drawn again") {
			t.Errorf("%s has %d copies of training rows in 40", c.Name, copies)
		}
	}
}

// wide are the prices of some of the symbols of real data, and what bounds a weight.
type wide struct {
	name    string
	symbols []string // nil: the bundled sample, or all of the file
	file    []string // in the shared data; nil: the bundled sample
	upper   float64
	recent  int // the last periods only; 0: all
}

// universes are those of docs/rivals.md.
func universes(t *testing.T) []wide {
	t.Helper()
	var known struct {
		Wide40 struct{ Symbols []string }
	}
	sharedtest.JSON(t, &known, "data", "crypto", "universe.json")
	all := []string{"data", "crypto", "bybit_linear_daily_close_all.csv"}
	return []wide{
		{name: "sample", upper: 1},
		{name: "core12", file: []string{"cases", "data", "core12_close.csv"}, upper: 1},
		{name: "wide40", symbols: known.Wide40.Symbols, file: all, upper: 0.25},
		{name: "first 100", file: all, upper: 0.2, recent: 900},
	}
}

// rows builds the default training set of a universe.
func (u wide) rows(t *testing.T) (*corpus.Corpus, simplex.Set) {
	t.Helper()
	window, err := sampleWindow()
	must(t, err)
	if u.file != nil {
		panel, _, err := market.Load(sharedtest.Path(t, u.file...), market.Options{Symbols: u.symbols})
		must(t, err)
		if u.recent > 0 {
			panel = lastWhole(panel, u.recent, 100)
		}
		window, _, err = panel.Window()
		must(t, err)
	}
	s := DefaultSettings()
	in, _, err := window.Split(s.Split, s.embargo())
	must(t, err)
	n := len(in.Symbols)
	set := simplex.Set{N: n, Symbols: in.Symbols}
	if u.upper < 1 {
		set.Upper = slices.Repeat([]float64{u.upper}, n)
	}
	made, err := corpus.Build(t.Context(), in, set, nil,
		s.corpus(&Input{Seed: 1, Metrics: metrics.Settings{PeriodsPerYear: window.PeriodsPerYear()}}), nil)
	must(t, err)
	return made, set
}

// lastWhole keeps the last periods of the first symbols that are priced in all of
// them.
func lastWhole(p *market.Panel, periods, count int) *market.Panel {
	from := len(p.Times) - periods
	short := &market.Panel{Times: p.Times[from:], Zone: p.Zone}
	var columns []int
	for j, symbol := range p.Symbols {
		whole := true
		for i := from; i < len(p.Times); i++ {
			whole = whole && p.Close.At(i, j) > 0
		}
		if whole && len(columns) < count {
			short.Symbols, columns = append(short.Symbols, symbol), append(columns, j)
		}
	}
	short.Close = mat.NewDense(periods, len(columns), nil)
	for i := range periods {
		for k, j := range columns {
			short.Close.Set(i, k, p.Close.At(from+i, j))
		}
	}
	return short
}

// The model beside generators without a network, by the number of assets and of
// training rows: docs/rivals.md says what it shows.
//
//	go test ./vaelib/experiment -run TestRivalsTable -v -rivals -timeout 3h
func TestRivalsTable(t *testing.T) {
	if !*rivalsTable {
		t.Skip("makes the table of docs/rivals.md: give -rivals")
	}
	backend, err := vae.Open("auto")
	must(t, err)
	defer backend.Close()
	for _, u := range universes(t) {
		for _, rows := range []int{300, 2000, 16000} {
			t.Run(fmt.Sprintf("%s/%d", u.name, rows), func(t *testing.T) { u.table(t, backend, rows) })
		}
	}
}

// table prints the rows of the table for a number of training rows.
func (u wide) table(t *testing.T, backend *vae.Backend, rows int) {
	made, set := u.rows(t)
	training, heldOut := made.Split()
	training = mat.DenseCopyOf(training.Slice(0, rows, 0, set.N))
	settings := trained.DefaultSettings()
	settings.Config.Assets, settings.Config.Seed = set.N, 1
	settings, _, err := settings.Sized(&trained.Data{Symbols: set.Symbols, Train: training, HeldOut: heldOut, Set: &set})
	must(t, err)
	config := within(set, settings.Config)
	model, _, err := vae.Train(t.Context(), backend, config, settings.Schedule, training, nil, vae.TrainOptions{})
	must(t, err)
	aggregate, err := generate.FitAggregate(t.Context(), model, training,
		generate.AggregateSettings{Components: settings.Components, Seed: 1})
	must(t, err)
	generator, err := generate.New(model, set)
	must(t, err)
	batch, err := generator.Sample(t.Context(), fidelityRows, aggregate, 1)
	must(t, err)
	others, err := rivals(t.Context(), set, training, min(config.Latent, set.N), fidelityRows,
		stream.New(1, "experiment.fidelity", 0))
	must(t, err)
	scores, err := fidelity.Compare(t.Context(), training, heldOut,
		append([]fidelity.Candidate{{Name: "model", Weights: batch.Weights}}, others...),
		fidelity.Settings{Rows: fidelityRows, Permutations: 2, Seed: 1})
	must(t, err)
	t.Logf("%s, %d rows, latent %d, hidden %v", u.name, rows, config.Latent, config.Hidden)
	for _, r := range scores {
		t.Logf("| %s | %d | %s | %.2f | %.2f | %.1f | %.2f | %.2f | %.2f |", u.name, rows, r.Name, r.Overlap.Recall,
			r.Overlap.Coverage, 1000*r.Test.Energy, r.Separation.AUC, r.Dispersion.Ratio, r.Memorisation.AUC)
	}
}
