package market

import "slices"

// levels reads a header of several lines, of which one says what each column
// holds (Close, PX_LAST) and one of which asset.
type levels struct {
	names, fields []string // of each column
	line          int      // index of the line of names
	first         int      // index of the first row of numbers
}

// levelsOf finds the two lines, nil where there aren't any.
func (h *head) levelsOf() *levels {
	data := slices.IndexFunc(h.lines, h.isData)
	if data < 2 {
		return nil
	}
	l := &levels{first: data}
	width, most := len(h.lines[data]), 0
	for i, fields := range h.lines[:data] {
		if len(fields) > width || len(fields) < 2 {
			continue
		}
		numbers, filled, timed := 0, 0, false
		for _, f := range fields[1:] {
			timed = timed || isTime(f)
			if f != "" {
				filled++
			}
			if isField(f) {
				numbers++
			}
		}
		switch {
		case filled == 0 || timed: // the period of a table stands above it
		case numbers == filled && l.fields == nil:
			l.fields = fields
		case numbers < filled && filled >= most:
			l.names, l.line, most = fields, i, filled
		}
	}
	if l.names == nil || l.fields == nil {
		return nil
	}
	return l
}

// plan keeps the closes: adjusted ones where there are such.
func (l *levels) plan(h *head, layout string) (*plan, error) {
	p := newPlan(layout, wideShape)
	p.skip, p.width, p.times = h.number[l.first]-1, len(h.lines[l.first]), []int{0}
	if !isTime(h.lines[l.first][0]) {
		return nil, h.errorf(l.first, 1, "first column below the header is no time")
	}
	adjusted := slices.ContainsFunc(l.fields, func(f string) bool { return adjustedWords[canon(f)] })
	symbol, at := "", map[string]int{}
	for i := 1; i < p.width; i++ {
		if i < len(l.names) && l.names[i] != "" {
			symbol = l.names[i] // spreadsheets merge the cells of one name
		}
		field := ""
		if i < len(l.fields) {
			field = l.fields[i]
		}
		c := canon(field)
		if want := adjustedWords[c] || !adjusted && closeWords[c]; !want {
			if field != "" && !slices.Contains(p.ignored, field) {
				p.ignored = append(p.ignored, field)
			}
			continue
		}
		if symbol == "" {
			return nil, h.errorf(l.line, i+1, "symbol is empty: name the column, or delete it")
		}
		if j, ok := at[symbol]; ok {
			return nil, h.errorf(l.line, i+1, "symbol %s is in column %d already: keep one of them", symbol, j+1)
		}
		at[symbol] = i
		if msg := checkName([]byte(symbol)); msg != "" {
			return nil, h.errorf(l.line, i+1, "header %s", msg)
		}
		p.symbols = append(p.symbols, symbol)
		p.columns = append(p.columns, i)
	}
	if len(p.symbols) == 0 {
		return nil, h.errorf(0, 0, "no column Close or Adj Close in a header of several lines")
	}
	if adjusted {
		p.said = append(p.said, "adjusted closes")
	}
	return p, nil
}
