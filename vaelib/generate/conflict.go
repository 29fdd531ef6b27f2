package generate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/polish"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

const (
	// nearEnough is a miss, in standard deviations, that counts as none.
	nearEnough = 0.01
	// fewStarts is from how many portfolios the range of a condition is looked for.
	fewStarts = 4
	// aside divides what misses of a condition count while the others are met.
	aside = 1e3
)

// reached returns an error where no portfolio meets the wish: it tells the conditions
// that can't be had together, and what each can be had to be, given the others.
func (d *Donors) reached(ctx context.Context, set simplex.Set, wish portfolio.Wish, weights *mat.Dense) error {
	goals := d.goals(wish)
	if len(goals) == 0 {
		return nil
	}
	nearest := nearestRows(goals, weights, 1)[0]
	if missOf(goals, weights.RawRowView(nearest)) <= nearEnough {
		return nil
	}
	known := d.beside(weights)
	var conflict, has []string
	for i, g := range goals {
		name := g.Measure.Name
		from, to, err := polish.Attainable(ctx, set, g.Measure)
		if err != nil {
			return err
		}
		others := slices.Delete(slices.Clone(goals), i, i+1)
		low, high, err := given(ctx, set, others, g, from, to, known)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%s %.6g (by itself from %.6g to %.6g", name,
			g.Measure.Value(weights.RawRowView(nearest)), from, to)
		if len(others) > 0 && low <= high {
			conflict = append(conflict, name)
			text += fmt.Sprintf(", given the rest about %.3g to %.3g", low, high)
		}
		has = append(has, text+")")
	}
	who := ""
	if len(conflict) > 1 {
		who = fmt.Sprintf(": %s can't be had together", strings.Join(conflict, " and "))
	}
	return fmt.Errorf("%s: no portfolio within the constraints was found that has all of it%s; the nearest has %s",
		wish, who, strings.Join(has, ", "))
}

// beside are the portfolios (N x n) and those of the donors.
func (d *Donors) beside(weights *mat.Dense) *mat.Dense {
	rows, n := weights.Dims()
	all := mat.NewDense(rows+len(d.Weights), n, nil)
	all.Slice(0, rows, 0, n).(*mat.Dense).Copy(weights)
	for i, w := range d.Weights {
		all.SetRow(rows+i, w)
	}
	return all
}

// given is the range of a condition, which lies between from and to by itself, over
// portfolios that meet the others, as far as it was found from the known ones (N x n);
// low lies above high where none meets the others.
func given(
	ctx context.Context, set simplex.Set, others []polish.Goal, g polish.Goal, from, to float64, known *mat.Dense,
) (low, high float64, err error) {
	starts := nearestRows(others, known, fewStarts)
	meeting := mat.NewDense(len(starts), set.N, nil)
	for k, row := range starts {
		meeting.SetRow(k, known.RawRowView(row))
	}
	if err := simplex.ProjectAll(ctx, set, meeting, meeting, nil); err != nil {
		return 0, 0, err
	}
	low, high = math.Inf(1), math.Inf(-1)
	move := func(w *mat.Dense, goals []polish.Goal) error {
		err := polish.All(ctx, set, w, func(int) []polish.Goal { return goals }, nil)
		for k := range starts {
			if row := w.RawRowView(k); err == nil && missOf(others, row) <= nearEnough {
				low, high = min(low, g.Measure.Value(row)), max(high, g.Measure.Value(row))
			}
		}
		return err
	}
	if err := move(meeting, others); err != nil {
		return 0, 0, err
	}
	for _, end := range []float64{from, to} {
		weak := polish.Goal{Measure: g.Measure, Lo: end, Hi: end, Scale: aside * g.Scale}
		if err := move(mat.DenseCopyOf(meeting), append(slices.Clone(others), weak)); err != nil {
			return 0, 0, err
		}
	}
	return low, high, nil
}

// missOf is the largest miss of weights.
func missOf(goals []polish.Goal, w []float64) (worst float64) {
	for _, g := range goals {
		worst = max(worst, g.Miss(g.Measure.Value(w)))
	}
	return worst
}

// nearestRows are the count rows that miss goals by the least, at most all.
func nearestRows(goals []polish.Goal, weights *mat.Dense, count int) []int {
	n, _ := weights.Dims()
	rows, misses := make([]int, n), make([]float64, n)
	for i := range rows {
		rows[i], misses[i] = i, missOf(goals, weights.RawRowView(i))
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(misses[a], misses[b]) })
	return rows[:min(count, n)]
}
