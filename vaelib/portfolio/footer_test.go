package portfolio_test

import (
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/portfolio"
)

// Text below the rows and sums of them are passed over, in lists and in tables, and said.
func TestReadFooter(t *testing.T) {
	for text, want := range map[string]string{
		"symbol,weight\nA,.25\nB,.75\nSource: me\n":                                     `a line of text below the table is passed over, from line 4, "Source: me"`,
		"symbol,weight\nA,.25\nB,.75\n\n\"Past performance, as ever, is none\",\n* x\n": `2 lines of text below the table are passed over, from line 5, "Past performance, as ever, is none"`,
		"symbol,weight\nA,.25\nB,.75\nTotal,1\n":                                        "line 4, Total, is passed over as the sum of the others",
		"symbol,weight\nA,.25\nB,.75\nTotal,--\n":                                       `a line of text below the table is passed over, from line 4, "Total"`,
		"Ticker,Weight (%)\nA,25\nB,75\nGrand Total,100.00\nData as of 2024-06-30\n":    `line 4, Grand Total, is passed over as the sum of the others; a line of text below the table is passed over, from line 5, "Data as of 2024-06-30"`,
		"A,B\n.25,.75\nSource: me, and others\n":                                        `a line of text below the table is passed over, from line 3, "Source: me"`,
		"id,A,B\nx,.25,.75\n© 2024 nobody,,\n---------\n":                               `2 lines of text below the table are passed over, from line 3, "© 2024 nobody"`,
		"symbol;weight\nA;0,25\nB;0,75\nQuelle: ich\n":                                  `a line of text below the table is passed over, from line 4, "Quelle: ich"`,
		"symbol,weight,target\nA,.25,1\nB,.75,0\n":                                      "the weights are those of column 2, weight, and column 3, target, is passed over",
		"symbol,p\nA,.25\nB,.75\nSum,1\n":                                               "line 4, Sum, is passed over as the sum of the others",
	} {
		p, err := portfolio.Read(strings.NewReader(text), "w.csv", portfolio.ReadOptions{Symbols: []string{"B", "A"}})
		if err != nil || strings.Join(p.Notes, "; ") != want || !slices.Equal(p.Weights.RawRowView(0), []float64{0.75, 0.25}) {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

// A percent sign is a mistake where amounts are meant.
func TestReadAmounts(t *testing.T) {
	_, err := portfolio.Read(strings.NewReader("symbol,lot\nA,1%\n"), "lots.csv", portfolio.ReadOptions{AnySum: true, Amounts: true})
	if err == nil || !strings.Contains(err.Error(), `lots.csv:2:2: A: "1%" is in percent, and an amount is meant`) {
		t.Error(err)
	}
}
