package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// smallTest are the flags of a backtest with costs, constraints and drift.
var smallTest = []string{"-strategies", "equal-weight,inverse-volatility,max-sharpe", "-train", "200", "-test", "150",
	"-from", "2022-06-01", "-max-weight", "0.4", "-rf", "0.02", "-benchmark", "CREEK", "-quiet"}

// found alters a run, with the hashes as they were, where all has to be found, and with
// all of them made to fit, and returns what isn't.
func found(t *testing.T, dir string, all []alteration) (missed []string) {
	t.Helper()
	for _, a := range unfound(t, dir, all) {
		missed = append(missed, a.file+": "+a.what)
	}
	slices.Sort(missed)
	t.Logf("%d alterations, %d of them out of reach: %q", len(all), len(missed), missed)
	return missed
}

func unfound(t *testing.T, dir string, all []alteration) (missed []alteration) {
	t.Helper()
	known := memo{}
	if said := first(t, dir, known, ""); said != "" {
		t.Fatalf("before any alteration: %s", said)
	}
	for _, a := range all {
		of, name := owner(dir, a.file) // what is a whole's own has no hashes, nor has the manifest of fetch of itself
		if of != "" && (name != manifestFile || bytes.Contains(contentsOf(t, of, manifestFile), []byte(`"checksum"`))) {
			undo := a.apply(t, dir, false)
			if first(t, dir, maps.Clone(known), "") == "" {
				t.Errorf("%s: %s, hashes as they were: not found", a.file, a.what)
			}
			undo()
		}
		undo := a.apply(t, dir, true)
		if first(t, dir, maps.Clone(known), "") == "" {
			missed = append(missed, a)
		}
		undo()
	}
	return missed
}

// expect alters a run as [found] does: all is found but for what is out of reach, and
// that too where the run is repeated.
func expect(t *testing.T, dir string, all []alteration, outOfReach ...string) {
	t.Helper()
	var names []string
	repeated := memo{}
	for _, a := range unfound(t, dir, all) {
		names = append(names, a.file+": "+a.what)
		undo := a.apply(t, dir, true)
		if said := first(t, dir, repeated, programs(t)); said == "" {
			t.Errorf("%s: %s: not found by a repetition", a.file, a.what)
		}
		undo()
	}
	slices.Sort(names)
	t.Logf("%d alterations, %d of them out of reach: %q", len(all), len(names), names)
	if !slices.Equal(names, outOfReach) {
		t.Errorf("not found: %s\nexpected: %s", strings.Join(names, "; "), strings.Join(outOfReach, "; "))
	}
}

// ofStrategies alters each figure of the first strategy.
func ofStrategies(t *testing.T, dir string) (all []alteration) {
	text := contentsOf(t, dir, "summary.json")
	for i, m := range regexp.MustCompile(`(?m)^      "([a-z0-9_]+)": (.+?),?$`).FindAllSubmatchIndex(text, -1) {
		if i < 19 && !bytes.ContainsAny(text[m[4]:m[5]], "[{") {
			to := altered(string(text[m[4]:m[5]]))
			all = append(all, alteration{file: "summary.json", what: fmt.Sprintf("%d %s", i, text[m[2]:m[3]]),
				change: func(text []byte) []byte { return splice(text, m[4], m[5], to) }})
		}
	}
	return all
}

// Weights, returns and figures of a backtest follow from each other and the prices.
func TestAlteredBacktest(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "backtest", "backtest", smallTest...))
	all := slices.Concat(ofJSON(t, dir, "summary.json"), ofStrategies(t, dir), ofCSV(t, dir, "returns.csv"),
		ofCSV(t, dir, "weights.csv"), ofCSV(t, dir, "trials.csv"), ofCSV(t, dir, "benchmark.csv"), shifted(t, dir, "weights.csv", 4),
		[]alteration{{file: "trials.csv", what: "removed"}, {file: "benchmark.csv", what: "removed"}, flipped("figures/wealth.png", -200),
			{file: "report.html", what: "a number", change: func(text []byte) []byte {
				at := regexp.MustCompile(`<td[^>]*>[0-9]`).FindIndex(text)[1]
				return splice(text, at-1, at, string('0'+(text[at-1]-'0'+1)%10))
			}}})
	expect(t, dir, all, "report.html: a number")
	dir = copied(t, finished(t, "bear", "backtest", "-strategies", "max-sharpe", "-train", "60", "-test", "20", "-quiet"))
	expect(t, dir, ofFields(t, dir, "summary.json", "rebalances_without_answer"))
}

