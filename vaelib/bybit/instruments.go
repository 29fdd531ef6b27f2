package bybit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Instrument is what can be traded.
type Instrument struct {
	Symbol, Base, Quote string
	Status              string        // such as Trading, PreLaunch, Closed
	Perpetual           bool          // a contract without an end
	Launch              time.Time     // when it was listed; zero where the exchange doesn't say, as for spot
	FundingInterval     time.Duration // between payments of funding; 0 for spot
}

// Instruments returns all instruments of a category that have the status, in
// the exchange's order, however many pages that takes. An empty status means
// Trading. Spot has no others and no launch times.
func (c *Client) Instruments(ctx context.Context, category Category, status string) ([]Instrument, error) {
	const path = "/v5/market/instruments-info"
	if err := category.check(); err != nil {
		return nil, err
	}
	query := url.Values{"category": {string(category)}}
	if category != Spot {
		query.Set("limit", "1000") // spot ignores pages
	}
	if status != "" {
		query.Set("status", status)
	}
	var instruments []Instrument
	cursors := map[string]bool{}
	for {
		var result struct {
			List []struct {
				Symbol          string `json:"symbol"`
				BaseCoin        string `json:"baseCoin"`
				QuoteCoin       string `json:"quoteCoin"`
				Status          string `json:"status"`
				ContractType    string `json:"contractType"`
				LaunchTime      scalar `json:"launchTime"`
				FundingInterval int    `json:"fundingInterval"` // minutes
			} `json:"list"`
			Cursor string `json:"nextPageCursor"`
		}
		if err := c.get(ctx, path, query, "", &result); err != nil {
			return nil, err
		}
		if result.List == nil {
			return nil, &DecodeError{Path: path, Index: -1, Msg: "result has no list"}
		}
		for i, row := range result.List {
			if err := checkSymbol(row.Symbol); err != nil {
				return nil, &DecodeError{Path: path, Index: i, Msg: err.Error()}
			}
			instrument := Instrument{
				Symbol: row.Symbol, Base: row.BaseCoin, Quote: row.QuoteCoin, Status: row.Status,
				Perpetual:       row.ContractType == "LinearPerpetual" || row.ContractType == "InversePerpetual",
				FundingInterval: time.Duration(row.FundingInterval) * time.Minute,
			}
			if row.LaunchTime != "" && row.LaunchTime != "0" {
				var err error
				if instrument.Launch, err = row.LaunchTime.time(); err != nil {
					return nil, &DecodeError{Path: path, Symbol: row.Symbol, Index: i, Msg: fmt.Sprintf(
						"launchTime %v", err)}
				}
			}
			instruments = append(instruments, instrument)
		}
		switch {
		case result.Cursor == "" || len(result.List) == 0:
			return instruments, nil
		case cursors[result.Cursor]:
			return nil, &DecodeError{Path: path, Index: -1, Msg: fmt.Sprintf(
				"page %s came twice", strconv.Quote(oneLine(result.Cursor)))}
		}
		cursors[result.Cursor] = true
		query.Set("cursor", result.Cursor)
	}
}

// checkSymbol refuses a name with letters that have no picture: two such names
// look alike, and one can turn what stands behind it round.
func checkSymbol(symbol string) error {
	if symbol == "" {
		return errors.New("symbol is empty")
	}
	for _, r := range symbol {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return fmt.Errorf("symbol %s has the letter %U, which can't be seen",
				strconv.QuoteToASCII(oneLine(symbol)), r)
		}
	}
	return nil
}

// Ticker is the last day of a symbol.
type Ticker struct {
	Symbol   string
	Volume   float64 // of 24 hours, units as of [Candle]
	Turnover float64 // of 24 hours, units as of [Candle]
}

// Tickers returns the last day of all symbols of a category, in the exchange's
// order.
func (c *Client) Tickers(ctx context.Context, category Category) ([]Ticker, error) {
	const path = "/v5/market/tickers"
	if err := category.check(); err != nil {
		return nil, err
	}
	var result struct {
		List []struct {
			Symbol   string `json:"symbol"`
			Volume   scalar `json:"volume24h"`
			Turnover scalar `json:"turnover24h"`
		} `json:"list"`
	}
	if err := c.get(ctx, path, url.Values{"category": {string(category)}}, "", &result); err != nil {
		return nil, err
	}
	if result.List == nil {
		return nil, &DecodeError{Path: path, Index: -1, Msg: "result has no list"}
	}
	tickers := make([]Ticker, len(result.List))
	for i, row := range result.List {
		if err := checkSymbol(row.Symbol); err != nil {
			return nil, &DecodeError{Path: path, Index: i, Msg: err.Error()}
		}
		tickers[i].Symbol = row.Symbol
		for _, cell := range []struct {
			name string
			text scalar
			dst  *float64
		}{{"volume24h", row.Volume, &tickers[i].Volume}, {"turnover24h", row.Turnover, &tickers[i].Turnover}} {
			if cell.text == "" {
				continue // a symbol that has not traded yet
			}
			var err error
			if *cell.dst, err = cell.text.number(); err != nil {
				return nil, &DecodeError{Path: path, Symbol: row.Symbol, Index: i, Msg: fmt.Sprintf(
					"%s %v", cell.name, err)}
			}
		}
	}
	return tickers, nil
}

// MostTraded returns up to n instruments that trade against the quote coin now,
// by falling turnover of the last 24 hours: pairs of spot, perpetuals of the
// other categories. It is today's list: whoever uses it for the past leaves out
// what was traded much then and is gone now.
func (c *Client) MostTraded(ctx context.Context, category Category, quote string, n int) ([]Instrument, error) {
	instruments, err := c.Instruments(ctx, category, "")
	if err != nil {
		return nil, err
	}
	tickers, err := c.Tickers(ctx, category)
	if err != nil {
		return nil, err
	}
	turnover := map[string]float64{}
	for _, t := range tickers {
		if turnover[t.Symbol] = t.Turnover; category == Inverse {
			turnover[t.Symbol] = t.Volume // dollars; the turnover is in as many coins as there are symbols
		}
	}
	instruments = slices.DeleteFunc(instruments, func(i Instrument) bool {
		return i.Quote != quote || category.Perpetuals() && !i.Perpetual || turnover[i.Symbol] == 0
	})
	slices.SortFunc(instruments, func(a, b Instrument) int {
		return cmp.Or(cmp.Compare(turnover[b.Symbol], turnover[a.Symbol]), cmp.Compare(a.Symbol, b.Symbol))
	})
	return instruments[:min(n, len(instruments))], nil
}
