package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-weights w.csv -out x -condition-on volatility":   "-condition-on goes with -conditions FILE",
		"-weights w.csv -out x -control 0":                 "-control goes with -conditions FILE",
		"-weights w.csv -out x -head linear -head-cap 0.5": "-head-cap goes with -head capped",
	})
}
