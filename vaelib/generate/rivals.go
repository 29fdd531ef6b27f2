package generate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Rival is the best that another way of searching found with a budget of
// evaluations.
type Rival struct {
	Name    string
	Weights []float64 // n
	Value   float64   // of the objective; -Inf where it was undefined for every draw
}

// Names of the rivals.
const (
	RivalPrior     = "best of the prior"
	RivalDirichlet = "best of Dirichlet(1)"
	RivalMixture   = "best of Dirichlet(alpha)"
)

// Rivals are what an objective's latent search has to beat: the best of as many
// draws as it has evaluated values and gradients, from the model's prior, from
// the uniform distribution on the simplex, and from symmetric Dirichlet
// distributions whose alpha is log-uniform in [0.02, 5] and which therefore hold
// concentrated portfolios too. All are projected onto the set. Where the weights
// have no caps the last of them, which needs no model, can win.
func (g *Generator) Rivals(ctx context.Context, objective metrics.Objective, evaluations int, seed uint64, progress func(done, total int, note string)) ([]Rival, error) {
	if evaluations < 1 {
		return nil, fmt.Errorf("rivals with %d evaluations: give at least 1", evaluations)
	}
	rng := func(name string) *rand.Rand { return stream.New(seed, "generate.rivals."+name, 0) }
	dirichlet := func(name string, alpha func(u float64) float64) func(rows int) (*mat.Dense, error) {
		rng := rng(name)
		return func(rows int) (*mat.Dense, error) {
			w := mat.NewDense(rows, g.set.N, nil)
			for i := range rows {
				d, err := simplex.Symmetric(g.set.N, alpha(rng.Float64()))
				if err != nil {
					return nil, err
				}
				d.Rand(w.RawRowView(i), rng)
			}
			return w, simplex.ProjectAll(ctx, g.set, w, w, nil)
		}
	}
	prior := rng(RivalPrior)
	searchers := []struct {
		name string
		draw func(rows int) (*mat.Dense, error)
	}{
		{RivalPrior, func(rows int) (*mat.Dense, error) {
			codes, err := draw(ctx, rows, g.Latent(), Prior{}, prior)
			if err != nil {
				return nil, err
			}
			b, err := g.Decode(ctx, codes)
			if err != nil {
				return nil, err
			}
			return b.Weights, nil
		}},
		{RivalDirichlet, dirichlet(RivalDirichlet, func(float64) float64 { return 1 })},
		{RivalMixture, dirichlet(RivalMixture, func(u float64) float64 { return 0.02 * math.Pow(5/0.02, u) })},
	}
	const block = 4096
	var rivals []Rival
	total := len(searchers) * evaluations
	for k, s := range searchers {
		r := Rival{Name: s.name, Value: math.Inf(-1)}
		for from := 0; from < evaluations; from += block {
			rows := min(block, evaluations-from)
			w, err := s.draw(rows)
			if err != nil {
				return nil, err
			}
			values, err := valuesOf(ctx, objective, w)
			if err != nil {
				return nil, err
			}
			for i, v := range values {
				if r.Weights == nil || v > r.Value {
					r.Value, r.Weights = v, slices.Clone(w.RawRowView(i))
				}
			}
			if progress != nil {
				progress(k*evaluations+from+rows, total, s.name)
			}
		}
		rivals = append(rivals, r)
	}
	return rivals, nil
}

// valuesOf is the objective at every row, -Inf where it is undefined, on all
// cores.
func valuesOf(ctx context.Context, objective metrics.Objective, weights *mat.Dense) ([]float64, error) {
	rows, _ := weights.Dims()
	values := make([]float64, rows)
	group, ctx := errgroup.WithContext(ctx)
	workers := min(runtime.GOMAXPROCS(0), rows)
	for k := range workers {
		group.Go(func() error {
			o := objective.Clone()
			for i := k; i < rows; i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				values[i] = o.Value(weights.RawRowView(i))
				if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
					values[i] = math.Inf(-1)
				}
			}
			return nil
		})
	}
	return values, group.Wait()
}
