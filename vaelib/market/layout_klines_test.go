package market_test

import (
	"testing"

	"vaefolio/vaelib/market"
)

func TestLayoutKlines(t *testing.T) {
	const usual = "OAK\n2024-01-02,185\n2024-01-03,180.15\n2024-01-16,179.55"
	candles := "Date,Open,High,Low,Close,Volume\n2024-01-02,1,1,1,185.00,10\n2024-01-03,1,1,1,180.15,10\n2024-01-16,1,1,1,179.55,10\n"
	testLayout(t, "klines", []variant{
		{name: "Stooq", file: "k/OAK.csv", said: "klines", text: candles, want: usual},
		{name: "Stooq's index, no volume", file: "k/^oak.csv", said: "klines", want: "^oak\n2024-01-02,185\n2024-01-03,180.15",
			text: "Date,Open,High,Low,Close\n2024-01-02,1,1,1,185.00\n2024-01-03,1,1,1,180.15\n"},
		{name: "upper case", file: "k/OAK.CSV", said: "klines", text: candles, want: usual},
		{name: "OKX", file: "k/OAK.csv", said: "klines", want: "OAK\n2024-01-02,185\n2024-01-03,180.15",
			text: "ts,o,h,l,c,vol,volCcy,confirm\n1704240000000,1,190,1,180.15,1,1,1\n1704153600000,1,190,1,185.00,1,1,1\n"},
		{name: "packed", file: "k/OAK.csv.gz", said: "klines, gzip", text: gzipped(t, candles), want: usual},
		{name: "alone, as said", file: "OAK.csv", said: "klines", text: candles, options: market.Options{Layout: "klines"}, want: usual},
		{name: "empty volume", file: "k/OAK.csv", said: "klines", want: "OAK\n2024-01-02,185\n2024-01-03,180.15",
			text: "timestamp,open,high,low,close,volume\n1704153600000,1,1,1,185.00,\n1704240000000,1,1,1,180.15,\n"},
		{name: "Yahoo, null rows", file: "k/OAK.csv", said: "klines, adjusted closes", want: "OAK\n2024-01-02,179.45\n2024-01-04,174.16",
			text: `Date,Open,High,Low,Close,Adj Close,Volume
2024-01-02,184.63,186.85,182.22,185.00,179.45,10000000
2024-01-03,null,null,null,null,null,null
2024-01-04,179.19,181.34,176.85,179.54,174.16,10000000
`},
		{name: "closes as paid", file: "k/OAK.csv", said: "klines, closes as paid, not adjusted",
			options: market.Options{Unadjusted: true}, want: "OAK\n2024-01-02,185\n2024-01-04,179.54",
			text: "Date,Close,Adj Close\n2024-01-02,185.00,179.45\n2024-01-04,179.54,174.16\n"},
		{name: "Investing.com", file: "k/OAK.csv", said: "klines, months before days",
			want: "OAK\n2024-02-28,41014.2\n2024-02-29,41578.7\n2024-03-01,141578.7", text: `"Date","Price","Open","High","Low","Vol.","Change %"
"03/01/2024","141,578.7","41,162.9","41,994.4","40,747.1","1.02M","240.5%"
"02/29/2024","41,578.7","41,162.9","41,994.4","40,747.1","2.30K","1.38%"
"02/28/2024","41,014.2","40,604.1","41,424.3","40,193.9","2.30K","-0.51%"
`},
		{name: "Nasdaq", file: "k/OAK.csv", said: "klines, months before days", want: "OAK\n2024-03-21,176.22\n2024-03-22,1175.15",
			text: `Date,Close/Last,Volume,Open,High,Low
03/22/2024,"$1,175.15",10000000,$173.40,$176.90,$171.64
03/21/2024,$176.22,10000000,$174.46,$177.99,$172.70
`},
		{name: "TradingView", file: "k/EXCHANGE_OAKUSDT, 1D.csv", said: "klines", want: "OAKUSDT\n2024-01-02,185\n2024-01-03,180.15",
			text: "time,open,high,low,close,Volume\n1704153600,1,1,1,185.00,10\n1704240000,1,1,1,180.15,10\n"},
		{name: "Alpha Vantage", file: "k/OAK.csv", said: "klines, adjusted closes", want: "OAK\n2024-01-02,92.5\n2024-01-03,180.15",
			text: `timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient
2024-01-03,1,1,1,180.15,180.15,10,0.0000,2.0
2024-01-02,1,1,1,185.00,92.50,10,0.0000,1.0
`},
		{name: "Alpha Vantage, unadjusted splits", file: "k/OAK.csv",
			text:    "timestamp,close,volume,split_coefficient\n2024-01-03,92.00,10,2.0\n2024-01-02,185.00,10,1.0\n",
			refused: `k/OAK.csv:2: column 4: split of OAK, "2.0" for 1, and no column of adjusted closes: give closes that are adjusted, or take those paid by -closes paid`},
		{name: "CoinGecko", file: "k/bitcoin.csv", said: "klines", want: "bitcoin\n2024-01-02,44187.14\n2024-01-03,44961.6",
			text: `snapped_at,price,market_cap,total_volume
2024-01-02 00:00:00 UTC,44187.14,865612432112.1,22311234567.8
2024-01-03 00:00:00 UTC,44961.60,,31123456789.0
`},
		{name: "FRED, one series", file: "k/OAK.csv", said: "klines", want: "SP500\n2024-01-02,4742.83\n2024-01-04,4688.68",
			text: "observation_date,SP500\n2024-01-02,4742.83\n2024-01-03,.\n2024-01-04,4688.68\n"},
		{name: "semicolons, decimal comma", file: "k/OAK.csv", said: "klines, separated by semicolons, decimal comma, days before months",
			want: "OAK\n2024-01-02,1185\n2024-01-16,1180.15",
			text: "Datum;Eröffnung;Hoch;Tief;Schluss\n02.01.2024;1,00;1,00;1,00;1.185,00\n16.01.2024;1,00;1,00;1,00;1.180,15\n"},
		{name: "alone", file: "OAK.csv", text: candles,
			refused: "OAK.csv:1: candles of one symbol, not closes of many: give the folder that holds the file, or say -layout klines"},
		{name: "no close", file: "k/OAK.csv", text: "date,open,high\n2024-01-02,1,2\n",
			refused: "k/OAK.csv:1: no column close: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume"},
		{name: "a volume alone", file: "k/OAK.csv", text: "date,volume\n2024-01-02,1\n2024-01-03,2\n",
			refused: "k/OAK.csv:1: no column close: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume"},
		{name: "no time", file: "k/OAK.csv", text: "open,close\n1,2\n",
			refused: "k/OAK.csv:1: no column date, time or timestamp: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume"},
		{name: "no price", file: "k/OAK.csv", text: "date,open,close\n2024-01-02,1,2\n2024-01-03,1,dear\n",
			refused: `k/OAK.csv:3: column 3: close "dear" is not a number: correct it, or delete the row`},
		{name: "a symbol twice", file: "k/OAK.csv", text: candles, more: map[string]string{"k/OAK.txt": candles},
			refused: "k/OAK.txt: symbol OAK is in k/OAK.csv too: keep one of the files"},
	})
}
