package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"status -dry-run":      "-dry-run goes with install",
		"status -timeout 3":    "-timeout goes with install",
		"install -format json": "-format goes with status",
	})
}
