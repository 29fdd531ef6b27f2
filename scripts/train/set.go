package main

import (
	"context"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// setSettings are those of a model over sets. What isn't given follows the kind of
// model.
func (c *config) setSettings() (trained.SetSettings, error) {
	s := trained.SetSettings{
		Config: vae.SetConfig{
			Latent: c.Model.Latent, Beta: c.Model.Beta, Seed: c.Seed, Conditional: c.Asked,
		},
		Schedule: c.Schedule,
	}
	if c.From != "" {
		if c.Model.Latent != 0 {
			return s, cli.Usagef("-latent is that of the model to go on from: leave it out")
		}
		if s.Schedule.Steps == 0 {
			s.Schedule.Steps = tuningSteps
		}
	}
	s.EnsureDefaults()
	return s, nil
}

// tuningSteps are those of a model that goes on from another, where none are given.
const tuningSteps = 200

// builtIn names the built-in model.
const builtIn = "built-in"

// open opens the model to go on from.
func (c *config) open(backend *vae.Backend) (*trained.SetModel, error) {
	if c.From == builtIn {
		return trained.BuiltIn(backend)
	}
	return trained.OpenSet(backend, c.From)
}

// examples reads the corpus, notes in the specification which it is, and refuses a
// folder that can't take what is made of it.
func (c *config) examples(spec *run.Spec) ([]*universe.Example, error) {
	err := c.Output.Usable(*spec)
	if err != nil {
		return nil, err
	}
	var examples []*universe.Example
	if examples, spec.Data, err = trained.ReadExamples(c.Corpus); err != nil {
		return nil, err
	}
	return examples, c.Output.Usable(*spec)
}

// judgements are what a model over sets is worth on the universes held out.
type judgements struct {
	Before *trained.SetDiagnosis `json:"before,omitempty"` // of the model that it went on from
	*trained.SetDiagnosis
}

// trainSet trains a model over sets of assets.
func trainSet(ctx context.Context, c *config, io *cli.IO) error {
	settings, err := c.setSettings()
	if err != nil {
		return err
	}
	if c.From != "" && c.From != builtIn {
		if err := trained.CheckSet(c.From); err != nil {
			return err
		}
	}
	spec := c.spec(io, trained.SetFiles()) // the model that it goes on from is in its configuration
	examples, err := c.examples(&spec)
	if err != nil {
		return err
	}
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return err
	}
	defer backend.Close()
	if c.From != "" {
		if settings.From, err = c.open(backend); err != nil {
			return err
		}
	}
	io.Announce(backend)
	folder, err := c.folder(spec, backend)
	if err != nil {
		return err
	}
	defer folder.Close()
	defer io.Kept(ctx, c.Out)
	model, history, err := trained.MakeSet(ctx, backend, examples, settings, folder.Dir(), trained.Reports{
		Begin: io.Progress, Note: func(line string) { io.Note("%s", line) },
	})
	if err != nil {
		return err
	}
	if err := run.WriteFile(folder.Path(experiment.HistoryFile), history.WriteCSV); err != nil {
		return err
	}
	var diagnosis judgements
	if settings.From != nil {
		if diagnosis.Before, err = settings.From.Judge(ctx, examples, c.Seed, io.Progress("before")); err != nil {
			return err
		}
		io.Note("before: %s", diagnosis.Before)
	}
	if diagnosis.SetDiagnosis, err = model.Judge(ctx, examples, c.Seed, io.Progress("universes held out")); err != nil {
		return err
	}
	io.Note("%s", diagnosis.SetDiagnosis)
	if err := run.WriteJSON(folder.Path(diagnosticsFile), diagnosis); err != nil {
		return err
	}
	io.Note("%d parameters, %d steps, %.0f samples a second: %s", model.Network.Parameters(), history.Step,
		history.SamplesPerSecond(), c.Out)
	return folder.Finish()
}
