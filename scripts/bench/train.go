package main

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// The training that is measured: the default network on 10 assets.
const (
	trainAssets = 10
	trainRows   = 4096
	loopSteps   = 100 // of one call of XLA's loop, and of JAX's scan
)

// trainers train one network with batches of one size: this library on each
// backend, GoMLX's own training loop, and the peers.
func trainers(batch int) func(ctx context.Context, b *bed) ([]contender, error) {
	return func(ctx context.Context, b *bed) ([]contender, error) { return b.trainers(ctx, batch) }
}

func (b *bed) trainers(ctx context.Context, batch int) ([]contender, error) {
	if err := b.engines(); err != nil {
		return nil, err
	}
	rows, err := dirichletRows(trainRows, trainAssets, b.seed)
	if err != nil {
		return nil, err
	}
	const (
		xlaLoop, xlaStep = "vaefolio, XLA, 100 steps a call", "vaefolio, XLA, 1 step a call"
		goLoop           = "GoMLX, train.Loop, Go backend"
	)
	ours := b.trainer("vaefolio, Go backend", b.goEngine, rows, batch, 1)
	ours.versus = goLoop
	contenders := []contender{
		ours,
		b.documentedTrainer(goLoop, rows, batch),
		b.trainer(xlaStep, b.xla, rows, batch, 1),
		b.trainer(xlaLoop, b.xla, rows, batch, loopSteps),
	}
	config, schedule := network(trainAssets), vae.DefaultSchedule()
	data := map[string]any{
		"rows": lists(rows), "assets": config.Assets, "latent": config.Latent, "hidden": config.Hidden,
		"beta": config.Beta, "batch": batch, "learning_rate": schedule.LearningRate,
	}
	for _, p := range []struct {
		library            library
		name, versus, task string
	}{
		{jax, "JAX, a jitted step a call", xlaStep, "step"},
		{jax, "JAX, lax.scan over 100 steps", xlaLoop, "scan"},
		{torch, "PyTorch, plain, 1 thread", "", "train"},
	} {
		c, err := b.enter(ctx, p.library, p.name, p.versus, p.task, data)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, c)
	}
	return contenders, nil
}

// trainer trains on an engine, which may be nil, so many steps in a call of the
// compiled graph.
func (b *bed) trainer(name string, engine *vae.Backend, rows *mat.Dense, batch, stepsPerCall int) contender {
	if engine == nil {
		return contender{name: name, missing: b.noXLA}
	}
	train := func(ctx context.Context, steps int) (span, error) {
		config, schedule := network(trainAssets), vae.DefaultSchedule()
		config.Seed = b.seed
		schedule.Steps, schedule.Batch, schedule.EvalEvery = steps, batch, steps
		watch := startWatch()
		// Without a function to save with, a checkpoint is nothing but a pause.
		_, _, err := vae.Train(ctx, engine, config, schedule, rows, nil, vae.TrainOptions{CheckpointEvery: stepsPerCall})
		return watch.span(steps * batch), err
	}
	// A training is so many units long: whole calls.
	unit := max(stepsPerCall, stepsBetween(batch))
	var last span // the next turn's length follows from it
	return contender{name: name, turn: func(ctx context.Context, seconds float64) (_ span, err error) {
		if last.units == 0 {
			for range 2 { // compiles, then tells the speed
				if last, err = train(ctx, unit); err != nil {
					return span{}, err
				}
			}
		}
		units := math.Ceil(last.rate("wall") * seconds / float64(unit*batch))
		last, err = train(ctx, int(units)*unit)
		return last, err
	}}
}

// documentedTrainer trains as GoMLX's documentation shows it.
func (b *bed) documentedTrainer(name string, rows *mat.Dense, batch int) contender {
	d, err := newDocumented(b.gomlx, rows, batch, b.seed)
	if err == nil {
		_, err = d.train(1) // compiles
	}
	if err != nil {
		return contender{name: name, missing: err.Error()}
	}
	steps := stepsBetween(batch)
	return contender{name: name, turn: repeat(func(ctx context.Context) (int, error) {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		_, err := d.train(steps)
		return steps * batch, err
	})}
}

// network is the default one with a softmax head, which every peer has.
func network(assets int) vae.Config {
	c := vae.DefaultConfig(assets)
	c.Head = "softmax"
	return c
}

// stepsBetween is how many steps there are between two looks at the clock, which
// take about as long with any batch.
func stepsBetween(batch int) int { return max(1, loopSteps*vae.DefaultSchedule().Batch/batch) }

// dirichletRows draws portfolios from the symmetric Dirichlet distribution.
func dirichletRows(rows, assets int, seed uint64) (*mat.Dense, error) {
	d, err := simplex.Symmetric(assets, 1)
	if err != nil {
		return nil, err
	}
	weights, rng := mat.NewDense(rows, assets, nil), stream.New(seed, "bench.weights", uint64(assets))
	for i := range rows {
		d.Rand(weights.RawRowView(i), rng)
	}
	return weights, nil
}

// lists is a matrix as JSON has it.
func lists(m *mat.Dense) [][]float64 {
	rows, _ := m.Dims()
	list := make([][]float64, rows)
	for i := range list {
		list[i] = m.RawRowView(i)
	}
	return list
}
