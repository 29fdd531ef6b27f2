package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vaefolio/internal/sharedtest"
	"vaefolio/scripts/internal/clitest"
)

// TestBenchmarkReference compares with testdata/benchmark.json, which numpy and
// empyrical-reloaded computed, as its source says.
func TestBenchmarkReference(t *testing.T) {
	text, err := os.ReadFile("testdata/benchmark.json")
	if err != nil {
		t.Fatal(err)
	}
	reference := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	weights := sharedtest.Path(t, "cases", "metrics", "core12_weights.csv")
	all, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	first := clitest.File(t, "first.csv", strings.Join(strings.SplitAfter(string(all), "\n")[:2], ""))
	index := sharedtest.Path(t, "data", "equities", "sp500_index.csv")
	for name, args := range map[string][]string{
		"BTCUSDT": {"BTCUSDT"}, "BTCUSDT rf": {"BTCUSDT", "-rf=0.03"}, "weights": {first}, "SP500": {index},
		"empyrical": {"BTCUSDT", "-rf=0.03", "-convention=empyrical"},
	} {
		t.Run(name, func(t *testing.T) {
			portfolios := map[string]map[string]*float64{}
			if err := json.Unmarshal(reference[name], &portfolios); err != nil || len(portfolios) == 0 {
				t.Fatalf("%d portfolios, %v", len(portfolios), err)
			}
			objects := results(t, append([]string{"-weights", weights, "-prices",
				sharedtest.Path(t, "cases", "data", "core12_close.csv"), "-benchmark"}, args...)...)
			for _, got := range objects {
				for figure, want := range portfolios[got["id"].(string)] {
					_, noted := got["notes"].(map[string]any)[figure]
					if want == nil && (got[figure] != nil || !noted) ||
						want != nil && !near(got[figure], *want, 1e-9, 1e-12) {
						t.Errorf("%s of %v is %v, want %v", figure, got["id"], got[figure], want)
					}
				}
			}
		})
	}
}

// relativeNames are the columns that -benchmark adds.
var relativeNames = []string{"active_return", "tracking_error", "information_ratio", "beta", "alpha", "correlation",
	"up_capture", "down_capture", "active_share"}

// The columns without -benchmark are those that they were, and it adds its own behind them.
func TestBenchmarkColumns(t *testing.T) {
	closes, weights := clitest.File(t, "p.csv", prices), clitest.File(t, "w.csv", even)
	header := func(args ...string) []string {
		code, stdout, stderr := execute(t, append([]string{"-prices", closes, "-weights", weights, "-format=csv", "-quiet"}, args...)...)
		rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
		if code != 0 || err != nil {
			t.Fatalf("exit code %d, %v, stderr %q", code, err, stderr)
		}
		return rows[0]
	}
	index := clitest.File(t, "index.csv", "date,close\n2024-01-01,10\n2024-01-02,11\n2024-01-03,10.5\n2024-01-04,12\n2024-01-05,12.5\n")
	for _, format := range []string{"table", "csv"} {
		code, stdout, stderr := execute(t, "-prices", clitest.File(t, "three.csv", three), "-exclude=C", "-weights",
			clitest.File(t, "w2.csv", twoOfThree+"y,0.5,0.5\n"), "-benchmark", index, "-format", format)
		if code != 0 || strings.Count(stderr, "active_share: the benchmark is") != 1 ||
			strings.Contains(stdout, "the benchmark is") {
			t.Errorf("%s: exit code %d\n%s\n%s", format, code, stdout, stderr)
		}
	}
	before, after := header(), header("-benchmark", "A")
	want := slices.Concat(before[:len(before)-1], relativeNames, []string{"notes"})
	if strings.Join(before, " ") != "id annual_return cagr volatility sharpe sortino max_drawdown calmar var95 "+
		"cvar95 diversification_ratio effective_assets psr notes" || !slices.Equal(after, want) {
		t.Errorf("columns are %v, and with a benchmark %v", before, after)
	}
}

// equal fails unless two portfolios have the same figures against their benchmarks.
func equal(t *testing.T, a, b map[string]any) {
	t.Helper()
	for _, name := range relativeNames {
		x, ok := b[name].(float64)
		if a[name] != b[name] && !(ok && near(a[name], x, 1e-12, 1e-14)) {
			t.Errorf("%s is %v and %v", name, a[name], b[name])
		}
	}
}

const (
	three = "date,A,B,C\n2024-01-01,100,50,10\n2024-01-02,90,55,11\n2024-01-03,99,44,10.5\n2024-01-04,108.9,66,10.1\n" +
		"2024-01-05,105,60,10.4\n"
	twoOfThree = "id,A,B\nx,0.3,0.7\n"
)

