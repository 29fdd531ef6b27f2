package market_test

import "testing"

func TestLayoutFlattened(t *testing.T) {
	const usual = "OAK,ELM\n2024-01-02,185,30\n2024-01-03,180.15,30.02"
	testLayout(t, "flattened", []variant{
		{name: "the asset first", file: "p.csv", said: "flattened", want: usual,
			text: "timestamp,OAK_open,OAK_close,OAK_volume,ELM_close,ELM_volume\n" +
				"2024-01-02,184.63,185.00,801242,30.00,882564\n2024-01-03,179.79,180.15,326618,30.02,849963\n"},
		{name: "the field first", file: "p.csv", said: "flattened", want: usual,
			text: "Date,Close OAK,Volume OAK,Close ELM,Volume ELM\n2024-01-02,185.00,1,30.00,2\n2024-01-03,180.15,1,30.02,2\n"},
		{name: "pandas' pairs", file: "p.csv", said: "flattened", want: usual,
			text: `Date,"('Close', 'OAK')","('Close', 'ELM')","('High', 'OAK')"` + "\n2024-01-02,185.00,30.00,1\n2024-01-03,180.15,30.02,1\n"},
		{name: "adjusted", file: "p.csv", said: "flattened, adjusted closes", want: usual,
			text: "Date,OAK.Close,OAK.Adj Close,ELM.Close,ELM.Adj Close\n2024-01-02,370.00,185.00,60,30.00\n2024-01-03,360.30,180.15,61,30.02\n"},
		{name: "no closes", file: "p.csv", text: "date,OAK_open,OAK_volume\n2024-01-02,184.63,801242\n2024-01-03,179.79,326618\n",
			refused: `p.csv:1: columns such as "OAK_volume" are no closes: add those, named like OAK_close`},
		{name: "twice", file: "p.csv", text: "date,OAK_close,Close OAK\n2024-01-02,184.63,1\n2024-01-03,179.79,1\n",
			refused: "p.csv:1: column 3: symbol OAK is in column 2 already: keep one of them"},
	})
}
