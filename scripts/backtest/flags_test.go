package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-out x -strategies equal-weight -covariance sample":   "-covariance goes with -strategies other than",
		"-out x -strategies equal-weight,hrp -risk-aversion 3": "-risk-aversion goes with -strategies mean-variance",
		"-out x -steps 10": "-steps goes with -strategies latent-sharpe",
		"-out x -n 500":    "-n goes with -strategies latent-sharpe",
	})
}
