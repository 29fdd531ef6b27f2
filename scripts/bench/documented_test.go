package main

import (
	"math"
	"testing"

	"vaefolio/vaelib/vae"
)

// GoMLX's loop comes to the loss that this library comes to on the same rows.
func TestDocumentedLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds, and minutes under the race detector")
	}
	const steps, batch, last = 1500, 64, 250
	rows, err := dirichletRows(512, trainAssets, 1)
	if err != nil {
		t.Fatal(err)
	}
	b := newBed("none", "go", 1)
	defer b.close()
	if err := b.engines(); err != nil {
		t.Fatal(err)
	}
	d, err := newDocumented(b.gomlx, small.config, small.rate, rows, batch, b.seed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.train(steps - last); err != nil {
		t.Fatal(err)
	}
	got, err := d.train(last)
	if err != nil {
		t.Fatal(err)
	}
	schedule := vae.DefaultSchedule()
	schedule.Steps, schedule.Batch, schedule.EvalEvery = steps, batch, last
	_, history, err := vae.Train(t.Context(), b.goEngine, small.config, schedule, rows, nil, vae.TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := history.Points[len(history.Points)-1].Train.Total
	if math.Abs(got-want) > 0.08*want || want > trainAssets/4. { // half the loss of the mean portfolio, n/2
		t.Errorf("loss %.3f, and %.3f of this library", got, want)
	}
}
