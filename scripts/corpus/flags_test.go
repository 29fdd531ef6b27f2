package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-out x -source bootstrap -alpha 1":               "-alpha goes with -source mixed or dirichlet",
		"-out x -market-conditions=false -series A=a.csv": "-series goes with -market-conditions",
	})
}
