package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/vae"
)

// checkpoints is how many times a training saves its whole state.
const checkpoints = 10

// Rows are what a model learns from, and what it is judged by.
type Rows struct {
	Symbols        []string   // n
	Train, HeldOut *mat.Dense // N x n and M x n; HeldOut may be nil
	Told           *Told      // of a conditional model; nil: none
}

// Train trains a model and keeps it in dir, resuming there a training of the
// same rows and settings that was interrupted. When the context ends it saves
// the state first.
func Train(ctx context.Context, b *vae.Backend, m Model, seed uint64, rows Rows, dir string,
	progress func(done, total int, note string)) (*vae.Model, *vae.History, error) {
	config, schedule, err := m.Config(len(rows.Symbols), seed)
	if err != nil {
		return nil, nil, err
	}
	options := vae.TrainOptions{
		Symbols: rows.Symbols, Progress: progress,
		CheckpointEvery: max(1, schedule.Steps/checkpoints),
		Checkpoint:      func(c *vae.Checkpoint) error { return c.Save(dir) },
	}
	if told := rows.Told; told != nil {
		config.Conditions, config.Control = told.Conditions, told.Control
		options.Conditions, options.ValidationConditions, options.Measures = told.Train, told.HeldOut, told.Measures
	}
	switch c, err := vae.LoadCheckpoint(dir); {
	case err == nil:
		options.Resume = c
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, err
	}
	model, history, err := vae.Train(ctx, b, config, schedule, rows.Train, rows.HeldOut, options)
	if err != nil {
		return nil, nil, fmt.Errorf("training: %w", err)
	}
	if err := model.Save(dir); err != nil {
		return nil, nil, err
	}
	if err := publish(ctx, dir, config, schedule, model, history); err != nil {
		return nil, nil, err
	}
	return model, history, vae.RemoveCheckpoint(dir)
}

// publish copies the history to a TensorBoard event file beside the model and,
// where the environment names a server, to MLflow. What it says is the same for
// equal trainings, so that a repetition adds nothing.
func publish(ctx context.Context, dir string, config vae.Config, schedule vae.Schedule, model *vae.Model, history *vae.History) error {
	settings, err := json.Marshal([]any{config, schedule, model.Backend().Name()})
	if err != nil {
		return err
	}
	tracker, err := track.Open(ctx, track.Options{
		Dir: dir, Key: run.Hash(settings, []byte(model.DataHash())),
		Name: fmt.Sprintf("beta %v, %d dimensions, seed %d", config.Beta, config.Latent, config.Seed),
		Params: map[string]string{
			"beta": fmt.Sprint(config.Beta), "latent": fmt.Sprint(config.Latent), "hidden": fmt.Sprint(config.Hidden), "head": config.Head,
			"likelihood": config.Likelihood, "seed": fmt.Sprint(config.Seed), "steps": fmt.Sprint(schedule.Steps), "batch": fmt.Sprint(schedule.Batch),
			"learning_rate": fmt.Sprint(schedule.LearningRate), "data": model.DataHash(),
		},
	})
	if err != nil {
		return err
	}
	for _, p := range history.Points {
		numbers := map[string]float64{
			"train/total": p.Train.Total, "train/reconstruction": p.Train.Reconstruction, "train/kl": p.Train.KL,
			"beta": p.Beta, "learning_rate": p.LearningRate,
		}
		if v := p.Validation; v != nil {
			numbers["validation/total"], numbers["validation/reconstruction"], numbers["validation/kl"] = v.Total, v.Reconstruction, v.KL
		}
		tracker.Log(p.Step, numbers)
	}
	return tracker.Close(nil)
}

// train trains the model, and leaves it in the run's folder.
func (p *state) train(ctx context.Context) (err error) {
	p.model, p.history, err = Train(ctx, p.Backend, p.settings.Model.Within(p.Set), p.Seed,
		Rows{Symbols: p.in.Symbols, Train: p.training, HeldOut: p.heldOut}, p.folder.Path(ModelFolder), p.begin("training"))
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
