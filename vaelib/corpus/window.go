package corpus

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Span is one rolling window: the returns [From, To) of the window that the
// corpus was built from.
type Span struct {
	From, To   int
	Validation bool
}

// spans lists the rolling windows over periods returns, training windows
// first, each group by lookback and then by end. Training windows lie before
// the cut. Validation windows lie after it, in the last share of the time,
// which is stretched to hold at least one window of the longest lookback.
func spans(periods int, lookbacks []int, step int, share float64) (training, validation []Span, cut int, err error) {
	longest := 0
	for _, l := range lookbacks {
		longest = max(longest, l)
	}
	cut = periods
	if share > 0 {
		cut = min(int(float64(periods)*(1-share)), periods-longest)
	}
	if cut < longest {
		need := longest
		if share > 0 {
			need = 2 * longest
		}
		return nil, nil, 0, fmt.Errorf("%d returns are too few for windows of %d (at least %d are needed): give "+
			"more history or shorter lookbacks", periods, longest, need)
	}
	for _, l := range lookbacks {
		for end := l; end <= cut; end += min(step, periods) { // whose sum can't overflow
			training = append(training, Span{From: end - l, To: end})
		}
		for end := cut + l; share > 0 && end <= periods; end += min(step, periods) {
			validation = append(validation, Span{From: end - l, To: end, Validation: true})
		}
	}
	return training, validation, cut, nil
}

// Reach leaves out the longest lookbacks, as long as there are shorter ones, of which
// periods returns don't hold a training window, one that is held out where any are,
// and with embargo as many again that are lost to it. It returns a line that says so,
// if any is left out. Where even the shortest doesn't fit, the error says which would.
func (c *Config) Reach(periods int, embargo bool) (note string, err error) {
	c.EnsureDefaults()
	windows := 1
	if c.Validation > 0 {
		windows++
	}
	if embargo {
		windows++
	}
	most := periods / windows
	if shortest := slices.Min(c.Lookbacks); shortest > most {
		advice := "give more history"
		if most >= 2 {
			advice += fmt.Sprintf(", or lookbacks of at most %d", most)
		}
		return "", fmt.Errorf("%d returns are too few for lookbacks of %d, of which %d have to fit in: %s", periods,
			shortest, windows, advice)
	}
	var kept []int
	var left []string
	for _, l := range c.Lookbacks {
		if l > most {
			left = append(left, strconv.Itoa(l))
		} else {
			kept = append(kept, l)
		}
	}
	if c.Lookbacks = kept; left != nil {
		note = fmt.Sprintf("lookbacks left out: %s, since %d returns don't hold %d windows of more than %d",
			strings.Join(left, ", "), periods, windows, most)
	}
	return note, nil
}
