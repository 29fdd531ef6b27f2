package generate

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	kMeansRestarts   = 5
	kMeansIterations = 100
)

// kMeans returns the centres of k clusters of the rows of x (N x d) and the sum
// of squared distances to them: the best of several starts by k-means++ (Arthur
// & Vassilvitskii 2007, "k-means++: the advantages of careful seeding"), each
// improved by Lloyd's iteration until no row changes its cluster.
func kMeans(
	ctx context.Context, x *mat.Dense, k int, rng *rand.Rand,
) (centres [][]float64, inertia float64, err error) {
	inertia = math.Inf(1)
	for range kMeansRestarts {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		c := seedCentres(x, k, rng)
		if sum := lloyd(x, c); sum < inertia {
			centres, inertia = c, sum
		}
	}
	return centres, inertia, nil
}

// seedCentres draws up to k rows as centres, each with probability proportional
// to its squared distance from those before. There are fewer where x has fewer
// different rows.
func seedCentres(x *mat.Dense, k int, rng *rand.Rand) [][]float64 {
	n, _ := x.Dims()
	away := slices.Repeat([]float64{math.Inf(1)}, n)
	var centres [][]float64
	for next := rng.IntN(n); ; {
		centre := slices.Clone(x.RawRowView(next))
		centres = append(centres, centre)
		var total float64
		for i := range away {
			away[i] = min(away[i], squaredDistance(x.RawRowView(i), centre))
			total += away[i]
		}
		if len(centres) == k || total == 0 {
			return centres
		}
		target := rng.Float64() * total
		for next = 0; next < n-1 && (target >= away[next] || away[next] == 0); next++ {
			target -= away[next]
		}
	}
}

// lloyd moves the centres to the means of their rows until no row changes its
// centre, and returns the sum of squared distances. A centre that loses all its
// rows stays where it is.
func lloyd(x *mat.Dense, centres [][]float64) (inertia float64) {
	n, d := x.Dims()
	labels := slices.Repeat([]int{-1}, n)
	counts, sums := make([]float64, len(centres)), mat.NewDense(len(centres), d, nil)
	for range kMeansIterations {
		clear(counts)
		sums.Zero()
		inertia = 0
		changed := false
		for i := range n {
			row := x.RawRowView(i)
			c, distance := closest(centres, row)
			changed = changed || labels[i] != c
			labels[i] = c
			inertia += distance
			counts[c]++
			for j, v := range row {
				sums.RawRowView(c)[j] += v
			}
		}
		if !changed {
			break
		}
		for c, count := range counts {
			for j := range centres[c] {
				if count > 0 {
					centres[c][j] = sums.At(c, j) / count
				}
			}
		}
	}
	return inertia
}

// closest is the nearest centre, and its squared distance.
func closest(centres [][]float64, row []float64) (nearest int, distance float64) {
	distance = math.Inf(1)
	for c, centre := range centres {
		if d := squaredDistance(row, centre); d < distance {
			nearest, distance = c, d
		}
	}
	return nearest, distance
}
