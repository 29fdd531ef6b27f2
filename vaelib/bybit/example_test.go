package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"vaefolio/internal/bybittest"
	"vaefolio/vaelib/bybit"
)

// The candles of a symbol, and what the exchange doesn't have.
func ExampleClient_Klines() {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT", First: date("2024-02-27")})
	exchange.SetNow(time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC))
	server := httptest.NewServer(exchange) // leave it and BaseURL out for the real one
	defer server.Close()

	client, err := bybit.New(bybit.Options{BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	query := bybit.KlineQuery{Category: bybit.Linear, Symbol: "AAAUSDT", Interval: bybit.Day, From: date("2024-02-25")}
	series, err := client.Klines(context.Background(), query)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, candle := range series.Candles {
		fmt.Println(candle.Start.Format(time.DateOnly), candle.Close)
	}
	fmt.Println("missing:", series.Missing)

	query.Symbol = "BBBUSDT"
	_, err = client.Klines(context.Background(), query)
	fmt.Println(errors.Is(err, bybit.ErrSymbol), err)
	// Output:
	// 2024-02-27 116.68
	// 2024-02-28 426.09
	// 2024-02-29 524.88
	// missing: [2 from 2024-02-25T00:00:00Z until 2024-02-27T00:00:00Z]
	// true BBBUSDT: /v5/market/kline: exchange code 10001: Not supported symbols: check symbol and category
}

// Candles as they close, the last two over REST first.
func ExampleClient_Follow() {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	noon := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	exchange.SetNow(noon)
	server := httptest.NewServer(exchange)
	defer server.Close()
	client, err := bybit.New(options(server.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		_ = exchange.WaitSubscribed(context.Background(), 1)
		exchange.SetNow(noon.Add(time.Minute))
		exchange.Push(exchange.Update("AAAUSDT", "1", noon, true))
	}()
	enough := errors.New("three are enough")
	count := 0
	err = client.Follow(context.Background(), bybit.FollowQuery{
		Category: bybit.Linear, Interval: "1", Symbols: []string{"AAAUSDT"}, Since: noon.Add(-2 * time.Minute),
	}, func(symbol string, candle bybit.Candle) error {
		fmt.Println(symbol, candle.Start.Format(time.TimeOnly))
		if count++; count == 3 {
			return enough
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// AAAUSDT 11:58:00
	// AAAUSDT 11:59:00
	// AAAUSDT 12:00:00
	// three are enough
}
