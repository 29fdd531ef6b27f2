package corpus

import (
	"slices"
	"testing"
)

// Lookbacks that returns are too few for are left out, as long as there are shorter
// ones, and what is left can be built from.
func TestReach(t *testing.T) {
	for _, c := range []struct {
		periods    int
		embargo    bool
		validation float64
		left       []int
		told       string
	}{
		{1000, true, 0.2, []int{20, 60, 120}, ""},
		{360, true, 0.2, []int{20, 60, 120}, ""},
		{351, true, 0.2, []int{20, 60}, "lookbacks left out: 120, since 351 returns don't hold 3 windows of more than 117"},
		{240, false, 0.2, []int{20, 60, 120}, ""},
		{134, true, 0.2, []int{20}, "lookbacks left out: 60, 120, since 134 returns don't hold 3 windows of more than 44"},
		{120, false, 0, []int{20, 60, 120}, ""},
		{59, true, 0.2, nil, "59 returns are too few for lookbacks of 20, of which 3 have to fit in: give more " +
			"history, or lookbacks of at most 19"},
		{3, false, 0.2, nil, "3 returns are too few for lookbacks of 20, of which 2 have to fit in: give more history"},
	} {
		config := Config{Validation: c.validation}
		note, err := config.Reach(c.periods, c.embargo)
		if err != nil {
			note = err.Error()
		}
		if note != c.told || err == nil && !slices.Equal(config.Lookbacks, c.left) {
			t.Errorf("%d returns: lookbacks %v, %q", c.periods, config.Lookbacks, note)
		}
		if err != nil {
			continue
		}
		periods := c.periods
		if c.embargo {
			periods -= config.LongestLookback()
		}
		if _, _, _, err := spans(periods, config.Lookbacks, 5, c.validation); err != nil {
			t.Errorf("%d returns: %v", c.periods, err)
		}
	}
}
