package generate

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"vaefolio/vaelib/metrics"
)

func evaluator(t testing.TB) *metrics.Evaluator {
	t.Helper()
	e, err := metrics.NewEvaluator(returns(), daily)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A stream has the rows of a sample, however it is cut and however many cores
// work on it.
func TestStreamIsASample(t *testing.T) {
	g, e := generator(t, capped(0.4)), evaluator(t)
	const n = 2100
	whole, err := g.Sample(t.Context(), n, Prior{}, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rows, cores int }{{1000, 1}, {1024, 2}, {2000, 2}, {0, 2}} {
		was := runtime.GOMAXPROCS(c.cores)
		next, reported := 0, 0
		err := g.Stream(t.Context(), n, Prior{}, StreamSettings{
			Rows: c.rows, Evaluator: e, Seed: 7, Progress: func(done, _ int, _ string) { reported = done },
		}, func(b *Block) error {
			if b.From != next {
				t.Fatalf("a block from %d, want %d", b.From, next)
			}
			for i := range b.Repair {
				if !slices.Equal(b.Weights.RawRowView(i), whole.Weights.RawRowView(next)) || b.Repair[i] != whole.Repair[next] {
					t.Fatalf("%+v: row %d differs from the sample's", c, next)
				}
				want, err := e.Evaluate(b.Weights.RawRowView(i))
				if err != nil {
					t.Fatal(err)
				}
				if b.Figures[i] != want {
					t.Fatalf("%+v: figures of row %d are %+v, want %+v", c, next, b.Figures[i], want)
				}
				next++
			}
			return nil
		})
		runtime.GOMAXPROCS(was)
		if err != nil || next != n || reported != n {
			t.Errorf("%+v: %d rows, %d reported, error %v", c, next, reported, err)
		}
	}
}

func TestStreamEnds(t *testing.T) {
	g := generator(t, capped(0.4))
	enough := errors.New("enough")
	blocks := 0
	if err := g.Stream(t.Context(), 5000, Prior{}, StreamSettings{Rows: 1024}, func(b *Block) error {
		if b.Figures != nil {
			t.Error("figures without an evaluator")
		}
		if blocks++; blocks == 3 {
			return enough
		}
		return nil
	}); err != enough || blocks != 3 {
		t.Errorf("%d blocks, error %v", blocks, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := g.Stream(ctx, 5000, Prior{}, StreamSettings{Rows: 1024}, func(*Block) error {
		cancel()
		return nil
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	if err := g.Stream(t.Context(), 0, Prior{}, StreamSettings{}, nil); err == nil {
		t.Error("no error for 0 portfolios")
	}
	e, err := metrics.NewEvaluator(wideReturns(20), daily)
	if err != nil {
		t.Fatal(err)
	}
	var assetsErr *metrics.AssetsError
	if err := g.Stream(t.Context(), 10, Prior{}, StreamSettings{Evaluator: e}, nil); !errors.As(err, &assetsErr) {
		t.Errorf("an evaluator of 40 assets: error %v", err)
	}
}
