package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// Three assets, per day: two that move together, and a calmer one.
var (
	mean = []float64{0.0012, 0.0010, 0.0004}
	cov  = mat.NewSymDense(3, []float64{
		0.0009, 0.0006, 0.0001,
		0.0006, 0.0008, 0.0001,
		0.0001, 0.0001, 0.0002,
	})
)

func Example() {
	set := simplex.Set{N: 3, Upper: []float64{0.5, 0.5, 0.5}}
	for _, objective := range []optimize.Objective{optimize.MinVariance, optimize.MaxSharpe, optimize.MaxDiversification} {
		r, err := optimize.Solve(context.Background(), objective, &optimize.Inputs{Mean: mean, Cov: cov, Set: set})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-19s %.4f  value %.6f\n", objective, r.Weights, r.Value)
	}
	// Output:
	// min-variance        [0.2000 0.3000 0.5000]  value 0.000280
	// max-sharpe          [0.3514 0.1486 0.5000]  value 0.045119
	// max-diversification [0.2446 0.2554 0.5000]  value 1.290521
}

// A closed procedure knows no cap: the error says so, and the projection is
// there for those who want it.
func Example_unsupported() {
	in := &optimize.Inputs{Cov: cov, Set: simplex.Set{N: 3, Upper: []float64{1, 1, 0.4}}}
	_, err := optimize.Solve(context.Background(), optimize.RiskParity, in)
	var unsupported *optimize.UnsupportedError
	fmt.Println(errors.As(err, &unsupported))
	in.Project = true
	r, err := optimize.Solve(context.Background(), optimize.RiskParity, in)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", r.Weights)
	// Output:
	// true
	// [0.294 0.306 0.400]
}

func ExampleFrontier() {
	f, err := optimize.Frontier(context.Background(), &optimize.Inputs{Mean: mean, Cov: cov, Set: simplex.Set{N: 3}})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range f.Corners {
		fmt.Printf("%.3f  mean %.5f  volatility %.4f\n", c.Weights, c.Mean, math.Sqrt(c.Variance))
	}
	// Output:
	// [0.056 0.083 0.861]  mean 0.00049  volatility 0.0136
	// [0.765 0.235 0.000]  mean 0.00115  volatility 0.0280
	// [1.000 0.000 0.000]  mean 0.00120  volatility 0.0300
}

func ExampleSolver_Frontier() {
	in := &optimize.Inputs{Mean: mean, Cov: cov, Set: simplex.Set{N: 3, Upper: []float64{0.5, 1, 1}}}
	points, err := new(optimize.Solver).Frontier(context.Background(), in, 4, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range points {
		fmt.Printf("%.3f  volatility %.4f  optimal: %t\n", p.Weights, math.Sqrt(p.Value), p.Gap < 1e-12*p.Value)
	}
	// Output:
	// [0.056 0.083 0.861]  volatility 0.0136  optimal: true
	// [0.273 0.130 0.597]  volatility 0.0156  optimal: true
	// [0.490 0.176 0.333]  volatility 0.0203  optimal: true
	// [0.500 0.500 0.000]  volatility 0.0269  optimal: true
}

func ExampleAllocate() {
	lots := optimize.Lots{Size: []float64{0.001, 0.01, 0.1}, LeastValue: []float64{5, 5, 5}}
	a, err := optimize.Allocate([]float64{0.5, 0.3, 0.2}, []float64{62000, 3100, 145}, 5000, lots, &simplex.Set{N: 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f, %.2f left\n", a.Units, a.Cash)
	// Output:
	// [0.040 0.480 6.900], 31.50 left
}
