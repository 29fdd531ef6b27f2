package generate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/metrics"
)

// Realism is one point of [Generator.SweepRadius]: how good the best portfolio
// of a ball of codes is, and how much like a portfolio that the model knows.
type Realism struct {
	Radius   float64  // bound on |z|
	Inside   float64  // probability that N(0, I) draws a code within the bound
	Value    float64  // of the objective at the best portfolio
	Length   float64  // |z| of its code
	Beyond   float64  // probability that N(0, I) draws a longer code: small means far-fetched
	LogPrior float64  // log density of N(0, I) at its code, in nats
	Repair   float64  // distance that the projection moved it
	Nearest  *float64 // distance to the nearest of the known portfolios; nil where none were given
	Search   *Optimum
}

// SweepRadius climbs an objective within balls of rising radius, and sets what
// that gains against what it costs in realism: the prior's density at the
// optimum and the distance to the nearest of the known portfolios (N x n; nil:
// not measured), the training set for example. Every radius gets the same
// starts, pulled onto its ball, and as many evaluations; from the second on the
// last start is the best code of the radius before, so that the values never
// fall while the radii rise.
func (g *Generator) SweepRadius(
	ctx context.Context, objective metrics.Objective, starts Density, radii []float64, known *mat.Dense,
	settings OptimizeSettings,
) ([]Realism, error) {
	if len(radii) == 0 {
		return nil, errors.New("no radii to sweep: give at least one")
	}
	if known != nil {
		if _, n := known.Dims(); n != g.set.N {
			return nil, fmt.Errorf("known portfolios of %d assets: the model has %d", n, g.set.N)
		}
	}
	ball := distuv.ChiSquared{K: float64(g.Latent())}
	var points []Realism
	var before []float64
	for i, r := range radii {
		if !(r > 0) || i > 0 && r <= radii[i-1] {
			return nil, fmt.Errorf("radius %v: radii are positive and rise", r)
		}
		settings.Radius = r
		search, err := g.climb(ctx, objective, starts, before, settings)
		if err != nil {
			return nil, err
		}
		best := search.Best
		before = search.Codes.RawRowView(best)
		length := mat.Norm(mat.NewVecDense(len(before), before), 2)
		points = append(points, Realism{
			Radius: r, Inside: ball.CDF(r * r), Value: search.Values[best], Length: length,
			Beyond: ball.Survival(length * length), LogPrior: search.LogPrior[best], Repair: search.Repair[best],
			Nearest: nearest(known, search.Weights.RawRowView(best)), Search: search,
		})
	}
	return points, nil
}

// nearest is the distance of w to the closest row, nil without rows.
func nearest(rows *mat.Dense, w []float64) *float64 {
	if rows == nil {
		return nil
	}
	least := math.Inf(1)
	count, _ := rows.Dims()
	for i := range count {
		least = min(least, squaredDistance(rows.RawRowView(i), w))
	}
	least = math.Sqrt(least)
	return &least
}

func squaredDistance(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}
