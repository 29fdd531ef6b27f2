package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"vaefolio/internal/sharedtest"
	"vaefolio/scripts/internal/clitest"
)

func execute(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return clitest.Execute(t, verb, args...)
}

// object is the part of the result that the tests read.
type object struct {
	Periods int
	Rows    []struct {
		Name                 string
		Figures              map[string]struct{ Value, From, To float64 }
		PSR, DSR             float64
		Trials               int
		BlockLength          float64 `json:"block_length"`
		BlockLengthOfSquares float64 `json:"block_length_of_squares"`
	}
	Pairs []struct {
		A, B       string
		Difference float64 `json:"sharpe_difference"`
		LW         struct{ Bandwidth, SE, Z, P float64 }
		JKM        struct{ Z, P float64 }
		Bootstrap  struct{ From, To float64 }
	}
	PBO    *map[string]float64
	Config []struct {
		Key    string
		Values []string
	}
	Notes []string
}

func result(t *testing.T, args ...string) object {
	t.Helper()
	code, stdout, stderr := execute(t, append(args, "-format", "json", "-quiet")...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %s", code, stderr)
	}
	var o object
	if err := json.Unmarshal([]byte(stdout), &o); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	return o
}

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.17g, want %.17g", name, got, want)
	}
}

// core12 writes a file of three tracks of the reference prices: BTC, inverse
// volatility and equal weights, restored every day.
func core12(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(sharedtest.Path(t, "cases", "data", "core12_close.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var dates []string
	var returns [][]float64
	var last []float64
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), ",")
		closes := make([]float64, len(cells)-1)
		for j, cell := range cells[1:] {
			closes[j], _ = strconv.ParseFloat(cell, 64)
		}
		if len(last) > 0 && last[0] > 0 {
			row := make([]float64, len(closes))
			for j := range closes {
				row[j] = closes[j]/last[j] - 1
			}
			dates, returns = append(dates, cells[0]), append(returns, row)
		}
		last = closes
	}
	n, periods := len(last), float64(len(returns))
	weights, sum := make([]float64, n), 0.0
	for j := range n {
		var mean, squares float64
		for _, row := range returns {
			mean += row[j] / periods
		}
		for _, row := range returns {
			squares += (row[j] - mean) * (row[j] - mean)
		}
		weights[j] = 1 / math.Sqrt(squares/(periods-1))
		sum += weights[j]
	}
	var b strings.Builder
	b.WriteString("date,BTC,inverse vol,equal weight\n")
	for i, row := range returns {
		var inverse, equal float64
		for j, r := range row {
			inverse += weights[j] / sum * r
			equal += r / float64(n)
		}
		fmt.Fprintf(&b, "%s,%v,%v,%v\n", dates[i], row[0], inverse, equal)
	}
	return clitest.File(t, "core12.csv", b.String())
}

// The differences of Sharpe ratios of the reference, to 1e-8.
func TestReferenceDifferences(t *testing.T) {
	type estimate struct{ Diff, SE, Z, P float64 }
	var reference struct {
		Cases []struct {
			Name     string
			Memmel   estimate
			IID      estimate `json:"lw2008_iid"`
			Bartlett estimate `json:"lw2008_bartlett_L5"`
			Parzen   estimate `json:"lw2008_parzen_S10"`
		}
	}
	sharedtest.JSON(t, &reference, "cases", "overfit", "sharpe_difference.json")
	path := core12(t)
	for kernel, flags := range [][]string{
		{"-kernel", "none"}, {"-kernel", "bartlett", "-bandwidth", "6"}, {"-bandwidth", "10"},
	} {
		o := result(t, append([]string{path, "-resamples", "100"}, flags...)...)
		for k, c := range reference.Cases {
			pair, want := o.Pairs[1+k], []estimate{c.IID, c.Bartlett, c.Parzen}[kernel]
			if pair.A+" vs "+pair.B != c.Name {
				t.Fatalf("pair of %s and %s for %s", pair.A, pair.B, c.Name)
			}
			near(t, c.Name+" difference", pair.Difference/want.Diff, 1, 1e-8)
			near(t, c.Name+" se", pair.LW.SE/want.SE, 1, 1e-8)
			near(t, c.Name+" z", pair.LW.Z/want.Z, 1, 1e-8)
			near(t, c.Name+" p", pair.LW.P/want.P, 1, 1e-8)
			near(t, c.Name+" Memmel z", pair.JKM.Z/c.Memmel.Z, 1, 1e-8)
			near(t, c.Name+" Memmel p", pair.JKM.P/c.Memmel.P, 1, 1e-8)
		}
	}
}

// Block lengths and intervals of the reference.
func TestReferenceIntervals(t *testing.T) {
	type interval struct {
		CI        []float64 `json:"ci95_percentile"`
		Tolerance float64   `json:"tolerance_abs"`
	}
	var reference struct {
		Cases []struct {
			Sharpe       float64
			Length       map[string]float64 `json:"optimal_block_length"`
			OfSquares    map[string]float64 `json:"optimal_block_length_of_squares"`
			Stationary10 interval           `json:"stationary_10"`
			Circular10   interval           `json:"circular_10"`
		}
	}
	sharedtest.JSON(t, &reference, "cases", "overfit", "bootstrap_sharpe.json")
	c := reference.Cases[0]
	path := core12(t)
	for k, flags := range [][]string{{"-block", "10"}, {"-block", "10", "-circular"}} {
		want := []interval{c.Stationary10, c.Circular10}[k]
		row := result(t, append([]string{path, "-tracks", "equal weight", "-resamples", "5000"}, flags...)...).Rows[0]
		near(t, "Sharpe", row.Figures["sharpe"].Value, c.Sharpe, 1e-8)
		near(t, "from", row.Figures["sharpe"].From, want.CI[0], want.Tolerance)
		near(t, "to", row.Figures["sharpe"].To, want.CI[1], want.Tolerance)
		near(t, "block", row.BlockLength/c.Length["stationary"], 1, 1e-8)
		near(t, "block of squares", row.BlockLengthOfSquares/c.OfSquares["stationary"], 1, 1e-8)
	}
}

