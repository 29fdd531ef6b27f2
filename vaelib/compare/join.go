package compare

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/spelling"
)

// Join puts tracks of several files beside each other, over the periods that all
// share. Where all have times the times tell; where one has none, all must be
// equally long. A name that several files have gets the file's name before it.
func Join(all []*Tracks) (*Tracks, error) {
	if len(all) == 0 {
		return nil, errors.New("no tracks to compare")
	}
	if len(all) == 1 {
		return all[0], nil
	}
	rows, err := sharedRows(all)
	if err != nil {
		return nil, err
	}
	out := &Tracks{}
	var sources []string
	labels := labels(all)
	columns := 0
	for k, t := range all {
		sources = append(sources, t.Source)
		columns += len(t.Names)
		out.Notes = append(out.Notes, t.Notes...)
		if out.PeriodsPerYear == 0 {
			out.PeriodsPerYear = t.PeriodsPerYear
		}
		if t.PeriodsPerYear > 0 && t.PeriodsPerYear != out.PeriodsPerYear {
			return nil, fmt.Errorf("%s has %v periods a year, the others %v: compare tracks of one interval",
				t.Source, t.PeriodsPerYear, out.PeriodsPerYear)
		}
		if left := t.Periods() - len(rows[k]); left > 0 {
			out.Notes = append(out.Notes, fmt.Sprintf("%s: %d of %d periods left out, which the others lack",
				t.Source, left, t.Periods()))
		}
		for j, name := range t.Names {
			if shared(all, name) > 1 {
				name = labels[k] + "/" + name
			}
			out.Names = append(out.Names, name)
			out.Sources = append(out.Sources, t.Sources[j])
		}
	}
	out.Source = strings.Join(sources, ", ")
	out.Returns = mat.NewDense(len(rows[0]), columns, nil)
	at := 0
	for k, t := range all {
		for j := range t.Names {
			for i, row := range rows[k] {
				out.Returns.Set(i, at, t.Returns.At(row, j))
			}
			at++
		}
	}
	if all[0].Times != nil {
		for _, row := range rows[0] {
			out.Times = append(out.Times, all[0].Times[row])
		}
	}
	return out, nil
}

// sharedRows are the rows of each file that the others have too.
func sharedRows(all []*Tracks) ([][]int, error) {
	rows := make([][]int, len(all))
	dated := !slices.ContainsFunc(all, func(t *Tracks) bool { return t.Times == nil })
	if !dated {
		for k, t := range all {
			if t.Periods() != all[0].Periods() {
				return nil, fmt.Errorf("%s has %d periods and %s %d: without dates in both nobody can tell which "+
					"belong together; give both a first column date",
					all[0].Source, all[0].Periods(), t.Source, t.Periods())
			}
			for i := range t.Periods() {
				rows[k] = append(rows[k], i)
			}
		}
		return rows, nil
	}
	count := map[int64]int{}
	for _, t := range all {
		for _, at := range t.Times {
			count[at.UnixMilli()]++
		}
	}
	for k, t := range all {
		for i, at := range t.Times {
			if count[at.UnixMilli()] == len(all) {
				rows[k] = append(rows[k], i)
			}
		}
		if len(rows[k]) < 2 {
			return nil, fmt.Errorf("%s and the others share %d periods: compare tracks of the same time, with equal "+
				"dates", t.Source, len(rows[k]))
		}
	}
	return rows, nil
}

// labels are short names of the files, each its own.
func labels(all []*Tracks) []string {
	out := make([]string, len(all))
	for k, t := range all {
		base := filepath.Base(filepath.Clean(t.Source))
		out[k] = strings.TrimSuffix(base, filepath.Ext(base))
	}
	for k := range out {
		for j := range out {
			if j != k && out[j] == out[k] {
				for i := range out {
					out[i] = all[i].Source
				}
				if all[j].Source == all[k].Source {
					for i := range out {
						out[i] = fmt.Sprint(i + 1)
					}
				}
				return out
			}
		}
	}
	return out
}

// shared counts the files with a track of the name.
func shared(all []*Tracks, name string) int {
	count := 0
	for _, t := range all {
		if slices.Contains(t.Names, name) {
			count++
		}
	}
	return count
}

// Choose returns the named tracks in the order asked for, and an error that names
// the nearest for one that isn't there.
func (t *Tracks) Choose(names []string) (*Tracks, error) {
	out := *t
	out.Names, out.Sources = nil, nil
	out.Returns = mat.NewDense(t.Periods(), len(names), nil)
	for k, name := range names {
		at, err := t.Index(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out.Names, name) {
			return nil, fmt.Errorf("track %s is named twice", name)
		}
		out.Names, out.Sources = append(out.Names, name), append(out.Sources, t.Sources[at])
		out.Returns.SetCol(k, t.Column(at))
	}
	return &out, nil
}

// Index returns the place of a track, and an error that names the nearest for one
// that isn't there.
func (t *Tracks) Index(name string) (int, error) {
	if at := slices.Index(t.Names, name); at >= 0 {
		return at, nil
	}
	nearest := slices.MinFunc(t.Names, func(a, b string) int {
		return spelling.Distance(name, a) - spelling.Distance(name, b)
	})
	return 0, fmt.Errorf("no track %s: is %s meant?", name, nearest)
}

// Over returns the tracks over the periods of others, and whether they have all of
// them.
func (t *Tracks) Over(others *Tracks) (*Tracks, bool) {
	if t.Times == nil || others.Times == nil {
		return t, t.Times == nil && others.Times == nil && t.Periods() == others.Periods()
	}
	row := map[int64]int{}
	for i, at := range t.Times {
		row[at.UnixMilli()] = i
	}
	out := *t
	out.Times, out.Returns = others.Times, mat.NewDense(len(others.Times), len(t.Names), nil)
	for i, at := range others.Times {
		from, ok := row[at.UnixMilli()]
		if !ok {
			return t, false
		}
		out.Returns.SetRow(i, t.Returns.RawRowView(from))
	}
	return &out, true
}
