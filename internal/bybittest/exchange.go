// Package bybittest is an exchange for tests: a handler that answers like the
// public market data of Bybit V5, over REST and WebSocket, and can be told to
// answer badly.
//
//	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT", Quote: "USDT"})
//	exchange.SetNow(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC))
//	server := httptest.NewServer(exchange)
//	defer server.Close()
//
// Its candles are a function of symbol, interval and opening, so that a test
// knows the truth ([Exchange.Candle]) without storing it.
package bybittest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vaefolio/vaelib/bybit"
)

// Listing is one symbol of an [Exchange].
type Listing struct {
	Symbol, Quote string
	Launch        time.Time // as the exchange states it; zero: it doesn't
	First         time.Time // no candle opens before it
	Until         time.Time // none opens at or after it; zero: still listed
	Turnover      float64   // of 24 hours
	Future        bool      // a contract with an end
	// Gap says of an opening that the exchange has no candle for it.
	Gap func(opening time.Time) bool
	// Trades are the candles, as far as they have come at the time now, for prices
	// that mean something. nil: any.
	Trades func(interval bybit.Interval, opening, now time.Time) (bybit.Candle, bool)
}

// Exchange is an http.Handler.
type Exchange struct {
	// PageRows bounds the rows of a page of candles. 0: the limit asked for. It
	// is set before the exchange is used.
	PageRows int

	listings []Listing

	mu       sync.Mutex
	now      time.Time
	fault    func(int, *http.Request) Fault
	requests []string
	streams  map[*stream]bool
	pings    int
	changed  chan struct{} // closed when a stream comes, goes, subscribes or pings
}

// New returns an exchange with the listings, all in every category.
func New(listings ...Listing) *Exchange {
	return &Exchange{listings: listings, streams: map[*stream]bool{}, changed: make(chan struct{})}
}

// SetNow sets the exchange's clock.
func (e *Exchange) SetNow(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = now
}

// SetFault sets what goes wrong with a request from now on. Requests are
// numbered from 0, over all the exchange's life. Nil: nothing goes wrong.
func (e *Exchange) SetFault(fault func(number int, r *http.Request) Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = fault
}

func (e *Exchange) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// Requests are the paths with queries asked for so far.
func (e *Exchange) Requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.requests)
}

// Candle is the truth: the candle as it is when it has closed.
func (e *Exchange) Candle(symbol string, interval bybit.Interval, opening time.Time) (bybit.Candle, bool) {
	l := e.listing(symbol)
	if l == nil || opening.Before(l.First) || !l.Until.IsZero() && !opening.Before(l.Until) ||
		l.Gap != nil && l.Gap(opening) {
		return bybit.Candle{}, false
	}
	if l.Trades != nil {
		return l.Trades(interval, opening, e.clock())
	}
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s %s %d", symbol, interval, opening.UnixMilli())
	x := hash.Sum64()
	draw := func(n uint64) uint64 { // the next digit to the base n
		defer func() { x /= n }()
		return x % n
	}
	low := 10000 + draw(50000) // cents
	first, last := low+draw(100), low+draw(100)
	high := max(first, last) + draw(100)
	candle := bybit.Candle{
		Start: opening, Open: float64(first) / 100, High: float64(high) / 100, Low: float64(low) / 100,
		Close:  float64(last) / 100,
		Volume: float64(draw(1_000_000)) / 1000, Turnover: float64(draw(100_000_000)) / 100,
	}
	return candle, true
}

// Series is the truth of a range of openings, both ends inclusive, as far as
// the exchange's clock has come.
func (e *Exchange) Series(symbol string, interval bybit.Interval, from, to time.Time) []bybit.Candle {
	var candles []bybit.Candle
	now := e.clock()
	for t := interval.Floor(from); !t.After(to) && !interval.Next(t).After(now); t = interval.Next(t) {
		if candle, ok := e.Candle(symbol, interval, t); ok && !t.Before(from) {
			candles = append(candles, candle)
		}
	}
	return candles
}

