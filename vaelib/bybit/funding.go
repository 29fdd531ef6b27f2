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
)

// Funding is one payment between the holders of a perpetual: longs pay the
// rate, a share of the position's value, to shorts; a negative rate the other
// way round.
type Funding struct {
	Time time.Time
	Rate float64
}

// FundingQuery asks for the funding of one perpetual.
type FundingQuery struct {
	Category Category // Linear or Inverse
	Symbol   string
	From, To time.Time // both inclusive; a zero To means all there were
}

// mostPayments is the most payments of one page.
const mostPayments = 200

// longestStep is the longest time between payments, with some slack: the
// exchange settles every 1, 2, 4 or 8 hours.
const longestStep = 8*time.Hour + time.Minute

// Funding returns the payments of the range, rising in time. Their rhythm
// differs between symbols and changes, so that not every gap can be told: what
// lies between payments more than 8 hours apart is asked for twice before it is
// believed that there is nothing, and so is an empty page. Errors are those of
// [Client.Klines].
func (c *Client) Funding(ctx context.Context, q FundingQuery) ([]Funding, error) {
	switch {
	case q.Symbol == "":
		return nil, errors.New("no symbol to ask funding of")
	case !q.Category.Perpetuals():
		return nil, fmt.Errorf("%s: category %q has no funding: linear and inverse have", q.Symbol, string(q.Category))
	}
	if q.To.IsZero() {
		var err error
		if q.To, err = c.ServerTime(ctx); err != nil {
			return nil, err
		}
	}
	found := map[int64]float64{}
	if err := c.fundingPages(ctx, q, found); err != nil {
		return nil, err
	}
	payments := sortedFunding(found)
	for i := 1; i < len(payments); i++ {
		before, after := payments[i-1].Time, payments[i].Time
		if after.Sub(before) <= longestStep {
			continue
		}
		q.From, q.To = before.Add(time.Millisecond), after.Add(-time.Millisecond)
		if err := c.fundingPages(ctx, q, found); err != nil {
			return nil, err
		}
	}
	return sortedFunding(found), nil
}

// fundingPages enters the payments of the range, page by page.
func (c *Client) fundingPages(ctx context.Context, q FundingQuery, found map[int64]float64) error {
	empty := 0
	for end := q.To; !end.Before(q.From) && empty < 2; {
		oldest, err := c.fundingPage(ctx, &q, found, end)
		if err != nil {
			return err
		}
		if oldest.IsZero() {
			empty++
			continue
		}
		empty = 0
		end = oldest.Add(-time.Millisecond)
	}
	return nil
}

// sortedFunding are the payments by time.
func sortedFunding(found map[int64]float64) []Funding {
	payments := make([]Funding, 0, len(found))
	for ms, rate := range found {
		payments = append(payments, Funding{time.UnixMilli(ms).UTC(), rate})
	}
	slices.SortFunc(payments, func(a, b Funding) int { return cmp.Compare(a.Time.UnixMilli(), b.Time.UnixMilli()) })
	return payments
}

// fundingPage asks for the newest payments in [q.From, end] and enters them. It
// returns the time of the oldest, zero for an empty page.
func (c *Client) fundingPage(ctx context.Context, q *FundingQuery, found map[int64]float64,
	end time.Time) (oldest time.Time, err error) {
	const path = "/v5/market/funding/history"
	query := url.Values{
		"category": {string(q.Category)}, "symbol": {q.Symbol},
		"startTime": {strconv.FormatInt(q.From.UnixMilli(), 10)}, "endTime": {strconv.FormatInt(end.UnixMilli(), 10)},
		"limit": {strconv.Itoa(mostPayments)},
	}
	var result struct {
		List []struct {
			Symbol string `json:"symbol"`
			Rate   scalar `json:"fundingRate"`
			Time   scalar `json:"fundingRateTimestamp"`
		} `json:"list"`
	}
	if err := c.get(ctx, path, query, q.Symbol, &result); err != nil {
		return time.Time{}, err
	}
	fail := func(row int, format string, args ...any) error {
		return &DecodeError{Path: path, Symbol: q.Symbol, Index: row, Msg: fmt.Sprintf(format, args...)}
	}
	if result.List == nil {
		return time.Time{}, fail(-1, "result has no list")
	}
	for i, row := range result.List {
		if row.Symbol != q.Symbol {
			return time.Time{}, fail(i, "payment is of symbol %s", strconv.Quote(oneLine(row.Symbol)))
		}
		t, err := row.Time.time()
		if err != nil {
			return time.Time{}, fail(i, "fundingRateTimestamp %v", err)
		}
		rate, err := row.Rate.number()
		if err != nil {
			return time.Time{}, fail(i, "fundingRate %v", err)
		}
		if t.Before(q.From.Add(-longestStep)) || t.After(end.Add(longestStep)) {
			return time.Time{}, fail(i,
				"payment of %s lies outside the range asked for: this server ignores startTime and endTime",
				t.Format(time.RFC3339))
		}
		if t.Before(q.From) || t.After(end) {
			continue
		}
		if old, ok := found[t.UnixMilli()]; ok && old != rate {
			return time.Time{}, fail(i, "rate of %s differs from what came for it before", t.Format(time.RFC3339))
		}
		found[t.UnixMilli()] = rate
		if oldest.IsZero() || t.Before(oldest) {
			oldest = t
		}
	}
	return oldest, nil
}
