package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/relative"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
)

// backtestConfig is the configuration of the backtest verb.
type backtestConfig struct {
	experiment.BacktestSettings
	Model string `flag:"model" help:"the model over sets of assets that the backtest used"`
	cli.Prices
	cli.Benchmark
	cli.Figures
	cli.Constraints
	cli.Backend
	Out   string `flag:"out" record:"-" help:"the folder that the backtest wrote"`
	Force bool   `flag:"force" record:"-" help:"whether it replaced another one"`
	cli.Format
	cli.Common
}

var backtestChecks = []check{
	{"config.toml", (*folder).checkTestedPrices},
	{"weights.csv", (*folder).checkRebalances},
	{"returns.csv", (*folder).checkTracks},
	{experiment.BenchmarkFile, (*folder).checkBenchmark},
	{"summary.json", (*folder).checkTested},
	{"report.html", (*folder).checkReport},
	{"report.html", func(f *folder, _ context.Context) error {
		f.add("report.html", "pictures and tables", unchecked, nil, "-rerun draws and writes them again")
		return nil
	}},
}

// tested is what a backtest was made from, and when it traded.
type tested struct {
	config  *backtestConfig
	data    *cli.Data
	beside  *relative.Benchmark // nil: none
	perYear float64
	days    []string // of the returns, as the files have them
	trades  []int    // the period after which each choice is made
	from    int      // the first period tested
	to      int      // the one after the last
}

// tested reads what the configuration names.
func (f *folder) tested() (*tested, error) {
	return recall(f, "tested", []string{"config.toml"}, func() (*tested, error) {
		verb := cli.Verb[backtestConfig]{Name: "backtest",
			Default: backtestConfig{BacktestSettings: experiment.DefaultBacktest()}}
		c, _, err := verb.ReadConfig(f.path("config.toml"))
		if err != nil {
			return nil, err
		}
		b := &tested{config: c}
		if b.data, b.beside, err = c.Benchmark.LoadListed(f.io, &c.Prices); err != nil {
			return nil, err
		}
		w := b.data.Window
		if b.perYear = c.PeriodsPerYear; b.perYear == 0 {
			b.perYear = w.PeriodsPerYear()
		}
		for _, t := range w.Times {
			form := time.RFC3339
			if t = t.UTC(); t.Truncate(24 * time.Hour).Equal(t) {
				form = time.DateOnly
			}
			b.days = append(b.days, t.Format(form))
		}
		b.schedule(len(w.Times))
		if len(b.trades) == 0 {
			return nil, fmt.Errorf("%d periods hold nothing to test by config.toml", len(w.Times))
		}
		return b, nil
	})
}

// schedule finds when choices are made: after a training window and then at the end
// of each test window; on combinatorial splits from each group's beginning on.
func (b *tested) schedule(periods int) {
	c := b.config
	if c.Groups == 0 {
		b.from = c.Train
		for b.to = c.Train; b.to+c.Test <= periods; b.to += c.Test {
			b.trades = append(b.trades, b.to)
		}
		return
	}
	size := periods / c.Groups
	b.to = size * c.Groups
	for t := range b.to {
		if t%size%c.Test == 0 {
			b.trades = append(b.trades, t)
		}
	}
}

// checkTestedPrices compares the prices with those that the run read.
func (f *folder) checkTestedPrices(context.Context) error {
	b, err := f.tested()
	if err != nil {
		return err
	}
	want := b.data.Window.Hash()
	if b.config.NeedsSet() {
		network, err := trained.ReadSet(b.config.Model)
		if err != nil {
			return err
		}
		want = run.Hash([]byte(want), []byte(sha(network)))
	}
	if b.config.NeedsRule() {
		rule, err := learnt.Hash(b.config.Rule...)
		if err != nil {
			return err
		}
		want = run.Hash([]byte(want), []byte(rule))
	}
	if b.beside != nil {
		want = run.Hash([]byte(want), []byte(b.beside.Hash()))
	}
	f.equal(manifestFile, "data_hash", f.manifest.Data, want)
	return nil
}

// chosen are the weights of each strategy, as weights.csv has them.
func (f *folder) chosen(b *tested) (map[string][][]float64, error) {
	const file = "weights.csv"
	t, err := f.table(file)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(t.header, append([]string{"strategy", "date"}, b.data.Window.Symbols...)) {
		return nil, fmt.Errorf("%s: its columns are not the strategy, the date and the symbols of the prices", file)
	}
	var names, days []string
	for _, name := range b.config.Strategies {
		for _, at := range b.trades {
			names, days = append(names, name), append(days, b.days[at])
		}
	}
	for column, want := range map[int][]string{0: names, 1: days} {
		var cells []string
		for _, row := range t.rows {
			cells = append(cells, row[column])
		}
		if !slices.Equal(cells, want) {
			return nil, fmt.Errorf("%s: its column %s is not that of the strategies and test windows of config.toml",
				file, t.header[column])
		}
	}
	weights, err := t.matrix(2)
	if err != nil {
		return nil, err
	}
	chosen := map[string][][]float64{}
	for k, name := range b.config.Strategies {
		chosen[name] = weights[k*len(b.trades) : (k+1)*len(b.trades)]
	}
	return chosen, nil
}

// earned is what became of one strategy's choices.
type earned struct {
	first   []float64 // the first choice
	returns []float64
	traded  []float64 // at each choice, bought and sold, as a share of the wealth
}

