package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// universes writes a corpus of small simulated universes.
func universes(t *testing.T) string { return corpusOf(t, false) }

// corpusOf writes one with or without the truth.
func corpusOf(t *testing.T, truth bool) string {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, universe.File))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := universe.Settings{
		Universes: 24, Portfolios: 6, LeastAssets: 3, MostAssets: 8, LeastPeriods: 40, MostPeriods: 60, HeldOut: 0.2,
		Truth: truth,
	}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error { return e.Write(file) }, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTrainOverSets(t *testing.T) {
	corpus, out := universes(t), t.TempDir()
	first, second := filepath.Join(out, "first"), filepath.Join(out, "second")
	args := []string{"-corpus", corpus, "-backend", "go", "-batch", "16"}
	if code, stderr := execute(append(args, "-latent", "3", "-steps", "12", "-out", first)...); code != 0 ||
		!strings.Contains(stderr, "R2 against equal weights") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if code, stderr := execute(append(args, "-from", first, "-steps", "4", "-out", second)...); code != 0 ||
		!strings.Contains(stderr, "before: 5 universes") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	text, err := os.ReadFile(filepath.Join(second, diagnosticsFile))
	if err != nil {
		t.Fatal(err)
	}
	var d judgements
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.Before == nil || d.Portfolios != 30 || d.R2 == nil || d.Searches == nil || d.Searches.Median > 1+1e-9 {
		t.Errorf("diagnostics are %s", text)
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	m, err := trained.OpenSet(backend, second)
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Network.Config(); c.Latent != 3 || c.Beta != vae.DefaultSetConfig().Beta {
		t.Errorf("a model that goes on from one of 3 dimensions has %d, and beta %v", c.Latent, c.Beta)
	}
}

func TestTrainRule(t *testing.T) {
	out := filepath.Join(t.TempDir(), "rule")
	code, stderr := execute("-corpus", corpusOf(t, true), "-objective", "true-sharpe", "-backend", "go", "-batch", "8",
		"-steps", "6", "-out", out)
	if code != 0 || !strings.Contains(stderr, "of the largest true Sharpe ratio; less empirical-bayes") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, diagnosticsFile))
	if err != nil {
		t.Fatal(err)
	}
	var d learnt.Diagnosis
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.Universes != 5 || len(d.Guides) != 3 || !(d.Share <= 1) || !(d.Guides[0].From <= d.Guides[0].Ahead) {
		t.Errorf("diagnostics are %s", text)
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	if _, err := learnt.Open(backend, out); err != nil {
		t.Errorf("the folder holds no rule: %v", err)
	}
	if over, err := trained.OverSets(out); err == nil {
		t.Errorf("the folder holds a model, over sets: %v", over)
	}
	if _, err := trained.Open(backend, out); err == nil || !strings.Contains(err.Error(), "take it with -rule") {
		t.Errorf("a rule as a model of portfolios: %v", err)
	}
}

func TestTrainOverSetsRefuses(t *testing.T) {
	corpus := universes(t)
	quoted := strconv.Quote(corpus)
	clitest.Foreign(t, verb, map[string]string{
		"-out x": "nothing to learn from",
		"-out x -weights w.csv -corpus " + quoted:                        "-weights goes without -corpus",
		"-out x -components 3 -corpus " + quoted:                         "-components goes with -weights",
		"-out x -head softmax -corpus " + quoted:                         "-head goes without -corpus",
		"-out x -patience 3 -corpus " + quoted:                           "-patience goes without -corpus",
		"-out x -latent 3 -from " + quoted + " -corpus " + quoted:        "-latent is that of the model to go on from",
		"-out x -objective true-sharpe -weights w.csv":                   "-objective goes with -corpus",
		"-out x -objective true-sharpe -beta 1 -corpus " + quoted:        "-beta goes without -objective",
		"-out x -objective true-sharpe -latent 2 -corpus " + quoted:      "-latent goes without -objective",
		"-out x -objective true-sharpe -warmup 0.5 -corpus " + quoted:    "-warmup goes without -objective",
		"-out x -objective true-sharpe -from built-in -corpus " + quoted: "-from goes with -corpus DIR and without -objective",
		"-out x -weights w.csv -from " + quoted:                          "-from goes with -corpus",
	})
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, universe.File), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	clitest.Refusals(t, verb,
		[]string{"-corpus", t.TempDir()},
		[]string{"-corpus", broken},
		[]string{"-corpus", corpus, "-backend", "go", "-from", t.TempDir()},
		[]string{"-corpus", corpus, "-backend", "go", "-objective", "true-sharpe"}, // without the truth
		[]string{"-corpus", corpusOf(t, true), "-backend", "go"},
	)
}
