package market_test

import "testing"

func TestLayoutMetatrader(t *testing.T) {
	const closes = "2024-01-02,1.08824\n2024-01-03,1.05972\n2024-01-04,1.05617"
	testLayout(t, "metatrader", []variant{
		{name: "MetaTrader 5, tabs", file: "k/EURUSD.csv", said: "metatrader, separated by tabs", want: "EURUSD\n" + closes,
			text: "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n" +
				"2024.01.02\t1.08606\t1.09912\t1.07191\t1.08824\t100\t0\t1\n" +
				"2024.01.03\t1.05761\t1.07032\t1.04383\t1.05972\t100\t0\t1\n" +
				"2024.01.04\t1.05406\t1.06673\t1.04033\t1.05617\t100\t0\t1\n"},
		{name: "hours", file: "k/EURUSD.csv", said: "metatrader, separated by tabs",
			want: "EURUSD\n2024-01-02,1.08824\n2024-01-02T01:00:00Z,1.05972",
			text: "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n" +
				"2024.01.02\t00:00:00\t1.08606\t1.09912\t1.07191\t1.08824\t100\t0\t1\n" +
				"2024.01.02\t01:00:00\t1.05761\t1.07032\t1.04383\t1.05972\t100\t0\t1\n"},
		{name: "MetaTrader 4, no header", file: "k/EURUSD.csv", said: "metatrader", want: "EURUSD\n" + closes,
			text: `2024.01.02,00:00,1.08606,1.09912,1.07191,1.08824,100
2024.01.03,00:00,1.05761,1.07032,1.04383,1.05972,100
2024.01.04,00:00,1.05406,1.06673,1.04033,1.05617,100
`},
		{name: "date and time in one field", file: "k/EURUSD.csv", said: "metatrader",
			want: "EURUSD\n2024-01-02,1.08824\n2024-01-02T01:00:00Z,1.05972",
			text: "2024.01.02 00:00,1.08606,1.09912,1.07191,1.08824,100\n2024.01.02 01:00,1.05761,1.07032,1.04383,1.05972,100\n"},
		{name: "alone", file: "EURUSD.csv", text: "2024.01.02,00:00,1.08606,1.09912,1.07191,1.08824,100\n",
			refused: "EURUSD.csv:1: candles of one symbol, not closes of many: give the folder that holds the file, or say -layout metatrader"},
		{name: "no close", file: "k/EURUSD.csv", text: "<DATE>\t<OPEN>\n2024.01.02\t1.08606\n2024.01.03\t1.05761\n",
			refused: "k/EURUSD.csv:1: no column close: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume"},
	})
}
