package bybit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Candle is one closed interval of trading.
type Candle struct {
	Start                  time.Time // the opening
	Open, High, Low, Close float64
	Volume                 float64 // in the base coin; inverse: in US dollars
	Turnover               float64 // in the quote coin; inverse: in the base coin
}

// KlineQuery asks for the candles of one symbol.
type KlineQuery struct {
	Category Category
	Symbol   string
	Interval Interval
	// From and To bound the openings, both inclusive. A zero To means all that
	// have closed.
	From, To time.Time
	// Now is the exchange's time, by which the candles must have closed. Zero:
	// it is asked for.
	Now time.Time
}

func (q *KlineQuery) check() error {
	if q.Symbol == "" {
		return errors.New("no symbol to ask candles of")
	}
	if q.From.UnixMilli() < 0 {
		return fmt.Errorf("%s: candles from %s: give a time after 1970", q.Symbol, q.From.Format(time.DateOnly))
	}
	return cmp.Or(q.Category.check(), q.Interval.check())
}

// Series are the candles of one symbol, rising in time, and the openings of the
// range asked for that the exchange has no candle for: before a listing, after
// a delisting, or gaps.
type Series struct {
	Symbol  string
	Candles []Candle
	Missing []Span
}

// Span is a half-open range of openings.
type Span struct {
	From, Until time.Time
	Candles     int // openings in it
}

func (s Span) String() string {
	return fmt.Sprintf("%d from %s until %s", s.Candles, s.From.Format(time.RFC3339), s.Until.Format(time.RFC3339))
}

// mostRows is the most candles of one page.
const mostRows = 1000

// Klines returns the closed candles of the range, however many pages that
// takes. The error is a context's, an [*APIError], [*HTTPError],
// [*ConnectionError] or [*DecodeError].
func (c *Client) Klines(ctx context.Context, q KlineQuery) (*Series, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if q.Now.IsZero() {
		var err error
		if q.Now, err = c.ServerTime(ctx); err != nil {
			return nil, err
		}
	}
	from, last := q.Interval.Ceil(q.From), q.Interval.previous(q.Interval.Floor(q.Now))
	if !q.To.IsZero() && q.To.Before(last) {
		last = q.Interval.Floor(q.To)
	}
	found := ledger{interval: q.Interval, candles: map[int64]Candle{}}
	for end := last; !end.Before(from); {
		oldest, err := c.page(ctx, &q, &found, from, end)
		if err != nil {
			return nil, err
		}
		if found.hole(oldest, end) {
			// Once more, to tell a gap of the exchange from a bad answer.
			again, err := c.page(ctx, &q, &found, from, end)
			if err != nil {
				return nil, err
			}
			if oldest.IsZero() || !again.IsZero() && again.Before(oldest) {
				oldest = again
			}
		}
		if oldest.IsZero() {
			break
		}
		end = oldest.Add(-time.Millisecond)
	}
	return found.series(q.Symbol, from, last), nil
}

