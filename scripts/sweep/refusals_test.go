package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// What can't be swept leaves no folder, and what is there as it was.
func TestRefusalsLeaveNoTrace(t *testing.T) {
	clitest.Refusals(t, verb,
		[]string{"run", "-grid", "nope = 1 2"},
		[]string{"run", "-grid", "beta = 1 x"},
		[]string{"run", "-grid", "beta = 1 1"},
		[]string{"run", "-prices", "nothere"},
		[]string{"run", "-max-weight", "0.01"},
		[]string{"run", "-grid", "lookbacks = 40 5000"},
		[]string{"run", "-validation", "0"},
		[]string{"run", "-conditional", "-condition-on", "nope"},
		[]string{"run", "-backend", "abacus", "-lookbacks", "40", "-n", "50"},
		[]string{"run", "-shard", "3/2"},
		[]string{"merge"},
		[]string{"status"},
	)
}
