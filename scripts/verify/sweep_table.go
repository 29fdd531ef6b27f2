package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vaefolio/vaelib/sweep"
)

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
