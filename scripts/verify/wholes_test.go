package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vaefolio/scripts/internal/cli"
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

// some are every k-th alteration, and the last: others of their kind are found alike.
func some(all []alteration, k int) (kept []alteration) {
	for i, a := range all {
		if i%k == 0 || i == len(all)-1 {
			kept = append(kept, a)
		}
	}
	return kept
}

// Tables, training sets, markets and runs of a sweep follow from each other and from
// the prices, and each run's model from its network. The second run, whose longer lookback
// is left out, is judged on another market than the first.
func TestAlteredSweep(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "sweep", "sweep", append([]string{"run", "-zip", "beta = 0.1 0.5; lookbacks = 40,60 40,500",
		"-steps", "20", "-max-weight", "0.4", "-min-weight", "0.02", "-sector-cap", "L1=0.5"}, smallModel...)...))
	one := runsIn(t, dir, "runs")[0]
	all := slices.Concat(ofJSON(t, one, "result.json"), ofJSON(t, one, "timings.json"), ofCSV(t, one, "history.csv"),
		ofCSV(t, one, "returns.csv"), ofJSON(t, one, "model/model.json"), ofJSON(t, one, "model/aggregate.json"),
		ofJSON(t, one, "model/constraints.json"), ofJSON(t, one, "model/times.json"), some(ofConfig(t, one), 12),
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
		ofJSON(t, dir, "sweep.json"), ofJSON(t, dir, "backend.json"), some(ofPictures(t, dir), 2),
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

// Worlds of a laboratory follow from its seed, what strategies are worth from the
// worlds and the weights, which simple ones choose again, and tables, tests and report
// from all of them.
func TestAlteredLaboratory(t *testing.T) {
	skipWhenShort(t)
	strategies := []string{"equal-weight", "inverse-volatility", "min-variance-ledoit-wolf", "risk-parity", "hrp",
		"max-sharpe", "max-sharpe-empirical-bayes", "max-sharpe-resampled", "half-resampled-empirical-bayes", "best-of-n",
		"latent-sharpe-prior-0.3", "sampled-shrunken", "half-latent-empirical-bayes", "learnt",
		"half-learnt-empirical-bayes", ceilingName}
	dir := copied(t, finished(t, "lab", "lab", "-n", "3", "-periods", "40", "-dispersion", "0,1", "-worlds", "4",
		"-windows", "1", "-rows", "100", "-steps", "1", "-samples", "100", "-strategies",
		strings.Join(strategies[:len(strategies)-1], ","), "-backend", "go", "-quiet"))
	one, err := filepath.Rel(dir, runsIn(t, dir, "worlds")[0])
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(ofJSON(t, dir, "lab.json"), ofJSON(t, dir, "summary.json"), ofCSV(t, dir, "results.csv"),
		ofJSON(t, dir, one+"/result.json"), ofCSV(t, dir, one+"/weights.csv"), ofPictures(t, dir)[:1], []alteration{
			{file: one + "/result.json", what: "removed"}, {file: one + "/weights.csv", what: "removed"},
			{file: "results.csv", what: "removed"},
			{file: "more.csv", what: "a file more", add: true, change: func([]byte) []byte { return nil }},
			{file: one + "/more.csv", what: "a file more", add: true, change: func([]byte) []byte { return nil }},
			replaced(one+"/config.toml", "rows", "rows = 100", "rows = 101"),
			replaced("report.html", "a word", " not ", " now "), replaced("report.html", "the command", "-steps 1", "-steps 2")})
	expect(t, dir, all)

	// Tables made to fit an altered world don't hide it, nor do weights that fit a share
	// but where a model chose them.
	known := memo{}
	for k, name := range strategies {
		share := alteration{file: one + "/result.json", what: "the share of " + name, change: func(text []byte) []byte {
			before := regexp.MustCompile(fmt.Sprintf(`(?s)"shares": \[\s*\[\s*(?:[^,]*,\s*){%d}`, k))
			at := before.FindIndex(text)[1]
			return splice(text, at, at+strings.IndexAny(string(text[at:]), ",\n"), "0.5")
		}}
		weights := alteration{file: one + "/weights.csv", what: "the weights of " + name, change: func(text []byte) []byte {
			at := strings.Index(string(text), ","+name+",")
			return splice(text, at, at+strings.Index(string(text[at:]), "\n"), ","+name+",0.2,0.5,0.3")
		}}
		for _, a := range []alteration{share, weights} {
			undo := a.apply(t, dir, true)
			f, err := open(dir, 1e-9, &cli.IO{})
			if err != nil {
				t.Fatal(err)
			}
			f.memo = known
			f.look(t.Context(), check{"worlds", (*folder).checkTruths})
			if f.first() == "" {
				t.Errorf("%s: not found", a.what)
			}
			undo()
		}
	}
}
