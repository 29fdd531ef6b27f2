package market_test

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/market"
)

// What is left out is not checked, whatever the shape of the files.
func TestExclude(t *testing.T) {
	fsys := fstest.MapFS{
		"wide.csv": {Data: []byte("timestamp,ADA,BAD,volume,COW\n2024-01-01,1,2,8,3\n2024-01-02,1,oops,9,4\n2024-01-03,2,,9,5\n")},
		"long.csv": {Data: []byte("date,symbol,close\n2024-01-01,ADA,1\n2024-01-01,BAD,-7\n2024-01-01,COW,3\n2024-01-02,ADA,1\n2024-01-02,COW,4\n" +
			"2024-01-03,ADA,2\n2024-01-03,COW,5\n2024-01-03,volume,0\n")},
		"k/ADA.csv": {Data: []byte(candles(3))}, "k/COW.csv": {Data: []byte(candles(3))}, "k/BAD.csv": {Data: []byte("broken")},
		"k/volume.csv": {Data: []byte("broken, too")},
		// Some of the names stand in the files.
		"w/one.csv":  {Data: []byte("date,symbol,close\n2024-01-01,ADA,1\n2024-01-01,BAD,-7\n2024-01-02,ADA,1\n2024-01-03,ADA,1\n")},
		"w/two.csv":  {Data: []byte("date,symbol,close\n2024-01-01,BULL,oops\n2024-01-01,COW,7\n2024-01-02,COW,1\n2024-01-03,COW,1\n")},
		"w/BULL.csv": {Data: []byte("broken")}, "w/volume.csv": {Data: []byte("broken, too")},
	}
	for name, exclude := range map[string][]string{
		"wide.csv": {"BAD", "volume"}, "long.csv": {"BAD", "volume"}, "k": {"BAD", "volume"}, "w": {"BULL", "BAD", "volume"},
	} {
		panel, _, err := market.LoadFS(fsys, name, market.Options{Exclude: exclude})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := []string{"ADA", "COW"}; !slices.Equal(panel.Symbols, want) || len(panel.Times) != 3 {
			t.Errorf("%s: %v over %d times, want %v", name, panel.Symbols, len(panel.Times), want)
		}
		var unknown *market.SymbolError
		_, _, err = market.LoadFS(fsys, name, market.Options{Exclude: append(slices.Clone(exclude), "CO")})
		if !errors.As(err, &unknown) || err.Error() != "unknown symbol CO: did you mean COW?" {
			t.Errorf("%s: unknown symbol: %v", name, err)
		}
		_, _, err = market.LoadFS(fsys, name, market.Options{Exclude: append(slices.Clone(exclude), "ADA", "COW")})
		if err == nil || err.Error() != map[int]string{2: "all 4 symbols are excluded: keep some", 3: "all 5 symbols are excluded: keep some"}[len(exclude)] {
			t.Errorf("%s: all symbols: %v", name, err)
		}
	}
	for _, options := range []market.Options{
		{Exclude: []string{"BAD", "BAD"}}, {Exclude: []string{"BAD"}, Symbols: []string{"BAD", "ADA"}}, {Exclude: []string{"BAD"}, Symbols: []string{"ADA"}},
	} {
		if _, _, err := market.LoadFS(fsys, "long.csv", options); err == nil {
			t.Errorf("%v is accepted", options)
		}
	}
}
