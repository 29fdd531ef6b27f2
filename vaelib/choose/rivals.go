package choose

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// Best returns the row of weights (N x n) with the largest value of an
// objective, the first of equal ones, and that value. Where the objective is
// undefined for every row it returns -1 and -Inf. It returns the context's error
// when that ends.
func Best(ctx context.Context, objective metrics.Objective, weights *mat.Dense) (row int, value float64, err error) {
	rows, _ := weights.Dims()
	values := make([]float64, rows)
	objectives := make([]metrics.Objective, parallel.Workers(rows))
	for k := range objectives {
		objectives[k] = objective.Clone()
	}
	err = parallel.For(ctx, rows, func(worker, i int) error {
		values[i] = objectives[worker].Value(weights.RawRowView(i))
		return nil
	})
	row, value = -1, math.Inf(-1)
	for i, v := range values {
		if v > value && !math.IsInf(v, 1) { // NaN isn't larger than anything
			row, value = i, v
		}
	}
	return row, value, err
}

// Sampler is a way of drawing portfolios.
type Sampler struct {
	Name string
	// Draw returns the next rows portfolios (rows x n), feasible ones.
	Draw func(ctx context.Context, rows int) (*mat.Dense, error)
}

// Rows hands out the rows of weights (N x n), as if they had been drawn one after
// the other. It returns an error when they run out.
func Rows(name string, weights *mat.Dense) Sampler {
	next := 0
	return Sampler{name, func(_ context.Context, rows int) (*mat.Dense, error) {
		n, columns := weights.Dims()
		if next+rows > n {
			return nil, errors.New(name + ": more portfolios are asked for than there are")
		}
		next += rows
		return weights.Slice(next-rows, next, 0, columns).(*mat.Dense), nil
	}}
}

// Dirichlet draws from the uniform distribution on the simplex, Dirichlet(1), and
// projects what it draws onto the set.
func Dirichlet(name string, set simplex.Set, rng *rand.Rand) Sampler {
	return dirichlet(name, set, rng, func(float64) float64 { return 1 })
}

// DirichletMixture draws from symmetric Dirichlet distributions, each row from
// one of its own, whose alpha is log-uniform in [0.02, 5], so that there are
// concentrated portfolios and spread ones, and projects them onto the set.
func DirichletMixture(name string, set simplex.Set, rng *rand.Rand) Sampler {
	return dirichlet(name, set, rng, func(u float64) float64 { return 0.02 * math.Pow(5/0.02, u) })
}

func dirichlet(name string, set simplex.Set, rng *rand.Rand, alpha func(u float64) float64) Sampler {
	return Sampler{name, func(ctx context.Context, rows int) (*mat.Dense, error) {
		w := mat.NewDense(rows, set.N, nil)
		for i := range rows {
			d, err := simplex.Symmetric(set.N, alpha(rng.Float64()))
			if err != nil {
				return nil, err
			}
			d.Rand(w.RawRowView(i), rng)
		}
		return w, simplex.ProjectAll(ctx, set, w, w, nil)
	}}
}

// Rival is the best portfolio that a sampler has drawn. Where the objective was
// undefined for every draw it has no weights, and the value -Inf.
type Rival struct {
	Name    string
	Weights []float64 // n
	Value   float64   // of the objective
}

// MarshalJSON writes the name and the value, null where that is undefined.
func (r Rival) MarshalJSON() ([]byte, error) {
	mark := struct {
		Name  string   `json:"name"`
		Value *float64 `json:"value"`
	}{Name: r.Name}
	if !math.IsInf(r.Value, 0) {
		mark.Value = &r.Value
	}
	return json.Marshal(mark)
}

// Rivals returns the best of as many draws of each sampler as there are
// evaluations: what a search with that budget has to beat. It returns an error
// for less than one evaluation, those of the samplers, and the context's.
func Rivals(
	ctx context.Context, objective metrics.Objective, samplers []Sampler, evaluations int,
	progress func(done, total int, note string), // nil: no reports
) ([]Rival, error) {
	if evaluations < 1 {
		return nil, errors.New("rivals without evaluations: give at least 1")
	}
	const block = 4096
	var rivals []Rival
	for k, s := range samplers {
		r := Rival{Name: s.Name, Value: math.Inf(-1)}
		for from := 0; from < evaluations; from += block {
			rows := min(block, evaluations-from)
			w, err := s.Draw(ctx, rows)
			if err != nil {
				return nil, err
			}
			row, value, err := Best(ctx, objective, w)
			if err != nil {
				return nil, err
			}
			if value > r.Value {
				r.Value, r.Weights = value, slices.Clone(w.RawRowView(row))
			}
			if progress != nil {
				progress(k*evaluations+from+rows, len(samplers)*evaluations, s.Name)
			}
		}
		rivals = append(rivals, r)
	}
	return rivals, nil
}
