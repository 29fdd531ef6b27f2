package market

import "slices"

// bloomberg is the sheet of a BDH formula, and tables like it: perhaps lines of
// text, a line of securities, a line of fields such as PX_LAST, and Dates.
type bloomberg struct{}

func (bloomberg) name() string { return "bloomberg" }

func (bloomberg) recognise(h *head) (*plan, error) {
	l := h.levelsOf()
	isPrice := func(f string) bool { return len(f) > 3 && (f[:3] == "PX_" || f[:3] == "px_") }
	for i, fields := range h.lines[:max(0, slices.IndexFunc(h.lines, h.isData))] {
		dates := 0
		for _, f := range fields {
			if c := canon(f); c == "dates" || c == "date" {
				dates++
			}
		}
		if dates > 1 && slices.ContainsFunc(fields, isPrice) {
			return nil, h.errorf(i, 0,
				"each security has dates of its own: fill them by one column of dates (the option Fill of BDH), or "+
					"write a file a security")
		}
	}
	if l == nil || !slices.ContainsFunc(l.fields, isPrice) {
		return nil, nil
	}
	return l.plan(h, "bloomberg")
}
