package market

import (
	"slices"
	"strings"
)

// wideFile is a time, and then one column of closes an asset: what pandas,
// spreadsheets and FRED write. The time is called date, timestamp or the like,
// or nothing; a column that counts the rows is left out.
type wideFile struct{}

func (wideFile) name() string { return wideLayout }

func (wideFile) recognise(h *head) (*plan, error) {
	names := h.names()
	if len(names) == 0 {
		if len(h.lines) > 0 {
			return nil, h.errorf(0, 0, "no header: put the names of the columns into the first line")
		}
		return nil, nil
	}
	if err := h.checkNames(); err != nil {
		return nil, err
	}
	if len(names) == 1 && strings.ContainsAny(names[0], ";\t|") {
		return nil, h.errorf(h.header, 0, "header %s has no comma: separate columns with commas",
			excerpt([]byte(names[0])))
	}
	p := newPlan(wideLayout, wideShape)
	p.skip, p.width = h.skip(), len(names)
	if p.times = h.timeFields(); len(p.times) == 0 {
		return nil, h.withoutTimes(names)
	}
	at := make(map[string]int, len(names))
	for i, name := range names {
		c := canon(name)
		switch {
		case i == p.times[0] || len(p.times) > 1 && i == p.times[1]:
			at[name] = i
			continue
		case timeWords[c] && name != "T" && len(h.rows()) > 0 && i < len(h.rows()[0]) && isTime(h.rows()[0][i]),
			(c == "" || c == "unnamed0" || c == "index") && h.counts(i):
			if p.ignored = append(p.ignored, name); name == "" {
				p.ignored[len(p.ignored)-1] = "the count of rows"
			}
			continue
		case name == "" && h.isEmpty(i):
			p.ignored = append(p.ignored, "a column without a name or a number")
			continue
		case name == "":
			return nil, h.errorf(h.header, i+1, "symbol is empty: name the column, or delete it")
		}
		if j, ok := at[name]; ok {
			return nil, h.errorf(h.header, i+1, "symbol %s is in column %d already: keep one of them", name, j+1)
		}
		at[name] = i
		p.symbols = append(p.symbols, name)
		p.columns = append(p.columns, i)
	}
	if len(p.symbols) == 0 {
		return nil, h.errorf(h.header, 0, "no symbols in the header: add a column for each")
	}
	return p, nil
}

// withoutTimes refuses a table whose rows have no times, by what it may be.
func (h *head) withoutTimes(names []string) error {
	switch {
	case len(names) > 2 && !slices.ContainsFunc(names[1:], func(name string) bool { return !isTime(name) }):
		return h.errorf(h.header, 2, "times stand in the first line: turn the table on its side, with a row a time")
	}
	remedy := ""
	if len(names) == 1 && strings.Contains(names[0], " ") {
		remedy = ": separate columns with commas"
	}
	return h.errorf(h.header, 1, "first column is %s, not date or timestamp%s", excerpt([]byte(names[0])), remedy)
}

// noAssets are the places of those symbols that are names of numbers: volume,
// market_cap, or SPY_volume beside SPY. A lone symbol such as OPEN or LOW among others in capitals is one.
func noAssets(symbols []string) []int {
	var found []int
	capitals := true
	for i, s := range symbols {
		capitals = capitals && s == strings.ToUpper(s)
		asset, field := cutField(s) // SPY_volume beside SPY
		if isField(s) || symbolWords[canon(s)] || field != "" && slices.Contains(symbols, asset) {
			found = append(found, i)
		}
	}
	if len(found) == 1 && capitals && len(symbols) > 1 {
		switch symbols[found[0]] {
		case "OPEN", "LOW", "HIGH", "LAST", "VOL", "CODE", "NAME", "COIN", "PAIR", "STOCK", "PER", "SIDE", "SIZE",
			"ASK", "BID", "OI", "TIC", "C", "ACT", "CHG", "AMOUNT":
			return nil
		}
	}
	return found
}
