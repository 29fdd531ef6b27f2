package sweep

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
)

// Names of the tables that [Merge] makes.
const (
	ResultsFile = "results.csv"
	TimingsFile = "timings.csv"
)

// Merged is what [Merge] found.
type Merged struct {
	Runs, Done int
	Brought    int       // from other folders
	Missing    []string  // runs that are not finished, by folder name and point
	Conflicts  []Failure // runs whose results can't be trusted, and why
	Notes      []string  // what else is odd, one line each

	dir    string
	plan   *plan
	judged []judgedRun // runs whose portfolios were judged
}

// Err is nil where every run is done, and else one line on what is wrong.
func (m *Merged) Err() error {
	switch {
	case len(m.Conflicts) > 0:
		return fmt.Errorf("%d of %d runs conflict: %s", len(m.Conflicts), m.Runs,
			list(len(m.Conflicts), func(i int) string {
				return fmt.Sprintf("%s (%s): %s", m.Conflicts[i].ID, m.Conflicts[i].Run, m.Conflicts[i].Reason)
			}))
	case len(m.Missing) > 0:
		return fmt.Errorf("%d of %d runs are missing: %s; make them with sweep run, then merge again", len(m.Missing),
			m.Runs,
			list(len(m.Missing), func(i int) string { return m.Missing[i] }))
	}
	return nil
}

// list joins the first few of n texts.
func list(n int, text func(i int) string) string {
	const few = 5
	var parts []string
	for i := range min(n, few) {
		parts = append(parts, text(i))
	}
	if n > few {
		parts = append(parts, fmt.Sprintf("and %d more", n-few))
	}
	return strings.Join(parts, "; ")
}

// Merge writes results.csv and timings.csv into a sweep's folder: one row a
// run in the order of the sweep, with empty figures where the run is missing or
// in conflict. Where runs are of conditional models, the last columns tell how
// well these do what they are asked for, and are empty for the others. Finished
// runs of the same sweep in other folders, made on machines that share no disk,
// are brought in first. Merging again, or with any number of shards, gives the
// same bytes.
//
// A run conflicts when two folders have different results of it, when its files
// are not those that it finished with, or when it was made from something else
// than the sweep says. The first result stays where it is.
func Merge(dir string, from []string) (*Merged, error) {
	p, err := openPlan(dir)
	if err != nil {
		return nil, err
	}
	if err := run.Free(dir, ownFiles...); err != nil {
		return nil, err
	}
	var merged *Merged
	err = locked(dir, func() error {
		if err := removeLeftovers(dir); err != nil {
			return err
		}
		merged, err = merge(dir, p, from)
		return err
	})
	return merged, err
}

// merge is Merge in a locked folder with this plan.
func merge(dir string, p *plan, from []string) (_ *Merged, err error) {
	m := &merger{
		dir: dir, plan: p, conflicts: map[string]string{}, builds: map[string]int{}, merged: &Merged{Runs: len(p.Runs)},
		control: map[string]map[string]string{},
	}
	for _, other := range from {
		if err := m.bring(other); err != nil {
			return nil, err
		}
	}
	if m.engine, err = readEngine(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var results, timings [][]string
	for _, r := range p.Runs {
		result, seconds, err := m.rows(r)
		if err != nil {
			return nil, err
		}
		results, timings = append(results, result), append(timings, seconds)
	}
	m.look()
	for i, r := range p.Runs {
		for _, name := range m.controlNames {
			results[i] = append(results[i], m.control[r.ID][name])
		}
	}
	head := slices.Concat([]string{"run"}, p.Axes, []string{"status"}, figureNames, worthNames, m.controlNames)
	if err := writeTable(filepath.Join(dir, ResultsFile), head, results); err != nil {
		return nil, err
	}
	if err := writeTable(filepath.Join(dir, TimingsFile), []string{"run", "seconds", "samples_per_second"},
		timings); err != nil {
		return nil, err
	}
	m.merged.dir, m.merged.plan = dir, p
	return m.merged, nil
}

// merger is a merge under way.
type merger struct {
	dir       string
	plan      *plan
	engine    engine
	conflicts map[string]string // reason by run
	builds    map[string]int    // runs by the plugin and module versions that made them
	merged    *Merged

	controlNames []string                     // the columns of conditional models
	control      map[string]map[string]string // their cells, by run and column
}

// bring copies the finished runs of another folder of the same sweep.
func (m *merger) bring(other string) error {
	p, err := openPlan(other)
	if err != nil {
		return err
	}
	if !samePlan(p, m.plan) {
		return &PlanError{Dir: other, Reason: "holds another sweep than " + m.dir + ": merge the shards of one"}
	}
	theirs, err := readEngine(other)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was run there
	}
	if err != nil {
		return err
	}
	ours, err := readEngine(m.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := run.WriteJSON(filepath.Join(m.dir, engineFile), theirs); err != nil {
			return err
		}
	case err != nil:
		return err
	case ours.Backend != theirs.Backend || ours.GOARCH != theirs.GOARCH:
		return &PlanError{Dir: other, Reason: fmt.Sprintf("was made with the backend %s on %s, %s with %s on %s: "+
			"make both with one",
			theirs.Backend, theirs.GOARCH, m.dir, ours.Backend, ours.GOARCH)}
	}
	for _, r := range m.plan.Runs {
		from, to := filepath.Join(other, RunsFolder, r.ID), filepath.Join(m.dir, RunsFolder, r.ID)
		there, err := run.ReadManifest(from)
		if err != nil || there.Finished == nil {
			continue
		}
		if here, err := run.ReadManifest(to); err == nil && here.Finished != nil {
			if here.Files[resultFile] != there.Files[resultFile] {
				m.conflicts[r.ID] = fmt.Sprintf("%s and %s have different results", m.dir, other)
			}
			continue
		}
		changed, err := there.Changed(from)
		if err != nil {
			return err
		}
		if changed != "" {
			m.conflicts[r.ID] = fmt.Sprintf("%s of %s is not the file that the run finished with", changed, other)
			continue
		}
		if err := run.Copy(from, to); err != nil {
			return err
		}
		m.merged.Brought++
	}
	return nil
}

