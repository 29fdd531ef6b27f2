package fidelity

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/internal/gemm"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/mixture"
)

// Resample draws n of the training portfolios (T x assets) with replacement:
// the generator that has memorised everything and learned nothing. Its scores
// are among the best but for [Memorisation]'s, which is why that is there.
func Resample(training *mat.Dense, n int, rng *rand.Rand) (*mat.Dense, error) {
	x, err := newReference(training, n, 1)
	if err != nil {
		return nil, err
	}
	drawn := make([]int, n)
	for i := range drawn {
		drawn[i] = rng.IntN(x.n)
	}
	return x.take(drawn).view(), nil
}

// PCAGaussian draws n rows from the normal distribution with the mean of the
// training portfolios (T x assets) and their covariance in its first
// components principal directions, at most the number of assets: the linear
// counterpart of a VAE with as many latent dimensions. Rows sum to 1 where the
// training rows do, but can be negative: project them as the model's output is
// projected.
func PCAGaussian(training *mat.Dense, components, n int, rng *rand.Rand) (*mat.Dense, error) {
	x, err := newReference(training, n, 2)
	if err != nil {
		return nil, err
	}
	if components < 1 || components > x.d {
		return nil, fmt.Errorf("%d principal components of %d assets: between 1 and %d are possible",
			components, x.d, x.d)
	}
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, x.view(), nil)
	values, vectors, err := eigen(&cov)
	if err != nil {
		return nil, err
	}
	mean := make([]float64, x.d)
	for i := range x.n {
		for j, v := range x.row(i) {
			mean[j] += v / float64(x.n)
		}
	}
	drawn := mat.NewDense(n, x.d, nil)
	for i := range n {
		row := drawn.RawRowView(i)
		copy(row, mean)
		for c := range components {
			score := rng.NormFloat64() * math.Sqrt(values[c])
			for j := range row {
				row[j] += score * vectors.At(j, c)
			}
		}
	}
	return drawn, nil
}

// WeightMixture draws n rows from a Gaussian mixture fitted to the training
// portfolios (T x assets) themselves, without a network in between. Rows
// neither sum to 1 exactly nor stay positive: project them as the model's
// output is projected.
func WeightMixture(
	ctx context.Context, training *mat.Dense, settings mixture.Settings, n int, rng *rand.Rand,
) (*mat.Dense, error) {
	x, err := newReference(training, n, 2)
	if err != nil {
		return nil, err
	}
	m, err := mixture.Fit(ctx, training, settings, rng)
	if err != nil {
		return nil, err
	}
	drawn := mat.NewDense(n, x.d, nil)
	for i := range n {
		m.Rand(drawn.RawRowView(i), rng)
	}
	return drawn, nil
}

// Interpolate draws n rows on the straight lines between a training portfolio (T x
// assets), chosen at random, and one of its k nearest neighbours among the others,
// at an even place: SMOTE (Chawla et al. 2002, "SMOTE: synthetic minority
// over-sampling technique"), which needs no fit at all. A convex set of constraints
// that holds for the training rows holds for these.
func Interpolate(ctx context.Context, training *mat.Dense, k, n int, rng *rand.Rand) (*mat.Dense, error) {
	x, err := newReference(training, n, 2)
	if err != nil {
		return nil, err
	}
	if k < 1 || k >= x.n {
		return nil, fmt.Errorf("%d nearest neighbours among %d rows: between 1 and %d are possible", k, x.n, x.n-1)
	}
	type line struct {
		from, neighbour int
		share           float64
	}
	lines := make([]line, n)
	for i := range lines {
		lines[i] = line{rng.IntN(x.n), rng.IntN(k), rng.Float64()}
	}
	drawn := mat.NewDense(n, x.d, nil)
	known := newIndex(x)
	items := (n + gemm.Rows - 1) / gemm.Rows
	seekers := make([]seeker, parallel.Workers(items))
	err = parallel.For(ctx, items, func(worker, item int) error {
		some := lines[item*gemm.Rows : min((item+1)*gemm.Rows, n)]
		var queries [][]float64
		var near [][]neighbour
		var itself []int
		for _, l := range some {
			queries, itself = append(queries, x.row(l.from)), append(itself, l.from)
			near = append(near, make([]neighbour, k))
		}
		known.find(&seekers[worker], near, queries, itself)
		for q, l := range some {
			a, b := queries[q], x.row(near[q][l.neighbour].row)
			for j := range a {
				drawn.Set(item*gemm.Rows+q, j, a[j]+l.share*(b[j]-a[j]))
			}
		}
		return nil
	})
	return drawn, err
}

// newReference checks what the reference generators are given.
func newReference(training *mat.Dense, n, need int) (sample, error) {
	if n < 1 {
		return sample{}, fmt.Errorf("%d rows to draw: at least 1 is needed", n)
	}
	return newSample("the training sample", training, need)
}
