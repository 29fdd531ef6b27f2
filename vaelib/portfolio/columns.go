package portfolio

import (
	"fmt"
	"slices"
	"strings"
)

// findColumns finds the columns of a table by what they may be called, each of them once:
// columns has the place of each of the words, -1 for none, and others the places that no
// word fits. A name may end in a percent sign.
func findColumns(fields [][]byte, words ...[]string) (names []string, columns, others []int, err error) {
	columns = slices.Repeat([]int{-1}, len(words))
	for i, f := range fields {
		names = append(names, string(f))
		name := strings.TrimSuffix(strings.TrimSuffix(plain(f), "percent"), "pct")
		at := slices.IndexFunc(words, func(w []string) bool { return slices.Contains(w, name) })
		switch {
		case at < 0:
			others = append(others, i)
		case columns[at] >= 0:
			return nil, nil, nil, fmt.Errorf("columns %s and %s mean the same: keep one", names[columns[at]], f)
		default:
			columns[at] = i
		}
	}
	return names, columns, others, nil
}

// shareBelow reads a share below the name of its column, which may say that it is in percent.
func shareBelow(header string, field []byte) (float64, error) {
	if inPercent([]byte(header)) {
		return share(field, percent)
	}
	return share(field, shares)
}
