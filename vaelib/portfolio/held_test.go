package portfolio_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/portfolio"
)

// Weights whose sum is 1 stay as they are, to the bit.
func TestReadHeldKeepsBits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held.csv")
	third := "0.3333333333333333"
	if err := os.WriteFile(path, []byte("A,B,C\n"+third+","+third+","+third+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := portfolio.ReadHeld(path, []string{"A", "B", "C"})
	if err != nil || !slices.Equal(h.Weights, []float64{1. / 3, 1. / 3, 1. / 3}) || h.Cash != 0 {
		t.Errorf("%v with %v in cash, %v", h.Weights, h.Cash, err)
	}
}

func TestReadHeld(t *testing.T) {
	assets := []string{"BTCUSDT", "ETHUSDT", "OAK", "GOOGL"}
	to := []float64{0.5, 0.5, 0, 0}
	for name, c := range map[string]struct {
		text     string
		weights  []float64
		sold     []string
		cash     float64
		turnover float64 // to half and half
		err      string
	}{
		"all":                {text: "BTCUSDT,ETHUSDT,OAK,GOOGL\n0.5,0.2,0.3,0\n", weights: []float64{0.5, 0.2, 0.3, 0}, turnover: 0.6},
		"what is there":      {text: "id,ETHUSDT,OAK\nmine,0.2,0.8\n", weights: []float64{0, 0.2, 0.8, 0}, turnover: 1.6},
		"cash left":          {text: "BTCUSDT\n0.6\n", weights: []float64{0.6, 0, 0, 0}, cash: 0.4, turnover: 0.6},
		"cash named":         {text: "BTCUSDT,USD\n0.6,0.4\n", weights: []float64{0.6, 0, 0, 0}, cash: 0.4, turnover: 0.6},
		"cash alone":         {text: "Cash\n1\n", weights: []float64{0, 0, 0, 0}, cash: 1, turnover: 1},
		"cash of a broker":   {text: "symbol,weight\nBTCUSDT,0.6\nUSD CASH,0.3\nCash & Cash Investments,0.1\n", weights: []float64{0.6, 0, 0, 0}, cash: 0.4, turnover: 0.6},
		"positions":          {text: "Account Number,Symbol,Description,Quantity,Current Value,Percent Of Account\nZ1,OAK,\"Oak, Inc\",10,\"$2,500.00\",25.00%\nZ1,ETHUSDT,Ether,3,$7500.00,75.00%\n", weights: []float64{0, 0.75, 0.25, 0}, turnover: 1},
		"of net assets":      {text: "Symbol,Description,Quantity,Position Value,% of NAV\nOAK,OAK INC,100,18500,25\nETHUSDT,Ether,40,14800,75\n", weights: []float64{0, 0.75, 0.25, 0}, turnover: 1},
		"cash and total":     {text: "Ticker,Weight (%)\nOAK,60.5\nETHUSDT,35\nUSD,4.5\nTotal,100\n", weights: []float64{0, 0.35, 0.605, 0}, cash: 0.045, turnover: 0.5 + 0.15 + 0.605},
		"total of more":      {text: "Ticker,Weight (%)\nOAK,60.5\nETHUSDT,35\nAccount Total,100%\n", weights: []float64{0, 0.35, 0.605, 0}, cash: 0.045, turnover: 0.5 + 0.15 + 0.605},
		"too much cash":      {text: "symbol,weight\nOAK,0.4\nETHUSDT,0.4\nCash,0.3\n", err: "the row sums to 1.1, cash of 0.3 in it, above 1"},
		"rounded cash":       {text: "symbol,weight\nOAK,33.3%\nETHUSDT,33.4%\nCash,33.4%\n", weights: []float64{0, 0.334, 0.333, 0}, cash: 0.333, turnover: 0.999},
		"numbers and values": {text: "symbol,quantity,value\nOAK,10,2000\nETHUSDT,5,3000\n", weights: []float64{0, 0.6, 0.4, 0}, turnover: 1},
		"two portfolios":     {text: "symbol,quantity,mine\nOAK,10,2000\nETHUSDT,5,3000\n", err: "2 rows of weights where one is wanted, that of what is held: keep one, of these: quantity, mine"},
		"more than tenfold":  {text: "OAK,ETHUSDT\n15,-14\n", err: "held.csv: OAK is held with 15, more than 10 times the capital"},
		"export with a title": {text: "\"Positions for account ...1 as of 2024/01/02\"\n\n\"Symbol\",\"Description\",\"Qty (Quantity)\",\"Mkt Val (Market Value)\",\"% of Acct (% of Account)\"\n" +
			"\"OAK\",\"Oak, Inc\",\"10\",\"$2,500.00\",\"25%\"\n\"ETHUSDT\",\"Ether\",\"3\",\"$7,000.00\",\"70%\"\n\"Cash & Cash Investments\",\"--\",\"--\",\"$500.00\",\"5%\"\n\"Account Total\",\"--\",\"--\",\"$10,000.00\",\"--\"\n",
			weights: []float64{0, 0.7, 0.25, 0}, cash: 0.05, turnover: 0.95},
		"export with small print": {text: "Symbol,Description,Quantity,Current Value\nSPAXX**,HELD IN MONEY MARKET,,$5000.00\nOAK,Oak,10,$15000.00\n\n\"The data is provided, as is, to you\"\n\"Date downloaded Jan-02-2024\"\n",
			weights: []float64{0, 0, 0.75, 0}, cash: 0.25, turnover: 1.75},
		"lots, shorts and closed": {text: "Account,Symbol,Quantity,Market Value,Currency\nU1,OAK,60,6000,USD\nU1,OAK,40,4000,USD\nU1,ETHUSDT,-5,(5000),USD\nU1,BTCUSDT,0,,USD\nU1,USD,,15000,USD\n",
			weights: []float64{0, -0.25, 0.5, 0}, cash: 0.75, turnover: 1.75},
		"short by its size":    {text: "Symbol,Quantity,Market Value\nOAK,100,15000\nETHUSDT,-5,5000\n", weights: []float64{0, -0.5, 1.5, 0}, turnover: 3},
		"decimal commas":       {text: "\ufeffSymbol;Stück;Marktwert;W\u00e4hrung;;\r\nOAK;10;2.500,00 €;EUR;;\r\nETHUSDT;3;7'500,00;EUR;;\r\n", weights: []float64{0, 0.75, 0.25, 0}, turnover: 1},
		"several currencies":   {text: "Symbol,Market Value,Currency\nOAK,100,USD\nETHUSDT,100,EUR\n", err: "held.csv: values in several currencies, EUR and USD, can't be added up"},
		"no value":             {text: "Symbol,Quantity,Market Value\nOAK,10,--\nETHUSDT,5,100\n", err: "held.csv:2:3: OAK has no value: write one, or 0, or delete the line"},
		"a value in words":     {text: "Symbol,Quantity,Market Value\nOAK,10,18K\n", err: `held.csv:2:3: OAK: "18K" is not a number`},
		"nothing of value":     {text: "Symbol,Quantity,Market Value\nOAK,-10,-100\n", err: "the values sum to -100, and shares of the capital are taken of a sum above 0"},
		"small print amid":     {text: "Symbol,Quantity,Market Value\nOAK,10,100\nMore below\nETHUSDT,5,100\n", err: `held.csv:4: stands below line 3, "More below", which is no position`},
		"no positions":         {text: "Symbol,Quantity,Market Value\n", err: "no holdings below the names of the columns"},
		"a title":              {text: "\"Positions for account 1\"\n\n\"Symbol\",\"Weight\"\n\"OAK\",\"1\"\n", err: "held.csv:3: has 2 fields, and the first line 1: start with the names of the columns"},
		"sold":                 {text: "BTCUSDT,ELM\n0.6,0.4\n", weights: []float64{0.6, 0, 0, 0}, sold: []string{"ELM"}, turnover: 1},
		"short":                {text: "BTCUSDT,OAK\n1.3,-0.3\n", weights: []float64{1.3, 0, -0.3, 0}, turnover: 1.6},
		"listing":              {text: "Ticker,Weight (%)\nOAK,25\nETHUSDT,75\n", weights: []float64{0, 0.75, 0.25, 0}, turnover: 1},
		"rounded":              {text: "BTCUSDT,ETHUSDT\n0.3333333,0.6666666\n", weights: []float64{1. / 3, 2. / 3, 0, 0}, turnover: 1. / 3},
		"none of another name": {text: "BTCUSDT,BTC\n1,0\n", weights: []float64{1, 0, 0, 0}, turnover: 1},
		"beside its like":      {text: "BTCUSDT,BTC\n0.5,0.5\n", weights: []float64{0.5, 0, 0, 0}, sold: []string{"BTC"}, turnover: 1},
		"ending":               {text: "BTC,OAK\n0.5,0.5\n", err: "is BTCUSDT meant?"},
		"case":                 {text: "oak,BTCUSDT\n0.5,0.5\n", err: "is OAK meant?"},
		"letter":               {text: "GOOG1,OAK\n0.5,0.5\n", err: "is GOOGL meant?"},
		"other assets":         {text: "ELM,ASH\n0.5,0.5\n", err: "none of its symbols, such as ELM"},
		"two rows":             {text: "OAK\n1\n1\n", err: "2 rows of weights where one is wanted"},
		"amounts":              {text: "OAK,BTCUSDT\n1500,200\n", err: "amounts or numbers of shares"},
		"percent":              {text: "OAK,BTCUSDT\n75,25\n", err: "in percent? Write percent signs, or divide by 100"},
		"percent and cash":     {text: "symbol,weight\nOAK,60\nBTCUSDT,30\nCash,10\n", err: "in percent? Write percent signs, or divide by 100"},
		"line without a name":  {text: "Ticker,Name,Weight (%)\nOAK,Oak,100\n,Total,100\n", err: "held.csv:3:1: symbol is empty: name it, or delete the line"},
		"too much":             {text: "OAK,BTCUSDT\n0.75,0.35\n", err: "sums to 1.1, above 1"},
	} {
		path := filepath.Join(t.TempDir(), "held.csv")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := portfolio.ReadHeld(path, assets)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: error %v, want %q", name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for j, x := range h.Weights {
			if math.Abs(x-c.weights[j]) > 1e-9 {
				t.Errorf("%s: holds %v, want %v", name, h.Weights, c.weights)
			}
		}
		if !slices.Equal(h.Sold, c.sold) || math.Abs(h.Cash-c.cash) > 1e-12 || math.Abs(h.Turnover(to)-c.turnover) > 1e-9 {
			t.Errorf("%s: sold %v, cash %v, turnover %v, want %v, %v, %v", name, h.Sold, h.Cash, h.Turnover(to), c.sold, c.cash, c.turnover)
		}
	}
}

