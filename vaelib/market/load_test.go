package market_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"vaefolio/vaelib/market"
)

func Example() {
	files := fstest.MapFS{"prices.csv": {Data: []byte(`date,OAK,ELM
2024-03-01,100,
2024-03-02,110,50
2024-03-03,99,60
2024-03-04,99,45
`)}}
	panel, _, err := market.LoadFS(files, "prices.csv", market.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	window, dropped, err := panel.Window()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(dropped)
	for t, end := range window.Times {
		fmt.Printf("%s %+.2f\n", end.Format(time.DateOnly), window.Returns.RawRowView(t))
	}
	// Output:
	// 3 shared times, 2024-03-02 to 2024-03-04; dropped 1 before (ELM starts)
	// 2024-03-03 [-0.10 +0.20]
	// 2024-03-04 [+0.00 -0.25]
}

const klineHeader = "timestamp,open,high,low,close,volume\n"

// candles writes kline rows of n days from 2024-01-01, with closes of 101,
// 102, ...
func candles(n int) string {
	var b strings.Builder
	b.WriteString(klineHeader)
	for i := range n {
		fmt.Fprintf(&b, "%d,%d,200,50,%d,7\n", dayMillis(i), 100+i, 101+i)
	}
	return b.String()
}

// dayMillis is the i-th day from 2024-01-01.
func dayMillis(i int) int64 {
	return time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC).UnixMilli()
}

// wide returns a file system with one wide file.
func wide(text string) fs.FS { return fstest.MapFS{"p.csv": {Data: []byte(text)}} }

// folder returns a file system with a kline file OAK.csv.
func folder(text string) fs.FS { return fstest.MapFS{"k/OAK.csv": {Data: []byte(text)}} }

