package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// An index that is made of some of the assets is found again, with no error; and one by its
// returns is tracked as the symbol of the same closes is.
func TestIndex(t *testing.T) {
	text, err := os.ReadFile("../../data/synthetic_close.csv")
	if err != nil {
		t.Fatal(err)
	}
	var index strings.Builder
	index.WriteString("date,close\n")
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if fields := strings.Split(line, ","); i > 0 {
			fmt.Fprintf(&index, "%s,%s\n", fields[0], fields[2])
		}
	}
	file := clitest.File(t, "index.csv", index.String())
	own := solve(t, "-objective=min-tracking-error", "-benchmark="+file)
	if math.Abs(own.Weights["BIRCH"]-1) > 1e-6 || own.Value > 1e-12 {
		t.Errorf("%+v", own)
	}
	for _, covariance := range []string{"sample", "ewma"} {
		args := []string{"-objective=min-tracking-error", "-max-weight=0.3", "-exclude=BIRCH", "-covariance=" + covariance}
		byFile, bySymbol := solve(t, append(args, "-benchmark="+file)...), solve(t, append(args, "-benchmark=BIRCH")...)
		weights := solve(t, "-objective=min-tracking-error", "-max-weight=0.3", "-sectors="+clitest.File(t, "s.csv",
			"symbol,sector\nBIRCH,no\n"), "-sector-cap=no=0", "-benchmark=BIRCH", "-covariance="+covariance)
		for symbol, w := range byFile.Weights {
			if math.Abs(w-bySymbol.Weights[symbol]) > 1e-9 || math.Abs(w-weights.Weights[symbol]) > 1e-7 {
				t.Errorf("%s, %s: %v by the file, %v by the symbol, %v by weights", covariance, symbol, w,
					bySymbol.Weights[symbol], weights.Weights[symbol])
			}
		}
		if math.Abs(byFile.Value-weights.Value) > 1e-10 || math.Abs(byFile.Value-bySymbol.Value) > 1e-12 {
			t.Errorf("%s: values %v, %v, %v", covariance, byFile.Value, bySymbol.Value, weights.Value)
		}
	}
}
