package simplex

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
)

// rowsPerBlock is how many rows a worker takes at a time.
const rowsPerBlock = 64

// RowError says which row of a batch has no projection.
type RowError struct {
	Row int // from 0
	Err error
}

// Error counts rows from 1.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row+1, e.Err) }

// Unwrap returns the cause.
func (e *RowError) Unwrap() error { return e.Err }

// ProjectAll projects every row of v (rows x N) onto a set, into dst (rows x N,
// which may be v), with its distance into distances (rows, or nil), on all
// cores. The result does not depend on their number. It returns the error of
// [Set.Check], that of the first row that has one ([*RowError]), or the
// context's.
func ProjectAll(ctx context.Context, s Set, dst, v *mat.Dense, distances []float64) error {
	rows, n := v.Dims()
	if r, c := dst.Dims(); r != rows || c != n || n != s.N {
		panic("simplex: matrix has the wrong shape")
	}
	if distances != nil && len(distances) != rows {
		panic("simplex: distances have the wrong length")
	}
	first, err := NewProjector(s)
	if err != nil {
		return err
	}
	blocks := (rows + rowsPerBlock - 1) / rowsPerBlock
	projectors := make([]*Projector, parallel.Workers(blocks))
	for w := range projectors {
		projectors[w] = first.Clone()
	}
	return parallel.For(ctx, blocks, func(worker, block int) error {
		for i := block * rowsPerBlock; i < min((block+1)*rowsPerBlock, rows); i++ {
			distance, err := projectors[worker].Project(dst.RawRowView(i), v.RawRowView(i))
			if err != nil {
				return &RowError{Row: i, Err: err}
			}
			if distances != nil {
				distances[i] = distance
			}
		}
		return nil
	})
}
