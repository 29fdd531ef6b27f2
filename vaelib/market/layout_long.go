package market

// long is one row an asset and a time: date, symbol, close, with or without the
// other numbers. R's and Kaggle's tidy tables, Stooq's bulk files and those of
// CryptoDataDownload are written so.
type long struct{}

func (long) name() string { return "long" }

func (long) recognise(h *head) (*plan, error) {
	names := h.names()
	p := newPlan("long", longShape)
	p.asset = find(names, symbolWords)
	if p.asset < 0 {
		return nil, nil
	}
	if p.numbers(names); p.close < 0 {
		p.close = find(names, words("value")) // molten
	}
	p.times = h.timeFields()
	if p.close < 0 || len(p.times) == 0 {
		return nil, nil
	}
	if err := h.checkNames(); err != nil {
		return nil, err
	}
	p.skip, p.width = h.skip(), len(names)
	return p, p.leaveOut(h)
}
