package generate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
)

// Path says how [Generator.Interpolate] goes from one portfolio to another.
type Path string

// The paths.
const (
	Linear    Path = "linear"    // the straight line between the two codes
	Spherical Path = "spherical" // the great arc between the two codes, their lengths interpolated
	Weights   Path = "weights"   // the straight line between the two weight vectors: the control
)

// Interpolate returns steps portfolios from a to b, two weight vectors, both
// ends included. On the latent paths the ends are the model's reconstructions
// of a and b. The control has no codes: its Codes and Decoded are nil.
func (g *Generator) Interpolate(ctx context.Context, a, b []float64, steps int, path Path) (*Batch, error) {
	if steps < 2 {
		return nil, errors.New("an interpolation needs at least 2 steps, its two ends")
	}
	if len(a) != g.set.N || len(b) != g.set.N {
		return nil, fmt.Errorf("interpolation between portfolios of %d and %d assets: the model has %d", len(a), len(b),
			g.set.N)
	}
	if path == Weights {
		line := mat.NewDense(steps, g.set.N, nil)
		for i := range steps {
			lerp(line.RawRowView(i), a, b, float64(i)/float64(steps-1))
		}
		return g.Project(ctx, line)
	}
	ends := mat.NewDense(2, g.set.N, nil)
	ends.SetRow(0, a)
	ends.SetRow(1, b)
	mean, _, err := g.model.EncodeContext(ctx, ends)
	if err != nil {
		return nil, err
	}
	codes := mat.NewDense(steps, g.Latent(), nil)
	for i := range steps {
		t := float64(i) / float64(steps-1)
		switch path {
		case Linear:
			lerp(codes.RawRowView(i), mean.RawRowView(0), mean.RawRowView(1), t)
		case Spherical:
			slerp(codes.RawRowView(i), mean.RawRowView(0), mean.RawRowView(1), t)
		default:
			return nil, fmt.Errorf("unknown path %q: choose %s, %s or %s", path, Linear, Spherical, Weights)
		}
	}
	return g.Decode(ctx, codes)
}

// Course is what the portfolios along one path are like. Its JSON form has the
// numbers of the whole path.
type Course struct {
	Path Path `json:"path"`

	// Smoothness, in Euclidean distance of weights. Steps lead from each
	// portfolio to the next.
	Length     float64 `json:"length"`     // sum of the steps
	Detour     float64 `json:"detour"`     // Length over the distance of the two ends: 1 for a straight line
	Unevenness float64 `json:"unevenness"` // longest step over the mean step: 1 for an even pace
	// Bend is the mean length of the second differences over that of the steps: 0
	// for an even, straight line.
	Bend    float64 `json:"bend"`
	EndMiss float64 `json:"end_miss"` // larger distance of an end from the portfolio that it stands for

	// Diversification and risk, over the portfolios of the path.
	MeanEffectiveAssets  float64 `json:"mean_effective_assets"`
	LeastEffectiveAssets float64 `json:"least_effective_assets"`
	MeanDiversification  float64 `json:"mean_diversification_ratio"`
	MeanVolatility       float64 `json:"mean_volatility"` // annual, as the largest
	LargestVolatility    float64 `json:"largest_volatility"`

	// Nearest is the mean distance to the nearest of the known portfolios:
	// small means realistic. Nil where none were given.
	Nearest *float64          `json:"-"`
	Batch   *Batch            `json:"-"`
	Figures []metrics.Figures `json:"-"` // of each portfolio
}

// Courses follows all three paths from a to b in as many steps, and describes
// each by the figures of an evaluator. The straight line between the weights is
// the control: an effective number of assets or a realism that it has too is
// none of the model's merit. Along that line the volatility is convex, so it
// never exceeds the larger end's. The known portfolios (N x n, nil: none) are
// what realism is measured by, say held-out ones.
func (g *Generator) Courses(
	ctx context.Context, a, b []float64, steps int, evaluator *metrics.Evaluator, known *mat.Dense,
) ([]Course, error) {
	var courses []Course
	for _, path := range []Path{Linear, Spherical, Weights} {
		batch, err := g.Interpolate(ctx, a, b, steps, path)
		if err != nil {
			return nil, err
		}
		c := Course{Path: path, Batch: batch}
		if c.Figures, err = evaluator.Figures(ctx, batch.Weights); err != nil {
			return nil, err
		}
		c.smoothness(a, b)
		c.describe(known)
		courses = append(courses, c)
	}
	return courses, nil
}

// smoothness fills in the geometry of a path that stands for one from a to b.
func (c *Course) smoothness(a, b []float64) {
	w := c.Batch.Weights
	rows, n := w.Dims()
	last := w.RawRowView(rows - 1)
	c.EndMiss = max(floats.Distance(w.RawRowView(0), a, 2), floats.Distance(last, b, 2))
	var longest, bends float64
	second := make([]float64, n)
	for i := 1; i < rows; i++ {
		step := floats.Distance(w.RawRowView(i-1), w.RawRowView(i), 2)
		c.Length += step
		longest = max(longest, step)
		if i == 1 {
			continue
		}
		for j := range second {
			second[j] = w.At(i, j) - 2*w.At(i-1, j) + w.At(i-2, j)
		}
		bends += floats.Norm(second, 2)
	}
	c.Detour, c.Unevenness = 1, 1
	if direct := floats.Distance(w.RawRowView(0), last, 2); direct > 0 {
		c.Detour = c.Length / direct
	}
	if mean := c.Length / float64(rows-1); mean > 0 {
		c.Unevenness = longest / mean
		if rows > 2 {
			c.Bend = bends / float64(rows-2) / mean
		}
	}
}

// describe fills in diversification, risk and realism.
func (c *Course) describe(known *mat.Dense) {
	count := float64(len(c.Figures))
	c.LeastEffectiveAssets = math.Inf(1)
	var distance float64
	for i := range c.Figures {
		f := &c.Figures[i]
		c.MeanEffectiveAssets += f.EffectiveAssets / count
		c.LeastEffectiveAssets = min(c.LeastEffectiveAssets, f.EffectiveAssets)
		c.MeanDiversification += f.DiversificationRatio / count
		c.MeanVolatility += f.Volatility / count
		c.LargestVolatility = max(c.LargestVolatility, f.Volatility)
		if known != nil {
			distance += *nearest(known, c.Batch.Weights.RawRowView(i)) / count
		}
	}
	if known != nil {
		c.Nearest = &distance
	}
}

// lerp sets dst to the point t of the way from a to b.
func lerp(dst, a, b []float64, t float64) {
	for i := range dst {
		dst[i] = (1-t)*a[i] + t*b[i]
	}
}

// slerp sets dst to the point t of the way along the arc from a to b (Shoemake
// 1985, for unit vectors), with the length interpolated in a straight line.
// Where the arc isn't defined, for a code at the origin or two that point
// opposite ways, it is the straight line.
func slerp(dst, a, b []float64, t float64) {
	var aa, bb, ab float64
	for i := range a {
		aa += a[i] * a[i]
		bb += b[i] * b[i]
		ab += a[i] * b[i]
	}
	la, lb := math.Sqrt(aa), math.Sqrt(bb)
	angle := math.Acos(max(-1, min(1, ab/(la*lb))))
	if s := math.Sin(angle); s > 1e-9 {
		length := (1-t)*la + t*lb
		ca, cb := math.Sin((1-t)*angle)/s*length/la, math.Sin(t*angle)/s*length/lb
		for i := range dst {
			dst[i] = ca*a[i] + cb*b[i]
		}
		return
	}
	lerp(dst, a, b, t)
}
