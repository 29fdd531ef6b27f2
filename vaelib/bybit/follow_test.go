package bybit_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vaefolio/internal/bybittest"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/stream"
)

// inbox collects what [bybit.Client.Follow] delivers.
type inbox struct {
	mu      sync.Mutex
	candles map[string][]bybit.Candle
	changed chan struct{} // holds one token after a change
}

func newInbox() *inbox {
	return &inbox{candles: map[string][]bybit.Candle{}, changed: make(chan struct{}, 1)}
}

func (b *inbox) put(symbol string, candle bybit.Candle) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.candles[symbol] = append(b.candles[symbol], candle)
	select {
	case b.changed <- struct{}{}:
	default:
	}
	return nil
}

func (b *inbox) get(symbol string) []bybit.Candle {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.candles[symbol])
}

// wait waits until the last candle of each symbol opens at opening.
func (b *inbox) wait(ctx context.Context, opening time.Time, symbols ...string) error {
	for {
		arrived := true
		for _, symbol := range symbols {
			candles := b.get(symbol)
			arrived = arrived && len(candles) > 0 && !candles[len(candles)-1].Start.Before(opening)
		}
		if arrived {
			return nil
		}
		select {
		case <-b.changed:
		case <-ctx.Done():
			return fmt.Errorf("candle of %s doesn't come: %w", opening, ctx.Err())
		}
	}
}

// following is a call of Follow under way.
type following struct {
	inbox *inbox
	end   func() error // ends it and returns its error
}

func follow(t *testing.T, client *bybit.Client, q bybit.FollowQuery) *following {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &following{inbox: newInbox()}
	done := make(chan error, 1)
	go func() { done <- client.Follow(ctx, q, f.inbox.put) }()
	f.end = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { f.end() })
	return f
}

// patience is longer than anything lasts that ends at all, on a busy machine too.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

const minute = bybit.Interval("1")

// Catching up, then live, across a lost connection: each candle once.
func TestFollow(t *testing.T) {
	var symbols []string
	var listings []bybittest.Listing
	for i := range 23 { // three subscriptions
		symbols = append(symbols, fmt.Sprintf("S%02dUSDT", i))
		listings = append(listings, bybittest.Listing{Symbol: symbols[i]})
	}
	exchange := bybittest.New(listings...)
	var lost []error
	client := serve(t, exchange, nil)
	since := start.Truncate(time.Minute).Add(-10 * time.Minute)
	f := follow(t, client, bybit.FollowQuery{
		Category: bybit.Linear, Interval: minute, Symbols: symbols, Since: since, Lost: func(err error) { lost = append(lost, err) },
	})
	ctx := patience(t)
	now := start.Truncate(time.Minute)
	for step := range 6 {
		if err := exchange.WaitSubscribed(ctx, len(symbols)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		exchange.SetNow(now)
		for _, symbol := range symbols {
			exchange.Push(exchange.Update(symbol, minute, now.Add(-time.Minute), true))
			exchange.Push(exchange.Update(symbol, minute, now, false))
		}
		if step == 3 {
			if err := f.inbox.wait(ctx, now.Add(-time.Minute), symbols...); err != nil {
				t.Fatal(err)
			}
			exchange.Disconnect()
			now = now.Add(3 * time.Minute) // while nobody listened
			exchange.SetNow(now)
		}
	}
	if err := f.inbox.wait(ctx, now.Add(-time.Minute), symbols...); err != nil {
		t.Fatal(err)
	}
	if err := f.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("follow ends with %v", err)
	}
	for _, symbol := range symbols {
		if got, want := f.inbox.get(symbol), exchange.Series(symbol, minute, since, now); !slices.Equal(got, want) || len(got) != 19 {
			t.Errorf("%s: %d candles, want %d", symbol, len(got), len(want))
		}
	}
	if len(lost) != 1 || !errors.Is(lost[0], bybit.ErrUnavailable) {
		t.Errorf("lost %v, want one connection", lost)
	}
}

