// Command lab asks where a generator of portfolios helps, on markets whose truth
// is known.
package main

import (
	"context"
	"path/filepath"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/lab"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/sweep"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

type config struct {
	From       []string     `arg:"folder" help:"other folders of the same laboratory, whose finished worlds are brought in first"`
	Map        lab.Settings `title:"The map"`
	Model      string       `flag:"model" unit:"DIR" help:"the folder of a model over sets of assets, as train -corpus makes it, whose use on assets that it has never seen belongs to the generator's family; without it the built-in one"`
	Rule       []string     `flag:"rule" unit:"DIR,DIR" help:"the folders of the networks of a learnt rule, as train -objective true-sharpe makes them, whose mean belongs to the generator's family; without it the built-in rule"`
	cli.Prices `title:"Returns to resample" only:"source=bootstrap"`
	PerYear    float64 `flag:"periods-per-year" range:"[0,inf)" only:"source=bootstrap" help:"the number of periods in a year of the returns to resample; 0 takes it from their times"`

	Workers     int         `flag:"workers" range:"[0,1024]" record:"-" help:"the number of worlds that are made side by side; 0 means one for each core"`
	Shard       sweep.Shard `flag:"shard" unit:"I/N" record:"-" help:"the part of the worlds to make, which is every N-th from the I-th on; without it what SLURM_ARRAY_TASK_ID, or JOB_COMPLETION_INDEX and JOB_COMPLETIONS, say"`
	cli.Backend `title:"Common"`
	Out         string `flag:"out" unit:"DIR" required:"true" record:"-" help:"the folder of the laboratory; finished worlds in it are kept"`
	Force       bool   `flag:"force" record:"-" help:"turn the laboratory in the folder into this one, and keep the worlds that both have"`
	cli.Format  `title:"Output"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "lab",
	Summary: "ask where a generator of portfolios helps, on simulated markets whose truth is known",
	Example: `lab -preset quick -out runs/lab
lab -out runs/lab                        # the whole map
lab -preset rules -out runs/rules        # the learnt rule beside its rivals, in 900 markets
lab -source bootstrap -prices closes.csv -n 12 -out runs/resampled
lab -out runs/lab -shard 1/4             # a quarter of the worlds
lab -out runs/lab node1 node2            # with the worlds of other folders`,
	Default: config{Map: lab.Default()},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Map = lab.Quick() },
		"rules": func(c *config) { c.Map = lab.Rules() },
	},
	Run: run,
}

func main() { cli.Main(verb) }

func run(ctx context.Context, c *config, io *cli.IO) error {
	shard := c.Shard
	if shard.Count == 0 {
		var err error
		if shard, err = sweep.ShardFromEnvironment(); err != nil {
			return cli.Usage(err)
		}
	}
	if err := c.Map.Validate(); err != nil {
		return cli.Usage(err)
	}
	if err := c.possible(); err != nil {
		return err
	}
	market, err := c.market(io)
	if err != nil {
		return err
	}
	in := lab.Inputs{Settings: c.Map, Seed: c.Seed, Market: market}
	if err := lab.Usable(c.Out, in, c.Force); err != nil {
		return err
	}
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return err
	}
	defer backend.Close()
	io.Announce(backend)
	in.Backend = backend
	if c.Model == "" {
		in.Set, err = trained.BuiltIn(backend)
	} else {
		in.Set, err = trained.OpenSet(backend, c.Model)
	}
	if err != nil {
		return err
	}
	if in.Rule, err = learnt.Open(backend, c.Rule...); err != nil {
		return err
	}
	l, err := lab.Open(c.Out, in, c.Force)
	if err != nil {
		return err
	}
	defer io.Kept(ctx, c.Out)
	for _, other := range c.From {
		brought, err := l.Bring(other)
		if err != nil {
			return err
		}
		io.Note("%d worlds brought in from %s", brought, other)
	}
	if err := l.Run(ctx, lab.Options{Workers: c.Workers, Shard: shard, Progress: io.Progress("worlds")}); err != nil {
		return err
	}
	if all, there := l.Worlds(); there < all {
		io.Note("%d of %d worlds are there: the last part writes the results, or lab without -shard", there, all)
		return nil
	}
	findings, err := l.Finish(ctx, io.Command())
	if err != nil {
		return err
	}
	return print(c, io, findings)
}

// possible refuses models that aren't there, before prices are read and a backend opened.
func (c *config) possible() error {
	if err := trained.CheckSet(c.Model); err != nil {
		return err
	}
	return learnt.Check(c.Rule...)
}

// market reads the returns to resample.
func (c *config) market(io *cli.IO) (*lab.Market, error) {
	if c.Map.Source != lab.Bootstrap {
		return nil, nil
	}
	data, err := c.Prices.Load(io)
	if err != nil {
		return nil, err
	}
	periods, err := (&cli.Annual{PeriodsPerYear: c.PerYear}).Periods(io, data.Window)
	if err != nil {
		return nil, err
	}
	return &lab.Market{Returns: data.Window.Returns, Hash: data.Window.Hash(), Name: c.Prices.Source(),
		Synthetic: data.Synthetic, PeriodsPerYear: periods}, nil
}

// print lists the tests.
func print(c *config, io *cli.IO, f *lab.Findings) error {
	table := io.Table(c.Format.Format, cli.Column{Name: "group"}, cli.Column{Name: "member"}, cli.Column{Name: "rival"},
		cli.Column{Name: "difference"}, cli.Column{Name: "from"}, cli.Column{Name: "to"},
		cli.Column{Name: "p_holm", Short: "p (Holm)"}, cli.Column{Name: "verdict"})
	tests := f.Groups
	for _, cell := range f.Cells {
		tests = append(tests, cell.Test)
	}
	for _, t := range tests {
		if err := table.Row(t.Group, t.Member, t.Rival, t.Difference, t.From, t.To, t.PHolm, t.Verdict); err != nil {
			return err
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	io.Note("%s", f.Verdict)
	for _, need := range f.Needs {
		io.Note("%s", need)
	}
	for _, d := range f.Differences {
		io.Note("%s", d)
	}
	io.Note("%s", filepath.Join(c.Out, lab.ReportFile))
	return nil
}
