package market_test

import "testing"

func TestLayoutYfinance(t *testing.T) {
	const usual = `
OAK,ELM
2024-01-02,185,370
2024-01-03,180.15,360.3
2024-01-04,179.55,359.1`
	testLayout(t, "yfinance", []variant{
		{name: "three lines, fields first", file: "p.csv", said: "yfinance, 3 header lines", want: usual, text: `Price,Close,Close,High,High,Volume,Volume
Ticker,OAK,ELM,OAK,ELM,OAK,ELM
Date,,,,,,
2024-01-02,185.00,370.00,186.85,373.70,1000,2000
2024-01-03,180.15,360.30,181.95,363.90,1000,2000
2024-01-04,179.55,359.10,181.35,362.69,1000,2000
`},
		{name: "three lines, tickers first", file: "p.csv", said: "yfinance, 3 header lines", want: usual, text: `Ticker,OAK,OAK,ELM,ELM
Price,Open,Close,Open,Close
Date,,,,
2024-01-02,184.00,185.00,369.00,370.00
2024-01-03,181.15,180.15,361.30,360.30
2024-01-04,178.55,179.55,358.10,359.10
`},
		{name: "two lines", file: "p.csv", said: "yfinance, 2 header lines", want: usual, text: `,Close,Close,Volume,Volume
Date,OAK,ELM,OAK,ELM
2024-01-02,185.00,370.00,1000,2000
2024-01-03,180.15,360.30,1000,2000
2024-01-04,179.55,359.10,1000,2000
`},
		{name: "adjusted closes, and one listed later", file: "p.csv", said: "yfinance, 3 header lines, adjusted closes",
			want: "OAK,ELM\n2024-01-02,92.5,NaN\n2024-01-03,90.075,360.3\n2024-01-04,89.775,359.1",
			text: `Price,Adj Close,Adj Close,Close,Close
Ticker,OAK,ELM,OAK,ELM
Date,,,,
2024-01-02,92.500,,185.00,
2024-01-03,90.075,360.30,180.15,360.30
2024-01-04,89.775,359.10,179.55,359.10
`},
		{name: "one ticker", file: "k/elm.csv", said: "yfinance, 3 header lines", want: "OAK\n2024-01-02,185\n2024-01-03,180.15",
			text: `Price,Close,High,Low,Open,Volume
Ticker,OAK,OAK,OAK,OAK,OAK
Date,,,,,
2024-01-02,185.00,186.85,182.22,184.63,1000
2024-01-03,180.15,181.95,177.45,179.79,1000
`},
		{name: "a ticker twice", file: "p.csv", refused: "p.csv:2: column 3: symbol OAK is in column 2 already: keep one of them",
			text: `Price,Close,Close
Ticker,OAK,OAK
Date,,
2024-01-02,185.00,370.00
2024-01-03,180.15,360.30
`},
		{name: "no closes", file: "p.csv", refused: "p.csv:1: no column Close or Adj Close in a header of several lines",
			text: `Price,High,Low
Ticker,OAK,OAK
Date,,
2024-01-02,185.00,370.00
2024-01-03,180.15,360.30
`},
	})
}
