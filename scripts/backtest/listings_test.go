package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/experiment"
)

// Coins that were delisted stand beside those of today: cut to shared times the
// prices hold no backtest, as it was each coin is held while it was traded.
func TestDelisted(t *testing.T) {
	prices := t.TempDir()
	for _, folder := range []string{"binance_spot_daily", "binance_spot_delisted"} {
		files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "data/crypto", folder), "*.csv"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(prices, filepath.Base(file)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"-prices", prices, "-strategies", "equal-weight,inverse-volatility", "-train", "180", "-test", "90", "-max-weight", "0.5", "-out", dir}
	code, _, stderr := execute(args...)
	if code != 1 || !strings.Contains(stderr, "WARNING: LUNAUSDT stops on 2022-05-13, and takes 1329 later times of all symbols with it: -listings as-it-was keeps them") {
		t.Errorf("shared: exit code %d, %s", code, stderr)
	}
	code, _, stderr = execute(append(args, "-listings", "as-it-was")...)
	if code != 0 || !strings.Contains(stderr, "LUNAUSDT stops on 2022-05-13 at 5e-05, held by equal-weight, inverse-volatility") {
		t.Fatalf("as it was: exit code %d, %s", code, stderr)
	}
	rows := read(t, filepath.Join(dir, "weights.csv"))
	luna := slices.Index(rows[0], "LUNAUSDT")
	for _, row := range rows[1:] {
		// Listed 2020-08-21, so with 180 days of history from 2021-02-17 on.
		held := row[1] >= "2021-02-17" && row[1] <= "2022-05-14"
		if (row[luna] != "0") != held {
			t.Errorf("%s of %s holds %s of LUNAUSDT", row[0], row[1], row[luna])
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var summary experiment.BacktestSummary
	if err := json.Unmarshal(text, &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Listings != "as-it-was" || len(summary.Notes) != 5 || summary.Windows != 30 {
		t.Errorf("%d windows, listings %s, notes %q", summary.Windows, summary.Listings, summary.Notes)
	}
}

// One day of +300 % makes three strategies equal weights, which is said.
func TestFlatCovariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	b.WriteString("date,ASH,ELM,FIR\n")
	closes := []float64{100, 100, 100}
	for i := range 300 {
		b.WriteString(time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		for j := range closes {
			closes[j] *= 1 + 0.01*float64(1+j)*rng.NormFloat64()
			if i == 150 && j == 1 {
				closes[j] *= 4
			}
			fmt.Fprintf(&b, ",%.6f", closes[j])
		}
		b.WriteByte('\n')
	}
	file := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := execute("-prices", file, "-strategies", "equal-weight,min-variance,risk-parity", "-train", "100", "-test", "50", "-out", filepath.Join(t.TempDir(), "run"))
	if code != 0 || !strings.Contains(stderr, "in 2 training windows the Ledoit-Wolf shrinkage is 1, so that") || !strings.Contains(stderr, "ELM on 2024-05-30, +296 %") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
