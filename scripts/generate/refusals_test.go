package main

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// What can't be made leaves no folder, and what is there as it was: whatever the
// mode, also where only its work shows that it can't be done.
func TestRefusalsLeaveNoTrace(t *testing.T) {
	refused := [][]string{
		{"-mode", "nope"},
		{"-n", "-1"},
		{"-max-weight", "0.01"},
		{"-symbols", "A,NOPE"},
		{"-exclude", "NOPE"},
		{"-wish", "volatility=0.4"},
		{"-mode", "condition", "-wish", "volatility=0.4"},
		{"-density", "two-stage"},
		{"-mode", "interpolate"},
		{"-mode", "interpolate", "-from-weights", "nothere"},
		{"-mode", "latent", "-prices", "nothere"},
		{"-mode", "latent", "-prices", files.prices, "-objective", "return-at-volatility"},
		{"-mode", "robust", "-prices", files.prices, "-horizon", "100000"},
		{"-mode", "outcomes", "-prices", files.prices, "-from-weights", files.prices},
		{"-mode", "stress", "-prices", files.prices, "-traded-value", files.prices},
		{"-mode", "styles", "-prices", files.prices},
		{"-model", files.weights},
		{"-backend", "abacus"},
	}
	for i := range refused {
		refused[i] = append([]string{"-model", files.model, "-backend", "go"}, refused[i]...)
	}
	clitest.Refusals(t, verb, refused...)
}

func TestRefusesAFolderFirst(t *testing.T) {
	clitest.Early(t, verb, "-model", files.model)
	clitest.Early(t, verb, "-prices", "nothere")
}

// What needs no backend to be seen is refused before one is opened.
func TestRefusesWithoutABackend(t *testing.T) {
	model := strconv.Quote(files.model)
	for args, want := range map[string]string{
		"-model nothere": "holds no model",
		"-mode latent -symbols A -model " + model:                       "leave -symbols out",
		"-mode latent -exclude A -model " + model:                       "leave -exclude out",
		"-mode latent -climb weights -model " + model:                   "-climb weights needs a model over sets",
		"-mode latent -climb weights -prior-weight 0.1 -prices nothere": "takes nothing off for |z|^2",
		"-prices nothere": "no such file",
		"-turnover w.csv": "unknown flag -turnover: did you mean traded-value, which was called so, or max-turnover?",
		"-mode latent -prices nothere -listings as-it-was -model " + model: "leave -listings out",
		"-mode diversify -within 0":                                        "-within: 0 lies outside (0,0.5]",
		"-max-weight 0.01":                                                 "0.01",
	} {
		var stdout, stderr bytes.Buffer
		code := verb.Execute(t.Context(), append(clitest.Words(args), "-backend", "xla:/nowhere.so"), &stdout, &stderr)
		if code == 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, stderr %s", args, code, stderr.String())
		}
	}
}
