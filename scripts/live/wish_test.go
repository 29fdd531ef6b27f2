package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/bybittest"
	given "vaefolio/vaelib/conditional"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// past is how long before begin the symbols of a conditional model are traded.
const past = 600 * time.Hour

// newPast is an exchange with a longer past, in which candles lack, too.
func newPast(t *testing.T) (*bybittest.Exchange, string) {
	t.Helper()
	var listings []bybittest.Listing
	for _, symbol := range symbols {
		listings = append(listings, bybittest.Listing{Symbol: symbol, Quote: "USDT", First: begin.Add(-past)})
	}
	listings[1].Gap = func(opening time.Time) bool {
		return opening.Equal(begin.Add(-50*time.Hour)) || opening.Equal(begin.Add(80*time.Hour)) || opening.Equal(begin.Add(102*time.Hour))
	}
	exchange := bybittest.New(listings...)
	exchange.SetNow(now)
	server := httptest.NewServer(exchange)
	t.Cleanup(server.Close)
	return exchange, server.URL
}

// told are the conditions that the test's model knows.
var told = []vae.Condition{
	{Name: "volatility"}, {Name: "max_weight"}, {Name: "market.volatility_index"}, {Name: "market.trend.60"},
	{Name: "market.momentum.20"}, {Name: "regime"}, {Name: "regime.calm"},
}

