package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/live"
	"vaefolio/vaelib/market"
)

// source hands over closed candles: those of each symbol once and in order.
type source interface {
	each(ctx context.Context, take taker) error
}

// taker takes in a closed candle.
type taker func(ctx context.Context, symbol string, opening time.Time, close float64) error

// source opens the exchange or the files, and settles the first candle to decide
// at.
func (s *session) source(ctx context.Context, options bybit.Options, settings *live.Settings, last *live.Line) (source, error) {
	if s.config.Replay != "" {
		return s.openFiles(settings)
	}
	options.BaseURL, options.StreamURL = s.config.BaseURL, s.config.StreamURL
	client, err := bybit.New(options)
	if err != nil {
		return nil, err
	}
	return s.openExchange(ctx, client, settings, last)
}

// exchange is the candles of an exchange, from the past on without an end.
type exchange struct {
	client *bybit.Client
	query  bybit.FollowQuery
	wait   func() // called after each candle
}

// openExchange makes sure that the exchange has the symbols. The first candle to
// decide at is the one behind the last line, or the last that is due and has
// closed. Candles are asked for from earlier than the window needs, since some
// may be lacking.
func (s *session) openExchange(ctx context.Context, client *bybit.Client, settings *live.Settings, last *live.Line) (*exchange, error) {
	now, err := client.ServerTime(ctx)
	if err != nil {
		return nil, err
	}
	instruments, err := client.Instruments(ctx, s.config.Category, "")
	if err != nil {
		return nil, err
	}
	traded := map[string]bool{}
	for _, instrument := range instruments {
		traded[instrument.Symbol] = true
	}
	var gone []string
	for _, symbol := range settings.Symbols {
		if !traded[symbol] {
			gone = append(gone, symbol)
		}
	}
	if len(gone) > 0 {
		return nil, fmt.Errorf("%s doesn't trade %s of the model in %s: choose another -category, or train a model of what is traded", client.BaseURL(), strings.Join(gone, ", "), s.config.Category)
	}
	interval := settings.Interval
	open := interval.Floor(now)
	first := interval.Add(open, -1)
	if last != nil {
		first = interval.Next(last.Candle)
		if missed := interval.Add(first, 1); missed.Before(open) {
			s.io.Note("the candles from %s on, which closed meanwhile, come first", stamp(first))
		}
	} else {
		for !live.Due(interval, settings.Every, first) {
			first = interval.Add(first, -1)
		}
	}
	settings.From = first
	s.io.Note("following %s; lines from the candle of %s on", client.BaseURL(), stamp(first))
	needed := settings.Needed()
	spare := needed/10 + 10
	return &exchange{client: client, wait: s.wait, query: bybit.FollowQuery{
		Category: s.config.Category, Interval: interval, Symbols: settings.Symbols,
		Since: interval.Add(first, -needed-spare),
		Lost: func(err error) {
			s.io.Note("connection lost (%v): connecting again, what is missed comes over REST", err)
		},
	}}, nil
}

func (e *exchange) each(ctx context.Context, take taker) error {
	return e.client.Follow(ctx, e.query, func(symbol string, candle bybit.Candle) error {
		if err := take(ctx, symbol, candle.Start, candle.Close); err != nil {
			return err
		}
		e.wait()
		return nil
	})
}

// files are the candles of a folder.
type files struct {
	panel  *market.Panel
	report func(done, total int, note string)
}

// openFiles reads the folder.
func (s *session) openFiles(settings *live.Settings) (*files, error) {
	from, to, err := market.ParseSpan(s.config.From, s.config.To)
	if err != nil {
		return nil, cli.Usage(err)
	}
	settings.From = from
	panel, cleaning, err := market.Load(s.config.Replay, market.Options{Symbols: settings.Symbols, To: to})
	if err != nil {
		return nil, err
	}
	s.io.Note("%s", strings.TrimSpace(cleaning.String()))
	interval, regular := settings.Interval, 0
	for t, opening := range panel.Times {
		if !interval.Floor(opening).Equal(opening) {
			return nil, fmt.Errorf("%s: no candle of interval %s opens at %s: give the -interval of the files", s.config.Replay, interval, stamp(opening))
		}
		if t > 0 && interval.Next(panel.Times[t-1]).Equal(opening) {
			regular++
		}
	}
	if 2*regular < len(panel.Times)-1 {
		return nil, fmt.Errorf("%s: most candles are not of interval %s: give the -interval of the files", s.config.Replay, interval)
	}
	return &files{panel, s.io.Progress("replay")}, nil
}

func (f *files) each(ctx context.Context, take taker) error {
	for t, opening := range f.panel.Times {
		if err := ctx.Err(); err != nil {
			return err
		}
		for j, symbol := range f.panel.Symbols {
			close := f.panel.Close.At(t, j)
			if math.IsNaN(close) {
				continue
			}
			if err := take(ctx, symbol, opening, close); err != nil {
				return err
			}
		}
		f.report(t+1, len(f.panel.Times), stamp(opening))
	}
	return nil
}
