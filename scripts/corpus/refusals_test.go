package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// What can't be made leaves no folder, and what is there as it was.
func TestRefusalsLeaveNoTrace(t *testing.T) {
	clitest.Refusals(t, verb,
		[]string{"-source", "nope"},
		[]string{"-n", "1"},
		[]string{"-prices", "nothere"},
		[]string{"-symbols", "NOPE"},
		[]string{"-from", "2040-01-01"},
		[]string{"-max-weight", "0.01"},
		[]string{"-sector-cap", "NOPE=0.4"},
		[]string{"-sectors", "nothere"},
		[]string{"-lookbacks", "1"},
		[]string{"-lookbacks", "5000"},
		[]string{"-lookbacks", "60", "-asset-features", "momentum.600"},
		[]string{"-market", "-index", "nothere"},
	)
}
