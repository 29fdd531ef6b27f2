package main

import (
	"context"
	"slices"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

// generatePortfolios is how many portfolios are generated at a time.
const generatePortfolios = 2048

// generators draw codes, decode them, project the portfolios and compute their
// six figures.
func generators(ctx context.Context, b *bed) ([]contender, error) {
	if err := b.engines(); err != nil {
		return nil, err
	}
	rows, err := dirichletRows(trainRows, trainAssets, b.seed)
	if err != nil {
		return nil, err
	}
	limit := capOf(trainAssets)
	set := simplex.Set{N: trainAssets, Upper: slices.Repeat([]float64{limit}, trainAssets)}
	returns := market(evaluatePeriods, trainAssets, b.seed)
	e, err := metrics.NewEvaluator(returns, sixFigures)
	if err != nil {
		return nil, err
	}
	var contenders []contender
	for _, engine := range []struct {
		name    string
		backend *vae.Backend
	}{{"vaefolio, Go backend", b.goEngine}, {"vaefolio, XLA", b.xla}} {
		if engine.backend == nil {
			contenders = append(contenders, contender{name: engine.name, missing: b.noXLA})
			continue
		}
		schedule := vae.DefaultSchedule()
		schedule.Steps = small.loop // the speed doesn't depend on what it learned
		model, _, err := vae.Train(ctx, engine.backend, small.config, schedule, rows, nil, vae.TrainOptions{})
		if err != nil {
			return nil, err
		}
		g, err := generate.New(model, set)
		if err != nil {
			return nil, err
		}
		figures, seed := make([]metrics.Figures, generatePortfolios), b.seed
		once := func(ctx context.Context) (int, error) {
			seed++
			batch, err := g.Sample(ctx, generatePortfolios, generate.Prior{}, seed)
			if err != nil {
				return 0, err
			}
			return generatePortfolios, e.EvaluateAll(ctx, batch.Weights, figures)
		}
		if _, err := once(ctx); err != nil { // compiles
			return nil, err
		}
		contenders = append(contenders, contender{name: engine.name, turn: oneCore(repeat(once))})
	}
	config := small.config
	peer, err := b.enter(ctx, jax, "JAX and numpy", "vaefolio, XLA", "generate", map[string]any{
		"assets": config.Assets, "latent": config.Latent, "hidden": config.Hidden,
		"count": generatePortfolios, "cap": limit, "returns": lists(returns),
	})
	return append(contenders, peer), err
}
