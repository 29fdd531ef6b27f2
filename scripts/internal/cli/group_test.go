package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// limited is a verb with constraints for the symbols A to D.
func limited(symbols []string, got *simplex.Set) Verb[Constraints] {
	return Verb[Constraints]{Name: "limit", Run: func(_ context.Context, c *Constraints, io *IO) error {
		set, err := c.Set(io, symbols)
		if got != nil {
			*got = set
		}
		return err
	}}
}

// limitedCommon is [limited] with the flags of every verb.
func limitedCommon(symbols []string, got *simplex.Set) Verb[struct {
	Constraints
	Common
}] {
	type config = struct {
		Constraints
		Common
	}
	return Verb[config]{Name: "limit", Run: func(_ context.Context, c *config, io *IO) (err error) {
		*got, err = c.Set(io, symbols)
		return err
	}}
}

var symbols = []string{"A", "B", "C", "D"}

const sectors = "symbol,sector,share\nA,x,1\nB,x,0.5\nB,y,0.5\nC,y,1\n"

func TestConstraints(t *testing.T) {
	var got simplex.Set
	code, _, stderr := execute(limited(symbols, &got), "-max-weight=0.6", "-lower=-0.1",
		"-sectors", write(t, "s.csv", sectors), "-sector-cap", "x=0.5", "-sector-cap=y=-0.1:0.4")
	if code != 0 {
		t.Fatal(stderr)
	}
	if got.N != 4 || got.Lower[3] != -0.1 || got.Upper[0] != 0.6 || len(got.Groups) != 2 {
		t.Errorf("set %+v", got)
	}
	x, y := got.Groups[0], got.Groups[1]
	if x.Name != "x" || !math.IsInf(x.Lo, -1) || x.Hi != 0.5 || x.Share[1] != 0.5 || x.Share[2] != 0 {
		t.Errorf("sector x became %+v", x)
	}
	if y.Lo != -0.1 || y.Hi != 0.4 || y.Share[2] != 1 || y.Share[3] != 0 {
		t.Errorf("sector y became %+v", y)
	}
}

// Names of sectors have commas, equals signs and quotes around them.
func TestNamesOfSectors(t *testing.T) {
	names := []string{"Oil, Gas & Consumable Fuels", "a=b", "A=1, B", "Plain"}
	file := write(t, "s.csv", "symbol,sector\nA,\"Oil, Gas & Consumable Fuels\"\nB,a=b\nC,\"A=1, B\"\nD,Plain\n")
	toml := write(t, "c.toml", "sector-cap = [\"Oil, Gas & Consumable Fuels=0.9\", \"a=b=0.9\", '\"A=1, B\"=0.9', \"Plain=0.9\"]\n")
	for _, args := range [][]string{
		{"-sector-cap", "Oil, Gas & Consumable Fuels=0.9", "-sector-cap", "a=b=0.9", "-sector-cap", `"A=1, B"=0.9`, "-sector-cap", "Plain=0.9"},
		{"-sector-cap", `"Oil, Gas & Consumable Fuels"=0.9, a=b=0.9,"A=1, B"=0.9,Plain = 0.9`},
		{"-config", toml},
	} {
		var got simplex.Set
		code, _, stderr := execute(limitedCommon(symbols, &got), append(args, "-sectors", file)...)
		if code != 0 || len(got.Groups) != 4 {
			t.Errorf("%q: exit code %d, stderr %q, groups %+v", args, code, stderr, got.Groups)
			continue
		}
		for i, g := range got.Groups {
			if g.Name != names[i] || g.Hi != 0.9 || g.Share[i] != 1 {
				t.Errorf("%q: group %d is %+v", args, i, g)
			}
		}
	}
}

