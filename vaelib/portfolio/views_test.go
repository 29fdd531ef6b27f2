package portfolio

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

var viewed = []string{"AAA", "BBB", "CCC", "EURUSD=X", "BTC-USD"}

func TestReadViews(t *testing.T) {
	for _, c := range []struct {
		text string
		want []View
	}{
		{"long,short,return,confidence\nAAA,BBB,0.05,0.25\nCCC,,-3%,\n", []View{
			{"AAA over BBB", []float64{1, -1, 0, 0, 0}, 0.05, 0.25, 2},
			{"CCC", []float64{0, 0, 1, 0, 0}, -0.03, 0.5, 3},
		}},
		{"Return %;Asset;Confidence %\n5;BTC-USD;80\n", []View{{"BTC-USD", []float64{0, 0, 0, 0, 1}, 0.05, 0.8, 2}}},
		{"long,short,return\nAAA=0.25;BBB=75%,EURUSD=X,0.02\nEURUSD=X=0.5;CCC=0.5,AAA;BBB,0.1\n", []View{
			{"AAA=0.25;BBB=75% over EURUSD=X", []float64{0.25, 0.75, 0, -1, 0}, 0.02, 0.5, 2},
			{"EURUSD=X=0.5;CCC=0.5 over AAA;BBB", []float64{-0.5, -0.5, 0.5, 0.5, 0}, 0.1, 0.5, 3},
		}},
	} {
		got, err := readViews(strings.NewReader(c.text), "views.csv", viewed)
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%q: %+v, %v", c.text, got, err)
			continue
		}
		for i, v := range got {
			w := c.want[i]
			if v.Name != w.Name || !slices.Equal(v.Legs, w.Legs) || v.Return != w.Return || v.Confidence != w.Confidence ||
				v.Line != w.Line {
				t.Errorf("%q: view %d is %+v, want %+v", c.text, i, v, w)
			}
		}
	}
}

func TestBadViews(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "the file is empty: it starts with a header, long,short,return,confidence"},
		{"long,return\n", "no views below the header"},
		{"long,short\nAAA,BBB\n", ":1: header " + `"long,short"` + " is not long,short,return,confidence"},
		{"short,return\nAAA,0.1\n", "is not long,short,return,confidence"},
		{"long,return,price\nAAA,0.1,3\n", `column "price" is none of long`},
		{"long,asset,return\nAAA,BBB,0.1\n", "columns long and asset mean the same"},
		{"long,return\nAAA,0.1,0.2\n", ":2: has 3 fields, and the header 2"},
		{"long,return\nAAB,0.1\n", `:2:1: symbol "AAB" is not among the assets: is AAA meant?`},
		{"long,short,return\nAAA,AAA,0.1\n", ":2:2: symbol AAA is there twice"},
		{"long,return\nAAA;AAA,0.1\n", "symbol AAA is there twice"},
		{"long,return\n,0.1\n", "a leg names no symbol"},
		{"long,return\nAAA;,0.1\n", "a leg names no symbol"},
		{"long,return\nAAA=0.5;BBB=0.4,0.1\n", `the shares of "AAA=0.5;BBB=0.4" sum to 0.9, not 1`},
		{"long,return\nAAA=0.5;BBB,0.1\n", `some symbols of "AAA=0.5;BBB" have a share and some have none`},
		{"long,return\nAAA=-0.5;BBB=1.5,0.1\n", "the share of AAA is -0.5"},
		{"long,return\nAAA,much\n", ":2:2: return of AAA"},
		{"long,return\nAAA,NaN\n", "return of AAA"},
		{"long,return\nAAA,20\n", "return of AAA is 20 a year, which is 2000 %"},
		{"long,return,confidence\nAAA,0.1,0\n", ":2:3: confidence of AAA is 0: a view that counts for nothing is left out"},
		{"long,return,confidence\nAAA,0.1,-1\n", "it lies above 0"},
		{"long,return,confidence\nAAA,0.1,80\n", "is 0.8 meant, or 80%?"},
	} {
		_, err := readViews(strings.NewReader(c.text), "views.csv", viewed)
		var file *FileError
		if !errors.As(err, &file) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

// FuzzReadViews checks that what is read sums to 1 and -1, and is finite.
func FuzzReadViews(f *testing.F) {
	for _, text := range []string{"long,short,return,confidence\nAAA,BBB,0.05,0.25\n", "long;return %\nAAA;5\n",
		"long,return\nAAA=0.5;BBB=0.5,1e-3\n", "asset,return\n\"AAA;BBB\",1%\n", "long,short,return\nEURUSD=X,BTC-USD,.1\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		views, err := readViews(strings.NewReader(text), "views.csv", viewed)
		if err != nil {
			var file *FileError
			if !errors.As(err, &file) {
				t.Errorf("%q: %v is no FileError", text, err)
			}
			return
		}
		for _, v := range views {
			var long, short float64
			for _, x := range v.Legs {
				long, short = long+max(x, 0), short+min(x, 0)
			}
			if math.Abs(long-1) > 1e-5 || short != 0 && math.Abs(short+1) > 1e-5 || !(math.Abs(v.Return) < mostViewed) ||
				!(v.Confidence > 0 && v.Confidence <= 1) {
				t.Errorf("%q: %+v", text, v)
			}
		}
	})
}
