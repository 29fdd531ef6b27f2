package fidelity

import (
	"context"
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// Memorisation compares how near generated rows come to the training rows
// with how near held-out rows do. A generator that learned the distribution
// comes as near as new data would; one that repeats the training rows comes
// nearer.
type Memorisation struct {
	Training, HeldOut, Generated int // rows

	// GeneratedDistance and HeldOutDistance are quantiles of the distance to
	// the nearest training row, in units of weight.
	GeneratedDistance, HeldOutDistance Quantiles

	// ShareCloser is the share of generated rows nearer to the training rows
	// than the nearest 5 % of the held-out ones, and 0.05 for new data. Where
	// those 5 % end among equal distances, such as the 0 of corner portfolios,
	// generated rows at that distance count in proportion.
	ShareCloser float64

	// AUC is the probability that a generated row is nearer to the training
	// rows than a held-out one, ties counted half: 0.5 for new data, 1 for
	// copies, below 0.5 for a sample that keeps away from the data. It is the
	// statistic of Meehan, Chaudhuri & Dasgupta 2020 ("A non-parametric test to
	// detect data-copying in generative models"), turned so that copying is
	// large. Low and High are its 95 % interval.
	AUC, Low, High float64

	Copies        int // generated rows at distance 0 from a training row
	HeldOutCopies int // held-out rows at distance 0 from one
}

// MeasureMemorisation compares the distances of generated (M x n) and of
// held-out portfolios (H x n) to the nearest of the training portfolios
// (T x n).
//
// The interval has DeLong's variance of the AUC (DeLong, DeLong &
// Clarke-Pearson 1988), which takes rows of each sample as independent, and
// Wilson's form with the number of rows that this variance amounts to, so that
// it keeps a width at an AUC of 0 or 1.
//
// It returns a [*TooFewRowsError] for no training rows and for fewer than two
// others, an error that names the row for NaN or Inf, and the context's error
// when that ends first.
func MeasureMemorisation(ctx context.Context, training, heldOut, generated *mat.Dense) (Memorisation, error) {
	t, err := newSample("the training sample", training, 1)
	if err != nil {
		return Memorisation{}, err
	}
	h, g, err := newSamples("the held-out sample", heldOut, "the generated sample", generated, 2)
	if err != nil {
		return Memorisation{}, err
	}
	if err := sameColumns("the training sample", t, "the held-out sample", h); err != nil {
		return Memorisation{}, err
	}
	known := newIndex(t)
	held, err := nearestDistances(ctx, known, h)
	if err != nil {
		return Memorisation{}, err
	}
	return memorisation(ctx, known, held, g)
}

// memorisation takes the held-out rows' distances, which it sorts.
func memorisation(ctx context.Context, training *index, held []float64, generated sample) (Memorisation, error) {
	distances, err := nearestDistances(ctx, training, generated)
	if err != nil {
		return Memorisation{}, err
	}
	m := Memorisation{
		Training: training.n, HeldOut: len(held), Generated: generated.n,
		GeneratedDistance: quantiles(distances), HeldOutDistance: quantiles(held),
		Copies: countBelow(distances, math.SmallestNonzeroFloat64), HeldOutCopies: countBelow(held,
			math.SmallestNonzeroFloat64),
	}
	m.ShareCloser = shareCloser(distances, held, 0.05)
	m.AUC, m.Low, m.High = areaUnderCurve(distances, held)
	return m, nil
}

// countBelow counts the values below a limit, of values in order.
func countBelow(sorted []float64, limit float64) int { return sort.SearchFloat64s(sorted, limit) }

// shareCloser is the share of a among the nearest, which are as far as the
// given share of b reaches. Both are in order.
func shareCloser(a, b []float64, share float64) float64 {
	reach := share * float64(len(b))
	limit := b[max(0, int(math.Ceil(reach))-1)]
	beyond := math.Nextafter(limit, math.Inf(1))
	below, belowB := countBelow(a, limit), countBelow(b, limit)
	at, atB := countBelow(a, beyond)-below, countBelow(b, beyond)-belowB
	part := (reach - float64(belowB)) / float64(atB)
	return (float64(below) + part*float64(at)) / float64(len(a))
}

// areaUnderCurve is the probability that a value of a is below one of b, ties
// counted half, and its 95 % interval. Both are in order, of two or more values.
func areaUnderCurve(a, b []float64) (area, low, high float64) {
	meanA, varianceA := placements(a, b)
	_, varianceB := placements(b, a)
	area = 1 - meanA // placements are shares of b below a value of a
	variance := varianceA/float64(len(a)) + varianceB/float64(len(b))
	// The number of coin throws that would have this variance.
	n := float64(min(len(a), len(b)))
	if variance > 0 && area*(1-area) > 0 {
		n = area * (1 - area) / variance
	}
	const z2 = 1.959963984540054 * 1.959963984540054
	centre := (area + z2/(2*n)) / (1 + z2/n)
	half := math.Sqrt(z2*(area*(1-area)/n+z2/(4*n*n))) / (1 + z2/n)
	return area, max(0, min(area, centre-half)), min(1, max(area, centre+half))
}

// placements are, for each value of a, the share of b below it, ties counted
// half; it returns their mean and variance (ddof 1). Both are in order.
func placements(a, b []float64) (mean, variance float64) {
	var sum, squares float64
	below, through := 0, 0
	for _, v := range a {
		for below < len(b) && b[below] < v {
			below++
		}
		for through < len(b) && b[through] <= v {
			through++
		}
		share := (float64(below) + float64(through)) / float64(2*len(b))
		sum += share
		squares += share * share
	}
	n := float64(len(a))
	mean = sum / n
	return mean, max(0, (squares-sum*mean)/(n-1))
}
