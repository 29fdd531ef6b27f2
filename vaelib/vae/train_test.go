package vae

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// dirichletRows are draws from the symmetric Dirichlet distribution with
// concentration 1 over n assets.
func dirichletRows(rows, n int, index uint64) *mat.Dense {
	rng := stream.New(1, "vae.test", index)
	x := mat.NewDense(rows, n, nil)
	for i := range rows {
		exponential(x.RawRowView(i), rng)
	}
	return x
}

func exponential(row []float64, rng *rand.Rand) {
	var sum float64
	for j := range row {
		row[j] = rng.ExpFloat64()
		sum += row[j]
	}
	for j := range row {
		row[j] /= sum
	}
}

func openTest(t testing.TB, name string) *Backend {
	t.Helper()
	b, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// backends are the names of the backends to test: XLA where a plugin is found.
func backends(t testing.TB) []string {
	if _, err := findPlugin(); err != nil {
		t.Logf("testing pure Go only: %v", err)
		return []string{"go"}
	}
	return []string{"go", "xla"}
}

func TestTrainLearnsDirichlet(t *testing.T) {
	for _, name := range backends(t) {
		t.Run(name, func(t *testing.T) {
			b := openTest(t, name)
			c, s := DefaultConfig(10), DefaultSchedule()
			s.Steps, s.EvalEvery = 2000, 500
			if os.Getenv("LONG") != "" {
				s.Steps = 10000
			}
			m, h, err := Train(t.Context(), b, c, s, dirichletRows(4096, 10, 0), dirichletRows(1000, 10, 1), TrainOptions{
				Progress: func(done, total int, note string) {
					if done%500 == 0 {
						t.Log(done, note)
					}
				}})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range h.Points {
				t.Log(p.Step, p.Train, *p.Validation, p.Seconds, p.SamplesPerSecond)
			}
			x := dirichletRows(1000, 10, 2)
			mean, _, err := m.Encode(x)
			if err != nil {
				t.Fatal(err)
			}
			y, err := m.Decode(mean)
			if err != nil {
				t.Fatal(err)
			}
			var se, ss float64
			for i := range 1000 {
				for j := range 10 {
					se += math.Pow(x.At(i, j)-y.At(i, j), 2)
					ss += math.Pow(x.At(i, j)-0.1, 2)
				}
			}
			t.Log("R2", 1-se/ss)
		})
	}
}
