package market_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf16"

	"vaefolio/vaelib/market"
)

// variant is a way in which a tool writes a layout, and what is to be read of
// it, or with which message it is refused.
type variant struct {
	name    string
	file    string            // p.csv, or k/OAK.csv of a folder
	text    string            // of the file
	more    map[string]string // further files of the folder
	options market.Options
	said    string // what it is read as
	want    string // the symbols, and then a line a time with its closes, separated by commas
	refused string
}

// testLayout reads each variant, by what its first lines say.
func testLayout(t *testing.T, layout string, variants []variant) {
	t.Helper()
	if !slices.Contains(market.Layouts(), layout) {
		t.Fatalf("no layout %s", layout)
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			files := fstest.MapFS{v.file: {Data: []byte(v.text)}}
			for name, text := range v.more {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			name := v.file
			if dir, _, ok := strings.Cut(v.file, "/"); ok {
				name = dir
			}
			p, c, err := market.LoadFS(files, name, v.options)
			checkLoad(t, p, c, err)
			switch {
			case v.refused != "" && (err == nil || err.Error() != v.refused):
				t.Fatalf("error %v\nwant  %s", err, v.refused)
			case v.refused != "":
				return
			case err != nil:
				t.Fatal(err)
			}
			if c.Layout != layout || c.Recognised != v.said {
				t.Errorf("layout %s, read as: %s\nwant   %s, read as: %s", c.Layout, c.Recognised, layout, v.said)
			}
			if got, want := closesOf(p), strings.TrimSpace(v.want); got != want {
				t.Errorf("read\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// closesOf writes a panel as the tables of variants do: dates without a time of
// day, closes with ten digits.
func closesOf(p *market.Panel) string {
	lines := []string{strings.Join(p.Symbols, ",")}
	for i, at := range p.Times {
		form := time.RFC3339Nano
		if at.Equal(at.Truncate(24 * time.Hour)) {
			form = time.DateOnly
		}
		line := at.UTC().Format(form)
		for j := range p.Symbols {
			line += "," + strconv.FormatFloat(p.Close.At(i, j), 'g', 10, 64)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// gzipped, inLatin1 and inUTF16 pack a text as tools do; the last has a mark of
// its order of bytes.
func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func inLatin1(text string) string {
	var b []byte
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}

func inUTF16(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// optionsOf says the layout of a file that lies alone.
func optionsOf(layout string) market.Options { return market.Options{Layout: layout} }
