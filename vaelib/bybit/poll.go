package bybit

import (
	"context"
	"errors"
	"time"
)

// settled is how long after the close of a candle it is asked for.
const settled = 2 * time.Second

// Poll calls each with the candles of one opening after another, from q.Since on, once
// they have closed: those of all symbols that have one. It is [Client.Follow] for
// symbols that come and go: one that isn't listed yet, or no more, has none and keeps
// nothing waiting. An opening without any candle is skipped. All comes over REST, so
// that what is there is the exchange's word, and not that of a stream that is late; a
// symbol whose candles end is asked for some times more before that is believed.
//
// Poll returns the context's error, the first error of each, an error that won't pass,
// as Follow does, and nothing else.
func (c *Client) Poll(
	ctx context.Context, q FollowQuery, each func(opening time.Time, candles map[string]Candle) error,
) error {
	if err := q.check(); err != nil {
		return err
	}
	p := &poller{client: c, q: q, each: each, had: map[string]bool{}}
	pause := c.opt.Backoff()
	pause.Reset()
	for {
		err := p.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var stop *finalError
		switch {
		case errors.As(err, &stop):
			return stop.error
		case err == nil:
			pause.Reset()
			continue
		case q.Lost != nil:
			q.Lost(err)
		}
		if err := c.opt.Wait(ctx, max(0, pause.NextBackOff())+waitOf(err)); err != nil {
			return err
		}
	}
}

// poller is the state of one call of [Client.Poll].
type poller struct {
	client *Client
	q      FollowQuery
	each   func(time.Time, map[string]Candle) error
	due    time.Time       // the next opening; zero: not settled yet
	had    map[string]bool // symbols with a candle at the last opening
}

// round waits until the next candle has closed, and delivers all that have.
func (p *poller) round(ctx context.Context) error {
	now, err := p.client.ServerTime(ctx)
	if err != nil {
		return final(err)
	}
	interval := p.q.Interval
	if p.due.IsZero() {
		if p.due = interval.Floor(now); !p.q.Since.IsZero() {
			p.due = interval.Ceil(p.q.Since)
		}
	}
	if until := interval.Next(p.due).Add(settled); now.Before(until) {
		return p.client.opt.Wait(ctx, until.Sub(now))
	}
	last := interval.previous(interval.Floor(now.Add(-settled)))
	rows, err := p.ask(ctx, last, now)
	if err != nil {
		return err
	}
	for opening := p.due; !opening.After(last); opening = interval.Next(opening) {
		if candles := rows[opening.UnixMilli()]; len(candles) > 0 {
			if err := p.each(opening, candles); err != nil {
				return &finalError{err}
			}
			clear(p.had)
			for symbol := range candles {
				p.had[symbol] = true
			}
		}
		p.due = interval.Next(opening)
	}
	return nil
}

// ask returns the candles from the one due to the last, by opening and symbol. Those of
// a symbol that had one before and lacks the last are asked for again.
func (p *poller) ask(ctx context.Context, last, now time.Time) (map[int64]map[string]Candle, error) {
	rows := map[int64]map[string]Candle{}
	pause := p.client.opt.Backoff()
	pause.Reset()
	symbols := p.q.Symbols
	for attempt := 1; ; attempt++ {
		var queries []KlineQuery
		for _, symbol := range symbols {
			queries = append(queries, KlineQuery{Category: p.q.Category, Symbol: symbol, Interval: p.q.Interval,
				From: p.due, To: last, Now: now})
		}
		symbols = nil
		err := p.client.KlinesAll(ctx, queries, func(i int, s *Series, err error) error {
			symbol := queries[i].Symbol
			if err != nil && !errors.Is(err, ErrSymbol) { // which the exchange doesn't know, now
				return final(err)
			}
			if err == nil {
				enter(rows, s)
			}
			if _, there := rows[last.UnixMilli()][symbol]; !there && p.had[symbol] {
				symbols = append(symbols, symbol)
			}
			return nil
		})
		if err != nil || len(symbols) == 0 || attempt == gapAttempts {
			return rows, err
		}
		if err := p.client.opt.Wait(ctx, max(0, pause.NextBackOff())); err != nil {
			return nil, err
		}
	}
}

// enter puts candles into rows, by opening and symbol.
func enter(rows map[int64]map[string]Candle, s *Series) {
	for _, candle := range s.Candles {
		at := candle.Start.UnixMilli()
		if rows[at] == nil {
			rows[at] = map[string]Candle{}
		}
		rows[at][s.Symbol] = candle
	}
}