// TestBenchmarkForms gives the same benchmark as a symbol among the assets, as one that is
// none of them, as weights, and as a file of closes and of returns.
func TestBenchmarkForms(t *testing.T) {
	closes := clitest.File(t, "p.csv", three)
	whole := results(t, "-prices", closes, "-weights", clitest.File(t, "w.csv", "A,B,C\n0.3,0.7,0\n"), "-benchmark=C")[0]
	if whole["active_share"] != 1.0 {
		t.Errorf("the active share is %v, want 1", whole["active_share"])
	}
	two := clitest.File(t, "w.csv", twoOfThree)
	for name, args := range map[string][]string{
		"missing in the weights":   {"-benchmark=C"},
		"left out by -symbols":     {"-benchmark=C", "-symbols=A,B"},
		"left out by -exclude":     {"-benchmark=C", "-exclude=C"},
		"in another order":         {"-benchmark=C", "-symbols=B,A"},
		"also in another order":    {"-benchmark=C", "-symbols=B,A", "-listings=as-it-was"},
		"of the day's local dates": {"-benchmark=C", "-to=2024-01-05"},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, results(t, append(args, "-prices", closes, "-weights", two)...)[0], whole)
		})
	}
	weights := clitest.File(t, "b.csv", "A,B,C\n0,0,1\n")
	equal(t, results(t, "-prices", closes, "-weights", clitest.File(t, "w.csv", "A,B,C\n0.3,0.7,0\n"), "-benchmark", weights)[0], whole)

	whole["active_share"] = nil // of a series it isn't known
	for name, file := range map[string]struct{ text, kind string }{
		"closes": {"Date,Close\n2024-01-01,20\n2024-01-02,22\n2024-01-03,21\n2024-01-04,20.2\n2024-01-05,20.8\n", ""},
		"candles of Stooq": {"Date,Open,High,Low,Close,Volume\n2024-01-01,19,21,18,20,9000000\n2024-01-02,20,23,19,22,8000000\n2024-01-03,22,22,20,21,0\n" +
			"2024-01-04,21,21,20,20.2,1\n2024-01-05,20,21,20,20.8,2\n", ""},
		"candles of Yahoo": {"Date,Open,High,Low,Close*,Adj Close**,Volume\n\"Jan 05, 2024\",\"2,020\",\"2,100\",\"2,000\",\"2,080.00\",\"2,080.00\",-\n" +
			"\"Jan 04, 2024\",2020,2100,2000,2020,2020,-\n\"Jan 03, 2024\",2100,2100,2000,2100,2100,-\n\"Jan 02, 2024\",2200,2200,2000,2200,2200,-\n" +
			"\"Jan 01, 2024\",2000,2000,2000,2000,2000,-\n", ""},
		"dates of S&P": {"Effective date ,S&P 500\n1/1/2024,20\n1/2/2024,22\n1/3/2024,21\n1/4/2024,20.2\n1/5/2024,20.8\n1/18/2024,21\n", ""},
		"returns":      {"date,index\n2024-01-02,10\n2024-01-03,-4.545454545454545454\n2024-01-04,-3.8095238095238095\n2024-01-05,2.9702970297029703\n", "simple-percent"},
		"returns of a day before": {"date,index\n2024-01-01,7\n2024-01-02,10\n2024-01-03,-4.545454545454545454\n2024-01-04,-3.8095238095238095\n" +
			"2024-01-05,2.9702970297029703\n2024-01-08,1\n", "simple-percent"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"-prices", clitest.File(t, "p.csv", "date,A,B\n2024-01-01,100,50\n2024-01-02,90,55\n2024-01-03,99,44\n2024-01-04,108.9,66\n2024-01-05,105,60\n"),
				"-weights", two, "-benchmark", clitest.File(t, "index.csv", file.text)}
			if file.kind != "" {
				args = append(args, "-benchmark-returns", file.kind)
			}
			equal(t, results(t, args...)[0], whole)
		})
	}
}

