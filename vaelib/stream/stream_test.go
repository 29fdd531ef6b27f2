package stream_test

import (
	"fmt"
	"testing"

	"vaefolio/vaelib/stream"
)

func ExampleNew() {
	a := stream.New(1, "weights", 0)
	b := stream.New(1, "weights", 0)
	c := stream.New(1, "weights", 1)
	x, y, z := a.Float64(), b.Float64(), c.Float64()
	fmt.Println(x == y, x == z)
	// Output: true false
}

// The streams are part of every result that a seed promises to repeat, so
// their first numbers are pinned.
func TestPinned(t *testing.T) {
	first := func(seed uint64, purpose string, index uint64) uint64 {
		return stream.New(seed, purpose, index).Uint64()
	}
	seen := map[uint64]string{}
	for seed := uint64(0); seed < 20; seed++ {
		for _, purpose := range []string{"", "a", "b", "ab"} {
			for index := uint64(0); index < 20; index++ {
				name := fmt.Sprint(seed, purpose, index)
				value := first(seed, purpose, index)
				if other, ok := seen[value]; ok {
					t.Fatalf("streams %s and %s start alike", name, other)
				}
				seen[value] = name
			}
		}
	}
	if got, want := first(1, "weights", 0), uint64(0x8bc680def7265414); got != want {
		t.Errorf("stream(1, weights, 0) starts with %#x, want %#x", got, want)
	}
}
