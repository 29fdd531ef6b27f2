package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"vaefolio/vaelib/portfolio"
)

// Weights written as Parquet are those of the csv, and other verbs read them.
func TestParquet(t *testing.T) {
	code, stdout, stderr := execute(t, "-objective=max-diversification", "-format=parquet", "-quiet")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	path := filepath.Join(t.TempDir(), "w.parquet")
	if err := os.WriteFile(path, []byte(stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := portfolio.ReadCSV(path, portfolio.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := solve(t, "-objective=max-diversification").Weights
	for j, symbol := range got.Symbols {
		if math.Float64bits(got.Weights.At(0, j)) != math.Float64bits(want[symbol]) {
			t.Errorf("weight of %s is %v, not %v", symbol, got.Weights.At(0, j), want[symbol])
		}
	}
	if len(got.Symbols) != len(want) || got.ID(0) != "max-diversification" {
		t.Errorf("%d symbols, id %s", len(got.Symbols), got.ID(0))
	}
}
