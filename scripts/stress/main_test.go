package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// execute returns exit code, stdout and stderr of the verb.
func execute(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return clitest.Execute(t, verb, args...)
}

// prices are 80 closes of three assets, the second of which returns twice what the
// first one does, and the third the opposite, but for a wave.
func prices(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("date,A,B,C\n")
	a, x, c := 100.0, 100.0, 100.0
	for day := range 80 {
		fmt.Fprintf(&b, "2024-%02d-%02d,%.12g,%.12g,%.12g\n", 1+day/28, 1+day%28, a, x, c)
		r := 0.01 * float64(day*day%9-4)
		a, x, c = a*(1+r), x*(1+2*r+0.001*math.Sin(float64(day))), c*(1-r+0.002*math.Cos(2*float64(day)))
	}
	return clitest.File(t, "closes.csv", b.String())
}

const held = "id,B,C\nboth,0.5,0.5\nshort,1.5,-0.5\n"

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-weights w.csv -resamples 200":                 "-resamples goes with -shock SYM=X",
		"-weights w.csv -covariance ewma":               "-covariance goes with -shock SYM=X",
		"-weights w.csv -shock A=-0.2 -crises 3":        "-crises",
		"-weights w.csv -capital 3":                     "-capital goes with -traded-value FILE",
		"-weights w.csv -traded-value t.csv":            "-traded-value needs -capital",
		"-weights w.csv -shock A=-0.2 -covariance nope": "-covariance: ",
		"-weights w.csv -shock A":                       `-shock: "A" is not a symbol and its return`,
		"-weights w.csv -shock =-0.2":                   `-shock: "=-0.2" is not a symbol`,
		"-weights w.csv -shock A=NaN":                   `-shock: "A=NaN" is not a symbol`,
		"-weights w.csv -shock A=-20":                   "-shock: A=-20 is a loss of 2000 %, and no asset loses more than everything: write A=-0.2",
		"-weights w.csv -shock A=20":                    "-shock: A=20 is a rise by 2000 %: write A=0.2",
		"-weights w.csv -shock A=-0.2,A=-0.1":           "-shock: A is given twice",
		"-weights w.csv -shock A=0":                     "-shock: all returns are 0",
		"-weights w.csv -shock A=-0.2 -resamples 3":     "-resamples: 3 lies outside",
		"-shock A=-0.2":                                 "-weights FILE is missing",
	})
}

// TestShock moves an asset that isn't held: the second one is expected to fall twice as
// far, the third one to rise as much.
func TestShock(t *testing.T) {
	closes, weights := prices(t), clitest.File(t, "w.csv", held)
	args := []string{"-prices", closes, "-weights", weights, "-shock", "A=-5%", "-resamples=100"}
	code, stdout, stderr := execute(t, append(args, "-format=json")...)
	var got shocked
	if err := json.Unmarshal([]byte(stdout), &got); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v, %s%s", code, err, stdout, stderr)
	}
	for i, want := range []float64{-0.05, -0.1, 0.05} {
		for _, f := range []*forecast{got.Assets[i].Gaussian, got.Assets[i].History} {
			if x, _ := f.Return.Float(); math.Abs(x-want) > 0.003 {
				t.Errorf("%s is expected to return %v, not %v", got.Assets[i].ID, x, want)
			}
		}
	}
	for i, want := range []float64{-0.025, -0.175} {
		p := got.Portfolios[i]
		x, _ := p.Gaussian.Return.Float()
		low, _ := p.Gaussian.Low.Float()
		high, _ := p.Gaussian.High.Float()
		if math.Abs(x-want) > 0.005 || !(low < x && x < high) {
			t.Errorf("%s is expected to return %v in [%v, %v], not %v", p.ID, x, low, high, want)
		}
	}
	if got.Horizon != 1 || got.Periods != 79 || got.Farther != 0 || got.Check == nil || got.Portfolios[1].ID != "short" {
		t.Errorf("%s", stdout)
	}
	for _, want := range []string{"A -5 % over a horizon of 1 (periods of the prices)", "WARNING: no move in the prices was as large",
		"history: regression over the ", "earlier moves the same way"} {
		if !strings.Contains(stderr, want) || !strings.Contains(strings.Join(got.Notes, "\n"), want) {
			t.Errorf("%q is not said: %s%v", want, stderr, got.Notes)
		}
	}
	_, table, _ := execute(t, append(args, "-format=csv", "-quiet")...)
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil || len(rows) != 6 || len(rows[0]) != 14 || rows[4][1] != "portfolio" {
		t.Fatalf("%v, %v", rows, err)
	}
	want, _ := got.Portfolios[0].History.High.Float()
	if x, err := strconv.ParseFloat(rows[4][13], 64); err != nil || x != want || rows[0][13] != "history_high" {
		t.Errorf("%s is %s in csv, %v in json", rows[0][13], rows[4][13], want)
	}
	_, again, _ := execute(t, append(args, "-format=csv", "-quiet")...)
	if again != table {
		t.Error("the same command gives other numbers")
	}
}

