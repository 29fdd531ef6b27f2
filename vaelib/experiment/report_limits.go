package experiment

import (
	"fmt"

	"vaefolio/vaelib/simplex"
)

// mostLimits is of how many assets the report tells limits of their own.
const mostLimits = 30

// weightLimits are the limits that most assets of a set have, and what the others have
// instead.
func weightLimits(set *simplex.Set) (lower, upper float64, others []string) {
	type limits struct{ lower, upper float64 }
	all, count := make([]limits, set.N), map[limits]int{}
	for j := range all {
		all[j].upper = 1
		if set.Lower != nil {
			all[j].lower = set.Lower[j]
		}
		if set.Upper != nil {
			all[j].upper = set.Upper[j]
		}
		count[all[j]]++
	}
	usual := all[0]
	for _, l := range all { // the first of those that are as frequent
		if count[l] > count[usual] {
			usual = l
		}
	}
	for j, l := range all {
		if l != usual {
			name := fmt.Sprintf("asset %d", j+1)
			if set.Symbols != nil {
				name = set.Symbols[j]
			}
			others = append(others, fmt.Sprintf("That of %s is from %.6g %% to %.6g %% instead.", name, 100*l.lower,
				100*l.upper))
		}
	}
	if more := len(others) - mostLimits; more > 0 {
		others = append(others[:mostLimits], fmt.Sprintf("%d more assets have limits of their own.", more))
	}
	return usual.lower, usual.upper, others
}
