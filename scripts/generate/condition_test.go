package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	given "vaefolio/vaelib/conditional"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// conditional makes the folder of a model that is told two things of the test
// portfolios.
func conditional(t *testing.T) string {
	t.Helper()
	p, err := portfolio.ReadCSV(files.weights, portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	measures := []portfolio.Measure{
		{Name: "volatility", Form: portfolio.Norm, Matrix: [][]float64{{0.9, 0}, {0.6, 0.1}, {0.3, 0.2}, {0.1, 0.2}}},
		{Name: "sector.X", Form: portfolio.Linear, Vector: []float64{1, 0, 1, 0}},
	}
	told := mat.NewDense(p.Len(), 2, nil)
	for i := range p.Len() {
		for j := range measures {
			told.Set(i, j, measures[j].Value(p.Weights.RawRowView(i)))
		}
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	c, s := vae.DefaultConfig(len(symbols)), vae.DefaultSchedule()
	c.Latent, c.Hidden, c.Head, c.Control = 2, []int{16}, "softmax", 3
	c.Conditions = []vae.Condition{{Name: "volatility"}, {Name: "sector.X"}}
	s.Steps, s.Batch, s.EvalEvery = 400, 64, 200
	model, _, err := vae.Train(context.Background(), backend, c, s, p.Weights, nil, vae.TrainOptions{Symbols: symbols, Conditions: told, Measures: measures})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(dir, "donors.json"), generate.NewDonors(c, p.Weights, told, measures)); err != nil {
		t.Fatal(err)
	}
	density, err := given.Fit(t.Context(), model, p.Weights, given.Settings{Components: 3, Conditions: told})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(dir, "conditional.json"), density); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A wish is asked for, kept where a constraint can, and reported.
func TestCondition(t *testing.T) {
	model := conditional(t)
	out := filepath.Join(t.TempDir(), "wish")
	code, _, stderr := execute(t, "-model", model, "-mode", "condition", "-n", "40", "-wish", "volatility=0.5,sector.X<=0.6", "-prices", files.prices, "-out", out)
	if code != 0 || !strings.Contains(stderr, "volatility=0.5: achieved") || !strings.Contains(stderr, "over the prices given") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	p, err := portfolio.ReadCSV(filepath.Join(out, "weights.csv"), portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Len() {
		if w := p.Weights.RawRowView(i); w[0]+w[2] > 0.6+1e-12 {
			t.Errorf("row %d holds %v of the sector", i, w[0]+w[2])
		}
	}
	text, err := os.ReadFile(filepath.Join(out, "provenance.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Order trained.Order
		Rows  []struct{ Achieved map[string]float64 } `json:"portfolios"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if p.Len() != 40 || len(r.Rows) != 40 || len(r.Order.Terms) != 2 || r.Order.Wish != "volatility=0.5,sector.X<=0.6" {
		t.Fatalf("%d rows, %d of them recorded, order %+v", p.Len(), len(r.Rows), r.Order)
	}
	volatility, sector := r.Order.Terms[0], r.Order.Terms[1]
	if math.Abs(*volatility.Achieved-0.5) > 0.02 || *volatility.OnPrices <= 0 || !(*volatility.Miss < *volatility.Rejection) {
		t.Errorf("volatility: %+v", volatility)
	}
	if !sector.Held || *sector.Miss > 1e-12 {
		t.Errorf("sector: %+v", sector)
	}
	var mean float64
	for _, row := range r.Rows {
		mean += row.Achieved["volatility"] / 40
	}
	if math.Abs(mean-*volatility.Achieved) > 1e-12 {
		t.Errorf("mean volatility of the rows is %v, of the order %v", mean, *volatility.Achieved)
	}
}

// Every mode keeps a wish where a constraint can, beside the constraints given.
func TestEveryModeKeepsTheWish(t *testing.T) {
	model := conditional(t)
	set := simplex.Set{N: 4, Upper: half.Upper, Groups: []simplex.Group{{Name: "X", Share: []float64{1, 0, 1, 0}, Lo: 0.25, Hi: 0.25}}}
	prior, given := []string{"-density", "prior"}, []string{"-from-weights", files.weights}
	extra := map[string][]string{
		"sample": prior, "latent": append(prior, "-starts", "2", "-iterations", "2"),
		"robust":    append(prior, "-candidates", "20", "-scenarios", "10"),
		"diversify": append(prior, "-candidates", "20"), "stress": append(prior, "-candidates", "20", "-side", "3"),
		"interpolate": given, "outcomes": append(given, "-paths", "10"), "styles": append(given, "-clusters", "2"),
	}
	for name := range modes {
		t.Run(name, func(t *testing.T) {
			args := append(extra[name], "-model", model, "-max-weight", "0.5", "-wish", "sector.X=0.25",
				"-mode", name, "-prices", files.prices)
			if name != "styles" && name != "outcomes" { // they make one for each pair of neighbours, or portfolio given
				args = append(args, "-n", "5")
			}
			if _, p, _ := makeIn(t, set, args...); p.Len() == 0 {
				t.Error("no portfolios")
			}
		})
	}
}

// ofTheMarket makes the folder of a model that is told of portfolios and of the
// market of the test prices, and returns the corpus that it learned from.
func ofTheMarket(t *testing.T) (string, *corpus.Corpus) {
	t.Helper()
	panel, _, err := market.Load(files.prices, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	made, err := corpus.Build(t.Context(), window, simplex.Set{N: len(symbols)}, nil, corpus.Config{
		Source: corpus.Dirichlet, N: 400, Seed: 1, Lookbacks: []int{60}, Validation: 0.2, Market: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, s := vae.DefaultConfig(len(symbols)), vae.DefaultSchedule()
	c.Latent, c.Hidden, c.Head, c.Control = 2, []int{16}, "softmax", 3
	s.Steps, s.Batch, s.EvalEvery = 200, 64, 100
	values := mat.NewDense(400, 3, nil)
	for k, name := range []string{"volatility", "market.trend.60", "regime"} {
		j := slices.Index(made.Portfolios.Conditions.Names, name)
		c.Conditions = append(c.Conditions, vae.Condition{Name: name, Levels: made.Schema[j].Levels})
		values.SetCol(k, mat.Col(nil, j, made.Portfolios.Conditions.Values))
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	model, _, err := vae.Train(t.Context(), backend, c, s, made.Portfolios.Weights, nil, vae.TrainOptions{Symbols: symbols, Conditions: values, Measures: made.Measures()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(dir, "donors.json"), generate.NewDonors(c, nil, values, made.Measures())); err != nil {
		t.Fatal(err)
	}
	density, err := given.Fit(t.Context(), model, made.Portfolios.Weights, given.Settings{Components: 3, Conditions: values})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(dir, "conditional.json"), density); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(dir, "market.json"), made.Summary().Market); err != nil {
		t.Fatal(err)
	}
	return dir, made
}

// What the wish leaves open of the market is what it was at the end of the prices.
func TestMarketAtTheEndOfThePrices(t *testing.T) {
	model, made := ofTheMarket(t)
	row, end := 0, 0 // of the latest window
	for i, r := range made.Rows {
		if to := made.Spans[r.Span].To; to > end {
			row, end = i, to
		}
	}
	had := func(name string) float64 {
		return made.Portfolios.Conditions.Values.At(row, slices.Index(made.Portfolios.Conditions.Names, name))
	}
	// Price t ends return t, counted from 1.
	panel, _, err := market.Load(files.prices, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	last := panel.Times[end]
	law := filepath.Join(model, "market.json")
	m, err := corpus.ReadMarket(law)
	if err != nil {
		t.Fatal(err)
	}
	m.History = end // as long as there are returns up to there
	if err := run.WriteJSON(law, m); err != nil {
		t.Fatal(err)
	}
	until := []string{"-prices", files.prices, "-to", last.Format(time.DateOnly)}
	for _, test := range []struct {
		name   string
		args   []string
		market []string // conditions that are the market's
		terms  int
	}{
		{"no wish", nil, []string{"market.trend.60", "regime"}, 0},
		{"wish", []string{"-wish", "volatility=0.3"}, []string{"market.trend.60", "regime"}, 0},
		{"to order", []string{"-mode", "condition", "-wish", "volatility=0.5"}, []string{"market.trend.60", "regime"}, 1},
		{"to order of the market", []string{"-mode", "condition"}, []string{"market.trend.60", "regime"}, 0},
		{"searched", []string{"-mode", "latent", "-starts", "2", "-iterations", "2"}, []string{"market.trend.60", "regime"}, 0},
		{"another market", []string{"-wish", "market.trend.60=0.125"}, []string{"regime"}, 0},
		{"all of another market", []string{"-mode", "condition", "-wish", "market.trend.60=0.125,regime=5"}, nil, 2},
	} {
		out := filepath.Join(t.TempDir(), "out")
		args := slices.Concat([]string{"-model", model, "-n", "2", "-out", out}, until, test.args)
		if !slices.Contains(test.args, "condition") {
			args = append(args, "-density", "prior")
		}
		code, _, stderr := execute(t, args...)
		if code != 0 {
			t.Errorf("%s: exit code %d\n%s", test.name, code, stderr)
			continue
		}
		text, err := os.ReadFile(filepath.Join(out, "provenance.json"))
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ Order trained.Order }
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		said := strings.Contains(stderr, "the market at the end of the prices, "+last.Format(time.RFC3339)+": ")
		if len(r.Order.Market) != len(test.market) || said != (test.market != nil) || (r.Order.MarketAt == last.Format(time.RFC3339)) != said || len(r.Order.Terms) != test.terms {
			t.Errorf("%s: order %+v\n%s", test.name, r.Order, stderr)
		}
		for _, name := range test.market {
			if r.Order.Market[name] != had(name) {
				t.Errorf("%s: %s is %v, in the training set %v", test.name, name, r.Order.Market[name], had(name))
			}
			if asked, ok := r.Order.Conditions[name]; ok != !slices.Contains(test.args, "condition") || ok && asked != had(name) {
				t.Errorf("%s: %s asked for is %v", test.name, name, asked)
			}
		}
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "-wish"}, // without prices as ever
		{[]string{"-prices", files.prices, "-from", "2024-02-01"}, 1, "too few for the conditions of the market"},
		{[]string{"-prices", files.prices, "-wish", "beta=1"}, 2, "unknown condition"},
		{[]string{"-wish", "regime=calm"}, 2, `unknown level "calm": the known ones are falling at low volatility, rising at low volatility`},
	} {
		code, _, stderr := execute(t, append([]string{"-model", model, "-density", "prior"}, test.args...)...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit code %d, want %d and %q\n%s", test.args, code, test.code, test.want, stderr)
		}
	}
	// A level is asked for by its name or its number.
	_, named, stderr := execute(t, "-model", model, "-density", "prior", "-n", "2", "-wish", "volatility=0.3,regime=rising at high volatility")
	if _, numbered, _ := execute(t, "-model", model, "-density", "prior", "-n", "2", "-wish", "volatility=0.3,regime=5"); named == "" || named != numbered {
		t.Errorf("by name:\n%s%s\nby number:\n%s", named, stderr, numbered)
	}
	code, stdout, stderr := execute(t, "-model", model, "-density", "prior", "-n", "2", "-wish", "volatility=0.3")
	if code != 0 || strings.Count(stdout, "\n") != 3 || strings.Contains(stderr, "the market at") {
		t.Errorf("without prices: exit code %d\n%s", code, stderr)
	}
}

func TestConditionRefuses(t *testing.T) {
	model := conditional(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-mode", "condition", "-wish", "volatility=0.5"}, 2, "knows no conditions"},
		{[]string{"-wish", "volatility=0.5"}, 2, "knows no conditions"},
		{[]string{"-model", model, "-mode", "condition"}, 2, "-wish"},
		{[]string{"-model", model}, 2, "-wish"},
		{[]string{"-model", model, "-mode", "condition", "-wish", "beta=1"}, 2, "unknown condition"},
		{[]string{"-model", model, "-mode", "condition", "-wish", "sector.X<=0.1", "-max-weight", "0.4"}, 1, "impossible"},
		{[]string{"-model", model, "-mode", "condition", "-wish", "volatility=0.1"}, 1, "its volatility lies from"},
		{[]string{"-model", model, "-mode", "condition", "-wish", "volatility=0.5", "-density", "two-stage"}, 1, "two-stage"},
		{[]string{"-model", model, "-density", "prior", "-wish", "sector.X<=0.1", "-max-weight", "0.4"}, 1, "impossible"},
	} {
		code, _, stderr := execute(t, c.args...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, want %d and %q\n%s", c.args, code, c.code, c.want, stderr)
		}
	}
}
