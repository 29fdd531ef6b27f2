package cpu

import (
	"cmp"
	"slices"
)

// place is where a store lies.
type place int

const (
	planned place = iota // in the space of an execution
	input
	fixed // a constant
	output
)

// store is a stretch of memory that holds a value.
type store struct {
	id          int
	kind        place
	class       class
	size        int
	index       int // of an input or output
	constant32  []float32
	constant64  []float64
	first, last int    // planned: steps between which it is needed
	parent      *store // that it is a piece of, from at on; or nil
	at          int
	offset      int // in the space
}

// keep appends a number to a constant.
func (s *store) keep(x float64) {
	if s.class == double {
		s.constant64 = append(s.constant64, x)
	} else {
		s.constant32 = append(s.constant32, float32(x))
	}
}

// number is one of a constant.
func (s *store) number(i int) float64 {
	if s.class == double {
		return s.constant64[i]
	}
	return float64(s.constant32[i])
}

// alignment of planned stores, in numbers: a line of the cache for float32.
const alignment = 16

// arrange gives the planned stores of a class their places in one space, in
// which those that are never needed at once share memory, and returns its size.
// The largest are placed first, each as low as it fits.
func arrange(stores []*store, c class) (size int) {
	var free []*store
	for _, s := range stores {
		if s.kind == planned && s.class == c && s.parent == nil {
			free = append(free, s)
		}
	}
	slices.SortStableFunc(free, func(a, b *store) int { return cmp.Compare(b.size, a.size) })
	var placed []*store // by offset
	for _, s := range free {
		for _, other := range placed {
			if s.first > other.last || other.first > s.last {
				continue
			}
			if s.offset+s.size <= other.offset {
				break
			}
			s.offset = max(s.offset, roundUp(other.offset+other.size, alignment))
		}
		at, _ := slices.BinarySearchFunc(placed, s, func(a, b *store) int { return cmp.Compare(a.offset, b.offset) })
		placed = slices.Insert(placed, at, s)
		size = max(size, s.offset+s.size)
	}
	return size
}
