package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// labGroup is a group of worlds, each with the mean share of every strategy.
type labGroup struct {
	name   string
	worlds []int // numbers in their cells: even ones choose, odd ones test
	shares [][]float64
}

// labTest is a comparison: the pair that did best on the worlds that choose, tested on
// the others.
type labTest struct {
	group          *labGroup
	member, rival  int
	differ         []float64
	against        map[string][]float64 // of every rival
	p, holm, level float64
}

// student is the mean of independent values, and half the width of the interval.
func student(values []float64, level float64) (mean, half float64) {
	n := float64(len(values))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	return sum(values) / n, t.Quantile((1+level)/2) * deviation(values) / math.Sqrt(n)
}

// of are the shares of a strategy in the worlds of one half; both: of all.
func (g *labGroup) of(strategy int, half string) (values []float64) {
	for i, row := range g.shares {
		even := g.worlds[i]%2 == 0
		if half == "both" || even == (half == "choosing") {
			values = append(values, row[strategy])
		}
	}
	return values
}

// findingsOf groups the worlds as the summary does: by cell, then by dispersion, assets
// and periods, then all.
func (l *laboratory) groups(prior [][]float64) (cells, groups []*labGroup) {
	gather := func(name string, has func(labCell) bool) *labGroup {
		g := &labGroup{name: name}
		for i, w := range l.worlds {
			if !has(w.labCell) {
				continue
			}
			mean := make([]float64, len(w.Strategies)+1)
			for k, row := range w.Shares {
				for s, v := range append(slices.Clone(row), prior[i][k]) {
					mean[s] += v / float64(len(w.Shares))
				}
			}
			g.worlds, g.shares = append(g.worlds, w.World), append(g.shares, mean)
		}
		return g
	}
	s := l.plan.Settings
	for _, c := range l.plan.cells() {
		name := fmt.Sprintf("n %d, T %d, dispersion %g", c.Assets, c.Periods, c.Dispersion)
		cells = append(cells, gather(name, func(other labCell) bool { return other == c }))
	}
	if len(cells) > 1 {
		for _, d := range s.Dispersion {
			groups = append(groups, gather(fmt.Sprintf("dispersion %g", d),
				func(c labCell) bool { return c.Dispersion == d }))
		}
		for _, n := range s.Assets {
			groups = append(groups, gather(fmt.Sprintf("n %d", n), func(c labCell) bool { return c.Assets == n }))
		}
		for _, periods := range s.Periods {
			groups = append(groups, gather(fmt.Sprintf("T %d", periods),
				func(c labCell) bool { return c.Periods == periods }))
		}
	}
	return cells, append(groups, gather("whole map", func(labCell) bool { return true }))
}

// best is the strategy of a kind with the largest mean over one half: the one that is
// named, where it is as good, but for roundings, as the best.
func (g *labGroup) best(named any, kind string, names, kinds []string, half string) int {
	best, most := -1, 0.0
	means := make([]float64, len(kinds))
	for s, k := range kinds {
		values := g.of(s, half)
		means[s] = sum(values) / float64(len(values))
		if k == kind && (best < 0 || means[s] > most) {
			best, most = s, means[s]
		}
	}
	name, _ := named.(string)
	if at := slices.Index(names, name); at >= 0 && kinds[at] == kind && means[at] > most-1e-12 {
		return at
	}
	return best
}

// test lays out the differences of the pair chosen, by what is stored of it.
func (g *labGroup) test(stored any, names, kinds []string) *labTest {
	row, _ := stored.(map[string]any)
	t := &labTest{group: g, against: map[string][]float64{},
		member: g.best(row["member"], "family", names, kinds, "choosing"),
		rival:  g.best(row["rival"], "rival", names, kinds, "choosing")}
	own := g.of(t.member, "testing")
	for s, kind := range kinds {
		if kind == "rival" {
			differ := g.of(s, "testing")
			for i := range differ {
				differ[i] = own[i] - differ[i]
			}
			t.against[names[s]] = differ
		}
	}
	t.differ = t.against[names[t.rival]]
	mean, n := sum(t.differ)/float64(len(t.differ)), float64(len(t.differ))
	switch sd := deviation(t.differ); {
	case sd == 0 && mean == 0:
		t.p = 1
	case sd > 0:
		student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
		t.p = 2 * student.Survival(math.Abs(mean)/sd*math.Sqrt(n))
	}
	return t
}

// correct corrects tests for each other (Holm 1979).
func correct(tests []*labTest) {
	order := slices.Clone(tests)
	slices.SortStableFunc(order, func(a, b *labTest) int { return cmp.Compare(a.p, b.p) })
	largest, divisor, stopped := 0.0, 1.0, false
	for k, t := range order {
		left := float64(len(order) - k)
		if !stopped {
			divisor = left
		}
		largest = max(largest, min(1, t.p*left))
		t.holm, t.level = largest, 1-0.05/divisor
		stopped = stopped || t.holm >= 0.05
	}
}

