package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// What can't be tested leaves no folder, and what is there as it was.
func TestRefusalsLeaveNoTrace(t *testing.T) {
	clitest.Refusals(t, verb,
		[]string{"-strategies", "nope"},
		[]string{"-strategies", "equal-weight,equal-weight"},
		[]string{"-strategies", "equal-weight", "-train", "5000"},
		[]string{"-strategies", "equal-weight", "-test", "0"},
		[]string{"-strategies", "equal-weight", "-prices", "nothere"},
		[]string{"-strategies", "min-variance", "-max-weight", "0.01"},
		[]string{"-strategies", "latent-sharpe", "-backend", "abacus"},
		[]string{"-strategies", "latent-sharpe", "-backend", "go", "-train", "100", "-lookbacks", "500"},
	)
}

// A model that isn't there is refused before prices are read.
func TestRefusesAModelFirst(t *testing.T) {
	nowhere := t.TempDir()
	for _, args := range [][]string{
		{"-strategies", "zero-shot-sharpe", "-model", nowhere}, {"-strategies", "learnt", "-rule", nowhere},
	} {
		var stdout, stderr bytes.Buffer
		args = append(args, "-prices", "nothere", "-out", filepath.Join(t.TempDir(), "out"))
		if code := verb.Execute(t.Context(), args, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), nowhere) {
			t.Errorf("%q: exit code %d, %s", args, code, &stderr)
		}
	}
}

func TestRefusesAFolderFirst(t *testing.T) { clitest.Early(t, verb, "-strategies", "latent-sharpe") }
