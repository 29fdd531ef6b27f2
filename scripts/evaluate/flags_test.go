package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-weights w.csv -trial-sr-std 0.1": "-trial-sr-std goes with -trials N",
	})
}
