package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/optimize"
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
	groups, err := groupsOf(&b.config.Constraints, b.data.Window.Symbols)
	if err != nil {
		return nil, err
	}
	limits := b.config.Constraints
	if b.data.Listings != nil {
		limits.Lower = min(0, limits.Lower) // what wasn't there is not held
	}
	return func(name string, choices [][]float64, traded []float64) {
		var ids []string
		var weights [][]float64
		for i, w := range choices {
			if traded[i] > 1e-12 {
				ids, weights = append(ids, name+" at "+b.days[b.trades[i]]), append(weights, w)
			}
		}
		f.checkConstraints(file, ids, weights, &limits, groups)
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

// choicesFile has the weights of single models and of further paths.
const choicesFile = "choices.csv"

// further are the choices of each track of choices.csv, at every rebalance: its rows
// are those that change them.
func (f *folder) further(b *tested) (map[string][][]float64, error) {
	return recall(f, "further", []string{"config.toml", choicesFile}, func() (map[string][][]float64, error) {
		t, err := f.table(choicesFile)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(t.header, append([]string{"strategy", "date"}, b.data.Window.Symbols...)) {
			return nil, fmt.Errorf("%s: its columns are not the strategy, the date and the symbols of the prices",
				choicesFile)
		}
		weights, err := t.matrix(2)
		if err != nil {
			return nil, err
		}
		all := map[string][][]float64{}
		for i, row := range t.rows {
			at := slices.IndexFunc(b.trades, func(at int) bool { return b.days[at] == row[1] })
			before := all[row[0]]
			if at < len(before) || at > 0 && len(before) == 0 {
				return nil, fmt.Errorf("%s:%d: %s at %s is no rebalance that follows", choicesFile, i+2, row[0], row[1])
			}
			for len(before) < at {
				before = append(before, before[len(before)-1])
			}
			all[row[0]] = append(before, weights[i])
		}
		for name, choices := range all {
			for len(choices) < len(b.trades) {
				choices = append(choices, choices[len(choices)-1])
			}
			all[name] = choices
		}
		return all, nil
	})
}

// checkFurther recomputes the returns of a single model, or of a further path.
func (f *folder) checkFurther(b *tested, file, column string, returns []float64) error {
	if !f.has(choicesFile) {
		f.add(file, column, unchecked, nil, "the folder has no weights of it: it is of an earlier version")
		return nil
	}
	all, err := f.further(b)
	if err != nil {
		return err
	}
	choices, ok := all[column]
	if !f.equal(choicesFile, "has "+column, ok, true) {
		return nil
	}
	f.all(file, column, b.days[b.from:b.to], returns, b.earn(choices).returns, 1e-12)
	return nil
}

// checkChoices checks that what was chosen meets the constraints, as it does in
// weights.csv.
func (f *folder) checkChoices(b *tested) error {
	if !f.has(choicesFile) {
		return nil
	}
	all, err := f.further(b)
	if err != nil {
		return err
	}
	keeps, err := f.keeper(b, choicesFile)
	if err != nil {
		return err
	}
	var want, names []string
	for _, file := range []string{"trials.csv", "paths.csv"} {
		if !f.has(file) {
			continue
		}
		t, err := f.table(file)
		if err != nil {
			return err
		}
		for _, column := range t.header[1:] {
			if !strings.HasSuffix(column, " path 1") && !slices.Contains(b.config.Strategies, column) {
				want = append(want, column)
			}
		}
	}
	t, err := f.table(choicesFile)
	if err != nil {
		return err
	}
	for _, row := range t.rows {
		names = append(names, row[0])
	}
	f.equal(choicesFile, "strategies", slices.Compact(names), want)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		keeps(name, all[name], b.earn(all[name]).traded)
	}
	return nil
}

// columns are the names that a file of returns has beside the dates.
func (b *tested) columns(file string, count int) (names []string) {
	c := b.config
	if file == "paths.csv" {
		for _, name := range c.Strategies {
			for p := range count / len(c.Strategies) {
				names = append(names, fmt.Sprintf("%s path %d", name, p+1))
			}
		}
		return names
	}
	names = slices.Clone(c.Strategies)
	for _, name := range c.Strategies {
		if chosenByModels(name) && c.Models > 1 {
			for k := range c.Models {
				names = append(names, fmt.Sprintf("%s model %d", name, k+1))
			}
		}
	}
	return names
}

// chosenByModels says whether a strategy holds the mean of several models' choices.
func chosenByModels(name string) bool {
	return strings.HasPrefix(name, "latent-sharpe") || strings.HasPrefix(name, "model-")
}

