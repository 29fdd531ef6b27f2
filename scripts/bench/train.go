package main

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

const (
	trainAssets = 10
	trainRows   = 4096
)

// network is a network whose training is measured.
type network struct {
	config vae.Config
	rate   float64 // learning rate
	// loop is how many steps XLA does in a call, and JAX in a scan, or minLoop
	// samples where that is more. A look at the clock is after look samples or a
	// step, whichever is more.
	loop, look int
}

// minLoop is so many samples that what a call itself costs doesn't show.
const minLoop = 12_800

// The default network on 10 assets, with the head that all contenders have, and
// one for the universe of 100 assets.
var (
	small = network{softmax(trainAssets, 8, 64, 32), 3e-3, 100, 12_800}
	large = network{softmax(100, 64, 512, 256), 1e-3, 10, 256}
)

func softmax(assets, latent int, hidden ...int) vae.Config {
	c := vae.DefaultConfig(assets)
	c.Latent, c.Hidden, c.Head, c.MaxWeight = latent, hidden, "softmax", 0
	return c
}

// trainers train one network with batches of one size: this library on each
// backend, GoMLX's own training loop, and the peers.
func trainers(n network, batch int) func(ctx context.Context, b *bed) ([]contender, error) {
	return func(ctx context.Context, b *bed) ([]contender, error) { return b.trainers(ctx, n, batch) }
}

func (b *bed) trainers(ctx context.Context, n network, batch int) ([]contender, error) {
	if err := b.engines(); err != nil {
		return nil, err
	}
	rows, err := dirichletRows(trainRows, n.config.Assets, b.seed)
	if err != nil {
		return nil, err
	}
	const (
		xlaStep = "vaefolio, XLA, 1 step a call"
		goLoop  = "GoMLX, train.Loop, Go backend"
		plain   = "PyTorch, plain, 1 thread"
	)
	loop := max(n.loop, minLoop/batch)
	scan := fmt.Sprintf("JAX, lax.scan over %d steps", loop)
	xlaLoop := fmt.Sprintf("vaefolio, XLA, %d steps a call", loop)
	ours := b.trainer("vaefolio, Go backend", b.goEngine, n, rows, batch, 1)
	ours.versus = goLoop
	contenders := []contender{
		ours,
		b.documentedTrainer(goLoop, n, rows, batch),
		b.trainer(xlaStep, b.xla, n, rows, batch, 1),
		b.trainer(xlaLoop, b.xla, n, rows, batch, loop),
	}
	data := map[string]any{
		"rows": lists(rows), "assets": n.config.Assets, "latent": n.config.Latent, "hidden": n.config.Hidden,
		"beta": n.config.Beta, "batch": batch, "learning_rate": n.rate, "scan": loop, "steps": n.stepsBetween(batch),
	}
	for _, p := range []struct {
		library            library
		name, versus, task string
	}{
		{jax, "JAX, a jitted step a call", xlaStep, "step"},
		{jax, scan, xlaLoop, "scan"},
		{sameXLA, scan + ", on this plugin", xlaLoop, "scan"},
		{torch, plain, ours.name, "plain"},
		{torch, "PyTorch, fused Adam, 1 thread", plain, "fused"},
		{torch, "PyTorch, compiled, fused Adam, 1 thread", plain, "compiled"},
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
func (b *bed) trainer(
	name string, engine *vae.Backend, n network, rows *mat.Dense, batch, stepsPerCall int,
) contender {
	if engine == nil {
		return contender{name: name, missing: b.noXLA}
	}
	train := func(ctx context.Context, steps int) (span, error) {
		config, schedule := n.config, vae.DefaultSchedule()
		config.Seed = b.seed
		schedule.Steps, schedule.Batch, schedule.EvalEvery, schedule.LearningRate = steps, batch, steps, n.rate
		watch := startWatch()
		// Without a function to save with, a checkpoint is nothing but a pause.
		options := vae.TrainOptions{CheckpointEvery: stepsPerCall}
		_, _, err := vae.Train(ctx, engine, config, schedule, rows, nil, options)
		return watch.span(steps * batch), err
	}
	// A training is so many units long: whole calls.
	unit := max(stepsPerCall, n.stepsBetween(batch))
	return contender{name: name, turn: training(train, unit, batch)}
}

// training is a turn of whole units of steps, each of a batch of rows, as many as the
// last turn's speed lets take the seconds asked for.
func training(train func(ctx context.Context, steps int) (span, error), unit, batch int) turn {
	var last span
	return func(ctx context.Context, seconds float64) (_ span, err error) {
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
	}
}

// documentedTrainer trains as GoMLX's documentation shows it.
func (b *bed) documentedTrainer(name string, n network, rows *mat.Dense, batch int) contender {
	d, err := newDocumented(b.gomlx, n.config, n.rate, rows, batch, b.seed)
	if err == nil {
		_, err = d.train(1) // compiles
	}
	if err != nil {
		return contender{name: name, missing: err.Error()}
	}
	steps := n.stepsBetween(batch)
	return contender{name: name, turn: repeat(func(ctx context.Context) (int, error) {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		_, err := d.train(steps)
		return steps * batch, err
	})}
}

// stepsBetween is how many steps there are between two looks at the clock, which
// take about as long with any batch.
func (n network) stepsBetween(batch int) int { return max(1, n.look/batch) }

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
