package live

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/market"
)

// exchange is the candles of an exchange, from the past on without an end.
type exchange struct {
	client *bybit.Client
	query  bybit.FollowQuery
}

// Follow returns the candles of an exchange, and sets From in the settings: the
// first candle to decide at is the one behind the last line or, where that is
// nil, the last that is due and has closed. Candles are asked for from earlier
// than the window needs, since some may be lacking. It returns an error where the
// exchange doesn't trade a symbol, and those of asking it. note, which may be nil,
// is told what a user should know.
func Follow(
	ctx context.Context, client *bybit.Client, category bybit.Category, settings *Settings, last *Line,
	note func(line string),
) (Source, error) {
	if note == nil {
		note = func(string) {}
	}
	now, gone, err := untraded(ctx, client, category, settings.Symbols)
	if err != nil {
		return nil, err
	}
	if len(gone) > 0 {
		return nil, fmt.Errorf("%s doesn't trade %s of the model in %s: choose another -category, or train a model "+
			"of what is traded",
			client.BaseURL(), strings.Join(gone, ", "), category)
	}
	return &exchange{client, settings.query(client, category, now, last, note)}, nil
}

// untraded returns the exchange's time, and the symbols that it doesn't trade.
func untraded(ctx context.Context, client *bybit.Client, category bybit.Category, symbols []string) (now time.Time,
	gone []string, err error) {
	if now, err = client.ServerTime(ctx); err != nil {
		return now, nil, err
	}
	instruments, err := client.Instruments(ctx, category, "")
	if err != nil {
		return now, nil, err
	}
	traded := map[string]bool{}
	for _, instrument := range instruments {
		traded[instrument.Symbol] = true
	}
	for _, symbol := range symbols {
		if !traded[symbol] {
			gone = append(gone, symbol)
		}
	}
	return now, gone, nil
}

// query asks for the candles that lines from the first on rest on; it sets From.
func (s *Settings) query(client *bybit.Client, category bybit.Category, now time.Time, last *Line,
	note func(line string)) bybit.FollowQuery {
	interval := s.Interval
	open := interval.Floor(now)
	first := interval.Add(open, -1)
	if last != nil {
		first = interval.Next(last.Candle)
		if missed := interval.Add(first, 1); missed.Before(open) {
			note(fmt.Sprintf("the candles from %s on, which closed meanwhile, come first", stamp(first)))
		}
	} else {
		for !due(interval, max(1, s.Every), first) {
			first = interval.Add(first, -1)
		}
	}
	s.From = first
	note(fmt.Sprintf("following %s; lines from the candle of %s on", client.BaseURL(), stamp(first)))
	needed := s.Needed()
	spare := needed/10 + 10
	return bybit.FollowQuery{
		Category: category, Interval: interval, Symbols: s.Symbols,
		Since: interval.Add(first, -needed-spare),
		Lost: func(err error) {
			note(fmt.Sprintf("connection lost (%v): connecting again, what is missed comes over REST", err))
		},
	}
}

func (e *exchange) Each(ctx context.Context, take Taker) error {
	return e.client.Follow(ctx, e.query, func(symbol string, candle bybit.Candle) error {
		return take(ctx, symbol, candle.Start, candle.Close)
	})
}

// files are the candles of a folder.
type files struct {
	panel    *market.Panel
	progress func(done, total int, note string)
}

// Replay returns the candles of files, a folder of kline CSVs, from the first up
// to those that open at or before to (zero: the last), and what was cleaned in
// them. Where they begin is for [Settings].From to say. It returns an error where
// the files are of another interval than the settings.
func Replay(
	path string, to time.Time, settings *Settings, progress func(done, total int, note string),
) (Source, *market.Cleaning, error) {
	panel, cleaning, err := load(path, to, settings)
	if err != nil {
		return nil, cleaning, err
	}
	return &files{panel, progress}, cleaning, nil
}

// load reads the closes of files, up to those that open at or before to.
func load(path string, to time.Time, settings *Settings) (*market.Panel, *market.Cleaning, error) {
	panel, cleaning, err := market.Load(path, market.Options{Symbols: settings.Symbols, Exclude: settings.Exclude,
		To: to})
	if err != nil {
		return nil, nil, err
	}
	interval, regular := settings.Interval, 0
	for t, opening := range panel.Times {
		if !interval.Floor(opening).Equal(opening) {
			return nil, cleaning, fmt.Errorf(
				"%s: no candle of interval %s opens at %s: give the -interval of the files",
				path, interval, stamp(opening))
		}
		if t > 0 && interval.Next(panel.Times[t-1]).Equal(opening) {
			regular++
		}
	}
	if 2*regular < len(panel.Times)-1 {
		return nil, cleaning, fmt.Errorf(
			"%s: most candles are not of interval %s: give the -interval of the files", path,
			interval)
	}
	return panel, cleaning, nil
}

func (f *files) Each(ctx context.Context, take Taker) error {
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
		if f.progress != nil {
			f.progress(t+1, len(f.panel.Times), stamp(opening))
		}
	}
	return nil
}
