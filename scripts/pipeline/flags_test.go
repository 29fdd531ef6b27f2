package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-source risk-parity -alpha 2": "-alpha goes with -source mixed or dirichlet",
		"-head softmax -head-cap 0.2":  "-head-cap goes with -head capped",
	})
}
