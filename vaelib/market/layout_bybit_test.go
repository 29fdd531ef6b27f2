package market_test

import "testing"

func TestLayoutBybitTrades(t *testing.T) {
	const (
		header = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"
		first  = header + `1704153603.1234,OAKUSDT,Buy,0.001,42283.5,PlusTick,a,1e6,0.001,42.28
1704239990.5,OAKUSDT,Sell,0.001,42300.5,PlusTick,b,1e6,0.001,42.28
`
		second = header + "1704240003.1,OAKUSDT,Buy,0.001,42310,PlusTick,c,1e6,0.001,42.28\n"
		said   = "bybit-trades, the last trade of a day is its close"
	)
	testLayout(t, "bybit-trades", []variant{
		{name: "days of futures", file: "k/OAKUSDT2024-01-02.csv", text: first, said: said,
			more: map[string]string{"k/OAKUSDT2024-01-03.csv": second}, want: "OAKUSDT\n2024-01-02,42300.5\n2024-01-03,42310"},
		{name: "packed", file: "k/OAKUSDT2024-01-02.csv.gz", text: gzipped(t, first), said: "bybit-trades, gzip, the last trade of a day is its close", want: "OAKUSDT\n2024-01-02,42300.5"},
		{name: "newest first", file: "k/OAKUSDT2024-01-02.csv", said: said, want: "OAKUSDT\n2024-01-02,42300.5",
			text: header + `1704239990.5,OAKUSDT,Sell,0.001,42300.5,PlusTick,b,1e6,0.001,42.28
1704153603.1234,OAKUSDT,Buy,0.001,42283.5,PlusTick,a,1e6,0.001,42.28
`},
		{name: "spot, milliseconds, the symbol in the name", file: "k/OAKUSDT_2024-01-02.csv", said: said,
			want: "OAKUSDT\n2024-01-02,42300.5",
			text: "id,timestamp,price,volume,side\n1,1704153603123,42283.5,0.001,buy\n2,1704239990500,42300.5,0.001,sell\n"},
		{name: "spot, newest first", file: "k/OAKUSDT_2024-01-02.csv", said: said, want: "OAKUSDT\n2024-01-02,42300.5",
			text: "id,timestamp,price,volume,side\n2,1704239990500,42300.5,0.001,sell\n1,1704153603123,42283.5,0.001,buy\n"},
		{name: "no price", file: "k/OAKUSDT2024-01-02.csv", text: "timestamp,symbol,side,size,trdMatchID\n1704153603.1,OAKUSDT,Buy,1,a\n",
			refused: "k/OAKUSDT2024-01-02.csv:1: trades without the columns timestamp, symbol and price"},
		{name: "no number", file: "k/OAKUSDT2024-01-02.csv", text: first + "1704239991,OAKUSDT,Buy,1,dear,PlusTick,a,1,1,1\n",
			refused: `k/OAKUSDT2024-01-02.csv:4: column 5: OAKUSDT "dear" is not a number: correct it, or delete the row`},
	})
}
