package market

import "regexp"

// binance is a dump of klines from data.binance.vision: twelve columns without
// a header, or with one since 2025, when the times of spot became microseconds.
// A file is of a day or a month, and several make the life of an asset.
type binance struct{}

func (binance) name() string { return "binance" }

var binanceName = regexp.MustCompile(`^([A-Za-z0-9_]+)-[0-9]+(s|m|h|d|w|mo)(-[0-9]{4}-[0-9]{2}(-[0-9]{2})?)?$`)

func (binance) recognise(h *head) (*plan, error) {
	names := h.names()
	switch {
	case len(names) == 0 && len(h.lines) > 0:
		if n := len(h.lines[0]); n != 12 && n != 11 {
			return nil, nil
		}
		for _, f := range h.lines[0] {
			if !h.isNumber(f) {
				return nil, nil
			}
		}
	case len(names) < 11 || canon(names[0]) != "opentime" || canon(names[6]) != "closetime":
		return nil, nil
	}
	p := newPlan("binance", candlesShape)
	p.skip, p.width, p.times = h.skip(), len(h.lines[0]), []int{0}
	p.open, p.high, p.low, p.close, p.volume, p.turnover = 1, 2, 3, 4, 5, 7
	if m := binanceName.FindStringSubmatch(h.stem); m != nil {
		p.symbol, p.part = m[1], m[3] != ""
	}
	return p, nil
}
