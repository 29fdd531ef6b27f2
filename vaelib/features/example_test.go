package features_test

import (
	"context"
	"fmt"

	"vaefolio/data"
	"vaefolio/vaelib/features"
	"vaefolio/vaelib/market"
)

func Example() {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	table, err := features.Build(context.Background(), panel, features.Config{NoAssets: true, Windows: []int{20}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range table.Columns {
		fmt.Printf("%-24s %8.4f %s\n", c.Name, c.Values[1000], c.Unit)
	}
	// Output:
	// market.mean.20            -0.0326 per period
	// market.volatility.20       0.0530 per period
	// market.momentum.20        -2.1064 standard deviations
	// market.trend.20           -0.2852 share
	// market.drawdown.60         0.6200 share
	// market.max_drawdown.60     0.6299 share
	// market.var.60              0.1344 per period
	// market.cvar.60             0.1719 per period
	// market.dispersion.20       0.0415 per period
	// market.volatility_index  137.7952 percent a year
}

func ExampleScaler() {
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
	const train = 1125 // rows that may be learnt from
	scaler, err := table.Fit(0, train)
	if err != nil {
		fmt.Println(err)
		return
	}
	scaled, err := scaler.Apply(table)
	if err != nil {
		fmt.Println(err)
		return
	}
	conditions, err := scaled.Matrix(scaled.Complete(0, train))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(conditions.Dims())
	// Output: 1066 20
}