// Every defect is refused with its place and a remedy, in one line.
func TestDefects(t *testing.T) {
	const head = "date,OAK,ELM\n2024-01-01,1,2\n2024-01-02,1,2\n"
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		name         string
		text         string // of a wide file, or of a kline file where it starts with "timestamp,open"
		options      market.Options
		line, column int
		want         string
	}{
		{name: "empty", text: "", want: "p.csv: file is empty"},
		{name: "blank", text: "\n \n\r\n", want: "p.csv: file is empty"},
		{name: "header alone", text: "date,OAK\n", want: "p.csv: no prices below the header"},
		{name: "kline header alone", text: klineHeader, want: "k/OAK.csv: no rows below the header"},
		{name: "no time column", text: "OAK,ELM\n1,2\n", line: 1, column: 1, want: `p.csv:1: column 1: first column is "OAK", not date or timestamp`},
		{name: "no symbols", text: "date\n2024-01-01\n", line: 1, want: "p.csv:1: no symbols in the header: add a column for each"},
		{name: "nameless column", text: "date,OAK,\n2024-01-01,1,2\n", line: 1, column: 3, want: "p.csv:1: column 3: symbol is empty: name the column, or delete it"},
		{name: "repeated symbol", text: "date,OAK,ELM,OAK\n", line: 1, column: 4, want: "p.csv:1: column 4: symbol OAK is in column 2 already: keep one of them"},
		{name: "kline file alone", text: "date,Open,High,Low,Close\n", line: 1, want: "p.csv:1: candles of one symbol, not closes of many: give the folder that holds the file, or say -layout klines"},
		{name: "long name", text: "date," + long + "\n", line: 1, column: 2, want: `p.csv:1: column 2: header "` + long[:40] + `"... is longer than 100 bytes`},
		{name: "broken gzip", text: "\x1f\x8b\x08,\x01\n", want: "p.csv: is no sound gzip file: unexpected EOF"},
		{name: "a workbook", text: "PK\x03\x04\x14", want: "p.csv: is no sound zip file or Excel workbook: unpack it, or save the sheet as CSV"},
		{name: "a pointer", text: "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", want: "p.csv: is a pointer of Git LFS, not the file itself: give git lfs pull"},
		{name: "a page", text: "\n <!DOCTYPE HTML>\n<html>", want: "p.csv: is a page of the web, not a table: save the table itself"},
		{name: "binary header", text: "\x1e\xc3\xa4,\x01\n", line: 1, column: 1, want: `p.csv:1: column 1: header "\x1eä" is not plain text`},
		{name: "zero byte", text: head + "2024-01-03,1\x00,2\n", line: 4, want: "p.csv:4: holds a zero byte: not a text file"},
		{name: "endless line", text: head + strings.Repeat("1", 5<<20), line: 4, want: "p.csv:4: line of more than 4 MiB: not a CSV of prices"},
		{name: "open quote", text: head + `2024-01-03,"1,2` + "\n", line: 4, column: 2, want: "p.csv:4: column 2: quote that is not closed before the end of its field"},
		{name: "text after quote", text: head + `2024-01-03,"1"2,2` + "\n", line: 4, column: 2, want: "p.csv:4: column 2: quote that is not closed before the end of its field"},

		{name: "short row", text: head + "2024-01-03,1\n", line: 4, want: "p.csv:4: 2 fields where the header has 3: complete the row, or delete it"},
		{name: "long row", text: head + "2024-01-03,1,2,3\n", line: 4, want: "p.csv:4: 4 fields where the header has 3: complete the row, or delete it"},
		{name: "text", text: head + "2024-01-03,abc,2\n", line: 4, column: 2, want: `p.csv:4: column 2: OAK "abc" is not a number: correct it, or delete the row`},
		{name: "thousands", text: head + "2024-01-03,\"1,00,0\",2\n", line: 4, column: 2, want: `p.csv:4: column 2: OAK "1,00,0" is not a number: correct it, or delete the row`},
		{name: "hexadecimal", text: head + "2024-01-03,0x10,2\n", line: 4, column: 2, want: `p.csv:4: column 2: OAK "0x10" is not a number: correct it, or delete the row`},
		{name: "infinite", text: head + "2024-01-03,1,-Inf\n", line: 4, column: 3, want: `p.csv:4: column 3: ELM "-Inf" is not a finite number: correct it, or delete the row`},
		{name: "beyond float64", text: head + "2024-01-03,1,1e999\n", line: 4, column: 3, want: `p.csv:4: column 3: ELM "1e999" is not a finite number: correct it, or delete the row`},
		{name: "zero", text: head + "2024-01-03,0,2\n", line: 4, column: 2, want: `p.csv:4: column 2: OAK "0" is not above 0: correct it, or delete the row`},
		{name: "below float64", text: head + "2024-01-03,1e-999,2\n", line: 4, column: 2, want: `p.csv:4: column 2: OAK "1e-999" is not above 0: correct it, or delete the row`},
		{name: "negative", text: head + "2024-01-03,-1.5,2\n", line: 4, column: 2, want: `p.csv:4: column 2: OAK "-1.5" is not above 0: correct it, or say by -returns that these are returns; over a price below 0, such as a spread's, there are none: -exclude leaves the asset out`},
		{name: "hole", text: head + "2024-01-03,1,\n2024-01-04,1,3\n", line: 4, column: 3, want: "p.csv:4: column 3: ELM is empty, but has prices before and after (lines 3 and 5): fill the cell, leave the symbol out, or say -fill previous or -fill drop"},
		{name: "hole in an unsorted file", text: "date,OAK,ELM\n2024-01-03,1,1\n2024-01-02,,1\n2024-01-01,3,1\n", line: 3, column: 2, want: "p.csv:3: column 2: OAK is empty, but has prices before and after (lines 4 and 2): fill the cell, leave the symbol out, or say -fill previous or -fill drop"},
		{name: "no price at all", text: "date,OAK,ELM\n2024-01-01,,\n", want: "p.csv: no prices below the header"},

		{name: "no time", text: head + ",1,2\n", line: 4, column: 1, want: "p.csv:4: column 1: time is empty: put one in, or delete the row"},
		{name: "impossible day", text: head + "2024-02-30,1,2\n", line: 4, column: 1, want: `p.csv:4: column 1: time "2024-02-30" is not YYYY-MM-DD, RFC 3339 or Unix milliseconds`},
		{name: "day or month", text: head + "03/01/2024,1,2\n", line: 4, column: 1, want: `p.csv:4: column 1: time "03/01/2024" has its day or its month first: say which by -dates dmy or mdy`},
		{name: "no unit of time", text: head + "17040672000,1,2\n", line: 4, column: 1, want: "p.csv:4: column 1: time 17040672000 is neither a date such as 20240131 or 202401310930 nor Unix seconds, milli-, micro- or nanoseconds"},
		{name: "conflict", text: head + "2024-01-02,1,3\n", line: 4, column: 3, want: "p.csv:4: column 3: time 2024-01-02 is on line 3 already, with another close of ELM: keep one of the rows"},
		{name: "conflict with nothing", text: head + "2024-01-02,1,\n", line: 4, column: 3, want: "p.csv:4: column 3: time 2024-01-02 is on line 3 already, with another close of ELM: keep one of the rows"},
		{name: "unsorted with a repeated time", text: head + "2024-01-01,1,2\n", line: 4, want: "p.csv:4: time 2024-01-01 is on line 2 already, and the file is not in order: sort it, and keep one of the rows"},
		{name: "too large", text: head, options: market.Options{MaxPrices: 3}, want: "p.csv: more than 3 prices: choose fewer symbols or a shorter range"},
		{name: "outside the range", text: head, options: market.Options{From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}, want: "p.csv: no prices in the range: all 2 rows lie outside it"},

		{name: "kline without close", text: "timestamp,open,high,low,volume\n", line: 1, want: "k/OAK.csv:1: no column close: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume"},
		{name: "kline with two closes", text: "timestamp,open,high,low,close,volume,CLOSE\n", line: 1, column: 7, want: "k/OAK.csv:1: column 7: column CLOSE is there twice: keep one of them"},
		{name: "kline of many columns", text: klineHeader[:len(klineHeader)-1] + strings.Repeat(",x", 100) + "\n", line: 1, want: "k/OAK.csv:1: 106 columns: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume"},
		{name: "kline truncated", text: candles(3) + "1704326400000,10", line: 5, want: "k/OAK.csv:5: 2 fields where the header has 6: complete the row, or delete it"},
		{name: "kline close of 0", text: klineHeader + "1704067200000,1,1,1,0,5\n", line: 2, column: 5, want: `k/OAK.csv:2: column 5: close "0" is not above 0: correct it, or delete the row`},
		{name: "kline close empty", text: klineHeader + "1704067200000,1,1,1,,5\n", line: 2, column: 5, want: "k/OAK.csv:2: column 5: close is empty: put in a number, or delete the row"},
		{name: "kline open text", text: klineHeader + "1704067200000,one,1,1,1,5\n", line: 2, column: 2, want: `k/OAK.csv:2: column 2: open "one" is not a number: correct it, or delete the row`},
		{name: "kline high infinite", text: klineHeader + "1704067200000,1,inf,1,1,5\n", line: 2, column: 3, want: `k/OAK.csv:2: column 3: high "inf" is not a finite number: correct it, or delete the row`},
		{name: "kline volume text", text: klineHeader + "1704067200000,1,1,1,1,x\n", line: 2, column: 6, want: `k/OAK.csv:2: column 6: volume "x" is not a number: correct it, or delete the row`},
		{name: "kline conflict", text: candles(3) + fmt.Sprintf("%d,102,200,50,103,8\n", dayMillis(2)), line: 5, want: "k/OAK.csv:5: time 2024-01-03 is on line 4 already, with other numbers: keep one of the rows"},
		{name: "kline too large", text: candles(5), options: market.Options{MaxPrices: 4}, want: "k: more than 4 prices: choose fewer symbols or a shorter range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys, name := wide(c.text), "p.csv"
			if strings.HasPrefix(c.text, "timestamp,open") {
				fsys, name = folder(c.text), "k"
			}
			panel, cleaning, err := market.LoadFS(fsys, name, c.options)
			if panel != nil || cleaning != nil {
				t.Error("an answer beside the error")
			}
			var defect *market.DataError
			if !errors.As(err, &defect) {
				t.Fatalf("error is %v, not a DataError", err)
			}
			if err.Error() != c.want {
				t.Errorf("error is  %s\nit should be %s", err, c.want)
			}
			if defect.Line != c.line || defect.Column != c.column {
				t.Errorf("defect in line %d, column %d, not in %d, %d", defect.Line, defect.Column, c.line, c.column)
			}
		})
	}
}

