package vae

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// ofSpectrum is the linear model of rows whose covariance has these eigenvalues.
func ofSpectrum(values []float64) *Linear {
	l := &Linear{values: values, vectors: mat.NewDense(len(values), len(values), nil)}
	l.scaling.mean = make([]float64, len(values))
	for _, v := range values {
		l.scaling.variance += v / float64(len(values))
	}
	return l
}

// weights is the spectrum of n weights, the first direction a given multiple of
// the last: falling geometrically, and 0 for the sum.
func weights(n int, fall float64) []float64 {
	v := make([]float64, n)
	for i := range n - 1 {
		v[i] = math.Pow(fall, -float64(i)/float64(n-2))
	}
	return v
}

// The sizes that the rule chooses, by spectrum and beta. 12 assets have what was
// found for them by hand.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		change func(*Config, *Schedule)
		latent int
		hidden []int
		rate   float64
		reason string
	}{
		{"2 assets", weights(3, 1)[:2], nil, 1, []int{64, 32}, 3e-3, "1 latent"},
		{"5 assets", weights(5, 4), nil, 3, []int{64, 32}, 3e-3, "4 of 5 directions"},
		{"12 assets", weights(12, 10), nil, 8, []int{64, 32}, 3e-3, "11 of 12 directions"},
		{"12 assets, no structure", weights(12, 1), nil, 10, []int{64, 32}, 3e-3, "11 of 12 directions"},
		{"12 assets, beta 1", weights(12, 10), func(c *Config, _ *Schedule) { c.Beta = 1 }, 5, []int{64, 32}, 3e-3,
			"5 of 12 directions"},
		{"beta above all", weights(12, 10), func(c *Config, _ *Schedule) { c.Beta = 4 }, 1, []int{64, 32}, 3e-3,
			"no direction of the training rows survives beta 4"},
		{"a raw beta", weights(12, 10), func(c *Config, _ *Schedule) {
			c.Likelihood, c.Beta = "mse-sum", 2*ofSpectrum(weights(12, 10)).scaling.variance
		}, 5, []int{64, 32}, 3e-3, "survives beta 1 in"},
		{"a variance learned", weights(12, 10), func(c *Config, _ *Schedule) {
			c.Likelihood, c.Beta = "gaussian-sigma", 1
		}, 8, []int{64, 32}, 3e-3, "survives beta 0.1 in"},
		{"a target rate", weights(12, 10), func(c *Config, _ *Schedule) { c.Beta, c.TargetRate = 9, 3 }, 8,
			[]int{64, 32}, 3e-3, "survives beta 0.1 in"},
		{"40 assets", weights(40, 30), nil, 18, []int{128, 64}, 2.1e-3, "39 of 40"},
		{"100 assets", weights(100, 30), nil, 45, []int{256, 128}, 1.5e-3, "99 of 100"},
		{"173 assets", weights(173, 30), nil, 77, []int{448, 224}, 1.1e-3, "172 of 173"},
		{"500 assets", weights(500, 30), nil, 192, []int{1024, 512}, 8e-4, "499 of 500"},
		{"173 assets, one direction above all", append([]float64{60}, weights(172, 30)...), nil, 58,
			[]int{448, 224}, 1.1e-3, "58 latent dimensions"},
		{"two directions", []float64{1, 0.8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil, 2, []int{64, 32}, 3e-3,
			"2 of 12 directions"},
		{"dimensions given", weights(40, 30), func(c *Config, _ *Schedule) { c.Latent = 3 }, 3, []int{128, 64},
			2.1e-3, "hidden layers of 128 and 64"},
		{"layers given", weights(40, 30), func(c *Config, _ *Schedule) { c.Hidden = []int{32, 256} }, 18,
			[]int{32, 256}, 1.5e-3, "18 latent"},
		{"a linear model", weights(40, 30), func(c *Config, _ *Schedule) { c.Hidden = []int{} }, 18, []int{}, 3e-3,
			"18 latent"},
	} {
		config, schedule := DefaultConfig(len(c.values)), Schedule{Warmup: 0.2}
		config.Latent, config.Hidden = 0, nil
		if c.change != nil {
			c.change(&config, &schedule)
		}
		gotConfig, gotSchedule, reason := ofSpectrum(c.values).Sizes(config, schedule)
		got := fmt.Sprint(gotConfig.Latent, gotConfig.Hidden, gotSchedule.LearningRate)
		if want := fmt.Sprint(c.latent, c.hidden, c.rate); got != want {
			t.Errorf("%s: %s, want %s (%s)", c.name, got, want, reason)
		}
		if !strings.Contains(reason, c.reason) {
			t.Errorf("%s: reason %q, want %q in it", c.name, reason, c.reason)
		}
		gotSchedule.EnsureDefaults()
		if err := gotSchedule.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		// What is given stays, and nothing is said of it.
		again, alsoSchedule, reason := ofSpectrum(c.values).Sizes(gotConfig, gotSchedule)
		if again.Latent != gotConfig.Latent || !slices.Equal(again.Hidden, gotConfig.Hidden) ||
			alsoSchedule != gotSchedule || reason != "" {
			t.Errorf("%s: chosen again, %v, %v: %q", c.name, again, alsoSchedule, reason)
		}
	}
}
