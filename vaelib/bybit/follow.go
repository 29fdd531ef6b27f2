package bybit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"
)

// FollowQuery asks for the candles of symbols as they close.
type FollowQuery struct {
	Category Category
	Interval Interval
	Symbols  []string
	// Since is the first opening wanted. Candles that have closed already come
	// over REST. Zero: the candle that is open now is the first.
	Since time.Time
	// Lost is told why a connection ended, before the next one is made; nil is
	// fine.
	Lost func(err error)
}

func (q *FollowQuery) check() error {
	if len(q.Symbols) == 0 {
		return errors.New("no symbols to follow")
	}
	for i, symbol := range q.Symbols {
		if symbol == "" || slices.Contains(q.Symbols[:i], symbol) {
			return fmt.Errorf("symbol %q to follow is empty or there twice", symbol)
		}
	}
	return cmp.Or(q.Category.check(), q.Interval.check())
}

// topicsPerRequest is the most topics that spot takes in one subscription.
const topicsPerRequest = 10

// clockSlack is how far the clocks of the stream and of REST may be apart.
const clockSlack = 5 * time.Second

// gapAttempts is how often candles are asked for that the exchange's own stream
// shows to be due, before their absence is believed.
const gapAttempts = 3

// Follow calls each with every closed candle from q.Since on: once, and for
// each symbol in order. First it catches up over REST, then candles come over
// WebSocket; whatever a lost connection or message leaves out comes over REST
// again. What jumps is the exchange's own gap.
//
// Follow returns the context's error, the first error of each, an error that
// won't pass ([*SubscribeError], an [*APIError] or [*HTTPError] of the classes
// [ErrSymbol] and [ErrRefused], a [*DecodeError] of REST), and nothing else:
// it outlives any other fault, a ban for asking too often included.
func (c *Client) Follow(ctx context.Context, q FollowQuery, each func(symbol string, candle Candle) error) error {
	if err := q.check(); err != nil {
		return err
	}
	f := &follower{client: c, q: q, each: each, due: map[string]time.Time{}}
	pause := c.opt.Backoff()
	pause.Reset()
	for {
		delivered := f.delivered
		err := f.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var stop *finalError
		if errors.As(err, &stop) {
			return stop.error
		}
		if f.delivered > delivered {
			pause.Reset()
		}
		if q.Lost != nil {
			q.Lost(err)
		}
		if err := c.opt.Wait(ctx, max(0, pause.NextBackOff())+waitOf(err)); err != nil {
			return err
		}
	}
}

// finalError ends [Client.Follow]. It doesn't unwrap: a context's error within
// it is the caller's, and not that of a session.
type finalError struct{ error }

// final marks an error of the exchange as one that ends, unless it can pass, as
// a ban does.
func final(err error) error {
	if retryable(err) || errors.Is(err, ErrRateLimited) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &finalError{err}
}

// follower is the state of one call of [Client.Follow]: all but the reader and
// the pings of a session run in one goroutine.
type follower struct {
	client    *Client
	q         FollowQuery
	each      func(string, Candle) error
	due       map[string]time.Time // the opening of each symbol's next candle
	clock     time.Time            // of the exchange, when it was last asked
	asked     time.Time            // when that was, by the clock here; zero: never
	delivered int
}

