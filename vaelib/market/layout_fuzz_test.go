package market_test

import (
	"bytes"
	"os"
	"regexp"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/market"
)

// FuzzLayouts gives any text to the reader of each layout, alone and in a
// folder: it is refused with its place, or read as a sound panel.
func FuzzLayouts(f *testing.F) {
	page, err := os.ReadFile("../../docs/files.md")
	if err != nil {
		f.Fatal(err)
	}
	for i, m := range regexp.MustCompile("(?ms)^```(?:csv|json) \\S+\n(.*?)^```").FindAllSubmatch(page, -1) {
		f.Add(m[1], byte(i), i%2 == 0)
	}
	layouts := market.Layouts()
	f.Fuzz(func(t *testing.T, text []byte, which byte, inFolder bool) {
		opt := market.Options{AsOf: asOf, MaxPrices: 1 << 16}
		if i := int(which) % (len(layouts) + 1); i < len(layouts) {
			opt.Layout = layouts[i]
		}
		if which >= 128 {
			opt.Fill = market.FillPrevious
		}
		ending := ".csv"
		if opt.Layout == "freqtrade" {
			ending = ".json"
		}
		files, name := fstest.MapFS{"k/OAK" + ending: {Data: text}}, "k/OAK"+ending
		if inFolder {
			name = "k"
		}
		p, c, err := market.LoadFS(files, name, opt)
		checkLoad(t, p, c, err)
	})
}

// FuzzParquet gives broken Parquet files to their reader.
func FuzzParquet(f *testing.F) {
	type row struct {
		Date  int32   `parquet:"date,date"`
		Name  string  `parquet:"symbol,dict"`
		Close float64 `parquet:"close"`
	}
	f.Add(parquetOf(f, []row{{19724, "A", 1}, {19725, "A", 2}, {19726, "B", 3}}))
	f.Fuzz(func(t *testing.T, content []byte) {
		if !bytes.HasPrefix(content, []byte("PAR1")) {
			t.Skip("no Parquet file")
		}
		p, c, err := market.LoadFS(fstest.MapFS{"p.parquet": {Data: content}}, "p.parquet", market.Options{AsOf: asOf, MaxPrices: 1 << 16})
		checkLoad(t, p, c, err)
	})
}

// FuzzArrow gives broken Arrow files and streams to their reader.
func FuzzArrow(f *testing.F) {
	f.Add(arrowOf(f, false, "UTC"))
	f.Add(arrowOf(f, true, "UTC"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, c, err := market.LoadFS(fstest.MapFS{"p.arrow": {Data: content}}, "p.arrow", market.Options{AsOf: asOf, MaxPrices: 1 << 16})
		checkLoad(t, p, c, err)
	})
}
