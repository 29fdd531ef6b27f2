package sweep

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/run"
)

// Runs may be told different things, or nothing: a column stands for all of them.
func TestMergeJoinsControlColumns(t *testing.T) {
	kept, shuffled := 0.125, 0.5
	m := &merger{control: map[string]map[string]string{}}
	m.addControl("nothing", &Result{})
	m.addControl("cap", &Result{Control: []generate.Control{
		{Name: "volatility", Error: 0.25, Shuffled: 1, Best8: 0.75, Best1000: 0.5},
		{Name: "max_weight", Cap: true, Error: 9, Violations: &kept, ShuffledViolations: &shuffled},
	}})
	m.addControl("value", &Result{Control: []generate.Control{{Name: "volatility", Error: 0.25}, {Name: "max_weight", Error: 0.75}}})
	rows := map[string][]string{}
	for id, cells := range m.control {
		for _, name := range m.controlNames {
			rows[id] = append(rows[id], cells[name])
		}
	}
	names := strings.Fields("control_error control_error.volatility control_shuffled control_best_of_8 control_best_of_1000 cap_violations cap_violations.max_weight cap_violations_shuffled control_error.max_weight")
	if diff := cmp.Diff(names, m.controlNames); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	want := map[string][]string{
		"nothing": {"", "", "", "", "", "", "", "", ""},
		"cap":     {"0.25", "0.25", "1", "0.75", "0.5", "0.125", "0.125", "0.5", ""},
		"value":   {"0.5", "0.25", "0", "0", "0", "", "", "", "0.75"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestMergeNoticesConflicts(t *testing.T) {
	trainsMuch(t)
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		runSweep(t, openSweep(t, dir, tiny(t)[:2], false), Options{Workers: 1})
	}
	plan, err := readPlan(first)
	if err != nil {
		t.Fatal(err)
	}
	id := plan.Runs[0].ID
	conflicts := func(why string, from ...string) {
		t.Helper()
		merged, err := Merge(first, from)
		if err != nil {
			t.Fatal(err)
		}
		if len(merged.Conflicts) != 1 || merged.Conflicts[0].ID != id || !strings.Contains(merged.Conflicts[0].Reason, why) || merged.Done != 1 {
			t.Errorf("merged %+v, want a conflict of %s: %s", merged, id, why)
		}
		if err := merged.Err(); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("error %v, want it to name %s", err, id)
		}
		if text := readText(t, filepath.Join(first, ResultsFile)); !strings.Contains(text, id+",0.1,1,conflict,,,") {
			t.Errorf("results show figures of a run in conflict:\n%s", text)
		}
	}
	// The other folder has another result, which it finished with.
	path := filepath.Join(second, RunsFolder, id, resultFile)
	if err := os.WriteFile(path, []byte(`{"active_units": 7}`), 0o644); err != nil {
		t.Fatal(err)
	}
	manifest, err := run.ReadManifest(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if manifest.Files[resultFile], err = run.HashFile(path); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(filepath.Dir(path), "manifest.json"), manifest); err != nil {
		t.Fatal(err)
	}
	conflicts("different results", second)
	// A file of a finished run was changed.
	path = filepath.Join(first, RunsFolder, id, experiment.HistoryFile)
	if err := os.WriteFile(path, []byte("step\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	conflicts(experiment.HistoryFile + " is not the file")

	other := t.TempDir()
	if err := openSweep(t, other, tiny(t)[:1], false).claim(nil); err != nil {
		t.Fatal(err)
	}
	var planError *PlanError
	if _, err := Merge(first, []string{other}); !errors.As(err, &planError) {
		t.Errorf("merging another sweep: error %v, want *PlanError", err)
	}
	if _, err := Merge(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "holds no sweep") {
		t.Errorf("merging nothing: error %v", err)
	}
}
