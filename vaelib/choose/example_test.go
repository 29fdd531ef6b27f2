package choose_test

import (
	"context"
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// The worst scenario decides: of three portfolios the mixed one, whose worst
// return is the largest. The linear programme, free to choose any weights, does
// better in the scenarios that it knows.
func ExampleRobust() {
	weights := mat.NewDense(3, 2, []float64{
		1.0, 0.0,
		0.0, 1.0,
		0.4, 0.6,
	})
	known := &choose.Scenarios{
		Names:   []string{"first falls", "second falls"},
		Returns: mat.NewDense(2, 2, []float64{-0.20, 0.10, 0.05, -0.15}),
	}
	heldOut := &choose.Scenarios{Names: []string{"both fall"}, Returns: mat.NewDense(1, 2, []float64{-0.10, -0.05})}
	s, err := choose.Robust(context.Background(), weights, simplex.Set{N: 2}, known, heldOut)
	if err != nil {
		log.Fatal(err)
	}
	for _, j := range s.Judgements {
		fmt.Printf("%s: %.2f, worst when %s; held out %.3f\n", j.Name, j.Weights, j.WorstScenario, j.HeldOutWorst)
	}
	// Output:
	// chosen: [0.40 0.60], worst when second falls; held out -0.070
	// linear programme: [0.50 0.50], worst when first falls; held out -0.075
	// equal weight: [0.50 0.50], worst when first falls; held out -0.075
	// projected gradient: [0.50 0.50], worst when first falls; held out -0.075
}

// What may become of a portfolio that gains or loses a tenth every period.
func ExampleOutcomes() {
	returns := mat.NewDense(2, 1, []float64{0.1, -0.1})
	outlooks, err := choose.Outcomes(context.Background(), mat.NewDense(1, 1, []float64{1}), returns, choose.OutcomeSettings{
		Paths: 5000, Horizon: 10, MeanBlock: 1, Quantiles: []float64{0.05, 0.5, 0.95}, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	o := outlooks[0]
	fmt.Printf("after 10 periods %.2f to %.2f, median %.2f; a loss in %.0f %% of the paths\n",
		o.Fan.At(10, 0), o.Fan.At(10, 2), o.Fan.At(10, 1), 100*o.Loss)
	// Output: after 10 periods 0.52 to 1.74, median 0.95; a loss in 63 % of the paths
}

// Of four portfolios one is dominated: it earns less at more risk.
func ExamplePareto() {
	figures := []metrics.Figures{
		{AnnualReturn: 0.10, Volatility: 0.20, EffectiveAssets: 4},
		{AnnualReturn: 0.05, Volatility: 0.25, EffectiveAssets: 4},
		{AnnualReturn: 0.20, Volatility: 0.40, EffectiveAssets: 2},
		{AnnualReturn: 0.05, Volatility: 0.30, EffectiveAssets: 9},
	}
	front, err := choose.Pareto(figures, choose.DefaultGoals())
	fmt.Println(front, err)
	// Output: [2 0 3] <nil>
}

// A stress says how much is lost and by what.
func ExampleRunStresses() {
	weights := mat.NewDense(2, 2, []float64{0.9, 0.1, 0.3, 0.7})
	crash := &choose.Scenarios{Names: []string{"crash"}, Returns: mat.NewDense(1, 2, []float64{-0.5, -0.1})}
	results, err := choose.RunStresses(context.Background(), weights, append(crash.Stresses(), choose.AssetToZero(1, "B")), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Printf("%s: portfolio %d loses %.2f, mostly by asset %d\n", r.Name, r.Worst, r.Losses[r.Worst], r.Drivers[0].Asset)
	}
	// Output:
	// crash: portfolio 0 loses 0.46, mostly by asset 0
	// B to zero: portfolio 1 loses 0.70, mostly by asset 1
}
