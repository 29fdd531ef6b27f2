package main

import (
	"fmt"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/simplex"
)

// checkAssets refuses a number of assets beside short positions, and says of one that limits
// nothing.
func (c *config) checkAssets(io *cli.IO, set *simplex.Set) error {
	if c.MaxAssets > 0 && isShort(set) {
		return cli.Usagef("-max-assets goes with no short positions: let no weight go below 0, or leave it out")
	}
	if c.MaxAssets >= set.N {
		io.Note("-max-assets %d limits nothing: there are %d assets", c.MaxAssets, set.N)
	}
	return nil
}

// positions is how many assets w holds.
func positions(w []float64) (count int) {
	for _, x := range w {
		if x != 0 {
			count++
		}
	}
	return count
}

// sayAssets says how many assets are held, and how sure it is that no others are better.
func (o *output) sayAssets(io *cli.IO) {
	if o.result.Nodes > 0 {
		io.Note("%s", o.choice())
	}
	for _, rival := range o.rivals {
		if rival.Value == nil {
			io.Note("%s: %s", rival.Name, rival.Reason)
		} else {
			io.Note("%s: value %.8g", rival.Name, *rival.Value)
		}
	}
}

// choice says how the assets were chosen.
func (o *output) choice() string {
	r := o.result
	said := fmt.Sprintf("assets held: %d", positions(r.Weights))
	switch {
	case o.optimum != nil: // it is a choice for little turnover
	case r.Gap > 0:
		said += fmt.Sprintf(", the best choice that branch and bound found (nodes: %d); the optimum's value may "+
			"differ by %.3g, at most: give -max-nodes more", r.Nodes, r.Gap)
	default:
		said += fmt.Sprintf(", the best choice, by branch and bound (nodes: %d)", r.Nodes)
	}
	return said
}
