package generate_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

// The highest Sharpe ratio that can be reached in the latent space of a model,
// beside that of equal weights.
func ExampleGenerator_Optimize() {
	ctx := context.Background()
	prices, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	check(err)
	window, _, err := prices.Window()
	check(err)
	set := simplex.Set{N: 12, Upper: slices.Repeat([]float64{0.25}, 12)}
	config := corpus.DefaultConfig()
	config.N = 500
	portfolios, err := corpus.Build(ctx, window, set, nil, config, nil)
	check(err)
	training, heldOut := portfolios.Split()
	backend, err := vae.Open("go")
	check(err)
	defer backend.Close()
	schedule := vae.DefaultSchedule()
	schedule.Steps = 200
	model, _, err := vae.Train(ctx, backend, vae.DefaultConfig(12), schedule, training, heldOut, vae.TrainOptions{})
	check(err)

	generator, err := generate.New(model, set)
	check(err)
	sharpe, err := metrics.NewObjective(metrics.MaximizeSharpe, window.Returns, metrics.Settings{PeriodsPerYear: 365})
	check(err)
	best, err := generator.Optimize(ctx, sharpe, generate.Prior{}, generate.OptimizeSettings{Starts: 8, Iterations: 50})
	check(err)
	weights := best.Weights.RawRowView(best.Best)
	fmt.Println("above equal weights:", best.Values[best.Best] > sharpe.Value(slices.Repeat([]float64{1. / 12}, 12)))
	fmt.Println("every constraint is met:", set.Violation(weights) <= 1e-12)
	// Output:
	// above equal weights: true
	// every constraint is met: true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
