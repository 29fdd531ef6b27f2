package inference_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/stream"
)

// The mean of a year of returns comes with an interval, whatever the returns'
// dependence on each other.
func ExampleBootstrap() {
	rng := stream.New(1, "inference.example", 0)
	returns := make([]float64, 365)
	for t := range returns {
		returns[t] = 0.001 + 0.02*rng.NormFloat64()
	}
	mean := func(x []float64) float64 { return stat.Mean(x, nil) }
	interval, err := inference.Bootstrap(context.Background(), returns, mean, inference.BootstrapSettings{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("between %.4f and %.4f a day\n", interval.Low, interval.High)
	// Output: between -0.0017 and 0.0024 a day
}

// In how many splits of the time is the strategy that looks best in one half
// among the worse ones in the other half? Here none of the 20 has skill.
func ExampleCSCV() {
	rng := stream.New(1, "inference.example", 1)
	returns := mat.NewDense(640, 20, nil)
	for t := range 640 {
		for j := range 20 {
			returns.Set(t, j, 0.01*rng.NormFloat64())
		}
	}
	o, err := inference.CSCV(returns, 8)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("probability of overfitting %.2f over %d splits\n", o.PBO, len(o.Logits))
	// Output: probability of overfitting 0.23 over 70 splits
}
