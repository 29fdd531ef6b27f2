package vae_test

import (
	"context"
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// Learn portfolios that lie between two styles, on the pure Go backend.
func ExampleTrain() {
	rng := stream.New(1, "example", 0)
	x := mat.NewDense(1000, 4, nil)
	for i := range 1000 {
		u := rng.Float64()
		x.SetRow(i, []float64{0.7 * u, 0.3 * u, 0.6 * (1 - u), 0.4 * (1 - u)})
	}
	train, heldOut := x.Slice(0, 800, 0, 4).(*mat.Dense), x.Slice(800, 1000, 0, 4).(*mat.Dense)

	backend, err := vae.Open("go")
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Close()
	config := vae.DefaultConfig(4)
	config.Latent, config.Hidden = 2, []int{16}
	schedule := vae.DefaultSchedule()
	schedule.Steps, schedule.LearningRate = 1500, 0.01
	ctx := context.Background()
	model, history, err := vae.Train(ctx, backend, config, schedule, train, heldOut, vae.TrainOptions{})
	if err != nil {
		log.Fatal(err)
	}
	d, err := vae.Diagnose(ctx, model, train, heldOut)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("model of step %d: %d active unit, R2 above 0.95: %v\n", history.Step, d.ActiveUnits, d.R2 > 0.95)

	weights, err := model.Decode(mat.NewDense(1, 2, nil)) // the centre of the latent space
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d weights that sum to %.4f\n", weights.RawMatrix().Cols, mat.Sum(weights))
	// Output:
	// model of step 1500: 1 active unit, R2 above 0.95: true
	// 4 weights that sum to 1.0000
}

// The data's covariance tells at which beta a latent direction dies.
func ExampleThresholds() {
	x := mat.NewDense(4, 3, []float64{
		0.6, 0.2, 0.2,
		0.2, 0.6, 0.2,
		0.4, 0.5, 0.1,
		0.4, 0.1, 0.5,
	})
	thresholds, err := vae.Thresholds(x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", thresholds)
	// Output: [2.25 0.75 0.00]
}
