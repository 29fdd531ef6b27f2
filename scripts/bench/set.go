package main

import (
	"context"
	"fmt"

	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// The universes that the training of a model over sets is measured on: of one size, so
// that nobody pads.
const (
	setAssets    = 16
	setUniverses = 64
	setLook      = 10 // steps between two looks at the clock, and of a call on XLA
)

// setTrainers train the built-in model's network over sets of assets: this library on
// each backend, and JAX.
func setTrainers(ctx context.Context, b *bed) ([]contender, error) {
	if err := b.engines(); err != nil {
		return nil, err
	}
	var all []*universe.Example
	settings := universe.Settings{Universes: setUniverses, LeastAssets: setAssets, MostAssets: setAssets,
		LeastPeriods: 100, MostPeriods: 150, Seed: b.seed}
	if err := universe.Simulate(ctx, settings, func(e *universe.Example) error {
		e.HeldOut = false // nothing is evaluated
		all = append(all, e)
		return nil
	}, nil); err != nil {
		return nil, err
	}
	config, schedule := vae.DefaultSetConfig(), vae.DefaultSetSchedule()
	ours := fmt.Sprintf("vaefolio, XLA, %d steps a call", setLook)
	scan := fmt.Sprintf("JAX, lax.scan over %d steps", setLook)
	data := map[string]any{
		"latent": config.Latent, "width": config.Width, "heads": config.Heads, "blocks": config.Blocks,
		"beta": config.Beta, "batch": schedule.Batch, "learning_rate": schedule.LearningRate, "scan": setLook,
	}
	var tokens, weights [][][]float64
	var facts [][]float64
	var caps []float64
	for _, e := range all {
		f := e.Facts()
		tokens, weights = append(tokens, lists(e.Tokens())), append(weights, lists(e.Weights))
		facts, caps = append(facts, f[:]), append(caps, e.Cap)
	}
	data["tokens"], data["weights"], data["facts"], data["caps"] = tokens, weights, facts, caps
	peer, err := b.enter(ctx, jax, scan, ours, "sets", data)
	if err != nil {
		return nil, err
	}
	own, err := b.enter(ctx, sameXLA, scan+", on this plugin", ours, "sets", data)
	return []contender{
		b.setTrainer("vaefolio, Go backend", b.goEngine, all, config, schedule),
		b.setTrainer(ours, b.xla, all, config, schedule), peer, own,
	}, err
}

// setTrainer trains on an engine, which may be nil.
func (b *bed) setTrainer(
	name string, engine *vae.Backend, all []*universe.Example, config vae.SetConfig, schedule vae.Schedule,
) contender {
	if engine == nil {
		return contender{name: name, missing: b.noXLA}
	}
	config.Seed = b.seed
	// A step is timed, not the laying out of the universes: the clock starts behind the
	// first few.
	train := func(ctx context.Context, steps int) (measured span, err error) {
		s := schedule
		s.Steps, s.EvalEvery = setLook+steps, setLook
		var watch stopwatch
		_, _, err = vae.TrainSet(ctx, engine, config, s, all, vae.TrainOptions{Evaluated: func(p vae.Point) {
			if p.Step == setLook {
				watch = startWatch()
			}
			measured = watch.span((p.Step - setLook) * s.Batch)
		}})
		return measured, err
	}
	return contender{name: name, turn: training(train, setLook, schedule.Batch)}
}
