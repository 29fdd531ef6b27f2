// Command backtest tests strategies walk-forward, with drift and costs.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

type config struct {
	experiment.BacktestSettings `title:"Walk-forward test"`
	Model                       string `flag:"model" unit:"DIR" only:"strategies=zero-shot-sharpe|zero-shot-sharpe-prior" help:"the folder of a model over sets of assets, which train -corpus makes, for the zero-shot strategies; without it the built-in one"`
	cli.Prices
	cli.Benchmark
	cli.Figures
	cli.Constraints
	cli.Backend `title:"Common"`
	Out         string `flag:"out" unit:"DIR" required:"true" record:"-" help:"the folder for the results"`
	Force       bool   `flag:"force" record:"-" help:"replace another run in the folder"`
	cli.Format  `title:"Output"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "backtest",
	Summary: "test strategies walk-forward: chosen on one stretch of time, held over the next, with drift and costs",
	Example: `backtest -strategies equal-weight,min-variance,risk-parity -train 365 -test 30 -cost-bps 10 -out runs/backtest
backtest -prices closes.csv -strategies equal-weight,max-sharpe,latent-sharpe -max-weight 0.25 -out runs/latent
backtest -prices closes.csv -listings as-it-was -strategies equal-weight,min-variance,zero-shot-sharpe-prior -out runs/zero-shot
backtest -prices closes.csv -benchmark index.csv -out runs/against
backtest -strategies equal-weight,min-variance,hrp -groups 8 -held-out 2 -embargo 10 -out runs/purged`,
	Default: config{BacktestSettings: experiment.DefaultBacktest()},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Rows, c.Steps = 1000, 300 },
	},
	Run: backtest,
}

func main() { cli.Main(verb) }

// Validate refuses sectors that neither bound anything nor shape a training set.
func (c *config) Validate() error {
	if c.NeedsModel() {
		return nil
	}
	return c.CheckSectors()
}

func backtest(ctx context.Context, c *config, io *cli.IO) error {
	spec := run.Spec{Verb: "backtest", Config: io.Config(), Inputs: io.Inputs(), Seed: c.Seed,
		Outputs: experiment.BacktestFiles()}
	if err := c.possible(spec); err != nil {
		return err
	}
	data, benchmark, err := c.Benchmark.LoadListed(io, &c.Prices)
	if err != nil {
		return err
	}
	set, err := c.Constraints.Set(io, data.Window.Symbols)
	if err != nil {
		return err
	}
	if err := c.CheckSet(&set); err != nil {
		return cli.Usage(err)
	}
	sectors, err := c.SectorsOf(data.Window.Symbols)
	if err != nil {
		return err
	}
	settings, err := c.Figures.Settings(io, data.Window, 0)
	if err != nil {
		return err
	}
	input := experiment.Input{
		Window: data.Window, Cleaning: data.Cleaning, Dropped: data.Dropped, Listings: data.Listings,
		Sectors: sectors, Set: set, Benchmark: benchmark,
		Metrics: settings, Seed: c.Seed, Source: c.Prices.Source(),
		Notes: slices.Concat(data.Notes, c.Told(data.Window)), Synthetic: data.Synthetic,
		Begin:  io.Progress,
		Repeat: []string{io.Command()},
	}
	if c.NeedsModel() {
		if input.Backend, err = vae.Open(string(c.Backend.Backend)); err != nil {
			return err
		}
		defer input.Backend.Close()
		io.Announce(input.Backend)
		spec.Backend, spec.Plugin = input.Backend.Name(), input.Backend.Plugin()
		if err := c.models(io, &input); err != nil {
			return err
		}
	}
	spec.Data, spec.Funding = input.DataHash(), data.Window.Funded
	folder, err := run.Open(c.Out, spec, c.Force)
	var done *run.AlreadyDone
	if errors.As(err, &done) {
		summary := new(experiment.BacktestSummary)
		if err := experiment.ReadSummary(c.Out, summary); err != nil {
			return err
		}
		if err := print(c, io, summary); err != nil {
			return err
		}
		return done
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	return perform(ctx, folder, input, c, io)
}

// perform does what is to be done, and prints it.
func perform(ctx context.Context, folder *run.Run, input experiment.Input, c *config, io *cli.IO) error {
	if c.NeedsModel() {
		defer io.Kept(ctx, c.Out)
	}
	summary, err := experiment.Backtest(ctx, folder, input, c.BacktestSettings)
	if err != nil {
		return err
	}
	if err := folder.Finish(); err != nil {
		return err
	}
	return print(c, io, summary)
}

// possible refuses a folder that holds something else, and models that aren't there,
// before prices are read and a backend opened.
func (c *config) possible(spec run.Spec) error {
	if err := run.Usable(c.Out, spec, c.Force); err != nil {
		return err
	}
	if c.NeedsSet() {
		if err := trained.CheckSet(c.Model); err != nil {
			return err
		}
	}
	return learnt.Check(c.Rule...)
}

// models reads those that were trained before.
func (c *config) models(io *cli.IO, input *experiment.Input) (err error) {
	if c.NeedsSet() {
		if input.OverSets, err = trained.OpenSet(input.Backend, c.Model); err != nil {
			return err
		}
		io.Note("model: %s, over sets of assets", input.OverSets.Name)
	}
	return input.OpenRule(&c.BacktestSettings)
}

// againstColumns are those of a run with a benchmark.
func againstColumns() (columns []cli.Column) {
	between := func(name, short string) {
		columns = append(columns, cli.Column{Name: name, Short: short},
			cli.Column{Name: name + "_low", Short: "95 % from"}, cli.Column{Name: name + "_high", Short: "to"})
	}
	between("active_return", "active")
	between("tracking_error", "te")
	between("information_ratio", "ir")
	between("beta", "")
	between("alpha", "")
	between("sharpe_difference", "sharpe less its")
	return append(columns, cli.Column{Name: "sharpe_difference_p", Short: "p"})
}

// againstCells are the figures of these columns.
func againstCells(a *experiment.Against) (cells []any) {
	for _, v := range []number.Value{a.ActiveReturn, a.ActiveLow, a.ActiveHigh, a.TrackingError, a.TrackingLow,
		a.TrackingHigh, a.InformationRatio, a.InformationLow, a.InformationHigh, a.Beta, a.BetaLow, a.BetaHigh,
		a.Alpha, a.AlphaLow, a.AlphaHigh, a.SharpeDifference, a.DifferenceLow, a.DifferenceHigh, a.PValue} {
		cells = append(cells, v.Any())
	}
	return cells
}

// print lists the strategies, for humans those against a benchmark in a table of their own.
func print(c *config, io *cli.IO, s *experiment.BacktestSummary) error {
	apart := c.Format.Format == "table" && s.Benchmark != nil
	columns := []cli.Column{{Name: "strategy"}, {Name: "sharpe"}, {Name: "sharpe_low", Short: "95 % from"},
		{Name: "sharpe_high", Short: "to"}, {Name: "annual_return", Short: "return"}, {Name: "volatility"},
		{Name: "max_drawdown", Short: "drawdown"}, {Name: "turnover"}, {Name: "final_wealth", Short: "wealth"}}
	if s.Benchmark != nil && !apart {
		columns = append(columns, againstColumns()...)
	}
	table := io.Table(c.Format.Format, columns...)
	for _, t := range s.Strategies {
		row := []any{t.Name, t.Sharpe.Any(), t.SharpeLow.Any(), t.SharpeHigh.Any(), t.AnnualReturn.Any(),
			t.Volatility.Any(), t.MaxDrawdown.Any(), t.Turnover, t.FinalWealth}
		if t.Against != nil && !apart {
			row = append(row, againstCells(t.Against)...)
		}
		if err := table.Row(row...); err != nil {
			return err
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	if apart {
		fmt.Fprintf(io.Stdout, "\nagainst %s\n", s.Benchmark.Name)
		table := io.Table(c.Format.Format, append([]cli.Column{{Name: "strategy"}}, againstColumns()...)...)
		for _, t := range s.Strategies {
			if err := table.Row(append([]any{t.Name}, againstCells(t.Against)...)...); err != nil {
				return err
			}
		}
		if err := table.Close(); err != nil {
			return err
		}
	}
	told(c, io, s)
	return nil
}

// told are the notes on what was tested.
func told(c *config, io *cli.IO, s *experiment.BacktestSummary) {
	for _, note := range s.Notes {
		io.Note("%s", note)
	}
	if b := s.Benchmark; b != nil {
		sharpe := "undefined"
		if x, ok := b.Sharpe.Float(); ok {
			sharpe = fmt.Sprintf("%.4f", x)
		}
		io.Note("benchmark %s, %s: Sharpe ratio %s, wealth %.4f; summary.json has more", b.Name, b.Costs(), sharpe,
			b.FinalWealth)
	}
	io.Note("intervals: %d resamples by seed %d, in blocks of %.3g periods on average, as compare has them",
		s.Resamples, s.Seed, s.Block)
	note := "restored every period"
	if !s.ConstantWeights {
		note = "drifting between rebalances"
	}
	if s.Groups > 0 {
		io.Note("%d groups, %d held out at a time; the figures are of the first path, paths.csv has all", s.Groups,
			s.HeldOut)
	}
	io.Note("%d windows, weights %s, costs of %g basis points: %s", s.Windows, note, s.CostBps,
		strings.TrimSuffix(c.Out, "/")+"/"+experiment.ReportFile)
}
