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
	"cmp"
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Workers returns how many workers [For] has for n pieces: one for each core,
// and no more than there are pieces.
func Workers(n int) int { return max(1, min(runtime.GOMAXPROCS(0), n)) }

// For calls work once for every piece i below n, on all cores, the first pieces
// first. worker, below Workers(n), is the same for calls that follow each other
// on one goroutine: what a piece needs while it is done can be kept by it.
//
// After an error, or the end of the context, no further piece is begun. For
// returns when all calls have: the context's error where that has ended, else the
// error of the first piece in order that has one, whichever failed first in time.
func For(ctx context.Context, n int, work func(worker, i int) error) error {
	var (
		next    atomic.Int64
		stopped atomic.Bool
		wait    sync.WaitGroup
		mu      sync.Mutex
		failed  = n // the first piece with an error
		err     error
	)
	for worker := range Workers(n) {
		wait.Go(func() {
			for ctx.Err() == nil && !stopped.Load() {
				// A piece that is taken is done, so that those before a failed one are.
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				workErr := work(worker, i)
				if workErr == nil {
					continue
				}
				stopped.Store(true)
				mu.Lock()
				if i < failed {
					failed, err = i, workErr
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return cmp.Or(ctx.Err(), err)
}
