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
	"pgregory.net/rapid"

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

func ExampleParseWish() {
	known := portfolio.Names(portfolio.Schema(portfolio.Weights, []string{"L1"}))
	wish, err := portfolio.ParseWish("volatility=0.4, sector.L1<=0.35", known, nil)
	fmt.Println(wish, err)
	_, err = portfolio.ParseWish("risk=0.4", known[:3], nil)
	fmt.Println(err)
	// Output:
	// volatility=0.4,sector.L1<=0.35 <nil>
	// term "risk=0.4": unknown condition "risk": the known ones are volatility, annual_return, max_drawdown
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
		{"symbol,weight\nA,.5\nB,.5\nTotal,1\n", "w.csv:4: Total is the sum of the lines above, and no symbol: delete the line"},
		{"A,B,C\n50,30,20\n", "sums to 100: weights sum to 1 within 1e-06: in percent?"},
		{"symbol,shares\nA,10\nB,30\n", "w.csv:3: row shares sums to 40: weights sum to 1 within 1e-06: amounts or numbers of shares?"},
		{"A,B\n.5,-.5\n", "w.csv:2: row 1 sums to 0: weights sum to 1 within 1e-06: as much short as long? The rest is cash"},
		{"portfolio,symbol,weight\np,A,1\np,A,1\n", "w.csv:3: symbol A is there twice: keep one of the lines"},
		{"portfolio,symbol,weight\np,A,1\nq,A,.5\n", "w.csv:3: row q sums to 0.5"},
		{"symbol,p,p\nA,1,1\n", "w.csv: portfolio p is repeated"},
		{"symbol,p\nA,\n", "w.csv:2:2: A: the field is empty: write 0 for nothing"},
		{"symbol,weight\nA,1\nSource: me\n", "w.csv:3: has 1 fields, and the first line 2: complete the line, or delete it with what is below it"},
		{"A,B\n0.5,0.5\nSource: me\n", "w.csv:3: has 1 fields, and the header 2: complete the line, or delete it with what is below it"},
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

func TestConditions(t *testing.T) {
	weights := func(text string) *portfolio.Portfolios {
		p, err := portfolio.Read(strings.NewReader(text), "w.csv", portfolio.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	named, numbered := weights("id,A\np,1\nq,1\n"), weights("A\n1\n1\n")
	for _, c := range []struct {
		p    *portfolio.Portfolios
		text string
		want string
	}{
		{named, "id,volatility\nq,0.2\np,0.1\n", ""},
		{numbered, "volatility\n0.1\n0.2\n", ""},
		{named, "volatility\n0.1\n0.2\n", "c.csv:1: weights and conditions are matched by id"},
		{numbered, "id,volatility\np,0.1\nq,0.2\n", "c.csv:1: weights and conditions are matched by id"},
		{named, "id,volatility\np,0.1\nx,0.2\n", "c.csv:3: id x is not among the portfolios"},
		{named, "id,volatility\np,0.1\n", "c.csv: conditions of 1 portfolios for 2 portfolios"},
		{named, "id,volatility\np,0.1\nq,?\n", `c.csv:3:2: row q, volatility: "?" is not a number`},
	} {
		got, err := portfolio.ReadConditions(strings.NewReader(c.text), "c.csv", c.p)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		} else if got.Values.At(0, 0) != 0.1 || got.Values.At(1, 0) != 0.2 {
			t.Errorf("%q: values %v", c.text, got.Values.RawMatrix().Data)
		}
	}
}

// What is written reads back to the bit.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, n := rapid.IntRange(1, 5).Draw(t, "rows"), rapid.IntRange(1, 5).Draw(t, "n")
		name := rapid.StringMatching(`[A-Z][A-Z0-9._é-]{2,8}`)
		p := &portfolio.Portfolios{
			Symbols: rapid.SliceOfNDistinct(name, n, n, rapid.ID).Draw(t, "symbols"),
			Weights: mat.NewDense(rows, n, rapid.SliceOfN(rapid.Float64(), rows*n, rows*n).Draw(t, "weights")),
		}
		if rapid.Bool().Draw(t, "named") {
			p.IDs = rapid.SliceOfNDistinct(name, rows, rows, rapid.ID).Draw(t, "ids")
		}
		p.Conditions = &portfolio.Conditions{Names: p.Symbols, Values: p.Weights}
		var file, conditions strings.Builder
		if err := p.WriteCSV(&file); err != nil {
			t.Fatal(err)
		}
		if err := p.WriteConditionsCSV(&conditions); err != nil {
			t.Fatal(err)
		}
		got, err := portfolio.Read(strings.NewReader(file.String()), "w.csv", portfolio.ReadOptions{AnySum: true})
		if err != nil {
			t.Fatal(err)
		}
		if got.Conditions, err = portfolio.ReadConditions(strings.NewReader(conditions.String()), "c.csv", got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Symbols, p.Symbols) || !slices.Equal(got.IDs, p.IDs) || !mat.Equal(got.Weights, p.Weights) || !mat.Equal(got.Conditions.Values, p.Weights) {
			t.Fatalf("came back as %v", got)
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	one := mat.NewDense(1, 2, []float64{1, 0})
	for _, c := range []struct {
		p    portfolio.Portfolios
		want string
	}{
		{portfolio.Portfolios{}, "no portfolios"},
		{portfolio.Portfolios{Symbols: []string{"A"}, Weights: one}, "2 columns of weights for 1 symbols"},
		{portfolio.Portfolios{Symbols: []string{"A", "A"}, Weights: one}, "symbol A is repeated"},
		{portfolio.Portfolios{Symbols: []string{"A", "B\"C"}, Weights: one}, "holds a quote"},
		{portfolio.Portfolios{Symbols: []string{"ID", "B"}, Weights: one}, "name of the column of ids"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, IDs: []string{"p", "q"}, Weights: one}, "2 ids for 1 portfolios"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, IDs: []string{"p\nq"}, Weights: one}, "does not print"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: mat.NewDense(1, 2, []float64{1, math.NaN()})}, "row 1, B: not a finite number"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: one, Conditions: &portfolio.Conditions{Names: []string{"volatility"}, Values: one}}, "1 x 2 conditions for 1 portfolios and 1 names"},
	} {
		var out strings.Builder
		if err := c.p.WriteCSV(&out); err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("error %v after %q, want %q", err, out.String(), c.want)
		}
	}
	p := portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: mat.NewDense(1, 2, []float64{1, math.Copysign(0, -1)})}
	var out strings.Builder
	if err := p.WriteCSV(&out); err != nil || out.String() != "A,B\n1,0\n" {
		t.Errorf("wrote %q, error %v", out.String(), err)
	}
	if err := p.WriteConditionsCSV(&out); err == nil {
		t.Error("conditions that are none were written")
	}
}

