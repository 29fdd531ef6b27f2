package sweep

import (
	"fmt"
	"slices"
	"strings"
)

// Axis is one setting of a sweep with the values that it takes.
type Axis struct {
	Name   string
	Values []string // as a flag has them: 0.5, or 64,32 for a list
}

// Axes are several axes. Their text has one on a line, or separated by
// semicolons, the values separated by spaces:
//
//	beta   = 0.25 0.5 1 2
//	hidden = 64,32 128,64
type Axes []Axis

// UnmarshalText reads axes, and refuses one without values or given twice.
func (a *Axes) UnmarshalText(text []byte) error {
	var axes Axes
	for line := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == '\n' || r == ';' }) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, list, ok := strings.Cut(line, "=")
		axis := Axis{strings.TrimSpace(name), strings.Fields(list)}
		switch {
		case !ok || axis.Name == "" || len(axis.Values) == 0:
			return fmt.Errorf("axis %q: want NAME = VALUE VALUE …, such as beta = 0.5 1 2", line)
		case axes.index(axis.Name) >= 0:
			return fmt.Errorf("axis %s is given twice: join its values", axis.Name)
		}
		for i, value := range axis.Values {
			if slices.Contains(axis.Values[:i], value) {
				return fmt.Errorf("axis %s has the value %s twice", axis.Name, value)
			}
		}
		axes = append(axes, axis)
	}
	*a = axes
	return nil
}

// MarshalText writes the axes in one line, which UnmarshalText reads.
func (a Axes) MarshalText() ([]byte, error) {
	texts := make([]string, len(a))
	for i, axis := range a {
		texts[i] = axis.Name + "=" + strings.Join(axis.Values, " ")
	}
	return []byte(strings.Join(texts, "; ")), nil
}

func (a Axes) index(name string) int {
	return slices.IndexFunc(a, func(x Axis) bool { return x.Name == name })
}

// maxPoints bounds a sweep, against a slip of the keyboard.
const maxPoints = 1_000_000

// Points lists the points of a sweep: every combination of the grid's values,
// its first axis the slowest, each with every row of the zipped axes, whose
// values go together, and the seeds last. Names are the axes in the order of a
// point's values; seeds, where there are any, are the axis "seed".
func Points(grid, zip Axes, seeds []uint64) (names []string, points [][]string, err error) {
	columns := make([]Axes, 0, len(grid)+2) // axes that go together
	for _, axis := range grid {
		columns = append(columns, Axes{axis})
	}
	if len(zip) > 0 {
		for _, axis := range zip[1:] {
			if len(axis.Values) != len(zip[0].Values) {
				return nil, nil, fmt.Errorf("zipped axes go together, but %s has %d values and %s %d",
					zip[0].Name, len(zip[0].Values), axis.Name, len(axis.Values))
			}
		}
		columns = append(columns, zip)
	}
	if len(seeds) > 0 {
		axis := Axis{Name: "seed"}
		for _, seed := range seeds {
			axis.Values = append(axis.Values, fmt.Sprint(seed))
		}
		columns = append(columns, Axes{axis})
	}
	points = [][]string{nil}
	for _, together := range columns {
		for _, axis := range together {
			if slices.Contains(names, axis.Name) {
				return nil, nil, fmt.Errorf("axis %s is given twice: in a grid, a zip or as seeds", axis.Name)
			}
			names = append(names, axis.Name)
		}
		rows := len(together[0].Values)
		if len(points)*rows > maxPoints {
			return nil, nil, fmt.Errorf("more than %d runs: take fewer values", maxPoints)
		}
		next := make([][]string, 0, len(points)*rows)
		for _, point := range points {
			for row := range rows {
				extended := slices.Clone(point)
				for _, axis := range together {
					extended = append(extended, axis.Values[row])
				}
				next = append(next, extended)
			}
		}
		points = next
	}
	return names, points, nil
}
