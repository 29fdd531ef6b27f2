package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/sweep"
)

var wholeSweepChecks = []check{
	{"sweep.json", (*folder).checkPlan},
	{"sweep.json", (*folder).checkSweepFiles},
	{"runs", (*folder).checkSweptRuns},
	{"results.csv", (*folder).checkResults},
	{"timings.csv", (*folder).checkTimings},
	{"corpora", (*folder).checkCorpora},
	{"markets", (*folder).checkMarkets},
	{"report.html", (*folder).checkMerged},
}

// sweepPlan is sweep.json.
type sweepPlan struct {
	Kind      string       `json:"kind"`
	Synthetic bool         `json:"synthetic"`
	Axes      []string     `json:"axes"`
	Runs      []plannedRun `json:"runs"`
}

type plannedRun struct {
	ID     string   `json:"id"`
	Point  []string `json:"point"`
	Corpus string   `json:"corpus"`
	Seed   uint64   `json:"seed"`
}

// sweepEngine is backend.json.
type sweepEngine struct {
	Backend string `json:"backend"`
	Plugin  string `json:"plugin"`
	GOARCH  string `json:"goarch"`
}

func (f *folder) plan() (*sweepPlan, error) {
	p := new(sweepPlan)
	return p, f.json("sweep.json", p)
}

// done says whether a run is finished.
func (f *folder) done(r plannedRun) bool {
	m, err := run.ReadManifest(f.path(inRuns(r.ID, "")))
	return err == nil && m.Finished != nil
}

// sweptIn is what a run of the sweep was made from.
func (f *folder) sweptIn(r plannedRun) (*swept, error) {
	p := &folder{dir: f.path(inRuns(r.ID, "")), io: f.io, memo: f.memo, manifest: &run.Manifest{Verb: "sweep"}}
	return p.swept()
}

// checkPlan compares the list of runs with their configurations. A grid, with axes
// that go together and seeds, has each value of an axis as often as its others: a run
// that is left out is missed.
func (f *folder) checkPlan(context.Context) error {
	const file = "sweep.json"
	p, err := f.plan()
	if err != nil {
		return err
	}
	f.equal(file, "kind", p.Kind, "vaefolio sweep")
	var e sweepEngine
	if err := f.json("backend.json", &e); err != nil {
		return err
	}
	synthetic := false
	counts := make([]map[string]int, len(p.Axes))
	for k := range counts {
		counts[k] = map[string]int{}
	}
	for _, r := range p.Runs {
		if len(r.Point) != len(p.Axes) || r.ID == "" || path.Base(r.ID) != r.ID {
			return fmt.Errorf("%s: run %q has %d values on %d axes", file, r.ID, len(r.Point), len(p.Axes))
		}
		for k, value := range r.Point {
			counts[k][value]++
		}
		if !f.done(r) {
			continue
		}
		s, err := f.sweptIn(r)
		if err != nil {
			return err
		}
		synthetic = synthetic || s.data.Synthetic
		f.equal(file, "seed of "+r.ID, r.Seed, s.config.Seed)
		f.equal(file, "corpus of "+r.ID, r.Corpus, s.corpus)
		if err := f.checkPoint(p, r); err != nil {
			return err
		}
		m, err := run.ReadManifest(f.path(inRuns(r.ID, "")))
		if err != nil {
			return err
		}
		f.equal("backend.json", "that of "+r.ID, e, sweepEngine{m.Backend, m.Plugin, m.GOARCH})
	}
	f.equal(file, "synthetic", p.Synthetic, synthetic)
	for k, axis := range p.Axes {
		often := slices.Collect(maps.Values(counts[k]))
		f.equal(file, "every value of "+axis+" as often as its others", slices.Max(often), slices.Min(often))
	}
	return nil
}

// checkPoint compares a run's place on the axes with its configuration.
func (f *folder) checkPoint(p *sweepPlan, r plannedRun) error {
	config, err := f.read(inRuns(r.ID, "config.toml"))
	if err != nil {
		return err
	}
	for k, axis := range p.Axes {
		m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(axis) + ` = (.*)$`).FindSubmatch(config)
		if m == nil {
			return fmt.Errorf("%s has no %s", inRuns(r.ID, "config.toml"), axis)
		}
		f.equal("sweep.json", axis+" of "+r.ID, plainValue(r.Point[k]), plainValue(string(m[1])))
	}
	return nil
}

