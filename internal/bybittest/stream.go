package bybittest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"vaefolio/vaelib/bybit"
)

// stream is one connection of a WebSocket.
type stream struct {
	conn   *websocket.Conn
	topics map[string]bool // guarded by Exchange.mu
	mu     sync.Mutex      // one message at a time, in order
}

func (s *stream) send(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A client that has gone is the affair of the reader.
	_ = s.conn.Write(context.Background(), websocket.MessageText, text)
}

// mostTopics is the most topics of one request.
const mostTopics = 10

// serveStream keeps a connection until it ends. Of the faults it knows
// Forbidden, TooOften, BadGateway and Reset, which refuse the connection, Slow,
// which never answers on it, and Empty, which leaves out the answers to
// subscriptions.
func (e *Exchange) serveStream(w http.ResponseWriter, r *http.Request, fault Fault) {
	switch fault {
	case Forbidden, TooOften, BadGateway, Reset:
		fault.write(w, r, nil, e.clock())
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	s := &stream{conn: conn, topics: map[string]bool{}}
	e.change(func() { e.streams[s] = true })
	defer conn.CloseNow()
	defer e.change(func() { delete(e.streams, s) })
	for {
		_, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		var request struct {
			Op   string   `json:"op"`
			Args []string `json:"args"`
		}
		if json.Unmarshal(text, &request) != nil || fault == Slow {
			continue
		}
		switch request.Op {
		case "ping":
			e.change(func() { e.pings++ })
			s.send([]byte(`{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}`))
		case "subscribe":
			refusal := e.refusal(request.Args)
			if refusal != "" {
				s.send(encode(map[string]any{"success": false, "ret_msg": refusal, "conn_id": "c", "op": "subscribe"}))
				continue
			}
			e.change(func() {
				for _, topic := range request.Args {
					s.topics[topic] = true
				}
			})
			if fault != Empty {
				s.send([]byte(`{"success":true,"ret_msg":"subscribe","conn_id":"c","req_id":"","op":"subscribe"}`))
			}
		}
	}
}

// refusal says why a subscription is refused; "" when it isn't.
func (e *Exchange) refusal(topics []string) string {
	if len(topics) > mostTopics {
		return "args size >10"
	}
	for _, topic := range topics {
		if e.listing(topic[strings.LastIndexByte(topic, '.')+1:]) == nil {
			return "Invalid symbol :[" + topic + "]"
		}
	}
	return ""
}

// change does something to the streams and wakes those who wait for it.
func (e *Exchange) change(do func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	do()
	close(e.changed)
	e.changed = make(chan struct{})
}

// WaitSubscribed waits until a connection has as many topics.
func (e *Exchange) WaitSubscribed(ctx context.Context, topics int) error {
	return e.await(ctx, func() bool {
		for s := range e.streams {
			if len(s.topics) >= topics {
				return true
			}
		}
		return false
	})
}

// WaitPings waits until as many pings have come, over all connections.
func (e *Exchange) WaitPings(ctx context.Context, pings int) error {
	return e.await(ctx, func() bool { return e.pings >= pings })
}

// await waits until a condition on the streams holds.
func (e *Exchange) await(ctx context.Context, holds func() bool) error {
	for {
		e.mu.Lock()
		changed, done := e.changed, holds()
		e.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Disconnect ends all WebSocket connections without a farewell.
func (e *Exchange) Disconnect() {
	for _, s := range e.open("") {
		e.change(func() { delete(e.streams, s) })
		_ = s.conn.CloseNow()
	}
}

// open are the connections with the topic, or all for "".
func (e *Exchange) open(topic string) []*stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	var streams []*stream
	for s := range e.streams {
		if topic == "" || s.topics[topic] {
			streams = append(streams, s)
		}
	}
	return streams
}

// Update is the message about a candle: closed, or still open.
func (e *Exchange) Update(symbol string, interval bybit.Interval, opening time.Time, closed bool) (message []byte) {
	candle, _ := e.Candle(symbol, interval, opening)
	if !closed {
		candle.Close, candle.Volume = candle.Open, candle.Volume/2
	}
	row := cells(candle)
	return encode(map[string]any{
		"topic": "kline." + string(interval) + "." + symbol, "type": "snapshot", "ts": e.clock().UnixMilli(),
		"data": []any{map[string]any{
			"start": opening.UnixMilli(), "end": interval.Next(opening).UnixMilli() - 1, "interval": interval,
			"open": row[1], "high": row[2], "low": row[3], "close": row[4], "volume": row[5], "turnover": row[6],
			"confirm": closed, "timestamp": e.clock().UnixMilli(),
		}},
	})
}

// Push sends a message to whoever has subscribed to the topic that it names.
func (e *Exchange) Push(message []byte) {
	var head struct {
		Topic string `json:"topic"`
	}
	if json.Unmarshal(message, &head) != nil {
		head.Topic = "" // for all
	}
	for _, s := range slices.Clone(e.open(head.Topic)) {
		s.send(message)
	}
}
