package market_test

import (
	"testing"

	"vaefolio/vaelib/market"
)

func TestLayoutFrench(t *testing.T) {
	const said = "french, 5 header lines, returns in percent, the first table"
	testLayout(t, "french", []variant{
		{name: "months with sentinels, and a second table", file: "p.csv", said: said, text: `This file was created using the 202401 CRSP database.
Missing data are indicated by -99.99 or -999.

  Average Value Weighted Returns -- Monthly
,Oak  ,Elm  ,Ash
192607,   0.50, -99.99, -50.00
192608,   2.00,  10.00,   0.00
192609,  -1.00,  20.00,   4.00

  Average Equal Weighted Returns -- Monthly
,Oak  ,Elm  ,Ash
192607,   1.56,  -4.19,   2.29
`, want: `
Oak,Elm,Ash
1926-06-01,1,NaN,1
1926-07-01,1.005,1,0.5
1926-08-01,1.0251,1.1,0.5
1926-09-01,1.014849,1.32,0.52`},
		{name: "days, -999", file: "p.csv", said: "french, 2 header lines, returns in percent, the first table",
			text: "This file was created by hand.\n,Oak,Elm\n20240102,1.00,-999\n20240103,2.00,-10.00\n20240104,0.00,0.00\n",
			want: `
Oak,Elm
2024-01-01,1,NaN
2024-01-02,1.01,1
2024-01-03,1.0302,0.9
2024-01-04,1.0302,0.9`},
		{name: "no name", file: "p.csv", text: "Text.\n,Oak,\n192607,0.5,0.5\n192608,-2.0,0.5\n",
			refused: "p.csv:2: column 3: symbol is empty: name the column, or delete it"},
		{name: "a loss of more than all", file: "p.csv", text: "Text.\n,Oak\n192607,0.5\n192608,-120\n",
			refused: "p.csv:4: column 2: Oak \"-120\" is a return of -100 % or less, or too large: correct it, or say by -returns in which unit it is"},
	})
}

// Returns in wide files are of the unit that the options say.
func TestLayoutWideReturns(t *testing.T) {
	of := func(r market.Returns) market.Options { return market.Options{Returns: r} }
	testLayout(t, "wide", []variant{
		{name: "simple", file: "p.csv", options: of(market.Simple), said: "wide",
			text: "date,OAK,ELM\n2024-01-02,0.5,\n2024-01-03,-0.5,0.25\n",
			want: "OAK,ELM\n2024-01-01,1,NaN\n2024-01-02,1.5,1\n2024-01-03,0.75,1.25"},
		{name: "simple, percent", file: "p.csv", options: of(market.SimplePercent), said: "wide",
			text: "date,OAK,ELM\n2024-01-02,50,-99.99\n2024-01-03,-50,25\n",
			want: "OAK,ELM\n2024-01-01,1,NaN\n2024-01-02,1.5,1\n2024-01-03,0.75,1.25"},
		{name: "log", file: "p.csv", options: of(market.Log), said: "wide", // exp(0.5), exp(0.5 - 1)
			text: "date,OAK\n2024-01-02,0.5\n2024-01-03,-1\n",
			want: "OAK\n2024-01-01,1\n2024-01-02,1.648721271\n2024-01-03,0.6065306597"},
		{name: "log, percent", file: "p.csv", options: of(market.LogPercent), said: "wide",
			text: "date,OAK\n2024-01-02,50\n2024-01-03,-100\n",
			want: "OAK\n2024-01-01,1\n2024-01-02,1.648721271\n2024-01-03,0.6065306597"},
		{name: "no return", file: "p.csv", options: of(market.Simple), text: "date,OAK\n2024-01-02,0.5\n2024-01-03,much\n",
			refused: `p.csv:3: column 2: OAK "much" is not a number: correct it, or leave it empty`},
	})
}
