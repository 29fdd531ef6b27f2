package fidelity

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
)

// PairedEnergy returns the energy distance of two samples whose rows belong
// together in pairs (N x n each), such as what was made to order and the portfolio
// whose conditions were asked for, without the distances within a pair, with its
// standard error over the pairs. It is the mean of the energy distance of
// [Distinguish] over all ways to take rows of a from some pairs and rows of b from
// others, so that chance in the choice of pairs plays no part; and of a sample
// beside itself it is exactly 0. The standard error is the jackknife's (Efron &
// Stein 1981), which takes the pairs as independent, and leans to the large side.
//
// It returns a [*TooFewRowsError] for fewer than three pairs, an error that names
// the row for NaN or Inf, and the context's error when that ends first.
func PairedEnergy(ctx context.Context, a, b *mat.Dense) (energy, standardError float64, err error) {
	x, y, err := newSamples("sample a", a, "sample b", b, 3)
	if err != nil {
		return 0, 0, err
	}
	if x.n != y.n {
		return 0, 0, &TooFewRowsError{Sample: "the smaller sample of pairs", Rows: min(x.n, y.n), Need: max(x.n, y.n)}
	}
	n := x.n
	bands := make([][]float64, (n+bandRows-1)/bandRows)
	if err := parallel.For(ctx, len(bands), func(_, band int) error {
		sums := make([]float64, n) // of each pair, over the pairs behind it and in the band
		for i := band * bandRows; i < min((band+1)*bandRows, n); i++ {
			for j := i + 1; j < n; j++ {
				h := math.Sqrt(squaredDistance(x.row(i), y.row(j))) + math.Sqrt(squaredDistance(y.row(i), x.row(j))) -
					math.Sqrt(squaredDistance(x.row(i), x.row(j))) - math.Sqrt(squaredDistance(y.row(i), y.row(j)))
				sums[i] += h
				sums[j] += h
			}
		}
		bands[band] = sums
		return nil
	}); err != nil {
		return 0, 0, err
	}
	sums, total := make([]float64, n), 0.0
	for _, band := range bands { // in their order, whoever summed them
		for i, v := range band {
			sums[i] += v
			total += v
		}
	}
	count := float64(n)
	energy = total / (count * (count - 1))
	var squares float64
	for _, s := range sums {
		without := (total - 2*s) / ((count - 1) * (count - 2))
		squares += (without - energy) * (without - energy)
	}
	return energy, math.Sqrt(squares * (count - 1) / count), nil
}
