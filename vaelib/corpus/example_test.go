package corpus_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
)

// Portfolios to learn from, each with what it has and where it comes from.
func ExampleBuild() {
	prices, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	check(err)
	window, _, err := prices.Window() // returns of all symbols
	check(err)
	sectors, err := market.ReadSectorsFS(data.FS, data.Sectors)
	check(err)
	set := simplex.Set{N: 12, Upper: slices.Repeat([]float64{0.25}, 12)} // long only, a quarter at most
	config := corpus.DefaultConfig()
	config.N = 500
	portfolios, err := corpus.Build(context.Background(), window, set, sectors, config, nil)
	check(err)

	training, heldOut := portfolios.Split()
	fmt.Println(training.RawMatrix().Rows, "to learn from,", heldOut.RawMatrix().Rows, "of later windows")
	sources := map[string]bool{}
	for _, row := range portfolios.Rows {
		sources[row.Source] = true
	}
	fmt.Println("sources:", len(sources))
	for _, condition := range portfolios.Schema[:3] {
		fmt.Println("condition:", condition.Name)
	}
	// Output:
	// 400 to learn from, 100 of later windows
	// sources: 4
	// condition: volatility
	// condition: annual_return
	// condition: max_drawdown
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