// With -returns a benchmark's file holds returns too, unless it is said to hold closes.
func TestBenchmarkOfReturns(t *testing.T) {
	returns := clitest.File(t, "r.csv", "date,A,B\n2024-01-02,-0.1,0.1\n2024-01-03,0.1,-0.2\n2024-01-04,0.1,0.5\n")
	two := clitest.File(t, "w.csv", twoOfThree)
	args := []string{"-prices", returns, "-returns=simple", "-weights", two}
	want := results(t, append(args, "-benchmark=A")...)[0]
	want["active_share"] = nil
	own := clitest.File(t, "i.csv", "date,index\n2024-01-02,-0.1\n2024-01-03,0.1\n2024-01-04,0.1\n")
	equal(t, results(t, append(args, "-benchmark", own)...)[0], want)
	closes := clitest.File(t, "c.csv", "date,index\n2024-01-01,100\n2024-01-02,90\n2024-01-03,99\n2024-01-04,108.9\n")
	equal(t, results(t, append(args, "-benchmark", closes, "-benchmark-returns=closes")...)[0], want)
}

// A benchmark with other dates leaves those that both have, over which all figures are,
// and says so in a line.
func TestBenchmarkOfOtherDates(t *testing.T) {
	closes, two := clitest.File(t, "p.csv", three), clitest.File(t, "w.csv", "A,B,C\n0.3,0.7,0\n")
	index := clitest.File(t, "i.csv", "date,index\n2023-12-29,7\n2024-01-01,10\n2024-01-03,11\n2024-01-05,10.5\n2024-01-08,10.7\n")
	code, stdout, stderr := execute(t, "-prices", closes, "-weights", two, "-benchmark", index, "-format=csv", "-periods-per-year=250")
	if code != 0 || !strings.Contains(stderr, "3 of the 5 times of the prices are its too, 2024-01-01 to 2024-01-05") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	part := clitest.File(t, "p.csv", "date,A,B,C\n2024-01-01,100,50,10\n2024-01-03,99,44,10.5\n2024-01-05,105,60,10.4\n")
	_, want, _ := execute(t, "-prices", part, "-weights", two, "-benchmark", index, "-format=csv", "-quiet", "-periods-per-year=250")
	if stdout != want {
		t.Errorf("figures are\n%s\nand of those days alone\n%s", stdout, want)
	}
}

// TestBenchmarkUndefined sets portfolios beside a benchmark that never moves, and beside
// one of them.
func TestBenchmarkUndefined(t *testing.T) {
	closes, two := clitest.File(t, "p.csv", three), clitest.File(t, "w.csv", "A,B,C\n0.3,0.7,0\n1,0,0\n")
	cash := clitest.File(t, "cash.csv", "date,cash\n2024-01-01,1\n2024-01-02,1\n2024-01-03,1\n2024-01-04,1\n2024-01-05,1\n")
	for _, got := range results(t, "-prices", closes, "-weights", two, "-benchmark", cash) {
		for _, name := range []string{"beta", "alpha", "correlation", "up_capture", "down_capture", "active_share"} {
			if reason, ok := got["notes"].(map[string]any)[name]; got[name] != nil || !ok {
				t.Errorf("%s beside cash is %v, its reason %v", name, got[name], reason)
			}
		}
		if !near(got["active_return"], got["annual_return"].(float64), 1e-12, 0) || !near(got["tracking_error"], got["volatility"].(float64), 1e-12, 0) {
			t.Errorf("beside cash the active return is %v of %v, the tracking error %v of %v", got["active_return"],
				got["annual_return"], got["tracking_error"], got["volatility"])
		}
	}
	for _, benchmark := range []string{"A", clitest.File(t, "b.csv", "C,A,B\n0,1,0\n")} {
		got := results(t, "-prices", closes, "-weights", two, "-benchmark", benchmark)[1]
		if got["tracking_error"] != 0.0 || got["information_ratio"] != nil || got["beta"] != 1.0 || got["active_share"] != 0.0 {
			t.Errorf("the benchmark beside itself is %v", got)
		}
	}
	_, stdout, _ := execute(t, "-prices", closes, "-weights", two, "-benchmark", cash, "-format=csv", "-quiet")
	if strings.Contains(stdout, "NaN") || !strings.Contains(stdout, ",,,,,,,") {
		t.Errorf("csv is %s", stdout)
	}
}

