package experiment

import (
	"math"
	"testing"

	"vaefolio/vaelib/vae"
)

// A linear model knows its data by their covariance alone, so the collapse law
// n lambda_i/tr Sigma holds for it on portfolios that are far from normal: on the
// mixed training set the last unit lives 5 % below the first threshold and is
// dead 5 % above it, and the loss is the closed form's to 1 %, for each of three seeds
// (-seeds 3).
// What networks do there instead is in experiments/collapse-mixed.toml.
func TestLinearCollapseOfMixedSet(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	backend, err := vae.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	training, _ := mixedRows(t, "sample", nil, 1).Split()
	thresholds, err := vae.Thresholds(training)
	if err != nil {
		t.Fatal(err)
	}
	_, n := training.Dims()
	for _, share := range []float64{0.5, 0.95, 1.05} {
		beta := share * thresholds[0]
		loss, units := float64(n)/2, 0
		for _, threshold := range thresholds {
			if r := beta / threshold; r < 1 { // its distortion falls from threshold/2 to beta/2
				loss += (beta-threshold)/2 - beta/2*math.Log(r)
				units++
			}
		}
		for seed := uint64(1); seed <= *seeds; seed++ {
			c, s := vae.DefaultConfig(n), vae.DefaultSchedule()
			c.Hidden, c.Head, c.Beta, c.Seed = nil, "linear", beta, seed
			s.Steps, s.EvalEvery, s.LearningRate, s.Warmup = 4000, 4000, 1e-2, 0.5
			m, history, err := vae.Train(t.Context(), backend, c, s, training, training, vae.TrainOptions{})
			if err != nil {
				t.Fatal(err)
			}
			d, err := vae.Diagnose(t.Context(), m, training, training)
			if err != nil {
				t.Fatal(err)
			}
			got := history.Points[len(history.Points)-1].Validation.Total
			t.Logf("beta %.3f, %.2f of the threshold, seed %d: %d active, loss %.4f, closed form %d and %.4f", beta, share, seed, d.ActiveUnits, got, units, loss)
			// Near the threshold two units may share a direction for long.
			if (d.ActiveUnits > 0) != (units > 0) || math.Abs(got-loss) > 0.01*loss {
				t.Errorf("beta %.3f, seed %d: %d active and a loss of %.4f, closed form %d and %.4f", beta, seed, d.ActiveUnits, got, units, loss)
			}
		}
	}
}