// checkFindings recomputes the summary from the shares.
func (f *folder) checkFindings(context.Context) error {
	const file = "summary.json"
	l, err := f.laboratory()
	if err != nil {
		return err
	}
	s, err := f.object(file)
	if err != nil {
		return err
	}
	p := l.plan
	for name, want := range map[string]any{"kind": p.Kind, "source": p.Settings.Source, "market": p.Market,
		"synthetic": p.Synthetic, "seed": p.Seed, "backend": p.Backend, "worlds": p.Settings.Worlds,
		"windows": p.Settings.Windows} {
		f.equal(file, name, s[name], want)
	}
	prior, err := f.priors(l)
	if err != nil {
		return err
	}
	names := append(slices.Clone(l.worlds[0].Strategies), rightPrior)
	kinds := append(slices.Clone(l.worlds[0].Kinds), "ceiling")
	cells, groups := l.groups(prior)
	rows, more := listOf(s, "cells"), listOf(s, "groups")
	if !f.equal(file, "numbers of cells and groups", []int{len(rows), len(more)}, []int{len(cells), len(groups)}) {
		return nil
	}
	var stored []any
	for _, row := range rows {
		row, _ := row.(map[string]any)
		stored = append(stored, row["test"])
	}
	stored = append(stored, more...)
	var tests []*labTest
	for i, g := range slices.Concat(cells, groups) {
		tests = append(tests, g.test(stored[i], names, kinds))
	}
	correct(tests)
	for i, t := range tests {
		f.checkLabTest(stored[i], t, names)
	}
	for i, row := range rows {
		row, _ := row.(map[string]any)
		c, g := l.plan.cells()[i], cells[i]
		f.equal(file, "cell "+g.name, []any{row["n"], row["periods"], row["dispersion"], row["periods_per_asset"],
			row["best_rival"], row["best_member"]}, []any{c.Assets, c.Periods, c.Dispersion,
			float64(c.Periods) / float64(c.Assets), names[g.best(row["best_rival"], "rival", names, kinds, "both")],
			names[g.best(row["best_member"], "family", names, kinds, "both")]})
		f.checkStandings(row["standings"], g, names, kinds)
	}
	f.checkStandings(s["standings"], groups[len(groups)-1], names, kinds)
	f.checkDifferences(s["differences"], cells, groups, names, kinds)
	return nil
}

func listOf(s map[string]any, name string) []any {
	list, _ := s[name].([]any)
	return list
}

// nearField compares a number of a JSON object.
func (f *folder) nearField(where string, row map[string]any, field string, want float64) {
	f.near("summary.json", field+" of "+where, row[field], want, ofRules)
}

func (f *folder) checkStandings(stored any, g *labGroup, names, kinds []string) {
	rows, _ := stored.([]any)
	if !f.equal("summary.json", "standings of "+g.name, len(rows), len(names)) {
		return
	}
	for k, row := range rows {
		row, _ := row.(map[string]any)
		where := names[k] + " in " + g.name
		f.equal("summary.json", "name of "+where, []any{row["name"], row["kind"]}, []any{names[k], kinds[k]})
		mean, half := student(g.of(k, "both"), 0.95)
		f.nearField(where, row, "share", mean)
		f.nearField(where, row, "from", mean-half)
		f.nearField(where, row, "to", mean+half)
	}
}

func (f *folder) checkLabTest(stored any, t *labTest, names []string) {
	const file = "summary.json"
	row, _ := stored.(map[string]any)
	where := "the test of " + t.group.name
	mean, half := student(t.differ, t.level)
	nearest, lead := "", math.Inf(1)
	for _, name := range names {
		if differ, rival := t.against[name]; rival {
			if mean, half := student(differ, t.level); mean-half < lead {
				nearest, lead = name, mean-half
			}
		}
	}
	verdict := "undecided"
	switch {
	case mean-half > 0 && lead > 0:
		verdict = "generator"
	case mean+half < 0:
		verdict = "rival"
	}
	f.equal(file, where, []any{row["group"], row["worlds"], row["member"], row["rival"], row["verdict"]},
		[]any{t.group.name, len(t.differ), names[t.member], names[t.rival], verdict})
	f.nearField(where, row, "difference", mean)
	f.nearField(where, row, "from", mean-half)
	f.nearField(where, row, "to", mean+half)
	f.nearField(where, row, "level", t.level)
	f.nearField(where, row, "p", t.p)
	f.nearField(where, row, "p_holm", t.holm)
	f.nearField(where, row, "lead", lead)
	if differ := t.against[fmt.Sprint(row["nearest_rival"])]; differ == nil {
		f.equal(file, "nearest_rival of "+where, row["nearest_rival"], nearest)
	} else { // of equal ones either
		mean, half := student(differ, t.level)
		f.near(file, "nearest_rival of "+where, mean-half, lead, ofRules)
	}
}

// checkDifferences recomputes what the learnt rule has more than each rival.
func (f *folder) checkDifferences(stored any, cells, groups []*labGroup, names, kinds []string) {
	const file = "summary.json"
	var over []*labGroup
	if len(cells) > 1 {
		for _, g := range groups {
			if len(g.name) > 10 && g.name[:10] == "dispersion" {
				over = append(over, g)
			}
		}
	}
	over = append(over, groups[len(groups)-1])
	rows, _ := stored.([]any)
	at := 0
	for _, g := range over {
		for _, member := range []string{"learnt", "half-learnt-empirical-bayes"} {
			own := slices.Index(names, member)
			for s, kind := range kinds {
				if own < 0 || kind != "rival" {
					continue
				}
				if at >= len(rows) {
					f.equal(file, "number of differences", len(rows), "more")
					return
				}
				row, _ := rows[at].(map[string]any)
				at++
				differ := g.of(own, "both")
				for i, v := range g.of(s, "both") {
					differ[i] -= v
				}
				mean, half := student(differ, 0.95)
				where := fmt.Sprintf("%s less %s in %s", member, names[s], g.name)
				f.equal(file, where, []any{row["group"], row["worlds"], row["member"], row["rival"]},
					[]any{g.name, len(differ), member, names[s]})
				f.nearField(where, row, "difference", mean)
				f.nearField(where, row, "from", mean-half)
				f.nearField(where, row, "to", mean+half)
			}
		}
	}
	f.equal(file, "number of differences", len(rows), at)
}
