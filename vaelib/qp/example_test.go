package qp_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
)

// The portfolio of three assets with the least variance, none short.
func ExampleSolve() {
	result, err := qp.Solve(context.Background(), &qp.Problem{
		H:     mat.NewSymDense(3, []float64{4, 1, 3, 1, 2, 2, 3, 2, 9}),
		A:     mat.NewDense(1, 3, []float64{1, 1, 1}),
		Lo:    []float64{1},
		Hi:    []float64{1},
		Lower: []float64{0, 0, 0},
	}, qp.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v: x = %.2f, 1/2 x'Hx = %.3f\n", result.Status, result.X, result.Objective)
	fmt.Printf("one more unit of budget costs %.2f, the first of x[2] %.2f\n", result.RowMultipliers[0], result.BoundMultipliers[2])
	// Output:
	// optimal: x = [0.25 0.75 0.00], 1/2 x'Hx = 0.875
	// one more unit of budget costs 1.75, the first of x[2] 0.50
}

// Rows 0 and 2 can't hold together, and the certificate says so.
func ExampleCertificate() {
	p := &qp.Problem{
		A:     mat.NewDense(3, 3, []float64{1, 1, 1, 0, 1, 0, 1, 1, 0}),
		Lo:    []float64{1, 0.1, math.Inf(-1)},
		Hi:    []float64{1, math.Inf(1), 0.4},
		Lower: []float64{0, 0, 0},
		Upper: []float64{1, 1, 0.5},
	}
	result, err := qp.Solve(context.Background(), p, qp.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	rows, variables := result.Certificate.Conflict()
	fmt.Printf("%v: rows %v with the bounds of variables %v, by %.1f\n", result.Status, rows, variables, result.Certificate.Margin)
	fmt.Println("checked:", result.Certificate.Check(p) == nil)
	// Output:
	// infeasible: rows [0 2] with the bounds of variables [2], by 0.1
	// checked: true
}
