package fidelity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/stream"
)

// TwoSample is the outcome of two tests of whether two samples come from one
// distribution.
//
// Both statistics are unbiased: 0 on average for samples of one distribution,
// and so below 0 about as often as above. Forms with the zero distances of
// rows to themselves in the means are larger, for samples of n and m rows of
// one distribution by (1/n + 1/m) E|x - x'| for the energy distance.
type TwoSample struct {
	RowsA, RowsB int
	Permutations int

	// Energy is 2 E|a - b| - E|a - a'| - E|b - b'| (Székely & Rizzo 2013), in units
	// of weight; some authors take its root.
	Energy  float64
	EnergyP float64 // share of permutations, the observed one counted, with at least as large a distance
	// EnergyZ is by how many standard deviations of the permutations the distance
	// lies above their mean: where every p is the smallest there can be, it still
	// tells the samples apart. It grows with the number of rows, and is 0 where
	// there are fewer than two permutations, or none differs from another.
	EnergyZ float64

	MMD2      float64 // squared maximum mean discrepancy, E k(a,a') + E k(b,b') - 2 E k(a,b) (Gretton et al. 2012)
	MMDP      float64
	MMDZ      float64 // as EnergyZ
	Bandwidth float64 // h of the kernel k(a,b) = exp(-|a-b|²/(2h²))
}

// TestSettings of [Distinguish]. A field that is zero means its default.
type TestSettings struct {
	Permutations int // default 199
	// Bandwidth of the Gaussian kernel. Default: the median distance between
	// rows of both samples together (Gretton et al. 2012), taken over 1,000 of
	// them and over the distances that aren't 0. Discrepancies compare only at
	// one bandwidth.
	Bandwidth float64
	Seed      uint64                             // of the permutations
	Progress  func(done, total int, note string) // may be nil; one call at a time
}

// defaultPermutations are those of all tests.
const defaultPermutations = 199

func checkPermutations(count int) error {
	if count < 1 {
		return fmt.Errorf("%d permutations: at least 1 is needed", count)
	}
	return nil
}

// EnsureDefaults replaces the permutations by their default where they are zero.
// The bandwidth stays: its default comes from the data.
func (s *TestSettings) EnsureDefaults() {
	if s.Permutations == 0 {
		s.Permutations = defaultPermutations
	}
}

// Validate returns an error that names the first field that makes no sense.
func (s TestSettings) Validate() error {
	if !(s.Bandwidth >= 0) || math.IsInf(s.Bandwidth, 1) {
		return fmt.Errorf("a kernel bandwidth of %v: it must be positive, or 0 for the median distance", s.Bandwidth)
	}
	return checkPermutations(s.Permutations)
}

const (
	bandRows   = 64  // of the distance matrix in memory at a time, and columns
	maxColumns = 256 // of labels in memory at a time: permutations, and a last one of ones
	// mulColumns of labels are multiplied at a time: few enough for gonum to do
	// it on the goroutine that asks, and for the cache.
	mulColumns = 128
)

// Distinguish tests whether the rows of a (N x n) and of b (M x n) come from
// one distribution, by energy distance and by maximum mean discrepancy. The
// p-values come from random permutations of the labels, and are (1 + number of
// permutations as extreme)/(1 + permutations), which keeps a test from
// rejecting more often than its level (Phipson & Smyth 2010), for rows that are
// independent.
//
// Time is O((N+M)² (n + permutations)). The matrix of distances is never held:
// memory is O((N+M) min(permutations, 255)), about 20 MB for twice 5,000 rows.
//
// It returns a [*TooFewRowsError] for fewer than two rows, an error that names
// the row for NaN or Inf, an error when all rows are the same, and the
// context's error when that ends first.
func Distinguish(ctx context.Context, a, b *mat.Dense, s TestSettings) (TwoSample, error) {
	s.EnsureDefaults()
	if err := s.Validate(); err != nil {
		return TwoSample{}, err
	}
	x, y, err := newSamples("sample a", a, "sample b", b, 2)
	if err != nil {
		return TwoSample{}, err
	}
	return distinguish(ctx, x, y, s)
}

