package market_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/market"
)

// The forms in which vendors and programs give prices, beside those that the tests of
// the layouts have.
func TestVendors(t *testing.T) {
	const days = "\n2024-01-02,185,30\n2024-01-03,180,31\n2024-01-04,181,32"
	const one = "\n2024-01-02,185\n2024-01-03,180\n2024-01-04,181"
	testLayout(t, "wide", []variant{
		{name: "separators behind the table", file: "p.csv", text: "Date,OAK,ELM,,\n1/2/24,185,30,,\n1/3/24,180,31,,\n1/14/24,181,32,,\n,,,,\n,,,,\n",
			said: "wide, months before days", want: strings.ReplaceAll("OAK,ELM"+days, "-04", "-14")},
		{name: "a separator behind rows alone", file: "p.csv", text: "date,OAK,ELM\n2024-01-02,185,30,\n2024-01-03,180,31,\n2024-01-04,181,32,\n",
			said: "wide", want: "OAK,ELM" + days},
		{name: "a nameless column below which something stands", file: "p.csv", text: "date,OAK,ELM,\n2024-01-02,185,30,\n2024-01-03,180,31,7\n",
			refused: "p.csv:1: column 4: symbol is empty: name the column, or delete it"},
		{name: "Datastream", file: "p.csv", text: "Name,OAK INC,ELM AG\nCode,@OAK,D:ELM\nCURRENCY,U$,E\n02/01/2024,185,30\n03/01/2024,180,31\n14/01/2024,181,32\n",
			said: "wide, without the line CURRENCY, 3 header lines, days before months", want: strings.ReplaceAll("@OAK,D:ELM"+days, "-04", "-14")},
		{name: "a line of currencies", file: "p.csv", text: "Date,OAK,ELM\nCurrency,USD,EUR\n2024-01-02,185,30\n2024-01-03,180,31\n2024-01-04,181,32\n",
			said: "wide, without the line Currency, 2 header lines", want: "OAK,ELM" + days},
		{name: "blanks that do not break", file: "p.csv", text: "Date\u00a0,OAK\u00a0,ELM\n2024-01-02,185,30\n2024-01-03,180,31\n2024-01-04,181,32\n",
			said: "wide", want: "OAK,ELM" + days},
		{name: "SAS", file: "p.csv", text: "date,OAK,ELM\n02JAN2024,185,30\n03JAN2024,180,31\n04JAN2024,181,32\n", said: "wide", want: "OAK,ELM" + days},
		{name: "quarters", file: "p.csv", text: "date,OAK\n2024Q1,185\n2024Q2,180\n2024Q3,181\n", said: "wide",
			want: "OAK\n2024-01-01,185\n2024-04-01,180\n2024-07-01,181"},
		{name: "years of two digits, days first", file: "p.csv", text: "date,OAK\n02/01/24,185\n03/01/24,180\n14/01/24,181\n",
			said: "wide, days before months", want: strings.ReplaceAll("OAK"+one, "-04", "-14")},
		{name: "years of two digits that may be first", file: "p.csv", text: "date,OAK\n24/01/02,185\n24/01/03,180\n24/01/04,181\n",
			refused: `p.csv:2: column 1: time "24/01/02" has a year of two digits, and what stands first isn't clear: write YYYY-MM-DD, or say -dates dmy or mdy where the year is last`},
		{name: "times that a spreadsheet cut", file: "p.csv", text: "timestamp,OAK\n1.70415E+12,185\n1.70424E+12,180\n",
			refused: `p.csv:2: column 1: time "1.70415E+12" has lost digits, as spreadsheets cut them: write whole numbers, or dates`},
		{name: "returns in percent", file: "p.csv", text: "date,OAK\n2024-01-02,-0.5%\n2024-01-03,1%\n",
			refused: `p.csv:2: column 2: OAK "-0.5%" is in percent, as no price is: say by -returns that these are returns`},
		{name: "returns in percent, said", file: "p.csv", text: "date,OAK\n2024-01-02,-50%\n2024-01-03,100%\n", options: market.Options{Returns: market.Simple},
			said: "wide", want: "OAK\n2024-01-01,1\n2024-01-02,0.5\n2024-01-03,1"},
		{name: "prices called returns", file: "p.csv", options: market.Options{Returns: market.Simple},
			text:    "date,OAK\n2024-01-02,185\n2024-01-03,180\n2024-01-04,181\n2024-01-05,182\n2024-01-06,183\n2024-01-07,1\n2024-01-08,2\n2024-01-09,3\n2024-01-10,4\n2024-01-11,5\n",
			refused: "p.csv: most of the returns are of more than 50 %: prices, for which -returns is left out, or percent, which -returns simple-percent reads?"},
		{name: "a download that failed", file: "p.csv", text: "Exceeded the daily hits limit",
			refused: `p.csv:1: holds nothing but "Exceeded the daily hits limit": is it the answer to a download that failed?`},
		{name: "an answer in JSON", file: "p.csv", text: `{"Information": "rate limit"}`,
			refused: `p.csv:1: is JSON, and no table: it begins "{\"Information\": \"rate limit\"}": is it the answer to a download that failed?`},
	})
	testLayout(t, "long", []variant{
		{name: "CRSP", file: "p.csv", text: "PERMNO,date,TICKER,PRC,RET\n7,20240102,OAK,185,C\n7,20240103,OAK,-180,-0.027\n7,20240104,OAK,0,B\n8,20240102,ELM,30,C\n8,20240104,ELM,32,.01\n",
			said: "long, closes below 0 as the middle of bid and ask", want: "7,8\n2024-01-02,185,30\n2024-01-03,180,NaN\n2024-01-04,NaN,32"},
		{name: "CRSP's returns", file: "p.csv", text: "PERMNO,date,PRC,RET\n7,20240102,185,C\n7,20240103,180,-0.5\n7,20240104,181,1\n", options: market.Options{Returns: market.Simple},
			said: "long, returns of the column RET", want: "7\n2024-01-02,1\n2024-01-03,0.5\n2024-01-04,1"},
		{name: "returns alone", file: "p.csv", text: "date,ticker,ret\n2024-01-02,OAK,0.1\n",
			refused: "p.csv:1: column 3: the column ret has returns, and none has closes: say by -returns in which unit"},
		{name: "CRSP's factor", file: "p.csv", text: "PERMNO,date,PRC,CFACPR\n7,20240102,740,4\n7,20240103,180,1\n7,20240104,181,1\n",
			said: "long, closes below 0 as the middle of bid and ask, closes over CFACPR, which adjusts for splits and not for dividends", want: "7" + one},
		{name: "the factor left aside", file: "p.csv", text: "gvkey,datadate,tic,ajexdi,prccd\n1690,2024-01-02,OAK,4,740\n1690,2024-01-03,OAK,1,180\n", options: market.Options{Unadjusted: true},
			said: "long", want: "OAK\n2024-01-02,740\n2024-01-03,180"},
		{name: "a factor of 0", file: "p.csv", text: "tic,datadate,ajexdi,prccd\nOAK,2024-01-02,0,740\n",
			refused: `p.csv:2: column 3: factor "0" is not above 0: correct it, or say -closes paid`},
		{name: "Polygon's flat file", file: "p.csv", text: "ticker,volume,open,close,high,low,window_start,transactions\nOAK,1,1,185,1,1,1704171600000000000,5\nOAK,1,1,180,1,1,1704258000000000000,5\n",
			said: "long", want: "OAK\n2024-01-02T05:00:00Z,185\n2024-01-03T05:00:00Z,180"},
		{name: "Databento", file: "p.csv", text: "ts_event,rtype,open,high,low,close,volume,symbol\n2024-01-02T00:00:00.000000000Z,35,1,1,1,185,1,OAK\n2024-01-03T00:00:00.000000000Z,35,1,1,1,180,1,OAK\n",
			said: "long", want: "OAK\n2024-01-02,185\n2024-01-03,180"},
	})
	testLayout(t, "klines", []variant{
		{name: "Alpha Vantage by pandas", file: "k/OAK.csv", text: "date,1. open,2. high,3. low,4. close,5. volume\n2024-01-04,1,1,1,181,9\n2024-01-03,1,1,1,180,9\n2024-01-02,1,1,1,185,9\n",
			said: "klines", want: "OAK" + one},
		{name: "Polygon's letters", file: "k/OAK.csv", text: "v,vw,o,c,h,l,t,n\n9,1,1,185,1,1,1704171600000,5\n9,1,1,180,1,1,1704258000000,5\n",
			said: "klines", want: "OAK\n2024-01-02T05:00:00Z,185\n2024-01-03T05:00:00Z,180"},
		{name: "CoinMarketCap", file: "k/OAK.csv", text: "timeOpen;timeClose;name;open;high;low;close;volume;marketCap;timestamp\n" +
			"\"2024-01-03T00:00:00.000Z\";\"2024-01-03T23:59:59.999Z\";\"2781\";1;1;1;180;9;9;\"2024-01-03T23:59:59.999Z\"\n\"2024-01-02T00:00:00.000Z\";\"2024-01-02T23:59:59.999Z\";\"2781\";1;1;1;185;9;9;\"2024-01-02T23:59:59.999Z\"\n",
			said: "klines, separated by semicolons", want: "OAK\n2024-01-02,185\n2024-01-03,180"},
		{name: "Boursorama", file: "k/OAK.txt", text: "date\touv\thaut\tbas\tclot\tvol\tdevise\n02/01/2024 00:00\t1\t1\t1\t185\t9\tEUR\n03/01/2024 00:00\t1\t1\t1\t180\t9\tEUR\n14/01/2024 00:00\t1\t1\t1\t181\t9\tEUR\n",
			said: "klines, separated by tabs, days before months", want: strings.ReplaceAll("OAK"+one, "-04", "-14")},
		{name: "akshare", file: "k/600519.csv", text: "日期,开盘,收盘,最高,最低,成交量\n2024-01-02,1,185,1,1,9\n2024-01-03,1,180,1,1,9\n2024-01-04,1,181,1,1,9\n",
			said: "klines", want: "600519" + one},
		{name: "a series of returns", file: "k/OAK.csv", text: "date,return\n2024-01-02,-0.5\n2024-01-03,1\n", options: market.Options{Returns: market.Simple},
			said: "klines, returns of the column return", want: "OAK\n2024-01-01,1\n2024-01-02,0.5\n2024-01-03,1"},
		{name: "candles called returns", file: "k/OAK.csv", text: "date,open,high,low,close\n2024-01-02,1,1,1,1\n", options: market.Options{Returns: market.Log},
			refused: "k/OAK.csv:1: candles, and no column of returns: leave out -returns"},
	})
	testLayout(t, "flattened", []variant{
		{name: "quantmod", file: "k/OAK.csv", text: "\"Index\",\"OAK.Open\",\"OAK.Close\",\"OAK.Volume\",\"OAK.Adjusted\"\n2024-01-02,1,190,9,185\n2024-01-03,1,186,9,180\n2024-01-04,1,187,9,181\n",
			said: "flattened, adjusted closes", want: "OAK" + one},
	})
	testLayout(t, "yfinance", []variant{
		{name: "Refinitiv", file: "p.csv", text: "Instrument,OAK.O,ELM.N\nField,TRDPRC_1,TRDPRC_1\nTimestamp,,\n2024-01-02T00:00:00Z,185,30\n2024-01-03T00:00:00Z,180,31\n2024-01-04T00:00:00Z,181,32\n",
			said: "yfinance, 3 header lines", want: "OAK.O,ELM.N" + days},
	})
	testLayout(t, "french", []variant{
		{name: "three factors", file: "p.csv", text: "Made by CMPT.\n\n,Mkt-RF,RF\n202401,  50.00,  0.40\n202402, -50.00,  0.40\n", said: "french, 3 header lines, returns in percent, the first table",
			want: "Mkt-RF\n2023-12-01,1\n2024-01-01,1.5\n2024-02-01,0.75"},
	})
}

