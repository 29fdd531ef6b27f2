package parallel

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

// Every piece is done once, by a worker that there is.
func TestForDoesEveryPieceOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		counts := make([]atomic.Int64, n)
		busy := make([]atomic.Bool, Workers(n))
		err := For(t.Context(), n, func(worker, i int) error {
			if busy[worker].Swap(true) {
				t.Errorf("worker %d does two pieces at once", worker)
			}
			counts[i].Add(1)
			busy[worker].Store(false)
			return nil
		})
		if err != nil {
			t.Errorf("%d pieces: %v", n, err)
		}
		for i := range counts {
			if c := counts[i].Load(); c != 1 {
				t.Errorf("piece %d of %d was done %d times", i, n, c)
			}
		}
	}
}

// Of several errors it is that of the first piece in order, whichever came first.
func TestForReturnsTheFirstError(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	errs := make([]error, 100)
	for i := range errs {
		errs[i] = fmt.Errorf("piece %d", i)
	}
	for range 200 {
		later := make(chan struct{})
		err := For(t.Context(), len(errs), func(_, i int) error {
			switch {
			case i == 3:
				<-later // until one after it has failed
				return errs[i]
			case i == 4:
				close(later)
				return errs[i]
			case i > 4:
				return errs[i]
			}
			return nil
		})
		if err != errs[3] {
			t.Fatalf("error %v, want that of piece 3", err)
		}
	}
}

func TestForStopsAtAnError(t *testing.T) {
	bad := errors.New("bad")
	if err := For(t.Context(), 100, func(_, i int) error {
		if i == 3 {
			return bad
		}
		return nil
	}); !errors.Is(err, bad) {
		t.Errorf("error %v, want %v", err, bad)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := For(ended, 100, func(int, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a context that has ended", err)
	}
}
