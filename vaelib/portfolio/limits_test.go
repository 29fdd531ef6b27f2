package portfolio_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/vaelib/portfolio"
)

func limitsFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "limits.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Files of limits have the headers that people give them.
func TestReadLimits(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct{ text, want string }{
		"plain":       {"symbol,lower,upper\nA,0.02,0.05\nB,0,1\n", fmt.Sprint([]string{"A", "B"}, []float64{0.02, 0}, []float64{0.05, 1})},
		"one end":     {"upper,ticker\n0.1,A\n", fmt.Sprint([]string{"A"}, []float64{-inf}, []float64{0.1})},
		"empty":       {"Mandate of May, all assets\n# as signed\nAsset,Min,Max\nA,,0.1\nB,0.2,\nC,,\n", fmt.Sprint([]string{"A", "B", "C"}, []float64{-inf, 0.2, -inf}, []float64{0.1, inf, inf})},
		"spreadsheet": {"\ufeffTicker;Min Weight;Max Weight (%)\r\nA;0,02;5\r\nB;;\"12,5\"\r\n;;\r\n", fmt.Sprint([]string{"A", "B"}, []float64{0.02, -inf}, []float64{0.05, 0.125})},
		"percent":     {"symbol,floor,cap\nA,2%,5%\n", fmt.Sprint([]string{"A"}, []float64{0.02}, []float64{0.05})},
		"others":      {"name,sector,max_weight_pct,note\nA,x,5,y\n", fmt.Sprint([]string{"A"}, []float64{-inf}, []float64{0.05})},
	} {
		l, err := portfolio.ReadLimits(limitsFile(t, c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := fmt.Sprint(l.Symbols, l.Lower, l.Upper); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if name == "others" && fmt.Sprint(l.Others) != "[sector note]" {
			t.Errorf("passed over: %v", l.Others)
		}
	}
}

func TestReadBadLimits(t *testing.T) {
	for text, want := range map[string]string{
		"":                               ": the file is empty",
		"symbol,upper\n":                 ": no rows below the header",
		"a,b\nA,1\n":                     `:1: header "a,b" is not symbol,lower,upper`,
		"symbol,sector\nA,x\n":           `:1: header "symbol,sector" is not symbol,lower,upper`,
		"symbol,lower,min\nA,0,0\n":      ":1: columns lower and min mean the same",
		"symbol,upper\nA,0.1\nA,0.2\n":   ":3:1: symbol A is there twice, first in line 2",
		"symbol,upper\nA,x\n":            `:2:2: A, upper: "x" is not a number`,
		"symbol,upper\nA,NaN\n":          `:2:2: A, upper: "NaN" is not a finite number`,
		"symbol,upper\nA,1e999\n":        `is not a finite number`,
		"symbol,lower,upper\nA,.3,.2\n":  ":2: A is to be at least 0.3 and at most 0.2",
		"symbol,lower,upper\nA,.3\n":     ":2: has 2 fields, and the header 3",
		"symbol,upper\n,0.1\n":           ":2:1: symbol is empty",
		"symbol,upper\nA\x01,0.1\n":      "does not print",
		"symbol,upper,\x1bx\nA,.1,7\n":   ":1: column \"\\x1bx\" holds a quote, or a character that does not print",
		"symbol,lower,upper\nA,1,.1,7\n": ":2: has 4 fields, and the header 3",
	} {
		_, err := portfolio.ReadLimits(limitsFile(t, text))
		if wrong := new(portfolio.FileError); !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	l, err := portfolio.ReadLimits(limitsFile(t, "symbol,upper\nA,0.1\nB,0.1\n"))
	if err != nil {
		t.Fatal(err)
	}
	other := errors.New("other")
	if got := l.Refuse("B", other).Error(); !strings.HasSuffix(got, "limits.csv:3: other") || l.Refuse("C", other) != other {
		t.Errorf("an error about B is %q", got)
	}
}

// What is read is finite or no limit, in order, and of symbols that differ.
func FuzzReadLimits(f *testing.F) {
	for _, text := range []string{"symbol,lower,upper\nA,0.1,0.2\n", "Ticker;Max (%)\nA;5,5\n", "a\n\"", "symbol,max\nA,5%\n#,\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := portfolio.ReadLimits(limitsFile(t, text))
		if err != nil {
			if wrong := new(portfolio.FileError); !errors.As(err, &wrong) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		seen := map[string]bool{}
		for i, symbol := range l.Symbols {
			if !(l.Lower[i] <= l.Upper[i]) || math.IsInf(l.Lower[i], 1) || math.IsInf(l.Upper[i], -1) || seen[symbol] {
				t.Fatalf("%q: %+v", text, l)
			}
			seen[symbol] = true
		}
	})
}
