// Package bybit reads public market data of the Bybit exchange, V5: candles,
// instruments, turnover and funding rates over REST, and closed candles as
// they come over WebSocket.
//
// In goes what is wanted; out come typed rows, rising in time and without
// duplicates, or an error whose type says what to do:
//
//	client, err := bybit.New(bybit.Options{})
//	series, err := client.Klines(ctx, bybit.KlineQuery{
//		Category: bybit.Linear, Symbol: "BTCUSDT", Interval: bybit.Day, From: from, To: to,
//	})
//	switch {
//	case errors.Is(err, bybit.ErrSymbol): // misspelt, or not of this category
//	case errors.Is(err, bybit.ErrRefused): // this address or country: another host, or later
//	}
//	for _, candle := range series.Candles { ... }
//	fmt.Println(series.Missing) // openings that the exchange has no candle for
//
// [Client.KlinesAll] does that for many symbols at once. [Client.Follow] first
// catches up over REST and then goes on over WebSocket: each closed candle
// once, in order for each symbol, whatever happens to the connection.
//
// # What can be relied on
//
// A candle that is returned has closed by the server's clock, the local one
// doesn't count. A page of candles with a hole is asked for twice before the
// hole is believed, and what is believed stands in [Series.Missing]: no gap
// goes unseen. A number that is not one is a [*DecodeError] with symbol and
// row, never a zero.
//
// All requests of a client share one limiter and a bounded number of
// connections. Only what can pass is tried again (exchange codes 10000, 10006
// and 10016, HTTP 429 and 5xx, faults of the connection), with growing waits
// that have jitter, or as long as the exchange asks for. After HTTP 403 the
// client asks nothing for ten minutes, since asking prolongs the ban.
//
// Prices of perpetuals are not what a holder of them earns: longs pay funding
// to shorts, or the other way round, every few hours. [Client.Funding] has the
// rates.
package bybit