// The first broken file is the one reported, whichever worker was faster.
func TestFirstBrokenFile(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 50 {
		text := candles(10)
		if i >= 20 {
			text = klineHeader + "oops\n"
		}
		files[fmt.Sprintf("S%02d.csv", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	for range 20 {
		_, _, err := market.LoadFS(files, ".", market.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "S20.csv:2: ") {
			t.Fatalf("error %v", err)
		}
	}
}

func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.csv")
	_, _, err := market.Load(missing, market.Options{})
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != missing+": no such file or folder" {
		t.Errorf("missing file: %v", err)
	}
	if _, _, err := market.Load(dir, market.Options{}); err == nil || err.Error() != dir+": folder has no SYMBOL.csv" {
		t.Errorf("empty folder: %v", err)
	}
	if _, _, err := market.Load("", market.Options{}); err == nil || err.Error() != "path of the prices is empty: name a CSV or a folder" {
		t.Errorf("empty path: %v", err)
	}
	if _, _, err := market.LoadFS(fstest.MapFS{"k/A\nB.csv": {}}, "k", market.Options{}); err == nil || err.Error() != `k: file name "A\nB" is not plain text` {
		t.Errorf("file name of two lines: %v", err)
	}
	for name, text := range map[string]string{
		"OAK.csv": candles(4), "ELM.csv": candles(5), "manifest.json": "{}", ".hidden.csv": "?",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "old.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	panel, cleaning, err := market.Load(dir+"/", market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(panel.Symbols, []string{"ELM", "OAK"}) {
		t.Errorf("symbols %v", panel.Symbols)
	}
	if !slices.Equal(cleaning.IgnoredFiles, []string{"manifest.json", "old.csv"}) {
		t.Errorf("ignored files %v", cleaning.IgnoredFiles)
	}
	if v := panel.Close.At(4, 1); !math.IsNaN(v) {
		t.Errorf("OAK closes at %v after its last row", v)
	}
}

func TestSymbols(t *testing.T) {
	fsys := fstest.MapFS{
		"p.csv":         {Data: []byte("timestamp,BTCUSDT,ETHUSDT,GONE\n2024-01-01,1,2,\n2024-01-02,1,2,\n2024-01-03,1,oops,\n")},
		"k/BTCUSDT.csv": {Data: []byte(candles(3))}, "k/ETHUSDT.csv": {Data: []byte("broken")},
	}
	for _, name := range []string{"p.csv", "k"} {
		// ETHUSDT is not asked for, so its defect does no harm.
		panel, _, err := market.LoadFS(fsys, name, market.Options{Symbols: []string{"BTCUSDT"}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if n := len(panel.Symbols); n != 1 {
			t.Errorf("%s: %d symbols", name, n)
		}
		_, _, err = market.LoadFS(fsys, name, market.Options{Symbols: []string{"BTCUSDT", "btc"}})
		var unknown *market.SymbolError
		if !errors.As(err, &unknown) || err.Error() != "unknown symbol btc: did you mean BTCUSDT?" {
			t.Errorf("%s: unknown symbol: %v", name, err)
		}
		_, _, err = market.LoadFS(fsys, name, market.Options{Symbols: []string{"zzzzzz"}})
		if err == nil || err.Error() != "unknown symbol zzzzzz: the data have none like it" {
			t.Errorf("%s: unknown symbol: %v", name, err)
		}
		_, _, err = market.LoadFS(fsys, name, market.Options{Symbols: []string{"BTCUSDT", "BTCUSDT"}})
		if err == nil || err.Error() != "symbol BTCUSDT is given twice" {
			t.Errorf("%s: repeated symbol: %v", name, err)
		}
		_, _, err = market.LoadFS(fsys, name, market.Options{Symbols: []string{"BTCUSDT"}, From: millis(dayMillis(1)), To: millis(dayMillis(0))})
		if err == nil || err.Error() != "range from 2024-01-02 to 2024-01-01 is empty: swap its ends" {
			t.Errorf("%s: empty range: %v", name, err)
		}
	}
	_, _, err := market.LoadFS(fsys, "p.csv", market.Options{Symbols: []string{"BTCUSDT", "GONE"}})
	if err == nil || err.Error() != "symbol GONE has no price in this range: leave it out or choose another range" {
		t.Errorf("symbol without a price: %v", err)
	}
	// Rows outside the range are not checked, and symbols without a price that
	// nobody asked for are dropped.
	panel, cleaning, err := market.LoadFS(fsys, "p.csv", market.Options{To: millis(dayMillis(1))})
	if err != nil {
		t.Fatal(err)
	}
	if len(panel.Times) != 2 || len(panel.Symbols) != 2 || cleaning.Outside != 1 || !slices.Equal(cleaning.Unpriced, []string{"GONE"}) {
		t.Errorf("%d times of %v, cleaning %v", len(panel.Times), panel.Symbols, cleaning)
	}
	// The order asked for is the order given.
	panel, _, err = market.LoadFS(fsys, "p.csv", market.Options{Symbols: []string{"ETHUSDT", "BTCUSDT"}, To: millis(dayMillis(1))})
	if err != nil {
		t.Fatal(err)
	}
	if panel.Symbols[0] != "ETHUSDT" || panel.Close.At(0, 0) != 2 {
		t.Errorf("symbols %v with %v first", panel.Symbols, panel.Close.At(0, 0))
	}
}

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// What can be put right is put right, and said.
func TestCleaning(t *testing.T) {
	day := dayMillis
	row := func(i, price int) string {
		return fmt.Sprintf("%d,%d,%d,%d,%d,7\n", day(i), price, price, price, price)
	}
	check := func(name string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
	}
	closes := func(p *market.Panel) (out []float64) {
		for i := range p.Times {
			out = append(out, p.Close.At(i, 0))
		}
		return out
	}
	load := func(fsys fs.FS, name string, opt market.Options) (*market.Panel, *market.Cleaning) {
		t.Helper()
		p, c, err := market.LoadFS(fsys, name, opt)
		if err != nil {
			t.Fatal(err)
		}
		return p, c
	}

	// Pages newest first, with the candle at their border on both.
	p, c := load(folder(klineHeader+row(3, 4)+row(2, 3)+row(2, 3)+row(1, 2)+row(0, 1)), "k", market.Options{})
	check("pages: closes", closes(p), []float64{1, 2, 3, 4})
	check("pages: duplicates", c.Duplicates, 1)
	check("pages: sorted", c.Sorted, 4)

	// Written in other words, but the same numbers.
	_, c = load(wide("\ufeffDATE , OAK\r\n\r\n2024-01-01, 1\r\n\"2024-01-02\",\"2\"\r\n2024-01-02T00:00:00Z,2.0\r\n2024-01-03 02:00:00+02:00,3"), "p.csv", market.Options{})
	check("words: duplicates", c.Duplicates, 1)
	check("words: times", c.Times, 3)

	p, c = load(wide("date,OAK,ELM\n2024-01-03,3,\n2024-01-01,,1\n2024-01-02,2,2\n"), "p.csv", market.Options{})
	check("unsorted: closes of OAK", closes(p), []float64{math.NaN(), 2, 3})
	check("unsorted: sorted", c.Sorted, 2)
	check("unsorted: spans", fmt.Sprint(c.Spans[0].Prices, c.Spans[0].Holes, c.Spans[0].First.Day(), c.Spans[1].Last.Day()), "2 0 2 2")

	// Rows before anything is listed say nothing.
	_, c = load(wide("date,OAK\n2024-01-01,\n2024-01-02,2\n2024-01-03,3\n2024-01-04,\n"), "p.csv", market.Options{})
	check("unlisted: times", c.Times, 2)

	// A gap is kept.
	p, c = load(folder(klineHeader+row(0, 1)+row(1, 2)+row(2, 3)+row(3, 3)+row(4, 3)+row(5, 3)+row(6, 3)+row(7, 3)+row(8, 3)+row(9, 3)+row(10, 3)+row(13, 4)), "k", market.Options{})
	check("gap: times", len(p.Times), 12)
	check("gap", c.Gaps, []market.Gap{{Symbol: "OAK", After: millis(day(10)), Before: millis(day(13)), Missing: 2}})

	// A candle is unfinished while its time runs, at either end of it.
	for _, u := range []struct {
		asOf       int64
		unfinished int
	}{{day(2) - 1, 0}, {day(2), 1}, {day(3) - 1, 1}, {day(3), 0}} {
		for name, fsys := range map[string]fs.FS{"k": folder(candles(3)), "p.csv": wide("date,OAK\n2024-01-01,101\n2024-01-02,102\n2024-01-03,103\n")} {
			p, c = load(fsys, name, market.Options{AsOf: millis(u.asOf)})
			check(fmt.Sprint(name, " unfinished as of ", millis(u.asOf)), c.Unfinished, u.unfinished)
			check(fmt.Sprint(name, " closes as of ", millis(u.asOf)), closes(p), []float64{101, 102, 103}[:3-u.unfinished])
		}
	}
	// The months of a wide file may be named by their ends.
	_, c = load(wide("date,OAK\n2024-01-31,1\n2024-02-29,2\n2024-03-31,3\n"), "p.csv", market.Options{AsOf: time.Date(2024, 4, 2, 0, 0, 0, 0, time.UTC)})
	check("months: unfinished", c.Unfinished, 0)

	// Strange candles with a sound close.
	_, c = load(folder("Volume,Close,Low,High,Open,TIMESTAMP,turnover,note\n"+
		"5,2,0,3,0,1704067200000,x,\n5,2,1,1,2,1704153600000,,\n5,2,3,4,2,1704240000000,,\n-5,2,2,2,2,1704326400000,,\n5,2,1,3,2,1704412800000,,\n"), "k", market.Options{})
	check("odd rows", c.Odd, 4)
	check("ignored columns", c.IgnoredColumns, []string{"note", "turnover"})
	var notes []string
	for _, o := range c.Oddities {
		notes = append(notes, fmt.Sprintf("%s:%d %s", o.File, o.Line, o.Note))
	}
	check("oddities", strings.Join(notes, "; "), "k/OAK.csv:2 open 0, high 3, low 0: not above 0, on the first row; "+
		"k/OAK.csv:3 high 1 is below another price of the candle; k/OAK.csv:4 low 3 is above another price of the candle; k/OAK.csv:5 volume -5 is below 0")
}

func TestCleaningSaid(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf("%d,0,9,1,5,7,x,y,z,w\n", dayMillis(i)) }
	text := "timestamp,open,high,low,close,volume,a,b,c,d\n" + row(1) + row(0) + row(1)
	for i := range 30 {
		text += row(2 + i)
	}
	text += row(100)
	fsys := fstest.MapFS{"OAK.csv": {Data: []byte(text)}, "LATE.csv": {Data: []byte(klineHeader + fmt.Sprintf("%d,1,1,1,1,1\n", dayMillis(200)))}, "notes.txt": {}}
	_, c, err := market.LoadFS(fsys, ".", market.Options{To: millis(dayMillis(100))})
	if err != nil {
		t.Fatal(err)
	}
	const want = `.: symbols 1, times 33, rows 35, 2024-01-01 to 2024-04-10
  read as: klines
  rows outside the range, dropped: 1
  rows that repeated another, dropped: 1, the first OAK.csv:4 of 2024-01-02
  rows out of order, sorted: 1
  ignored columns: a, b, c and 1 more
  ignored files: notes.txt
  symbols without a price in the range, dropped: LATE
  last candles: kept as finished by the clock (where files were made on that very day, end the range before it)
  gap of OAK: 68 missing between 2024-02-01 and 2024-04-10: kept
  OAK.csv:3: OAK on 2024-01-01: open 0, high 9, low 1: not above 0, on the first row: kept, its close is sound
  OAK.csv:2: OAK on 2024-01-02: open 0, high 9, low 1: not above 0: kept, its close is sound
  OAK.csv:5: OAK on 2024-01-03: open 0, high 9, low 1: not above 0: kept, its close is sound
  OAK.csv:6: OAK on 2024-01-04: open 0, high 9, low 1: not above 0: kept, its close is sound
  OAK.csv:7: OAK on 2024-01-05: open 0, high 9, low 1: not above 0: kept, its close is sound
  28 more odd rows: kept
  WARNING: OAK: close unchanged on 32 of 33 rows, on all rows: delisted and filled forward, or cash? What cannot be traded has no risk on paper, so that minimum variance prefers it: leave it out by -exclude, or refuse such closes by -max-stale
`
	if got := c.String(); got != want {
		t.Errorf("said:\n%s\nnot:\n%s", got, want)
	}
	_, c, err = market.LoadFS(wide("date,OAK\n2024-01-01,1\n2024-01-02,2\n"), "p.csv", market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text2, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	const wantJSON = `{"source":"p.csv","layout":"wide","rows":2,"times":2,"recognised":"wide","outside":0,"empty":0,"duplicates":0,"sorted":0,"filled":0,"holed":0,"unfinished":0,"ignored_columns":[],"ignored_files":[],"unpriced":[],` +
		`"spans":[{"symbol":"OAK","first":"2024-01-01T00:00:00Z","last":"2024-01-02T00:00:00Z","prices":2,"holes":0}],"gaps":[],"odd":0,"oddities":[],"doubts":[]}`
	if string(text2) != wantJSON {
		t.Errorf("JSON is %s\nnot %s", text2, wantJSON)
	}
}

func TestParseTime(t *testing.T) {
	noon := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	for want, texts := range map[time.Time][]string{
		noon: {
			"2024-02-29T12:00:00Z", "2024-02-29T14:00:00+02:00", "2024-02-29 12:00:00", "2024-02-29T12:00:00", "2024-02-29 14:00:00+02:00",
			"2024-02-29T12:00:00.000Z", "1709208000000", "1709208000", "1709208000.0", "1709208000000000", "1709208000000000000", "1709208000000.0", "1.709208e+12",
			"202402291200", "20240229120000", "20240229120000000", "2024022912", "2024-02-29 12:00", "2024/02/29 12:00", "2024.02.29 12:00", "29.02.2024 12:00",
			"29/02/2024 12:00", "2/29/2024 12:00:00 PM", "02-29-2024 12:00", "45351.5", "29 Feb 2024 12:00", "2024-02-29 12:00:00+0000 UTC", "2024-02-29 07:00-05",
			"2024-02-29 12:00:00 UTC", "2024-02-29T12:00:00.000000000", "20240229T120000Z", "20240229T1400+0200", "20240229 12:00:00", "2024-02-29 120000",
		},
		day: {
			"2024-02-29", "20240229", "2024/02/29", "2024.02.29", "2024-2-29", "29.02.2024", "29/2/2024", "2/29/2024", "45351", "Feb 29, 2024", "29-Feb-2024", "29-Feb-24",
			"29 February 2024", "29FEB2024", "29feb24", "Thu Feb 29 2024", "2024-Feb-29", "2024-02-29 12:00:00 AM",
		},
		noon.Add(-time.Hour - 54*time.Minute - 30*time.Second): {"2024-02-29 10:5:30", "29/2/2024 10:5:30"},

		time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC):   {"2024-02", "202402", "Feb 2024", "February 2024"},
		time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC):   {"2024Q2", "2024-Q2", "2024q2"},
		time.Date(2020, 12, 28, 0, 0, 0, 0, time.UTC): {"2020-W53", "2020W53"},
		time.Date(2024, 1, 29, 0, 0, 0, 0, time.UTC):  {"2024-W05"},
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC):   {"1970", "1970-01-01"},
		time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC):   {"946684800", "946684800000", "946684800000000", "946684800000000000", "20000101000000"},
		time.Date(2024, 9, 3, 0, 0, 0, 0, time.UTC):   {"Sept 3, 2024", "3-Sep-2024"},
	} {
		for _, text := range texts {
			if got, err := market.ParseTime(text); err != nil || !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("%s: %v, %v, not %v", text, got, err, want)
			}
		}
	}
	for _, text := range []string{
		"", "x", "-1", "1", "123", "1234567", "20240230", "2024-13-01", "2024-13", "202413", "01/02/2024", "1-2-2024", "29.02.24", "24/02/29", "2024-02-29 25:00", "2024-02-29 12:61",
		"2024-02-29 12:00:00+99:00", "2024-02-29 12:00 noon", "Feb 30, 2024", "Feb", "29 2024", "2024-02-29Tx", "1e400", "NaN", "99999999999999999999", "9999999999999999999", "2024-02-29-01",
		"20240229250000", "20240230T120000", "20240229T12000", "20240229 256000", "2024Q5", "2024Q", "2024-W54", "2024-Q1-01", "1:2:3", "2024/02-29", "13:00 PM", "2024-02-29 13:00 PM", "16 32",
	} {
		if got, err := market.ParseTime(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
	first, last, err := market.ParseSpan("2024-02-28", "2024-02-29", 0)
	if err != nil || first != day.AddDate(0, 0, -1) || last != time.Date(2024, 2, 29, 23, 59, 59, 999e6, time.UTC) {
		t.Errorf("days from %v to %v: %v", first, last, err)
	}
	if _, last, err = market.ParseSpan("", "2024-02-29T12:00:00Z", 0); err != nil || last != noon {
		t.Errorf("to %v: %v", last, err)
	}
	if first, last, err = market.ParseSpan("", "", 0); err != nil || !first.IsZero() || !last.IsZero() {
		t.Errorf("open range from %v to %v: %v", first, last, err)
	}
	for _, pair := range [][2]string{{"2024-02-29", "2024-02-28"}, {"yesterday", ""}, {"", "2023-02-29"}} {
		if _, _, err := market.ParseSpan(pair[0], pair[1], 0); err == nil {
			t.Errorf("range from %s to %s is fine", pair[0], pair[1])
		}
	}
	if first, last, err = market.ParseSpan("01/02/2024", "01/02/24", market.DayFirst); err != nil ||
		first != time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC) || last != first.Add(24*time.Hour-time.Millisecond) {
		t.Errorf("with the day first from %v to %v: %v", first, last, err)
	}
	for text, end := range map[string]time.Time{ // the day behind the range
		"2024": time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "2024-02": day.AddDate(0, 0, 1), "202402": day.AddDate(0, 0, 1),
		"Feb 2024": day.AddDate(0, 0, 1), "2024-2-29": day.AddDate(0, 0, 1), "29-Feb-2024": day.AddDate(0, 0, 1),
		"Feb 29, 2024": day.AddDate(0, 0, 1), "Thu Feb 29 2024": day.AddDate(0, 0, 1), "45351": day.AddDate(0, 0, 1),
		"29.02.2024": day.AddDate(0, 0, 1), "2024Q1": time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC),
		"2024-Q1": time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC), "2024-W05": time.Date(2024, 2, 5, 0, 0, 0, 0, time.UTC),
	} {
		if _, last, err := market.ParseSpan("", text, 0); err != nil || last != end.Add(-time.Millisecond) {
			t.Errorf("-to %s ends at %v: %v", text, last, err)
		}
	}
	for _, text := range []string{"45351.5", "1709208000", "1709208000000.0", "202402291200", "2024-02-29 12:00"} {
		if _, last, err := market.ParseSpan("", text, 0); err != nil || last != noon {
			t.Errorf("-to %s ends at %v: %v", text, last, err)
		}
	}
}