// session catches up, connects, and goes on until something breaks. Its error
// is never nil.
func (f *follower) session(ctx context.Context) error {
	if err := f.begin(ctx); err != nil {
		return err
	}
	if err := f.catchUp(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	conn, err := f.dial(ctx)
	if err != nil {
		cancel(nil)
		return err
	}
	link := &link{conn: conn, messages: make(chan []byte, 1024)}
	var helpers sync.WaitGroup
	helpers.Go(func() { cancel(link.read(ctx)) })
	helpers.Go(func() { cancel(link.ping(ctx, f.client.opt)) })
	if err = f.listen(ctx, link); errors.Is(err, context.Canceled) {
		err = context.Cause(ctx) // what the reader or the pings met
	}
	cancel(err)
	_ = conn.CloseNow() // it is over either way
	helpers.Wait()
	return err
}

// begin settles which candle of each symbol is the first.
func (f *follower) begin(ctx context.Context) error {
	if len(f.due) > 0 {
		return nil
	}
	since := f.q.Since
	if since.IsZero() {
		now, err := f.client.ServerTime(ctx)
		if err != nil {
			return final(err)
		}
		since = f.q.Interval.Floor(now)
	}
	for _, symbol := range f.q.Symbols {
		f.due[symbol] = f.q.Interval.Ceil(since)
	}
	return nil
}

// catchUp delivers over REST all that has closed.
func (f *follower) catchUp(ctx context.Context) error {
	queries := make([]KlineQuery, len(f.q.Symbols))
	for i, symbol := range f.q.Symbols {
		queries[i] = KlineQuery{Category: f.q.Category, Symbol: symbol, Interval: f.q.Interval, From: f.due[symbol]}
	}
	return f.client.KlinesAll(ctx, queries, func(_ int, s *Series, err error) error {
		if err != nil {
			return final(err)
		}
		return f.deliver(s.Symbol, s.Candles)
	})
}

func (f *follower) deliver(symbol string, candles []Candle) error {
	for _, candle := range candles {
		if err := f.each(symbol, candle); err != nil {
			return &finalError{err}
		}
		f.delivered++
		f.due[symbol] = f.q.Interval.Next(candle.Start)
	}
	return nil
}

// longestMessage bounds a message of the stream, in bytes.
const longestMessage = 1 << 20

func (f *follower) dial(ctx context.Context) (*websocket.Conn, error) {
	path := "/v5/public/" + string(f.q.Category)
	dialCtx, cancel := context.WithTimeout(ctx, f.client.opt.Timeout)
	defer cancel()
	conn, response, err := websocket.Dial(dialCtx, f.client.opt.StreamURL+path,
		&websocket.DialOptions{HTTPClient: f.client.opt.HTTP})
	if err == nil {
		conn.SetReadLimit(longestMessage)
		return conn, nil
	}
	if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16)) // what there is of it
		return nil, final(newHTTPError(path, response.StatusCode, response.Header, body))
	}
	return nil, &ConnectionError{Path: path, Err: err}
}

