// Command fetch downloads candles, and funding rates, from the exchange.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"vaefolio/internal/spelling"
	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/market"
)

type config struct {
	Symbols  []string       `flag:"symbols" unit:"A,B,C" help:"the symbols to fetch, such as BTCUSDT"`
	Top      int            `flag:"top" unit:"N" range:"[0,1000]" help:"the number of symbols to fetch instead of -symbols, those with the largest turnover in the last 24 hours; of contracts, only perpetuals; 0 means none"`
	Exclude  []string       `flag:"exclude" unit:"A,B" only:"top" help:"the symbols that -top leaves out, others take their places"`
	Quote    string         `flag:"quote" unit:"COIN" only:"top" help:"the coin that the symbols are priced in; without it USDT, or USD for inverse"`
	Category bybit.Category `flag:"category" choice:"spot|linear|inverse" default:"linear" help:"the market to fetch from"`
	Interval bybit.Interval `flag:"interval" choice:"1|3|5|15|30|60|120|240|360|720|D|W|M" default:"D" help:"the length of a candle, in minutes, or D, W or M for a day, a week or a month"`
	From     string         `flag:"from" unit:"DATE" help:"the opening of the first candle; without it the first there is"`
	To       string         `flag:"to" unit:"DATE" help:"the opening of the last candle, inclusive; without it the last that has closed"`
	Funding  bool           `flag:"funding" help:"fetch the funding rates of perpetuals too, to DIR/funding/SYMBOL.csv; longs pay them to shorts (or get them, where negative), so that closes alone overstate what a long position earns"`
	Out      string         `flag:"out" unit:"DIR" required:"true" record:"-" help:"the folder for SYMBOL.csv and manifest.json; what it holds of the same market and interval is extended"`
	Force    bool           `flag:"force" record:"-" help:"fetch everything anew, also where the folder holds another market or interval; a file stays until the new one has come"`
	BaseURL  string         `flag:"base-url" unit:"URL" default:"https://api.bybit.com" help:"the host to ask, such as https://api.bytick.com or a regional one"`
	Rate     float64        `flag:"rate" unit:"per second" range:"(0,120]" default:"100" help:"the largest number of requests; the exchange bans an address above 120"`
	cli.Common
}

// Validate refuses what makes no sense whatever the exchange has.
func (c *config) Validate() error {
	if (len(c.Symbols) > 0) == (c.Top > 0) {
		return errors.New("give either -symbols or -top")
	}
	for i, symbol := range c.Symbols {
		if err := checkSymbol(symbol); err != nil {
			return fmt.Errorf("-symbols: %w", err)
		}
		if slices.Contains(c.Symbols[:i], symbol) {
			return fmt.Errorf("-symbols: %s is there twice", symbol)
		}
	}
	if c.Funding && !c.Category.Perpetuals() {
		return errors.New("-funding: spot has no funding; leave it out, or choose -category linear or inverse")
	}
	if _, err := bybit.New(bybit.Options{BaseURL: c.BaseURL}); err != nil {
		return fmt.Errorf("-base-url: %w", err)
	}
	_, _, err := market.ParseSpan(c.From, c.To, 0)
	return err
}

// checkSymbol refuses what is no symbol: symbols become names of files.
func checkSymbol(symbol string) error {
	if symbol == "" {
		return errors.New("a symbol is missing: upper-case letters, digits and -, such as BTCUSDT")
	}
	for _, r := range symbol {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' || unicode.IsLower(r) {
			return fmt.Errorf("%q is no symbol: upper-case letters, digits and -, such as BTCUSDT", symbol)
		}
	}
	return nil
}

var verb = cli.Verb[config]{
	Name: "fetch",
	Summary: "download closed candles from Bybit as kline CSVs that every -prices reads; a repeated call fetches " +
		"what is new, and goes on where another was killed",
	Example: `
		fetch -symbols BTCUSDT,ETHUSDT -interval D -from 2021-01-01 -out prices
		fetch -top 30 -interval 60 -from 2024-01-01 -to 2024-12-31 -funding -out hourly
		fetch -category spot -symbols BTCUSDT -base-url https://api.bytick.com -out spot`,
	Run: fetch,
}

