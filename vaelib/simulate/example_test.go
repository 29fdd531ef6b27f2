package simulate_test

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
)

// What an estimate from 120 periods is worth, beside the truth.
func Example() {
	ranges := simulate.DefaultRanges()
	ranges.Assets = simulate.Range{From: 12, To: 12}
	world, err := simulate.New(1, 0, ranges)
	if err != nil {
		fmt.Println(err)
		return
	}
	returns := world.Returns(stream.New(1, "history", 0), 120)
	rows, n := returns.Dims()
	mean, deviation := stat.MeanStdDev(mat.Col(nil, 1, returns), nil)
	fmt.Printf("%d periods of %d assets\n", rows, n)
	fmt.Printf("Sharpe ratio of the second: %.1f, estimated as %.1f\n",
		world.Mean[1]/math.Sqrt(world.Cov.At(1, 1))*math.Sqrt(365), mean/deviation*math.Sqrt(365))
	// Output:
	// 120 periods of 12 assets
	// Sharpe ratio of the second: -0.3, estimated as 0.1
}
