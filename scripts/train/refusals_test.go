package main

import (
	"os"
	"path/filepath"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// What can't be learned from leaves no folder, and what is there as it was.
func TestRefusalsLeaveNoTrace(t *testing.T) {
	short := filepath.Join(t.TempDir(), "short.csv")
	if err := os.WriteFile(short, []byte("A,B,C\n1.2,-0.2,0\n0.3,0.3,0.4\n0.1,0.5,0.4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	all := weights(t, 50)
	clitest.Refusals(t, verb,
		[]string{"-weights", "nothere"},
		[]string{"-weights", short, "-backend", "go", "-steps", "2", "-validation", "0"}, // a short position, and the head takes none
		[]string{"-weights", all, "-conditions", "nothere"},
		[]string{"-weights", all, "-conditions", short},
		[]string{"-weights", all, "-condition-on", "volatility"},
		[]string{"-weights", all, "-backend", "abacus"},
		[]string{"-weights", all, "-backend", "xla:/nothere"},
		[]string{"-weights", all, "-hidden", "0", "-backend", "go"},
		[]string{"-weights", all, "-likelihood", "nope"},
	)
}

func TestRefusesAFolderFirst(t *testing.T) {
	clitest.Early(t, verb, "-weights", "nothere")
	clitest.Early(t, verb, "-corpus", "nothere")
	clitest.Early(t, verb, "-corpus", "nothere", "-objective", "true-sharpe")
}