// Holdings from anywhere are read as finite weights and cash that sum to 1, or refused in
// one line that names the file.
func FuzzReadHeld(f *testing.F) {
	for _, text := range []string{
		"BTCUSDT,OAK\n0.5,0.5\n", "Symbol,Quantity,Market Value\nOAK,10,\"$1,500.00\"\nUSD,,5\n\n\"Small, print\"\n", "Symbol;Menge;Marktwert\nOAK;1;1.500,25 €\nELM;-1;(20)\n",
		"Title\nSymbol,Value,% of Account\nOAK,1,50%\nTotal,2,--\n", "Symbol,Value,Currency\nOAK,1,USD\nOAK,1,USD\n",
	} {
		f.Add(text)
	}
	path := filepath.Join(f.TempDir(), "held.csv")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := portfolio.ReadHeld(path, []string{"BTCUSDT", "OAK"})
		if err != nil {
			if !strings.HasPrefix(err.Error(), path) || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error %q", err)
			}
			return
		}
		sum := h.Cash
		for _, x := range append(h.Weights, h.SoldWeights...) {
			sum += x
		}
		if !(math.Abs(sum-1) <= 1e-6) {
			t.Fatalf("%v, %v and cash of %v sum to %v", h.Weights, h.SoldWeights, h.Cash, sum)
		}
	})
}