// A table is read out of each way of packing that holds one file.
func TestPackings(t *testing.T) {
	const table = "date,OAK\n2024-01-02,185\n2024-01-03,180\n2024-01-04,181\n"
	archive := func(names ...string) string {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range names {
			f, err := w.Create(name)
			if err == nil {
				_, err = f.Write([]byte(table))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const zstd = "\x28\xb5\x2f\xfd\x20\x36\xb1\x01\x00date,OAK\n2024-01-02,185\n2024-01-03,180\n2024-01-04,181\n"
	for name, c := range map[string]struct{ text, want string }{
		"a.zip":     {archive("a.csv"), "wide, zip"},
		"a.csv.zip": {archive("__MACOSX/a.csv", "a.csv", ".DS_Store", "a.zip.CHECKSUM"), "wide, zip"},
		"a.csv.zst": {zstd, "wide, zstd"},
		"b.zip":     {archive("a.csv", "b.csv"), "b.zip: is a zip of 2 files, and of one alone it would be read: unpack it into a folder"},
		"a.xlsx":    {archive("[Content_Types].xml"), "a.xlsx: is an Excel workbook: save the sheet as CSV"},
		"a.csv.xz":  {"\xfd7zXZ\x00\x00", "a.csv.xz: is a file of the kind xz, which isn't read: save the table as CSV or Parquet"},
		"a.pkl":     {"\x80\x05\x95", "a.pkl: is a pickle of Python, which may do anything where it is read: save the table as CSV or Parquet"},
		"c.csv.zst": {zstd[:20], "c.csv.zst: could not be read: unexpected EOF"},
	} {
		panel, cleaning, err := market.LoadFS(fstest.MapFS{name: {Data: []byte(c.text)}}, name, market.Options{})
		switch {
		case err != nil && err.Error() != c.want:
			t.Errorf("%s: error %v\nwant %s", name, err, c.want)
		case err == nil && (cleaning.Recognised != c.want || len(panel.Times) != 3):
			t.Errorf("%s: %s with %d times, want %s", name, cleaning.Recognised, len(panel.Times), c.want)
		}
	}
	dir := fstest.MapFS{"k/OAKUSDT-1d-2024-01.zip": {Data: []byte(archive("OAKUSDT-1d-2024-01.csv"))}, "k/notes.zip": {Data: []byte("PK")}}
	if panel, cleaning, err := market.LoadFS(dir, "k", market.Options{}); err != nil || len(panel.Times) != 3 || len(cleaning.IgnoredFiles) != 1 {
		t.Errorf("a folder of zips: %v", err)
	}
	none := fstest.MapFS{"k/2024/OAK.csv": {Data: []byte(table)}}
	if _, _, err := market.LoadFS(none, "k", market.Options{}); err == nil ||
		err.Error() != "k: folder has no SYMBOL.csv: it has 2024, and files in folders below it are not read" {
		t.Errorf("a folder of folders: %v", err)
	}
}
