package mixture

import (
	"context"
	"math"
	"runtime"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/gemm"
	"vaefolio/vaelib/internal/parallel"
)

// lanes is how many points stand side by side in a tile.
const lanes = gemm.Columns

// rowsPerBlock is how many points one worker handles between reductions. It is
// fixed, so that sums are taken in the same order for any number of workers.
const rowsPerBlock = 10 * lanes

// negligible is the logarithm of the share of the largest component's density
// below which another is left out at a point: half a unit in the last place of
// the sum, which would not change by adding it.
const negligible = -53 * math.Ln2

// points are N points laid out for products of panels: tiles of a row of ones
// and a row for each dimension. The last tile is filled up with zeros.
type points struct {
	n, d  int
	tiles []float64 // ceil(N/lanes) x (d+1) x lanes
}

func layOut(x *mat.Dense) points {
	n, d := x.Dims()
	p := points{n: n, d: d, tiles: make([]float64, roundUp(n, lanes)*(d+1))}
	for i := range n {
		tile, lane := p.tile(i), i%lanes
		tile[lane] = 1
		for j, v := range x.RawRowView(i) {
			tile[(j+1)*lanes+lane] = v
		}
	}
	return p
}

// tile is the one that holds point i.
func (p *points) tile(i int) []float64 {
	size := (p.d + 1) * lanes
	return p.tiles[i/lanes*size:][:size]
}

// roundUp returns the first multiple of unit that is not below n.
func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// statistics are the sums over points that a maximisation step needs: for each
// component the lower triangle, row by row, of the sum of r (1, x)(1, x)^T with
// its responsibilities r.
type statistics struct {
	logLikelihood float64
	k             int       // components
	stride        int       // (d+1)(d+2)/2, rounded up to gemm.Columns
	moments       []float64 // K, rounded up to gemm.Rows, x stride
}

func newStatistics(k, d int) *statistics {
	stride := roundUp((d+1)*(d+2)/2, gemm.Columns)
	return &statistics{k: k, stride: stride, moments: make([]float64, roundUp(k, gemm.Rows)*stride)}
}

func (s *statistics) add(o *statistics) {
	s.logLikelihood += o.logLikelihood
	for i, v := range o.moments {
		s.moments[i] += v
	}
}

// expectation sums the moments of one mixture after another over the same
// points.
type expectation struct {
	points  points
	workers []*worker
}

// worker has the memory that one core needs for a block of points. Its
// responsibilities stand as panels, those of gemm.Rows components side by
// side.
type worker struct {
	responsibilities []float64 // ceil(K/gemm.Rows) x rowsPerBlock x gemm.Rows
	shares           []float64 // of a tile: K, rounded up to gemm.Rows, x lanes
	white            []float64 // of a tile: gemm.Rows x lanes
	products         []float64 // of the points' coordinates: rowsPerBlock x gemm.Columns
}

// newExpectation prepares for the rows of x and for mixtures of at most k
// components.
func newExpectation(x *mat.Dense, k int) *expectation {
	e := &expectation{points: layOut(x)}
	blocks := roundUp(e.points.n, rowsPerBlock) / rowsPerBlock
	for range min(runtime.GOMAXPROCS(0), blocks) {
		e.workers = append(e.workers, &worker{
			responsibilities: make([]float64, roundUp(k, gemm.Rows)*rowsPerBlock),
			shares:           make([]float64, roundUp(k, gemm.Rows)*lanes),
			white:            make([]float64, gemm.Rows*lanes),
			products:         make([]float64, rowsPerBlock*gemm.Columns),
		})
	}
	return e
}

// run computes the statistics under m. Blocks of rows are handled by all cores
// and added up in their order.
func (e *expectation) run(ctx context.Context, m *Mixture) (*statistics, error) {
	n, k := e.points.n, len(m.weights)
	whitening := m.whitening()
	total := newStatistics(k, m.d)
	partial := make([]*statistics, len(e.workers))
	for w := range partial {
		partial[w] = newStatistics(k, m.d)
	}
	// A round is as many blocks as there are workers: memory stays bounded.
	for round := 0; round*rowsPerBlock < n; round += len(e.workers) {
		busy := min(len(e.workers), (n-round*rowsPerBlock+rowsPerBlock-1)/rowsPerBlock)
		if err := parallel.For(ctx, busy, func(_, w int) error {
			first := (round + w) * rowsPerBlock
			e.workers[w].block(partial[w], m, whitening, &e.points, first, min(rowsPerBlock, n-first))
			return nil
		}); err != nil {
			return nil, err
		}
		for _, p := range partial[:busy] {
			total.add(p)
		}
	}
	return total, nil
}

// whitening returns, for each component, panels of the map from (1, x) to the
// white point W (x - mean), where W is the inverse of the component's factor:
// gemm.Rows rows of [-W mean, W] each, up to the last column of the triangle.
func (m *Mixture) whitening() [][]float64 {
	d := m.d
	inverse := make([]float64, d*d)
	whitening := make([][]float64, len(m.weights))
	for c, factor := range m.factors {
		for a := range d {
			for b := range a {
				var sum float64
				for l := b; l < a; l++ {
					sum += factor[a*d+l] * inverse[l*d+b]
				}
				inverse[a*d+b] = -sum / factor[a*d+a]
			}
			inverse[a*d+a] = 1 / factor[a*d+a]
		}
		for first := 0; first < d; first += gemm.Rows {
			last := min(first+gemm.Rows, d)
			p := make([]float64, (1+last)*gemm.Rows)
			for a := first; a < last; a++ {
				for b, v := range inverse[a*d:][:a+1] {
					p[a-first] -= v * m.means[c][b]
					p[(1+b)*gemm.Rows+a-first] = v
				}
			}
			whitening[c] = append(whitening[c], p...)
		}
	}
	return whitening
}