// FundingInterval is the time between payments on the exchange.
const FundingInterval = 8 * time.Hour

// Funding is the truth of a range, both ends inclusive.
func (e *Exchange) Funding(symbol string, from, to time.Time) []bybit.Funding {
	l := e.listing(symbol)
	if now := e.clock(); to.After(now) {
		to = now
	}
	var payments []bybit.Funding
	if l == nil {
		return nil
	}
	if from.Before(l.First) {
		from = l.First
	}
	if from.Before(to.AddDate(-10, 0, 0)) {
		from = to.AddDate(-10, 0, 0)
	}
	for t := from.Truncate(FundingInterval); !t.After(to); t = t.Add(FundingInterval) {
		if !t.Before(from) && (l.Until.IsZero() || t.Before(l.Until)) {
			payments = append(payments, bybit.Funding{Time: t, Rate: float64(t.Unix()/28800%40-10) / 1e5})
		}
	}
	return payments
}

func (e *Exchange) listing(symbol string) *Listing {
	if i := slices.IndexFunc(e.listings, func(l Listing) bool { return l.Symbol == symbol }); i >= 0 {
		return &e.listings[i]
	}
	return nil
}

// ServeHTTP answers one request, or goes wrong as told.
func (e *Exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	number := len(e.requests)
	e.requests = append(e.requests, r.URL.RequestURI())
	choose := e.fault
	e.mu.Unlock()
	fault := None
	if choose != nil {
		fault = choose(number, r)
	}
	if strings.HasPrefix(r.URL.Path, "/v5/public/") {
		e.serveStream(w, r, fault)
		return
	}
	answer, known := e.answer(r.URL.Path, r.URL.Query(), fault)
	if !known {
		http.NotFound(w, r)
		return
	}
	fault.write(w, r, answer, e.clock())
}

// answer is the body for a request in good order, as far as the fault lets it.
func (e *Exchange) answer(path string, query url.Values, fault Fault) (body any, known bool) {
	switch path {
	case "/v5/market/time":
		now := e.clock()
		return e.success(map[string]any{
			"timeSecond": strconv.FormatInt(now.Unix(), 10), "timeNano": strconv.FormatInt(now.UnixNano(), 10),
		}), true
	case "/v5/market/kline":
		return e.klines(query, fault), true
	case "/v5/market/instruments-info":
		return e.instruments(query), true
	case "/v5/market/tickers":
		list := []any{}
		for _, l := range e.listings {
			if l.Until.IsZero() {
				list = append(list, map[string]any{
					"symbol": l.Symbol, "turnover24h": strconv.FormatFloat(l.Turnover, 'f', -1, 64), "volume24h": "",
				})
			}
		}
		return e.success(map[string]any{"category": query.Get("category"), "list": list}), true
	case "/v5/market/funding/history":
		return e.funding(query, fault), true
	}
	return nil, false
}

func (e *Exchange) success(result any) any {
	return map[string]any{"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": map[string]any{},
		"time": e.clock().UnixMilli()}
}

func (e *Exchange) failure(code int, message string) any {
	return map[string]any{"retCode": code, "retMsg": message, "result": map[string]any{}, "time": e.clock().UnixMilli()}
}

func (e *Exchange) klines(query url.Values, fault Fault) any {
	symbol, interval := query.Get("symbol"), bybit.Interval(query.Get("interval"))
	if e.listing(symbol) == nil {
		return e.failure(10001, "Not supported symbols")
	}
	limit := millisOr(query.Get("limit"), 200)
	if e.PageRows > 0 {
		limit = min(limit, int64(e.PageRows))
	}
	now := e.clock()
	start := interval.Floor(time.UnixMilli(millisOr(query.Get("start"), 0)))
	t := interval.Floor(time.UnixMilli(min(millisOr(query.Get("end"), now.UnixMilli()), now.UnixMilli())))
	switch fault {
	case Repeat:
		t = interval.Next(t) // the boundary candle once more
	case Ignoring:
		start, t = interval.Floor(time.UnixMilli(0)), interval.Floor(now)
	}
	rows := [][]any{}
	for ; !t.Before(start) && int64(len(rows)) < limit; t = interval.Floor(t.Add(-1)) {
		if l := e.listing(symbol); t.Before(l.First) {
			break
		}
		candle, ok := e.Candle(symbol, interval, t)
		if !ok || t.After(now) {
			continue
		}
		if interval.Next(t).After(now) && e.listing(symbol).Trades == nil {
			candle.Close, candle.Volume = candle.Open, candle.Volume/2 // still open
		}
		rows = append(rows, cells(candle))
	}
	return e.success(map[string]any{"category": query.Get("category"), "symbol": symbol, "list": fault.spoil(rows)})
}

