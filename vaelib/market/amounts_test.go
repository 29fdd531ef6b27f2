package market_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/market"
)

// Columns whose names say nothing are doubted by their numbers.
func TestAmountsAreDoubted(t *testing.T) {
	var b strings.Builder
	b.WriteString("date,OAK,ELM,X,Y\n")
	for d := range 28 {
		fmt.Fprintf(&b, "2024-02-%02d,%.2f,%d,%d,%d\n", d+1, 100+float64(d%5), 42000+d%3, 1_000_000*(1+d*7%5), 2_500_000_000+d*1000)
	}
	_, c, err := market.LoadFS(fstest.MapFS{"p.csv": {Data: []byte(b.String())}}, "p.csv", market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(c.Warnings(), "\n")
	if !strings.Contains(said, "X and Y: by the numbers volumes") {
		t.Errorf("said: %s", said)
	}
}

// Splits for which no close is adjusted are refused where there is one.
func TestSplitsWithoutAdjustedCloses(t *testing.T) {
	const head = "timestamp,open,high,low,close,volume,dividend_amount,split_coefficient\n"
	row := func(day int, close float64, split string) string {
		return fmt.Sprintf("2024-01-%02d,%v,%v,%v,%v,1000,0.0000,%s\n", day, close, close, close, close, split)
	}
	none := head + row(2, 100, "1.0000") + row(3, 101, "1.0000") + row(4, 102, "1.0")
	split := head + row(2, 100, "1.0000") + row(3, 25.25, "4.0000") + row(4, 25.5, "1.0")
	for name, c := range map[string]struct {
		text string
		paid bool
		want string
	}{
		"none":  {none, false, ""},
		"split": {split, false, `k/OAK.csv:3: column 8: split of OAK, "4.0000" for 1, and no column of adjusted closes: give closes that are adjusted, or take those paid by -closes paid`},
		"paid":  {split, true, ""},
	} {
		_, _, err := market.LoadFS(fstest.MapFS{"k/OAK.csv": {Data: []byte(c.text)}}, "k", market.Options{Unadjusted: c.paid})
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != c.want {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
