package market_test

import "testing"

func TestLayoutFreqtrade(t *testing.T) {
	const text = `[[1704153600000,100,102,99,101.5,7],[1704240000000,101,103,100,102.25,8],[1704326400000,102,104,101,103,0]]`
	const closes = "2024-01-02,101.5\n2024-01-03,102.25\n2024-01-04,103"
	testLayout(t, "freqtrade", []variant{
		{name: "one line", file: "k/OAK_USDT-1d.json", text: text, said: "freqtrade", want: "OAK_USDT\n" + closes},
		{name: "indented, newest first", file: "k/OAK.json", said: "freqtrade", want: "OAK\n" + closes, text: `[
  [1704326400000, 102.0, 104.0, 101.0, 103.0, 0.0],
  [1704240000000, 101.0, 103.0, 100.0, 102.25, 8.0],
  [1704153600000, 100.0, 102.0, 99.0, 101.5, 7.0]
]
`},
		{name: "packed", file: "k/OAK_USDT-1d.json.gz", text: gzipped(t, text), said: "freqtrade, gzip", want: "OAK_USDT\n" + closes},
		{name: "cut off", file: "OAK.json", text: text[:60], options: optionsOf("freqtrade"),
			refused: "OAK.json:2: is no sound JSON of candles: candle 2 is no row of numbers"},
		{name: "no array", file: "OAK.json", text: `{"prices":[[1704153600000,101]]}`,
			refused: "OAK.json: is no JSON of candles, [[time,open,high,low,close,volume],...]: write a CSV or Parquet"},
		{name: "words", file: "OAK.json", text: `[[1704153600000,100,102,99,"dear",7]]`, options: optionsOf("freqtrade"),
			refused: "OAK.json:1: is no sound JSON of candles: candle 1 is no row of numbers"},
	})
}
