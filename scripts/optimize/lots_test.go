package main

import (
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// Lots and least values are of each asset; caps hold in whole lots too, and orders are what
// is to be held less what is.
func TestLots(t *testing.T) {
	prices := clitest.File(t, "closes.csv", "date,A,B,C\n2024-01-01,100,10,1\n2024-01-02,101,11,0.9\n"+
		"2024-01-03,99,10,1.1\n2024-01-04,103,10.5,1\n2024-01-05,100,10,1\n")
	lots := clitest.File(t, "lots.csv", "symbol,lot,min_quantity,min_value\nC,1,10,5\nA,0.01,0.02,5\nB,0.1,0.1,400\n")
	held := clitest.File(t, "held.csv", "A,B,CASH\n0.4,0.1,0.5\n")
	args := []string{"-prices=" + prices, "-objective=equal-weight", "-max-weight=0.334", "-cash=1000", "-lots=" + lots}
	r := solve(t, append(args, "-holdings="+held)...)
	// A third of 1,000 at 100, 10 and 1: of B the least position would be 400, above its cap.
	want := map[string]float64{"A": 3.33, "B": 0, "C": 333}
	orders := map[string]float64{"A": 3.33 - 4, "B": -10, "C": 333}
	for symbol, units := range want {
		if math.Abs(r.Units[symbol]-units) > 1e-9 || math.Abs(r.Orders[symbol]-orders[symbol]) > 1e-9 {
			t.Errorf("%s: %v units, an order of %v", symbol, r.Units[symbol], r.Orders[symbol])
		}
	}
	if math.Abs(*r.CashLeft-334) > 1e-9 || !strings.Contains(strings.Join(r.Notes, "\n"), "orders smaller than the least, "+
		"which an exchange refuses: B") {
		t.Errorf("%v left, %q", *r.CashLeft, r.Notes)
	}
	if code, stdout, _ := execute(t, append(args, "-holdings="+held)...); code != 0 || !strings.Contains(stdout, "order") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	// A twentieth of a share of A, of which the least position is above its cap.
	dust := clitest.File(t, "dust.csv", "A,B,CASH\n0.005,0,0.995\n")
	least := clitest.File(t, "least.csv", "symbol,lot,min_value\nA,0.2,400\nB,0.1,1\nC,1,1\n")
	r = solve(t, append(args[:4:4], "-lots="+least, "-holdings="+dust)...)
	if !strings.Contains(strings.Join(r.Notes, "\n"), "less than a lot, which no order sells, remains of: A") {
		t.Errorf("%q", r.Notes)
	}
	// What a broker's list sums to is the capital.
	list := clitest.File(t, "list.csv", "Symbol,Quantity,Market Value\nA,5,500\nB,30,300\n")
	for cash, warned := range map[string]bool{"-cash=800": false, "-cash=1000": true} {
		r := solve(t, "-prices="+prices, "-objective=equal-weight", cash, "-lot=0.1", "-holdings="+list)
		if strings.Contains(strings.Join(r.Notes, "\n"), "the holdings are worth 800 by their list") != warned {
			t.Errorf("%s: %q", cash, r.Notes)
		}
	}
	for want, text := range map[string]string{
		"B would get more than":                 "symbol,lot\nA,1\nB,1e-300\nC,1\n",
		"unknown column \"tick\"":               "symbol,lot,tick\nA,1,1\nB,1,1\nC,1,1\n",
		"no column lot":                         "symbol,min_value,min_quantity\nA,1,1\nB,1,1\nC,1,1\n",
		"the lot of B is 0":                     "symbol,lot,min_value\nA,1,5\nB,0,5\nC,1,5\n",
		"no lot of C":                           "symbol,lot,min_value\nA,1,5\nB,1,5\n",
		"is in percent, and an amount is meant": "symbol,lot\nA,1%\nB,1\nC,1\n",
	} {
		code, stdout, stderr := execute(t, append(args[:4:4], "-lots="+clitest.File(t, "bad.csv", text))...)
		if code != 1 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d\n%s", text, code, stderr)
		}
	}
	if code, _, stderr := execute(t, append(args, "-lot=2")...); code != 2 || !strings.Contains(stderr, "-lot goes with") {
		t.Errorf("both: exit code %d\n%s", code, stderr)
	}
}
