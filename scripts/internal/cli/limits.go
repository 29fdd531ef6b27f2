package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

// AssetLimits are the flags that limit the weights of single assets. A file of limits is
// read into Limit at once, so that the configuration of a run tells the limits themselves.
type AssetLimits struct {
	Limits string   `flag:"limits" unit:"FILE" record:"-" clears:"limit" help:"a CSV with the columns symbol and lower or upper, or both: the least and the largest weights of those assets, in place of -lower and -max-weight; it stands for one -limit a line"`
	Limit  []string `flag:"limit" unit:"SYM=X" help:"the largest weight of one asset, in place of -max-weight, -lower and the asset's line in -limits; SYM=LO:HI limits it at both ends, and SYM>=X from below"`

	file *portfolio.Limits // nil: none, or not yet read
}

// assetLimit is one of the flags -limit; an end that isn't given is infinite.
type assetLimit struct {
	text, symbol string
	lower, upper float64
}

// short says whether the asset may be short.
func (l assetLimit) short() bool { return l.lower < 0 && !math.IsInf(l.lower, -1) }

// parsed are the flags -limit.
func (a *AssetLimits) parsed() (all []assetLimit, err error) {
	for _, text := range a.Limit {
		symbol, lower, upper, err := parseLimits("-limit", "symbol", "SYM", text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(l assetLimit) bool { return l.symbol == symbol }) {
			return nil, fmt.Errorf("-limit: %s is given twice: keep one, as %s=LO:HI for both ends", symbol, symbol)
		}
		all = append(all, assetLimit{text, symbol, lower, upper})
	}
	return all, nil
}

// shortOf says whether the limit of a single asset lets it be short.
func (a *AssetLimits) shortOf() bool {
	limits, _ := a.parsed() // a bad one has been refused
	return slices.ContainsFunc(limits, assetLimit.short)
}

// Settle reads the file into Limit; where both limit an asset at the same end, the flag
// holds. Its errors name the file and the line.
func (a *AssetLimits) Settle() error {
	if a.Limits == "" || a.file != nil {
		return nil
	}
	file, err := portfolio.ReadLimits(a.Limits)
	if err != nil {
		return err
	}
	a.file = file
	given, err := a.parsed()
	if err != nil {
		return Usage(err)
	}
	byHand := make(map[string]assetLimit, len(given))
	for _, l := range given {
		byHand[l.symbol] = l
	}
	a.Limit = nil
	for i, symbol := range file.Symbols {
		l := assetLimit{symbol: symbol, lower: file.Lower[i], upper: file.Upper[i]}
		if own, known := byHand[symbol]; known {
			delete(byHand, symbol)
			l = own.over(l)
			if l.lower > l.upper {
				return Usagef("-limit %s leaves %s at least %v and at most %v, one of which %s has: give SYM=LO:HI",
					own.text, symbol, l.lower, l.upper, a.Limits)
			}
		}
		if text := l.String(); text != "" {
			a.Limit = append(a.Limit, text)
		}
	}
	for _, l := range given {
		if _, left := byHand[l.symbol]; left {
			a.Limit = append(a.Limit, l.text)
		}
	}
	return nil
}

// over is the limit, where it has no end that of another one.
func (l assetLimit) over(other assetLimit) assetLimit {
	if math.IsInf(l.lower, -1) {
		l.lower = other.lower
	}
	if math.IsInf(l.upper, 1) {
		l.upper = other.upper
	}
	return l
}

// String spells the limit as its flag has it; "" without any.
func (l assetLimit) String() string {
	name := l.symbol
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",=<>", r) }) {
		name = `"` + name + `"`
	}
	lower, upper := strconv.FormatFloat(l.lower, 'g', -1, 64), strconv.FormatFloat(l.upper, 'g', -1, 64)
	switch below, above := math.IsInf(l.lower, -1), math.IsInf(l.upper, 1); {
	case below && above:
		return ""
	case below:
		return name + "=" + upper
	case above:
		return name + ">=" + lower
	}
	return name + "=" + lower + ":" + upper
}

// LimitsOf returns the limits that single assets have of their own, in the order of
// symbols; NaN stands for none. An error names a symbol that is none of these, and where
// it is given.
func (a *AssetLimits) LimitsOf(symbols []string) (lower, upper []float64, err error) {
	given, err := a.parsed()
	if err != nil {
		return nil, nil, Usage(err)
	}
	none := slices.Repeat([]float64{math.NaN()}, len(symbols))
	lower, upper = slices.Clone(none), none
	places := make(map[string]int, len(symbols))
	for j, symbol := range symbols {
		places[symbol] = j
	}
	for _, l := range given {
		j, known := places[l.symbol]
		if !known {
			return nil, nil, a.refuse(l.symbol, fmt.Errorf("symbol %s is none of the %d assets%s", l.symbol,
				len(symbols), cmp.Or(suggest(l.symbol, symbols), ": take the limit out, or choose the symbol too")))
		}
		if !math.IsInf(l.lower, -1) {
			lower[j] = l.lower
		}
		if !math.IsInf(l.upper, 1) {
			upper[j] = l.upper
		}
	}
	return lower, upper, nil
}

