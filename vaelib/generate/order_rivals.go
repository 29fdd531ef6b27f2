package generate

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/stream"
)

// poolRows is how many portfolios rejection draws from.
const poolRows = 4096

// pool is that many portfolios of the model under conditions of random donors:
// the model without a wish.
func (g *Generator) pool(ctx context.Context, d *Donors, density Density, seed uint64) (*Batch, error) {
	rng := stream.New(seed, "generate.order.pool", 0)
	asked := mat.NewDense(poolRows, len(d.Names), nil)
	for i := range poolRows {
		asked.SetRow(i, d.Rows[rng.IntN(len(d.Rows))])
	}
	asked = g.model.Loosen(asked, seed)
	codes, err := g.drawGiven(ctx, density, asked, rng)
	if err != nil {
		return nil, err
	}
	return g.decodeGiven(ctx, codes, asked)
}

// neighbours is how many near donors mixtures are made of.
const neighbours = 10

// rivals fills in what needs no wish, or no model.
func (g *Generator) rivals(
	ctx context.Context, wish portfolio.Wish, d *Donors, o *Order, density Density, draws int, seed uint64,
) error {
	if err := g.reject(ctx, wish, d, o, density, draws, seed); err != nil || d.Weights == nil {
		return err
	}
	known := &known{weights: dense(d.Weights), conditions: dense(d.Rows), scales: conditional.NewScales(g.model)}
	near, err := known.near(ctx, o.Asked, neighbours)
	if err != nil {
		return err
	}
	j := func(t portfolio.Term) int { return slices.Index(d.Names, t.Name) }
	for _, rival := range []struct {
		rows   *mat.Dense
		polish bool
		to     func(*TermResult) *float64
	}{
		{known.nearest(near), false, func(t *TermResult) *float64 { return &t.Nearest }},
		{known.nearest(near), true, func(t *TermResult) *float64 { return &t.NearestPolished }},
		{known.between(near, stream.New(seed, "generate.order.between", 0)), false,
			func(t *TermResult) *float64 { return &t.Interpolated }},
	} {
		batch, err := g.Project(ctx, rival.rows)
		if err == nil && rival.polish {
			err = g.polish(ctx, batch, d.goals(wish))
		}
		if err != nil {
			return err
		}
		have := d.measured(batch.Weights)
		for k, t := range wish {
			*rival.to(&o.Terms[k]) = meanMiss(t, have, j(t))
		}
	}
	return nil
}

// dense is rows as a matrix.
func dense(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	return m
}

// known are portfolios (N x n) with their conditions (N x k): what there is without
// a model.
type known struct {
	weights, conditions *mat.Dense
	scales              conditional.Scales
}

// near returns, for each row of conditions asked for (M x k), the numbers of those
// portfolios whose conditions are nearest, in standard deviations, the nearest
// first.
func (k *known) near(ctx context.Context, asked *mat.Dense, count int) ([][]int, error) {
	rows, _ := k.conditions.Dims()
	wanted, _ := asked.Dims()
	count = min(count, rows)
	have := make([][]float64, rows)
	for i := range have {
		have[i] = k.scales.Append(nil, k.conditions.RawRowView(i))
	}
	near := make([][]int, wanted)
	return near, parallel.For(ctx, wanted, func(_, i int) error {
		want := k.scales.Append(nil, asked.RawRowView(i))
		distances := make([]float64, 0, count+1)
		for row, h := range have {
			d := squaredDistance(want, h)
			if len(distances) == count && d >= distances[count-1] {
				continue
			}
			at, _ := slices.BinarySearch(distances, d)
			distances, near[i] = slices.Insert(distances, at, d), slices.Insert(near[i], at, row)
			distances, near[i] = distances[:min(count, len(distances))], near[i][:min(count, len(near[i]))]
		}
		return nil
	})
}

// nearest are the nearest portfolios themselves.
func (k *known) nearest(near [][]int) *mat.Dense {
	rows := make([]int, len(near))
	for i := range near {
		rows[i] = near[i][0]
	}
	return pickRows(k.weights, rows)
}

// between are mixtures of two of the near portfolios each, in an even proportion.
func (k *known) between(near [][]int, rng *rand.Rand) *mat.Dense {
	_, n := k.weights.Dims()
	mixed := mat.NewDense(len(near), n, nil)
	for i, rows := range near {
		a := rng.IntN(len(rows))
		b := (a + 1 + rng.IntN(max(1, len(rows)-1))) % len(rows)
		share := rng.Float64()
		for j := range n {
			mixed.Set(i, j, share*k.weights.At(rows[a], j)+(1-share)*k.weights.At(rows[b], j))
		}
	}
	return mixed
}

// reject fills in what rejection reaches.
func (g *Generator) reject(
	ctx context.Context, wish portfolio.Wish, d *Donors, o *Order, density Density, draws int, seed uint64,
) error {
	pool, err := g.pool(ctx, d, density, seed)
	if err != nil {
		return err
	}
	have := d.measured(pool.Weights)
	score := d.score(wish, have)
	n, _ := o.Asked.Dims()
	rng := stream.New(seed, "generate.order.reject", 0)
	for _, budget := range []int{draws, 1000} {
		sums := make([]float64, len(wish))
		for range n {
			best := bestOf(budget, rng, func(i int) float64 { return score[i] })
			for k, t := range wish {
				sums[k] += t.Miss(have.At(best, slices.Index(d.Names, t.Name))) / float64(n)
			}
		}
		for k := range wish {
			if budget == draws {
				o.Terms[k].Rejection = sums[k]
			}
			if budget == 1000 {
				o.Terms[k].Rejection1000 = sums[k]
			}
		}
	}
	return nil
}

// bestOf returns that of count random rows of the pool with the least score.
func bestOf(count int, rng *rand.Rand, score func(i int) float64) int {
	best, least := 0, math.Inf(1)
	for range count {
		if i := rng.IntN(poolRows); score(i) < least {
			best, least = i, score(i)
		}
	}
	return best
}
