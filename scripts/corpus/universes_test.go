package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/universe"
)

func TestUniverses(t *testing.T) {
	for _, args := range [][]string{
		{"-simulated", "-least-assets", "5", "-fixed-max-weight", "0.5"},
		{"-least-assets", "3", "-most-assets", "6", "-held-out", "0.3"}, // of the bundled sample
	} {
		dir := filepath.Join(t.TempDir(), "corpus")
		args = append(args, "-universes", "20", "-portfolios", "3", "-most-periods", "90", "-out", dir)
		if code, stderr := execute(args...); code != 0 || !strings.Contains(stderr, "20 universes") {
			t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
		}
		data, err := os.ReadFile(filepath.Join(dir, universe.File))
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		if err := universe.Read(bytes.NewReader(data), func(e *universe.Example) error {
			count++
			if rows, _ := e.Weights.Dims(); rows != 3 || e.Periods > 90 {
				t.Errorf("%s has %d portfolios and %d periods", e.ID, rows, e.Periods)
			}
			if args[0] == "-simulated" && e.Cap != 0.5 {
				t.Errorf("%s has a largest weight of %v", e.ID, e.Cap)
			}
			return nil
		}); err != nil || count != 20 {
			t.Errorf("%d universes read (%v), want 20", count, err)
		}
	}
}

func TestUniversesRefused(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-out x -portfolios 3":                                "-portfolios goes with -universes",
		"-out x -universes 9 -n 30":                           "-n goes without -universes",
		"-out x -universes 9 -max-weight 0.3":                 "-max-weight goes without -universes",
		"-out x -universes 9 -simulated -prices p":            "-prices goes without -simulated",
		"-out x -universes 9 -truth":                          "-truth goes with -simulated",
		"-out x -universes 9 -simulated -truth -portfolios 3": "-portfolios goes with -universes N and without -truth",
		"-out x -simulated":                                   "-simulated goes with -universes",
		"-out x -universes 9 -simulated -to 2020":             "-to goes without -simulated",
	})
	for flag, says := range map[string]string{
		"-least-assets 40": "40 to 32 assets", "-least-periods 900": "900 to 400 periods",
		"-fixed-max-weight 0.2": "must be at most 1 and above 1/4", "-listings as-it-was": "leave it out", "-universes 1": "1 universes",
	} {
		args := append([]string{"-out", filepath.Join(t.TempDir(), "x"), "-universes", "9"}, strings.Fields(flag)...)
		if code, stderr := execute(args...); code != 2 || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d\n%s", flag, code, stderr)
		}
	}
	clitest.Refusals(t, verb,
		[]string{"-universes", "9", "-prices", "nothere"},
		[]string{"-universes", "9"}, // the sample has too few symbols to hold any out
	)
}
