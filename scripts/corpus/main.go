// Command corpus makes a training set of portfolios with conditions and
// provenance.
package main

import (
	"context"
	"fmt"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/universe"
)

type config struct {
	Corpus          corpus.Config     `title:"Training set" only:"!universes"`
	Universes       universe.Settings `title:"Many universes"`
	Simulated       bool              `flag:"simulated" only:"universes" help:"take the universes from simulated markets of known truth instead of from prices"`
	Market          `title:"Conditions" only:"!universes"`
	cli.Prices      `only:"!simulated"`
	PeriodsPerYear  float64 `flag:"periods-per-year" range:"[0,inf)" only:"!universes" help:"the number of periods in a year; 0 takes it from the times of the prices"`
	cli.Constraints `only:"!universes"`
	cli.Output
	cli.Common
}

var verb = cli.Verb[config]{
	Name: "corpus",
	Summary: "make a training set: portfolios from several sources over rolling windows, with conditions " +
		"and provenance",
	Example: `corpus -source mixed -n 20000 -out runs/corpus
corpus -universes 4000 -simulated -out runs/universes`,
	Default: config{Corpus: corpus.DefaultConfig(), Universes: usual(), Market: Market{Market: true}},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Corpus.N = 4000 },
	},
	Run: build,
}

func main() { cli.Main(verb) }

func build(ctx context.Context, c *config, io *cli.IO) error {
	if c.Out == "" {
		return cli.Usagef("no folder for the results: give -out")
	}
	if c.Universes.Universes > 0 {
		return buildUniverses(ctx, c, io)
	}
	spec := run.Spec{Verb: "corpus", Config: io.Config(), Inputs: io.Inputs(), Seed: c.Seed, Outputs: corpus.Files()}
	if err := c.Output.Usable(spec); err != nil {
		return err
	}
	data, err := c.Prices.Load(io)
	if err != nil {
		return err
	}
	set, err := c.Constraints.Set(io, data.Window.Symbols)
	if err != nil {
		return err
	}
	sectors, err := c.SectorsOf(data.Window.Symbols)
	if err != nil {
		return err
	}
	if _, err := (&cli.Annual{PeriodsPerYear: c.PeriodsPerYear}).Periods(io, data.Window); err != nil {
		return err
	}
	settings := c.Corpus
	settings.Seed, settings.PeriodsPerYear = c.Seed, c.PeriodsPerYear
	if err := c.Market.addTo(&settings); err != nil {
		return err
	}
	note, err := settings.Reach(len(data.Window.Times), false)
	if err != nil {
		return err
	}
	if note != "" {
		io.Note("%s", note)
	}
	hash := data.Window.Hash()
	if index := settings.Index; index != nil {
		hash = run.Hash([]byte(hash), fmt.Append(nil, *index))
	}
	spec.Data, spec.Funding = hash, data.Window.Funded
	folder, err := run.Open(c.Out, spec, c.Force)
	if err != nil {
		return err
	}
	defer folder.Close()
	made, err := corpus.Build(ctx, data.Window, set, sectors, settings, io.Progress("training set"))
	if err != nil {
		return err
	}
	if err := made.Write(folder.Dir()); err != nil {
		return err
	}
	s := made.Summary()
	noteLeftOut(io, s.LeftOut)
	io.Note("%d portfolios (%d held out) over %d windows: %s",
		s.Rows, s.ValidationRows, s.TrainingWindows+s.ValidationWindows, folder.Path(corpus.WeightsFile))
	return folder.Finish()
}

// noteLeftOut says which conditions have no column, those of one reason in one line.
func noteLeftOut(io *cli.IO, all []corpus.LeftOut) {
	var reasons []string
	conditions := map[string][]string{}
	for _, left := range all {
		why := strings.TrimPrefix(strings.TrimPrefix(left.Reason, left.Condition+" "), "is ")
		if conditions[why] == nil {
			reasons = append(reasons, why)
		}
		conditions[why] = append(conditions[why], left.Condition)
	}
	for _, why := range reasons {
		io.Note("no column for %s: %s", strings.Join(conditions[why], ", "), why)
	}
}