// figureNames are the columns of results.csv after the axes and the status.
var figureNames = []string{
	"active_units", "kl_nats", "r2", "r2_pca", "dispersion_prior", "dispersion_posterior", "beta_without_unit",
	"thresholds",
	"train_loss", "train_reconstruction", "train_kl", "validation_loss", "validation_reconstruction", "validation_kl",
	"step", "stopped_early", "training_rows", "validation_rows", "r2_linear", "health",
}

// figures are the cells of a result, under figureNames.
func (r *Result) figures() []string {
	decimal := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	perhaps := func(n number.Value) string {
		if x, ok := n.Float(); ok {
			return decimal(x)
		}
		return ""
	}
	linear := ""
	if r.Verdict != "" {
		linear = decimal(r.R2Linear)
	}
	thresholds := make([]string, len(r.Thresholds))
	for i, x := range r.Thresholds {
		thresholds[i] = decimal(x)
	}
	return []string{
		strconv.Itoa(r.ActiveUnits), decimal(r.KL), decimal(r.R2), decimal(r.R2PCA), perhaps(r.DispersionPrior),
		perhaps(r.DispersionPosterior),
		decimal(r.Beta), strings.Join(thresholds, " "),
		decimal(r.Train.Total), decimal(r.Train.Reconstruction), decimal(r.Train.KL),
		decimal(r.Validation.Total), decimal(r.Validation.Reconstruction), decimal(r.Validation.KL),
		strconv.Itoa(r.Step), strconv.FormatBool(r.StoppedEarly), strconv.Itoa(r.Rows), strconv.Itoa(r.HeldOut),
		linear, r.Verdict,
	}
}

// controlFigures are the columns of conditional models: of a figure the mean over
// the conditions that have it, and where each is set, then each condition's own.
var controlFigures = []struct {
	name string
	each bool
	of   func(generate.Control) *float64 // nil: the condition has none
}{
	{"control_error", true, func(c generate.Control) *float64 { return ofValue(c, c.Error) }},
	{"control_shuffled", false, func(c generate.Control) *float64 { return ofValue(c, c.Shuffled) }},
	{"control_best_of_8", false, func(c generate.Control) *float64 { return ofValue(c, c.Best8) }},
	{"control_best_of_1000", false, func(c generate.Control) *float64 { return ofValue(c, c.Best1000) }},
	{"cap_violations", true, func(c generate.Control) *float64 { return c.Violations }},
	{"cap_violations_shuffled", false, func(c generate.Control) *float64 { return c.ShuffledViolations }},
}

func ofValue(c generate.Control, figure float64) *float64 {
	if c.Cap {
		return nil
	}
	return &figure
}

// addControl adds what a run has under the columns of conditional models, and
// those columns that no run had before.
func (m *merger) addControl(id string, r *Result) {
	cells := map[string]string{}
	add := func(name string, x float64) {
		cells[name] = strconv.FormatFloat(x, 'g', -1, 64)
		if !slices.Contains(m.controlNames, name) {
			m.controlNames = append(m.controlNames, name)
		}
	}
	for _, f := range controlFigures {
		var own []generate.Control
		var mean float64
		for _, c := range r.Control {
			if x := f.of(c); x != nil {
				own = append(own, c)
				mean += *x
			}
		}
		if len(own) == 0 {
			continue
		}
		add(f.name, mean/float64(len(own)))
		for _, c := range own {
			if f.each {
				add(f.name+"."+c.Name, *f.of(c))
			}
		}
	}
	m.control[id] = cells
}