// cells are a row of candles as the exchange writes it.
func cells(c bybit.Candle) []any {
	row := []any{strconv.FormatInt(c.Start.UnixMilli(), 10)}
	for _, x := range []float64{c.Open, c.High, c.Low, c.Close, c.Volume, c.Turnover} {
		row = append(row, strconv.FormatFloat(x, 'f', -1, 64))
	}
	return row
}

// instrumentsPerPage is small, so that tests meet a second page.
const instrumentsPerPage = 2

func (e *Exchange) instruments(query url.Values) any {
	list := []any{}
	for _, l := range e.listings {
		if !l.Until.IsZero() {
			continue
		}
		row := map[string]any{"symbol": l.Symbol, "baseCoin": strings.TrimSuffix(l.Symbol, l.Quote),
			"quoteCoin": l.Quote, "status": "Trading"}
		if query.Get("category") != string(bybit.Spot) {
			row["contractType"], row["fundingInterval"] = "LinearPerpetual", 480
			if l.Future {
				row["contractType"], row["fundingInterval"] = "LinearFutures", 0
			}
			row["launchTime"] = "0"
			if !l.Launch.IsZero() {
				row["launchTime"] = strconv.FormatInt(l.Launch.UnixMilli(), 10)
			}
		}
		list = append(list, row)
	}
	if query.Get("category") == string(bybit.Spot) {
		return e.success(map[string]any{"category": "spot", "list": list})
	}
	from := min(int(millisOr(query.Get("cursor"), 0)), len(list))
	to, cursor := min(from+instrumentsPerPage, len(list)), ""
	if to < len(list) {
		cursor = strconv.Itoa(to)
	}
	return e.success(map[string]any{"category": query.Get("category"), "list": list[from:to], "nextPageCursor": cursor})
}

func (e *Exchange) funding(query url.Values, fault Fault) any {
	symbol := query.Get("symbol")
	if e.listing(symbol) == nil {
		return e.failure(10001, "params error: symbol invalid")
	}
	if query.Get("startTime") != "" && query.Get("endTime") == "" {
		return e.failure(10001, "endTime is missing")
	}
	from := time.UnixMilli(millisOr(query.Get("startTime"), 0))
	to := time.UnixMilli(millisOr(query.Get("endTime"), e.clock().UnixMilli()))
	payments := e.Funding(symbol, from, to)
	slices.Reverse(payments)
	list := []any{}
	for _, p := range payments[:min(len(payments), int(millisOr(query.Get("limit"), 200)))] {
		list = append(list, map[string]any{
			"symbol": symbol, "fundingRate": strconv.FormatFloat(p.Rate, 'f', -1, 64),
			"fundingRateTimestamp": strconv.FormatInt(p.Time.UnixMilli(), 10),
		})
	}
	switch {
	case fault == Empty:
		list = []any{}
	case fault == Hole && len(list) > 0:
		list = slices.Delete(list, len(list)/2, len(list)/2+1)
	}
	return e.success(map[string]any{"category": query.Get("category"), "list": list})
}

func millisOr(text string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return otherwise
}

// encode is the body of an answer.
func encode(answer any) []byte {
	body, err := json.Marshal(answer)
	if err != nil {
		panic("bybittest: answer can't be encoded")
	}
	return body
}
