package main

import (
	"testing"

	"vaefolio/scripts/internal/clitest"
)

func TestFlagsWithoutEffect(t *testing.T) {
	clitest.Foreign(t, verb, map[string]string{
		"-objective hrp -level 0.9":                      "-level goes with -objective min-cvar",
		"-objective min-cvar -covariance sample":         "-covariance goes with -objective other than min-cvar, max-min or learnt",
		"-objective hrp -means empirical-bayes":          "-means goes with -objective mean-variance or max-sharpe",
		"-objective min-variance -linkage ward":          "-linkage goes with -objective hrp",
		"-objective min-variance -previous w.csv":        "-previous goes with -turnover-charge X",
		"-objective hrp -lot 2":                          "-lot goes with -cash X",
		"-objective hrp -budgets A=1":                    "-budgets goes with -objective risk-budget",
		"-objective min-variance -min-variance-fallback": "-min-variance-fallback goes with -objective max-sharpe",
	})
}