// KlinesAll answers many queries at once. It calls each with the query's index
// and its series or error as they come, one call at a time; an error that each
// returns stops the rest and is returned. The only other error is the
// context's.
func (c *Client) KlinesAll(ctx context.Context, queries []KlineQuery,
	each func(i int, s *Series, err error) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if slices.ContainsFunc(queries, func(q KlineQuery) bool { return q.Now.IsZero() }) {
		now, err := c.ServerTime(ctx)
		if err != nil {
			return allFailed(ctx, len(queries), err, each)
		}
		queries = slices.Clone(queries)
		for i := range queries {
			if queries[i].Now.IsZero() {
				queries[i].Now = now
			}
		}
	}
	var (
		next  = make(chan int)
		mu    sync.Mutex
		tasks sync.WaitGroup
	)
	for range min(c.opt.Parallel, len(queries)) {
		tasks.Go(func() {
			for i := range next {
				s, err := c.Klines(ctx, queries[i])
				mu.Lock()
				if ctx.Err() == nil {
					if err := each(i, s, err); err != nil {
						cancel(err)
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range queries {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	tasks.Wait()
	return context.Cause(ctx)
}

// allFailed reports one error for n queries.
func allFailed(ctx context.Context, n int, err error, each func(i int, s *Series, err error) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i := range n {
		if err := each(i, nil, err); err != nil {
			return err
		}
	}
	return nil
}

// page asks for the newest candles that open in [from, end] and enters them. It
// returns the oldest opening, zero for an empty page.
func (c *Client) page(ctx context.Context, q *KlineQuery, found *ledger, from, end time.Time) (oldest time.Time,
	err error) {
	const path = "/v5/market/kline"
	query := url.Values{
		"category": {string(q.Category)}, "symbol": {q.Symbol}, "interval": {string(q.Interval)},
		"start": {strconv.FormatInt(from.UnixMilli(), 10)}, "end": {strconv.FormatInt(end.UnixMilli(), 10)},
		"limit": {strconv.Itoa(mostRows)},
	}
	var raw json.RawMessage
	if err := c.get(ctx, path, query, q.Symbol, &raw); err != nil {
		return time.Time{}, err
	}
	candles, err := decodeKlines(raw, q.Symbol, q.Interval)
	if err != nil {
		return time.Time{}, err
	}
	fail := func(row int, format string, args ...any) error {
		return &DecodeError{Path: path, Symbol: q.Symbol, Index: row, Msg: fmt.Sprintf(format, args...)}
	}
	// The exchange floors start, and the candle at a border may come once more.
	before, after := q.Interval.Add(from, -1), q.Interval.Next(end)
	for i, candle := range candles {
		switch opening := candle.Start.Format(time.RFC3339); {
		case candle.Start.Before(before) || candle.Start.After(after):
			return time.Time{}, fail(i,
				"candle of %s lies outside the range asked for, from %s to %s: this server ignores start and end",
				opening, from.Format(time.RFC3339), end.Format(time.RFC3339))
		case candle.Start.Before(from) || candle.Start.After(end):
			continue
		case !found.enter(candle):
			return time.Time{}, fail(i, "candle of %s differs from what came for it before", opening)
		}
		if oldest.IsZero() || candle.Start.Before(oldest) {
			oldest = candle.Start
		}
	}
	return oldest, nil
}

// ledger are candles by the Unix milliseconds of their opening.
type ledger struct {
	interval Interval
	candles  map[int64]Candle
}

// enter adds a candle, and says whether it agrees with the one already there.
func (l *ledger) enter(candle Candle) bool {
	ms := candle.Start.UnixMilli()
	old, ok := l.candles[ms]
	l.candles[ms] = candle
	return !ok || old == candle
}

// hole says whether a candle is missing in [oldest, end]; a zero oldest is an
// empty page.
func (l *ledger) hole(oldest, end time.Time) bool {
	if oldest.IsZero() {
		return true
	}
	for t := oldest; !t.After(end); t = l.interval.Next(t) {
		if _, ok := l.candles[t.UnixMilli()]; !ok {
			return true
		}
	}
	return false
}

// series sorts the candles and finds what is missing in [from, last].
func (l *ledger) series(symbol string, from, last time.Time) *Series {
	s := &Series{Symbol: symbol, Candles: make([]Candle, 0, len(l.candles))}
	for _, candle := range l.candles {
		s.Candles = append(s.Candles, candle)
	}
	slices.SortFunc(s.Candles, func(a, b Candle) int { return cmp.Compare(a.Start.UnixMilli(), b.Start.UnixMilli()) })
	expected := from
	for _, candle := range s.Candles {
		s.miss(l.interval, expected, candle.Start)
		expected = l.interval.Next(candle.Start)
	}
	s.miss(l.interval, expected, l.interval.Next(last))
	return s
}

// miss notes that the candles in [from, until) are not there.
func (s *Series) miss(interval Interval, from, until time.Time) {
	if from.Before(until) {
		s.Missing = append(s.Missing, Span{from, until, interval.count(from, until)})
	}
}

// columns of a row of candles, in the exchange's order.
var columns = [...]string{"time", "open", "high", "low", "close", "volume", "turnover"}

// decodeKlines reads the result of a kline request in the order in which it
// stands. Every row must have seven strings or numbers: an opening of the
// interval, a close above 0, and none below 0.
func decodeKlines(raw []byte, symbol string, interval Interval) ([]Candle, error) {
	fail := func(row int, format string, args ...any) error {
		return &DecodeError{Path: "/v5/market/kline", Symbol: symbol, Index: row, Msg: fmt.Sprintf(format, args...)}
	}
	var result struct {
		Symbol string              `json:"symbol"`
		List   [][]json.RawMessage `json:"list"`
	}
	malformed := json.Unmarshal(raw, &result) // a row of another type is left nil
	candles := make([]Candle, len(result.List))
	for i, row := range result.List {
		if len(row) != len(columns) {
			return nil, fail(i, "not a list of %d cells", len(columns))
		}
		var values [len(columns)]scalar
		for j, cell := range row {
			if err := values[j].UnmarshalJSON(cell); err != nil {
				return nil, fail(i, "%s: %v", columns[j], err)
			}
		}
		var err error
		if candles[i], err = newCandle(interval, values); err != nil {
			return nil, fail(i, "%v", err)
		}
	}
	switch {
	case malformed != nil:
		return nil, fail(-1, "result is not as documented: %s", oneLine(malformed.Error()))
	case result.List == nil:
		return nil, fail(-1, "result has no list")
	case result.Symbol != symbol:
		return nil, fail(-1, "result is of symbol %s", strconv.Quote(oneLine(result.Symbol)))
	}
	return candles, nil
}

// newCandle reads the cells of a candle.
func newCandle(interval Interval, values [len(columns)]scalar) (Candle, error) {
	var candle Candle
	var err error
	if candle.Start, err = values[0].time(); err != nil {
		return candle, fmt.Errorf("time %w", err)
	}
	if !interval.Floor(candle.Start).Equal(candle.Start) {
		return candle, fmt.Errorf("time %s is not an opening of the interval %s",
			candle.Start.Format(time.RFC3339Nano), interval)
	}
	for j, dst := range [...]*float64{&candle.Open, &candle.High, &candle.Low, &candle.Close, &candle.Volume,
		&candle.Turnover} {
		if *dst, err = values[1+j].number(); err == nil && *dst < 0 {
			err = fmt.Errorf("%v is below 0", *dst)
		}
		if err != nil {
			return candle, fmt.Errorf("%s %w", columns[1+j], err)
		}
	}
	if candle.Close == 0 {
		return candle, errors.New("close is 0")
	}
	return candle, nil
}

// number reads a finite decimal number.
func (s scalar) number() (float64, error) {
	x, err := strconv.ParseFloat(string(s), 64)
	if err != nil || math.IsInf(x, 0) || strings.Trim(string(s), "0123456789.+-eE") != "" {
		return 0, fmt.Errorf("%q is no number", oneLine(string(s)))
	}
	return x, nil
}

// Unix milliseconds of times that can be meant: from 1970 to 5138.
const mostMillis = 100_000_000_000_000

// time reads Unix milliseconds.
func (s scalar) time() (time.Time, error) {
	ms, err := strconv.ParseInt(string(s), 10, 64)
	if err != nil || ms < 0 || ms >= mostMillis {
		return time.Time{}, fmt.Errorf("%q is no time in Unix milliseconds", oneLine(string(s)))
	}
	return time.UnixMilli(ms).UTC(), nil
}
