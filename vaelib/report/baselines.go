package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
)

// baselinesSection sets the model against what is simpler, and says where it
// loses unless that has been said.
func baselinesSection(b Baselines, judged bool) Section {
	s := Section{ID: "baselines", Title: "The model beside simpler ways"}
	facts := []Fact{{"In sample", b.InSample.text()}, {"Out of sample", b.OutSample.text()}}
	if b.Budget > 0 {
		facts = append(facts, Fact{"Budget of each search", plural(b.Budget, "evaluation")})
	}
	s.Blocks = append(s.Blocks, Block{Facts: facts})
	if w := b.aboveBound(); w != "" {
		s.Blocks = append(s.Blocks, Block{Warning: w})
	}
	if !judged {
		s.Blocks = append(s.Blocks, Block{List: b.Judgement()})
	}
	s.Blocks = append(s.Blocks, Block{Table: b.table(outSample)})
	s.Blocks = append(s.Blocks, Block{Table: b.table(inSample)})
	if len(b.Notes) > 0 {
		s.Blocks = append(s.Blocks, Block{List: b.Notes})
	}
	return s
}

// table lists the rows with one window's figures; the in-sample one adds the
// share of the bound and the evaluations spent.
func (b Baselines) table(w window) *Table {
	full := w.name == inSample.name
	names := []string{"Portfolio", "Sharpe"}
	bound, hasBound := b.row(b.Bound)
	if full && hasBound {
		names = append(names, "Of the bound")
	}
	ranged := !full && b.Intervals != nil
	if ranged {
		names = append(names, "95 % from", "to")
	}
	names = append(names, "Annual return", "Annual volatility", "Largest drawdown", "Effective assets")
	if full {
		names = append(names, "Evaluations")
	}
	t := &Table{Caption: w.name, Columns: headings(names...)}
	for _, r := range b.Rows {
		cell := func(figure metrics.Figure, f Format) Cell { return NumberCell(w.figures(&r).Value(figure), f) }
		cells := []Cell{TextCell(r.Name), cell(metrics.Sharpe, Ratio)}
		if full && hasBound {
			cells = append(cells, NumberCell(inSample.sharpe(&r).Over(inSample.sharpe(&bound)), Percent))
		}
		if ranged {
			interval := b.Intervals[r.Name]
			cells = append(cells, NumberCell(interval[0], Ratio), NumberCell(interval[1], Ratio))
		}
		cells = append(cells, cell(metrics.AnnualReturn, Percent), cell(metrics.Volatility, Percent),
			cell(metrics.MaxDrawdown, Percent), cell(metrics.EffectiveAssets, Ratio))
		if full {
			cells = append(cells, NumberCell(r.Evaluations, Number))
		}
		line := Row{Cells: cells, Strong: r.Name == b.Model}
		if full {
			line.Note = r.What
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

func (b Baselines) row(name string) (Baseline, bool) {
	i := slices.IndexFunc(b.Rows, func(r Baseline) bool { return name != "" && r.Name == name })
	if i < 0 {
		return Baseline{}, false
	}
	return b.Rows[i], true
}

// window is one of the two ranges of time that the table covers.
type window struct {
	name    string
	figures func(*Baseline) *metrics.Figures
}

func (w window) sharpe(r *Baseline) number.Value { return w.figures(r).Value(metrics.Sharpe) }

var (
	inSample  = window{"In sample", func(r *Baseline) *metrics.Figures { return &r.InSample }}
	outSample = window{"Out of sample", func(r *Baseline) *metrics.Figures { return &r.OutSample }}
)

// contest is how the model stands against its rivals in one window: every
// other row whose Sharpe ratio is defined. In sample the bound is no rival,
// nothing can beat it; out of sample it is a portfolio like any other.
type contest struct {
	window         string
	model          float64
	better, others []rival
}

type rival struct {
	name   string
	sharpe float64
}

// contest ranks the rivals, best first; it reports false where the model's
// own figure is undefined.
func (b Baselines) contest(w window) (contest, bool) {
	model, found := b.row(b.Model)
	if !found {
		return contest{}, false
	}
	own, defined := w.sharpe(&model).Float()
	if !defined {
		return contest{}, false
	}
	c := contest{window: w.name, model: own}
	for _, r := range b.Rows {
		v, ok := w.sharpe(&r).Float()
		if !ok || r.Name == b.Model || r.Name == b.Bound && w.name == inSample.name {
			continue
		}
		if v > own {
			c.better = append(c.better, rival{r.Name, v})
		} else {
			c.others = append(c.others, rival{r.Name, v})
		}
	}
	for _, list := range [][]rival{c.better, c.others} {
		slices.SortStableFunc(list, func(a, b rival) int { return cmp.Compare(b.sharpe, a.sharpe) })
	}
	return c, true
}

// Verdict is one sentence on how the model stands out of sample, or in sample
// where there is nothing later. It is empty where the model's figure is
// undefined in both.
func (b Baselines) Verdict() string {
	c, ok := b.contest(outSample)
	if !ok {
		if c, ok = b.contest(inSample); !ok {
			return ""
		}
	}
	total := 1 + len(c.better) + len(c.others)
	if total == 1 {
		return fmt.Sprintf("%s, %s has a Sharpe ratio of %s; there is nothing to compare it with.",
			c.window, b.Model, Ratio.write(c.model))
	}
	s := fmt.Sprintf("%s, %s ranks %d of %d by Sharpe ratio, with %s",
		c.window, b.Model, 1+len(c.better), total, Ratio.write(c.model))
	if len(c.better) > 0 {
		return s + fmt.Sprintf("; %s is first with %s.", c.better[0].name, Ratio.write(c.better[0].sharpe))
	}
	return s + fmt.Sprintf("; %s follows with %s.", c.others[0].name, Ratio.write(c.others[0].sharpe))
}

// Judgement says in sentences how the model stands against the bound and
// against the baselines in each window, losses first named.
func (b Baselines) Judgement() []string {
	var lines []string
	model, found := b.row(b.Model)
	if !found {
		return []string{fmt.Sprintf("The table has no row of the model %q to judge.", b.Model)}
	}
	if bound, ok := b.row(b.Bound); ok {
		lines = append(lines, b.againstBound(model, bound))
	}
	if b.Ascent != "" {
		lines = append(lines, b.withoutModel())
	}
	for _, w := range []window{inSample, outSample} {
		c, ok := b.contest(w)
		if !ok {
			lines = append(lines, fmt.Sprintf("%s: %s can't be judged; its Sharpe ratio is n/a — %s.",
				w.name, b.Model, w.sharpe(&model).Reason()))
			continue
		}
		lines = append(lines, c.sentence(b.Model))
	}
	if c, ok := b.contest(outSample); ok {
		if s := b.within(c); s != "" {
			lines = append(lines, s)
		}
		lines = append(lines, "One window and one seed rank portfolios by luck as much as by merit: "+
			"the order can change with either.")
	}
	return lines
}

// within says how many of the others the data can't tell from the model out of
// sample.
func (b Baselines) within(c contest) string {
	interval := b.Intervals[b.Model]
	from, known := interval[0].Float()
	to, alsoKnown := interval[1].Float()
	if !known || !alsoKnown {
		return ""
	}
	inside, all := 0, slices.Concat(c.better, c.others)
	for _, r := range all {
		if r.sharpe >= from && r.sharpe <= to {
			inside++
		}
	}
	return fmt.Sprintf("Out of sample: the 95 %% interval of %s reaches from %s to %s, and %d of the %d others lie "+
		"within it.", b.Model, Ratio.write(from), Ratio.write(to), inside, len(all))
}

// withoutModel says that the search of the latent space has no merit in its speed.
func (b Baselines) withoutModel() string {
	if b.Matched == 0 {
		return fmt.Sprintf("In sample: %s, the same objective climbed on the weights without the model, did not reach "+
			"%s.", b.Ascent, b.Model)
	}
	return fmt.Sprintf("In sample: %s, the same objective climbed on the weights without the model, had the ratio of "+
		"%s after %s; it took %s ms, the latent search %s ms. For one best portfolio the model is not needed: its "+
		"use is in making many portfolios like those it has seen.", b.Ascent, b.Model,
		plural(b.Matched, "evaluation"), Number.write(1000*b.AscentSeconds), Number.write(1000*b.SearchSeconds))
}

func (b Baselines) againstBound(model, bound Baseline) string {
	own, ok := inSample.sharpe(&model).Float()
	best, known := inSample.sharpe(&bound).Float()
	switch {
	case !known:
		return fmt.Sprintf("In sample: the bound is n/a — %s.", inSample.sharpe(&bound).Reason())
	case !ok:
		return fmt.Sprintf("In sample: %s is n/a — %s; the bound is %s.",
			b.Model, inSample.sharpe(&model).Reason(), Ratio.write(best))
	case best > 0 && best-own < 5e-5:
		return fmt.Sprintf("In sample: %s reaches the upper bound, a Sharpe ratio of %s found by direct convex "+
			"optimisation.", b.Model, Ratio.write(best))
	case best > 0:
		return fmt.Sprintf("In sample: the upper bound, found by direct convex optimisation, is a Sharpe ratio of %s; "+
			"%s reaches %s, %s of it, a gap of %s.",
			Ratio.write(best), b.Model, Ratio.write(own), Percent.write(own/best), Number.write(best-own))
	}
	return fmt.Sprintf("In sample: the bound is %s and %s reaches %s, a gap of %s.",
		Ratio.write(best), b.Model, Ratio.write(own), Number.write(best-own))
}

// sentence says who beats the model.
func (c contest) sentence(model string) string {
	total := len(c.better) + len(c.others)
	switch {
	case total == 0:
		return fmt.Sprintf("%s: %s has %s; no baseline has a defined Sharpe ratio.",
			c.window, model, Ratio.write(c.model))
	case len(c.better) == 0 && total == 1:
		return fmt.Sprintf("%s: %s has %s, and the one baseline doesn't beat it: %s.",
			c.window, model, Ratio.write(c.model), c.others[0])
	case len(c.better) == 0:
		return fmt.Sprintf("%s: %s has %s, and none of the %s beats it; the closest is %s.",
			c.window, model, Ratio.write(c.model), plural(total, "baseline"), c.others[0])
	}
	names := make([]string, len(c.better))
	for i, r := range c.better {
		names[i] = r.String()
		if Ratio.write(r.sharpe) == Ratio.write(c.model) {
			names[i] = fmt.Sprintf("%s (by %s)", r.name, Scientific.write(r.sharpe-c.model))
		}
	}
	return fmt.Sprintf("%s: %s has %s and loses to %d of %s: %s.", c.window, model, Ratio.write(c.model),
		len(c.better), plural(total, "baseline"), strings.Join(names, ", "))
}

func (r rival) String() string { return fmt.Sprintf("%s (%s)", r.name, Ratio.write(r.sharpe)) }

// aboveBound warns where a portfolio passes the bound, which only an error can
// do: in the bound, in the constraint sets or in the figures.
func (b Baselines) aboveBound() string {
	bound, ok := b.row(b.Bound)
	if !ok {
		return ""
	}
	best, ok := inSample.sharpe(&bound).Float()
	if !ok {
		return ""
	}
	for _, r := range b.Rows {
		if v, ok := inSample.sharpe(&r).Float(); ok && v > best+1e-6*max(1, best) {
			return fmt.Sprintf("%s has an in-sample Sharpe ratio of %s, above the bound's %s: "+
				"the bound, the constraint sets or the figures are wrong.",
				r.Name, Number.write(v), Number.write(best))
		}
	}
	return ""
}