func main() { cli.Main(verb) }

// opened is before the exchange's first candle.
var opened = time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)

// parallel is how many symbols are fetched at once.
const parallel = 8

func fetch(ctx context.Context, c *config, io *cli.IO) error {
	client, err := bybit.New(bybit.Options{BaseURL: c.BaseURL, Limiter: rate.NewLimiter(rate.Limit(c.Rate), 20),
		Parallel: parallel, Seed: c.Seed})
	if err != nil {
		return err
	}
	return fetchWith(ctx, client, c, io)
}

func fetchWith(ctx context.Context, client *bybit.Client, c *config, io *cli.IO) error {
	from, to, err := market.ParseSpan(c.From, c.To, 0)
	if err != nil {
		return cli.Usage(err)
	}
	if from.Before(opened) {
		from = opened
	}
	now, err := client.ServerTime(ctx)
	if err != nil {
		return err
	}
	if to.IsZero() || to.After(now) {
		to = now
	}
	if from.After(to) {
		return fmt.Errorf("the range from %s to %s has no candles: the exchange opened in 2018, and its clock says %s",
			day(from), day(to), now.Format(time.RFC3339))
	}
	all, err := choose(ctx, client, c, now, io)
	if err != nil {
		return err
	}
	dir, err := openFolder(c.Out, source{client.BaseURL(), c.Category, c.Interval}, c.Force)
	if err != nil {
		return err
	}
	defer dir.close()
	if err := dir.begin(now, all.universe, from, to); err != nil {
		return err
	}
	f := &fetcher{client: client, config: c, dir: dir, from: from, to: to, now: now, say: io.Note}
	failed := f.all(ctx, all, io)
	if err := ctx.Err(); err != nil {
		io.Kept(ctx, c.Out)
		return err
	}
	if err := dir.finish(failed); err != nil {
		return err
	}
	if c.Category.Perpetuals() && !c.Funding {
		io.Note(
			"closes of perpetuals leave out funding, so that long returns are overstated: -funding fetches the rates")
	}
	if n := len(dir.manifest.Stale); n > 0 {
		io.Note("%d files of earlier calls are still in %s: they go when all symbols have come", n, c.Out)
	}
	if len(failed) > 0 {
		return summary(failed, all.symbols, c.Out)
	}
	io.Note("%d symbols in %s", len(all.symbols), c.Out)
	return nil
}

// chosen are the symbols to fetch.
type chosen struct {
	symbols []string
	// what is traded now; misses what is gone, or all where the exchange didn't say
	instruments map[string]bybit.Instrument
	universe    string // how they were chosen
}

// choose finds out which symbols to fetch, and what the exchange says of them.
func choose(ctx context.Context, client *bybit.Client, c *config, now time.Time, io *cli.IO) (*chosen, error) {
	all := &chosen{symbols: c.Symbols, instruments: map[string]bybit.Instrument{}, universe: "as named"}
	if c.Top == 0 {
		instruments, err := client.Instruments(ctx, c.Category, "")
		switch {
		case ctx.Err() != nil || errors.Is(err, bybit.ErrRefused):
			return nil, err
		case err != nil:
			io.Note("launch dates stay unknown: %v", err)
		}
		for _, instrument := range instruments {
			all.instruments[instrument.Symbol] = instrument
		}
		return all, nil
	}
	quote := c.Quote
	if quote == "" {
		if quote = "USDT"; c.Category == bybit.Inverse {
			quote = "USD"
		}
	}
	instruments, err := client.MostTraded(ctx, c.Category, quote, math.MaxInt)
	if err != nil {
		return nil, err
	}
	if instruments, err = c.without(instruments, quote); err != nil {
		return nil, err
	}
	instruments = instruments[:min(c.Top, len(instruments))]
	if len(instruments) == 0 {
		return nil, fmt.Errorf("nothing in %s is priced in %s: choose another -quote", c.Category, quote)
	}
	for _, instrument := range instruments {
		if err := checkSymbol(instrument.Symbol); err != nil {
			return nil, err
		}
		all.symbols = append(all.symbols, instrument.Symbol)
		all.instruments[instrument.Symbol] = instrument
	}
	all.universe = fmt.Sprintf("the %d of %s against %s with the largest turnover in the 24 hours to %s",
		len(all.symbols), c.Category, quote, now.Format(time.RFC3339))
	if len(c.Exclude) > 0 {
		all.universe += ", without " + strings.Join(c.Exclude, ", ")
	}
	io.Note("universe: %s. It is today's: used for the past, it leaves out what was delisted and favours what has "+
		"grown since (survivorship)", all.universe)
	return all, nil
}

