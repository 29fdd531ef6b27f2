package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// smallModel are the flags of the smallest training.
var smallModel = []string{"-n", "200", "-lookbacks", "40,60", "-batch", "32", "-latent", "2", "-hidden", "8",
	"-components", "2", "-backend", "go", "-workers", "1", "-quiet"}

// runsIn are the folders of the runs of a sweep, or the worlds of a laboratory.
func runsIn(t *testing.T, dir, of string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, of, "*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s holds no %s: %v", dir, of, err)
	}
	return found
}

// Tables, training sets, markets and runs of a sweep follow from each other and from
// the prices, and each run's model from its network.
func TestAlteredSweep(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "sweep", "sweep", append([]string{"run", "-grid", "beta = 0.1 0.5", "-steps", "20",
		"-max-weight", "0.4"}, smallModel...)...))
	one := runsIn(t, dir, "runs")[0]
	all := slices.Concat(ofJSON(t, one, "result.json"), ofJSON(t, one, "timings.json"), ofCSV(t, one, "history.csv"),
		ofCSV(t, one, "returns.csv"), ofJSON(t, one, "model/model.json"), ofJSON(t, one, "model/aggregate.json"),
		ofJSON(t, one, "model/constraints.json"), ofJSON(t, one, "model/times.json"), ofConfig(t, one),
		[]alteration{flipped("model/model.safetensors", -3), flipped("model/model.safetensors", 2001),
			{file: "notes.txt", what: "a file more", add: true, change: func([]byte) []byte { return nil }}})
	expect(t, one, all, "config.toml: a comment") // no part of the configuration
	id := "runs/" + filepath.Base(one)
	corpus, err := filepath.Rel(dir, runsIn(t, dir, "corpora")[0])
	if err != nil {
		t.Fatal(err)
	}
	market, err := filepath.Rel(dir, runsIn(t, dir, "markets")[0])
	if err != nil {
		t.Fatal(err)
	}
	all = slices.Concat(ofCSV(t, dir, "results.csv"), ofCSV(t, dir, "timings.csv"), ofCSV(t, dir, "returns.csv")[:3],
		ofJSON(t, dir, "sweep.json"), ofJSON(t, dir, "backend.json"), ofPictures(t, dir),
		ofCSV(t, dir, corpus+"/weights.csv")[:3], ofCSV(t, dir, corpus+"/conditions.csv")[:3],
		ofJSON(t, dir, corpus+"/corpus.json")[:5], ofJSON(t, dir, corpus+"/constraints.json"),
		[]alteration{flipped(market, 2000), flipped(market, -10), {file: "report.html", what: "removed"},
			{file: "results.csv", what: "removed"}, {file: id + "/result.json", what: "removed"},
			{file: "more.csv", what: "a file more", add: true, change: func([]byte) []byte { return nil }},
			{file: corpus + "/more.csv", what: "a file more", add: true, change: func([]byte) []byte { return nil }},
			replaced("report.html", "a word", " best ", " worst "),
			{file: "report.html", what: "a number", change: func(text []byte) []byte {
				at := regexp.MustCompile(`ratio of [0-9]`).FindIndex(text)[1]
				return splice(text, at-1, at, "7")
			}},
			{file: "sweep.json", what: "a run left out", change: func(text []byte) []byte {
				return regexp.MustCompile(`(?s)    \{\n      "id".*?\n    \},\n`).ReplaceAll(text, nil)
			}}})
	expect(t, dir, all)
}

// What a conditional model of a sweep says of itself, and draws from, follows from its
// network too.
func TestAlteredConditionalSweep(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "told", "sweep", append([]string{"run", "-conditional", "-condition-on",
		"volatility,max_weight", "-caps", "max_weight", "-control", "1", "-steps", "5"}, smallModel...)...))
	if said := first(t, dir, memo{}, ""); said != "" {
		t.Fatal(said)
	}
	one := runsIn(t, dir, "runs")[0]
	all := slices.Concat(slices.DeleteFunc(ofJSON(t, one, "result.json"), func(a alteration) bool {
		return !strings.HasPrefix(a.what, "control") && !strings.Contains(a.what, "dispersion")
	}), ofJSON(t, one, "model/donors.json"), ofJSON(t, one, "model/conditional.json"),
		ofJSON(t, one, "model/neighbours.json"), ofCSV(t, one, "history.csv"))
	expect(t, one, all)
}