func TestCheck(t *testing.T) {
	p := func(values ...float64) *portfolio.Portfolios {
		return &portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: mat.NewDense(len(values)/2, 2, values)}
	}
	withCondition := p(1, 0)
	withCondition.Conditions = &portfolio.Conditions{Names: []string{"volatility"}, Values: mat.NewDense(1, 1, []float64{math.Inf(1)})}
	for _, c := range []struct {
		p    *portfolio.Portfolios
		want string
	}{
		{p(1, 0, 0.5, 0.4), "row 2 sums to 0.9"},
		{p(1, math.NaN()), "row 1 has the weight NaN of B"},
		{withCondition, "row 1 has the condition volatility of +Inf"},
		{&portfolio.Portfolios{}, "no portfolios"},
	} {
		if err := c.p.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if err := p(1, 0, 0.3, 0.7).Check(); err != nil {
		t.Error(err)
	}
}

func TestReorder(t *testing.T) {
	p := &portfolio.Portfolios{Symbols: []string{"A", "B", "C"}, IDs: []string{"p"}, Weights: mat.NewDense(1, 3, []float64{0.1, 0.2, 0.7})}
	got, err := p.Reorder([]string{"C", "A", "B"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{0.7, 0.1, 0.2}, got.Weights.RawRowView(0)); diff != "" || got.ID(0) != "p" {
		t.Errorf("reordered: %s", diff)
	}
	if p.Weights.At(0, 0) != 0.1 {
		t.Error("the original has changed")
	}
}

func TestParseWish(t *testing.T) {
	known := []string{"volatility", "max_weight", "sector.L1", "regime", "trend"}
	levels := map[string][]string{"regime": {"calm", "wild at times", "wild, rising"}, "trend": {"1", "0"}}
	for _, c := range []struct{ text, want string }{
		{"volatility=0.4", "volatility=0.4"},
		{" volatility >= .2 , volatility<=0.40,sector.L1<=3.5e-1", "volatility>=0.2,volatility<=0.4,sector.L1<=0.35"},
		{"max_weight>=-1", "max_weight>=-1"},
		{"regime = wild at times, volatility=0.4", "regime=1,volatility=0.4"},
		{"regime>=wild rising", "regime>=2"}, // of a corpus of before, whose names hold commas
		{"regime=0,trend=1", "regime=0,trend=1"},
	} {
		wish, err := portfolio.ParseWish(c.text, known, levels)
		if err != nil || wish.String() != c.want {
			t.Errorf("%q is read as %q, error %v", c.text, wish, err)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", "the wish is empty: write terms such as volatility=0.4"},
		{"volatility", `term "volatility" has no =, <= or >=`},
		{"volatility=0.4,", `term "" has no =`},
		{"volatility<0.4", `term "volatility<0.4" has a bare <: write <= instead`},
		{"risk=0.4", `unknown condition "risk": the known ones are volatility, max_weight, sector.L1, regime, trend`},
		{"=0.4", `unknown condition ""`},
		{"volatility==0.4", `"=0.4" is not a number`},
		{"volatility=", "the field is empty"},
		{"regime=", `unknown level ""`},
		{"regime=Wild", `term "regime=Wild": unknown level "Wild": the known ones are calm, wild at times, wild rising, or their numbers from 0`},
		{"regime=40%", `unknown level "40%"`},
		{"regime=wild, rising", `unknown level "wild"`},
		{"volatility=calm", `"calm" is not a number`},
		{"volatility=NaN", "not a finite number"},
		{"volatility=40%", "shares are written as fractions: volatility=0.4"},
		{"volatility=0.4,volatility=0.5", "terms volatility=0.4 and volatility=0.5 exclude or repeat each other"},
		{"volatility<=0.4,volatility>=0.5", "exclude or repeat"},
		{"volatility<=0.4,volatility<=0.5", "exclude or repeat"},
	} {
		if _, err := portfolio.ParseWish(c.text, known, levels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestMiss(t *testing.T) {
	for _, c := range []struct {
		relation    portfolio.Relation
		value, want float64
	}{
		{portfolio.Equal, 0.25, 0.25}, {portfolio.Equal, 0.75, 0.25},
		{portfolio.AtMost, 0.25, 0}, {portfolio.AtMost, 0.75, 0.25},
		{portfolio.AtLeast, 0.25, 0.25}, {portfolio.AtLeast, 0.75, 0},
	} {
		term := portfolio.Term{Name: "x", Relation: c.relation, Value: 0.5}
		if got := term.Miss(c.value); got != c.want {
			t.Errorf("%v misses %v by %v, want %v", c.value, term, got, c.want)
		}
	}
}

func TestSchema(t *testing.T) {
	schema := portfolio.Schema(portfolio.WindowReturns, []string{"L1"})
	if last := schema[len(schema)-1]; last.Name != "sector.L1" || last.Unit != "share" {
		t.Errorf("last condition %+v", last)
	}
	for i, name := range portfolio.Names(schema) {
		if schema[i].Name != name || schema[i].Meaning == "" || schema[i].Unit == "" {
			t.Errorf("condition %d is %+v, called %s", i, schema[i], name)
		}
		want := portfolio.WindowReturns
		if name == "effective_assets" || name == "max_weight" || name == "sector.L1" {
			want = portfolio.Weights
		}
		if schema[i].Basis != want {
			t.Errorf("%s rests on %s, want %s", name, schema[i].Basis, want)
		}
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

func FuzzReadConditions(f *testing.F) {
	p := &portfolio.Portfolios{Symbols: []string{"A"}, IDs: []string{"p", "q"}, Weights: mat.NewDense(2, 1, []float64{1, 1})}
	for _, seed := range []string{"id,volatility\nq,0.2\np,0.1\n", "volatility\n1\n2\n", "id,a,a\n", "id,x\np,1\np,2\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := portfolio.ReadConditions(strings.NewReader(string(data)), "c.csv", p)
		if err != nil {
			var place *portfolio.FileError
			if !errors.As(err, &place) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		with := *p
		with.Conditions = c
		if err := with.Check(); err != nil {
			t.Fatalf("what was read is refused: %v", err)
		}
	})
}

func FuzzParseWish(f *testing.F) {
	for _, seed := range []string{"volatility=0.4", "max_weight<=0.2,max_weight>=0.1", "sector.L1==1", "a<b", "volatility=40%", "regime=wild rising", ","} {
		f.Add(seed)
	}
	known := append(portfolio.Names(portfolio.Schema(portfolio.Weights, []string{"L1"})), "regime")
	levels := map[string][]string{"regime": {"calm", "wild, rising"}}
	f.Fuzz(func(t *testing.T, text string) {
		wish, err := portfolio.ParseWish(text, known, levels)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		again, err := portfolio.ParseWish(wish.String(), known, levels)
		if err != nil || !slices.Equal(again, wish) {
			t.Fatalf("%q came back as %v, error %v", wish, again, err)
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

// A sector's name may have commas.
func TestWishOfASectorWithCommas(t *testing.T) {
	known := []string{"volatility", "sector.Oil, Gas & Consumable Fuels", "sector.L1"}
	wish, err := portfolio.ParseWish("volatility=0.4, sector.Oil, Gas & Consumable Fuels<=0.35, sector.L1=0.1", known, nil)
	if err != nil || len(wish) != 3 || wish[1].Name != known[1] || wish[1].Value != 0.35 || wish[2].Name != known[2] {
		t.Errorf("wish %v, %v", wish, err)
	}
}
