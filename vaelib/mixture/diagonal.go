package mixture

import (
	"context"
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/gemm"
	"vaefolio/vaelib/internal/parallel"
)

// fewestDiagonal is how many points a diagonal component must hold the weight of.
const fewestDiagonal = 5

// diagonal does the iterations of mixtures without correlations. Their log
// densities are linear in (1, x, x²), and so are the sums that the next one needs.
type diagonal struct {
	d, k    int
	ridge   float64
	points  points    // of (x, x²), 2d dimensions: tiles of rows
	columns []float64 // the same by columns: ceil((1+2d)/gemm.Columns) panels of N rows
	workers []*worker
}

// newDiagonal prepares iterations for the rows of x, without correlations.
func newDiagonal(x *mat.Dense, k int, ridge float64) step {
	n, d := x.Dims()
	both := mat.NewDense(n, 2*d, nil)
	for i := range n {
		row := both.RawRowView(i)
		for j, v := range x.RawRowView(i) {
			row[j], row[d+j] = v, v*v
		}
	}
	e := &diagonal{d: d, k: k, ridge: ridge, points: layOut(both)}
	panels := roundUp(1+2*d, gemm.Columns) / gemm.Columns
	e.columns = make([]float64, panels*n*gemm.Columns)
	for i := range n {
		for a := range 1 + 2*d {
			v := 1.0
			if a > 0 {
				v = both.At(i, a-1)
			}
			e.columns[(a/gemm.Columns*n+i)*gemm.Columns+a%gemm.Columns] = v
		}
	}
	for range parallel.Workers(roundUp(n, rowsPerBlock) / rowsPerBlock) {
		e.workers = append(e.workers, &worker{
			responsibilities: make([]float64, roundUp(k, gemm.Rows)*rowsPerBlock),
			shares:           make([]float64, roundUp(k, gemm.Rows)*lanes),
		})
	}
	return e.step
}

// step sums over blocks of points, on all cores, and adds the sums up in the order
// of the blocks.
func (e *diagonal) step(ctx context.Context, m *Mixture) (*Mixture, float64, error) {
	blocks := roundUp(e.points.n, rowsPerBlock) / rowsPerBlock
	coefficients := e.coefficients(m)
	stride := roundUp(1+2*e.d, gemm.Columns)
	total := &statistics{k: len(m.weights), stride: stride,
		moments: make([]float64, roundUp(len(m.weights), gemm.Rows)*stride)}
	partial := make([]*statistics, len(e.workers))
	for w := range partial {
		partial[w] = &statistics{k: total.k, stride: stride, moments: make([]float64, len(total.moments))}
	}
	for round := 0; round < blocks; round += len(e.workers) {
		busy := min(len(e.workers), blocks-round)
		if err := parallel.For(ctx, busy, func(_, w int) error {
			e.block(e.workers[w], partial[w], coefficients, (round+w)*rowsPerBlock)
			return nil
		}); err != nil {
			return nil, 0, err
		}
		for _, p := range partial[:busy] {
			total.add(p)
		}
	}
	next, err := e.maximisation(total)
	return next, total.logLikelihood, err
}

// coefficients of (1, x, x²) in the log densities times the weights, as panels of
// gemm.Rows components.
func (e *diagonal) coefficients(m *Mixture) []float64 {
	size := (1 + 2*e.d) * gemm.Rows
	panels := make([]float64, roundUp(len(m.weights), gemm.Rows)/gemm.Rows*size)
	for c, mean := range m.means {
		p := panels[c/gemm.Rows*size+c%gemm.Rows:]
		p[0] = m.logNorms[c]
		for j, v := range mean {
			precision := 1 / (m.factors[c][j*e.d+j] * m.factors[c][j*e.d+j])
			p[0] -= 0.5 * v * v * precision
			p[(1+j)*gemm.Rows] = v * precision
			p[(1+e.d+j)*gemm.Rows] = -0.5 * precision
		}
	}
	return panels
}

// block sets s to the sums over the rows from the first on.
func (e *diagonal) block(w *worker, s *statistics, coefficients []float64, first int) {
	rows := min(rowsPerBlock, e.points.n-first)
	size := (1 + 2*e.d) * gemm.Rows
	s.logLikelihood = 0
	for i := 0; i < rows; i += lanes {
		for g := 0; g*size < len(coefficients); g++ {
			gemm.Multiply(w.shares[g*gemm.Rows*lanes:], lanes, coefficients[g*size:][:size], e.points.tile(first+i))
		}
		logProbs := w.divide(w.responsibilities[i*gemm.Rows:], s.k)
		for _, l := range logProbs[:min(lanes, rows-i)] {
			s.logLikelihood += l
		}
	}
	for at := 0; at < s.stride; at += gemm.Columns {
		panel := e.columns[(at/gemm.Columns*e.points.n+first)*gemm.Columns:][:rows*gemm.Columns]
		for c := 0; c*s.stride < len(s.moments); c += gemm.Rows {
			gemm.Multiply(s.moments[c*s.stride+at:], s.stride, w.responsibilities[c*rowsPerBlock:][:rows*gemm.Rows],
				panel)
		}
	}
}

// maximisation turns the sums into the next mixture.
func (e *diagonal) maximisation(s *statistics) (*Mixture, error) {
	var weights []float64
	var means, factors [][]float64
	var total float64
	for c := range s.k {
		sums := s.moments[c*s.stride:]
		mass := sums[0]
		if mass < fewestDiagonal && s.k > 1 {
			continue
		}
		mean, factor := make([]float64, e.d), make([]float64, e.d*e.d)
		least := math.Inf(1)
		for j := range mean {
			mean[j] = sums[1+j] / mass
			factor[j*e.d+j] = math.Sqrt(max(sums[1+e.d+j]/mass-mean[j]*mean[j], 0) + e.ridge)
			least = min(least, factor[j*e.d+j])
		}
		if least == 0 {
			continue // without a ridge: all its weight on points that coincide in a dimension
		}
		weights, means, factors = append(weights, mass), append(means, mean), append(factors, factor)
		total += mass
	}
	if len(weights) == 0 {
		return nil, errors.New("no component of the mixture holds any points: ask for fewer components")
	}
	for c := range weights {
		weights[c] /= total
	}
	return assemble(e.d, weights, means, factors), nil
}
