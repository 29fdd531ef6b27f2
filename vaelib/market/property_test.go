package market_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"vaefolio/vaelib/market"
)

// drawPanel draws a ragged panel without holes: some symbols, each with a span
// of days and closes. Where they are to share days, it is half of them at
// least.
func drawPanel(t *rapid.T, shared bool) *market.Panel {
	days := rapid.IntRange(1, 12).Draw(t, "days")
	latest, earliest := days-1, 0
	if shared {
		days += 6
		latest, earliest = days/4, days*3/4
	}
	columns := map[string][]float64{}
	for range rapid.IntRange(1, 5).Draw(t, "symbols") {
		symbol := rapid.StringMatching(`X[A-Z0-9]{0,8}`).Draw(t, "symbol") // no name with a meaning begins so
		first := rapid.IntRange(0, latest).Draw(t, "first")
		last := rapid.IntRange(max(first, earliest), days-1).Draw(t, "last")
		column := slices.Repeat([]float64{nan}, days)
		for i := first; i <= last; i++ {
			column[i] = rapid.Float64Range(1e-12, 1e12).Draw(t, "close")
		}
		columns[symbol] = column
	}
	return panel(columns)
}

// rows writes a panel as the lines of a wide CSV.
func rows(p *market.Panel) (header string, lines []string) {
	for i, end := range p.Times {
		line := end.Format(time.DateOnly)
		for _, v := range p.Close.RawRowView(i) {
			line += ","
			if !math.IsNaN(v) {
				line += strconv.FormatFloat(v, 'g', -1, 64)
			}
		}
		lines = append(lines, line)
	}
	return "date," + strings.Join(p.Symbols, ","), lines
}

// klineFiles writes a panel as a folder.
func klineFiles(p *market.Panel) fstest.MapFS {
	files := fstest.MapFS{}
	for j, s := range p.Symbols {
		var b bytes.Buffer
		b.WriteString(klineHeader)
		for i, end := range p.Times {
			if v := p.Close.At(i, j); !math.IsNaN(v) {
				fmt.Fprintf(&b, "%d,%[2]v,%[2]v,%[2]v,%[2]v,1\n", end.UnixMilli(), v)
			}
		}
		files[s+".csv"] = &fstest.MapFile{Data: b.Bytes()}
	}
	return files
}

// listed cuts off the days before the first listing and after the last
// delisting.
func listed(p *market.Panel) (from, to int) {
	from, to = len(p.Times), 0
	for i := range p.Times {
		if slices.ContainsFunc(p.Close.RawRowView(i), func(v float64) bool { return !math.IsNaN(v) }) {
			from, to = min(from, i), i+1
		}
	}
	return from, to
}

// same fails unless got holds the listed days of want; days on which nothing
// is listed are not in it.
func same(t *rapid.T, name string, got, want *market.Panel) {
	if !slices.Equal(got.Symbols, want.Symbols) {
		t.Fatalf("%s: symbols %v, not %v", name, got.Symbols, want.Symbols)
	}
	k := 0
	for i, end := range want.Times {
		row := want.Close.RawRowView(i)
		if !slices.ContainsFunc(row, func(v float64) bool { return !math.IsNaN(v) }) {
			continue
		}
		if k == len(got.Times) || !got.Times[k].Equal(end) {
			t.Fatalf("%s: row %d is not of %v", name, k, end)
		}
		for j, v := range row {
			if g := got.Close.At(k, j); math.Float64bits(g) != math.Float64bits(v) && !(math.IsNaN(g) && math.IsNaN(v)) {
				t.Fatalf("%s: close of %s on %v is %v, not %v", name, want.Symbols[j], end, g, v)
			}
		}
		k++
	}
	if k != len(got.Times) {
		t.Fatalf("%s: %d rows, not %d", name, len(got.Times), k)
	}
}

// priced are the lines with a price: the others are dropped before anything
// else.
func priced(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		_, closes, _ := strings.Cut(line, ",")
		return strings.Trim(closes, ",") == ""
	})
}

// Whatever the layout, the order of the rows, the line ends, and how often a
// row is repeated: the panel is the same.
func TestSamePanel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPanel(t, false)
		header, lines := rows(p)
		loadText := func(name, text string) *market.Cleaning {
			got, c, err := market.LoadFS(wide(text), "p.csv", market.Options{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			same(t, name, got, p)
			return c
		}
		loadText("wide", header+"\n"+strings.Join(lines, "\n")+"\n")
		loadText("CRLF", header+"\r\n"+strings.Join(lines, "\r\n"))

		shuffled := rapid.Permutation(lines).Draw(t, "order")
		if c := loadText("shuffled", header+"\n"+strings.Join(shuffled, "\n")); (c.Sorted == 0) != slices.Equal(priced(shuffled), priced(lines)) {
			t.Fatalf("%d rows sorted", c.Sorted)
		}
		var repeated []string
		for _, line := range lines {
			repeated = append(repeated, slices.Repeat([]string{line}, rapid.IntRange(1, 3).Draw(t, "times"))...)
		}
		if c := loadText("repeated", header+"\n"+strings.Join(repeated, "\n")); c.Duplicates != len(priced(repeated))-len(priced(lines)) {
			t.Fatalf("%d duplicates, not %d", c.Duplicates, len(priced(repeated))-len(priced(lines)))
		}
		got, _, err := market.LoadFS(klineFiles(p), ".", market.Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "klines", got, p)
	})
}

// Every return leads from one shared close to the next; a part of a window is
// the window of a part of the file.
func TestWindowProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPanel(t, true)
		w, dropped, err := p.Window()
		if err != nil {
			if strings.HasSuffix(err.Error(), "too far apart for a return") {
				t.Skip(err)
			}
			t.Fatal(err)
		}
		from, to := listed(p)
		if dropped.Kept+dropped.Before+dropped.After+dropped.Inside != len(p.Times) || dropped.Kept != len(w.Times)+1 || dropped.Kept > to-from {
			t.Fatalf("%+v of %d times", dropped, len(p.Times))
		}
		place := map[time.Time]int{}
		for i, end := range p.Times {
			place[end] = i
		}
		before := dropped.Before
		for i, end := range w.Times {
			after := place[end]
			for j := range w.Symbols {
				if got, want := w.Returns.At(i, j), p.Close.At(after, j)/p.Close.At(before, j)-1; got != want {
					t.Fatalf("return of %s to %v is %v, not %v", w.Symbols[j], end, got, want)
				}
			}
			before = after
		}
		if n := len(w.Times); n > 3 {
			i := rapid.IntRange(0, n-2).Draw(t, "from")
			j := rapid.IntRange(i+2, n).Draw(t, "to")
			header, lines := rows(p)
			start := dropped.Before + i
			q, _, err := market.LoadFS(wide(header+"\n"+strings.Join(lines[start:start+j-i+1], "\n")), "p.csv", market.Options{})
			if err != nil {
				t.Fatal(err)
			}
			v, _, err := q.Window(w.Symbols...)
			if err != nil {
				t.Fatal(err)
			}
			if w.Slice(i, j).Hash() != v.Hash() {
				t.Fatalf("periods %d to %d of a window are not those of the file", i, j)
			}
		}
	})
}
