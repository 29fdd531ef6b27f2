package experiment_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"vaefolio/data"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
)

// Two strategies, tested walk-forward on the same windows; figures and a report
// lie in the folder. [experiment.Pipeline] is called alike, and needs a backend.
func ExampleBacktest() {
	dir, err := os.MkdirTemp("", "backtest")
	check(err)
	defer os.RemoveAll(dir)
	prices, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	check(err)
	window, _, err := prices.Window()
	check(err)
	settings := experiment.DefaultBacktest()
	settings.Strategies = []string{"equal-weight", "min-variance"}

	folder, err := run.Open(dir, run.Spec{Verb: "backtest", Data: window.Hash(), Seed: 1}, false)
	check(err)
	defer folder.Close()
	summary, err := experiment.Backtest(context.Background(), folder, experiment.Input{
		Window: window, Set: simplex.Set{N: 12, Symbols: window.Symbols},
		Metrics: metrics.Settings{PeriodsPerYear: 365}, Seed: 1, Source: "sample", Synthetic: true,
	}, settings)
	check(err)
	check(folder.Finish())
	fmt.Println(summary.Windows, "windows")
	for _, s := range summary.Strategies {
		fmt.Printf("%s: volatility %.2f\n", s.Name, s.Volatility.Any())
	}
	// Output:
	// 37 windows
	// equal-weight: volatility 0.72
	// min-variance: volatility 0.55
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
