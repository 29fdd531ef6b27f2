package vae

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// tiny trains for a few steps: enough where only the plumbing matters.
func tiny(t testing.TB, b *Backend) *Model {
	t.Helper()
	c, s := small()
	s.Steps = 20
	m, _, err := Train(t.Context(), b, c, s, dirichletRows(50, 6, 0), nil,
		TrainOptions{Symbols: []string{"A", "B", "C", "D", "E", "F"}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Rows are handled in padded blocks; a row's result does not depend on how
// many others there are.
func TestModelBlocks(t *testing.T) {
	forBackends(t, func(t *testing.T, b *Backend) {
		m := tiny(t, b)
		x := dirichletRows(2100, 6, 3)
		mean, logvar, err := m.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		weights, err := m.Decode(mean)
		if err != nil {
			t.Fatal(err)
		}
		dz, err := m.DecodeVJP(mean, x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2100 {
			if sum := mat.Sum(weights.RowView(i)); math.Abs(sum-1) > 1e-6 || mat.Min(weights.RowView(i)) <= 0 {
				t.Fatalf("decoded row %d sums to %v, with the least weight %v", i, sum, mat.Min(weights.RowView(i)))
			}
		}
		for _, rows := range [][2]int{{0, 1}, {5, 8}, {1000, 1030}, {1024, 2050}, {2099, 2100}} {
			part := x.Slice(rows[0], rows[1], 0, 6).(*mat.Dense)
			partMean, partLogvar, err := m.Encode(part)
			if err != nil {
				t.Fatal(err)
			}
			partWeights, err := m.Decode(partMean)
			if err != nil {
				t.Fatal(err)
			}
			partDz, err := m.DecodeVJP(partMean, part)
			if err != nil {
				t.Fatal(err)
			}
			for _, pair := range [][2]*mat.Dense{{partMean, mean}, {partLogvar, logvar}, {partWeights, weights}, {partDz, dz}} {
				_, columns := pair[1].Dims()
				if !mat.EqualApprox(pair[0], pair[1].Slice(rows[0], rows[1], 0, columns), 1e-5) {
					t.Errorf("rows %d to %d differ from the same rows among 2100", rows[0], rows[1])
				}
			}
		}
	})
}

// The float32 product agrees with difference quotients of Decode.
func TestDecodeVJP(t *testing.T) {
	const h = 1e-2
	forBackends(t, func(t *testing.T, b *Backend) {
		m := tiny(t, b)
		z, g := mat.NewDense(2, 3, []float64{0.1, -0.7, 1.2, -1, 0.4, 0}), dirichletRows(2, 6, 4)
		dz, err := m.DecodeVJP(z, g)
		if err != nil {
			t.Fatal(err)
		}
		along := func(i int) float64 {
			w, err := m.Decode(z)
			if err != nil {
				t.Fatal(err)
			}
			return mat.Dot(w.RowView(i), g.RowView(i))
		}
		for i := range 2 {
			for j := range 3 {
				old := z.At(i, j)
				z.Set(i, j, old+h)
				above := along(i)
				z.Set(i, j, old-h)
				below := along(i)
				z.Set(i, j, old)
				if want := (above - below) / (2 * h); math.Abs(dz.At(i, j)-want) > 1e-4 {
					t.Errorf("row %d, coordinate %d: %v, difference quotient %v", i, j, dz.At(i, j), want)
				}
			}
		}
	})
}

func TestModelConcurrently(t *testing.T) {
	forBackends(t, func(t *testing.T, b *Backend) {
		m := tiny(t, b)
		x := dirichletRows(100, 6, 5)
		var wait sync.WaitGroup
		var means [4]*mat.Dense
		for i := range means {
			wait.Go(func() { // the first use of the model's parameters among them
				for range 5 {
					mean, _, err := m.Encode(x)
					if err != nil {
						t.Error(err)
						return
					}
					means[i] = mean
					if _, err := m.Decode(mean); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wait.Wait()
		for _, mean := range means {
			if mean == nil || !mat.Equal(mean, means[0]) {
				t.Error("encoding beside others differs")
			}
		}
	})
}

// Trainings of one backend may run side by side: they share compiled graphs,
// not state.
func TestTrainConcurrently(t *testing.T) {
	forBackends(t, func(t *testing.T, b *Backend) {
		want := tiny(t, b)
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				c, s := small()
				s.Steps = 20
				m, _, err := Train(t.Context(), b, c, s, dirichletRows(50, 6, 0), nil, TrainOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Equal(m.theta, want.theta) {
					t.Error("a training beside others differs")
				}
			})
		}
		wait.Wait()
	})
}

func TestModelInputErrors(t *testing.T) {
	m := tiny(t, openTest(t, "go"))
	bad := dirichletRows(3, 6, 0)
	bad.Set(1, 2, math.Inf(1))
	for name, call := range map[string]func() error{
		"rows to encode have 4 columns, want 6":        func() error { _, _, err := m.Encode(dirichletRows(3, 4, 0)); return err },
		"rows to encode: row 2 has +Inf in column 3":   func() error { _, _, err := m.Encode(bad); return err },
		"no rows to encode":                            func() error { _, _, err := m.Encode(nil); return err },
		"rows to decode have 6 columns, want 3":        func() error { _, err := m.Decode(dirichletRows(3, 6, 0)); return err },
		"gradients have 3 columns, want 6":             func() error { _, err := m.DecodeVJP(dirichletRows(3, 3, 0), dirichletRows(3, 3, 0)); return err },
		"3 rows of z and 2 of gradients, want as many": func() error { _, err := m.DecodeVJP(dirichletRows(3, 3, 0), dirichletRows(2, 6, 0)); return err },
	} {
		if err := call(); err == nil || err.Error() != name {
			t.Errorf("got %v, want %q", err, name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := m.EncodeContext(ctx, dirichletRows(3, 6, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled encoding returned %v", err)
	}
}

func TestClosedBackend(t *testing.T) {
	b, err := Open("go")
	if err != nil {
		t.Fatal(err)
	}
	m := tiny(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	c, s := small()
	if _, _, err := Train(t.Context(), b, c, s, dirichletRows(50, 6, 0), nil, TrainOptions{}); err == nil {
		t.Error("a closed backend trains")
	}
	if _, err := m.Decode(dirichletRows(1, 3, 0)); err == nil {
		t.Error("a model decodes on a closed backend")
	}
}
