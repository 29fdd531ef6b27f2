package regime_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"vaefolio/data"
	"vaefolio/vaelib/features"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/regime"
)

func Example() {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	window, _, err := panel.Window()
	if err != nil {
		fmt.Println(err)
		return
	}
	days, n := window.Returns.Dims()
	basket := mat.NewDense(days, 1, nil)
	for t := range days {
		basket.Set(t, 0, mat.Sum(window.Returns.RowView(t))/float64(n))
	}
	const train = 1125 // later rows are only filtered
	model, _, err := regime.Fit(context.Background(), basket.Slice(0, train, 0, 1).(*mat.Dense), regime.Settings{States: 2, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	probs, _, err := model.Filter(basket)
	if err != nil {
		fmt.Println(err)
		return
	}
	last := regime.MostLikely(probs)[days-1]
	fmt.Printf("%d states, the last day is %s\n", model.States(), model.Name(last))
	// Output: 2 states, the last day is calm
}

func ExampleGrid() {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	table, err := features.Build(context.Background(), panel, features.Config{NoAssets: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	volatility, _ := table.Column("market.volatility.20")
	trend, _ := table.Column("market.trend.60")
	grid, err := regime.FitGrid(volatility.Values[59:1125]) // past the warm-up, up to the end of training
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(regime.GridName(grid.State(volatility.Values[1300], trend.Values[1300])))
	// Output: falling at low volatility
}
