package market

import "regexp"

// bybit is a public file of trades, a day of one symbol. The last trade of a day
// is its close.
type bybit struct{}

func (bybit) name() string { return "bybit-trades" }

func (bybit) recognise(h *head) (*plan, error) {
	names := h.names()
	if find(names, words("trdmatchid execid rpi tickdirection")) < 0 &&
		(find(names, words("side")) < 0 || find(names, words("id")) < 0) {
		return nil, nil
	}
	p := newPlan("bybit-trades", longShape)
	p.skip, p.width, p.times = h.skip(), len(names), h.timeFields()
	p.close, p.asset = find(names, closeWords), find(names, symbolWords)
	if m := bybitName.FindStringSubmatch(h.stem); m != nil && p.asset < 0 {
		p.shape, p.symbol = candlesShape, m[1]
	}
	if p.close < 0 || p.asset < 0 && p.symbol == "" || len(p.times) == 0 {
		return nil, h.errorf(h.header, 0, "trades without the columns timestamp, symbol and price")
	}
	p.last, p.part = true, true
	p.said = append(p.said, "the last trade of a day is its close")
	return p, p.leaveOut(h)
}

// bybitName is the name of a file of spot trades, which has no column symbol.
var bybitName = regexp.MustCompile(`^([A-Z0-9]+)_?[0-9]{4}-[0-9]{2}(-[0-9]{2})?$`)