// listen subscribes and handles messages until something breaks.
func (f *follower) listen(ctx context.Context, l *link) error {
	for topics := range slices.Chunk(f.q.Symbols, topicsPerRequest) {
		request := struct {
			Op   string   `json:"op"`
			Args []string `json:"args"`
		}{Op: "subscribe"}
		for _, symbol := range topics {
			request.Args = append(request.Args, f.topic(symbol))
		}
		l.unconfirmed.Add(1)
		if err := l.write(ctx, f.client.opt.Timeout, request); err != nil {
			return err
		}
	}
	for {
		select {
		case message := <-l.messages:
			if err := f.handle(ctx, l, message); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (f *follower) topic(symbol string) string {
	return "kline." + string(f.q.Interval) + "." + symbol
}

// handle acts on one message. What is neither an answer to a request nor a
// candle of a symbol asked for is of no concern.
func (f *follower) handle(ctx context.Context, l *link, raw []byte) error {
	m, err := decodeMessage(raw)
	if err != nil {
		return err
	}
	if m.Op == "subscribe" {
		if !m.Success {
			return &finalError{&SubscribeError{m.Message}}
		}
		if l.unconfirmed.Add(-1) == 0 {
			return f.catchUp(ctx) // with what closed while the subscription was under way
		}
		return nil
	}
	symbol, ok := strings.CutPrefix(m.Topic, f.topic(""))
	if _, asked := f.due[symbol]; !ok || !asked {
		return nil
	}
	updates, err := m.updates(symbol, f.q.Interval)
	if err != nil {
		return err
	}
	for _, u := range updates {
		if err := f.checkTime(ctx, symbol, u); err != nil {
			return err
		}
		// That this candle has begun says that those before it have closed.
		if err := f.fill(ctx, symbol, u.candle.Start); err != nil {
			return err
		}
		if u.closed && u.candle.Start.Equal(f.due[symbol]) {
			if err := f.deliver(symbol, []Candle{u.candle}); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkTime refuses a candle that can't have begun, or closed where it says so, by
// the exchange's clock: to believe it would be to wait for what comes after it.
// The clock is asked for only where it is not known to have come so far.
func (f *follower) checkTime(ctx context.Context, symbol string, u update) error {
	reached := u.candle.Start
	if u.closed {
		reached = f.q.Interval.Next(reached)
	}
	reached = reached.Add(-clockSlack)
	here := f.client.opt.Now()
	if !f.asked.IsZero() && !f.clock.Add(here.Sub(f.asked)).Before(reached) {
		return nil
	}
	now, err := f.client.ServerTime(ctx)
	if err != nil {
		return final(err)
	}
	if f.clock, f.asked = now, here; now.Before(reached) {
		return &DecodeError{Path: "stream", Symbol: symbol, Index: -1, Msg: fmt.Sprintf(
			"candle of %s is ahead of the exchange's clock, which says %s",
			u.candle.Start.Format(time.RFC3339), now.Format(time.RFC3339))}
	}
	return nil
}

// fill delivers over REST what is due before the candle that opens at start.
func (f *follower) fill(ctx context.Context, symbol string, start time.Time) error {
	if !f.due[symbol].Before(start) {
		return nil
	}
	pause := f.client.opt.Backoff()
	pause.Reset()
	for attempt := 1; ; attempt++ {
		s, err := f.client.Klines(ctx, KlineQuery{
			Category: f.q.Category, Symbol: symbol, Interval: f.q.Interval, From: f.due[symbol], Now: start,
		})
		if err != nil {
			return final(err)
		}
		next := pause.NextBackOff()
		if len(s.Missing) > 0 && attempt < gapAttempts && next != backoff.Stop {
			// The exchange can be late.
			if err := f.client.opt.Wait(ctx, next); err != nil {
				return err
			}
			continue
		}
		if err := f.deliver(symbol, s.Candles); err != nil {
			return err
		}
		f.due[symbol] = start
		return nil
	}
}

// link is one connection.
type link struct {
	conn        *websocket.Conn
	messages    chan []byte
	received    atomic.Int64 // messages so far
	reading     atomic.Bool  // waiting for a message, not for its receiver
	unconfirmed atomic.Int64 // subscriptions without an answer
}

// read passes messages on until the connection breaks.
func (l *link) read(ctx context.Context) error {
	for {
		l.reading.Store(true)
		_, message, err := l.conn.Read(ctx)
		l.reading.Store(false)
		if err != nil {
			return &ConnectionError{Path: "stream", Err: err}
		}
		l.received.Add(1)
		select {
		case l.messages <- message:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ping keeps the connection alive, and ends it when the watch finds it dead.
func (l *link) ping(ctx context.Context, opt Options) error {
	ticks, stop := opt.Tick(opt.PingInterval)
	defer stop()
	var w watch
	for {
		select {
		case <-ticks:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := w.check(l.received.Load(), l.reading.Load(), l.unconfirmed.Load()); err != nil {
			return &ConnectionError{Path: "stream", Err: err}
		}
		if err := l.write(ctx, opt.Timeout, struct {
			Op string `json:"op"`
		}{"ping"}); err != nil {
			return err
		}
	}
}

// watch judges from ping to ping whether a connection is alive.
type watch struct {
	pings      int
	received   int64 // messages by the last ping
	unanswered int   // pings that found a subscription without an answer
}

// check returns an error when nothing came since the last ping, though somebody
// was waiting for it, or when a subscription went unanswered over two pings.
func (w *watch) check(received int64, reading bool, unconfirmed int64) error {
	if w.pings > 0 && received == w.received && reading {
		return errors.New("nothing came since the last ping")
	}
	w.pings++
	w.received = received
	if unconfirmed > 0 {
		if w.unanswered++; w.unanswered > 2 {
			return errors.New("the subscription was not confirmed")
		}
	}
	return nil
}

func (l *link) write(ctx context.Context, timeout time.Duration, request any) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := l.conn.Write(ctx, websocket.MessageText, text); err != nil {
		return &ConnectionError{Path: "stream", Err: err}
	}
	return nil
}

// message is one of the stream: the answer to a request, with Op, or data of a
// topic.
type message struct {
	Op      string          `json:"op"`
	Success bool            `json:"success"`
	Message string          `json:"ret_msg"`
	Topic   string          `json:"topic"`
	Data    json.RawMessage `json:"data"`
}

func decodeMessage(raw []byte) (*message, error) {
	m := &message{}
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, &DecodeError{Path: "stream",
			Index: -1, Msg: "message is not as documented: " + malformed(err)}
	}
	return m, nil
}

// update is the state of a candle.
type update struct {
	candle Candle
	closed bool
}

// updates reads the data of a kline topic.
func (m *message) updates(symbol string, interval Interval) ([]update, error) {
	fail := func(row int, msg string) error {
		return &DecodeError{Path: "stream", Symbol: symbol, Index: row, Msg: msg}
	}
	var rows []struct {
		Start    scalar `json:"start"`
		Open     scalar `json:"open"`
		High     scalar `json:"high"`
		Low      scalar `json:"low"`
		Close    scalar `json:"close"`
		Volume   scalar `json:"volume"`
		Turnover scalar `json:"turnover"`
		Confirm  *bool  `json:"confirm"`
	}
	if err := json.Unmarshal(m.Data, &rows); err != nil {
		return nil, fail(-1, "data are not as documented: "+malformed(err))
	}
	updates := make([]update, len(rows))
	for i, row := range rows {
		if row.Confirm == nil {
			return nil, fail(i, "confirm is missing")
		}
		candle, err := newCandle(interval, [...]scalar{row.Start, row.Open, row.High, row.Low, row.Close, row.Volume,
			row.Turnover})
		if err != nil {
			return nil, fail(i, err.Error())
		}
		updates[i] = update{candle, *row.Confirm}
	}
	return updates, nil
}