// plainValue is a value of a flag, or of a configuration, in one form for both.
func plainValue(text string) string {
	text = strings.NewReplacer("[", "", "]", "", `"`, "", " ", "").Replace(text)
	parts := strings.Split(text, ",")
	for i, part := range parts {
		if x, err := strconv.ParseFloat(part, 64); err == nil {
			parts[i] = strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	return strings.Join(parts, ",")
}

// checkSweepFiles compares what is in the folder with what belongs to it.
func (f *folder) checkSweepFiles(context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	listed := []string{"sweep.json", "backend.json", "results.csv", "timings.csv", "returns.csv", "report.html",
		"figures/sharpe.png", "figures/faithful.png", ".sweep.lock"}
	for _, r := range p.Runs {
		listed = append(listed, inRuns(r.ID, "")[:len("runs/")+len(r.ID)])
		if corpus := "corpora/" + r.Corpus; !slices.Contains(listed, corpus) {
			listed = append(listed, corpus)
		}
		if s, err := f.sweptIn(r); err == nil {
			listed = append(listed, s.marketFile())
		}
	}
	return f.checkOnly(listed, "sweep.json")
}

// checkSweptRuns looks at every run.
func (f *folder) checkSweptRuns(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	var e sweepEngine
	if err := f.json("backend.json", &e); err != nil {
		return err
	}
	for _, r := range p.Runs {
		name := path.Join("runs", r.ID)
		if !f.has(path.Join(name, manifestFile)) {
			f.add(name, "whole", unchecked, nil, "the run is missing: sweep run makes it")
			continue
		}
		if err := f.inside(ctx, name, &decided{r.Seed, e.Backend}, sweptChecks); err != nil {
			return err
		}
	}
	return nil
}

// resultColumns are those of results.csv after the axes, with the field of result.json
// that each has.
var resultColumns = [][2]string{
	{"active_units", "active_units"}, {"kl_nats", "kl_nats"}, {"r2", "r2"}, {"r2_pca", "r2_pca"},
	{"dispersion_prior", "dispersion_prior"}, {"dispersion_posterior", "dispersion_posterior"},
	{"beta_without_unit", "beta_without_unit"}, {"thresholds", "thresholds"},
	{"train_loss", "train.total"}, {"train_reconstruction", "train.reconstruction"}, {"train_kl", "train.kl"},
	{"validation_loss", "validation.total"}, {"validation_reconstruction", "validation.reconstruction"},
	{"validation_kl", "validation.kl"}, {"step", "step"}, {"stopped_early", "stopped_early"},
	{"training_rows", "training_rows"}, {"validation_rows", "validation_rows"}, {"r2_linear", "r2_linear"},
	{"health", "health"}, {"sharpe_in_sample", "worth.sharpe_in_sample"}, {"sharpe_bound", "worth.sharpe_bound"},
	{"distance_to_bound", ""}, {"sharpe_out_of_sample", "worth.sharpe_out_of_sample"},
	{"precision", "worth.precision"}, {"recall", "worth.recall"}, {"coverage", "worth.coverage"},
}

// controlColumns are those of conditional models: a field of a condition's control,
// whether it is one of upper bounds, and whether each condition has a column too.
var controlColumns = []struct {
	name, field string
	caps, each  bool
}{
	{"control_error", "error", false, true}, {"control_shuffled", "shuffled", false, false},
	{"control_best_of_8", "best_of_8", false, false}, {"control_best_of_1000", "best_of_1000", false, false},
	{"cap_violations", "violations", true, true},
	{"cap_violations_shuffled", "shuffled_violations", true, false},
}

// plainCell is a value of a JSON file as a table has it.
func plainCell(value any) string {
	switch v := value.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = plainCell(x)
		}
		return strings.Join(parts, " ")
	}
	return ""
}

// fieldAt follows a path such as worth.recall.
func fieldAt(s map[string]any, field string) any {
	var value any = s
	for name := range strings.SplitSeq(field, ".") {
		part, _ := value.(map[string]any)
		value = part[name]
	}
	return value
}

