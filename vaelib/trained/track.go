package trained

import (
	"context"
	"encoding/json"
	"fmt"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/vae"
)

// openTracker opens a TensorBoard event file beside the model and, where the
// environment names a server, a run of MLflow. What they are told is the same
// for equal trainings, interrupted or not, so that a repetition adds nothing.
func openTracker(
	ctx context.Context, dir string, b *vae.Backend, config vae.Config, schedule vae.Schedule, data string,
	note func(string),
) (*track.Tracker, error) {
	settings, err := json.Marshal([]any{config, schedule, b.Name()})
	if err != nil {
		return nil, err
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