// conditional makes the folder of a model that is told of portfolios and of the
// market, and returns the corpus that it learned from.
func conditional(t *testing.T, folder string) (string, *corpus.Corpus) {
	t.Helper()
	window := windowOf(t, folder)
	ctx := context.Background()
	c, err := corpus.Build(ctx, window, simplex.Set{N: len(symbols)}, nil, corpus.Config{
		Source: corpus.Dirichlet, N: 1000, Seed: 1, Lookbacks: []int{60}, Validation: 0.2, Market: true, PeriodsPerYear: window.PeriodsPerYear(),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := c.Portfolios.Len()
	values := mat.NewDense(rows, len(told), nil)
	conditions := slices.Clone(told)
	for k := range conditions {
		j := slices.Index(c.Portfolios.Conditions.Names, conditions[k].Name)
		conditions[k].Levels = c.Schema[j].Levels
		values.SetCol(k, mat.Col(nil, j, c.Portfolios.Conditions.Values))
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	config, s := vae.DefaultConfig(len(symbols)), vae.DefaultSchedule()
	config.Latent, config.Hidden, config.Head, config.Control, config.Conditions = 2, []int{8}, "softmax", 3, conditions
	s.Steps, s.EvalEvery = 300, 150
	model, _, err := vae.Train(ctx, backend, config, s, c.Portfolios.Weights, nil, vae.TrainOptions{Symbols: symbols, Conditions: values, Measures: c.Measures()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	density, err := given.Fit(ctx, model, c.Portfolios.Weights, given.Settings{Components: 2, Conditions: values})
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]any{
		"conditional.json": density, "donors.json": generate.NewDonors(config, nil, values, c.Measures()), "market.json": c.Summary().Market,
	} {
		if err := run.WriteJSON(filepath.Join(dir, name), file); err != nil {
			t.Fatal(err)
		}
	}
	return dir, c
}

// A conditional model is asked for the market of each candle: what rows of the
// training set had whose windows end there, to the bit. The wish is put in, and
// kept where a constraint can keep it.
func TestConditional(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a conditional model")
	}
	exchange, url := newPast(t)
	folder := writeFolder(t, exchange, asIs)
	model, c := conditional(t, folder)
	args := []string{"-model", model, "-density", "prior", "-wish", "max_weight<=0.5,market.momentum.20=0.25", "-from", "2024-03-03"}
	text := replay(t, folder, args...)
	lines := parse(t, text)
	if len(lines) != 51 { // 52 candles, one of which lacks
		t.Fatalf("%d lines", len(lines))
	}
	rows := map[time.Time]int{} // of the corpus, by the last candle of its window
	times := windowOf(t, folder).Times
	for i, row := range c.Rows {
		rows[times[c.Spans[row.Span].To-1]] = i
	}
	regimes, compared := map[float64]bool{}, 0
	for _, line := range lines {
		var names []string
		for _, condition := range told {
			names = append(names, condition.Name)
		}
		if line.Wish != "max_weight<=0.5,market.momentum.20=0.25" || !slices.Equal(line.Conditions.Names, names) || !(*line.Far >= 0) {
			t.Fatalf("asked for %q, %v, %v", line.Wish, line.Conditions, line.Far)
		}
		if v, _ := line.Conditions.Get("market.momentum.20"); v != 0.25 {
			t.Errorf("momentum %v was asked for", v)
		}
		if v, _ := line.Conditions.Get("max_weight"); v > 0.5 {
			t.Errorf("largest weight %v was asked for", v)
		}
		if largest := slices.Max(line.Weights.Numbers); largest > 0.5+1e-12 {
			t.Errorf("the largest weight is %v", largest)
		}
		regime, _ := line.Conditions.Get("regime")
		regimes[regime] = true
		i, ok := rows[line.Candle]
		if !ok {
			continue
		}
		compared++
		for _, name := range []string{"market.volatility_index", "market.trend.60", "regime", "regime.calm"} {
			want := c.Portfolios.Conditions.Values.At(i, slices.Index(c.Portfolios.Conditions.Names, name))
			if got, _ := line.Conditions.Get(name); got != want {
				t.Errorf("%s at %s is %v, in the training set %v", name, line.Candle, got, want)
			}
		}
	}
	if len(regimes) < 2 || compared < 5 {
		t.Errorf("%d regimes, %d lines of candles at which windows end", len(regimes), compared)
	}
	if other := replay(t, folder, append(args[:4:4], "-from", "2024-03-03")...); other == text || strings.Contains(other, `"wish"`) || !strings.Contains(other, `"conditions"`) {
		t.Error("without a wish the lines are the same, or have one")
	}

	t.Run("live is replay", func(t *testing.T) {
		out := newLineWriter()
		f := followExchange(t, url, out, append(args[:len(args)-2:len(args)-2], "-lines", "4")...)
		out.next(t)
		if err := exchange.WaitSubscribed(patience(t), len(symbols)); err != nil {
			t.Fatal(err)
		}
		advance(t, exchange, begin.Add(100*time.Hour), 4)
		f.wait(t, 0)
		if want := "conditions market.volatility_index, market.trend.60, regime, regime.calm: as they are at the candle"; !strings.Contains(f.stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, f.stderr)
		}
		longer := writeFolder(t, exchange, asIs)
		if got := replay(t, longer, append(args[:len(args)-1:len(args)-1], "2024-03-05T03:00:00Z")...); got != out.String() {
			t.Errorf("replay:\n%s\nlive:\n%s", got, out.String())
		}
	})

	t.Run("resumed", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "lines.jsonl")
		replay(t, folder, append(args, "-out", out, "-lines", "20")...)
		replay(t, folder, append(args, "-out", out)...)
		if read(t, out) != text {
			t.Error("the file differs from that of a run without a break")
		}
	})

	t.Run("no look-ahead", func(t *testing.T) {
		cut := begin.Add(70 * time.Hour)
		rng := stream.New(1, "test", 0)
		other := parse(t, replay(t, writeFolder(t, exchange, func(opening time.Time) float64 {
			if opening.After(cut) {
				return math.Exp(0.1 * rng.NormFloat64())
			}
			return 1
		}), append(args, "-to", "2024-03-05T03:00:00Z")...))
		known := 0
		for i, line := range other {
			same := fmt.Sprint(*line.Conditions, line.Weights, *line.Far) == fmt.Sprint(*lines[i].Conditions, lines[i].Weights, *lines[i].Far)
			if same == line.Candle.After(cut) {
				t.Errorf("prices changed after %s: the line of %s is the same: %v", cut, line.Candle, same)
			}
			if !line.Candle.After(cut) {
				known++
			}
		}
		if known == 0 || known == len(other) {
			t.Errorf("%d of %d lines up to %s", known, len(other), cut)
		}
	})

	t.Run("refused", func(t *testing.T) { refuseConditional(t, folder, model) })
}

