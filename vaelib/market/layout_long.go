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
		if err := h.oneKind(names, p.asset); err != nil && p.close >= 0 {
			return nil, err
		}
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

// oneKind refuses a molten table in which a column says what each value is, and some are closes.
func (h *head) oneKind(names []string, asset int) error {
	at := find(names, words("field variable metric attribute item measure fieldname indicator"))
	if at < 0 || at == asset {
		return nil
	}
	closes, other := "", ""
	for _, kind := range h.column(at) {
		if c := canon(kind); closeWords[c] || adjustedWords[c] {
			closes = kind
		} else {
			other = kind
		}
	}
	if closes == "" || other == "" {
		return nil
	}
	return h.errorf(h.header, at+1, "column %s says what each value is, such as %s and %s: keep the rows of %s",
		names[at], closes, other, closes)
}