// Without a start, the candle that is open is the first.
func TestFollowFromNow(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	client := serve(t, exchange, nil)
	f := follow(t, client, bybit.FollowQuery{Category: bybit.Spot, Interval: minute, Symbols: []string{"AAAUSDT"}})
	ctx := patience(t)
	if err := exchange.WaitSubscribed(ctx, 1); err != nil {
		t.Fatal(err)
	}
	open := start.Truncate(time.Minute)
	exchange.SetNow(open.Add(time.Minute))
	exchange.Push(exchange.Update("AAAUSDT", minute, open, true))
	if err := f.inbox.wait(ctx, open, "AAAUSDT"); err != nil {
		t.Fatal(err)
	}
	if got := f.inbox.get("AAAUSDT"); len(got) != 1 {
		t.Errorf("%d candles, want 1", len(got))
	}
}

// A gap of the exchange is passed over after it was asked for often enough.
func TestFollowGap(t *testing.T) {
	gone := start.Truncate(time.Minute)
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT", Gap: func(t time.Time) bool { return t.Equal(gone) }})
	recorder := &waits{}
	client := serve(t, exchange, func(o *bybit.Options) { o.Wait = recorder.wait })
	f := follow(t, client, bybit.FollowQuery{Category: bybit.Spot, Interval: minute, Symbols: []string{"AAAUSDT"}, Since: gone})
	ctx := patience(t)
	if err := exchange.WaitSubscribed(ctx, 1); err != nil {
		t.Fatal(err)
	}
	exchange.SetNow(gone.Add(2 * time.Minute))
	exchange.Push(exchange.Update("AAAUSDT", minute, gone.Add(time.Minute), true))
	if err := f.inbox.wait(ctx, gone.Add(time.Minute), "AAAUSDT"); err != nil {
		t.Fatal(err)
	}
	if got, want := f.inbox.get("AAAUSDT"), exchange.Series("AAAUSDT", minute, gone, gone.Add(time.Hour)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	f.end()
	if len(recorder.list) > 2 {
		t.Errorf("waited %d times for a candle that isn't there", len(recorder.list))
	}
}

// A candle ahead of the exchange's clock is refused: all of a symbol's candles come
// in spite of it, and one that says it has closed before its time comes as it is.
func TestFollowAhead(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	open := start.Truncate(time.Minute)
	var lost []error
	client := serve(t, exchange, nil)
	f := follow(t, client, bybit.FollowQuery{
		Category: bybit.Linear, Interval: minute, Symbols: []string{"AAAUSDT"}, Since: open, Lost: func(err error) { lost = append(lost, err) },
	})
	ctx := patience(t)
	lies := []time.Duration{365 * 24 * time.Hour, time.Minute, 0, 100 * 365 * 24 * time.Hour}
	now := open
	for step := range 30 {
		if err := exchange.WaitSubscribed(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if step%7 == 3 {
			exchange.Push(exchange.Update("AAAUSDT", minute, now.Add(lies[step/7%len(lies)]), true))
		}
		now = now.Add(time.Minute)
		exchange.SetNow(now)
		exchange.Push(exchange.Update("AAAUSDT", minute, now.Add(-time.Minute), true))
		exchange.Push(exchange.Update("AAAUSDT", minute, now, false))
		if err := f.inbox.wait(ctx, now.Add(-time.Minute), "AAAUSDT"); err != nil {
			t.Fatalf("step %d: %v; lost %v", step, err, lost)
		}
	}
	f.end()
	if got, want := f.inbox.get("AAAUSDT"), exchange.Series("AAAUSDT", minute, open, now); !slices.Equal(got, want) {
		t.Errorf("%d candles, want %d", len(got), len(want))
	}
	if len(lost) == 0 || !strings.Contains(lost[0].Error(), "ahead of the exchange's clock") {
		t.Errorf("lost %v, want a refusal by the clock", lost)
	}
}

// A ban is waited for.
func TestFollowBan(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	var once sync.Once
	exchange.SetFault(func(_ int, r *http.Request) (fault bybittest.Fault) {
		if strings.HasPrefix(r.URL.Path, "/v5/public/") {
			once.Do(func() { fault = bybittest.TooOften })
		}
		return fault
	})
	recorder := &waits{}
	client := serve(t, exchange, func(o *bybit.Options) { o.Wait = recorder.wait })
	f := follow(t, client, bybit.FollowQuery{Category: bybit.Linear, Interval: minute, Symbols: []string{"AAAUSDT"}})
	if err := exchange.WaitSubscribed(patience(t), 1); err != nil {
		t.Fatal(err)
	}
	f.end()
	if !slices.Equal(recorder.list, []time.Duration{10 * time.Minute}) {
		t.Errorf("waited %v, want 10 minutes", recorder.list)
	}
}

// What can't pass ends it; what can, does not.
func TestFollowErrors(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	onStream := func(f bybittest.Fault) func(int, *http.Request) bybittest.Fault {
		return func(_ int, r *http.Request) bybittest.Fault {
			if strings.HasPrefix(r.URL.Path, "/v5/public/") {
				return f
			}
			return bybittest.None
		}
	}
	query := bybit.FollowQuery{Category: bybit.Linear, Interval: minute, Symbols: []string{"AAAUSDT"}}
	for _, c := range []struct {
		name    string
		symbols []string
		fault   func(int, *http.Request) bybittest.Fault
		class   error
	}{
		{"country, on the stream", nil, onStream(bybittest.Forbidden), bybit.ErrRefused},
		{"country, over REST", nil, func(int, *http.Request) bybittest.Fault { return bybittest.Forbidden }, bybit.ErrRefused},
		{"unknown symbol", []string{"AAAUSDT", "NONEUSDT"}, onStream(bybittest.None), bybit.ErrSymbol},
	} {
		exchange.SetFault(c.fault)
		q := query
		if c.symbols != nil {
			q.Symbols = c.symbols
		}
		client := serve(t, exchange, nil)
		if err := client.Follow(patience(t), q, newInbox().put); !errors.Is(err, c.class) {
			t.Errorf("%s: %v, want the class %v", c.name, err, c.class)
		}
	}
	for _, passing := range []bybittest.Fault{bybittest.Reset, bybittest.BadGateway} {
		ctx, cancel := context.WithCancel(t.Context())
		lost := 0
		q := query
		q.Lost = func(err error) {
			if !errors.Is(err, bybit.ErrUnavailable) {
				t.Errorf("fault %d: %v", passing, err)
			}
			if lost++; lost == 5 {
				cancel()
			}
		}
		exchange.SetFault(onStream(passing))
		if err := serve(t, exchange, nil).Follow(ctx, q, newInbox().put); !errors.Is(err, context.Canceled) {
			t.Errorf("fault %d: %v", passing, err)
		}
	}
	exchange.SetFault(nil)
	for _, enough := range []error{errors.New("enough"), context.Canceled} {
		q := query
		q.Since = start.Add(-time.Hour)
		calls := 0
		err := serve(t, exchange, nil).Follow(t.Context(), q, func(string, bybit.Candle) error { calls++; return enough })
		if err != enough || calls != 1 {
			t.Errorf("each that fails: %v after %d calls", err, calls)
		}
	}
	for _, symbols := range [][]string{nil, {""}, {"A", "A"}} {
		q := query
		q.Symbols = symbols
		if err := serve(t, exchange, nil).Follow(t.Context(), q, newInbox().put); err == nil {
			t.Errorf("symbols %q are accepted", symbols)
		}
	}
}

// Pings go out at every tick; a connection on which nothing comes back, or no
// answer to the subscription, ends.
func TestFollowPings(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault bybittest.Fault
	}{{"sound", bybittest.None}, {"silent", bybittest.Slow}, {"unconfirmed", bybittest.Empty}} {
		t.Run(c.name, func(t *testing.T) {
			exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
			exchange.SetFault(func(_ int, r *http.Request) bybittest.Fault {
				if strings.HasPrefix(r.URL.Path, "/v5/public/") {
					return c.fault
				}
				return bybittest.None
			})
			ticks := make(chan time.Time)
			lost := make(chan error, 1)
			var asked time.Duration
			client := serve(t, exchange, func(o *bybit.Options) {
				o.Tick = func(d time.Duration) (<-chan time.Time, func()) { asked = d; return ticks, func() {} }
			})
			f := follow(t, client, bybit.FollowQuery{
				Category: bybit.Linear, Interval: minute, Symbols: []string{"AAAUSDT"}, Since: start.Truncate(time.Minute),
				Lost: func(err error) {
					select {
					case lost <- err:
					default:
					}
				},
			})
			ctx := patience(t)
			if c.fault == bybittest.None {
				open := start.Truncate(time.Minute)
				for i := range 5 {
					select {
					case ticks <- start:
					case <-ctx.Done():
						t.Fatal(ctx.Err())
					}
					if err := cmp.Or(exchange.WaitPings(ctx, i+1), exchange.WaitSubscribed(ctx, 1)); err != nil {
						t.Fatal(err)
					}
					// Candles make sure that something comes before the next ping: one of two, as
					// the other can come over REST, at the confirmation of the subscription.
					for range 2 {
						exchange.SetNow(open.Add(time.Minute))
						exchange.Push(exchange.Update("AAAUSDT", minute, open, true))
						if err := f.inbox.wait(ctx, open, "AAAUSDT"); err != nil {
							t.Fatal(err)
						}
						open = open.Add(time.Minute)
					}
				}
				f.end()
				if len(lost) > 0 {
					t.Errorf("a sound connection is lost: %v", <-lost)
				}
				if asked != 20*time.Second {
					t.Errorf("ticks every %s, want 20 s", asked)
				}
				return
			}
			for {
				select {
				case ticks <- start:
				case err := <-lost:
					// Ticks come faster here than pongs, so that either may be met first.
					if text := err.Error(); !strings.Contains(text, "nothing came since the last ping") && !strings.Contains(text, "not confirmed") {
						t.Errorf("lost by %v", err)
					}
					return
				case <-ctx.Done():
					t.Fatal(ctx.Err())
				}
			}
		})
	}
}

// Drops, duplicates, reorders, garbage and lost connections: each candle comes
// once, and in order.
func TestFollowSchedules(t *testing.T) {
	schedules := 200
	if testing.Short() {
		schedules = 20
	}
	for seed := range uint64(schedules) {
		rng := stream.New(seed, "bybit.stream", 0)
		symbols := []string{"AAAUSDT", "BBBUSDT", "CCCUSDT"}
		exchange := bybittest.New(bybittest.Listing{Symbol: symbols[0]}, bybittest.Listing{Symbol: symbols[1]}, bybittest.Listing{Symbol: symbols[2]})
		now := start.Truncate(time.Minute)
		exchange.SetNow(start)
		server := httptest.NewServer(exchange)
		client := newClient(t, options(server.URL))
		since := now.Add(-time.Duration(rng.IntN(5)) * time.Minute)
		f := follow(t, client, bybit.FollowQuery{Category: bybit.Linear, Interval: minute, Symbols: symbols, Since: since})
		ctx := patience(t)
		if err := exchange.WaitSubscribed(ctx, len(symbols)); err != nil {
			t.Fatal(err)
		}
		share := 0.4 * rng.Float64()
		for range 20 {
			now = now.Add(time.Minute)
			exchange.SetNow(now)
			var messages [][]byte
			for _, symbol := range symbols {
				messages = append(messages, exchange.Update(symbol, minute, now.Add(-time.Minute), true), exchange.Update(symbol, minute, now, false))
			}
			for _, message := range disturb(rng, share, messages) {
				exchange.Push(message)
			}
			if rng.Float64() < share/4 {
				exchange.Disconnect()
			}
		}
		// Then all is sound: whoever missed something learns it from the next.
		now = now.Add(time.Minute)
		exchange.SetNow(now)
		if err := exchange.WaitSubscribed(ctx, len(symbols)); err != nil {
			t.Fatal(err)
		}
		for _, symbol := range symbols {
			exchange.Push(exchange.Update(symbol, minute, now, false))
		}
		if err := f.inbox.wait(ctx, now.Add(-time.Minute), symbols...); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := f.end(); !errors.Is(err, context.Canceled) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, symbol := range symbols {
			if got, want := f.inbox.get(symbol), exchange.Series(symbol, minute, since, now); !slices.Equal(got, want) {
				t.Fatalf("seed %d: %s has %d candles, want %d", seed, symbol, len(got), len(want))
			}
		}
		server.Close()
	}
}

// disturb drops, doubles, swaps and spoils messages.
func disturb(rng *rand.Rand, share float64, messages [][]byte) [][]byte {
	var out [][]byte
	for _, m := range messages {
		switch {
		case rng.Float64() >= share:
			out = append(out, m)
		case rng.IntN(4) == 0: // dropped
		case rng.IntN(3) == 0:
			out = append(out, m, m)
		case rng.IntN(4) == 0:
			out = append(out, m[:len(m)/2])
		default:
			out = append(out, m)
			if k := len(out); k > 1 {
				j := rng.IntN(k)
				out[j], out[k-1] = out[k-1], out[j]
			}
		}
	}
	return out
}
