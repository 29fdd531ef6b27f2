package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"merge -out x -beta 1":                   "-beta goes with run: leave it out",
		"status -out x -workers 2":               "-workers goes with run",
		"status -out x -prices p.csv":            "-prices goes with run",
		"run -out x -format json":                "-format goes with status",
		"run -out x -control 1":                  "-control goes with -conditional",
		"run -out x -source optimized -alpha 1":  "-alpha goes with -source mixed or dirichlet",
		"run -out x -head softmax -head-cap 0.5": "-head-cap goes with -head capped",
	})
}
