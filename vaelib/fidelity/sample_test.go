package fidelity_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

var ctx = context.Background()

// normals are n independent standard normal rows.
func normals(n, d int, seed uint64) *mat.Dense {
	rng := stream.New(seed, "normals", 0)
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, rng.NormFloat64())
		}
	}
	return x
}

// shifted is x moved along its first column.
func shifted(x *mat.Dense, by float64) *mat.Dense {
	y := mat.DenseCopyOf(x)
	n, _ := y.Dims()
	for i := range n {
		y.Set(i, 0, y.At(i, 0)+by)
	}
	return y
}

// reordered has the rows of x in a random order.
func reordered(x *mat.Dense, seed uint64) *mat.Dense {
	n, d := x.Dims()
	y := mat.NewDense(n, d, nil)
	for i, from := range stream.New(seed, "reordered", 0).Perm(n) {
		y.SetRow(i, x.RawRowView(from))
	}
	return y
}

// column is a matrix of one column.
func column(values ...float64) *mat.Dense { return mat.NewDense(len(values), 1, values) }

// portfolios are n draws from a Dirichlet distribution over 12 assets.
func portfolios(t testing.TB, n int, alpha float64, seed uint64) *mat.Dense {
	t.Helper()
	d, err := simplex.Symmetric(12, alpha)
	if err != nil {
		t.Fatal(err)
	}
	x := mat.NewDense(n, 12, nil)
	source := stream.New(seed, "portfolios", 0)
	for i := range n {
		d.Rand(x.RawRowView(i), source)
	}
	return x
}

func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v within %v", what, got, want, tolerance)
	}
}

// calls are all functions that measure, on a sample x beside good ones.
func calls(ctx context.Context, x *mat.Dense) map[string]func() error {
	good := normals(150, 3, 99)
	return map[string]func() error{
		"overlap, real":      func() error { _, err := fidelity.MeasureOverlap(ctx, x, good, 5); return err },
		"overlap, generated": func() error { _, err := fidelity.MeasureOverlap(ctx, good, x, 5); return err },
		"distinguish, a": func() error {
			_, err := fidelity.Distinguish(ctx, x, good, fidelity.TestSettings{Permutations: 19})
			return err
		},
		"distinguish, b": func() error {
			_, err := fidelity.Distinguish(ctx, good, x, fidelity.TestSettings{Permutations: 19})
			return err
		},
		"memorisation, training":  func() error { _, err := fidelity.MeasureMemorisation(ctx, x, good, good); return err },
		"memorisation, held out":  func() error { _, err := fidelity.MeasureMemorisation(ctx, good, x, good); return err },
		"memorisation, generated": func() error { _, err := fidelity.MeasureMemorisation(ctx, good, good, x); return err },
		"compare, training":       func() error { _, err := fidelity.Compare(ctx, x, good, nil, fidelity.Settings{}); return err },
		"compare, held out":       func() error { _, err := fidelity.Compare(ctx, good, x, nil, fidelity.Settings{}); return err },
		"compare, candidate": func() error {
			_, err := fidelity.Compare(ctx, good, good, []fidelity.Candidate{{Name: "c", Weights: x}}, fidelity.Settings{})
			return err
		},
		"disentanglement, codes": func() error {
			_, err := fidelity.MeasureDisentanglement(ctx, x, good, []string{"a", "b", "c"}, fidelity.DisentanglementSettings{})
			return err
		},
		"disentanglement, factors": func() error {
			_, err := fidelity.MeasureDisentanglement(ctx, good, x, []string{"a", "b", "c"}, fidelity.DisentanglementSettings{})
			return err
		},
	}
}

// quick are the measurements without a context.
func quick(x *mat.Dense) map[string]func() error {
	good := normals(150, 3, 99)
	return map[string]func() error{
		"dispersion, sample":    func() error { _, err := fidelity.MeasureDispersion(x, good); return err },
		"dispersion, reference": func() error { _, err := fidelity.MeasureDispersion(good, x); return err },
		"speeds":                func() error { _, err := fidelity.MeasureSpeeds(good, x, shifted(good, 1), good); return err },
		"path":                  func() error { _, err := fidelity.MeasurePath(x); return err },
		"resample":              func() error { _, err := fidelity.Resample(x, 5, stream.New(1, "r", 0)); return err },
		"pca":                   func() error { _, err := fidelity.PCAGaussian(x, 1, 5, stream.New(1, "r", 0)); return err },
	}
}

