package experiment

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
)

// reportBacktest draws the pictures and writes report.html.
func reportBacktest(folder *run.Run, in *Input, settings BacktestSettings, result, beside *backtest.Result,
	s *BacktestSummary) error {
	p := &state{Input: *in, folder: folder}
	section := &report.WalkForward{
		Train: s.Train, Test: s.Test, Embargo: s.Embargo, Windows: s.Windows, CostBps: s.CostBps,
		ConstantWeights: s.ConstantWeights, Confidence: 0.95,
		Tested: report.Span{From: result.Times[0], To: result.Times[len(result.Times)-1], Periods: len(result.Times)},
		Notes: []string{
			fmt.Sprintf("Intervals are of the stationary bootstrap over periods, %d resamples by seed %d in blocks "+
				"of %.3g periods on average: those of compare. PSR and DSR assume independent returns.", s.Resamples,
				s.Seed, s.Block),
			fmt.Sprintf("The DSR counts the %d tracks of trials.csv. Whoever has tried more must count more.",
				s.Trials),
		},
	}
	section.Notes = append(section.Notes, spreads(s)...)
	title := "Walk-forward test of strategies"
	if settings.Groups > 0 {
		c := backtest.Combinatorial{Groups: settings.Groups, Tested: settings.HeldOut}
		section.Splits = fmt.Sprintf("%d groups, %d held out at a time: %d splits, which make up %d paths; here is "+
			"the first", settings.Groups, settings.HeldOut, c.Splits(), c.Paths())
		title = "Strategies on combinatorially purged splits"
	}
	wealth := figure.Wealth{Frame: p.frame("net of costs"), Start: result.Start, Times: result.Times}
	for k, t := range s.Strategies {
		section.Rows = append(section.Rows, report.Tested{
			Name: t.Name, Figures: t.figures, Low: t.SharpeLow, High: t.SharpeHigh, DSR: t.DSR,
			Turnover: number.Known(t.Turnover), Held: t.Held,
		})
		wealth.Paths = append(wealth.Paths, figure.Path{Name: t.Name, Returns: result.Tracks[k].Returns})
	}
	if beside != nil {
		wealth.Paths = append(wealth.Paths, figure.Path{Name: s.Benchmark.Name + " (benchmark)",
			Returns: beside.Tracks[0].Returns})
	}
	var err error
	section.Pictures, err = p.pictures(drawing{"wealth.png", "Wealth over all test windows.", wealth.Draw},
		drawing{"last_weights.png", "Weights at the last rebalance: the mean over all strategies, and " +
			"their 5th to 95th percentile.", figure.WeightBars{
			Frame: p.frame("at the last rebalance"), Symbols: result.Symbols,
			Name: fmt.Sprintf("mean of %d strategies", len(s.Strategies)), Generated: lastWeights(result)}.Draw})
	if err != nil {
		return err
	}
	config, err := os.ReadFile(folder.Path("config.toml"))
	if err != nil {
		return err
	}
	document := report.Document{
		Header: report.Header{
			Title: title, Synthetic: in.Synthetic, Verdict: section.Judgement()[0],
			Subtitle: fmt.Sprintf("%d assets, %s to %s, costs of %g basis points", len(result.Symbols),
				day(result.Times[0]), day(result.Times[len(result.Times)-1]), settings.CostBps),
		},
		WalkForward: section,
		Sections:    benchmarkSections(s),
		Commands:    []report.Fact{recompute(folder.Dir()), repeat(in)},
		Files:       backtestFacts(s),
		Provenance: &report.Provenance{
			Config: string(config),
			Facts: []report.Fact{{Name: "Prices", Text: in.Source}, {Name: "Data", Text: in.DataHash()},
				{Name: "Seed", Text: fmt.Sprint(in.Seed)}},
			Limits: slices.Concat(survivorship(in), []string{"Market impact is not modelled."}, in.Notes, s.Notes),
		},
	}
	return run.WriteFile(folder.Path(ReportFile), func(w io.Writer) error { return report.Write(w, document) })
}

// backtestFacts says which file holds what.
func backtestFacts(s *BacktestSummary) []report.Fact {
	files := []report.Fact{
		{Name: ReturnsFile, Text: "the return of every strategy in each period, net of costs"},
		{Name: WeightsFile, Text: "what each strategy held after each rebalance"},
		{Name: SummaryFile, Text: "the figures of this page, with intervals"},
	}
	if s.Benchmark != nil {
		files = append(files, report.Fact{Name: BenchmarkFile, Text: "the return of the benchmark in each period"})
	}
	return files
}

// spreads says how the single models, and the paths, of strategies came out.
func spreads(s *BacktestSummary) []string {
	var lines []string
	say := func(name, of string, values []number.Value) {
		low, high, count := math.Inf(1), math.Inf(-1), 0
		for _, v := range values {
			if x, ok := v.Float(); ok {
				low, high, count = min(low, x), max(high, x), count+1
			}
		}
		if count > 1 {
			lines = append(lines, fmt.Sprintf("%s: Sharpe ratios of %d %s from %.2f to %.2f.", name, count, of,
				low, high))
		}
	}
	for _, t := range s.Strategies {
		say(t.Name, "single models", t.SharpeOfModels)
		say(t.Name, "paths", t.SharpeOfPaths)
	}
	return lines
}

// lastWeights stacks what the strategies chose last.
func lastWeights(result *backtest.Result) *mat.Dense {
	m := mat.NewDense(len(result.Tracks), len(result.Symbols), nil)
	for k, track := range result.Tracks {
		m.SetRow(k, track.Rebalances[len(track.Rebalances)-1].Weights)
	}
	return m
}