// checkResults writes the table of all runs again, by what each run's folder says.
func (f *folder) checkResults(context.Context) error {
	const file = "results.csv"
	p, err := f.plan()
	if err != nil {
		return err
	}
	header := slices.Concat([]string{"run"}, p.Axes, []string{"status"})
	for _, c := range resultColumns {
		header = append(header, c[0])
	}
	var rows [][]string
	var extra []map[string]string
	var names []string // of conditional models
	for _, r := range p.Runs {
		row := append([]string{r.ID}, r.Point...)
		if !f.done(r) {
			status := "missing"
			if f.has(inRuns(r.ID, "failure.txt")) {
				status = "failed"
			}
			rows, extra = append(rows, append(row, status)), append(extra, nil)
			continue
		}
		s, err := f.object(inRuns(r.ID, "result.json"))
		if err != nil {
			return err
		}
		row = append(row, "done")
		for _, c := range resultColumns {
			value := fieldAt(s, c[1])
			if c[0] == "distance_to_bound" {
				bound, known := fieldAt(s, "worth.sharpe_bound").(float64)
				in, also := fieldAt(s, "worth.sharpe_in_sample").(float64)
				if value = any(nil); known && also {
					value = bound - in
				}
			}
			row = append(row, plainCell(value))
		}
		cells := controlCells(s, &names)
		rows, extra = append(rows, row), append(extra, cells)
	}
	header = append(header, names...)
	for i, row := range rows {
		row = append(row, make([]string, len(header)-len(names)-len(row))...)
		for _, name := range names {
			row = append(row, extra[i][name])
		}
		rows[i] = row
	}
	return f.checkTable(file, header, rows)
}

// controlCells are a conditional model's, and adds to the names those that no run had
// before.
func controlCells(s map[string]any, names *[]string) map[string]string {
	cells := map[string]string{}
	add := func(name string, x float64) {
		if cells[name] = plainCell(x); !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
	}
	list, _ := s["control"].([]any)
	for _, c := range controlColumns {
		var mean, count float64
		own := map[string]float64{}
		var order []string
		for _, item := range list {
			condition, _ := item.(map[string]any)
			cap, _ := condition["cap"].(bool)
			x, known := condition[c.field].(float64)
			if cap != c.caps || !known {
				continue
			}
			name := plainCell(condition["name"])
			mean, count, own[name], order = mean+x, count+1, x, append(order, name)
		}
		if count == 0 {
			continue
		}
		add(c.name, mean/count)
		for _, name := range order {
			if c.each {
				add(c.name+"."+name, own[name])
			}
		}
	}
	return cells
}

// checkTable compares a table with its rows as they should be.
func (f *folder) checkTable(file string, header []string, rows [][]string) error {
	t, err := f.table(file)
	if err != nil {
		return err
	}
	f.equal(file, "columns", t.header, header)
	f.equal(file, "rows", len(t.rows), len(rows))
	for i, row := range rows[:min(len(rows), len(t.rows))] {
		f.record(file, row[0], header, t.rows[i], row)
	}
	return nil
}

// checkTimings compares the table of times with those of the runs.
func (f *folder) checkTimings(context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	var rows [][]string
	for _, r := range p.Runs {
		row := []string{r.ID, "", ""}
		if f.done(r) {
			s, err := f.object(inRuns(r.ID, "timings.json"))
			if err != nil {
				return err
			}
			row[1], row[2] = plainCell(s["seconds"]), plainCell(s["samples_per_second"])
		}
		rows = append(rows, row)
	}
	return f.checkTable("timings.csv", []string{"run", "seconds", "samples_per_second"}, rows)
}

