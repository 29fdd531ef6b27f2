package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-symbols A -out x -quote USDT": "-quote goes with -top N",
		"-symbols A -out x -exclude B":  "-exclude goes with -top N",
	})
}