// What no cap can hold is said, and what was probably meant.
func TestCapsThatHoldNothing(t *testing.T) {
	prices := []string{"BTCUSDT", "ETHUSDT", "SHIB1000USDT"}
	for _, c := range []struct {
		name, sectors string
		args          []string
		code          int
		want          string
	}{
		{"a misspelt symbol", "symbol,sector\nBTCUSD,L1\nETHUSDT,L1\n1000SHIBUSDT,Meme\n", []string{"-sector-cap=L1=0.4"}, 1,
			"s.csv:2: column 1: symbol BTCUSD is not among the prices, and BTCUSDT is in no sector: did you mean BTCUSDT?"},
		{"names of another exchange", "symbol,sector\nBTC,L1\nETH,L1\nSHIB,Meme\n", []string{"-sector-cap=L1=0.4"}, 1, "did you mean BTCUSDT?"},
		{"nothing alike", "symbol,sector\nAAPL,L1\nMSFT,L1\n", []string{"-sector-cap=L1=0.4"}, 1, "sector L1 holds none of the 3 symbols chosen, such as BTCUSDT: its members in the file are such as AAPL"},
		{"one in no sector", "symbol,sector\nBTCUSDT,L1\nETHUSDT,L1\n1000SHIBUSDT,Meme\n", []string{"-sector-cap=L1=0.4"}, 0, "WARNING: no sector cap holds SHIB1000USDT"},
		{"a longer list", "symbol,sector\nBTCUSDT,L1\nETHUSDT,L1\nSHIB1000USDT,Meme\nAAPL,Tech\n", []string{"-sector-cap=L1=0.4"}, 0, ""},
		{"a floor with shorts", "symbol,sector\nBTCUSDT,L1\nETHUSDT,L1\nSHIB1000USDT,Meme\n", []string{"-lower=-0.5", "-sector-cap=L1>=0.2"}, 0, "-sector-cap L1>=0.2 is NAME=0.2:1, and with short positions 1 is a limit too"},
		{"all of it", "symbol,sector\nBTCUSDT,L1\nETHUSDT,L1\nSHIB1000USDT,Meme\n", []string{"-sector-cap=L1=1"}, 0, "-sector-cap L1=1 holds nothing"},
	} {
		var got simplex.Set
		code, _, stderr := execute(limited(prices, &got), append(c.args, "-sectors", write(t, "s.csv", c.sectors))...)
		if code != c.code || !strings.Contains(stderr, c.want) || c.want == "" && stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q; want %d, %q", c.name, code, stderr, c.code, c.want)
		}
	}
}

// Rates in percent are refused before anything is read.
func TestRatesInPercent(t *testing.T) {
	for flag, want := range map[string]string{"-rf=4.5": "-rf 4.5 is 450 % a year: a share is meant: 0.045?", "-mar=-3": "-mar -3 is -300 % a year"} {
		code, _, stderr := execute(priced(new(Data), new(metrics.Settings)), "-prices=none.csv", flag)
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, stderr %q", flag, code, stderr)
		}
	}
}

func TestBundledSectors(t *testing.T) {
	sample := []string{"ALDER", "BROOK", "WREN"}
	var got simplex.Set
	code, _, stderr := execute(limited(sample, &got), "-sector-cap", "L1=0.35")
	if code != 0 || len(got.Groups) != 1 || got.Groups[0].Share[0] != 1 || got.Groups[0].Share[1] != 0 {
		t.Errorf("exit code %d, stderr %q, groups %+v", code, stderr, got.Groups)
	}
}

