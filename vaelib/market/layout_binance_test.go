package market_test

import "testing"

func TestLayoutBinance(t *testing.T) {
	const (
		millis = `1704067200000,41916.0,42420.0,41370.0,42000.0,20.5,1704153599999,861000.0,1000,10.0,420000.0,0
1704153600000,42607.7,43120.0,42052.7,42693.1,20.5,1704239999999,875208.5,1000,10.0,426931.0,0
`
		micros = `1735689600000000,93576.0,95151.1,92888.0,94591.7,10.3,1735775999999999,974294.5,1000,5.0,472958.5,0
1735776000000000,94591.7,97839.5,94392.0,96984.7,21.9,1735862399999999,2123964.9,1000,10.0,969847.0,0
`
		header = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
	)
	testLayout(t, "binance", []variant{
		{name: "milliseconds, no header", file: "k/OAKUSDT-1d-2024-01.csv", text: millis, said: "binance",
			want: "OAKUSDT\n2024-01-01,42000\n2024-01-02,42693.1"},
		{name: "microseconds, no header", file: "k/OAKUSDT-1d-2025-01.csv", text: micros, said: "binance",
			want: "OAKUSDT\n2025-01-01,94591.7\n2025-01-02,96984.7"},
		{name: "header", file: "k/OAKUSDT-1d-2025-01.csv", text: header + micros, said: "binance",
			want: "OAKUSDT\n2025-01-01,94591.7\n2025-01-02,96984.7"},
		{name: "files of days are one life", file: "k/OAKUSDT-1d-2024-01-01.csv", said: "binance",
			text: "1704067200000,1,1,1,42000.0,20.5,1704153599999,1,1,1,1,0\n",
			more: map[string]string{
				"k/OAKUSDT-1d-2024-01-02.csv": "1704153600000,1,1,1,42693.1,20.5,1704239999999,1,1,1,1,0\n",
				"k/ELMUSDT-1d-2024-01-02.csv": "1704153600000,1,1,1,7.5,20.5,1704239999999,1,1,1,1,0\n"},
			want: "ELMUSDT,OAKUSDT\n2024-01-01,NaN,42000\n2024-01-02,7.5,42693.1"},
		{name: "packed", file: "k/OAKUSDT-1d-2024-01.csv.gz", text: gzipped(t, millis), said: "binance, gzip",
			want: "OAKUSDT\n2024-01-01,42000\n2024-01-02,42693.1"},
		{name: "alone", file: "OAKUSDT-1d-2024-01.csv", text: millis,
			refused: "OAKUSDT-1d-2024-01.csv:1: candles of one symbol, not closes of many: give the folder that holds the file, or say -layout binance"},
		{name: "a row cut off", file: "k/OAKUSDT-1d-2024-01.csv", text: millis + "1704240000000,42\n",
			refused: "k/OAKUSDT-1d-2024-01.csv:3: 2 fields where the header has 12: complete the row, or delete it"},
		{name: "two files disagree", file: "k/OAKUSDT-1d-2024-01-01.csv",
			text:    "1704067200000,1,1,1,42000.0,20.5,1704153599999,1,1,1,1,0\n",
			more:    map[string]string{"k/OAKUSDT-1d-2024-01.csv": "1704067200000,1,1,1,42001.0,20.5,1704153599999,1,1,1,1,0\n"},
			refused: "k/OAKUSDT-1d-2024-01-01.csv: OAKUSDT has another close at 2024-01-01 in another file: keep one of them"},
	})
}
