package portfolio_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/portfolio"
)

func ExampleParseWish() {
	known := portfolio.Names(portfolio.Schema(portfolio.Weights, []string{"L1"}))
	wish, err := portfolio.ParseWish("volatility=0.4, sector.L1<=0.35", known, nil)
	fmt.Println(wish, err)
	_, err = portfolio.ParseWish("risk=0.4", known[:3], nil)
	fmt.Println(err)
	// Output:
	// volatility=0.4,sector.L1<=0.35 <nil>
	// term "risk=0.4": unknown condition "risk": the known ones are volatility, annual_return, max_drawdown
}

func TestParseWish(t *testing.T) {
	known := []string{"volatility", "max_weight", "sector.L1", "regime", "trend"}
	levels := map[string][]string{"regime": {"calm", "wild at times", "wild, rising"}, "trend": {"1", "0"}}
	for _, c := range []struct{ text, want string }{
		{"volatility=0.4", "volatility=0.4"},
		{" volatility >= .2 , volatility<=0.40,sector.L1<=3.5e-1", "volatility>=0.2,volatility<=0.4,sector.L1<=0.35"},
		{"max_weight>=-1", "max_weight>=-1"},
		{"regime = wild at times, volatility=0.4", "regime=1,volatility=0.4"},
		{"regime>=wild rising", "regime>=2"}, // of a corpus of before, whose names hold commas
		{"regime=0,trend=1", "regime=0,trend=1"},
	} {
		wish, err := portfolio.ParseWish(c.text, known, levels)
		if err != nil || wish.String() != c.want {
			t.Errorf("%q is read as %q, error %v", c.text, wish, err)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", "the wish is empty: write terms such as volatility=0.4"},
		{"volatility", `term "volatility" has no =, <= or >=`},
		{"volatility=0.4,", `term "" has no =`},
		{"volatility<0.4", `term "volatility<0.4" has a bare <: write <= instead`},
		{"risk=0.4", `unknown condition "risk": the known ones are volatility, max_weight, sector.L1, regime, trend`},
		{"=0.4", `unknown condition ""`},
		{"volatility==0.4", `"=0.4" is not a number`},
		{"volatility=", "the field is empty"},
		{"regime=", `unknown level ""`},
		{"regime=Wild", `term "regime=Wild": unknown level "Wild": the known ones are calm, wild at times, wild rising, or their numbers from 0`},
		{"regime=40%", `unknown level "40%"`},
		{"regime=wild, rising", `unknown level "wild"`},
		{"volatility=calm", `"calm" is not a number`},
		{"volatility=NaN", "not a finite number"},
		{"volatility=40%", "shares are written as fractions: volatility=0.4"},
		{"volatility=0.4,volatility=0.5", "terms volatility=0.4 and volatility=0.5 exclude or repeat each other"},
		{"volatility<=0.4,volatility>=0.5", "exclude or repeat"},
		{"volatility<=0.4,volatility<=0.5", "exclude or repeat"},
	} {
		if _, err := portfolio.ParseWish(c.text, known, levels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// A sector's name may have commas.
func TestWishOfASectorWithCommas(t *testing.T) {
	known := []string{"volatility", "sector.Oil, Gas & Consumable Fuels", "sector.L1"}
	wish, err := portfolio.ParseWish("volatility=0.4, sector.Oil, Gas & Consumable Fuels<=0.35, sector.L1=0.1", known, nil)
	if err != nil || len(wish) != 3 || wish[1].Name != known[1] || wish[1].Value != 0.35 || wish[2].Name != known[2] {
		t.Errorf("wish %v, %v", wish, err)
	}
}

func TestMiss(t *testing.T) {
	for _, c := range []struct {
		relation    portfolio.Relation
		value, want float64
	}{
		{portfolio.Equal, 0.25, 0.25}, {portfolio.Equal, 0.75, 0.25},
		{portfolio.AtMost, 0.25, 0}, {portfolio.AtMost, 0.75, 0.25},
		{portfolio.AtLeast, 0.25, 0.25}, {portfolio.AtLeast, 0.75, 0},
	} {
		term := portfolio.Term{Name: "x", Relation: c.relation, Value: 0.5}
		if got := term.Miss(c.value); got != c.want {
			t.Errorf("%v misses %v by %v, want %v", c.value, term, got, c.want)
		}
	}
}

func FuzzParseWish(f *testing.F) {
	for _, seed := range []string{"volatility=0.4", "max_weight<=0.2,max_weight>=0.1", "sector.L1==1", "a<b", "volatility=40%", "regime=wild rising", ","} {
		f.Add(seed)
	}
	known := append(portfolio.Names(portfolio.Schema(portfolio.Weights, []string{"L1"})), "regime")
	levels := map[string][]string{"regime": {"calm", "wild, rising"}}
	f.Fuzz(func(t *testing.T, text string) {
		wish, err := portfolio.ParseWish(text, known, levels)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		again, err := portfolio.ParseWish(wish.String(), known, levels)
		if err != nil || !slices.Equal(again, wish) {
			t.Fatalf("%q came back as %v, error %v", wish, again, err)
		}
	})
}