func distinguish(ctx context.Context, x, y sample, s TestSettings) (TwoSample, error) {
	pooled := sample{n: x.n + y.n, d: x.d, data: slices.Concat(x.data, y.data)}
	if s.Bandwidth == 0 {
		var err error
		if s.Bandwidth, err = medianDistance(pooled, s.Seed); err != nil {
			return TwoSample{}, err
		}
	}
	test := &permutationTest{
		pooled: pooled, nA: x.n, seed: s.Seed,
		exponent: -1 / (2 * s.Bandwidth * s.Bandwidth),
		bands:    (pooled.n + bandRows - 1) / bandRows,
	}
	// The observed labels come first, as permutation 0.
	total := s.Permutations + 1
	energy := make([]float64, 0, total)
	mmd := make([]float64, 0, total)
	chunks := (total + maxColumns - 2) / (maxColumns - 1)
	test.report(s.Progress, chunks*test.bands)
	for first := 0; first < total; first += maxColumns - 1 {
		e, k, err := test.chunk(ctx, first, min(maxColumns-1, total-first))
		if err != nil {
			return TwoSample{}, err
		}
		energy, mmd = append(energy, e...), append(mmd, k...)
	}
	return TwoSample{
		RowsA: x.n, RowsB: y.n, Permutations: s.Permutations, Bandwidth: s.Bandwidth,
		Energy: energy[0], EnergyP: shareAsLarge(energy), EnergyZ: deviations(energy),
		MMD2: mmd[0], MMDP: shareAsLarge(mmd), MMDZ: deviations(mmd),
	}, nil
}

// shareAsLarge is the share of values that are at least the first, itself
// counted. Permutations that split equal rows in the same way differ by
// rounding only, and must count as equal.
func shareAsLarge(values []float64) float64 {
	scale := 0.0
	for _, v := range values {
		scale = max(scale, math.Abs(v))
	}
	count := 0
	for _, v := range values {
		if v >= values[0]-1e-9*scale {
			count++
		}
	}
	return float64(count) / float64(len(values))
}

// deviations is by how many standard deviations of the other values the first lies
// above their mean.
func deviations(values []float64) float64 {
	if len(values) < 3 {
		return 0
	}
	mean, deviation := stat.MeanStdDev(values[1:], nil)
	if deviation == 0 {
		return 0
	}
	return (values[0] - mean) / deviation
}

// medianDistance is the median of the positive distances between rows of x,
// or between 1,000 of them drawn at random.
func medianDistance(x sample, seed uint64) (float64, error) {
	const most = 1000
	if x.n > most {
		x = x.take(stream.New(seed, "fidelity.bandwidth", 0).Perm(x.n)[:most])
	}
	squares := make([]float64, 0, x.n*(x.n-1)/2)
	for i := range x.n {
		for j := range i {
			if square := squaredDistance(x.row(i), x.row(j)); square > 0 {
				squares = append(squares, square)
			}
		}
	}
	if len(squares) == 0 {
		return 0, errors.New("all rows are the same: there is no distance to set the kernel's bandwidth by, give one")
	}
	slices.Sort(squares)
	return math.Sqrt(squares[len(squares)/2]), nil
}

// permutationTest sums distances and kernels over pairs of rows, under many
// labellings of the rows at once. With labels A of columns of zeros and ones
// and a tile D of distances, the product D A has all the sums that the
// statistics need, at the speed of a matrix product.
type permutationTest struct {
	pooled   sample
	nA       int
	seed     uint64
	exponent float64 // -1/(2h²)
	bands    int     // of the distance matrix's upper triangle
	tick     func()  // reports a finished band; may be called by any worker
}

func (t *permutationTest) report(progress func(done, total int, note string), total int) {
	t.tick = func() {}
	if progress == nil {
		return
	}
	var done atomic.Int64
	turn := make(chan struct{}, 1)
	t.tick = func() {
		turn <- struct{}{}
		progress(int(done.Add(1)), total, "permutation tests")
		<-turn
	}
}

