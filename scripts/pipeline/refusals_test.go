package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// What can't be done leaves no folder, and what is there as it was.
func TestRefusalsLeaveNoTrace(t *testing.T) {
	clitest.Refusals(t, verb,
		[]string{"-prices", "nothere"},
		[]string{"-max-weight", "0.01"},
		[]string{"-backend", "abacus"},
		[]string{"-split", "1.5"},
		[]string{"-embargo", "5000", "-backend", "go"},
		[]string{"-lookbacks", "2000", "-backend", "go"},
		[]string{"-validation", "0", "-n", "50", "-lookbacks", "40", "-backend", "go"},
		[]string{"-lower", "-0.2", "-n", "50", "-lookbacks", "40", "-steps", "2", "-backend", "go"}, // the head takes no short positions
		[]string{"-head", "hydra"},
	)
}

func TestRefusesAFolderFirst(t *testing.T) { clitest.Early(t, verb) }
