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
	if h.folder && canon(names[p.asset]) == "name" && h.isKey(p.asset) {
		return nil, nil // a key of CoinMarketCap's; the file's name is the asset's
	}
	if p.numbers(names); p.close < 0 {
		p.close = find(names, words("value")) // molten
	}
	p.times = h.timeFields()
	if p.close < 0 && p.earned < 0 || len(p.times) == 0 {
		return nil, nil
	}
	if canon(names[p.asset]) == "permno" {
		p.quoted = true
		p.said = append(p.said, "closes below 0 as the middle of bid and ask")
	}
	if err := h.checkNames(); err != nil {
		return nil, err
	}
	p.skip, p.width = h.skip(), len(names)
	return p, p.leaveOut(h)
}
