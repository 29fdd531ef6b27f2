package market

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// excludes says whether a symbol is left out.
func (o *Options) excludes(symbol string) bool { return slices.Contains(o.Exclude, symbol) }

// checkExclude refuses symbols that are excluded beside chosen ones, or twice.
func (o *Options) checkExclude() error {
	for k, s := range o.Exclude {
		switch {
		case slices.Contains(o.Symbols, s):
			return fmt.Errorf("symbol %s is both chosen and excluded: leave it out of one of the lists", s)
		case slices.Contains(o.Exclude[:k], s):
			return fmt.Errorf("symbol %s is excluded twice", s)
		}
	}
	if len(o.Exclude) > 0 && len(o.Symbols) > 0 {
		return errors.New("the symbols chosen are all that is used: leave out those excluded, or the choice")
	}
	return nil
}

// leaveOut takes the columns of excluded symbols out of a table, and remembers them.
func (t *table) leaveOut(opt *Options) {
	var kept []int
	var symbols []string
	for j, s := range t.symbols {
		if opt.excludes(s) {
			t.excluded = append(t.excluded, s)
			continue
		}
		kept, symbols = append(kept, j), append(symbols, s)
	}
	if len(kept) < len(t.symbols) {
		t.keep(kept, symbols)
	}
}

// checkExcluded returns a [*SymbolError] for an excluded symbol that the data don't
// have, and an error where they have no other.
func (t *table) checkExcluded(opt *Options) error {
	for _, s := range opt.Exclude {
		if !slices.Contains(t.excluded, s) {
			return &SymbolError{Symbol: s, Near: near(s, slices.Concat(t.symbols, t.excluded))}
		}
	}
	if len(opt.Exclude) > 0 && len(t.symbols) == 0 {
		return fmt.Errorf("all %d symbols are excluded: keep some", len(opt.Exclude))
	}
	return nil
}

// unexcludedFiles leaves out the files of excluded symbols, where their names or
// their layouts tell, and returns the symbols of those. They aren't looked at.
func unexcludedFiles(fsys fs.FS, name string, files []string, opt *Options) (kept, excluded []string) {
	for _, file := range files {
		if symbol, _ := stem(file); opt.excludes(symbol) {
			excluded = append(excluded, symbol)
			continue
		}
		kept = append(kept, file)
	}
	slices.Sort(excluded)
	if excluded = slices.Compact(excluded); len(excluded) == len(opt.Exclude) {
		return kept, excluded
	}
	kept = slices.DeleteFunc(kept, func(file string) bool {
		p, named := planOf(fsys, path.Join(name, file))
		if !named || p.shape == longShape || p.shape == wideShape || !opt.excludes(p.symbol) {
			return false
		}
		excluded = append(excluded, p.symbol)
		return true
	})
	return kept, excluded
}