// Backtests of models, on combinatorial splits and with constant weights hold, and what
// single models and further paths earned follows from their weights.
func TestSoundBacktestsHold(t *testing.T) {
	skipWhenShort(t)
	for name, args := range map[string][]string{
		"models": {"-strategies", "equal-weight,latent-sharpe,zero-shot-sharpe-prior", "-models", "2", "-n", "200", "-steps", "10", "-train", "200",
			"-test", "300", "-from", "2022-06-01", "-constant-weights", "-backend", "go"},
		"splits": {"-strategies", "equal-weight,inverse-volatility", "-groups", "4", "-test", "70",
			"-from", "2022-06-01", "-min-weight", "0.05"},
	} {
		dir := copied(t, finished(t, "backtest-"+name, "backtest", append(args, "-quiet")...))
		trials := "trials.csv"
		if name == "splits" {
			trials = "paths.csv"
		}
		if missed := found(t, dir, slices.Concat(ofCSV(t, dir, trials), ofCSV(t, dir, "choices.csv"),
			shifted(t, dir, "choices.csv", 3))); len(missed) > 0 {
			t.Errorf("%s: not found: %s", name, strings.Join(missed, "; "))
		}
	}
}

// smallCorpus, smallTraining and smallConditional are a training set and models of it.
func smallCorpus(t *testing.T) string {
	return finished(t, "corpus", "corpus", "-n", "200", "-lookbacks", "40,60", "-quiet")
}

func smallTraining(t *testing.T) string {
	return finished(t, "train", "train", "-weights", filepath.Join(smallCorpus(t), "weights.csv"), "-backend", "go",
		"-steps", "30", "-batch", "32", "-latent", "2", "-hidden", "8", "-components", "2", "-quiet")
}

func smallConditional(t *testing.T) string {
	return finished(t, "conditional", "train", "-weights", filepath.Join(smallCorpus(t), "weights.csv"), "-conditions",
		filepath.Join(smallCorpus(t), "conditions.csv"), "-condition-on", "volatility,max_weight", "-caps", "max_weight",
		"-backend", "go", "-steps", "5", "-batch", "32", "-latent", "2", "-hidden", "8", "-components", "2", "-quiet")
}

// What a training says of its model follows from the network and the rows.
func TestAlteredTraining(t *testing.T) {
	skipWhenShort(t)
	rows := copied(t, smallCorpus(t))
	expect(t, rows, shifted(t, rows, "weights.csv", 3))
	dir := copied(t, smallTraining(t))
	all := slices.Concat(ofJSON(t, dir, "diagnostics.json"), ofJSON(t, dir, "health.json"), ofJSON(t, dir, "model.json"),
		ofCSV(t, dir, "history.csv"), []alteration{flipped("model.safetensors", -3), flipped("model.safetensors", 2001)})
	expect(t, dir, all)
	if said := first(t, smallConditional(t), memo{}, ""); said != "" {
		t.Errorf("under conditions: %s", said)
	}
}

// Portfolios follow from their codes, and those from the seed; what orders have from
// the portfolios.
func TestAlteredPortfolios(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "samples", "generate", "-model", smallTraining(t), "-n", "4", "-max-weight", "0.3",
		"-backend", "go", "-quiet"))
	near := finished(t, "near", "generate", "-model", smallTraining(t), "-n", "4", "-max-weight", "0.3", "-holdings",
		heldFile(t), "-max-turnover", "1", "-backend", "go", "-quiet")
	if said := first(t, near, memo{}, ""); said != "" {
		t.Errorf("under a limit on turnover: %s", said)
	}
	expect(t, dir, slices.Concat(ofCSV(t, dir, "weights.csv"), ofJSON(t, dir, "provenance.json")))
	dir = copied(t, finished(t, "order", "generate", "-model", smallConditional(t), "-mode", "condition", "-wish",
		"volatility=0.65,max_weight<=0.3", "-n", "4", "-backend", "go", "-quiet"))
	expect(t, dir, slices.Concat(ofCSV(t, dir, "weights.csv"), shifted(t, dir, "weights.csv", 2),
		ofJSON(t, dir, "provenance.json"), ofFields(t, dir, "provenance.json", "mean_miss_[a-z0-9_]+|evaluations")))
	dir = copied(t, finished(t, "search", "generate", "-model", smallTraining(t), "-mode", "latent", "-n", "2", "-starts",
		"4", "-iterations", "5", "-backend", "go", "-quiet"))
	expect(t, dir, slices.Concat(ofCSV(t, dir, "weights.csv"), ofJSON(t, dir, "provenance.json"),
		ofFields(t, dir, "provenance.json", "value|evaluations")))
}