// The probability of overfitting of the reference, to 1e-12.
func TestReferenceOverfitting(t *testing.T) {
	var reference struct {
		Cases []struct {
			Name     string
			S        int
			Expected map[string]float64
		}
	}
	sharedtest.JSON(t, &reference, "cases", "overfit", "pbo.json")
	noise := sharedtest.Path(t, "cases", "overfit", "noise_640x50.csv")
	text, err := os.ReadFile(noise)
	if err != nil {
		t.Fatal(err)
	}
	var twice strings.Builder
	for line := range strings.Lines(string(text)) {
		ten := strings.Join(strings.Split(strings.TrimSpace(line), ",")[:10], ",")
		fmt.Fprintf(&twice, "%s,%s\n", ten, strings.ReplaceAll(ten, "s", "again"))
	}
	inputs := map[string]string{"noise": noise, "noise_S8": noise, "duplicates_20": clitest.File(t, "twice.csv", twice.String())}
	checked := 0
	for _, c := range reference.Cases {
		path, ok := inputs[c.Name]
		if !ok {
			continue // its input isn't part of the reference data
		}
		checked++
		o := *result(t, path, "-pbo", fmt.Sprint(c.S), "-resamples", "100").PBO
		near(t, c.Name+" pbo", o["value"], c.Expected["pbo"], 1e-12)
		near(t, c.Name+" combinations", o["combinations"], c.Expected["n_combinations"], 0)
		for name, of := range map[string]string{
			"mean_logit": "mean_logit", "median_logit": "median_logit", "probability_of_loss": "prob_oos_loss",
			"mean_in_sample": "mean_is_sr", "mean_out_of_sample": "mean_oos_sr", "degradation_slope": "degradation_slope",
		} {
			near(t, c.Name+" "+name, o[name], c.Expected[of], 1e-8*max(1e-3, math.Abs(c.Expected[of])))
		}
	}
	if checked != len(inputs) {
		t.Errorf("checked %d cases, want %d", checked, len(inputs))
	}
}

func TestFormats(t *testing.T) {
	path := clitest.File(t, "r.csv", "a,b\n0.01,0.02\n-0.02,0.01\n0.03,-0.01\n0.01,0.01\n-0.01,0.02\n0.02,0\n0,0.01\n0.01,-0.02\n")
	for args, want := range map[string]string{
		"-format csv":                        "name,source,annual_return,annual_return_from",
		"-format csv -of pairs":              "a,b,sharpe_difference,bootstrap_from",
		"-format table":                      "better than a? best is b",
		"-against a":                         "against a\nname ",
		"-format csv -of against -against a": "name,active_return,active_return_from,active_return_to,tracking_error,",
		"-format csv -level 0.99":            "var99",
	} {
		code, stdout, stderr := execute(t, append([]string{path}, strings.Fields(args)...)...)
		if code != 0 || !strings.Contains(stdout, want) || !strings.Contains(stderr, "periods per year: 1 (the returns have no dates)") {
			t.Errorf("%s: exit code %d, stdout %s, stderr %s", args, code, stdout, stderr)
		}
	}
	again := result(t, path)
	if fmt.Sprint(again) != fmt.Sprint(result(t, path)) {
		t.Error("two runs differ")
	}
}

func TestRefuses(t *testing.T) {
	good := strconv.Quote(clitest.File(t, "r.csv", "a,b\n0.01,0.02\n-0.02,0.01\n0.03,-0.01\n"))
	bad := strconv.Quote(clitest.File(t, "bad.csv", "a,b\n0.01,x\n"))
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"", 2, "run"},
		{bad, 1, "bad.csv:2: column 2: strategy b: \"x\" is no number"},
		{strconv.Quote(t.TempDir()), 1, "holds no run"},
		{good + " -tracks c", 2, "no track c"},
		{good + " -pbo 3", 2, "-pbo 3"},
		{good + " -pbo 4", 1, "-pbo 4: 3 returns are too few"},
		{good + " -against c", 1, "-against: no track c"},
		{good + " -trial-log nowhere", 1, "-trial-log: nowhere"},
		{good + " -block 0.5", 2, "-block 0.5"},
		{good + " -format csv -of against", 2, "-of against lists the tracks beside that of -against NAME"},
		{"none.csv", 1, "none.csv"},
	} {
		code, stdout, stderr := execute(t, clitest.Words(c.args)...)
		if code != c.code || stdout != "" || !strings.HasPrefix(stderr, "compare: ") || !strings.Contains(stderr, c.want) ||
			strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, stderr %s", c.args, code, stderr)
		}
	}
	clitest.Foreign(t, verb, map[string]string{
		"r.csv -kernel none -bandwidth 3": "-bandwidth goes with",
		"r.csv -of pairs":                 "-of goes with",
	})
}
