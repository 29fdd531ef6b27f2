package sweep_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/sweep"
)

// The points of a sweep: all combinations of the grid, with each seed.
func ExamplePoints() {
	var grid sweep.Axes
	check(grid.UnmarshalText([]byte("beta = 0.5 1; latent = 4 8")))
	names, points, err := sweep.Points(grid, nil, []uint64{1})
	check(err)
	fmt.Println(names)
	for _, point := range points {
		fmt.Println(point)
	}
	// Output:
	// [beta latent seed]
	// [0.5 4 1]
	// [0.5 8 1]
	// [1 4 1]
	// [1 8 1]
}

// Two models that differ in beta, trained side by side. The program's main has
// called [sweep.BecomeWorker] before anything else.
func ExampleSweep_Run() {
	dir, err := os.MkdirTemp("", "sweep")
	check(err)
	defer os.RemoveAll(dir)
	prices, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	check(err)
	window, _, err := prices.Window()
	check(err)
	names, points, err := sweep.Points(sweep.Axes{{Name: "beta", Values: []string{"0.1", "1"}}}, nil, nil)
	check(err)
	var trials []sweep.Trial
	for _, point := range points {
		trial := sweep.Trial{
			Point: point, Settings: sweep.DefaultSettings(), Seed: 1, Config: []byte("beta = " + point[0] + "\n"),
			Window: window, Set: simplex.Set{N: 12, Symbols: window.Symbols}, PeriodsPerYear: 365,
		}
		trial.Corpus.Source, trial.Corpus.N = corpus.Dirichlet, 300
		trial.Components, trial.Model.Latent, trial.Schedule.Steps = 2, 2, 100
		trial.Model.Beta, err = strconv.ParseFloat(point[0], 64)
		check(err)
		trials = append(trials, trial)
	}
	runs, err := sweep.Open(dir, names, trials, false)
	check(err)
	outcome, err := runs.Run(context.Background(), sweep.Options{Backend: "go"})
	check(err)
	table, err := sweep.Merge(dir, nil) // writes results.csv
	check(err)
	fmt.Println(outcome.Done, "runs made now,", table.Done, "in the table")
	// Output: 2 runs made now, 2 in the table
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
