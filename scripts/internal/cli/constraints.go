package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"vaefolio/data"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
)

// Constraints are the flags of a verb that makes weights.
type Constraints struct {
	MaxWeight  float64  `flag:"max-weight" range:"(0,10]" default:"1" help:"largest weight of an asset"`
	MinWeight  float64  `flag:"min-weight" range:"[0,1]" help:"smallest holding: every weight is 0 or at least this"`
	Lower      float64  `flag:"lower" range:"[-10,1]" help:"floor for every weight; below 0 it allows short positions"`
	Sectors    string   `flag:"sectors" unit:"FILE" help:"CSV with the columns symbol, sector and, where memberships are in part, share; the bundled sample has its own"`
	SectorCaps []string `flag:"sector-cap" unit:"NAME=X" help:"largest sum of a sector's weights; NAME=LO:HI for both ends"`
}

// Check returns an error for constraints that are meaningless for any assets.
func (c *Constraints) Check() error {
	if c.MinWeight > 0 && c.Lower < 0 {
		return errors.New("-min-weight allows no short positions: leave out -lower, or -min-weight")
	}
	var names []string
	for _, text := range c.SectorCaps {
		group, err := parseCap(text)
		if err != nil {
			return err
		}
		if slices.Contains(names, group.Name) {
			return fmt.Errorf("-sector-cap: sector %s is given twice", group.Name)
		}
		names = append(names, group.Name)
	}
	return nil
}

// Set is the set of weights that the flags allow for the symbols. An error
// says why there is none: the set of these constraints is empty
// ([*simplex.InfeasibleError]), a sector is unknown, or a file is bad.
func (c *Constraints) Set(symbols []string) (simplex.Set, error) {
	set := simplex.Set{
		N: len(symbols), Symbols: symbols, MinWeight: c.MinWeight,
		Lower: slices.Repeat([]float64{c.Lower}, len(symbols)),
		Upper: slices.Repeat([]float64{c.MaxWeight}, len(symbols)),
	}
	if len(c.SectorCaps) > 0 {
		sectors, err := c.SectorsOf(symbols)
		if err != nil {
			return set, err
		}
		if sectors == nil {
			return set, Usagef("-sector-cap needs -sectors FILE, which says what belongs to a sector")
		}
		for _, text := range c.SectorCaps {
			group, err := parseCap(text)
			if err != nil {
				return set, Usage(err)
			}
			if group.Share, err = sectors.Shares(group.Name, symbols); err != nil {
				return set, fmt.Errorf("-sector-cap %s: %w", text, err)
			}
			set.Groups = append(set.Groups, group)
		}
	}
	return set, set.Check()
}

// SectorsOf returns the sectors of the file given, or where the symbols are
// all from the bundled sample, those of the sample, or nil.
func (c *Constraints) SectorsOf(symbols []string) (*market.Sectors, error) {
	if c.Sectors != "" {
		return market.ReadSectors(c.Sectors)
	}
	sample, err := market.ReadSectorsFS(data.FS, data.Sectors)
	if err != nil {
		return nil, err
	}
	if len(sample.Unassigned(symbols)) > 0 {
		return nil, nil
	}
	return sample, nil
}

// parseCap reads NAME=HI or NAME=LO:HI.
func parseCap(text string) (simplex.Group, error) {
	bad := func(why string) (simplex.Group, error) {
		return simplex.Group{}, fmt.Errorf("-sector-cap: %q %s: write NAME=X, or NAME=LO:HI", text, why)
	}
	i := strings.LastIndexByte(text, '=')
	if i < 1 {
		return bad("names no limit")
	}
	group := simplex.Group{Name: strings.TrimSpace(text[:i]), Lo: math.Inf(-1)}
	limits := strings.Split(text[i+1:], ":")
	if len(limits) > 2 {
		return bad("has more than two limits")
	}
	for k, limit := range limits {
		x, err := strconv.ParseFloat(strings.TrimSpace(limit), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return bad(fmt.Sprintf("has the limit %q, which is not a finite number", limit))
		}
		if k < len(limits)-1 {
			group.Lo = x
		} else {
			group.Hi = x
		}
	}
	if group.Lo > group.Hi {
		return bad("has a lower end above the upper one")
	}
	return group, nil
}
