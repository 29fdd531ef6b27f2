package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/vae"
)

// checkpoints is how many times a training saves its whole state.
const checkpoints = 10

// Train trains a model and keeps it in dir, resuming there a training of the
// same rows and settings that was interrupted. When the context ends it saves
// the state first.
func Train(ctx context.Context, b *vae.Backend, m Model, seed uint64, symbols []string, train, heldOut *mat.Dense, dir string,
	progress func(done, total int, note string)) (*vae.Model, *vae.History, error) {
	config, schedule, err := m.Config(len(symbols), seed)
	if err != nil {
		return nil, nil, err
	}
	options := vae.TrainOptions{
		Symbols: symbols, Progress: progress,
		CheckpointEvery: max(1, schedule.Steps/checkpoints),
		Checkpoint:      func(c *vae.Checkpoint) error { return c.Save(dir) },
	}
	switch c, err := vae.LoadCheckpoint(dir); {
	case err == nil:
		options.Resume = c
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, err
	}
	model, history, err := vae.Train(ctx, b, config, schedule, train, heldOut, options)
	if err != nil {
		return nil, nil, fmt.Errorf("training: %w", err)
	}
	if err := model.Save(dir); err != nil {
		return nil, nil, err
	}
	return model, history, vae.RemoveCheckpoint(dir)
}

// train trains the model, and leaves it in the run's folder.
func (p *state) train(ctx context.Context) (err error) {
	p.model, p.history, err = Train(ctx, p.Backend, p.settings.Model.Within(p.Set), p.Seed, p.in.Symbols, p.training, p.heldOut,
		p.folder.Path(ModelFolder), p.begin("training"))
	return err
}

// diagnose measures the model on the held-out windows.
func (p *state) diagnose(ctx context.Context) (err error) {
	p.begin("diagnostics")
	if p.diagnosis, err = vae.Diagnose(ctx, p.model, p.training, p.heldOut); err != nil {
		return err
	}
	p.summary.ActiveUnits = known(float64(p.diagnosis.ActiveUnits))
	p.summary.KL = known(p.diagnosis.KL)
	p.summary.R2 = known(p.diagnosis.R2)
	p.summary.R2PCA = known(p.diagnosis.R2PCA)
	if p.diagnosis.Warning != "" {
		p.summary.Notes["active_units"] = p.diagnosis.Warning
	}
	return nil
}
