package report

import (
	"fmt"
	"strings"
)

// constraintsSection tells the set of allowed weights, and how well the
// written weights keep to it.
func constraintsSection(c Constraints) section {
	s := section{ID: "constraints", Title: "Constraints"}
	rules := []string{"The weights of a portfolio sum to 1."}
	rules = append(rules, fmt.Sprintf("Each of the %s has a weight from %s to %s.", plural(c.Assets, "asset"), Percent.write(c.Lower), Percent.write(c.Upper)))
	if c.MinWeight > 0 {
		rules = append(rules, fmt.Sprintf("A weight is zero, or at least %s.", Percent.write(c.MinWeight)))
	}
	s.Blocks = append(s.Blocks, block{List: append(rules, c.Notes...)})
	if len(c.Groups) > 0 {
		t := &table{Caption: "Limits of groups", Columns: []column{{Name: "Group"}, {Name: "At least", Number: true}, {Name: "At most", Number: true}, {Name: "Members"}}}
		for _, g := range c.Groups {
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(g.Name), numberCell(Known(g.Lo), Percent), numberCell(Known(g.Hi), Percent), textCell(strings.Join(g.Members, ", "))}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	s.Blocks = append(s.Blocks, block{Facts: []Fact{
		{"Portfolios checked", grouped(int64(c.Portfolios))},
		{"Largest violation of any rule", c.MaxViolation.text(Scientific)},
		{"Mean distance moved by the projection", c.MeanRepair.text(Number)},
		{"Largest distance moved by the projection", c.MaxRepair.text(Number)},
	}})
	if v, ok := c.MaxViolation.Float(); ok && v > violationLimit {
		s.Blocks = append(s.Blocks, block{Warning: fmt.Sprintf("The largest violation, %s, is above %s.", Scientific.write(v), Scientific.write(violationLimit))})
	}
	return s
}

// violationLimit is what every file of weights keeps to.
const violationLimit = 1e-12
