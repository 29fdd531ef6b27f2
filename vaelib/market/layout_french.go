package market

import "strings"

// french is a file of Kenneth French's data library: lines of text, a line of
// names with an empty first one, and returns in percent, of which -99.99 and
// -999 are none. The first table is read; those below it (equal weights, years)
// are not.
type french struct{}

func (french) name() string { return "french" }

func (french) recognise(h *head) (*plan, error) {
	for i, fields := range h.lines {
		if i+1 >= len(h.lines) || len(fields) < 2 || strings.Trim(fields[0], " ") != "" ||
			len(h.lines[i+1]) != len(fields) {
			continue
		}
		first := h.lines[i+1][0]
		if _, ok := digits([]byte(first)); !ok || len(first) != 6 && len(first) != 8 || !isTime(first) {
			return nil, nil
		}
		if i == 0 && !negativeOrSentinel(h.lines[1:]) {
			return nil, nil // a wide file of prices whose index has no name
		}
		h.header = i
		if err := h.checkNames(); err != nil {
			return nil, err
		}
		p := newPlan("french", wideShape)
		p.skip, p.width, p.times = h.number[i], len(fields), []int{0}
		for j, name := range fields[1:] {
			if name == "" {
				return nil, h.errorf(i, j+2, "symbol is empty: name the column, or delete it")
			}
			if name == "RF" {
				p.ignored = append(p.ignored, "RF (the return of Treasury bills)")
				continue
			}
			p.symbols = append(p.symbols, name)
			p.columns = append(p.columns, j+1)
		}
		p.returns, p.until = SimplePercent, true
		p.said = append(p.said, "returns in percent, the first table")
		return p, nil
	}
	return nil, nil
}

// negativeOrSentinel says whether a number of the lines is below 0, which no
// price is.
func negativeOrSentinel(lines [][]string) bool {
	for _, fields := range lines {
		for _, f := range fields[1:] {
			if strings.HasPrefix(f, "-") && len(f) > 1 {
				return true
			}
		}
	}
	return false
}
