package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

// violationColumn is by how much a portfolio breaks the constraints given.
const violationColumn = "violation"

// mandate is what portfolios are held against, where constraints are given, and how many
// break it.
type mandate struct {
	set    simplex.Set
	broken int
	worst  float64
	first  string // what the worst one breaks most
}

// mandate is nil where the flags give no constraints.
func (c *config) mandate(io *cli.IO, symbols []string) (*mandate, error) {
	if !c.Constraints.Given() {
		return nil, nil
	}
	set, err := c.Constraints.Set(io, symbols)
	return &mandate{set: set}, err
}

// check returns the violation of a portfolio, and what it breaks; "": nothing. A sum that
// a file rounds isn't told of, as no verb refuses it.
func (m *mandate) check(id string, w []float64) (violation float64, broken string) {
	type breach struct {
		by   float64
		text string
	}
	var all []breach
	add := func(name string, x, lower, upper float64) {
		if by := lower - x; by > simplex.Tolerance {
			all = append(all, breach{by, fmt.Sprintf("%s %.6g is below %.6g", name, x, lower)})
		}
		if by := x - upper; by > simplex.Tolerance {
			all = append(all, breach{by, fmt.Sprintf("%s %.6g is above %.6g", name, x, upper)})
		}
	}
	for j, x := range w {
		add(m.set.Symbols[j], x, m.set.Lower[j], m.set.Upper[j])
		if least := m.set.MinWeight; x > simplex.Tolerance && least-x > simplex.Tolerance && m.set.Lower[j] <= x {
			all = append(all, breach{min(x, least-x), fmt.Sprintf("%s %.6g is neither 0 nor %.6g", m.set.Symbols[j], x,
				least)})
		}
	}
	for _, g := range m.set.Groups {
		var sum float64
		for j, share := range g.Share {
			sum += share * w[j]
		}
		add("sector "+g.Name, sum, g.Lo, g.Hi)
	}
	violation = m.set.Violation(w)
	if len(all) == 0 {
		return violation, ""
	}
	slices.SortStableFunc(all, func(a, b breach) int { return cmp.Compare(b.by, a.by) })
	var texts []string
	for _, b := range all {
		texts = append(texts, b.text)
	}
	if m.broken++; all[0].by > m.worst {
		m.worst, m.first = all[0].by, id+": "+texts[0]
	}
	return violation, strings.Join(texts, "; ")
}

// say sums up, where there are constraints.
func (m *mandate) say(io *cli.IO, total int) {
	switch {
	case m == nil:
	case m.broken == 0:
		io.Note("constraints: kept by all %d portfolios, but for sums that are rounded by %g at most", total,
			portfolio.SumTolerance)
	default:
		io.Note("constraints: broken by %d of %d portfolios, most by %s", m.broken, total, m.first)
	}
}
