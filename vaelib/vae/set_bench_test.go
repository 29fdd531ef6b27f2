package vae

import (
	"testing"

	"vaefolio/vaelib/universe"
)

// BenchmarkTrainSet reports the training speed of the built-in model's network, with
// batches of 128 portfolios of 32 universes of up to 24 assets.
func BenchmarkTrainSet(b *testing.B) {
	var all []*universe.Example
	s := universe.DefaultSettings()
	s.Universes = 100
	if err := universe.Simulate(b.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		b.Fatal(err)
	}
	forEach := func(b *testing.B, backend string) {
		s := DefaultSetSchedule()
		s.Steps, s.EvalEvery = maxSteps, maxSteps
		t, err := newSetTraining(openTest(b, backend), DefaultSetConfig(), s, all, TrainOptions{})
		if err != nil {
			b.Fatal(err)
		}
		defer t.release()
		if err := t.advance(t.step + t.stride); err != nil { // compiles
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := t.advance(t.step + t.stride); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := floats(t.state.sums); err != nil { // waits for the last
			b.Fatal(err)
		}
		b.ReportMetric(float64(b.N*t.stride*s.Batch)/b.Elapsed().Seconds(), "samples/s")
	}
	b.Run("go", func(b *testing.B) { forEach(b, "go") })
	if _, err := findPlugin(); err != nil {
		b.Skipf("no XLA: %v", err)
	}
	b.Run("xla", func(b *testing.B) { forEach(b, "xla") })
}