// earn holds the choices as money: amounts of each asset, which grow by its returns
// and are sold and bought for what each choice wants. Costs are paid out of all of
// them alike.
func (b *tested) earn(choices [][]float64) earned {
	e := earned{first: choices[0]}
	amounts := make([]float64, len(b.data.Window.Symbols))
	wealth, next := 1.0, 0
	for t := b.from; t < b.to; t++ {
		before, target := wealth, choices[max(0, next-1)]
		trades := next < len(b.trades) && b.trades[next] == t
		if trades {
			target = choices[next]
			var moved float64
			for j, w := range target {
				moved += math.Abs(w*wealth - amounts[j])
			}
			e.traded = append(e.traded, moved/wealth)
			wealth -= moved * b.config.CostBps / 1e4
			next++
		}
		if trades || b.config.ConstantWeights {
			for j, w := range target {
				amounts[j] = w * wealth
			}
		}
		// What is no longer cash: all that there is.
		wealth = 0
		for j, r := range b.data.Window.Returns.RawRowView(t) {
			amounts[j] *= 1 + r
			wealth += amounts[j]
		}
		e.returns = append(e.returns, wealth/before-1)
	}
	return e
}

// earnings are those of all strategies, by what weights.csv has.
func (f *folder) earnings() (map[string]earned, error) {
	return recall(f, "earnings", []string{"config.toml", "weights.csv"}, func() (map[string]earned, error) {
		b, err := f.tested()
		if err != nil {
			return nil, err
		}
		chosen, err := f.chosen(b)
		if err != nil {
			return nil, err
		}
		all := map[string]earned{}
		for name, choices := range chosen {
			all[name] = b.earn(choices)
		}
		return all, nil
	})
}

// checkRebalances checks that what was chosen meets the constraints. What a strategy
// without an answer goes on holding, and so doesn't trade, may have drifted out of
// them; and of symbols that come and go the choice was among some.
func (f *folder) checkRebalances(context.Context) error {
	b, err := f.tested()
	if err != nil {
		return err
	}
	chosen, err := f.chosen(b)
	if err != nil {
		return err
	}
	all, err := f.earnings()
	if err != nil {
		return err
	}
	keeps, err := f.keeper(b, "weights.csv")
	if err != nil {
		return err
	}
	for _, name := range b.config.Strategies {
		keeps(name, chosen[name], all[name].traded)
	}
	return nil
}

// keeper checks that the choices of a strategy that were traded for meet the
// constraints, which a file says of them.
func (f *folder) keeper(b *tested, file string) (keeps func(name string, choices [][]float64, traded []float64),
	err error) {
	r, err := regionOf(&b.config.Constraints, b.data.Window.Symbols)
	if err != nil {
		return nil, err
	}
	if b.data.Listings != nil {
		for j := range r.lower {
			r.lower[j] = min(0, r.lower[j]) // what wasn't there is not held
		}
	}
	return func(name string, choices [][]float64, traded []float64) {
		var ids []string
		var weights [][]float64
		for i, w := range choices {
			if traded[i] > 1e-12 {
				ids, weights = append(ids, name+" at "+b.days[b.trades[i]]), append(weights, w)
			}
		}
		f.checkConstraints(file, ids, weights, r)
	}, nil
}

// series reads a file of returns, by its columns, and checks its days.
func (f *folder) series(b *tested, file string) (names []string, returns map[string][]float64, err error) {
	t, err := f.table(file)
	if err != nil {
		return nil, nil, err
	}
	days, err := t.text("date")
	if err != nil {
		return nil, nil, err
	}
	if want := b.days[b.from:b.to]; !f.equal(file, "date", days, want) {
		return nil, nil, fmt.Errorf("%s: its days are not those of the test windows", file)
	}
	returns = map[string][]float64{}
	names = t.header[1:]
	for _, name := range names {
		if returns[name], err = t.numbers(name); err != nil {
			return nil, nil, err
		}
	}
	return names, returns, nil
}

// checkTracks recomputes the returns from the weights and the prices, and compares
// the files of returns with each other.
func (f *folder) checkTracks(context.Context) error {
	b, err := f.tested()
	if err != nil {
		return err
	}
	names, returns, err := f.series(b, "returns.csv")
	if err != nil {
		return err
	}
	f.equal("returns.csv", "strategies", names, b.config.Strategies)
	all, err := f.earnings()
	if err != nil {
		return err
	}
	for _, name := range names {
		if len(all[name].returns) == len(returns[name]) {
			f.all("returns.csv", name, b.days[b.from:b.to], returns[name], all[name].returns, 1e-12)
		}
	}
	for _, file := range []string{"trials.csv", "paths.csv"} {
		if !f.has(file) {
			f.equal(file, "missing", file == "trials.csv" || b.config.Groups > 0, false)
			continue
		}
		columns, more, err := f.series(b, file)
		if err != nil {
			return err
		}
		f.equal(file, "columns", columns, b.columns(file, len(columns)))
		for _, name := range names {
			column := name
			if file == "paths.csv" {
				column += " path 1"
			}
			f.equal(file, column, more[column], returns[name])
		}
		for _, column := range columns {
			if file == "paths.csv" && strings.HasSuffix(column, " path 1") || slices.Contains(names, column) {
				continue
			}
			if err := f.checkFurther(b, file, column, more[column]); err != nil {
				return err
			}
		}
	}
	return f.checkChoices(b)
}
