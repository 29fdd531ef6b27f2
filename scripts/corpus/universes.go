package main

import (
	"context"
	"fmt"
	"io"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/universe"
)

// usual are the settings of universes, where any are asked for.
func usual() universe.Settings {
	s := universe.DefaultSettings()
	s.Universes = 0
	return s
}

// buildUniverses makes a corpus of many universes.
func buildUniverses(ctx context.Context, c *config, to *cli.IO) error {
	settings := c.Universes
	settings.Seed = c.Seed
	if err := settings.Validate(); err != nil {
		return cli.Usage(err)
	}
	spec := run.Spec{Verb: "corpus", Config: to.Config(), Inputs: to.Inputs(), Seed: c.Seed,
		Outputs: []string{universe.File}}
	if err := c.Output.Usable(spec); err != nil {
		return err
	}
	build := universe.Simulate
	if !c.Simulated {
		panel, hash, err := c.Prices.LoadPanel(to)
		if err != nil {
			return err
		}
		if err := settings.Check(panel); err != nil {
			return err
		}
		spec.Data = hash
		build = func(ctx context.Context, s universe.Settings, use func(*universe.Example) error,
			progress func(done, total int, note string)) error {
			return universe.Sample(ctx, panel, s, use, progress)
		}
	}
	folder, err := run.Open(c.Out, spec, c.Force)
	if err != nil {
		return err
	}
	defer folder.Close()
	held, assets := 0, [2]int{universe.MaxAssets, 0}
	if err := run.WriteFile(folder.Path(universe.File), func(w io.Writer) error {
		return build(ctx, settings, func(e *universe.Example) error {
			if e.HeldOut {
				held++
			}
			assets = [2]int{min(assets[0], e.Assets()), max(assets[1], e.Assets())}
			return e.Write(w)
		}, to.Progress("universes"))
	}); err != nil {
		return err
	}
	each := fmt.Sprintf("%d portfolios each", settings.Portfolios)
	if settings.Truth {
		each = "each with its truth and guides"
	}
	to.Note("%d universes (%d held out) of %d to %d assets, %s: %s", settings.Universes, held, assets[0], assets[1],
		each, folder.Path(universe.File))
	return folder.Finish()
}
