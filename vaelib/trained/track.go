package trained

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/vae"
)

// curvesOf says where the training curves go: a TensorBoard event file beside the
// model and, where the environment names a server, a run of MLflow. What they are
// told is the same for equal trainings, interrupted or not, so that a repetition
// adds nothing.
func curvesOf(
	dir string, b *vae.Backend, config vae.Config, schedule vae.Schedule, data string, note func(string),
) (o track.Options, err error) {
	settings, err := json.Marshal([]any{config, schedule, b.Name()})
	if err != nil {
		return o, err
	}
	params := map[string]string{
		"beta": fmt.Sprint(config.Beta), "latent": fmt.Sprint(config.Latent), "hidden": fmt.Sprint(config.Hidden),
		"head": config.Head, "likelihood": config.Likelihood, "seed": fmt.Sprint(config.Seed),
		"steps": fmt.Sprint(schedule.Steps), "batch": fmt.Sprint(schedule.Batch),
		"learning_rate": fmt.Sprint(schedule.LearningRate), "data": data,
	}
	if len(config.Conditions) > 0 {
		params["control"] = fmt.Sprint(config.Control)
	}
	return track.Options{
		Dir: dir, Key: run.Hash(settings, []byte(data)), Note: note, Params: params,
		Name: fmt.Sprintf("beta %v, %d dimensions, seed %d", config.Beta, config.Latent, config.Seed),
	}, nil
}

// Finish finishes a run, and copies all its files, the model among them, to the
// server that the model's training curves went to, if any: see [track.Attach].
func Finish(ctx context.Context, folder *run.Run, curves track.Options) error {
	if err := folder.Finish(); err != nil || curves.Key == "" {
		return err
	}
	manifest, err := run.ReadManifest(folder.Dir())
	if err != nil {
		return err
	}
	track.Attach(ctx, curves, folder.Dir(), append(slices.Sorted(maps.Keys(manifest.Files)), run.ManifestFile))
	return nil
}

// tracked are the numbers of an evaluation, by name.
func tracked(p vae.Point) map[string]float64 {
	numbers := map[string]float64{"beta": p.Beta, "learning_rate": p.LearningRate}
	add := func(prefix string, l vae.Losses) {
		numbers[prefix+"/total"] = l.Total
		numbers[prefix+"/reconstruction"] = l.Reconstruction
		numbers[prefix+"/kl"] = l.KL
	}
	add("train", p.Train)
	if p.Validation != nil {
		add("validation", *p.Validation)
	}
	return numbers
}