// checkTested recomputes the summary from the files of returns and of weights.
func (f *folder) checkTested(ctx context.Context) error {
	const file = "summary.json"
	s, err := f.object(file)
	if err != nil {
		return err
	}
	b, err := f.tested()
	if err != nil {
		return err
	}
	f.checkTest(s, b)
	rows, _ := s["strategies"].([]any)
	if !f.equal(file, "number of strategies", len(rows), len(b.config.Strategies)) {
		return nil
	}
	if b.config.Convention != "default" {
		f.add(file, "figures", unchecked, nil, "only those of the default convention are recomputed here")
		return nil
	}
	names, trials, err := f.series(b, "trials.csv")
	if err != nil {
		return err
	}
	var ratios []float64
	for _, name := range names {
		if sigma := deviation(trials[name]); sigma > 0 {
			ratios = append(ratios, (sum(trials[name])/float64(len(trials[name]))-b.config.RiskFree/b.perYear)/sigma)
		}
	}
	f.equal(file, "trials", s["trials"], len(ratios))
	var paths map[string][]float64
	if b.config.Groups > 0 {
		if _, paths, err = f.series(b, "paths.csv"); err != nil {
			return err
		}
	}
	for k, row := range rows {
		row, _ := row.(map[string]any)
		if err := f.checkStrategy(ctx, row, b, b.config.Strategies[k], ratios, trials, paths); err != nil {
			return err
		}
	}
	return f.checkAgainst(ctx, s, rows, b, trials)
}

// checkTest compares what the summary says of the test as a whole with its settings.
func (f *folder) checkTest(s map[string]any, b *tested) {
	c, train := b.config, b.config.Train
	if c.Groups > 0 {
		train = 0
	}
	const form = time.RFC3339
	times := b.data.Window.Times
	listings := "shared"
	if b.data.Listings != nil {
		listings = "as-it-was"
	}
	want := map[string]any{
		"train": train, "test": c.Test, "embargo": c.Embargo, "windows": len(b.trades),
		"unused_periods": len(times) - b.to, "cost_bps": c.CostBps, "constant_weights": c.ConstantWeights,
		"tested": map[string]any{"from": times[b.from].UTC().Format(form), "to": times[b.to-1].UTC().Format(form),
			"periods": b.to - b.from},
		"periods_per_year": b.perYear, "synthetic": b.data.Synthetic, "funding": c.Funding != "",
		"listings": listings, "seed": c.Seed,
	}
	if c.Groups > 0 {
		want["groups"], want["held_out"] = c.Groups, c.HeldOut
	}
	if c.NeedsSet() {
		network, _ := trained.ReadSet(c.Model) // of one that can't be read the hash differs
		want["model_over_sets"] = sha(network)
	}
	if c.NeedsRule() {
		want["learnt_rule"], _ = learnt.Hash(c.Rule...)
	}
	for name, value := range want {
		f.equal("summary.json", name, s[name], value)
	}
	known := []string{"trials", "strategies", "notes"}
	if b.beside != nil {
		known = append(known, "benchmark")
	}
	for name := range s {
		if _, ok := want[name]; !ok && !slices.Contains(known, name) {
			f.add("summary.json", name, differs, s[name], nil)
		}
	}
}

// checkStrategy recomputes one strategy's figures.
func (f *folder) checkStrategy(ctx context.Context, row map[string]any, b *tested, name string, ratios []float64,
	trials, paths map[string][]float64) error {
	const file = "summary.json"
	c, r := b.config, trials[name]
	near := func(figure string, want float64) { f.near(file, figure+" of "+name, row[figure], want, f.tolerance) }
	f.equal(file, "name of "+name, row["name"], name)
	own := f.ofSeries(r, b)
	for _, figure := range figureNames {
		if figure == "diversification_ratio" || figure == "effective_assets" {
			continue // of weights
		}
		near(figure, own(figure))
	}
	undefined := 0
	for _, figure := range figureNames {
		if math.IsNaN(own(figure)) && figure != "diversification_ratio" && figure != "effective_assets" {
			undefined++
		}
	}
	notes, list := row["notes"].([]any)
	f.equal(file, "notes of "+name, (list || row["notes"] == nil) && len(notes) == undefined, true)
	dsr := math.NaN()
	if _, known := row["psr"].(float64); known && len(ratios) > 1 {
		luck := deviation(ratios) * expectedLargest(float64(len(ratios)))
		dsr = probabilisticSharpe(r, sum(r)/float64(len(r))-c.RiskFree/b.perYear, luck)
	}
	near("dsr", dsr)
	all, err := f.earnings()
	if err != nil {
		return err
	}
	traded, wealth := all[name].traded, 1.0
	for _, x := range r {
		wealth *= 1 + x
	}
	near("final_wealth", wealth)
	near("cost", sum(traded)*c.CostBps/1e4)
	near("turnover", sum(traded[1:])/max(1, float64(len(traded)-1)))
	if err := f.checkHeld(ctx, row, b, all[name], name); err != nil {
		return err
	}
	for field, part := range map[string]struct {
		kind string
		all  map[string][]float64
	}{"sharpe_of_models": {" model ", trials}, "sharpe_of_paths": {" path ", paths}} {
		stored, _ := row[field].([]any)
		want := 0
		for ; part.all[fmt.Sprint(name, part.kind, want+1)] != nil; want++ {
			if want < len(stored) {
				f.near(file, fmt.Sprint(field, " of ", name), stored[want],
					f.ofSeries(part.all[fmt.Sprint(name, part.kind, want+1)], b)("sharpe"), f.tolerance)
			}
		}
		f.equal(file, "number of "+field+" of "+name, len(stored), want)
	}
	return f.checkInterval(ctx, row, b, name, r)
}

