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
		"all":                  {text: "BTCUSDT,ETHUSDT,OAK,GOOGL\n0.5,0.2,0.3,0\n", weights: []float64{0.5, 0.2, 0.3, 0}, turnover: 0.6},
		"what is there":        {text: "id,ETHUSDT,OAK\nmine,0.2,0.8\n", weights: []float64{0, 0.2, 0.8, 0}, turnover: 1.6},
		"cash left":            {text: "BTCUSDT\n0.6\n", weights: []float64{0.6, 0, 0, 0}, cash: 0.4, turnover: 0.6},
		"cash named":           {text: "BTCUSDT,USD\n0.6,0.4\n", weights: []float64{0.6, 0, 0, 0}, cash: 0.4, turnover: 0.6},
		"cash alone":           {text: "Cash\n1\n", weights: []float64{0, 0, 0, 0}, cash: 1, turnover: 1},
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
		"percent":              {text: "OAK,BTCUSDT\n75,25\n", err: "in percent?"},
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
