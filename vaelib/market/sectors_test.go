package market_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/market"
)

func readSectors(text string) (*market.Sectors, error) {
	return market.ReadSectorsFS(fstest.MapFS{"s.csv": {Data: []byte(text)}}, "s.csv")
}

func ExampleSectors() {
	sectors, err := readSectors("symbol,sector,share\nOAK,Trees,1\nIVY,Trees,0.3\nIVY,Vines,0.7\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	trees, err := sectors.Shares("Trees", []string{"IVY", "OAK", "FERN"})
	fmt.Println(trees, err)
	fmt.Println(sectors.Unassigned([]string{"IVY", "OAK", "FERN"}))
	// Output:
	// [0.3 1 0] <nil>
	// [FERN]
}

func TestSectors(t *testing.T) {
	s, err := readSectors("Symbol,Sector,Share\r\nOAK,Trees,1\r\nELM,Trees,0.25\r\nELM,Shade,0.75\r\nIVY,Shade,0.1\r\nIVY,Trees,0.2\r\nIVY,Vines,0.7\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Names, []string{"Trees", "Shade", "Vines"}) {
		t.Errorf("sectors %v", s.Names)
	}
	symbols := []string{"IVY", "FERN", "ELM", "OAK"}
	if got, err := s.Shares("Trees", symbols); err != nil || !slices.Equal(got, []float64{0.2, 0, 0.25, 1}) {
		t.Errorf("shares %v, %v", got, err)
	}
	if got := s.Unassigned(symbols); !slices.Equal(got, []string{"FERN"}) {
		t.Errorf("unassigned %v", got)
	}
	if s.Share("OAK", "Shade") != 0 || s.Share("FERN", "Trees") != 0 || s.Share("OAK", "Trees") != 1 {
		t.Error("shares are wrong")
	}
	if _, err := s.Shares("Tree", symbols); err == nil || err.Error() != "unknown sector Tree: did you mean Trees?" {
		t.Errorf("unknown sector: %v", err)
	}
	if _, err := s.Shares("Vines", []string{"OAK", "ELM"}); err == nil || err.Error() != "sector Vines holds none of the 2 symbols chosen, such as OAK: its members in the file are such as IVY" {
		t.Errorf("empty sector: %v", err)
	}
	for _, text := range []string{
		"Symbol,Security,GICS Sector,GICS Sub-Industry\nOAK,\"Oak, Inc\",Trees,Hardwood\n", "Ticker;Sektor\nOAK;Trees\n",
		"sector\tsymbol\nTrees\tOAK\n", "symbol,sector,share\nOAK,Trees,100%\n", "name,symbol,industry\nOak,OAK,Trees\n",
		"\ufeffSymbol;Sector;Share;;\r\nOAK;Trees;1,0;;\r\n", "Symbol;Sector;Share\nELM;Shade;0,5\nOAK;Trees;1,0\n", "# mine\nsymbol,sector\nOAK,Trees\n",
		"My sectors,\n\nSymbol,Sector\nOAK,Trees\nSource: the exchange\n", "symbol,sector,\nOAK,Trees,,\n", "\"Symbol\",\"GICS\nSector\"\nOAK,\"Trees\"\n",
		"Symbol\u00a0,Sector\nOAK\u00a0,Trees\n", "symbol,name,sector\nELM,\"Elm,\nInc\",Shade\nOAK,Oak,Trees\n",
	} {
		if s, err := readSectors(text); err != nil || s.Share("OAK", "Trees") != 1 {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	s, err = readSectors("symbol,sector\nOAK,Trees\n")
	if err != nil || s.Share("OAK", "Trees") != 1 {
		t.Errorf("whole membership: %v", err)
	}
}

func TestSectorDefects(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "s.csv: file is empty"},
		{"symbol,sector\n", "s.csv: no rows below the header"},
		{"OAK,Trees\n", `s.csv:1: header "OAK,Trees" is not symbol,sector or symbol,sector,share`},
		{"symbol,sector,weight\n", `s.csv:1: header "symbol,sector,weight" is not symbol,sector or symbol,sector,share`},
		{"symbol,sector,sector\nOAK,Trees,Trees\n", "s.csv:1: column 3: column sector is there twice: keep the one that is meant"},
		{"symbol,sector\nOAK,Trees\nELM,trees\n", "s.csv:3: column 2: sector trees is Trees in other lines: write them alike"},
		{"symbol,sector,share\nOAK,Trees,50\n", "s.csv:2: column 3: share 50 of OAK in Trees is not above 0 and at most 1: in percent? Write 0.5 or 50% for a half"},
		{"symbol,sector\nOAK\n", "s.csv:2: 1 fields where the header has 2: complete the row, or delete it"},
		{"symbol,sector\n,Trees\n", "s.csv:2: column 1: symbol is empty"},
		{"symbol,sector\nOAK,\n", "s.csv:2: column 2: sector of OAK is empty: name one, or delete the row if it has none"},
		{"symbol,sector,share\nOAK,Trees,\n", "s.csv:2: column 3: share is empty: put in a number, or delete the row"},
		{"symbol,sector,share\nOAK,Trees,half\n", `s.csv:2: column 3: share "half" is not a number: correct it, or delete the row`},
		{"symbol,sector,share\nOAK,Trees,0\n", "s.csv:2: column 3: share 0 of OAK in Trees is not above 0 and at most 1"},
		{"symbol,sector,share\nOAK,Trees,1.5\n", "s.csv:2: column 3: share 1.5 of OAK in Trees is not above 0 and at most 1: in percent? Write 0.5 or 50% for a half"},
		{"symbol,sector,share\nOAK,Trees,0.5\nOAK,Trees,0.5\n", "s.csv:3: OAK is in Trees already: keep one of the rows"},
		{"symbol,sector,share\nOAK,Trees,0.6\nOAK,Shade,0.5\n", "s.csv:3: shares of OAK sum to 1.1, above 1: give fractions in a third column, share"},
		{"symbol,sector\nOAK,Trees\nOAK,Shade\n", "s.csv:3: shares of OAK sum to 2, above 1: give fractions in a third column, share"},
		{"sector,symbol\nTrees,OAK\n,ELM\n", "s.csv:3: column 1: sector of ELM is empty: name one, or delete the row if it has none (spreadsheets leave all but the first of merged cells empty: fill them down)"},
		{"sector,symbols\nTrees,\"OAK, ELM\"\n", "s.csv:2: column 2: \"OAK, ELM\" are several symbols in one field: give each a row"},
		{"symbol,sector\nOAK,\"Tr\nees\nELM,Shade\n", "s.csv:2: column 2: quote that is not closed before the end of its field"},
		{"symbol,sector\nOAK,\"Trees\n", "s.csv:2: column 2: quote that is not closed before the end of its field"},
	} {
		_, err := readSectors(c.text)
		var defect *market.DataError
		if !errors.As(err, &defect) || err.Error() != c.want {
			t.Errorf("%q: error %v, not %s", c.text, err, c.want)
		}
	}
	if _, err := market.ReadSectors(t.TempDir() + "/none.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := market.ReadSectors(t.TempDir()); err == nil {
		t.Error("a folder is no file of sectors")
	}
}