// rows returns the run's rows of both tables.
func (m *merger) rows(r plannedTrial) (results, timings []string, err error) {
	figures, seconds := make([]string, len(figureNames)+len(worthNames)), []string{"", ""}
	row := func(status string) ([]string, []string, error) {
		results := append(append([]string{r.ID}, r.Point...), status)
		return append(results, figures...), append([]string{r.ID}, seconds...), nil
	}
	dir := filepath.Join(m.dir, RunsFolder, r.ID)
	manifest, err := run.ReadManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, nil, err
	}
	if err != nil || manifest.Finished == nil {
		status := "missing"
		if _, err := os.Stat(filepath.Join(dir, failureFile)); err == nil {
			status = "failed"
		}
		m.merged.Missing = append(m.merged.Missing, fmt.Sprintf("%s (%s, %s)", r.ID, m.plan.label(r), status))
		return row(status)
	}
	reason := m.conflicts[r.ID]
	if reason == "" {
		reason, err = m.conflict(r, dir, manifest)
		if err != nil {
			return nil, nil, err
		}
	}
	if reason != "" {
		m.merged.Conflicts = append(m.merged.Conflicts, Failure{r.ID, m.plan.label(r), reason})
		return row("conflict")
	}
	result, spent, err := readResult(dir)
	if err != nil {
		return nil, nil, err
	}
	m.merged.Done++
	m.builds[build(manifest)]++
	figures = append(result.figures(), result.Worth.cells()...)
	if result.Worth != nil {
		m.merged.judged = append(m.merged.judged, judgedRun{r, result.Worth})
	}
	m.addControl(r.ID, result)
	seconds = []string{strconv.FormatFloat(spent.Seconds, 'g', -1, 64),
		strconv.FormatFloat(spent.SamplesPerSecond, 'g', -1, 64)}
	return row("done")
}

// conflict says why a finished run is not the one that the sweep asks for.
func (m *merger) conflict(r plannedTrial, dir string, manifest *run.Manifest) (string, error) {
	switch {
	case manifest.Verb != "sweep" || manifest.Data != r.Corpus || manifest.Seed != r.Seed:
		return "it was made from another configuration or other data: remove its folder", nil
	case manifest.Backend != m.engine.Backend || manifest.GOARCH != m.engine.GOARCH:
		return fmt.Sprintf("it was made with the backend %s on %s, the others with %s on %s: remove its folder",
			manifest.Backend, manifest.GOARCH, m.engine.Backend, m.engine.GOARCH), nil
	}
	changed, err := manifest.Changed(dir)
	if changed != "" {
		return changed + " is not the file that the run finished with: remove its folder", err
	}
	return "", err
}

// build tells what made a run, as far as it can change bits.
func build(m *run.Manifest) string {
	return fmt.Sprintf("%s gomlx %s compute %s plugin %s", m.Go, m.Modules["github.com/gomlx/gomlx"],
		m.Modules["github.com/gomlx/compute"], filepath.Base(m.Plugin))
}

// look notes what is odd, though no conflict.
func (m *merger) look() {
	if m.plan.Synthetic {
		m.merged.Notes = append(m.merged.Notes, "the prices are the bundled sample, which is SYNTHETIC")
	}
	if len(m.builds) > 1 {
		m.merged.Notes = append(m.merged.Notes, fmt.Sprintf("the runs were made by %d different builds or plugins: "+
			"equal runs may differ in the last digits", len(m.builds)))
	}
	entries, err := os.ReadDir(filepath.Join(m.dir, RunsFolder))
	if err != nil {
		return
	}
	extra := 0
	for _, e := range entries {
		if e.IsDir() && !slices.ContainsFunc(m.plan.Runs, func(r plannedTrial) bool { return r.ID == e.Name() }) {
			extra++
		}
	}
	if extra > 0 {
		m.merged.Notes = append(m.merged.Notes, fmt.Sprintf("%d folders in %s are no runs of this sweep, and left "+
			"out", extra, RunsFolder))
	}
}

func writeTable(path string, header []string, rows [][]string) error {
	return run.WriteFile(path, func(w io.Writer) error {
		return run.WriteCSV(w, header, func(write func(cells ...string)) {
			for _, row := range rows {
				write(row...)
			}
		})
	})
}
