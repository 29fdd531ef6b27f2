package market_test

import (
	"encoding/binary"
	"testing"

	"vaefolio/vaelib/market"
)

func TestLayoutWide(t *testing.T) {
	const (
		plain = "date,OAK,ELM\n2024-01-02,185.00,30.00\n2024-01-03,180.15,30.02\n2024-01-04,179.55,29.70\n"
		usual = "OAK,ELM\n2024-01-02,185,30\n2024-01-03,180.15,30.02\n2024-01-04,179.55,29.7"
		names = "date,Société,Élan\n2024-01-02,185.00,30.00\n2024-01-03,180.15,30.02\n2024-01-04,179.55,29.70\n"
		noted = "Société,Élan\n2024-01-02,185,30\n2024-01-03,180.15,30.02\n2024-01-04,179.55,29.7"
	)
	testLayout(t, "wide", []variant{
		{name: "plain", file: "p.csv", said: "wide", text: plain, want: usual},
		{name: "upper case", file: "P.CSV", said: "wide", text: plain, want: usual},
		{name: "packed", file: "p.csv.gz", said: "wide, gzip", text: gzipped(t, plain), want: usual},
		{name: "UTF-16, little end first", file: "p.csv", said: "wide, UTF-16", text: inUTF16(binary.LittleEndian, names), want: noted},
		{name: "UTF-16, big end first", file: "p.csv", said: "wide, UTF-16", text: inUTF16(binary.BigEndian, names), want: noted},
		{name: "Latin-1", file: "p.csv", said: "wide, Latin-1", text: inLatin1(names), want: noted},
		{name: "UTF-8 with its mark", file: "p.csv", said: "wide", text: "\ufeff" + names, want: noted},
		{name: "pandas' index", file: "p.csv", said: "wide", want: usual,
			text: ",OAK,ELM\n2024-01-02,185.00,30.00\n2024-01-03,180.15,30.02\n2024-01-04,179.55,29.70\n"},
		{name: "semicolons, decimal comma", file: "p.csv", said: "wide, separated by semicolons, decimal comma, days before months", want: "OAK,ELM\n2024-01-02,1185,30\n2024-01-03,1180.15,30.02\n2024-01-13,1179.55,29.7",
			text: "Datum;OAK;ELM\n02.01.2024;1.185,00;30,00\n03.01.2024;1.180,15;30,02\n13.01.2024;1.179,55;29,70\n"},
		{name: "month names", file: "p.csv", said: "wide", want: usual,
			text: "Date,OAK,ELM\n02-Jan-2024,185.00,30.00\n03-Jan-2024,180.15,30.02\n04-Jan-2024,179.55,29.70\n"},
		{name: "month names first", file: "p.csv", said: "wide", want: usual,
			text: "Date,OAK,ELM\n\"Jan 02, 2024\",185.00,30.00\n\"Jan 03, 2024\",180.15,30.02\n\"Jan 04, 2024\",179.55,29.70\n"},
		{name: "Excel's serial days", file: "p.csv", said: "wide", want: usual, // 45293 is 2024-01-02: 25569 days before 1970
			text: "Date,OAK,ELM\n45293,185.00,30.00\n45294,180.15,30.02\n45295,179.55,29.70\n"},
		{name: "compact", file: "p.csv", said: "wide", want: usual,
			text: "Date,OAK,ELM\n20240102,185.00,30.00\n20240103,180.15,30.02\n20240104,179.55,29.70\n"},
		{name: "months before days", file: "p.csv", said: "wide, months before days", want: usual,
			options: market.Options{Dates: market.MonthFirst},
			text:    "Date,OAK,ELM\n01/02/2024,185.00,30.00\n01/03/2024,180.15,30.02\n01/04/2024,179.55,29.70\n"},
		{name: "FRED, points", file: "p.csv", said: "wide", want: "OAK,ELM\n2024-01-02,185,30\n2024-01-04,179.55,29.7",
			text: "observation_date,OAK,ELM\n2024-01-02,185.00,30.00\n2024-01-03,.,.\n2024-01-04,179.55,29.70\n"},
		{name: "words for gaps", file: "p.csv", said: "wide",
			want: "OAK,ELM\n2024-01-02,185,NaN\n2024-01-03,180.15,NaN\n2024-01-04,179.55,NaN\n2024-01-05,179,29.7",
			text: "date,OAK,ELM\n2024-01-02,185.00,NaN\n2024-01-03,180.15,#N/A\n2024-01-04,179.55,null\n2024-01-05,179,29.70\n"},
		{name: "a gap filled", file: "p.csv", said: "wide", options: market.Options{Fill: market.FillPrevious},
			text: "date,OAK,ELM\n2024-01-02,185.00,30\n2024-01-03,,31\n2024-01-04,179.55,32\n",
			want: "OAK,ELM\n2024-01-02,185,30\n2024-01-03,185,31\n2024-01-04,179.55,32"},
		{name: "a gap", file: "p.csv", text: "date,OAK,ELM\n2024-01-02,185.00,30\n2024-01-03,,31\n2024-01-04,179.55,32\n",
			refused: "p.csv:3: column 2: OAK is empty, but has prices before and after (lines 2 and 4): fill the cell, leave the symbol out, or say -fill previous or -fill drop"},
		{name: "no asset", file: "p.csv", text: "date,OAK,volume\n2024-01-02,185.00,1\n2024-01-03,180.15,2\n",
			refused: `p.csv:1: column 3: column "volume" is no asset by its name: leave it out by -exclude, name all that are by -symbols, or say -layout wide`},
		{name: "no asset beside its own", file: "p.csv", text: "date,OAK,OAK_volume,ELM\n2024-01-02,185.00,1,3\n2024-01-03,180.15,2,4\n",
			refused: `p.csv:1: column 3: column "OAK_volume" is no asset by its name: leave it out by -exclude, name all that are by -symbols, or say -layout wide`},
		{name: "quarters", file: "p.csv", said: "wide", want: "OAK,ELM\n2023-07-01,185,30\n2023-10-01,180.15,30.02\n2024-01-01,179.55,29.7",
			text: "Quarter,OAK,ELM\n2023Q3,185.00,30.00\n2023Q4,180.15,30.02\n2024Q1,179.55,29.70\n"},
		{name: "years", file: "p.csv", said: "wide", want: "OAK,ELM\n2021-01-01,185,30\n2022-01-01,180.15,30.02\n2023-01-01,179.55,29.7",
			text: "Year,OAK,ELM\n2021,185.00,30.00\n2022,180.15,30.02\n2023,179.55,29.70\n"},
		{name: "in Japanese", file: "p.csv", said: "wide", want: usual,
			text: "日付,OAK,ELM\n2024/01/02,185.00,30.00\n2024/01/03,180.15,30.02\n2024/01/04,179.55,29.70\n"},
		{name: "the year beside the date", file: "p.csv",
			refused: `p.csv:1: column 2: column "Year" is no asset by its name: leave it out by -exclude, name all that are by -symbols, or say -layout wide`,
			text:    "Date,Year,OAK,ELM\n2024-01-02,2024,185.00,30.00\n2024-01-03,2024,180.15,30.02\n2024-01-04,2024,179.55,29.70\n"},
		{name: "basic ISO 8601", file: "p.csv", said: "wide", want: usual,
			text: "Date,OAK,ELM\n20240102T000000Z,185.00,30.00\n20240103T0000Z,180.15,30.02\n20240104T000000Z,179.55,29.70\n"},
		{name: "compact with a time of day", file: "p.csv", said: "wide, separated by semicolons", want: usual,
			text: "Date;OAK;ELM\n20240102 00:00:00;185.00;30.00\n20240103 00:00:00;180.15;30.02\n20240104 00:00:00;179.55;29.70\n"},
		{name: "day or month", file: "p.csv", text: "date,OAK,ELM\n01/02/2024,185.00,30.00\n01/03/2024,180.15,30.02\n",
			refused: `p.csv:2: column 1: time "01/02/2024" has its day or its month first: say which by -dates dmy or mdy`},
		{name: "the future", file: "p.csv", text: "date,OAK\n2024-01-02,185.00\n2099-01-03,180.15\n",
			refused: "p.csv: its last time 2099-01-03 lies in the future: correct the times, or say by -as-of when the prices are of"},
	})
}
