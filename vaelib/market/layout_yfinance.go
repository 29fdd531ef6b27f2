package market

// yfinance is what yfinance's download(...).to_csv() writes: a line of fields,
// a line of tickers (or the other way round), and a line that names the index.
type yfinance struct{}

func (yfinance) name() string { return "yfinance" }

func (yfinance) recognise(h *head) (*plan, error) {
	if l := h.levelsOf(); l != nil {
		return l.plan(h, "yfinance")
	}
	return nil, nil
}
