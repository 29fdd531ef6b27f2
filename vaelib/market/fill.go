package market

import (
	"fmt"
	"math"
)

// Fill says what happens where an asset has no price between two others. The
// zero value: a wide file is refused, and of a folder the window leaves such
// times out.
type Fill string

// The ways to fill.
const (
	FillPrevious Fill = "previous" // the price before it is carried forward: a return of 0
	FillDrop     Fill = "drop"     // the row is left out for all
)

// Check returns an error for an unknown way.
func (f Fill) Check() error {
	switch f {
	case "", FillPrevious, FillDrop:
		return nil
	}
	return fmt.Errorf("holes are filled by previous or drop, not %s", f)
}

// fill fills the holes of all assets, or drops the rows that have one.
func (t *table) fill(f Fill) {
	if f == "" || len(t.times) == 0 {
		return
	}
	n := len(t.symbols)
	holed := make([]bool, len(t.times))
	for j := range n {
		last := -1
		for i := range t.times {
			if math.IsNaN(t.close[i*n+j]) {
				continue
			}
			for k := last + 1; last >= 0 && k < i; k++ {
				if holed[k] = true; f == FillPrevious {
					t.close[k*n+j] = t.close[last*n+j]
					t.cleaning.Filled++
				}
			}
			last = i
		}
	}
	if f == FillPrevious {
		return
	}
	kept := 0
	for i, hole := range holed {
		if hole {
			t.cleaning.Holed++
			continue
		}
		t.times[kept] = t.times[i]
		copy(t.close[kept*n:(kept+1)*n], t.close[i*n:(i+1)*n])
		kept++
	}
	t.times, t.close = t.times[:kept], t.close[:kept*n]
}
