package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vaefolio/vaelib/bybit"
)

// Candles are fetched between writes at least and at most: what a killed
// process loses of one symbol. Each write is of the whole file, so that it is
// made after as many new candles as the file has, up to what memory is fit for.
const (
	fewestPerWrite = 100_000
	mostPerWrite   = 400_000
)

// symbol brings the files of one symbol up to date and says in words what they
// hold. A launch of zero is unknown, and so may be the instrument.
func (f *fetcher) symbol(ctx context.Context, symbol string, instrument bybit.Instrument, known bool,
	note func(string)) (string, error) {
	e := f.dir.entry(symbol)
	if err := f.dir.change(func(*manifest) {
		if !instrument.Launch.IsZero() {
			e.Launched = &instrument.Launch
		}
	}); err != nil {
		return "", err
	}
	fresh, err := f.candles(ctx, symbol, &e.Candles, note)
	switch {
	case err != nil:
		return "", err
	case e.Candles.Rows > 0:
	case !known:
		return "", fmt.Errorf(
			"%s: no candles from %s to %s, and %s doesn't trade it: misspelt, delisted before, or of another category",
			symbol, day(f.from), day(f.to), f.config.Category)
	default:
		if err := f.checkUnlisted(ctx, symbol); err != nil {
			return "", err
		}
		return fmt.Sprintf("no candles from %s to %s: not listed then", day(f.from), day(f.to)), nil
	}
	text := fmt.Sprintf("%d candles (%d new), %s to %s", e.Candles.Rows, fresh, day(e.Candles.First),
		day(e.Candles.Last))
	if n := len(e.Candles.Gaps); n > 0 {
		text += fmt.Sprintf(", %d gaps", n)
	}
	if f.config.Funding {
		fresh, err := f.funding(ctx, symbol, &e.Funding, note)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("; %d funding rates (%d new)", e.Funding.Rows, fresh)
	}
	return text, nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

const candleHeader = "timestamp,open,high,low,close,volume,turnover\n"

// candles extends the file of candles, and returns how many are new. The file
// holds one range whole: where the range asked for begins earlier or ends
// later, that much is added.
func (f *fetcher) candles(ctx context.Context, symbol string, of *file, note func(string)) (fresh int, err error) {
	if err := f.verify(of); err != nil {
		return 0, err
	}
	interval := f.config.Interval
	// add fetches what opens in [from, until); the file then holds all from
	// covered on.
	add := func(from, until, covered time.Time) error {
		note("from " + day(from))
		s, err := f.client.Klines(ctx, bybit.KlineQuery{
			Category: f.config.Category, Symbol: symbol, Interval: interval, From: from,
			To: until.Add(-time.Millisecond), Now: f.now,
		})
		if err != nil {
			return err
		}
		if err := f.checkMissing(ctx, s); err != nil {
			return err
		}
		rows := make([]row, len(s.Candles))
		for i, c := range s.Candles {
			rows[i] = row{c.Start, line(c.Start, c.Open, c.High, c.Low, c.Close, c.Volume, c.Turnover)}
		}
		fresh += len(rows)
		return f.dir.extend(of, candleHeader, rows, covered, interval.Next, true)
	}
	first, end := interval.Ceil(f.from), interval.Next(f.to)
	for of.Rows > 0 && first.Before(of.From) {
		from := interval.Add(of.From, -perWrite(of))
		if from.Before(first) {
			from = first
		}
		if err := add(from, of.From, from); err != nil {
			return fresh, err
		}
	}
	from := first
	if of.Rows > 0 {
		first, from = of.From, of.Until
	}
	for from.Before(end) {
		until := interval.Add(from, perWrite(of))
		if until.After(end) {
			until = end
		}
		if err := add(from, until, first); err != nil {
			return fresh, err
		}
		from = until
	}
	return fresh, nil
}

func perWrite(of *file) int { return min(max(fewestPerWrite, of.Rows), mostPerWrite) }

const fundingHeader = "timestamp,rate\n"

// funding extends the file of funding rates as candles does that of candles, up
// to the close of the last candle.
func (f *fetcher) funding(ctx context.Context, symbol string, of *file, note func(string)) (fresh int, err error) {
	if err := f.verify(of); err != nil {
		return 0, err
	}
	add := func(from, to time.Time) error {
		note("funding from " + day(from))
		payments, err := f.client.Funding(ctx, bybit.FundingQuery{Category: f.config.Category, Symbol: symbol,
			From: from, To: to})
		if err != nil {
			return err
		}
		rows := make([]row, len(payments))
		for i, p := range payments {
			rows[i] = row{p.Time, line(p.Time, p.Rate)}
		}
		fresh += len(rows)
		after := func(t time.Time) time.Time { return t.Add(time.Millisecond) }
		return f.dir.extend(of, fundingHeader, rows, from, after, false)
	}
	from, to := f.from, f.config.Interval.Next(f.to).Add(-time.Millisecond)
	if to.After(f.now) {
		to = f.now
	}
	if of.Rows > 0 {
		if from.Before(of.From) {
			if err := add(from, of.From.Add(-time.Millisecond)); err != nil {
				return fresh, err
			}
		}
		from = of.Until
	}
	if !from.After(to) {
		err = add(from, to)
	}
	return fresh, err
}

// verify makes sure that a file is as it was written, or fetched anew.
func (f *fetcher) verify(of *file) error {
	forgotten, err := f.dir.verify(of)
	if forgotten {
		f.say("%s is not as it was written: fetching it anew", of.Path)
	}
	return err
}

// line is a row of a CSV: Unix milliseconds, and numbers at full precision.
func line(t time.Time, numbers ...float64) string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(t.UnixMilli(), 10))
	for _, x := range numbers {
		b.WriteByte(',')
		b.WriteString(strconv.FormatFloat(x, 'f', -1, 64))
	}
	b.WriteByte('\n')
	return b.String()
}
