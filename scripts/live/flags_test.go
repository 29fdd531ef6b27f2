package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-model m -iterations 5":                 "-iterations goes with -search latent",
		"-model m -mar 0.1":                      "-mar goes with -objective sortino",
		"-model m -to 2024-01-01":                "-to goes with -replay FOLDER",
		"-model m -replay f -stream-url wss://x": "-stream-url goes without -replay",
	})
}