// Too many symbols are refused by the header, before a row is read: of n there are n
// squared covariances.
func TestTooManySymbols(t *testing.T) {
	header := func(n int) string {
		text := []byte("date")
		for i := range n {
			text = fmt.Appendf(text, ",S%d", i)
		}
		return string(text)
	}
	for name, c := range map[string]struct{ text, want string }{
		"fields":         {header(70_000) + "\nno row\n", "p.csv:1: 70,001 fields, more than the 65,536 that a table of prices may have"},
		"symbols":        {header(10_001) + "\n2024-01-01" + strings.Repeat(",1", 10_001) + "\nno row\n", "p.csv: 10,001 symbols, more than the 10,000 that are read: choose fewer"},
		"of a long file": {"date,symbol,close\n2024-01-01,A,1\n2024-01-01,B,1\n2024-01-01,C,1\n", "p.csv: 3 symbols, more than the 2 that are read"},
	} {
		opt := market.Options{}
		if name == "of a long file" {
			opt.MaxSymbols = 2
		}
		_, _, err := market.LoadFS(fstest.MapFS{"p.csv": {Data: []byte(c.text)}}, "p.csv", opt)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v, not %s", name, err, c.want)
		}
	}
	chosen := header(10_001) + "\n2024-01-01" + strings.Repeat(",1", 10_001) + "\n"
	p, _, err := market.LoadFS(fstest.MapFS{"p.csv": {Data: []byte(chosen)}}, "p.csv", market.Options{Symbols: []string{"S7"}})
	if err != nil || len(p.Symbols) != 1 {
		t.Errorf("one of many symbols: %v", err)
	}
}