func TestBadConstraints(t *testing.T) {
	file := write(t, "s.csv", sectors)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"caps too low", []string{"-max-weight=0.2"}, 1, "0.2"},
		{"floors too high", []string{"-lower=0.3"}, 1, "0.3"},
		{"minimum above cap", []string{"-min-weight=0.6", "-max-weight=0.5"}, 1, "0.6"},
		{"sector floors too high", []string{"-sectors", file, "-sector-cap=x=0.7:1", "-sector-cap=y=0.7:1"}, 1, "x"},
		{"cap out of range", []string{"-max-weight=0"}, 2, "-max-weight: 0 lies outside (0,100]"},
		{"short and minimum", []string{"-min-weight=0.1", "-lower=-0.1"}, 2, "-min-weight allows no short positions"},
		{"no file", []string{"-sector-cap", "x=0.5"}, 2, "-sector-cap needs -sectors FILE"},
		{"file missing", []string{"-sectors", "none.csv", "-sector-cap", "x=0.5"}, 1, "none.csv"},
		{"unknown sector", []string{"-sectors", file, "-sector-cap", "z=0.5"}, 1, "-sector-cap z=0.5: "},
		{"in percent", []string{"-sectors", file, "-sector-cap", "x=60%"}, 2, `has the limit "60%", which is not a finite number: 0.6?`},
		{"no limit", []string{"-sectors", file, "-sector-cap", "x"}, 2, `"x" names no limit: write NAME=X`},
		{"no name", []string{"-sectors", file, "-sector-cap", "=1"}, 2, "names no limit"},
		{"no number", []string{"-sectors", file, "-sector-cap", "x=a"}, 2, `has the limit "a", which is not a finite number`},
		{"empty number", []string{"-sectors", file, "-sector-cap", "x=:1"}, 2, `has the limit ""`},
		{"infinite", []string{"-sectors", file, "-sector-cap", "x=0:Inf"}, 2, `has the limit "Inf"`},
		{"three limits", []string{"-sectors", file, "-sector-cap", "x=0:1:2"}, 2, "more than two limits"},
		{"turned round", []string{"-sectors", file, "-sector-cap", "x=0.5:0.1"}, 2, "lower end above"},
		{"twice", []string{"-sectors", file, "-sector-cap", "x=0.5,x=0.6"}, 2, "sector x is given twice"},
		{"a cap in percent", []string{"-max-weight=10"}, 2, "without short positions (-lower) no weight exceeds 1, so that 10 is no limit: a share: 0.1?"},
		{"a cap above 1", []string{"-max-weight=1.5"}, 2, "no weight exceeds 1"},
		{"a cap in percent, short", []string{"-max-weight=40", "-lower=-0.1"}, 2, "a share: 0.4?"},
		{"a sector's cap in percent", []string{"-sectors", file, "-sector-cap", "x=40"}, 2, "-sector-cap x=40: without short positions (-lower) no sum of weights exceeds 1, so that 40 is no limit: a share: 0.4?"},
		{"a sector's range in percent", []string{"-sectors", file, "-sector-cap", "x=1:40"}, 2, "a share: 0.4?"},
		{"a minimum in percent", []string{"-min-weight=2"}, 2, "2 lies outside [0,1]: a share: 0.02?"},
		{"a floor in percent", []string{"-lower=5"}, 2, "5 lies outside [-10,1]: a share: 0.05?"},
		{"a sector misspelt", []string{"-sectors", write(t, "long.csv", "symbol,sector\nA,Energy\n"), "-sector-cap", "Enrgy=0.5"}, 1, "unknown sector Enrgy: did you mean Energy?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := execute(limited(symbols, nil), c.args...)
			if code != c.code || !strings.HasPrefix(stderr, "limit: ") || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, stderr, c.code, c.want)
			}
		})
	}
}

// priced is a verb with prices and figures.
func priced(got *Data, settings *metrics.Settings) Verb[struct {
	Prices
	Figures
}] {
	type config = struct {
		Prices
		Figures
	}
	return Verb[config]{Name: "price", Run: func(_ context.Context, c *config, io *IO) error {
		d, err := c.Load(io)
		if err != nil {
			return err
		}
		*got = *d
		*settings, err = c.Settings(io, d.Window, 0.9)
		return err
	}}
}