// without leaves out the symbols excluded, and refuses one that isn't traded.
func (c *config) without(instruments []bybit.Instrument, quote string) ([]bybit.Instrument, error) {
	for _, symbol := range c.Exclude {
		if slices.ContainsFunc(instruments, func(i bybit.Instrument) bool { return i.Symbol == symbol }) {
			continue
		}
		meant := ""
		if len(instruments) > 0 {
			nearest := slices.MinFunc(instruments, func(a, b bybit.Instrument) int {
				return spelling.Distance(symbol, a.Symbol) - spelling.Distance(symbol, b.Symbol)
			})
			meant = fmt.Sprintf(": is %s meant?", nearest.Symbol)
		}
		return nil, fmt.Errorf("-exclude: unknown symbol %s: nothing traded in %s against %s is called so%s", symbol,
			c.Category, quote, meant)
	}
	return slices.DeleteFunc(instruments, func(i bybit.Instrument) bool {
		return slices.Contains(c.Exclude, i.Symbol)
	}), nil
}

// fetcher fetches symbols into a folder.
type fetcher struct {
	client   *bybit.Client
	config   *config
	dir      *folder
	from, to time.Time
	now      time.Time // of the exchange
	say      func(format string, args ...any)
}

// all fetches the symbols and returns what went wrong, by symbol.
func (f *fetcher) all(ctx context.Context, all *chosen, io *cli.IO) map[string]error {
	var (
		report = io.Progress("fetching")
		mu     sync.Mutex
		failed = map[string]error{}
		done   int
	)
	// say reports under the lock, so that the count never falls.
	say := func(finished int, note string) {
		mu.Lock()
		defer mu.Unlock()
		done += finished
		report(done, len(all.symbols), note)
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, symbol := range all.symbols {
		group.Go(func() error {
			instrument, known := all.instruments[symbol]
			text, err := f.symbol(ctx, symbol, instrument, known, func(note string) { say(0, symbol+" "+note) })
			say(1, symbol)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				mu.Lock()
				failed[symbol] = err
				mu.Unlock()
				if !errors.Is(err, bybit.ErrRefused) { // which meets all the others too
					io.Note("%v", err)
				}
			default:
				io.Note("%s: %s", symbol, text)
			}
			return nil // no failure stops the others
		})
	}
	_ = group.Wait()
	return failed
}

// summary is the error for the symbols that failed.
func summary(failed map[string]error, symbols []string, out string) error {
	var names []string
	for _, symbol := range symbols {
		if failed[symbol] != nil {
			names = append(names, symbol)
		}
	}
	rest := "nothing else was asked for"
	if n := len(symbols) - len(names); n > 0 {
		rest = fmt.Sprintf("the other %d are in %s", n, out)
	}
	return fmt.Errorf("%d of %d symbols failed: %s (%w); %s, the same command tries again",
		len(names), len(symbols), strings.Join(names, ", "), failed[names[0]], rest)
}
