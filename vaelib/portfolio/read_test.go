package portfolio_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
)

func ExampleRead() {
	file := strings.NewReader("id,ETH,BTC\nhalf,0.5,0.5\nmost,0.1,0.9\n")
	p, err := portfolio.Read(file, "weights.csv", portfolio.ReadOptions{Symbols: []string{"BTC", "ETH"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range p.Len() {
		fmt.Println(p.ID(i), p.Symbols, p.Weights.RawRowView(i))
	}
	// Output:
	// half [BTC ETH] [0.5 0.5]
	// most [BTC ETH] [0.9 0.1]
}

func TestReadForms(t *testing.T) {
	want := []float64{0.25, 0.75, 1, 0}
	for name, text := range map[string]string{
		"plain":           "A,B\n0.25,0.75\n1,0\n",
		"no last newline": "A,B\n0.25,0.75\n1,0",
		"crlf":            "A,B\r\n0.25,0.75\r\n1,0\r\n",
		"byte order mark": "\ufeffA,B\n0.25,0.75\n1,0\n",
		"blanks, quotes":  "\n \"A\" , B\n\n 0.25 ,\"0.75\"\n1e0,0\n\n",
		"negative zero":   "A,B\n.25,0.75\n1,-0\n",
		"within 1e-6":     "A,B\n0.25,0.7500000\n1,0\n",
	} {
		p, err := portfolio.Read(strings.NewReader(text), "w.csv", portfolio.ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, p.Weights.RawMatrix().Data); diff != "" || p.IDs != nil || p.ID(1) != "2" {
			t.Errorf("%s: ids %v, weights %s", name, p.IDs, diff)
		}
	}
}

// One portfolio may be in lines of a symbol and its weight, and ids in a column
// without a name; percent and names with commas are read.
func TestReadOtherForms(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		percent bool
		symbols string
		ids     string
		want    []float64
	}{
		"lines":                  {"symbol,weight\nA,0.25\nB,0.75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"lines, no header":       {"A,0.25\nB,0.75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"a series of pandas":     {",0\nA,0.25\nB,0.75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"lines, percent sign":    {"Ticker,Weight\nA,25%\nB,75 %\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"lines, percent":         {"A,25\nB,75\n", true, "[A B]", "[]", []float64{0.25, 0.75}},
		"a frame of pandas":      {",A,B\n0,0.25,0.75\n1,1,0\n", false, "[A B]", "[0 1]", []float64{0.25, 0.75, 1, 0}},
		"percent":                {"A,B\n25,75\n", true, "[A B]", "[]", []float64{0.25, 0.75}},
		"semicolons":             {"A;B\n0,25;0,75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"tabs":                   {"id\tA\tB\nx\t0.25\t0.75\n", false, "[A B]", "[x]", []float64{0.25, 0.75}},
		"lines, semicolons":      {"Symbol;Gewicht\nA;25,0%\nB;0,75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"separators at the end":  {"A,B,\n0.25,0.75,\n1,0\n", false, "[A B]", "[]", []float64{0.25, 0.75, 1, 0}},
		"a remark":               {"# mine\nA,B\n0.25,0.75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"ids by another name":    {"Portfolio,A,B\nmine,0.25,0.75\nhers,1,0\n", false, "[A B]", "[mine hers]", []float64{0.25, 0.75, 1, 0}},
		"dates":                  {"date,A,B\n2024-01-31,0.25,0.75\n", false, "[A B]", "[2024-01-31]", []float64{0.25, 0.75}},
		"a symbol called date":   {"date,B\n0.25,0.75\n", false, "[date B]", "[]", []float64{0.25, 0.75}},
		"a fund's holdings":      {"Ticker,Name,Sector,Weight (%)\nA,\"ACO, INC\",IT,25\nB,BCO,Oil,75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"in percent twice":       {"Ticker,Weight (%)\nA,25\nB,75\n", true, "[A B]", "[]", []float64{0.25, 0.75}},
		"signs in percent":       {"A,B\n25%,75\n", true, "[A B]", "[]", []float64{0.25, 0.75}},
		"lines with signs":       {"symbol,weight\nA,25%\nB,75 %\n", true, "[A B]", "[]", []float64{0.25, 0.75}},
		"on its side in percent": {"symbol,p,q\nA,25,100\nB,75,0\n", true, "[A B]", "[p q]", []float64{0.25, 0.75, 1, 0}},
		"lines of portfolios":    {"portfolio,symbol,weight\np,A,0.25\np,B,0.75\nq,C,1\n", false, "[A B C]", "[p q]", []float64{0.25, 0.75, 0, 0, 0, 1}},
		"on its side":            {"symbol,p,q\nA,0.25,1\nB,0.75,0\n", false, "[A B]", "[p q]", []float64{0.25, 0.75, 1, 0}},
		"tickers that are words": {"COIN,W\n0.25,0.75\n", false, "[COIN W]", "[]", []float64{0.25, 0.75}},
		"brackets below 0":       {"A,B\n1.25,(0.25)\n", false, "[A B]", "[]", []float64{1.25, -0.25}},
		"tabs, a frame":          {"\tA\tB\n0\t0.25\t0.75\n", false, "[A B]", "[0]", []float64{0.25, 0.75}},
		"rows of separators":     {"A,B\n0.25,0.75\n,\n,,,\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"quotes in a name":       {"Ticker,Name,Weight\nA,\"\"\"A\"\", Co\",0.25\nB,\"B\" Co,0.75\n", false, "[A B]", "[]", []float64{0.25, 0.75}},
		"a comma in a name":      {"id,\"Procter, Co.\",id\nx,0.25,0.75\n", false, "[Procter, Co. id]", "[x]", []float64{0.25, 0.75}},
	} {
		p, err := portfolio.Read(strings.NewReader(c.text), "w.csv", portfolio.ReadOptions{Percent: c.percent})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, p.Weights.RawMatrix().Data); diff != "" || fmt.Sprint(p.Symbols) != c.symbols || fmt.Sprint(p.IDs) != c.ids {
			t.Errorf("%s: symbols %v, ids %v, weights %s", name, p.Symbols, p.IDs, diff)
		}
		var text strings.Builder
		if err := p.WriteCSV(&text); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := portfolio.Read(strings.NewReader(text.String()), "w.csv", portfolio.ReadOptions{})
		if err != nil || !cmp.Equal(again.Symbols, p.Symbols) || !cmp.Equal(again.IDs, p.IDs) {
			t.Errorf("%s: written as %q: %v", name, text.String(), err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "w.csv: the file is empty: it starts with a header of symbols"},
		{"\n\n", "w.csv: the file is empty"},
		{"A,B\n", "w.csv: no rows below the header"},
		{"id\n1\n", "w.csv:1: the header names no symbol after id"},
		{"A,0.5\nA,0.5\n", "w.csv:2: symbol A is there twice"},
		{"symbol,weight\nA,0.5\nB,x\n", `w.csv:3:2: B: "x" is not a number`},
		{"A,0.5\nB,0.4999\n", "w.csv:2: row 1 sums to 0.9999: weights sum to 1 within 1e-06: rounded? The verb project makes rows sum to 1"},
		{"A,B\n40,60\n", "w.csv:2: row 1 sums to 100: weights sum to 1 within 1e-06: in percent? Say -percent"},
		{"A;B\n0;1;0\n", "w.csv:2: has 3 fields, and the header 2"},
		{"A,B,C,sum\n.5,.3,.2,1\n", "w.csv:2: row 1 sums to 2: weights sum to 1 within 1e-06: sum is the sum of the others: if it is no symbol, leave it out"},
		{"A,B,C\n50,30,20\n", "sums to 100: weights sum to 1 within 1e-06: in percent?"},
		{"symbol,shares\nA,10\nB,30\n", "w.csv:3: row shares sums to 40: weights sum to 1 within 1e-06: amounts or numbers of shares?"},
		{"A,B\n.5,-.5\n", "w.csv:2: row 1 sums to 0: weights sum to 1 within 1e-06: as much short as long? The rest is cash"},
		{"portfolio,symbol,weight\np,A,1\np,A,1\n", "w.csv:3: symbol A is there twice: keep one of the lines"},
		{"portfolio,symbol,weight\np,A,1\nq,A,.5\n", "w.csv:3: row q sums to 0.5"},
		{"symbol,p,p\nA,1,1\n", "w.csv: portfolio p is repeated"},
		{"symbol,p\nA,\n", "w.csv:2:2: A: the field is empty: write 0 for nothing"},
		{"symbol,weight\nA,1\nB\n", "w.csv:3: has 1 fields, and the first line 2: complete the line, or delete it with what is below it"},
		{"A,B\n0.5,0.5\nOak\n", "w.csv:3: has 1 fields, and the header 2: complete the line, or delete it with what is below it"},
		{"symbol,weight\nA,.5\nBRK B,\n", "w.csv:3:2: BRK B: the field is empty"},
		{"symbol,weight\nA,.5\nSource: me\nB,.5\n", `w.csv:4: stands below line 3, "Source: me", which is no row: delete what is none`},
		{"A,B\n0.5,0.5\n* as of today\n0.4,0.6\n", "w.csv:4: stands below line 3"},
		{"symbol,weight\nA,.5\nB,.6\nTotal,1.1\n", "sums to 1.1"},
		{"A,B\n\"1,234\",0.5\n", `w.csv:2:1: row 1, A: "1,234" is not a number`},
		{"[{\"A\":1}]\n", "w.csv:1:1"},
		{"symbol,name,weight\nA,1\n", "w.csv:2: has 2 fields, and the first line 3: complete the line"},
		{"0.5,0.5\n0.5,0.5\n", "w.csv:1:1: the first line has numbers alone: put a line of symbols above it"},
		{"A,,B\n1,0,0\n", "w.csv:1:2: symbol is empty"},
		{"A,B,A\n1,0,0\n", "w.csv:1:3: symbol A is repeated from column 1"},
		{"id,A,B,A\nx,1,0,0\n", "w.csv:1:4: symbol A is repeated from column 2"},
		{"A,id\n1,x\n", "w.csv:1:2: column id is not the first"},
		{"A,B\x07\n1,0\n", "w.csv:1:2: symbol \"B\\a\" holds"},
		{"A,B\xff\n1,0\n", "w.csv:1:2: symbol"},
		{"A,\"B\n1,0\n", "w.csv:1:2: symbol"},
		{"A," + strings.Repeat("B", 300) + "\n1,0\n", "longer than 200 bytes"},
		{"A,B\n1\n", "w.csv:2: has 1 fields, and the header 2"},
		{"A,B\n1,0\n1,0,0\n", "w.csv:3: has 3 fields, and the header 2"},
		{"A,B\n1,\n", "w.csv:2:2: row 1, B: the field is empty: write 0"},
		{"id,A,B\np,1,x\n", `w.csv:2:3: row p, B: "x" is not a number`},
		{"A,B\n1,NaN\n", `"NaN" is not a finite number`},
		{"A,B\n-inf,1\n", `w.csv:2:1: row 1, A: "-inf" is not a finite number`},
		{"A,B\n1e999,1\n", "not a finite number"},
		{"A,B\n0x1p-2,0.75\n", "not a number"},
		{"A,B\n1_0,0.75\n", "not a number"},
		{"A,B\n0.5,0.4\n", "w.csv:2: row 1 sums to 0.9: weights sum to 1 within 1e-06"},
		{"id,A,B\np,1,0\nq,0.500002,0.5\n", "w.csv:3: row q sums to 1.000002"},
		{"A,B\n1e308,1e308\n", "row 1 sums to +Inf"},
		{"id,A,B\np,1,0\np,0,1\n", "w.csv:3:1: id p is repeated from line 2"},
		{"id,A,B\n,1,0\n", "w.csv:2:1: id is empty"},
		{"A,B\n1,0\x00\n", "w.csv:2: holds a zero byte"},
		{"\xff\xfeA\x00,\x00B\x00", "w.csv:1: holds a zero byte"},
		{"A,B\n" + strings.Repeat("1", 5<<20), "w.csv:2: a line of more than 4 MiB"},
	} {
		_, err := portfolio.Read(strings.NewReader(c.text), "w.csv", portfolio.ReadOptions{})
		var place *portfolio.FileError
		if !errors.As(err, &place) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("error %q is no line of text", err)
		}
	}
}

func TestReadSymbols(t *testing.T) {
	const text = "id,A,B\np,1,0\n"
	for _, c := range []struct {
		symbols []string
		want    string
		missing bool
	}{
		{[]string{"A"}, "w.csv:1:3: unknown symbol B", false},
		{[]string{"A", "B", "C"}, "w.csv:1: no column for symbol C", true},
	} {
		_, err := portfolio.Read(strings.NewReader(text), "w.csv", portfolio.ReadOptions{Symbols: c.symbols})
		var symbol *portfolio.SymbolError
		if !errors.As(err, &symbol) || symbol.Missing != c.missing || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if _, err := portfolio.Read(strings.NewReader(text), "w.csv", portfolio.ReadOptions{Symbols: []string{"A", "B", "A"}}); err == nil {
		t.Error("a symbol asked for twice is no error")
	}
}

func TestReadAnySum(t *testing.T) {
	p, err := portfolio.Read(strings.NewReader("A,B\n3,-4\n"), "w.csv", portfolio.ReadOptions{AnySum: true})
	if err != nil {
		t.Fatal(err)
	}
	if p.Weights.At(0, 1) != -4 {
		t.Errorf("weights %v", p.Weights.RawRowView(0))
	}
}

func TestReadCSVPlaces(t *testing.T) {
	dir := t.TempDir()
	_, err := portfolio.ReadCSV(filepath.Join(dir, "none.csv"), portfolio.ReadOptions{})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.csv: no such file") {
		t.Errorf("error %v", err)
	}
	if _, err := portfolio.ReadCSV(dir, portfolio.ReadOptions{}); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v", err)
	}
	path := filepath.Join(dir, "w.csv")
	if err := os.WriteFile(path, []byte("A,B\n1,0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := portfolio.ReadCSV(path, portfolio.ReadOptions{})
	if err != nil || p.Len() != 1 {
		t.Errorf("%v rows, error %v", p.Len(), err)
	}
	if err := os.WriteFile(path, []byte("volatility\n0.5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := portfolio.ReadConditionsCSV(path, p)
	if err != nil || c.Values.At(0, 0) != 0.5 {
		t.Errorf("conditions %v, error %v", c, err)
	}
}

// Whatever is read without an error can be written, and reads back the same.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"id,A,B\np,1,0\n", "A,B\r\n0.5,0.5", "A\n1\n", "\ufeffid,A\n\"x\",1", "A,,\n,,", "id\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := portfolio.Read(strings.NewReader(string(data)), "w.csv", portfolio.ReadOptions{})
		if err != nil {
			var place *portfolio.FileError
			if !errors.As(err, &place) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		if err := p.Check(); err != nil {
			t.Fatalf("what was read is refused: %v", err)
		}
		var out strings.Builder
		if err := p.WriteCSV(&out); err != nil {
			t.Fatal(err)
		}
		again, err := portfolio.Read(strings.NewReader(out.String()), "w.csv", portfolio.ReadOptions{Symbols: p.Symbols})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(again.IDs, p.IDs) || !mat.Equal(again.Weights, p.Weights) {
			t.Fatalf("%q came back different", out.String())
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const rows, n = 2000, 40
	p := &portfolio.Portfolios{Weights: mat.NewDense(rows, n, nil)}
	for j := range n {
		p.Symbols = append(p.Symbols, fmt.Sprintf("S%d", j))
		for i := range rows {
			p.Weights.Set(i, j, 1/float64(n)+1e-9*math.Sin(float64(i*j)))
		}
	}
	var file strings.Builder
	if err := p.WriteCSV(&file); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := portfolio.Read(strings.NewReader(file.String()), "w.csv", portfolio.ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