func TestPrices(t *testing.T) {
	var got Data
	var settings metrics.Settings
	code, _, stderr := execute(priced(&got, &settings), "-symbols=WREN,ALDER", "-to=2022-06-30", "-rf=0.02", "-mar=0.01", "-convention=skfolio")
	if code != 0 || !strings.Contains(stderr, "SYNTHETIC") || !strings.Contains(stderr, "periods per year: 365 (daily, seven days a week;") {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	if !got.Synthetic || len(got.Window.Symbols) != 2 || got.Window.Symbols[0] != "WREN" || got.Window.Times[len(got.Window.Times)-1].Format("2006-01-02") != "2022-06-30" {
		t.Errorf("window of %v to %v", got.Window.Symbols, got.Window.Times[len(got.Window.Times)-1])
	}
	if want := (metrics.Settings{PeriodsPerYear: 365, RiskFree: 0.02, MAR: 0.01, Level: 0.9, Convention: metrics.Skfolio}); settings != want {
		t.Errorf("settings %+v, want %+v", settings, want)
	}

	file := write(t, "p.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,1.1,2\n2024-01-03,1,2.2\n2024-01-04,1,2.2\n")
	code, _, stderr = execute(priced(&got, &settings), "-prices", file, "-periods-per-year=12")
	if code != 0 || got.Synthetic || strings.Contains(stderr, "SYNTHETIC") || !strings.Contains(stderr, "periods per year: 12 (as given)") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if closes := got.LastCloses(); len(closes) != 2 || closes[0] != 1 || closes[1] != 2.2 {
		t.Errorf("last closes %v, want 1 and 2.2", closes)
	}
	if rows, columns := got.Window.Returns.Dims(); rows != 3 || columns != 2 || settings.PeriodsPerYear != 12 {
		t.Errorf("window %d x %d, settings %+v", rows, columns, settings)
	}
}

func TestBadPrices(t *testing.T) {
	file := func(text string) string { return write(t, "p.csv", text) }
	const good = "date,A\n2024-01-01,1\n2024-01-02,2\n2024-01-03,1\n"
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"missing file", []string{"-prices", "none.csv"}, 1, "none.csv"},
		{"empty file", []string{"-prices", file("")}, 1, "p.csv"},
		{"header alone", []string{"-prices", file("date,A\n")}, 1, "p.csv"},
		{"text in a number", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-02,x\n")}, 1, "p.csv:3"},
		{"text", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-02,x\n")}, 1, "p.csv:3"},
		{"Inf", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-02,+Inf\n")}, 1, "p.csv:3"},
		{"zero", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-02,0\n")}, 1, "p.csv:3"},
		{"negative", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-02,-1\n")}, 1, "p.csv:3"},
		{"repeated symbol", []string{"-prices", file("date,A,A\n2024-01-01,1,1\n")}, 1, "A"},
		{"repeated day", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-01,2\n")}, 1, "p.csv:3"},
		{"ragged line", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-02\n")}, 1, "p.csv:3"},
		{"binary file", []string{"-prices", file("\x7fELF\x00\x01\x02")}, 1, "p.csv"},
		{"no common times", []string{"-prices", file("date,A,B\n2024-01-01,1,\n2024-01-02,1,\n2024-01-03,,1\n2024-01-04,,1\n")}, 1, "times"},
		{"one return", []string{"-prices", file("date,A\n2024-01-01,1\n2024-01-02,2\n")}, 1, "return"},
		{"unknown symbol", []string{"-prices", file(good), "-symbols=Z"}, 1, "unknown symbol Z"},
		{"repeated choice", []string{"-prices", file(good), "-symbols=A,A"}, 1, "A"},
		{"bad from", []string{"-from=yesterday"}, 2, "yesterday"},
		{"bad as-of", []string{"-as-of=yesterday"}, 2, "-as-of: time \"yesterday\""},
		{"from after to", []string{"-from=2024-01-02", "-to=2024-01-01"}, 2, "2024"},
		{"nothing in range", []string{"-from=1990-01-01", "-to=1990-02-01"}, 1, "no prices in the range"},
		{"periods", []string{"-periods-per-year=-1"}, 2, "-periods-per-year"},
		{"convention", []string{"-convention=emprical"}, 2, "did you mean empyrical?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := execute(priced(new(Data), new(metrics.Settings)), c.args...)
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if last := lines[len(lines)-1]; code != c.code || !strings.HasPrefix(last, "price: ") || !strings.Contains(last, c.want) {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, stderr, c.code, c.want)
			}
		})
	}
}

// Every verb with prices takes funding, says so, and says when it isn't there.
func TestFunding(t *testing.T) {
	var text strings.Builder
	text.WriteString("timestamp,symbol,rate\n")
	for i := range 15 {
		for symbol, rate := range map[string]string{"A": "0.0001", "B": "-0.0003"} {
			fmt.Fprintf(&text, "%d,%s,%s\n", 1704326400000+int64(i)*8*3600*1000, symbol, rate)
		}
	}
	prices := write(t, "p.csv", "date,A,B\n2024-01-04,1,2\n2024-01-05,1,2\n2024-01-06,1,2\n2024-01-07,1,2\n2024-01-08,1,2\n")
	funding := write(t, "f.csv", text.String())
	with, without := new(Data), new(Data)
	code, _, stderr := execute(priced(with, new(metrics.Settings)), "-prices", prices, "-funding", funding)
	if code != 0 || !strings.Contains(stderr, "funding of 2 symbols, settlements 30") ||
		!strings.Contains(stderr, "the funding they paid taken off: -10.95 % a year on average, from -32.85 % (B) to 10.95 % (A)") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if r := with.Window.Returns; !with.Window.Funded || math.Abs(r.At(0, 0)+3e-4) > 1e-15 || math.Abs(r.At(3, 1)-9e-4) > 1e-15 {
		t.Errorf("returns %v", r.RawMatrix().Data)
	}
	code, _, stderr = execute(priced(without, new(metrics.Settings)), "-prices", prices)
	if code != 0 || without.Window.Funded || !strings.Contains(stderr, "returns: of prices alone") || without.Window.Hash() == with.Window.Hash() {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	session := write(t, "s.csv", "date,A,B\n2024-01-04,1,2\n2024-01-05,1,2\n2024-01-08,1,2\n2024-01-09,1,2\n2024-01-10,1,2\n")
	if code, _, stderr = execute(priced(without, new(metrics.Settings)), "-prices", session); code != 0 || strings.Contains(stderr, "perpetuals") {
		t.Errorf("of a market that closes at weekends: exit code %d: %s", code, stderr)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-funding", funding}, 2, "-funding is for perpetuals of your own"},
		{[]string{"-prices", prices, "-funding", "none"}, 1, "none: no such file"},
		{[]string{"-prices", prices, "-funding", write(t, "g.csv", strings.ReplaceAll(text.String(), ",B,", ",C,"))}, 1, "g.csv: no funding rates of B"},
		{[]string{"-prices", prices, "-funding", write(t, "h.csv", text.String()+"x,A,0\n")}, 1, "h.csv:32: column 1"},
	} {
		code, _, stderr := execute(priced(new(Data), new(metrics.Settings)), c.args...)
		if code != c.code || !strings.Contains(stderr, "price: ") || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
		}
	}
}

// A list of today, used for the past, is suspected.
func TestSurvivorship(t *testing.T) {
	long := func(last string) string {
		text := "date,A,B\n"
		for day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == 2024; day = day.AddDate(0, 0, 1) {
			b := "1"
			if day.Format(time.DateOnly) > last {
				b = ""
			}
			text += day.Format(time.DateOnly) + ",1," + b + "\n"
		}
		return text
	}
	for last, want := range map[string]bool{"2024-12-31": true, "2024-10-01": false} {
		data := new(Data)
		code, _, stderr := execute(priced(data, new(metrics.Settings)), "-prices", write(t, "p.csv", long(last)))
		if code != 0 || strings.Contains(stderr, "survivorship: all 2 symbols live") != want || strings.Contains(strings.Join(data.Notes, "\n"), "survivorship") != want {
			t.Errorf("to %s: exit code %d: %s", last, code, stderr)
		}
	}
}

func TestErrorsStayTyped(t *testing.T) {
	_, err := (&Prices{Prices: "none.csv"}).Load(newIO("try", nil, nil))
	var defect *market.DataError
	if !errors.As(err, &defect) {
		t.Errorf("loading a missing file: %v, want a DataError", err)
	}
	_, err = (&Constraints{MaxWeight: 0.1}).Set(newIO("try", nil, nil), symbols)
	var infeasible *simplex.InfeasibleError
	if !errors.As(err, &infeasible) {
		t.Errorf("caps of 0.1 for four assets: %v, want an InfeasibleError", err)
	}
}

// The choices of -convention are all there are.
func TestConventions(t *testing.T) {
	_, all := priced(nil, nil).defaults()
	var want []string
	for _, c := range metrics.Conventions() {
		want = append(want, string(c))
	}
	if got := all.flag("convention").choices; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("choices %v, want %v", got, want)
	}
}

// Four days are not annualised without a word.
func TestFewDays(t *testing.T) {
	file := write(t, "p.csv", "date,OAK\n2024-01-01,100\n2024-01-02,101\n2024-01-03,104\n2024-01-04,103\n")
	code, _, stderr := execute(priced(new(Data), new(metrics.Settings)), "-prices", file)
	if code != 0 || !strings.Contains(stderr, "\nperiods per year: 252 (daily, five days a week, closed on Saturday and Sunday; -periods-per-year overrules)\n") ||
		!strings.Contains(stderr, "WARNING: 3 days of prices are too short to annualise: annual figures take them 122 times over") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if code, _, stderr = execute(priced(new(Data), new(metrics.Settings)), "-prices", file, "-max-jump=0.5"); code != 2 || !strings.Contains(stderr, "-max-jump 0.5: a factor") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// Bars of two markets that are open at other hours share few times, which is
// said; so is a rate that may be meant in percent.
func TestTimesOfTwoMarkets(t *testing.T) {
	folder := t.TempDir()
	for name, opening := range map[string]int{"NORTH": 8, "SOUTH": 14} {
		var b strings.Builder
		b.WriteString("timestamp,open,high,low,close,volume\n")
		for day := range 40 {
			for hour := range 8 {
				at := time.Date(2024, 1, 1+day, opening+hour, 0, 0, 0, time.UTC)
				price := 100 + day%7 + hour%3
				fmt.Fprintf(&b, "%s,%d,%d,%d,%d,5\n", at.Format(time.RFC3339), price, price, price, price)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, name+".csv"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, _, stderr := execute(priced(new(Data), new(metrics.Settings)), "-prices", folder, "-rf=0.5")
	if code != 0 || !strings.Contains(stderr, "WARNING: NORTH, SOUTH are traded at other times than the rest: only 80 of") ||
		!strings.Contains(stderr, "WARNING: -rf 0.5 is 50 % a year: is 0.005 meant?") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}
