package market_test

import "testing"

func TestLayoutOHLCV(t *testing.T) {
	const (
		kraken = `1704067200,41916.0,42420.0,41370.0,42000.0,20.5,1033
1704153600,42607.7,43120.0,42052.7,42693.1,18.1,998
1704240000,43112.0,43630.4,42550.4,43198.4,25.0,1207
1704326400,43198.4,43320.1,42900.0,43001.7,11.2,801
1704412800,43001.7,43987.5,42988.8,43870.2,17.9,911
`
		coinbase = `1704412800,42988.8,43987.5,43001.7,43870.2,17.9
1704326400,42900.0,43320.1,43198.4,43001.7,11.2
1704240000,42550.4,43630.4,43112.0,43198.4,25.0
1704153600,42052.7,43120.0,42607.7,42693.1,18.1
1704067200,41370.0,42420.0,41916.0,42000.0,20.5
`
		flat = `1704067200000,7,7,7,7,1
1704153600000,8,8,8,8,1
1704240000000,9,9,9,9,1
1704326400000,8,8,8,8,1
1704412800000,7,7,7,7,1
`
		want = "\n2024-01-01,42000\n2024-01-02,42693.1\n2024-01-03,43198.4\n2024-01-04,43001.7\n2024-01-05,43870.2"
	)
	testLayout(t, "ohlcv", []variant{
		{name: "Kraken", file: "k/OAKUSD_1440.csv", text: kraken, said: "ohlcv, without a header", want: "OAKUSD" + want},
		{name: "low and high first", file: "k/OAK.csv", text: coinbase, said: "ohlcv, without a header", want: "OAK" + want},
		{name: "no column is the high", file: "k/OAK.csv", text: flat,
			refused: "k/OAK.csv:1: no header: put the names of the columns into the first line"},
		{name: "alone", file: "OAK.csv", text: kraken,
			refused: "OAK.csv:1: no header: put the names of the columns into the first line"},
	})
}