// The table without -shock has a row for each portfolio and stress, whose losses are
// those of the weights as they are.
func TestStresses(t *testing.T) {
	closes, weights := prices(t), clitest.File(t, "w.csv", "id,A,B,C\nall,0.2,0.3,0.5\n")
	code, stdout, stderr := execute(t, "-prices", closes, "-weights", weights, "-format=csv", "-horizon=5", "-crises=2",
		"-traded-value", closes, "-capital=100")
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if code != 0 || err != nil || len(rows) != 1+2+4+3+3+1 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	if got := rows[len(rows)-2]; strings.Join(got, ",") != "all,C to zero,0.5,C,0.5" {
		t.Errorf("C to zero is %v", got)
	}
	if got := rows[len(rows)-1]; got[1] != "liquidation" {
		t.Errorf("the last is %v", got)
	}
}

func TestBadInput(t *testing.T) {
	closes, weights := prices(t), clitest.File(t, "w.csv", held)
	for _, c := range []struct {
		args string
		want string
	}{
		{"-shock D=-0.2", "-shock: unknown symbol D, which the prices that -prices and -symbols choose have not: take it out, or give its prices"},
		{"", "no column for symbol A, which the prices have"},
		{"-shock B=-0.2", "no column for symbol A, which the prices have"},
		{"-shock A=-0.2 -horizon 70", "-shock: 79 returns are too few for a horizon of 70 periods"},
		{"-exclude A -horizon 80", "windows of 80 periods"},
		{"-exclude A -traded-value none.csv -capital 1", "none.csv"},
		{"-weights none.csv", "none.csv: no such file"},
	} {
		code, stdout, stderr := execute(t, append([]string{"-prices", closes, "-weights", weights}, strings.Fields(c.args)...)...)
		lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		if last := lines[len(lines)-1]; code != 1 || !strings.HasPrefix(last, "stress: ") || !strings.Contains(last, c.want) || stdout != "" {
			t.Errorf("%s: exit code %d, %q%s; want %q", c.args, code, last, stdout, c.want)
		}
	}
}

// FuzzParseShocks checks that what is read is finite, a loss of everything at most, and
// of symbols that differ.
func FuzzParseShocks(f *testing.F) {
	for _, text := range []string{"A=-0.2", "A=-20%", "EURUSD=X=0.1", "=", "A=NaN", "A=1e400", `"A"=.1`, "A=0x1p-2"} {
		f.Add(text, "B=0.1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		shocks, err := parseShocks([]string{a, b})
		if err != nil {
			return
		}
		if len(shocks.Names) != 2 || shocks.Names[0] == shocks.Names[1] || shocks.Names[0] == "" {
			t.Errorf("%q, %q: %v", a, b, shocks)
		}
		for _, x := range shocks.Numbers {
			if !(x >= -1 && x <= mostReturn) {
				t.Errorf("%q, %q: %v", a, b, shocks)
			}
		}
	})
}
