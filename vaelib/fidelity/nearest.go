package fidelity

import (
	"context"
	"math"

	"vaefolio/vaelib/internal/gemm"
	"vaefolio/vaelib/internal/parallel"
)

// neighbour is a row near another, and its squared distance from it.
type neighbour struct {
	row    int
	square float64
}

// insert puts a row among neighbours in order of distance, the nearest first, where
// it is nearer than the last of them.
func insert(near []neighbour, row int, square float64) {
	m := len(near) - 1
	if square >= near[m].square {
		return
	}
	for ; m > 0 && near[m-1].square > square; m-- {
		near[m] = near[m-1]
	}
	near[m] = neighbour{row, square}
}

func emptied(near []neighbour) {
	for m := range near {
		near[m] = neighbour{-1, math.Inf(1)}
	}
}

// index finds the nearest rows of a sample by products of panels: |x|² - 2 x.y is
// least where the distance is. The products round, so a few more rows than asked
// for are found by them, and the exact distances of these decide. Where rounding can't
// tell even these from the next, as where many rows all but agree, all rows are looked at.
type index struct {
	sample
	tiles []float64 // ceil(n/gemm.Columns) x (1+d) x gemm.Columns: |x|² and -2 x
	large float64   // the largest |x|²
}

// spare is how many more rows are found by products than are asked for.
const spare = 4

func newIndex(x sample) *index {
	ix := &index{sample: x}
	size := (1 + x.d) * gemm.Columns
	ix.tiles = make([]float64, (x.n+gemm.Columns-1)/gemm.Columns*size)
	for i := range x.n {
		tile, lane := ix.tiles[i/gemm.Columns*size:], i%gemm.Columns
		for j, v := range x.row(i) {
			tile[lane] += v * v
			tile[(1+j)*gemm.Columns+lane] = -2 * v
		}
		ix.large = max(ix.large, tile[lane])
	}
	return ix
}

// seeker is the memory of one worker.
type seeker struct {
	panel    []float64
	products [gemm.Rows * gemm.Columns]float64
	near     [gemm.Rows][]neighbour
}

// find sets dst[i] to the len(dst[i]) nearest rows to row i of the queries, of
// which there are at most gemm.Rows; none of them is the row except[i].
func (ix *index) find(s *seeker, dst [][]neighbour, queries [][]float64, except []int) {
	s.panel = make([]float64, (1+ix.d)*gemm.Rows)
	for q, y := range queries {
		s.panel[q] = 1
		for j, v := range y {
			s.panel[(1+j)*gemm.Rows+q] = v
		}
		if len(s.near[q]) != len(dst[q])+spare {
			s.near[q] = make([]neighbour, len(dst[q])+spare)
		}
		emptied(s.near[q])
	}
	size := (1 + ix.d) * gemm.Columns
	for first := 0; first < ix.n; first += gemm.Columns {
		gemm.Multiply(s.products[:], gemm.Columns, s.panel, ix.tiles[first/gemm.Columns*size:][:size])
		lanes := min(gemm.Columns, ix.n-first)
		for q := range queries {
			near := s.near[q]
			farthest := near[len(near)-1].square
			for lane, v := range s.products[q*gemm.Columns:][:lanes] {
				if v < farthest && first+lane != except[q] {
					insert(near, first+lane, v)
					farthest = near[len(near)-1].square
				}
			}
		}
	}
	for q, y := range queries {
		emptied(dst[q])
		if last := s.near[q][len(dst[q])+spare-1]; last.row >= 0 &&
			last.square-s.near[q][len(dst[q])-1].square <= ix.rounding(y) {
			for row := range ix.n {
				if row != except[q] {
					insert(dst[q], row, squaredDistance(y, ix.row(row)))
				}
			}
			continue
		}
		for _, found := range s.near[q] {
			if found.row >= 0 {
				insert(dst[q], found.row, squaredDistance(y, ix.row(found.row)))
			}
		}
	}
}

// rounding is by how much the products of a row may be off, twice.
func (ix *index) rounding(y []float64) float64 {
	const epsilon = 0x1p-52
	return 2 * float64(ix.d+2) * epsilon * (ix.large + squaredDistance(y, make([]float64, len(y))))
}

// nearestDistances of each row of y to the rows of an index.
func nearestDistances(ctx context.Context, x *index, y sample) ([]float64, error) {
	distances := make([]float64, y.n)
	items := (y.n + gemm.Rows - 1) / gemm.Rows
	seekers := make([]seeker, parallel.Workers(items))
	err := parallel.For(ctx, items, func(worker, item int) error {
		var queries [][]float64
		found := [gemm.Rows]neighbour{}
		var dst [][]neighbour
		for i := item * gemm.Rows; i < min((item+1)*gemm.Rows, y.n); i++ {
			queries, dst = append(queries, y.row(i)), append(dst, found[len(dst):len(dst)+1])
		}
		x.find(&seekers[worker], dst, queries, []int{-1, -1, -1, -1})
		for q, near := range dst {
			distances[item*gemm.Rows+q] = math.Sqrt(near[0].square)
		}
		return nil
	})
	return distances, err
}