// Funding is taken off a perpetual that is the benchmark, whether or not it is an asset too.
func TestBenchmarkOfPerpetuals(t *testing.T) {
	var closes, rates strings.Builder
	closes.WriteString("date,A,B,C\n")
	rates.WriteString("timestamp,symbol,rate\n")
	for day := 1; day <= 9; day++ {
		date := "2024-01-0" + strconv.Itoa(day)
		if day < 9 {
			closes.WriteString(date + "," + strconv.Itoa(100+day*day%7) + "," + strconv.Itoa(50+day*3%5) + "," + strconv.Itoa(10+day%4) + "\n")
		}
		for _, hour := range []string{"00", "08", "16"} {
			for k, symbol := range []string{"A", "B", "C"} {
				rates.WriteString(date + "T" + hour + ":00:00Z," + symbol + ",0.00" + strconv.Itoa(k+1) + "\n")
			}
		}
	}
	args := []string{"-prices", clitest.File(t, "p.csv", closes.String()), "-funding", clitest.File(t, "f.csv", rates.String()), "-benchmark=C"}
	whole := results(t, append(args, "-weights", clitest.File(t, "w.csv", "A,B,C\n0.3,0.7,0\n"))...)[0]
	equal(t, results(t, append(args, "-weights", clitest.File(t, "w.csv", twoOfThree))...)[0], whole)
	without := results(t, append(args[:2:2], "-benchmark=C", "-weights", clitest.File(t, "w.csv", twoOfThree))...)[0]
	if without["active_return"] == whole["active_return"] {
		t.Error("funding changes nothing")
	}
}

// A monthly benchmark meets prices by month: monthly ones whatever the days of their labels
// are, and daily ones at the last of their days in each month.
func TestMonthlyBenchmark(t *testing.T) {
	var daily, monthly strings.Builder
	daily.WriteString("date,A,B,C\n")
	monthly.WriteString("date,A,B,C\n")
	price := func(i int) string { return fmt.Sprintf("%d,%d,%d", 100+i*i%7, 50+i*3%5, 10+i%4) }
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 150 { // to Wednesday 29 May
		day := first.AddDate(0, 0, i)
		if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
			continue
		}
		row := day.Format(time.DateOnly) + "," + price(i) + "\n"
		daily.WriteString(row)
		if next := day.AddDate(0, 0, 1); next.Month() != day.Month() || day.Weekday() == time.Friday && day.AddDate(0, 0, 3).Month() != day.Month() {
			monthly.WriteString(row)
		}
	}
	weights := clitest.File(t, "w.csv", "A,B,C\n0.3,0.7,0\n")
	const ends = "date,X\n2023-12-31,98\n2024-01-31,100\n2024-02-29,101\n2024-03-31,103\n2024-04-30,102\n2024-05-31,104\n"
	const starts = "date,X\n2023-12-01,98\n2024-01-01,100\n2024-02-01,101\n2024-03-01,103\n2024-04-01,102\n2024-05-01,104\n"
	for _, c := range []struct{ name, prices, benchmark, said string }{
		{"ends beside days", daily.String(), ends, ", by month: 1 of its 6 dates are of another day than those of the prices; 4 of the 108 times"},
		{"ends beside months", monthly.String(), ends, ", by month: 1 of its 6 dates"},
		{"starts beside months", monthly.String(), starts, ", by month: 4 of its 6 dates"},
	} {
		code, stdout, stderr := execute(t, "-prices", clitest.File(t, "p.csv", c.prices), "-weights", weights, "-benchmark", clitest.File(t, "b.csv", c.benchmark), "-format=csv")
		if code != 0 || !strings.Contains(stderr, c.said) || !strings.Contains(stderr, "periods per year: 12 (monthly") || strings.Contains(stdout, "NaN") {
			t.Errorf("%s: exit code %d, %s%s", c.name, code, stdout, stderr)
		}
	}
}

