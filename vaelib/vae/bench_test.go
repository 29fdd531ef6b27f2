package vae

import (
	"testing"

	"gonum.org/v1/gonum/mat"
)

// BenchmarkTrain reports training speed: 10 assets, batch 128, hidden layers
// of 64 and 32, 8 latent dimensions.
func BenchmarkTrain(b *testing.B) {
	run := func(b *testing.B, backend string, stepsPerCall int) {
		engine := openTest(b, backend)
		engine.stepsPerCall = stepsPerCall
		s := DefaultSchedule()
		s.Steps, s.EvalEvery = maxSteps, maxSteps
		t, err := newTraining(engine, softmax10(), s, dirichletRows(4096, 10, 0), nil, TrainOptions{})
		if err != nil {
			b.Fatal(err)
		}
		defer t.release()
		if err := t.advance(stepsPerCall); err != nil { // compiles
			b.Fatal(err)
		}
		b.ReportAllocs()
		steps := 0
		for b.Loop() {
			if err := t.advance(t.step + stepsPerCall); err != nil {
				b.Fatal(err)
			}
			steps += stepsPerCall
		}
		if _, err := floats(t.state.sums); err != nil { // waits for the last
			b.Fatal(err)
		}
		b.ReportMetric(float64(steps*s.Batch)/b.Elapsed().Seconds(), "samples/s")
	}
	b.Run("go", func(b *testing.B) { run(b, "go", 1) })
	if _, err := findPlugin(); err != nil {
		b.Skipf("no XLA: %v", err)
	}
	b.Run("xla/1", func(b *testing.B) { run(b, "xla", 1) })
	b.Run("xla/100", func(b *testing.B) { run(b, "xla", 100) })
}

// softmax10 is the network of the benchmarks, over 10 assets.
func softmax10() Config {
	c := DefaultConfig(10)
	c.Head = "softmax"
	return c
}

// BenchmarkDecodeVJP is a step of latent optimisation: 1024 codes of 8
// dimensions, 10 assets.
func BenchmarkDecodeVJP(b *testing.B) {
	run := func(b *testing.B, backend string) {
		s := DefaultSchedule()
		s.Steps = 1
		m, _, err := Train(b.Context(), openTest(b, backend), softmax10(), s, dirichletRows(100, 10, 0), nil,
			TrainOptions{})
		if err != nil {
			b.Fatal(err)
		}
		z, g := mat.NewDense(1024, 8, nil), dirichletRows(1024, 10, 1)
		if _, err := m.DecodeVJP(z, g); err != nil { // compiles
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := m.DecodeVJP(z, g); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(1024*b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("go", func(b *testing.B) { run(b, "go") })
	if _, err := findPlugin(); err != nil {
		b.Skipf("no XLA: %v", err)
	}
	b.Run("xla", func(b *testing.B) { run(b, "xla") })
}