// checkHeld counts the rebalances without an answer: of what always has one there are
// none, and the largest Sharpe ratio has none where no mean is above the risk-free rate.
// Others can't have more than those at which nothing was traded.
func (f *folder) checkHeld(ctx context.Context, row map[string]any, b *tested, e earned, name string) error {
	const file = "summary.json"
	item, c := "rebalances_without_answer of "+name, b.config
	stored, _ := row["rebalances_without_answer"].(float64)
	simple := c.Groups == 0 && b.data.Listings == nil
	switch {
	case simple && name == string(optimize.MaxSharpe) && c.MinWeight == 0:
		groups, err := groupsOf(&c.Constraints, b.data.Window.Symbols)
		if err != nil {
			return err
		}
		n, held, rows := len(b.data.Window.Symbols), 0, returns(b.data.Window)
		r := &region{slices.Repeat([]float64{c.Lower}, n), slices.Repeat([]float64{c.MaxWeight}, n), groups}
		for _, at := range b.trades {
			most, err := r.most(ctx, columnMeans(rows[at-c.Train:at-c.Embargo]))
			if err != nil {
				return err
			}
			if most <= c.RiskFree/b.perYear {
				held++
			}
		}
		f.equal(file, item, stored, held)
		return nil
	case simple && name != string(optimize.MaxSharpe) &&
		slices.Contains(optimize.Objectives(), optimize.Objective(name)):
		f.equal(file, item, stored, 0)
		return nil
	}
	still := 0
	if slices.Max(e.first)-slices.Min(e.first) < 1e-12 || b.data.Listings != nil {
		still++ // equal weights may be for want of an answer
	}
	for _, x := range e.traded[1:] {
		if x <= 1e-12 {
			still++
		}
	}
	f.equal(file, item, stored >= 0 && stored == math.Trunc(stored) && (c.Groups > 0 || stored <= float64(still)), true)
	return nil
}

// ofSeries returns figures of returns by their names, NaN where one is undefined.
func (f *folder) ofSeries(r []float64, b *tested) func(figure string) float64 {
	var rows [][]float64
	for _, x := range r {
		rows = append(rows, []float64{x})
	}
	all := figures(rows, []float64{1}, b.perYear, b.config.RiskFree, b.config.MAR)
	return func(figure string) float64 {
		if x, known := all[figure]; known {
			return x
		}
		return math.NaN()
	}
}

// expectedLargest approximates the largest of n standard normal numbers (Bailey and
// López de Prado 2014).
func expectedLargest(n float64) float64 {
	const euler = 0.5772156649015329
	quantile := func(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
	return (1-euler)*quantile(1-1/n) + euler*quantile(1-1/(n*math.E))
}

// checkInterval draws the resamples of the Sharpe ratio's interval again, by the code
// that the run drew them by: their own noise is most of what they are.
func (f *folder) checkInterval(ctx context.Context, row map[string]any, b *tested, name string, r []float64) error {
	low, high := math.NaN(), math.NaN()
	if deviation(r) > 0 {
		what := fmt.Sprintf("interval of %s %v", name, r)
		interval, err := recall(f, what, []string{"config.toml"}, func() (inference.Interval, error) {
			ratio := func(r []float64) float64 { return b.sharpe(r, b.config.RiskFree) }
			return inference.Bootstrap(ctx, r, ratio, inference.BootstrapSettings{Seed: b.config.Seed, Resamples: 1000})
		})
		if err != nil {
			return err
		}
		low, high = interval.Low, interval.High
	}
	f.near("summary.json", "sharpe_low of "+name, row["sharpe_low"], low, 1e-9)
	f.near("summary.json", "sharpe_high of "+name, row["sharpe_high"], high, 1e-9)
	return nil
}
