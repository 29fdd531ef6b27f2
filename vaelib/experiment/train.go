package experiment

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/number"
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

// SplitRows separates the rows of x (N x n) into those to learn from and those
// held out, in order; either is nil where it has fewer than 2.
func SplitRows(x *mat.Dense, heldOut []bool) (training, rest *mat.Dense) {
	_, n := x.Dims()
	var kept, held []float64
	for i, out := range heldOut {
		if out {
			held = append(held, x.RawRowView(i)...)
		} else {
			kept = append(kept, x.RawRowView(i)...)
		}
	}
	if len(kept) >= 2*n {
		training = mat.NewDense(len(kept)/n, n, kept)
	}
	if len(held) >= 2*n {
		rest = mat.NewDense(len(held)/n, n, held)
	}
	return training, rest
}

// Reports are told how a training goes; either may be nil.
type Reports struct {
	Progress func(done, total int, note string)
	Note     func(line string) // from any goroutine: what a user should know
}

// Train trains a model and keeps it in dir, resuming there a training of the
// same rows and settings that was interrupted. When the context ends it saves
// the state first. Its curves can be watched as it goes: see [track].
//
// The configuration gets the number of assets from the rows and, where the rows
// are told conditions, these.
func Train(ctx context.Context, b *vae.Backend, config vae.Config, schedule vae.Schedule, rows Rows, dir string, reports Reports) (*vae.Model, *vae.History, error) {
	config.Assets = len(rows.Symbols)
	config.EnsureDefaults()
	schedule.EnsureDefaults()
	if err := cmp.Or(config.Validate(), schedule.Validate()); err != nil {
		return nil, nil, err
	}
	options := vae.TrainOptions{
		Symbols: rows.Symbols, Progress: reports.Progress,
		CheckpointEvery: max(1, schedule.Steps/checkpoints),
		Checkpoint:      func(c *vae.Checkpoint) error { return c.Save(dir) },
	}
	if told := rows.Told; told != nil {
		config.Conditions, config.Control = told.Conditions, told.Control
		options.Conditions, options.ValidationConditions, options.Measures = told.Train, told.HeldOut, told.Measures
		if free := told.unmeasured(); len(free) > 0 && reports.Note != nil {
			reports.Note("told, but not held to, as they don't follow from the weights alone: " + strings.Join(free, ", "))
		}
	}
	switch c, err := vae.LoadCheckpoint(dir); {
	case err == nil:
		options.Resume = c
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, err
	}
	tracker, err := openTracker(ctx, dir, b, config, schedule, vae.DataHash(rows.Train, rows.HeldOut, options), reports.Note)
	if err != nil {
		return nil, nil, err
	}
	options.Evaluated = func(p vae.Point) { tracker.Log(p.Step, tracked(p)) }
	model, history, err := vae.Train(ctx, b, config, schedule, rows.Train, rows.HeldOut, options)
	if err == nil {
		err = model.Save(dir)
	}
	if trackErr := tracker.Close(err); err == nil {
		err = trackErr
	}
	if err != nil {
		return nil, nil, fmt.Errorf("training: %w", err)
	}
	return model, history, vae.RemoveCheckpoint(dir)
}

// openTracker opens a TensorBoard event file beside the model and, where the
// environment names a server, a run of MLflow. What they are told is the same
// for equal trainings, interrupted or not, so that a repetition adds nothing.
func openTracker(ctx context.Context, dir string, b *vae.Backend, config vae.Config, schedule vae.Schedule, data string, note func(string)) (*track.Tracker, error) {
	settings, err := json.Marshal([]any{config, schedule, b.Name()})
	if err != nil {
		return nil, err
	}
	params := map[string]string{
		"beta": fmt.Sprint(config.Beta), "latent": fmt.Sprint(config.Latent), "hidden": fmt.Sprint(config.Hidden), "head": config.Head,
		"likelihood": config.Likelihood, "seed": fmt.Sprint(config.Seed), "steps": fmt.Sprint(schedule.Steps), "batch": fmt.Sprint(schedule.Batch),
		"learning_rate": fmt.Sprint(schedule.LearningRate), "data": data,
	}
	if len(config.Conditions) > 0 {
		params["control"] = fmt.Sprint(config.Control)
	}
	// Without the context's end, so that a run that is interrupted says so there.
	return track.Open(context.WithoutCancel(ctx), track.Options{
		Dir: dir, Key: run.Hash(settings, []byte(data)), Note: note, Params: params,
		Name: fmt.Sprintf("beta %v, %d dimensions, seed %d", config.Beta, config.Latent, config.Seed),
	})
}

// tracked are the numbers of an evaluation, by name.
func tracked(p vae.Point) map[string]float64 {
	numbers := map[string]float64{"beta": p.Beta, "learning_rate": p.LearningRate}
	add := func(prefix string, l vae.Losses) {
		numbers[prefix+"/total"], numbers[prefix+"/reconstruction"], numbers[prefix+"/kl"] = l.Total, l.Reconstruction, l.KL
	}
	add("train", p.Train)
	if p.Validation != nil {
		add("validation", *p.Validation)
	}
	return numbers
}

// train trains the model, and leaves it in the run's folder.
func (p *state) train(ctx context.Context) (err error) {
	config := within(p.Set, p.settings.Model)
	config.Seed = p.Seed
	p.model, p.history, err = Train(ctx, p.Backend, config, p.settings.Schedule, Rows{Symbols: p.in.Symbols, Train: p.training, HeldOut: p.heldOut},
		p.folder.Path(ModelFolder), Reports{Progress: p.begin("training"), Note: func(line string) { p.summary.Notes["tracking"] = line }})
	return err
}

// diagnose measures the model on the held-out windows.
func (p *state) diagnose(ctx context.Context) (err error) {
	p.begin("diagnostics")
	if p.diagnosis, err = vae.Diagnose(ctx, p.model, p.training, p.heldOut); err != nil {
		return err
	}
	p.summary.ActiveUnits = number.Known(float64(p.diagnosis.ActiveUnits))
	p.summary.KL = number.Known(p.diagnosis.KL)
	p.summary.R2 = number.Known(p.diagnosis.R2)
	p.summary.R2PCA = number.Known(p.diagnosis.R2PCA)
	if p.diagnosis.Warning != "" {
		p.summary.Notes["active_units"] = p.diagnosis.Warning
	}
	return nil
}
