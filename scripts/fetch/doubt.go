package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vaefolio/vaelib/bybit"
)

// An empty list is a legal answer: nothing was traded then. It is also what a
// server out of order gives. The candles of months tell the two apart: they come
// in one page.

const month = bybit.Interval("M")

// checkMissing returns an error where candles are missing of a whole month in
// which the exchange has the symbol's candle of the month.
func (f *fetcher) checkMissing(ctx context.Context, s *bybit.Series) error {
	if f.config.Interval == month {
		return nil
	}
	for _, missing := range s.Missing {
		first := month.Ceil(missing.From)
		if month.Next(first).After(missing.Until) {
			continue // no whole month
		}
		months, err := f.months(ctx, s.Symbol, first, missing.Until.Add(-time.Millisecond))
		if err != nil {
			return err
		}
		for _, m := range months {
			if !month.Next(m.Start).After(missing.Until) {
				return f.contradiction(s.Symbol, missing.From, missing.Until.Add(-time.Millisecond), m.Start)
			}
		}
	}
	return nil
}

// checkUnlisted returns an error where the exchange trades the symbol now and
// sends no candles from f.from to f.to, though months before and after have some,
// or sends none of any time.
func (f *fetcher) checkUnlisted(ctx context.Context, symbol string) error {
	months, err := f.months(ctx, symbol, opened, f.now)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(months, func(m bybit.Candle) bool { return !month.Next(m.Start).Before(f.from) })
	if i > 0 && i < len(months)-1 && !months[i].Start.After(f.to) {
		return f.contradiction(symbol, f.from, f.to, months[i].Start)
	}
	if len(months) > 0 {
		return nil
	}
	// Listed this month, perhaps.
	s, err := f.client.Klines(ctx, bybit.KlineQuery{
		Category: f.config.Category, Symbol: symbol, Interval: "1", From: f.now.Add(-12 * time.Hour), Now: f.now,
	})
	if err == nil && len(s.Candles) == 0 {
		err = fmt.Errorf(
			"%s: the exchange trades it, and sends no candles of any time: try again later, or another -base-url",
			symbol)
	}
	return err
}

// months are the candles of months of a symbol that have closed.
func (f *fetcher) months(ctx context.Context, symbol string, from, to time.Time) ([]bybit.Candle, error) {
	s, err := f.client.Klines(ctx, bybit.KlineQuery{
		Category: f.config.Category, Symbol: symbol, Interval: month, From: from, To: to, Now: f.now,
	})
	if err != nil {
		return nil, err
	}
	return s.Candles, nil
}

func (f *fetcher) contradiction(symbol string, from, to, traded time.Time) error {
	return fmt.Errorf(
		"%s: the exchange sends no candles from %s to %s, though it has one of the month %s: its answers can't be "+
			"trusted; try again later, or another -base-url",
		symbol, day(from), day(to), traded.Format("2006-01"))
}
