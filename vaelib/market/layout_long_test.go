package market_test

import "testing"

func TestLayoutLong(t *testing.T) {
	testLayout(t, "long", []variant{
		{name: "tidy, one listed later", file: "p.csv", said: "long",
			text: "date,symbol,close\n2024-01-02,OAK,185.00\n2024-01-03,OAK,180.15\n2024-01-03,ELM,30.02\n",
			want: "ELM,OAK\n2024-01-02,NaN,185\n2024-01-03,30.02,180.15"},
		{name: "Kaggle", file: "p.csv", said: "long",
			text: "date,open,high,low,close,volume,Name\n2024-01-02,1,1,1,185.00,10,OAK\n2024-01-03,1,1,1,180.15,10,OAK\n" +
				"2024-01-02,1,1,1,30.00,,ELM\n2024-01-03,1,1,1,30.02,,ELM\n",
			want: "ELM,OAK\n2024-01-02,30,185\n2024-01-03,30.02,180.15"},
		{name: "molten", file: "p.csv", said: "long",
			text: "Date,variable,value\n2024-01-02,OAK,185.00\n2024-01-03,OAK,180.15\n2024-01-02,ELM,30.00\n2024-01-03,ELM,30.02\n",
			want: "ELM,OAK\n2024-01-02,30,185\n2024-01-03,30.02,180.15"},
		{name: "Stooq's bulk", file: "k/oak.us.txt", said: "long", want: "OAK.US\n2024-01-02,185\n2024-01-03,180.15",
			text: `<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>
OAK.US,D,20240102,000000,184.63,186.85,182.22,185.00,1000,0
OAK.US,D,20240103,000000,179.79,181.95,177.45,180.15,1000,0
`},
		{name: "CryptoDataDownload, newest first", file: "k/Exchange_OAKUSDT_d.csv", said: "long, 2 header lines",
			want: "OAKUSDT\n2024-02-27,42540\n2024-02-28,41014\n2024-02-29,41578.5",
			text: `https://www.CryptoDataDownload.com
Unix,Date,Symbol,Open,High,Low,Close,Volume OAK,Volume USDT,tradecount
1709164800000,2024-02-29,OAKUSDT,41495,41994,40954,41578.5,1,2,3
1709078400000,2024-02-28,OAKUSDT,40932,41424,40398,41014,1,2,3
1708992000000,2024-02-27,OAKUSDT,42455,42966,41902,42540,1,2,3
`},
		{name: "adjusted", file: "p.csv", said: "long, adjusted closes",
			text: "date,ticker,close,adjusted_close\n2024-01-02,OAK,185.00,92.5\n2024-01-03,OAK,180.00,90\n",
			want: "OAK\n2024-01-02,92.5\n2024-01-03,90"},
		{name: "another close", file: "p.csv",
			text:    "date,symbol,close\n2024-01-02,OAK,185.00\n2024-01-02,ELM,30\n2024-01-02,OAK,186.00\n",
			refused: "p.csv:4: column 3: OAK has another close at 2024-01-02 already: keep one of the rows"},
		{name: "molten with fields", file: "p.csv", text: "date,symbol,field,value\n2024-01-02,OAK,close,185\n2024-01-02,OAK,volume,10\n2024-01-03,OAK,close,186\n",
			refused: "p.csv:1: column 3: column field says what each value is, such as close and volume: keep the rows of close"},
		{name: "no symbol", file: "p.csv", text: "date,symbol,close\n2024-01-02,OAK,185.00\n2024-01-03,,186.00\n",
			refused: "p.csv:3: column 2: symbol is empty: put one in, or delete the row"},
		{name: "below zero", file: "p.csv", text: "date,symbol,close\n2024-01-02,OAK,185.00\n2024-01-03,OAK,-1\n",
			refused: `p.csv:3: column 3: OAK "-1" is not above 0: correct it, or say by -returns that these are returns; over a price below 0, such as a spread's, there are none: -exclude leaves the asset out`},
	})
}