// block sets s to the statistics of the given number of rows from the first
// on, which is at the start of a tile.
func (w *worker) block(s *statistics, m *Mixture, whitening [][]float64, p *points, first, rows int) {
	s.logLikelihood = 0
	for i := 0; i < rows; i += lanes {
		logProbs := w.share(w.responsibilities[i*gemm.Rows:], m, whitening, p.tile(first+i))
		for _, l := range logProbs[:min(lanes, rows-i)] {
			s.logLikelihood += l
		}
	}
	w.sum(s, p, first, rows)
}

// share writes the components' responsibilities for the points of a tile into
// the panels of dst, and returns the log densities.
func (w *worker) share(dst []float64, m *Mixture, whitening [][]float64, tile []float64) (logProbs [lanes]float64) {
	for c, panels := range whitening {
		logs := (*[lanes]float64)(w.shares[c*lanes:])
		w.distances(logs, panels, tile, m.d)
		for lane, q := range logs {
			logs[lane] = m.logNorms[c] - 0.5*q
		}
	}
	return w.divide(dst, len(whitening))
}

// divide turns the log densities of k components at the points of a tile, times
// their weights, which stand in w.shares, into responsibilities. It writes these
// into the panels of dst, and returns the log densities of the mixture.
func (w *worker) divide(dst []float64, k int) (logProbs [lanes]float64) {
	var largest, sum, scale [lanes]float64
	for lane := range largest {
		largest[lane] = math.Inf(-1)
	}
	for c := range k {
		for lane, l := range (*[lanes]float64)(w.shares[c*lanes:]) {
			if l > largest[lane] {
				largest[lane] = l
			}
		}
	}
	for c := range k {
		shares := (*[lanes]float64)(w.shares[c*lanes:])
		for lane, l := range shares {
			l -= largest[lane]
			if l > negligible {
				shares[lane] = math.Exp(l)
				sum[lane] += shares[lane]
			} else {
				shares[lane] = 0
			}
		}
	}
	for lane, s := range sum {
		scale[lane] = 1 / s
		logProbs[lane] = largest[lane] + math.Log(s)
	}
	groups := roundUp(k, gemm.Rows) / gemm.Rows
	clear(w.shares[k*lanes : groups*gemm.Rows*lanes])
	for g := range groups {
		out := dst[g*rowsPerBlock*gemm.Rows:][:lanes*gemm.Rows]
		for j := range gemm.Rows {
			shares := (*[lanes]float64)(w.shares[(g*gemm.Rows+j)*lanes:])
			for lane, v := range shares {
				out[lane*gemm.Rows+j] = scale[lane] * v
			}
		}
	}
	return logProbs
}

// distances sets dst to the squared Mahalanobis distances of a tile's points
// from a component, which are the squared lengths of the white points.
func (w *worker) distances(dst *[lanes]float64, panels, tile []float64, d int) {
	clear(dst[:])
	w0, w1 := (*[lanes]float64)(w.white), (*[lanes]float64)(w.white[lanes:])
	w2, w3 := (*[lanes]float64)(w.white[2*lanes:]), (*[lanes]float64)(w.white[3*lanes:])
	for last := 0; last < d; {
		last = min(last+gemm.Rows, d)
		size := (1 + last) * gemm.Rows
		gemm.Multiply(w.white, lanes, panels[:size], tile[:(1+last)*lanes])
		panels = panels[size:]
		for lane, sum := range dst {
			a, b, c, d := w0[lane], w1[lane], w2[lane], w3[lane]
			dst[lane] = sum + (a*a + b*b) + (c*c + d*d)
		}
	}
}

// sum multiplies the block's responsibilities with the products of its points'
// coordinates, gemm.Columns of these at a time.
func (w *worker) sum(s *statistics, p *points, first, rows int) {
	a, b := 0, 0 // the next product is of these coordinates of (1, x)
	for at := 0; at < s.stride; at += gemm.Columns {
		for column := range gemm.Columns {
			for i := 0; i < rows; i += lanes {
				tile := p.tile(first + i)
				u, v := (*[lanes]float64)(tile[a*lanes:]), (*[lanes]float64)(tile[b*lanes:])
				out := w.products[i*gemm.Columns:][:lanes*gemm.Columns]
				for lane := range lanes {
					out[lane*gemm.Columns+column] = u[lane] * v[lane]
				}
			}
			if b++; b > a {
				a, b = a+1, 0
			}
			if a > p.d {
				break // the columns that fill up are never read
			}
		}
		for c := 0; c*s.stride < len(s.moments); c += gemm.Rows {
			gemm.Multiply(s.moments[c*s.stride+at:], s.stride,
				w.responsibilities[c*rowsPerBlock:][:rows*gemm.Rows], w.products[:rows*gemm.Columns])
		}
	}
}
