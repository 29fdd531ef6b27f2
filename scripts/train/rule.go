package main

import (
	"cmp"
	"context"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/vae"
)

// trainRule trains a learnt rule on markets whose truth is known.
func trainRule(ctx context.Context, c *config, io *cli.IO) error {
	network, schedule, usual := vae.DefaultRuleConfig(), c.Schedule, vae.DefaultRuleSchedule()
	network.Seed = c.Seed
	schedule.Steps, schedule.Batch = cmp.Or(schedule.Steps, usual.Steps), cmp.Or(schedule.Batch, usual.Batch)
	schedule.LearningRate = cmp.Or(schedule.LearningRate, usual.LearningRate)
	schedule.Warmup, schedule.Cycles = usual.Warmup, usual.Cycles
	schedule.EnsureDefaults()
	spec := c.spec(io, learnt.Files())
	examples, err := c.examples(&spec)
	if err != nil {
		return err
	}
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return err
	}
	defer backend.Close()
	io.Announce(backend)
	folder, err := c.folder(spec, backend)
	if err != nil {
		return err
	}
	defer folder.Close()
	defer io.Kept(ctx, c.Out)
	rule, history, err := learnt.Train(ctx, backend, examples, network, schedule, folder.Dir(), io.Progress("training"))
	if err != nil {
		return err
	}
	if err := run.WriteFile(folder.Path(experiment.HistoryFile), history.WriteCSV); err != nil {
		return err
	}
	diagnosis, err := rule.Judge(ctx, examples, io.Progress("universes held out"))
	if err != nil {
		return err
	}
	if diagnosis != nil {
		io.Note("%s", diagnosis)
		if err := run.WriteJSON(folder.Path(diagnosticsFile), diagnosis); err != nil {
			return err
		}
	}
	io.Note("%d steps, %.0f universes a second: %s", history.Step, history.SamplesPerSecond(), c.Out)
	return folder.Finish()
}