// ofFields alters the first of each field of a JSON file whose name matches.
func ofFields(t *testing.T, dir, file, names string) (all []alteration) {
	seen := map[string]bool{}
	text := contentsOf(t, dir, file)
	for _, m := range regexp.MustCompile(`"(`+names+`)": ([^,\n]+)`).FindAllSubmatchIndex(text, -1) {
		if name := string(text[m[2]:m[3]]); !seen[name] {
			seen[name] = true
			all = append(all, alteration{file: file, what: "the first " + name, change: func(text []byte) []byte {
				return splice(text, m[4], m[5], altered(string(text[m[4]:m[5]])))
			}})
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has none of %s", file, names)
	}
	return all
}

// What a learnt rule is worth follows from its network and the truth of the markets.
func TestAlteredRule(t *testing.T) {
	skipWhenShort(t)
	corpus := finished(t, "truth", "corpus", "-universes", "24", "-simulated", "-truth", "-least-assets", "3",
		"-most-assets", "6", "-least-periods", "40", "-most-periods", "60", "-held-out", "0.3", "-quiet")
	if said := first(t, corpus, memo{}, ""); said != "" {
		t.Error(said)
	}
	dir := copied(t, finished(t, "rule", "train", "-corpus", corpus, "-objective", "true-sharpe", "-backend", "go",
		"-batch", "8", "-steps", "5", "-quiet"))
	expect(t, dir, slices.Concat(ofJSON(t, dir, "diagnostics.json"), ofCSV(t, dir, "history.csv"), []alteration{
		flipped("rule.safetensors", -2001), flipped("rule.safetensors", -30001), {file: "diagnostics.json", what: "removed"},
		replaced("rule.safetensors", "the seed", `\"seed\":1`, `\"seed\":2`)}))
}

// Universes, a model over sets of them and its portfolios follow from each other.
func TestAlteredSets(t *testing.T) {
	skipWhenShort(t)
	corpus := finished(t, "universes", "corpus", smallUniverses...)
	rows := copied(t, corpus)
	line := alteration{file: "universes.jsonl", what: "a weight", change: func(text []byte) []byte {
		at := strings.Index(string(text), `"weights":[[`) + len(`"weights":[[`)
		return splice(text, at, at+strings.IndexAny(string(text[at:]), ",]"), "0.9876")
	}}
	if missed := found(t, rows, []alteration{line}); len(missed) > 0 {
		t.Errorf("not found: %s", strings.Join(missed, "; "))
	}
	for name, args := range map[string][]string{"set": nil, "asked": {"-asked"}, "gone-on": nil} {
		if name == "gone-on" {
			args = []string{"-from", setOf(t, corpus, "set"), "-steps", "3"}
		}
		dir := copied(t, setOf(t, corpus, name, args...))
		all := slices.Concat(ofJSON(t, dir, "diagnostics.json"), ofCSV(t, dir, "history.csv"),
			some(ofJSON(t, dir, "aggregate.json"), 4), []alteration{flipped("set.safetensors", -1),
				flipped("set.safetensors", -30001)})
		if name != "set" {
			all = some(all, 3)
		}
		expect(t, dir, slices.DeleteFunc(all, func(a alteration) bool { // times
			return strings.Contains(a.what, "seconds") || strings.Contains(a.what, "_time")
		}))
	}
	made := copied(t, finished(t, "generated", "generate", "-backend", "go", "-n", "5", "-max-weight", "0.3", "-holdings", heldFile(t),
		"-max-turnover", "0.9", "-quiet"))
	expect(t, made, slices.Concat(ofCSV(t, made, "weights.csv"), shifted(t, made, "weights.csv", 2),
		ofJSON(t, made, "provenance.json")))
	order := copied(t, finished(t, "set-order", "generate", "-mode", "condition", "-wish",
		"volatility=0.7,max_weight<=0.25,sector.DeFi<=0.3", "-backend", "go", "-n", "20", "-max-weight", "0.35", "-quiet"))
	expect(t, order, slices.Concat(ofCSV(t, order, "weights.csv"), shifted(t, order, "weights.csv", 2),
		some(ofJSON(t, order, "provenance.json"), 5)))
}

// Of two assets the sign of the second loading is decided by roundings: their portfolios
// are as they should be by either one, and altered ones by neither.
func TestTwoAssets(t *testing.T) {
	skipWhenShort(t)
	for _, pair := range []string{"ALDER,BIRCH", "BASALT,WREN"} {
		dir := copied(t, finished(t, "two "+pair, "generate", "-symbols", pair, "-backend", "go", "-n", "10", "-quiet"))
		if said := first(t, dir, memo{}, ""); said != "" {
			t.Errorf("%s: %s", pair, said)
		}
		expect(t, dir, some(ofCSV(t, dir, "weights.csv"), 5))
	}
}

// heldFile holds the file of some holdings.
func heldFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "held.csv")
	if err := os.WriteFile(path, []byte("BIRCH,ALDER,OAK,Cash balance\n0.25,0.3,0.15,0.3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// smallUniverses are the flags of the smallest corpus of universes.
var smallUniverses = []string{"-universes", "24", "-simulated", "-portfolios", "6", "-least-assets", "3", "-most-assets",
	"6", "-least-periods", "40", "-most-periods", "60", "-held-out", "0.3", "-quiet"}

// setOf is the smallest model over sets.
func setOf(t *testing.T, corpus, name string, args ...string) string {
	usual := []string{"-steps", "20", "-latent", "3"}
	if slices.Contains(args, "-from") {
		usual = nil
	}
	return finished(t, name, "train", slices.Concat([]string{"-corpus", corpus, "-backend", "go", "-batch", "16", "-quiet"},
		usual, args)...)
}
