package main

import (
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

func TestRefusesAFolderFirst(t *testing.T) { clitest.Early(t, verb, "-strategies", "latent-sharpe") }