// refuse says where the limit of a symbol stands that something is wrong with.
func (a *AssetLimits) refuse(symbol string, err error) error {
	if a.file != nil {
		if placed := a.file.Refuse(symbol, err); placed != err {
			return placed
		}
	}
	return fmt.Errorf("-limit: %w", err)
}

// limit puts the assets' own limits into a set, whose slices it replaces, and returns
// what is to be said of them.
func (a *AssetLimits) limit(set *simplex.Set) (notes []string, err error) {
	if a.file != nil && len(a.file.Others) > 0 {
		notes = append(notes, fmt.Sprintf("%s: passed over: %s", a.Limits, strings.Join(a.file.Others, ", ")))
	}
	if len(a.Limit) == 0 {
		return notes, nil
	}
	lower, upper, err := a.LimitsOf(set.Symbols)
	if err != nil {
		return nil, err
	}
	changed := false
	into := func(bounds, own []float64, usual float64) []float64 {
		if bounds = slices.Clone(bounds); bounds == nil {
			bounds = slices.Repeat([]float64{usual}, set.N)
		}
		for j, x := range own {
			if x == x {
				changed = changed || bounds[j] != x
				bounds[j] = x
			}
		}
		return bounds
	}
	set.Lower, set.Upper = into(set.Lower, lower, 0), into(set.Upper, upper, 1)
	if slices.Min(set.Lower) >= 0 {
		if j := slices.IndexFunc(set.Upper, func(x float64) bool { return x > 1 }); j >= 0 {
			return nil, a.refuse(set.Symbols[j], fmt.Errorf("without short positions no weight exceeds 1, so that %v "+
				"is no limit of %s%s", set.Upper[j], set.Symbols[j], asShare(set.Upper[j])))
		}
	}
	if none := named(set.Symbols, func(j int) bool {
		return upper[j] > 0 && upper[j] < set.MinWeight
	}); len(none) > 0 {
		notes = append(notes, fmt.Sprintf("WARNING: never held, as the largest weight is below the smallest holding "+
			"of %v: %s", set.MinWeight, some(none)))
	}
	if !changed {
		notes = append(notes, "-limit changes nothing: these assets have the same limits anyhow")
	}
	return notes, nil
}

// named are the symbols at some places.
func named(symbols []string, at func(j int) bool) (names []string) {
	for j, symbol := range symbols {
		if at(j) {
			names = append(names, symbol)
		}
	}
	return names
}

// parseLimits reads NAME=HI, NAME=LO:HI, NAME<=HI or NAME>=LO as a name and its limits,
// infinite where the text has none. A name may have commas and equals signs, and stand
// in quotes. What is named, and how it is spelt in the remedy, is for errors.
func parseLimits(flag, what, spelt, text string) (name string, lower, upper float64, err error) {
	bad := func(why string) (string, float64, float64, error) {
		return "", 0, 0, fmt.Errorf("%s: %q %s: write %s=X, or %s=LO:HI", flag, text, why, spelt, spelt)
	}
	i := strings.LastIndexByte(text, '=')
	if i < 1 {
		return bad("names no limit")
	}
	name, limits := text[:i], strings.Split(text[i+1:], ":")
	lower, upper = math.Inf(-1), math.Inf(1)
	ends := []*float64{&upper}
	switch last := len(name) - 1; {
	case len(limits) > 2:
		return bad("has more than two limits")
	case len(limits) == 2:
		ends = []*float64{&lower, &upper}
	case name[last] == '<':
		name = name[:last]
	case name[last] == '>':
		name, ends = name[:last], []*float64{&lower}
	}
	if name = Unquote(name); name == "" {
		return bad("names no " + what)
	}
	for k, limit := range limits {
		x, err := strconv.ParseFloat(strings.TrimSpace(limit), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return bad(fmt.Sprintf("has the limit %q, which is not a finite number%s", limit, meant(limit, "")))
		}
		*ends[k] = x
	}
	if lower > upper {
		return bad("has a lower end above the upper one")
	}
	return name, lower, upper, nil
}

// checkLimits refuses limits of single assets that are meaningless for any assets.
func (c *Constraints) checkLimits() error {
	limits, err := c.parsed()
	if err != nil {
		return err
	}
	for _, l := range limits {
		if c.MinWeight > 0 && l.short() {
			return errors.New("-min-weight allows no short positions: leave it out, or the limit below 0 in -limit " +
				l.text)
		}
		for _, limit := range []float64{l.lower, l.upper} {
			if math.IsInf(limit, 0) {
				continue
			}
			if err := c.checkShare("-limit "+l.text, limit, "weight"); err != nil {
				return err
			}
		}
	}
	return nil
}
