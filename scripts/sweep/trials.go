package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/sweep"
)

// Trial is the configuration of one run of a sweep. Each of its flags can be
// an axis.
type Trial struct {
	cli.Prices      `title:"Prices"`
	PeriodsPerYear  float64 `flag:"periods-per-year" range:"[0,inf)" help:"the number of periods in a year; 0 takes it from the times of the prices"`
	cli.Constraints `title:"Constraints"`
	sweep.Settings
	Seed uint64 `flag:"seed" default:"1" help:"the number that decides the parameters at the start, the batches and the noise"`
}

// trials lists the runs of the sweep, and the names of its axes.
func trials(ctx context.Context, c *config, stream *cli.IO) (axes []string, all []sweep.Trial, err error) {
	axes, points, err := sweep.Points(c.Grid, c.Zip, c.Seeds)
	if err != nil {
		return nil, nil, cli.Usage(err)
	}
	if len(c.Seeds) == 0 && !c.sweepsSeeds() { // the table always tells the seed
		axes = append(axes, "seed")
		for i := range points {
			points[i] = append(points[i], fmt.Sprint(c.Seed))
		}
	}
	loaded := inputs{}
	for _, point := range points {
		t, text, err := c.Trial.at(ctx, axes, point)
		if err != nil {
			return nil, nil, err
		}
		in, err := loaded.load(t, stream)
		if err != nil {
			return nil, nil, err
		}
		periods := t.PeriodsPerYear
		if periods == 0 {
			periods = in.window.PeriodsPerYear()
		}
		all = append(all, sweep.Trial{
			Point: point, Settings: t.Settings, Seed: t.Seed, Config: text,
			Window: in.window, Set: in.set, Sectors: in.sectors, PeriodsPerYear: periods, Synthetic: in.synthetic,
		})
	}
	return axes, all, nil
}

func (c *config) sweepsSeeds() bool { return slices.Contains(c.swept(), "seed") }

// swept are the names of the flags that are axes.
func (c *config) swept() []string {
	var names []string
	for _, axis := range slices.Concat(c.Grid, c.Zip) {
		names = append(names, axis.Name)
	}
	return names
}

// at is the configuration at a point, and its text. The point's values are
// read and checked as flags are.
func (t Trial) at(ctx context.Context, axes, point []string) (*Trial, []byte, error) {
	args := make([]string, len(axes))
	for i, axis := range axes {
		args[i] = fmt.Sprintf("-%s=%s", axis, point[i])
	}
	var there *Trial
	var text []byte
	reader := cli.Verb[Trial]{Name: name, Default: t, Run: func(_ context.Context, c *Trial, stream *cli.IO) error {
		there, text = c, stream.Config()
		return nil
	}, Varying: func(*Trial) []string { return axes }}
	var stderr strings.Builder
	reader.Execute(ctx, args, io.Discard, &stderr)
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if there == nil {
		reason := strings.TrimPrefix(strings.TrimSpace(stderr.String()), name+": ")
		reason = strings.TrimSuffix(reason, " ("+name+" -h lists all flags)")
		return nil, nil, cli.Usagef("at %s: %s", strings.Join(args, " "), reason)
	}
	return there, text, nil
}

// input is what a run works on.
type input struct {
	window    *market.Window
	set       simplex.Set
	sectors   *market.Sectors
	synthetic bool
}

// inputs keeps what was loaded, by the flags that say what: most runs of a
// sweep share it.
type inputs map[string]*input

func (all inputs) load(t *Trial, stream *cli.IO) (*input, error) {
	key := fmt.Sprintf("%+v %+v", t.Prices, t.Constraints)
	if in, ok := all[key]; ok {
		return in, nil
	}
	data, err := t.Prices.Load(stream)
	if err != nil {
		return nil, err
	}
	if _, err := (&cli.Annual{PeriodsPerYear: t.PeriodsPerYear}).Periods(stream, data.Window); err != nil {
		return nil, err
	}
	in := &input{window: data.Window, synthetic: data.Synthetic}
	if in.set, err = t.Constraints.Set(stream, data.Window.Symbols); err != nil {
		return nil, err
	}
	if in.sectors, err = t.SectorsOf(data.Window.Symbols); err != nil {
		return nil, err
	}
	all[key] = in
	return in, nil
}
