package vaelib_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

// From prices to portfolios that meet every constraint.
func Example() {
	ctx := context.Background()
	prices, _, err := market.LoadFS(data.FS, data.Close, market.Options{}) // or market.Load("closes.csv", ...)
	check(err)
	window, _, err := prices.Window() // returns of all symbols
	check(err)
	set := simplex.Set{N: 12, Upper: slices.Repeat([]float64{0.25}, 12)} // long only, a quarter at most
	settings := corpus.DefaultConfig()
	settings.N = 2000
	portfolios, err := corpus.Build(ctx, window, set, nil, settings, nil)
	check(err)
	training, heldOut := portfolios.Split()
	backend, err := vae.Open("go") // or "auto": XLA where there is a plugin
	check(err)
	defer backend.Close()
	schedule := vae.DefaultSchedule()
	schedule.Steps = 300
	model, _, err := vae.Train(ctx, backend, vae.DefaultConfig(12), schedule, training, heldOut, vae.TrainOptions{})
	check(err)
	generator, err := generate.New(model, set)
	check(err)
	batch, err := generator.Sample(ctx, 1000, generate.Prior{}, 1)
	check(err)
	worst := 0.0
	for i := range 1000 {
		worst = max(worst, set.Violation(batch.Weights.RawRowView(i)))
	}
	fmt.Println("1,000 portfolios; every constraint is met to 1e-12:", worst <= 1e-12)
	// Output:
	// 1,000 portfolios; every constraint is met to 1e-12: true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