// chunk returns both statistics under the permutations first..first+count-1.
func (t *permutationTest) chunk(ctx context.Context, first, count int) (energy, mmd []float64, err error) {
	labels := t.labels(first, count)
	bands := make([]bandSums, t.bands)
	tiles := make([]*tile, parallel.Workers(t.bands))
	for w := range tiles {
		tiles[w] = newTile(labels.Cols)
	}
	err = parallel.For(ctx, t.bands, func(worker, band int) error {
		bands[band] = t.band(band, labels, tiles[worker])
		t.tick()
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	distance, kernel := newPairSums(count), newPairSums(count)
	for _, band := range bands { // in their order, whoever summed them
		distance.add(band.distance)
		kernel.add(band.kernel)
	}
	energy, mmd = make([]float64, count), make([]float64, count)
	for c := range count {
		aa, ab, bb := distance.means(c, t.nA, t.pooled.n-t.nA)
		energy[c] = 2*ab - aa - bb
		aa, ab, bb = kernel.means(c, t.nA, t.pooled.n-t.nA)
		mmd[c] = aa + bb - 2*ab
	}
	return energy, mmd, nil
}

// labels has a row for each pooled row, a column for each permutation, 1 where
// the row belongs to sample a, and a last column of ones. Permutation 0 is the
// observed one.
func (t *permutationTest) labels(first, count int) blas64.General {
	cols := count + 1
	data := make([]float64, t.pooled.n*cols)
	order := make([]int, t.pooled.n)
	for c := range count {
		for i := range order {
			order[i] = i
		}
		if p := first + c; p > 0 {
			rng := stream.New(t.seed, "fidelity.permutation", uint64(p))
			for i := range t.nA {
				j := i + rng.IntN(len(order)-i)
				order[i], order[j] = order[j], order[i]
			}
		}
		for _, i := range order[:t.nA] {
			data[i*cols+c] = 1
		}
	}
	for i := range t.pooled.n {
		data[i*cols+count] = 1
	}
	return blas64.General{Rows: t.pooled.n, Cols: cols, Stride: cols, Data: data}
}

// tile is a worker's scratch: a tile of the two matrices, and the products of
// a band of them with the labels.
type tile struct {
	distance, kernel         []float64 // bandRows x bandRows
	distanceSums, kernelSums []float64 // bandRows x columns of labels
}

func newTile(cols int) *tile {
	return &tile{
		distance: make([]float64, bandRows*bandRows), kernel: make([]float64, bandRows*bandRows),
		distanceSums: make([]float64, bandRows*cols), kernelSums: make([]float64, bandRows*cols),
	}
}

// band sums over the pairs i < j with i in one band of rows.
func (t *permutationTest) band(band int, labels blas64.General, s *tile) bandSums {
	from := band * bandRows
	rows := min(bandRows, t.pooled.n-from)
	clear(s.distanceSums)
	clear(s.kernelSums)
	for start := from; start < t.pooled.n; start += bandRows {
		cols := min(bandRows, t.pooled.n-start)
		t.fill(s, from, rows, start, cols)
		part := blas64.General{Rows: cols, Cols: labels.Cols, Stride: labels.Stride,
			Data: labels.Data[start*labels.Stride:]}
		multiply(s.distance, rows, cols, part, s.distanceSums)
		multiply(s.kernel, rows, cols, part, s.kernelSums)
	}
	own := labels.Data[from*labels.Stride : (from+rows)*labels.Stride]
	return bandSums{
		distance: reduce(own, s.distanceSums, labels.Cols),
		kernel:   reduce(own, s.kernelSums, labels.Cols),
	}
}

// fill computes the tile of rows from.. and columns start.., with zeros on and
// below the diagonal.
func (t *permutationTest) fill(s *tile, from, rows, start, cols int) {
	for r := range rows {
		row := t.pooled.row(from + r)
		distance := s.distance[r*bandRows : r*bandRows+cols]
		kernel := s.kernel[r*bandRows : r*bandRows+cols]
		for c := range cols {
			if start+c <= from+r {
				distance[c], kernel[c] = 0, 0
				continue
			}
			square := squaredDistance(row, t.pooled.row(start+c))
			distance[c] = math.Sqrt(square)
			kernel[c] = math.Exp(square * t.exponent)
		}
	}
}

// multiply adds the product of a tile and labels to sums.
func multiply(matrix []float64, rows, cols int, labels blas64.General, sums []float64) {
	left := blas64.General{Rows: rows, Cols: cols, Stride: bandRows, Data: matrix}
	for c := 0; c < labels.Cols; c += mulColumns {
		width := min(mulColumns, labels.Cols-c)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, left,
			blas64.General{Rows: cols, Cols: width, Stride: labels.Stride, Data: labels.Data[c:]}, 1,
			blas64.General{Rows: rows, Cols: width, Stride: labels.Cols, Data: sums[c:]})
	}
}

// pairSums are sums over pairs of rows, for each labelling.
type pairSums struct {
	total  float64   // over all pairs
	both   []float64 // over pairs with both rows in a
	either []float64 // over pairs, times the number of their rows in a
}

type bandSums struct{ distance, kernel pairSums }

func newPairSums(count int) pairSums {
	return pairSums{both: make([]float64, count), either: make([]float64, count)}
}

// reduce turns the product of a band with the labels into sums over its pairs;
// own holds the labels of the band's rows.
func reduce(own, sums []float64, cols int) pairSums {
	count := cols - 1
	p := newPairSums(count)
	for r := 0; r*cols < len(own); r++ {
		label, sum := own[r*cols:(r+1)*cols], sums[r*cols:(r+1)*cols]
		whole := sum[count]
		p.total += whole
		for c := range count {
			p.both[c] += label[c] * sum[c]
			p.either[c] += sum[c] + label[c]*whole
		}
	}
	return p
}

func (p *pairSums) add(o pairSums) {
	p.total += o.total
	for c := range p.both {
		p.both[c] += o.both[c]
		p.either[c] += o.either[c]
	}
}

// means over the pairs within a, across, and within b under labelling c.
func (p pairSums) means(c, n, m int) (aa, ab, bb float64) {
	across := p.either[c] - 2*p.both[c]
	rest := p.total - p.both[c] - across
	return p.both[c] / pairs(n), across / (float64(n) * float64(m)), rest / pairs(m)
}

func pairs(n int) float64 { return float64(n) * float64(n-1) / 2 }
