package market

import (
	"slices"
	"strings"
)

// flattened is a wide file with several numbers an asset, named in one line:
// BTC_close, BTC_volume, or Close AAPL, or ('Close', 'AAPL').
type flattened struct{}

func (flattened) name() string { return "flattened" }

func (flattened) recognise(h *head) (*plan, error) {
	names := h.names()
	p := newPlan("flattened", wideShape)
	if p.times = h.timeFields(); len(p.times) == 0 {
		return nil, nil
	}
	assets, fields := make([]string, len(names)), make([]string, len(names))
	adjusted, closes, numbered := false, 0, 0
	for i, name := range names {
		if slices.Contains(p.times, i) {
			continue
		}
		if assets[i], fields[i] = cutField(name); fields[i] == "" {
			return nil, nil
		}
		c := canon(fields[i])
		numbered++
		adjusted = adjusted || adjustedWords[c]
		if closeWords[c] || adjustedWords[c] {
			closes++
		}
	}
	if numbered == 0 {
		return nil, nil
	}
	if err := h.checkNames(); err != nil {
		return nil, err
	}
	if closes == 0 {
		return nil, h.errorf(h.header, 0, "columns such as %s are no closes: add those, named like %s_close",
			excerpt([]byte(names[len(names)-1])), assets[len(names)-1])
	}
	p.skip, p.width = h.skip(), len(names)
	at := map[string]int{}
	for i, field := range fields {
		c := canon(field)
		if want := adjustedWords[c] || !adjusted && closeWords[c]; !want {
			if !slices.Contains(p.times, i) {
				p.ignored = append(p.ignored, names[i])
			}
			continue
		}
		if j, ok := at[assets[i]]; ok {
			return nil, h.errorf(h.header, i+1, "symbol %s is in column %d already: keep one of them", assets[i], j+1)
		}
		at[assets[i]] = i
		p.symbols = append(p.symbols, assets[i])
		p.columns = append(p.columns, i)
	}
	if adjusted {
		p.said = append(p.said, "adjusted closes")
	}
	return p, nil
}

// cutField parts a name such as BTC_close in the asset and the field, which may
// stand first; an empty field: it has none.
func cutField(name string) (asset, field string) {
	name = strings.Trim(name, "()")
	if isNumbered(name) {
		return "", ""
	}
	for i, r := range name {
		if !strings.ContainsRune("_ .:|,-/", r) {
			continue
		}
		before, after := strings.Trim(name[:i], `'" `), strings.Trim(name[i+1:], `'" `)
		if before == "" || after == "" {
			continue
		}
		switch {
		case isField(after) && !isField(before):
			return before, after
		case isField(before) && !isField(after):
			return after, before
		}
	}
	return "", ""
}