func windowOf(t *testing.T, folder string) *market.Window {
	t.Helper()
	panel, _, err := market.Load(folder, market.Options{Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	return window
}

func refuseConditional(t *testing.T, folder, conditional string) {
	// with is the model with a file changed, or without it.
	with := func(name, old, new string) string {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "model")
		if err := os.CopyFS(dir, os.DirFS(conditional)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if old == "" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return dir
		}
		text := read(t, path)
		if !strings.Contains(text, old) {
			t.Fatalf("%s lacks %s: %s", name, old, text)
		}
		write(t, path, strings.Replace(text, old, new, 1))
		return dir
	}
	blind := with("market.json", "", "")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a wish of a model without conditions", []string{"-model", model, "-wish", "volatility=0.4"}, 2, "the model knows no conditions"},
		{"an unknown condition", []string{"-wish", "beta=1"}, 2, "unknown condition"},
		{"a level that there is none of", []string{"-wish", "regime=7"}, 1, "regime is 7"},
		{"a name that no level has", []string{"-wish", "regime=calm"}, 2, "the known ones are falling at low volatility, rising at low volatility"},
		{"an impossible wish", []string{"-wish", "max_weight<=0.2"}, 1, "0.2"},
		{"no donors", []string{"-model", with("donors.json", "", "")}, 1, "train it by the train verb"},
		{"neither market nor wish", []string{"-model", blind}, 2, "say by -wish"},
		{"a malformed market", []string{"-model", with("market.json", `"market_history": 365`, `"market_history": -1`)}, 1, "look back over -1 returns"},
		{"another interval", []string{"-model", with("market.json", "3600", "86400")}, 1, "of periods of 24h0m0s, not 1h0m0s"},
		{"a market of other symbols", []string{"-model", with("market.json", "CCCUSDT", "XXXUSDT")}, 1, "of other symbols"},
		{"a series", []string{"-model", with("market.json", `"market_history"`, `"volatility_index":"DVOL","market_history"`)}, 1, "market.volatility_index is DVOL, which doesn't follow from prices"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout bytes.Buffer
			code, stderr := execute(t.Context(), &stdout, slices.Concat([]string{"-model", conditional, "-replay", folder}, c.args)...)
			if code != c.code || stdout.Len() > 0 || !strings.Contains(stderr, c.want) {
				t.Errorf("exit code %d, want %d and %q: %s", code, c.code, c.want, stderr)
			}
		})
	}
	t.Run("a wish alone", func(t *testing.T) {
		lines := parse(t, replay(t, folder, "-model", blind, "-density", "prior", "-wish", "volatility=0.4", "-lines", "1"))
		if !lines[0].Candle.Equal(begin.Add(-past + 40*time.Hour)) { // no more than the lookback is needed
			t.Errorf("the first line is of %s", lines[0].Candle)
		}
	})
	t.Run("no price moves", func(t *testing.T) {
		dir := t.TempDir()
		for _, symbol := range symbols {
			text := "timestamp,open,high,low,close,volume\n"
			for k := range 370 {
				text += strconv.FormatInt(begin.Add(time.Duration(k)*time.Hour).UnixMilli(), 10) + ",1,1,1,1,1\n"
			}
			write(t, filepath.Join(dir, symbol+".csv"), text)
		}
		var stdout bytes.Buffer
		code, stderr := execute(t.Context(), &stdout, "-model", conditional, "-replay", dir, "-objective", "return")
		if code != 0 || stdout.Len() > 0 || strings.Count(stderr, "market.momentum.20 is undefined: there is no line") != 5 {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
}
