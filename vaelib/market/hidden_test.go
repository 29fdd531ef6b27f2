package market_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/market"
)

// Letters that nobody sees, or that turn the direction of others, are refused
// in symbols, wherever they stand.
func TestHiddenLettersInSymbols(t *testing.T) {
	const rows = "2024-01-02,185,30\n2024-01-03,180,31\n"
	for _, hidden := range []string{"\u202e", "\u200b", "\u2066", "\u00ad", "\u061c"} {
		name := "OA" + hidden + "K"
		quoted := fmt.Sprintf("%q", name)
		for _, c := range []struct{ name, file, text, want string }{
			{"wide", "p.csv", "date,ELM," + name + "\n" + rows, "p.csv:1: column 3: header " + quoted},
			{"long", "p.csv", "date,symbol,close\n2024-01-02,ELM,30\n2024-01-02," + name + ",185\n", "p.csv:3: column 2: symbol " + quoted},
			{"flattened", "p.csv", "date,ELM_close," + name + "_close\n" + rows, "p.csv:1: column 3: header " + fmt.Sprintf("%q", name+"_close")},
			{"yfinance", "p.csv", "Price,Close,Close\nTicker,ELM," + name + "\nDate,,\n" + rows, "p.csv:2: column 3: header " + quoted},
			{"bloomberg", "p.csv", ",ELM," + name + "\nDates,PX_LAST,PX_LAST\n" + rows, "p.csv:1: column 3: header " + quoted},
			{"french", "p.csv", "Text.\n,Elm," + name + "\n192607,0.5,-0.5\n", "p.csv:2: column 3: header " + quoted},
			{"a series of FRED", "k/OAK.csv", "date," + name + "\n2024-01-02,185\n", "k/OAK.csv:1: column 2: header " + quoted},
			{"a folder's file", "k/" + name + ".csv", "date,open,close\n" + rows, "k: file name " + quoted},
		} {
			loaded := c.file
			if c.file[:2] == "k/" {
				loaded = "k"
			}
			_, _, err := market.LoadFS(fstest.MapFS{c.file: {Data: []byte(c.text)}}, loaded, market.Options{})
			if want := c.want + " is not plain text"; err == nil || err.Error() != want {
				t.Errorf("%s, %+q: error %v\nwant %s", c.name, hidden, err, want)
			}
		}
	}
}
