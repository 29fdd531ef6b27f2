package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/compare"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
)

func execute(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = verb.Execute(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestBacktestFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("draws the pictures of whole runs, which the race detector makes slow: run without -short")
	}
	dir := filepath.Join(t.TempDir(), "backtest")
	args := []string{
		"-strategies", "equal-weight,min-variance,hrp,latent-sharpe", "-train", "400", "-test", "500", "-max-weight", "0.3",
		"-n", "200", "-steps", "40", "-models", "2", "-backend", "go", "-format", "json", "-out", dir,
	}
	code, stdout, stderr := execute(args...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	var printed []map[string]any
	if err := json.Unmarshal([]byte(stdout), &printed); err != nil || len(printed) != 4 {
		t.Fatalf("%d strategies printed (%v)", len(printed), err)
	}

	returns := read(t, filepath.Join(dir, "returns.csv"))
	if len(returns) != 1001 || strings.Join(returns[0], ",") != "date,equal-weight,min-variance,hrp,latent-sharpe" {
		t.Fatalf("returns.csv has %d lines and begins with %v", len(returns), returns[0])
	}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var summary experiment.BacktestSummary
	if err := json.Unmarshal(text, &summary); err != nil {
		t.Fatal(err)
	}
	for k, s := range summary.Strategies {
		wealth := 1.0
		for _, line := range returns[1:] {
			r, err := strconv.ParseFloat(line[k+1], 64)
			if err != nil {
				t.Fatal(err)
			}
			wealth *= 1 + r
		}
		if diff := wealth - s.FinalWealth; diff > 1e-12 || diff < -1e-12 {
			t.Errorf("%s: returns.csv compounds to %v, the summary says %v", s.Name, wealth, s.FinalWealth)
		}
	}
	trials := read(t, filepath.Join(dir, "trials.csv"))
	if got := strings.Join(trials[0][5:], ","); len(trials) != 1001 || got != "latent-sharpe model 1,latent-sharpe model 2" {
		t.Errorf("trials.csv has %d lines, its last columns are %s", len(trials), got)
	}
	if s := summary.Strategies[3]; summary.Trials != 6 || len(s.SharpeOfModels) != 2 {
		t.Errorf("%d trials, Sharpe ratios %v of the models", summary.Trials, s.SharpeOfModels)
	}
	weights := read(t, filepath.Join(dir, "weights.csv"))
	if len(weights) != 1+4*2 || len(weights[0]) != 2+12 {
		t.Errorf("weights.csv has %d lines of %d columns", len(weights), len(weights[0]))
	}
	for _, line := range weights[1:] {
		for _, cell := range line[2:] {
			if w, err := strconv.ParseFloat(cell, 64); err != nil || w < 0 || w > 0.3 {
				t.Errorf("%s at %s holds %s (%v)", line[0], line[1], cell, err)
			}
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || !bytes.Contains(page, []byte("Walk-forward test")) || !bytes.Contains(page, []byte("SYNTHETIC")) ||
		!bytes.Contains(page, []byte("go run ./scripts/verify "+dir)) {
		t.Errorf("report.html lacks its section, that the data are synthetic, or how to check them (%v)", err)
	}

	again := filepath.Join(t.TempDir(), "again")
	if code, _, stderr := execute("-config", filepath.Join(dir, "config.toml"), "-quiet", "-out", again); code != 0 {
		t.Fatalf("from config.toml: exit code %d\n%s", code, stderr)
	}
	a, _ := os.ReadFile(filepath.Join(dir, "returns.csv"))
	b, _ := os.ReadFile(filepath.Join(again, "returns.csv"))
	if !bytes.Equal(a, b) {
		t.Error("returns.csv differs when its configuration is repeated")
	}
}

// What models chose is found again in the cache, by other runs too; a damaged file
// there is made anew.
func TestModelsAreTrainedOnce(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	var first []byte
	for i := range 3 {
		dir := filepath.Join(t.TempDir(), "run")
		code, _, stderr := execute("-strategies", "model-mean", "-symbols", "ALDER,BIRCH", "-train", "400", "-test", "1000",
			"-n", "100", "-steps", "3", "-models", "2", "-backend", "go", "-cache", cache, "-out", dir)
		if code != 0 {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
		files, err := filepath.Glob(filepath.Join(cache, "*.json"))
		if err != nil || len(files) != 2 {
			t.Fatalf("%d decisions in the cache (%v)", len(files), err)
		}
		returns, err := os.ReadFile(filepath.Join(dir, "returns.csv"))
		if err != nil {
			t.Fatal(err)
		}
		switch i {
		case 0: // the next run must find another choice, and take it
			first = returns
			if err := os.WriteFile(files[0], []byte(`{"model-mean": [1, 0]}`), 0o644); err != nil {
				t.Fatal(err)
			}
		case 1:
			if bytes.Equal(returns, first) {
				t.Error("the cache isn't read")
			}
			if err := os.WriteFile(files[0], []byte(`{"model-mean": [1`), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			if !bytes.Equal(returns, first) {
				t.Error("a damaged choice isn't made anew")
			}
		}
	}
}

// Combinatorially purged splits: the first path as if it were the only one, and all
// of them beside each other.
func TestCombinatorialSplits(t *testing.T) {
	if testing.Short() {
		t.Skip("draws the pictures of whole runs, which the race detector makes slow: run without -short")
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, _, stderr := execute("-strategies", "equal-weight,min-variance", "-groups", "5", "-held-out", "2", "-embargo", "10",
		"-out", dir)
	if code != 0 || !strings.Contains(stderr, "paths.csv has all") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	paths, returns := read(t, filepath.Join(dir, "paths.csv")), read(t, filepath.Join(dir, "returns.csv"))
	if len(paths) != 1501 || len(paths[0]) != 1+2*4 || paths[0][8] != "min-variance path 4" || len(returns) != 1501 ||
		returns[700][2] != paths[700][5] {
		t.Errorf("%d lines of paths %v, %d of returns", len(paths), paths[0], len(returns))
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || !bytes.Contains(page, []byte("10 splits, which make up 4 paths")) {
		t.Errorf("the report doesn't say what it is of (%v)", err)
	}
	if code, _, stderr := execute("-groups", "5", "-train", "100", "-out", dir); code != 2 || !strings.Contains(stderr, "-train goes") {
		t.Errorf("a training window of splits: exit code %d, %s", code, stderr)
	}
}

func read(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// Funding lowers what a long-only portfolio of perpetuals earns by what it
// pays, and all that the run leaves says whether it is in.
func TestFunding(t *testing.T) {
	var prices, funding strings.Builder
	prices.WriteString("timestamp,AAA,BBB\n")
	funding.WriteString("timestamp,symbol,rate\n")
	for i := range 60 {
		open := int64(1704067200000 + i*86_400_000)
		fmt.Fprintf(&prices, "%d,%d,%d\n", open, 100+i%7, 200+i%5)
		for k := range int64(3) {
			fmt.Fprintf(&funding, "%d,AAA,0.001\n%[1]d,BBB,0.001\n", open+k*28_800_000)
		}
	}
	pricesFile, fundingFile := filepath.Join(t.TempDir(), "p.csv"), filepath.Join(t.TempDir(), "f.csv")
	if err := errors.Join(os.WriteFile(pricesFile, []byte(prices.String()), 0o644), os.WriteFile(fundingFile, []byte(funding.String()), 0o644)); err != nil {
		t.Fatal(err)
	}
	earned := map[bool]float64{}
	for _, with := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "run")
		args := []string{"-prices", pricesFile, "-strategies", "equal-weight", "-train", "30", "-test", "10", "-constant-weights", "-cost-bps", "0", "-out", dir}
		said := "returns: of prices alone"
		if with {
			args, said = append(args, "-funding", fundingFile), "the funding they paid taken off: 109"
		}
		code, _, stderr := execute(args...)
		if code != 0 || !strings.Contains(stderr, said) {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		var summary experiment.BacktestSummary
		var manifest run.Manifest
		for name, v := range map[string]any{"summary.json": &summary, "manifest.json": &manifest} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, v); err != nil {
				t.Fatal(err)
			}
		}
		if summary.Funding != with || manifest.Funding != with {
			t.Errorf("funding %v: the summary says %v, the manifest %v", with, summary.Funding, manifest.Funding)
		}
		page, err := os.ReadFile(filepath.Join(dir, "report.html"))
		if err != nil || !bytes.Contains(page, []byte(said)) {
			t.Errorf("the report doesn't say %q (%v)", said, err)
		}
		earned[with], _ = summary.Strategies[0].AnnualReturn.Float()
	}
	// Three times a day of about what a position is worth.
	if paid := earned[false] - earned[true]; paid < 1.09 || paid > 1.10 {
		t.Errorf("a year's funding of 0.1 %% every eight hours lowers returns by %v", paid)
	}
}

func TestBacktestRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-strategies", "momentum"}, 2, `unknown strategy "momentum"`},
		{[]string{"-strategies", "hrp,hrp"}, 2, "named twice"},
		{[]string{"-strategies", "risk-budget"}, 2, "unknown strategy"},
		{[]string{"-covariance", "guess"}, 2, "guess"},
		{[]string{"-train", "1"}, 2, "-train"},
		{[]string{"-strategies", "equal-weight,latent-sharpe", "-lower", "-0.1"}, 2, "-lower -0.1: latent-sharpe makes no short positions"},
		{[]string{"-n", "1000000000000"}, 2, "-n: 1e+12 lies outside"},
		{[]string{"-train", "1490"}, 1, "1500 returns hold no training window"},
		{[]string{"-cost-bps", "-1"}, 2, "-cost-bps"},
		{[]string{"-cost-bps", "0.1%"}, 2, `-cost-bps: "0.1%" is not a finite number: 10?`},
		{[]string{"-max-weight", "0.01"}, 1, "0.01"},
		{[]string{"-embargo", "400"}, 1, "embargo"},
	} {
		code, stdout, stderr := execute(append(c.args, "-out", filepath.Join(t.TempDir(), "x"))...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if code != c.code || stdout != "" || !strings.HasPrefix(last, "backtest: ") || !strings.Contains(last, c.want) {
			t.Errorf("%v: exit code %d, last line %q, want %d and %q", c.args, code, last, c.code, c.want)
		}
	}
	if code, _, stderr := execute(); code != 2 || !strings.Contains(stderr, "-out") {
		t.Errorf("no folder: exit code %d\n%s", code, stderr)
	}
}

// The figures against a benchmark are printed behind the others, its returns are in a file of
// their own, and a run without one has neither.
func TestBenchmark(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"-strategies", "equal-weight", "-symbols", "ALDER,BIRCH", "-train", "400", "-test", "500", "-format", "csv", "-quiet"}
	code, before, stderr := execute(append(args, "-out", filepath.Join(t.TempDir(), "run"))...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	code, after, stderr := execute(append(args, "-benchmark", "CREEK", "-out", dir)...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	for i, line := range strings.Split(strings.TrimSpace(before), "\n") {
		got := strings.Split(after, "\n")[i]
		if !strings.HasPrefix(got, line+",") || strings.Count(got, ",") != strings.Count(line, ",")+19 {
			t.Errorf("line %d is %s, and with a benchmark %s", i+1, line, got)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || !bytes.Contains(page, []byte("-benchmark CREEK ")) {
		t.Errorf("the command that repeats the run is of another benchmark (%v)", err)
	}
	own := read(t, filepath.Join(dir, "benchmark.csv"))
	returns := read(t, filepath.Join(dir, "returns.csv"))
	if len(own) != len(returns) || strings.Join(own[0], ",") != "date,CREEK" || strings.Join(returns[0], ",") != "date,equal-weight" {
		t.Errorf("benchmark.csv has %d lines of %v, returns.csv %d of %v", len(own), own[0], len(returns), returns[0])
	}
	weights := filepath.Join(t.TempDir(), "even.csv")
	if err := os.WriteFile(weights, []byte("BIRCH,ALDER\n0.5,0.5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	clitest.Refusals(t, verb, []string{"-benchmark", "CREAK"}, []string{"-benchmark", weights},
		[]string{"-symbols", "ALDER,BIRCH", "-listings", "as-it-was", "-benchmark", weights},
		[]string{"-benchmark-returns", "log"}, []string{"-benchmark", "CREEK", "-benchmark-returns", "log"})
}

// The intervals are those that compare has of the files that a run leaves, to the last bit:
// of the Sharpe ratios of returns.csv, and of the figures beside benchmark.csv.
func TestIntervalsOfCompare(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, stderr := execute("-strategies", "equal-weight,min-variance,inverse-volatility", "-train", "400", "-test",
		"500", "-rf", "0.02", "-benchmark", "CREEK", "-seed", "3", "-out", dir); code != 0 ||
		!strings.Contains(stderr, "benchmark CREEK, held without costs, which the strategies pay: ") ||
		!strings.Contains(stderr, "intervals: 2000 resamples by seed 3, in blocks of ") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	summary := new(experiment.BacktestSummary)
	if err := experiment.ReadSummary(dir, summary); err != nil {
		t.Fatal(err)
	}
	settings := compare.DefaultSettings()
	settings.Seed = 3
	annual := metrics.Settings{PeriodsPerYear: summary.PeriodsPerYear, RiskFree: 0.02}
	var all []*compare.Tracks
	for _, name := range []string{"returns.csv", "benchmark.csv"} {
		tracks, err := compare.ReadTracks(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tracks)
	}
	alone, err := compare.Run(t.Context(), all[0], annual, settings)
	if err != nil {
		t.Fatal(err)
	}
	if alone.Resamples != summary.Resamples || alone.Block != summary.Block {
		t.Errorf("%d resamples in blocks of %v, compare has %d of %v", summary.Resamples, summary.Block, alone.Resamples,
			alone.Block)
	}
	both, err := compare.Join(all)
	if err != nil {
		t.Fatal(err)
	}
	settings.Against = "CREEK"
	beside, err := compare.Run(t.Context(), both, annual, settings)
	if err != nil {
		t.Fatal(err)
	}
	for k, s := range summary.Strategies {
		a, rest, ratio := s.Against, beside.Rows[k].Against, alone.Rows[k].Figures.Get("sharpe")
		for name, c := range map[string][2][]number.Value{
			"sharpe":            {{s.Sharpe, s.SharpeLow, s.SharpeHigh}, {ratio.Value, ratio.From, ratio.To}},
			"active_return":     {{a.ActiveReturn, a.ActiveLow, a.ActiveHigh}},
			"tracking_error":    {{a.TrackingError, a.TrackingLow, a.TrackingHigh}},
			"information_ratio": {{a.InformationRatio, a.InformationLow, a.InformationHigh}},
			"beta":              {{a.Beta, a.BetaLow, a.BetaHigh}},
			"alpha":             {{a.Alpha, a.AlphaLow, a.AlphaHigh}},
			"correlation":       {{a.Correlation, a.CorrelationLow, a.CorrelationHigh}},
			"up_capture":        {{a.UpCapture, a.UpLow, a.UpHigh}},
			"down_capture":      {{a.DownCapture, a.DownLow, a.DownHigh}},
		} {
			if c[1] == nil {
				f := rest.Get(name)
				c[1] = []number.Value{f.Value, f.From, f.To}
			}
			for i, v := range c[0] {
				if x, ok := v.Float(); !ok || v.Any() != c[1][i].Any() {
					t.Errorf("%s of %s: number %d is %v, compare has %v", name, s.Name, i, x, c[1][i].Any())
				}
			}
		}
	}
}

// On the sample's bear stretch no mean is positive: max-sharpe holds, and the
// summary counts it.
func TestMaxSharpeWithoutAnAnswerHolds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "backtest")
	if code, _, stderr := execute("-strategies", "max-sharpe", "-train", "60", "-test", "20", "-quiet", "-out", dir); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var summary experiment.BacktestSummary
	if err := json.Unmarshal(text, &summary); err != nil || summary.Strategies[0].Held == 0 {
		t.Errorf("%d rebalances without an answer (%v), want some", summary.Strategies[0].Held, err)
	}
	if _, ok := summary.Strategies[0].DSR.Float(); ok {
		t.Error("one strategy alone has a deflated Sharpe ratio")
	}
}