func TestRowsThatAreNotNumbers(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x := normals(150, 3, 1)
		x.Set(42, 2, bad)
		for _, table := range []map[string]func() error{calls(ctx, x), quick(x)} {
			for name, call := range table {
				err := call()
				if err == nil || !strings.Contains(err.Error(), "row 42 of") || !strings.Contains(err.Error(), "column 2") {
					t.Errorf("%s with %v in row 42: error %v doesn't name it", name, bad, err)
				}
			}
		}
	}
}

func TestTooFewRows(t *testing.T) {
	for _, x := range []*mat.Dense{nil, {}, normals(1, 3, 1)} {
		for _, table := range []map[string]func() error{calls(ctx, x), quick(x)} {
			for name, call := range table {
				single := x != nil && !x.IsEmpty()
				if single && (name == "memorisation, training" || name == "resample") {
					continue // one row is enough
				}
				if single && name == "speeds" {
					continue // doesn't pair up: another error
				}
				var few *fidelity.TooFewRowsError
				if err := call(); !errors.As(err, &few) || few.Rows > 1 || few.Need <= few.Rows {
					t.Errorf("%s: error %v is no good TooFewRowsError", name, err)
				}
			}
		}
	}
	_, err := fidelity.MeasureOverlap(ctx, normals(6, 2, 1), normals(5, 2, 2), 5)
	if want := "5 rows of the generated sample are too few: at least 6 are needed"; err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestColumnsThatDiffer(t *testing.T) {
	for name, call := range calls(ctx, normals(150, 2, 1)) {
		if strings.HasPrefix(name, "disentanglement") {
			continue // codes and factors may differ
		}
		if err := call(); err == nil || !strings.Contains(err.Error(), "columns") {
			t.Errorf("%s: error %v doesn't speak of columns", name, err)
		}
	}
}

func TestCancellation(t *testing.T) {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, call := range calls(cancelled, normals(150, 3, 1)) {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want %v", name, err, context.Canceled)
		}
	}
	if _, err := fidelity.WeightMixture(cancelled, normals(50, 3, 1), mixtureOf(2), 5,
		stream.New(1, "r", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("mixture: error %v, want %v", err, context.Canceled)
	}
}

// Work that is cut off on the way ends soon, with the context's error.
func TestCancellationOnTheWay(t *testing.T) {
	stopping, cancel := context.WithCancel(ctx)
	defer cancel()
	last := 0
	_, err := fidelity.Distinguish(stopping, normals(2000, 3, 1), normals(2000, 3, 2), fidelity.TestSettings{
		Permutations: 19,
		Progress: func(done, total int, _ string) {
			last = done
			if done == 3 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if last > 3+runtime.GOMAXPROCS(0) {
		t.Errorf("%d bands were done after the context ended at the third", last)
	}
}

func TestSameForAnyNumberOfWorkers(t *testing.T) {
	scale, permutations := 100, 300
	if testing.Short() {
		scale, permutations = 40, 99
	}
	training, heldOut := portfolios(t, 7*scale, 1, 1), portfolios(t, 6*scale, 1, 2)
	candidates := []fidelity.Candidate{{Name: "other", Weights: portfolios(t, 4*scale, 2, 3)}}
	codes, factors := normals(500, 3, 4), normals(500, 2, 5)
	measure := func(workers int) any {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
		rows := must[[]fidelity.Row](t)(fidelity.Compare(ctx, training, heldOut, candidates,
			fidelity.Settings{Permutations: permutations}))
		scores := must[fidelity.Disentanglement](t)(fidelity.MeasureDisentanglement(ctx, codes, factors, []string{"a", "b"},
			fidelity.DisentanglementSettings{}))
		return []any{rows, scores}
	}
	one := measure(1)
	for _, workers := range []int{2, 3, 8} {
		if got := measure(workers); !reflect.DeepEqual(got, one) {
			t.Errorf("%d workers give\n%+v, one gives\n%+v", workers, got, one)
		}
	}
}
