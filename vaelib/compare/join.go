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
// equally long. What a file has between the times of a coarser calendar, such as days
// beside months, or weekends beside days of a stock exchange, is compounded into the
// returns over those; single times that others lack are left out. A name that several
// files have gets the file's name before it.
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
	rows, starts, finer := stretches(rows)
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
			what := "left out, which the others lack"
			if finer[k] {
				what = "compounded into longer ones, which the others have, or left out before them"
			}
			out.Notes = append(out.Notes, fmt.Sprintf("%s: %d of %d periods %s", t.Source, left, t.Periods(), what))
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
				x := t.Returns.At(row, j)
				for before := row - 1; finer[k] && before >= starts[k][i]; before-- {
					x = (1+x)*(1+t.Returns.At(before, j)) - 1
				}
				out.Returns.Set(i, at, x)
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

// stretches tells where the stretches begin that end in shared rows (nil: each is one row),
// and which files have more periods in them than one. The first of them goes then: where the
// return over a coarser period begins isn't known.
func stretches(rows [][]int) (ends, starts [][]int, finer []bool) {
	finer = make([]bool, len(rows))
	for k := range rows {
		finer[k] = isFiner(rows[k])
	}
	if !slices.Contains(finer, true) || len(rows[0]) < 3 {
		clear(finer)
		return rows, nil, finer
	}
	for _, shared := range rows {
		var begins []int
		for _, row := range shared[:len(shared)-1] {
			begins = append(begins, row+1)
		}
		ends, starts = append(ends, shared[1:]), append(starts, begins)
	}
	return ends, starts, finer
}

// isFiner says whether a file of which these rows are shared has a calendar of its own: a
// tenth of its times at least lies between those, in many places, in none many more than usual.
func isFiner(rows []int) bool {
	var gaps []int
	left, most := 0, 0
	for i := 1; i < len(rows); i++ {
		if gap := rows[i] - rows[i-1]; gap > 1 {
			gaps = append(gaps, gap)
			left, most = left+gap-1, max(most, gap)
		}
	}
	if len(gaps) == 0 || 10*len(gaps) < len(rows) || 10*left < rows[len(rows)-1]-rows[0] {
		return false
	}
	slices.Sort(gaps)
	return most <= 2*gaps[len(gaps)/2]
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