// checkCorpora makes the training sets again, and compares their bytes.
func (f *folder) checkCorpora(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	var seen []string
	for _, r := range p.Runs {
		if slices.Contains(seen, r.Corpus) || !f.done(r) {
			continue
		}
		seen = append(seen, r.Corpus)
		s, err := f.sweptIn(r)
		if err != nil {
			return err
		}
		name := path.Join("corpora", r.Corpus)
		if err := f.inside(ctx, name, &decided{seed: s.seed}, corpusChecks); err != nil {
			return err
		}
		config, err := f.read(path.Join(name, "config.toml"))
		if err != nil {
			return err
		}
		f.equal(path.Join(name, "config.toml"), "id", string(config), fmt.Sprintf("id = %q\n", s.corpus))
		made, err := recall(f, "corpus", []string{inRuns(r.ID, "config.toml")}, func() (map[string][]byte, error) {
			return s.makeCorpus(ctx)
		})
		if err != nil {
			return err
		}
		for _, file := range slices.Sorted(maps.Keys(made)) {
			if err := f.sameBytes(path.Join(name, file), made[file]); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeCorpus makes the training set again in a folder of its own.
func (s *swept) makeCorpus(ctx context.Context) (map[string][]byte, error) {
	config := s.config.Corpus
	config.Seed, config.PeriodsPerYear = s.seed, s.perYear
	made, err := corpus.Build(ctx, s.in, s.set, s.sectors, config, nil)
	if err != nil {
		return nil, err
	}
	return written(made.Write)
}

// written are the files that write makes in a folder of their own.
func written(write func(dir string) error) (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "verify-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := write(dir); err != nil {
		return nil, err
	}
	return filesIn(dir)
}

// filesIn are the files of a folder and of those in it, by their names.
func filesIn(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	entries, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	for _, at := range entries {
		name := filepath.Base(at)
		info, err := os.Stat(at)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if files[name], err = run.ReadFile(at); err != nil {
				return nil, err
			}
			continue
		}
		inner, err := filesIn(at)
		if err != nil {
			return nil, err
		}
		for file, text := range inner {
			files[path.Join(name, file)] = text
		}
	}
	return files, nil
}

// sweptMarket is a file of what models are judged on.
type sweptMarket struct {
	Symbols        []string        `json:"symbols"`
	In             [][]float64     `json:"in"`
	Out            [][]float64     `json:"out"`
	Times          []string        `json:"times"`
	PeriodsPerYear float64         `json:"periods_per_year"`
	Set            json.RawMessage `json:"set"`
	Bound          any             `json:"bound"`
}

// market is the file, without the bound.
func (s *swept) market() *sweptMarket {
	set, _ := json.Marshal(s.set) // of plain numbers and names
	m := &sweptMarket{Symbols: s.in.Symbols, In: returns(s.in), Out: returns(s.out), PeriodsPerYear: s.perYear,
		Set: set}
	for _, at := range s.out.Times {
		m.Times = append(m.Times, at.Format("2006-01-02T15:04:05.999999999Z07:00"))
	}
	return m
}

// marketFile is its name, by its contents.
func (s *swept) marketFile() string {
	text, _ := json.Marshal(s.market())
	return path.Join("markets", hashParts(text)[:idLength]+".json")
}

// checkMarkets compares the returns that models are judged on with the prices.
func (f *folder) checkMarkets(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	for _, r := range p.Runs {
		if !f.done(r) {
			continue
		}
		s, err := f.sweptIn(r)
		if err != nil {
			return err
		}
		var m sweptMarket
		file := s.marketFile()
		if err := f.json(file, &m); err != nil {
			return err
		}
		if err := f.checkBound(ctx, file, m.Bound, s); err != nil {
			return err
		}
		var worth struct {
			Worth *worth `json:"worth"`
		}
		if err := f.json(inRuns(r.ID, "result.json"), &worth); err != nil {
			return err
		}
		if worth.Worth != nil {
			f.equal(inRuns(r.ID, "result.json"), "sharpe_bound", worth.Worth.Bound, m.Bound)
		}
		m.Bound = nil
		f.equal(file, "all", &m, s.market())
	}
	return nil
}

// checkMerged merges the runs again in a folder of its own, and compares the bytes of
// tables, report and pictures: see [sweep.Merge].
func (f *folder) checkMerged(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	files := []string{"sweep.json", "backend.json"}
	for _, r := range p.Runs {
		for _, name := range []string{manifestFile, "result.json", "returns.csv", "timings.json"} {
			files = append(files, inRuns(r.ID, name))
		}
	}
	made, err := recall(f, "merged", files, func() (map[string][]byte, error) { return f.merge(ctx) })
	if err != nil {
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(made)) {
		if err := f.sameBytes(file, made[file]); err != nil {
			return err
		}
	}
	for _, file := range []string{"report.html", "returns.csv", "figures/sharpe.png", "figures/faithful.png"} {
		if _, ok := made[file]; !ok && f.has(file) {
			f.add(file, "made again", differs, true, nil)
		}
	}
	return nil
}

func (f *folder) merge(ctx context.Context) (map[string][]byte, error) {
	plans := []string{"sweep.json", "backend.json"}
	made, err := written(func(dir string) error {
		for _, name := range plans {
			text, err := f.read(name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				return err
			}
		}
		runs, err := filepath.Abs(f.path("runs"))
		if err != nil {
			return err
		}
		if err := os.Symlink(runs, filepath.Join(dir, "runs")); err != nil {
			return err
		}
		merged, err := sweep.Merge(dir, nil)
		if err != nil {
			return err
		}
		if _, err := merged.Report(ctx); err != nil {
			return err
		}
		return os.Remove(filepath.Join(dir, "runs"))
	})
	for _, name := range plans {
		delete(made, name)
	}
	return made, err
}
