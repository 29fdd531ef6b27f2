package cli

import (
	"fmt"
	"slices"
	"strings"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
)

// KeptConstraints are the constraint flags of a verb that makes weights out of a
// model. What they leave open is as it was when the model was trained.
type KeptConstraints struct {
	MaxWeight *float64 `flag:"max-weight" range:"(0,100]" help:"the largest weight of an asset; without it that of the model's training, or 1 where that isn't known"`
	MinWeight *float64 `flag:"min-weight" range:"[0,1]" help:"the smallest holding: every weight is 0 or at least this; without it that of the model's training, or 0, which means any"`
	Lower     *float64 `flag:"lower" range:"[-10,1]" help:"the floor of every weight; below 0 it allows short positions, and without it that of the model's training holds, or 0"`
	AssetLimits
	Sectors    string   `flag:"sectors" unit:"FILE" help:"a CSV with the columns symbol, sector and, for memberships in part, share; the bundled sample has its own"`
	SectorCaps []string `flag:"sector-cap" unit:"NAME=X" help:"the largest sum of a sector's weights; NAME=LO:HI limits it at both ends, and a sector that isn't named keeps the limits of the model's training"`
}

// given are the flags as those of a verb that has no model.
func (c *KeptConstraints) given() *Constraints {
	g := &Constraints{MaxWeight: 1, AssetLimits: c.AssetLimits, Sectors: c.Sectors, SectorCaps: c.SectorCaps}
	for _, f := range []struct{ from, to *float64 }{{c.MaxWeight, &g.MaxWeight}, {c.MinWeight, &g.MinWeight},
		{c.Lower, &g.Lower}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	return g
}

// Validate returns an error for constraints that are meaningless for any assets.
func (c *KeptConstraints) Validate() error { return c.given().Validate() }

// CheckSectors is [Constraints.CheckSectors].
func (c *KeptConstraints) CheckSectors() error { return c.given().CheckSectors() }

// CheckHead refuses -lower or -limit below 0 for a model that never makes short positions,
// where it would do nothing. It is told so instead of being given the model, so
// that verbs without one link neither GoMLX nor XLA.
func (c *KeptConstraints) CheckHead(longOnly bool) error {
	flag := ""
	switch {
	case !longOnly:
	case c.Lower != nil && *c.Lower < 0:
		flag = fmt.Sprintf("-lower %v", *c.Lower)
	case c.shortOf():
		flag = "-limit below 0"
	}
	if flag == "" {
		return nil
	}
	return Usagef("%s: this model's portfolios have no weights below 0, whatever is allowed: leave it out, or "+
		"train a model with -head linear on portfolios that have", flag)
}

// SectorsOf is as [Constraints.SectorsOf].
func (c *KeptConstraints) SectorsOf(symbols []string) (*market.Sectors, error) {
	return c.given().SectorsOf(symbols)
}

// Set is the set of weights that the flags allow for the symbols and, where they
// leave something open, the set that the model was trained under; nil: it is
// unknown. It says on stderr what is kept of that. Its errors are those of
// [Constraints.Set].
func (c *KeptConstraints) Set(io *IO, symbols []string, trained *simplex.Set) (simplex.Set, error) {
	if trained == nil {
		io.Note("constraints: the model doesn't know those that it was trained under, so that the flags alone decide")
		return c.given().Set(io, symbols)
	}
	own := c.given()
	set, notes, err := own.alike(symbols)
	if err != nil {
		return set, err
	}
	var kept []string
	keep := func(flag *float64, text string) bool {
		if flag == nil && text != "" {
			kept = append(kept, text)
		}
		return flag == nil
	}
	if keep(c.MaxWeight, span("weights of at most", trained.Upper, 1)) {
		set.Upper = trained.Upper
	}
	if keep(c.Lower, span("weights of at least", trained.Lower, 0)) {
		set.Lower = trained.Lower
	}
	if c.MaxWeight != nil && uneven(trained.Upper) || c.Lower != nil && uneven(trained.Lower) {
		notes = append(notes, "-max-weight and -lower stand in place of the limits that single assets had in the "+
			"model's training: to keep these, say -limits too, or leave the flags out")
	}
	minimum := ""
	if trained.MinWeight > 0 {
		minimum = fmt.Sprintf("holdings of at least %g", trained.MinWeight)
	}
	if keep(c.MinWeight, minimum) {
		set.MinWeight = trained.MinWeight
	}
	for _, group := range trained.Groups {
		if !slices.ContainsFunc(set.Groups, func(g simplex.Group) bool { return g.Name == group.Name }) {
			set.Groups = append(set.Groups, group)
			kept = append(kept, fmt.Sprintf("%s in [%.4g, %.4g]", group.Name, group.Lo, group.Hi))
		}
	}
	if len(kept) > 0 {
		io.Note("constraints kept from the model's training, which flags overrule: %s", strings.Join(kept, ", "))
	}
	if err = own.complete(io, &set, notes); err == nil && uneven(set.Upper) {
		io.Note("weights of at most %g to %g: the decoder knows one cap for all, and the projection behind it holds "+
			"each asset to its own", slices.Min(set.Upper), slices.Max(set.Upper))
	}
	return set, err
}

// uneven says whether bounds differ between assets.
func uneven(bounds []float64) bool {
	return len(bounds) > 0 && slices.Min(bounds) < slices.Max(bounds)
}

// span tells bounds that aren't all as they are without any; "": they are.
func span(what string, bounds []float64, usual float64) string {
	if bounds == nil {
		return ""
	}
	least, most := slices.Min(bounds), slices.Max(bounds)
	switch {
	case least == usual && most == usual:
		return ""
	case least == most:
		return fmt.Sprintf("%s %g", what, least)
	}
	return fmt.Sprintf("%s %g to %g", what, least, most)
}
