package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"vaefolio/data"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
)

// Constraints are the flags of a verb that makes weights.
type Constraints struct {
	MaxWeight float64 `flag:"max-weight" range:"(0,100]" default:"1" help:"the largest weight of an asset"`
	MinWeight float64 `flag:"min-weight" range:"[0,1]" help:"the smallest holding: every weight is 0 or at least this; 0 means any"`
	Lower     float64 `flag:"lower" range:"[-10,1]" help:"the floor of every weight; below 0 it allows short positions"`
	AssetLimits
	Sectors    string   `flag:"sectors" unit:"FILE" help:"a CSV with the columns symbol, sector and, for memberships in part, share; the bundled sample has its own"`
	SectorCaps []string `flag:"sector-cap" unit:"NAME=X" help:"the largest sum of a sector's weights; NAME=LO:HI limits it at both ends"`
}

// longest is the largest weight or sum of a sector's that short positions can
// be meant to pay for.
const longest = 10

// Validate returns an error for constraints that are meaningless for any assets.
func (c *Constraints) Validate() error {
	if c.MinWeight > 0 && c.Lower < 0 {
		return errors.New("-min-weight allows no short positions: leave out -lower, or -min-weight")
	}
	if err := c.checkShare("-max-weight", c.MaxWeight, "weight"); err != nil {
		return err
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	var names []string
	for _, text := range c.SectorCaps {
		group, err := ParseCap(text)
		if err != nil {
			return err
		}
		if slices.Contains(names, group.Name) {
			return fmt.Errorf("-sector-cap: sector %s is given twice", group.Name)
		}
		names = append(names, group.Name)
		for _, limit := range []float64{group.Lo, group.Hi} {
			if err := c.checkShare("-sector-cap "+text, limit, "sum of weights"); err != nil {
				return err
			}
		}
	}
	return nil
}

// Given says whether the flags hold anything but that weights are from 0 to 1.
func (c *Constraints) Given() bool {
	return c.MaxWeight != 1 || c.MinWeight != 0 || c.Lower != 0 || len(c.Limit) > 0 || len(c.SectorCaps) > 0
}

// CheckSectors refuses sectors without a cap, for verbs in which they do nothing else
// than to bound weights.
func (c *Constraints) CheckSectors() error {
	if c.Sectors != "" && len(c.SectorCaps) == 0 {
		return errors.New("-sectors bounds nothing without -sector-cap NAME=X: give a cap, or leave it out")
	}
	return nil
}

// checkShare refuses a limit that holds nothing, as one in percent does.
func (c *Constraints) checkShare(flag string, limit float64, what string) error {
	switch {
	case limit > 1 && c.Lower >= 0 && !c.shortOf():
		return fmt.Errorf("%s: without short positions (-lower) no %s exceeds 1, so that %v is no limit%s", flag,
			what, limit, asShare(limit))
	case limit > longest:
		return fmt.Errorf("%s: %v is more than %d times the capital%s", flag, limit, longest, asShare(limit))
	}
	return nil
}

// Set is the set of weights that the flags allow for the symbols. It says on
// stderr which symbols no cap can hold. An error says why there is no such set:
// that of these constraints is empty ([*simplex.InfeasibleError]), a sector is
// unknown, a symbol of the limits or the sectors is misspelt, or a file is bad.
func (c *Constraints) Set(io *IO, symbols []string) (simplex.Set, error) {
	set, notes, err := c.alike(symbols)
	if err != nil {
		return set, err
	}
	err = c.complete(io, &set, notes)
	return set, err
}

// alike is the set without the limits of single assets, and what is to be said of it.
func (c *Constraints) alike(symbols []string) (set simplex.Set, notes []string, err error) {
	set = simplex.Set{
		N: len(symbols), Symbols: symbols, MinWeight: c.MinWeight,
		Lower: slices.Repeat([]float64{c.Lower}, len(symbols)),
		Upper: slices.Repeat([]float64{c.MaxWeight}, len(symbols)),
	}
	if c.Lower < -1 {
		notes = append(notes, fmt.Sprintf("-lower %v: each weight may be short by %v times the capital", c.Lower,
			-c.Lower))
	}
	if len(c.SectorCaps) > 0 {
		more, err := c.addGroups(&set)
		return set, append(notes, more...), err
	}
	if c.Sectors != "" { // a file with defects is none that may be passed over
		_, err = c.SectorsOf(symbols)
	}
	return set, notes, err
}

// complete adds the limits of single assets to a set, checks it, and says what is to be
// said of it.
func (c *Constraints) complete(io *IO, set *simplex.Set, notes []string) error {
	more, err := c.limit(set)
	if err == nil {
		err = set.Check()
	}
	if err != nil {
		return err
	}
	for _, note := range append(notes, more...) {
		io.Note("%s", note)
	}
	return nil
}

// addGroups adds the caps of sectors to a set, and returns what is to be said
// of those that hold nothing.
func (c *Constraints) addGroups(set *simplex.Set) (notes []string, err error) {
	sectors, err := c.SectorsOf(set.Symbols)
	if err != nil {
		return nil, err
	}
	if sectors == nil {
		return nil, Usagef("-sector-cap needs -sectors FILE, which says what belongs to a sector")
	}
	if err := sectors.CheckSymbols(set.Symbols); err != nil {
		return nil, err
	}
	if free := sectors.Unassigned(set.Symbols); len(free) > 0 {
		notes = append(notes, fmt.Sprintf("WARNING: no sector cap holds %s: %s names no sector of theirs", some(free),
			orSample(c.Sectors)))
	}
	for _, text := range c.SectorCaps {
		group, err := ParseCap(text)
		if err != nil {
			return nil, Usage(err)
		}
		if group.Hi == 1 && group.Lo <= 0 && c.Lower >= 0 {
			notes = append(notes, fmt.Sprintf("-sector-cap %s holds nothing: weights without short positions sum "+
				"to 1", text))
		}
		if c.Lower < 0 && strings.Contains(text, ">=") {
			notes = append(notes, fmt.Sprintf("-sector-cap %s is NAME=%g:1, and with short positions 1 is a limit "+
				"too: write NAME=LO:HI for another", text, group.Lo))
		}
		if group.Share, err = sectors.Shares(group.Name, set.Symbols); err != nil {
			return nil, fmt.Errorf("-sector-cap %s: %w", text, err)
		}
		set.Groups = append(set.Groups, group)
	}
	return notes, nil
}

// orSample is the name of a file, or of what stands for none.
func orSample(path string) string {
	if path == "" {
		return "the bundled sample"
	}
	return path
}

// some joins at most five names and counts the rest.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
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

// ParseCap reads NAME=HI or NAME=LO:HI as the name and the bounds of a group,
// without a lower one as minus infinity; NAME<=HI is the first, and NAME>=LO is
// LO:1. A name may have commas and equals signs, and stand in quotes.
func ParseCap(text string) (simplex.Group, error) {
	name, lower, upper, err := parseLimits("-sector-cap", "sector", "NAME", text)
	if err != nil {
		return simplex.Group{}, err
	}
	if math.IsInf(upper, 1) {
		upper = 1
	}
	if lower > upper {
		return simplex.Group{}, fmt.Errorf("-sector-cap: %q has a lower limit above 1, which is the upper one where "+
			"none is given: write NAME=X, or NAME=LO:HI", text)
	}
	return simplex.Group{Name: name, Lo: lower, Hi: upper}, nil
}
