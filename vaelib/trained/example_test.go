package trained_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// A model is made once, and opened by the name of its folder whenever portfolios
// are wanted: the constraint set and the density of its codes lie beside it.
func ExampleMake() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "model")
	check(err)
	defer os.RemoveAll(dir)
	backend, err := vae.Open("go")
	check(err)
	defer backend.Close()

	portfolios, err := simplex.Symmetric(3, 2) // of three assets
	check(err)
	x, rng := mat.NewDense(400, 3, nil), stream.New(1, "example", 0)
	for i := range 400 {
		portfolios.Rand(x.RawRowView(i), rng)
	}
	settings := trained.Settings{Config: vae.DefaultConfig(3), Schedule: vae.DefaultSchedule(), Components: 2}
	settings.Config.Latent, settings.Schedule.Steps = 2, 200
	_, _, err = trained.Make(ctx, backend, &trained.Data{
		Symbols: []string{"BTC", "ETH", "SOL"}, Train: x, Set: &simplex.Set{N: 3},
	}, settings, dir, trained.Reports{})
	check(err)

	model, err := trained.Open(backend, dir)
	check(err)
	generator, err := generate.New(model.Network, *model.Set)
	check(err)
	density, err := model.Density(trained.Aggregate)
	check(err)
	batch, err := generator.Sample(ctx, 100, density, 1)
	check(err)
	rows, columns := batch.Weights.Dims()
	fmt.Println(rows, "portfolios of", columns, "assets:", model.Symbols())
	// Output: 100 portfolios of 3 assets: [BTC ETH SOL]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
