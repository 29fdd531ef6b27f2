package generate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/gonum/stat/samplemv"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/stream"
)

// Plane is a two-dimensional cut through the latent space: the codes
// Origin + x Right + y Up.
type Plane struct {
	Origin, Right, Up []float64 // d; Right and Up are of length 1 and at right angles
}

// PrincipalPlane is the plane through the mean of codes (N x d) in which they
// vary most: their first two principal components, each signed so that its
// largest entry is positive.
func PrincipalPlane(codes *mat.Dense) (*Plane, error) {
	n, d := codes.Dims()
	if d < 2 || n < 3 {
		return nil, fmt.Errorf("a plane through %d codes of %d dimensions: it takes at least 3 of at least 2", n, d)
	}
	mean := make([]float64, d)
	for i := range n {
		for j, v := range codes.RawRowView(i) {
			mean[j] += v / float64(n)
		}
	}
	centred := mat.NewDense(n, d, nil)
	for i := range n {
		for j, v := range codes.RawRowView(i) {
			centred.Set(i, j, v-mean[j])
		}
	}
	var svd mat.SVD
	if !svd.Factorize(centred, mat.SVDThinV) {
		return nil, errors.New("the codes have no principal components: are they finite?")
	}
	var axes mat.Dense
	svd.VTo(&axes)
	return &Plane{Origin: mean, Right: axis(&axes, 0), Up: axis(&axes, 1)}, nil
}

// axis is a column with its largest entry positive.
func axis(v *mat.Dense, column int) []float64 {
	a := mat.Col(nil, column, v)
	largest := 0.0
	for _, x := range a {
		if math.Abs(x) > math.Abs(largest) {
			largest = x
		}
	}
	if largest < 0 {
		for j := range a {
			a[j] = -a[j]
		}
	}
	return a
}

// Grid is a square of side x side codes of the plane, with coordinates from
// -reach to reach: row by row from the bottom, each from left to right
// (side*side x d). ticks are the coordinates of either axis.
func (p *Plane) Grid(side int, reach float64) (codes *mat.Dense, ticks []float64, err error) {
	if side < 2 || !(reach > 0) || math.IsInf(reach, 0) {
		return nil, nil, fmt.Errorf("grid of %d x %d codes up to %v: give at least 2 and a positive reach",
			side, side, reach)
	}
	for i := range side {
		ticks = append(ticks, reach*(2*float64(i)/float64(side-1)-1))
	}
	codes = mat.NewDense(side*side, len(p.Origin), nil)
	for row, y := range ticks {
		for column, x := range ticks {
			code := codes.RawRowView(row*side + column)
			for j, o := range p.Origin {
				code[j] = o + x*p.Right[j] + y*p.Up[j]
			}
		}
	}
	return codes, ticks, nil
}

// halton is count codes (count x d) spread by N(0, I) that leave fewer gaps and
// clumps than random ones: normal quantiles of the randomised Halton sequence
// (Owen 2017, "A randomized Halton algorithm in R"). The first codes of more are
// those of fewer.
func halton(count, d int, seed uint64) (*mat.Dense, error) {
	if count < 1 || d < 1 {
		return nil, fmt.Errorf("%d codes of %d dimensions: give at least 1 of each", count, d)
	}
	codes := mat.NewDense(count, d, nil)
	samplemv.Halton{
		Kind: samplemv.Owen, Q: distmv.NewUnitUniform(d, nil), Src: stream.Source(seed, "generate.halton", 0),
	}.Sample(codes)
	normal := distuv.UnitNormal
	for i := range count {
		code := codes.RawRowView(i)
		for j, p := range code {
			code[j] = normal.Quantile(max(0x1p-54, min(1-0x1p-53, p)))
		}
	}
	return codes, nil
}

// Square decodes side x side codes of the plane in which known codes (N x d) vary
// most, as far as 95 % of N(0, I) lie in a plane: see [Plane.Grid]. The table has
// their places there, x and y.
func (g *Generator) Square(ctx context.Context, known *mat.Dense, side int) (*Batch, *run.Table, error) {
	plane, err := PrincipalPlane(known)
	if err != nil {
		return nil, nil, err
	}
	codes, ticks, err := plane.Grid(side, Radius95(2))
	if err != nil {
		return nil, nil, err
	}
	places := &run.Table{Header: []string{"x", "y"}}
	for _, y := range ticks {
		for _, x := range ticks {
			places.Rows = append(places.Rows, []float64{x, y})
		}
	}
	batch, err := g.Decode(ctx, codes)
	return batch, places, err
}

// Halton decodes count codes that fill N(0, I) with fewer gaps and clumps than
// random ones. The first of more are those of fewer. The table has their numbers,
// from 1.
func (g *Generator) Halton(ctx context.Context, count int, seed uint64) (*Batch, *run.Table, error) {
	codes, err := halton(count, g.Latent(), seed)
	if err != nil {
		return nil, nil, err
	}
	numbers := &run.Table{Header: []string{"code"}}
	for i := range count {
		numbers.Rows = append(numbers.Rows, []float64{float64(i + 1)})
	}
	batch, err := g.Decode(ctx, codes)
	return batch, numbers, err
}
