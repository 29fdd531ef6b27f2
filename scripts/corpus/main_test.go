package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func execute(args ...string) (code int, stderr string) {
	var out, err bytes.Buffer
	code = verb.Execute(context.Background(), args, &out, &err)
	return code, err.String()
}

func TestCorpusFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "corpus")
	args := []string{"-n", "200", "-lookbacks", "40,60", "-max-weight", "0.3", "-sector-cap", "L1=0.1:0.5", "-out", dir}
	if code, stderr := execute(args...); code != 0 || !strings.Contains(stderr, "200 portfolios") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	} else if strings.Count(stderr, "no column for market.volatility_index, market.trend.60") != 1 {
		t.Errorf("conditions left out for one reason are not in one line:\n%s", stderr)
	} else if !strings.Contains(stderr, "with 40 periods before it, and such conditions look back over up to 60") {
		t.Errorf("it is not said why:\n%s", stderr)
	}
	for name, first := range map[string]string{
		"weights.csv": "id,ALDER", "conditions.csv": "id,volatility,", "measures.json": "[", "provenance.csv": "id,source,", "corpus.json": "{", "manifest.json": "{", "config.toml": "#",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.HasPrefix(string(text), first) {
			t.Errorf("%s begins with %.20q (%v), want %q", name, text, err, first)
		}
	}
	if code, stderr := execute(args...); code != 0 || !strings.Contains(stderr, "already") {
		t.Errorf("again: exit code %d\n%s", code, stderr)
	}
	if code, stderr := execute(append(args, "-seed", "2")...); code != 1 || !strings.Contains(stderr, "another run") {
		t.Errorf("another seed in the same folder: exit code %d\n%s", code, stderr)
	}
}

// The series of a volatility index is read, and its values tell runs apart.
func TestSeries(t *testing.T) {
	folder := t.TempDir()
	series := filepath.Join(folder, "vol.csv")
	write := func(value string) {
		text := "date,vol\n2019-12-01,10\n"
		for day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2025; day = day.AddDate(0, 0, 1) {
			text += day.Format(time.DateOnly) + "," + value + "\n"
		}
		if err := os.WriteFile(series, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("42.5")
	args := []string{"-n", "100", "-source", "dirichlet", "-series", "VOL=" + series, "-out", filepath.Join(folder, "corpus")}
	if code, stderr := execute(args...); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	conditions, err := os.ReadFile(filepath.Join(folder, "corpus", "conditions.csv"))
	if err != nil || strings.Count(string(conditions), ",42.5,") != 100 {
		t.Errorf("%d rows have the index of the series (%v), want 100", strings.Count(string(conditions), ",42.5,"), err)
	}
	write("43")
	if code, stderr := execute(args...); code != 1 || !strings.Contains(stderr, "another run") {
		t.Errorf("another series in the same folder: exit code %d\n%s", code, stderr)
	}
}

func TestCorpusRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no folder", nil, 2, "-out"},
		{"unknown source", []string{"-source", "tea-leaves"}, 2, "tea-leaves"},
		{"unknown flag", []string{"-colour", "red"}, 2, "-colour"},
		{"one row", []string{"-n", "1"}, 2, "-n"},
		{"rows without end", []string{"-n", "1000000000000"}, 2, "-n: 1e+12 lies outside"},
		{"long lookback", []string{"-lookbacks", "900"}, 1, "too few"},
		{"impossible set", []string{"-max-weight", "0.05"}, 1, "0.05"},
		{"unknown measure", []string{"-measured", "future"}, 2, "future"},
		{"unknown asset feature", []string{"-asset-conditions", "beta.60"}, 2, "beta.60"},
		{"early asset feature", []string{"-asset-conditions", "mean.90"}, 1, "ALDER.mean.90"},
		{"series without a name", []string{"-series", "dvol.csv"}, 2, "NAME=FILE"},
		{"series for nothing", []string{"-series", "DVOL=dvol.csv", "-market-conditions=false"}, 2, "-market-conditions"},
		{"missing series", []string{"-series", "DVOL=none.csv"}, 1, "none.csv"},
		{"missing prices", []string{"-prices", filepath.Join(t.TempDir(), "none.csv")}, 1, "none.csv"},
	} {
		args := c.args
		dir := filepath.Join(t.TempDir(), "corpus")
		if c.name != "no folder" {
			args = append(args, "-out", dir)
		}
		code, stderr := execute(args...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if code != c.code || !strings.HasPrefix(last, "corpus: ") || !strings.Contains(last, c.want) {
			t.Errorf("%s: exit code %d, last line %q, want %d and %q", c.name, code, last, c.code, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, "weights.csv")); err == nil {
			t.Errorf("%s: weights.csv was written", c.name)
		}
	}
}

// Files beside the prices are part of what a run is: their content tells runs apart.
func TestChangedSectors(t *testing.T) {
	folder := t.TempDir()
	sectors := filepath.Join(folder, "sectors.csv")
	write := func(text string) {
		if err := os.WriteFile(sectors, []byte("symbol,sector\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ALDER,A\nBIRCH,A\n")
	args := []string{"-n", "100", "-source", "dirichlet", "-sectors", sectors, "-sector-cap", "A=0.2", "-out",
		filepath.Join(folder, "corpus")}
	for _, want := range []string{"100 portfolios", "holds this run already"} {
		if code, stderr := execute(args...); code != 0 || !strings.Contains(stderr, want) {
			t.Fatalf("exit code %d, want %q\n%s", code, want, stderr)
		}
	}
	write("ALDER,A\nCEDAR,A\n")
	if code, stderr := execute(args...); code != 1 || !strings.Contains(stderr, "the content of -sectors differs") {
		t.Errorf("other sectors in the same folder: exit code %d\n%s", code, stderr)
	}
}

// Limits are recorded one by one, so that the run goes on without their file.
func TestLimitsWithoutTheirFile(t *testing.T) {
	folder := t.TempDir()
	dir, limits := filepath.Join(folder, "corpus"), filepath.Join(folder, "limits.csv")
	if err := os.WriteFile(limits, []byte("symbol,lower,upper\nALDER,0.02,0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stderr := execute("-n", "100", "-source", "dirichlet", "-limits", limits, "-out", dir); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if err := os.Remove(limits); err != nil {
		t.Fatal(err)
	}
	code, stderr := execute("-config", filepath.Join(dir, "config.toml"), "-out", dir)
	if code != 0 || !strings.Contains(stderr, "holds this run already") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
