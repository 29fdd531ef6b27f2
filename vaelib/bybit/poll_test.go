package bybit_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vaefolio/internal/bybittest"
	"vaefolio/vaelib/bybit"
)

// Symbols come and go, and one is unknown; answers are lost, or lack what was there: the
// candles are those of the exchange, opening after opening.
func TestPoll(t *testing.T) {
	begin := start.Truncate(time.Minute)
	exchange := bybittest.New(
		bybittest.Listing{Symbol: "AAAUSDT", First: begin.Add(-time.Hour),
			Gap: func(opening time.Time) bool { return opening.Equal(begin.Add(7 * time.Minute)) }},
		bybittest.Listing{Symbol: "BBBUSDT", First: begin.Add(5 * time.Minute)},
		bybittest.Listing{Symbol: "CCCUSDT", First: begin.Add(-time.Hour), Until: begin.Add(9 * time.Minute)})
	now := begin
	exchange.SetNow(now)
	pages := 0
	exchange.SetFault(func(number int, r *http.Request) bybittest.Fault {
		if !strings.HasSuffix(r.URL.Path, "/kline") {
			return bybittest.None
		}
		switch pages++; {
		case pages%11 == 5:
			return bybittest.BadGateway
		case pages%11 == 8 && r.URL.Query().Get("symbol") == "AAAUSDT":
			return bybittest.Empty // as if it had no candle
		}
		return bybittest.None
	})
	client := serve(t, exchange, func(o *bybit.Options) {
		o.Parallel, o.Attempts = 1, 1
		o.Wait = func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			exchange.SetNow(now)
			return ctx.Err()
		}
	})
	symbols := []string{"AAAUSDT", "BBBUSDT", "CCCUSDT", "ZZZUSDT"}
	enough := errors.New("enough")
	lost, next := 0, begin.Add(-3*time.Minute)
	err := client.Poll(t.Context(), bybit.FollowQuery{
		Category: bybit.Linear, Interval: minute, Symbols: symbols, Since: next, Lost: func(error) { lost++ },
	}, func(opening time.Time, candles map[string]bybit.Candle) error {
		want := map[string]bybit.Candle{}
		for _, symbol := range symbols {
			if c, there := exchange.Candle(symbol, minute, opening); there {
				want[symbol] = c
			}
		}
		if !opening.Equal(next) || !maps.Equal(candles, want) {
			t.Errorf("at %s, of %s: %v, want %v", next, opening, slices.Sorted(maps.Keys(candles)),
				slices.Sorted(maps.Keys(want)))
		}
		if now.Before(opening.Add(time.Minute)) {
			t.Errorf("the candle of %s is open", opening)
		}
		if next = next.Add(time.Minute); next.After(begin.Add(20 * time.Minute)) {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || lost == 0 {
		t.Errorf("%v, with %d lost connections", err, lost)
	}
}

// What can't pass ends it.
func TestPollErrors(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	client := serve(t, exchange, nil)
	each := func(time.Time, map[string]bybit.Candle) error { return nil }
	if err := client.Poll(t.Context(), bybit.FollowQuery{Category: bybit.Linear, Interval: minute}, each); err == nil {
		t.Error("no symbols are followed")
	}
	exchange.SetFault(func(int, *http.Request) bybittest.Fault { return bybittest.Forbidden })
	q := bybit.FollowQuery{Category: bybit.Linear, Interval: minute, Symbols: []string{"AAAUSDT"}}
	if err := client.Poll(t.Context(), q, each); !errors.Is(err, bybit.ErrRefused) {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Poll(ctx, q, each); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}
