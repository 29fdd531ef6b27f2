package fidelity

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
)

// Overlap compares the regions that two samples occupy, each region being the
// union of balls around its rows, out to their k-th nearest neighbours.
//
// For two independent samples of one distribution, of N and M rows, density
// has mean 1, and coverage 1 - (N-1)...(N-k)/((N+M-1)...(N+M-k)), about
// 1 - 2^-k for N = M (Naeem et al. 2020); precision and recall have no such
// closed form. So what a perfect generator reaches is less than 1.
type Overlap struct {
	K               int     // neighbours
	Real, Generated int     // rows
	Precision       float64 // share of generated rows inside the real region (Kynkäänniemi et al. 2019)
	Recall          float64 // share of real rows inside the generated region
	// real balls that hold a generated row, on average, over k (Naeem et al. 2020); may exceed 1
	Density  float64
	Coverage float64 // share of real balls that hold a generated row (Naeem et al. 2020)
}

// rowsPerItem is how many rows one worker handles at a time.
const rowsPerItem = 64

// MeasureOverlap compares generated portfolios (M x n) with real ones (N x n)
// by their k nearest neighbours. Balls are closed, so that precision, recall
// and coverage of a sample against itself are 1 even where rows repeat; a row
// is not its own neighbour, but a copy of it is.
//
// It returns a [*TooFewRowsError] for a sample of k rows or fewer, an error
// that names the row for one that holds NaN or Inf, and the context's error
// when that ends first.
func MeasureOverlap(ctx context.Context, real, generated *mat.Dense, k int) (Overlap, error) {
	if k < 1 {
		return Overlap{}, fmt.Errorf("%d nearest neighbours: at least 1 is needed", k)
	}
	x, y, err := newSamples("the real sample", real, "the generated sample", generated, k+1)
	if err != nil {
		return Overlap{}, err
	}
	return overlap(ctx, x, y, k)
}

func overlap(ctx context.Context, x, y sample, k int) (Overlap, error) {
	realRadii, err := radii(ctx, x, k)
	if err != nil {
		return Overlap{}, err
	}
	generatedRadii, err := radii(ctx, y, k)
	if err != nil {
		return Overlap{}, err
	}
	items := (x.n + rowsPerItem - 1) / rowsPerItem
	tallies := make([]tally, parallel.Workers(items))
	for w := range tallies {
		tallies[w].inside = make([]bool, y.n)
	}
	err = parallel.For(ctx, items, func(worker, item int) error {
		t := &tallies[worker]
		for i := item * rowsPerItem; i < min((item+1)*rowsPerItem, x.n); i++ {
			t.row(x.row(i), realRadii[i], y, generatedRadii)
		}
		return nil
	})
	if err != nil {
		return Overlap{}, err
	}
	total := tallies[0]
	for _, t := range tallies[1:] {
		total.add(t)
	}
	precise := 0
	for _, inside := range total.inside {
		if inside {
			precise++
		}
	}
	return Overlap{
		K: k, Real: x.n, Generated: y.n,
		Precision: float64(precise) / float64(y.n),
		Recall:    float64(total.recalled) / float64(x.n),
		Density:   float64(total.held) / (float64(k) * float64(y.n)),
		Coverage:  float64(total.covered) / float64(x.n),
	}, nil
}

// tally counts, over real rows, what falls into which ball. Counts and ors
// don't depend on the order in which they are taken.
type tally struct {
	inside   []bool // of each generated row: in some real ball
	held     int    // pairs of a real ball and a generated row in it
	covered  int    // real balls with a generated row
	recalled int    // real rows in some generated ball
}

func (t *tally) row(real []float64, radius float64, generated sample, radii []float64) {
	held, recalled := 0, false
	d := generated.d
	for j, r := range radii {
		square := squaredDistance(real, generated.data[j*d:(j+1)*d])
		if square <= radius {
			held++
			t.inside[j] = true
		}
		if square <= r {
			recalled = true
		}
	}
	t.held += held
	if held > 0 {
		t.covered++
	}
	if recalled {
		t.recalled++
	}
}

func (t *tally) add(o tally) {
	for j, inside := range o.inside {
		t.inside[j] = t.inside[j] || inside
	}
	t.held += o.held
	t.covered += o.covered
	t.recalled += o.recalled
}

// radii are the squared distances of each row to its k-th nearest other row.
func radii(ctx context.Context, x sample, k int) ([]float64, error) {
	radii := make([]float64, x.n)
	items := (x.n + rowsPerItem - 1) / rowsPerItem
	nearest := make([][]neighbour, parallel.Workers(items))
	for w := range nearest {
		nearest[w] = make([]neighbour, k)
	}
	err := parallel.For(ctx, items, func(worker, item int) error {
		for i := item * rowsPerItem; i < min((item+1)*rowsPerItem, x.n); i++ {
			x.nearest(nearest[worker], i)
			radii[i] = nearest[worker][k-1].square
		}
		return nil
	})
	return radii, err
}

// nearest sets dst to the nearest other rows to row i, the nearest first.
func (s sample) nearest(dst []neighbour, i int) {
	emptied(dst)
	row := s.row(i)
	for j := range s.n {
		if j != i {
			insert(dst, j, squaredDistance(row, s.row(j)))
		}
	}
}
