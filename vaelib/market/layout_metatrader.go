package market

import "strings"

// metatrader is what MetaTrader 4 and 5 export: a header in angle brackets and
// tabs, or no header: the date with points, the time of day, and the candle.
// Bybit's public files of klines for MetaTrader are written so.
type metatrader struct{}

func (metatrader) name() string { return "metatrader" }

func (metatrader) recognise(h *head) (*plan, error) {
	p := newPlan("metatrader", candlesShape)
	names := h.names()
	switch {
	case len(names) > 0:
		if !strings.HasPrefix(names[0], "<DATE>") || find(names, symbolWords) >= 0 {
			return nil, nil
		}
		p.skip, p.width, p.times = h.skip(), len(names), h.timeFields()
		p.numbers(names)
		if p.close < 0 || len(p.times) == 0 {
			return nil, nil
		}
		return p, p.leaveOut(h)
	case len(h.lines) == 0 || len(h.lines[0]) < 6 || len(h.lines[0][0]) < 10 || h.lines[0][0][4] != '.' ||
		!isTime(h.lines[0][0]):
		return nil, nil
	}
	row := h.lines[0]
	first := 1
	p.skip, p.width, p.times = h.skip(), len(row), []int{0}
	if isClock(row[1]) && strings.Contains(row[1], ":") {
		p.times, first = []int{0, 1}, 2
	}
	if len(row) < first+5 {
		return nil, nil
	}
	p.open, p.high, p.low, p.close, p.volume = first, first+1, first+2, first+3, first+4
	return p, nil
}