func TestBadBenchmark(t *testing.T) {
	closes, two := clitest.File(t, "p.csv", three), clitest.File(t, "w.csv", "A,B,C\n0.3,0.7,0\n")
	file := func(text string) string { return clitest.File(t, "b.csv", text) }
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"misspelt", []string{"-benchmark=c"}, 1, "-benchmark c is no file, and as a symbol of the prices: unknown symbol c: did you mean C?"},
		{"misspelt beside -symbols", []string{"-benchmark=CC", "-symbols=A,B"}, 1, "-benchmark CC is no file, and as a symbol of the prices: unknown symbol CC"},
		{"another misspelt symbol", []string{"-benchmark=C", "-symbols=A,BB"}, 1, "unknown symbol BB"},
		{"no such file", []string{"-benchmark=none.csv"}, 1, "-benchmark none.csv is no file"},
		{"folder", []string{"-benchmark", t.TempDir()}, 1, "is no file"},
		{"a home", []string{"-benchmark=~/b.csv"}, 1, "-benchmark ~/b.csv is no file: no such file or folder: ~ is a home for shells alone"},
		{"standard input", []string{"-benchmark=-"}, 1, "-benchmark -: standard input is not read"},
		{"a page of the web", []string{"-benchmark", file("<!DOCTYPE html><html></html>\n")}, 1, "evaluate: -benchmark: "},
		{"JSON", []string{"-benchmark", file(`{"error":"limit"}`)}, 1, "b.csv:1: is JSON, and no table"},
		{"weights in percent", []string{"-benchmark", file("A,B,C\n50,50,0\n")}, 1, "evaluate: -benchmark: "},
		{"device", []string{"-benchmark=/dev/null"}, 2, "-benchmark /dev/null is a device: give a file"},
		{"empty", []string{"-benchmark", file("")}, 1, "b.csv"},
		{"no sum", []string{"-benchmark", file("A,B,C\n0.5,0.4,0\n")}, 1, "neither weights ("},
		{"two rows", []string{"-benchmark", file("A,B,C\n1,0,0\n0,1,0\n")}, 1, "2 rows of weights where one is wanted"},
		{"missing symbol", []string{"-benchmark", file("A,B\n0.5,0.5\n")}, 1, "b.csv:1: no column for symbol C"},
		{"unknown symbol", []string{"-benchmark", file("A,B,D\n0.5,0.5,0\n")}, 1, "unknown symbol D"},
		{"other symbols", []string{"-benchmark", file("X,Y\n0.5,0.5\n")}, 1, "weights of other symbols, such as X, than the prices have, such as A"},
		{"two indices", []string{"-benchmark", file("date,X,Y\n2024-01-01,1,2\n2024-01-02,3,4\n2024-01-03,3,4\n")}, 1, "has 2 assets, such as X, and one is wanted"},
		{"bad close", []string{"-benchmark", file("date,X\n2024-01-01,1\n2024-01-02,-3\n2024-01-03,3\n")}, 1, "b.csv:3"},
		{"other dates", []string{"-benchmark", file("date,X\n2020-01-01,1\n2020-01-02,3\n2020-01-03,3\n")}, 1, "shares 0 of the 5 times of the prices (2024-01-01 to 2024-01-05), and is itself of 2020-01-01 to 2020-01-03: at least 3 are wanted"},
		{"by the hour", []string{"-benchmark", file("date,X\n2024-01-01T14:00:00Z,1\n2024-01-01T15:00:00Z,3\n2024-01-01T16:00:00Z,3\n")}, 1, "at least 3 are wanted: give it at the times of the prices"},
		{"months by their names", []string{"-benchmark", file("date,X\n2023-11,1\n2023-12,3\n2024-01,3\n2024-02,3\n")}, 1, "are dated by the first days of months"},
		{"returns in percent", []string{"-benchmark", file("date,index\n2024-01-02,1.2\n2024-01-03,-0.47\n2024-01-04,2\n")}, 1, `b.csv:3: column 2: index "-0.47" is not above 0: correct it, or say by -benchmark-returns`},
		{"returns with percent signs", []string{"-benchmark", file("date,return\n2024-01-02,1.2%\n2024-01-03,-0.47%\n")}, 1, `is in percent, as no price is: say by -benchmark-returns`},
		{"bad candle", []string{"-benchmark", file("Date,Open,High,Low,Close\n2024-01-02,1,1,1,1\n2024-01-03,1,1,1,x\n2024-01-04,1,1,1,1\n")}, 1, "evaluate: -benchmark: "},
		{"returns taken for closes", []string{"-benchmark", file("date,X\n2024-01-01,0.1\n2024-01-02,-0.1\n2024-01-03,0.2\n")}, 1, "b.csv:3"},
		{"kind of a symbol", []string{"-benchmark=C", "-benchmark-returns=log"}, 2, "-benchmark-returns is for a file of one asset, and C is none"},
		{"kind of weights", []string{"-benchmark", file("A,B,C\n1,0,0\n"), "-benchmark-returns=log"}, 2, "-benchmark-returns is for a file of one asset"},
		{"kind alone", []string{"-benchmark-returns=log"}, 2, "-benchmark-returns goes with -benchmark"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := execute(t, append([]string{"-prices", closes, "-weights", two}, c.args...)...)
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if strings.HasPrefix(c.want, "evaluate: ") && strings.Contains(stderr, "neither weights") {
				t.Errorf("both ways of reading are told: %s", stderr)
			}
			if last := lines[len(lines)-1]; code != c.code || !strings.HasPrefix(last, "evaluate: ") || !strings.Contains(last, c.want) {
				t.Errorf("exit code %d, %q; want %d, %q", code, last, c.code, c.want)
			}
			if stdout != "" {
				t.Errorf("stdout %q", stdout)
			}
		})
	}
}
