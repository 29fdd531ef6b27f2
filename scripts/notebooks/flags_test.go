package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"list -small":        "-small goes with run or check",
		"run -lab":           "-lab goes with setup",
		"check -text":        "-text goes with run",
		"clean -format json": "-format goes with list, run or check",
	})
}
