// Package parallel spreads independent pieces of work over the cores.
//
// In goes the number of pieces and a function that does one; out come the
// results that the function keeps, each in its own place, and the first error:
//
//	values := make([]float64, rows)
//	err := parallel.For(ctx, rows, func(worker, i int) error {
//		values[i] = objectives[worker].Value(weights.RawRowView(i))
//		return nil
//	})
//
// Which worker does which piece is left to chance, so a piece may not depend on
// what its worker did before.
package parallel

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Workers returns how many workers [For] has for n pieces: one for each core,
// and no more than there are pieces.
func Workers(n int) int { return max(1, min(runtime.GOMAXPROCS(0), n)) }

// For calls work once for every piece i below n, on all cores, the first pieces
// first. worker, below Workers(n), is the same for calls that follow each other
// on one goroutine: what a piece needs while it is done can be kept by it. For
// returns when all calls have: the first error of one, after which no further
// piece is begun, or the context's error if that ended first.
func For(ctx context.Context, n int, work func(worker, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for worker := range Workers(n) {
		group.Go(func() error {
			for {
				i := int(next.Add(1) - 1)
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := work(worker, i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}
