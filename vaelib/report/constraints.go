package report

import (
	"fmt"
	"strings"

	"vaefolio/vaelib/number"
)

// constraintsSection tells the set of allowed weights, and how well the
// written weights keep to it.
func constraintsSection(c Constraints) Section {
	s := Section{ID: "constraints", Title: "Constraints"}
	rules := []string{"The weights of a portfolio sum to 1.", fmt.Sprintf("Each of the %s has a weight from %s to %s.",
		plural(c.Assets, "asset"), Percent.write(c.Lower), Percent.write(c.Upper))}
	if c.MinWeight > 0 {
		rules = append(rules, fmt.Sprintf("A weight is zero, or at least %s.", Percent.write(c.MinWeight)))
	}
	s.Blocks = append(s.Blocks, Block{List: append(rules, c.Notes...)})
	if len(c.Groups) > 0 {
		t := &Table{Caption: "Limits of groups",
			Columns: append(headings("Group", "At least", "At most"), Column{Name: "Members"})}
		for _, g := range c.Groups {
			t.Rows = append(t.Rows, Row{Cells: []Cell{TextCell(g.Name), NumberCell(number.Known(g.Lo), Percent),
				NumberCell(number.Known(g.Hi), Percent), TextCell(strings.Join(g.Members, ", "))}})
		}
		s.Blocks = append(s.Blocks, Block{Table: t})
	}
	s.Blocks = append(s.Blocks, Block{Facts: []Fact{
		{"Portfolios checked", grouped(int64(c.Portfolios))},
		{"Largest violation of any rule", text(c.MaxViolation, Scientific)},
		{"Mean distance moved by the projection", text(c.MeanRepair, Number)},
		{"Largest distance moved by the projection", text(c.MaxRepair, Number)},
	}})
	if v, ok := c.MaxViolation.Float(); ok && v > violationLimit {
		s.Blocks = append(s.Blocks, Block{Warning: fmt.Sprintf("The largest violation, %s, is above %s.",
			Scientific.write(v), Scientific.write(violationLimit))})
	}
	return s
}

// violationLimit is what every file of weights keeps to.
const violationLimit = 1e-12
