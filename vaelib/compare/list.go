package compare

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
)

// Entry is a run in a folder of runs.
type Entry struct {
	Path       string // from the folder, slashed
	Verb       string
	State      string // one of the states
	ConfigHash string // of the configuration alone: equal for runs on other data
	Data       string // hash of the data
	Seed       uint64
	Backend    string
	Started    time.Time
	Seconds    float64       // spent, all sessions together
	Figures    number.Values // the key figures of its verb
	Note       string        // why it can't be read, or what else must be known
}

// States of an entry.
const (
	Finished   = "finished"
	Unfinished = "unfinished" // interrupted, or under way
	Damaged    = "damaged"    // its manifest can't be read
)

// keyFigures are the numbers of a summary that tell most of a run, by its verb.
var keyFigures = map[string][]string{
	"pipeline": {"sharpe_latent", "sharpe_convex_bound", "sharpe_latent_oos", "sharpe_equal_weight_oos",
		"active_units", "r2"},
	"train":    {"active_units", "kl_nats", "r2"},
	"backtest": {"windows"},
}

// List finds the runs in a folder and the folders below, in order of their paths.
// What lies in a run's folder is its own; a sweep, or a laboratory, is one entry.
func List(dir string) ([]Entry, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("is a file: give the folder in which runs lie")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, reason(err))
	}
	var entries []Entry
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if d != nil && d.IsDir() && path != dir {
				return fs.SkipDir // not ours to read
			}
			return fmt.Errorf("%s: %w", path, reason(err))
		}
		if !d.IsDir() {
			return nil
		}
		e, ok := entry(path)
		if !ok {
			return nil
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		e.Path = filepath.ToSlash(relative)
		entries = append(entries, e)
		return fs.SkipDir
	})
	return entries, err
}

func reason(err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		return cause.Err
	}
	return err
}

// labFile is the plan of a laboratory, worldsFolder that of its worlds.
const (
	labFile      = "lab.json"
	worldsFolder = "worlds"
)

// entry reads a folder as a run, a sweep or a laboratory, if it is one.
func entry(dir string) (Entry, bool) {
	if _, err := os.Stat(filepath.Join(dir, labFile)); err == nil {
		return labEntry(dir), true
	}
	if _, err := os.Stat(filepath.Join(dir, sweepFile)); err == nil {
		return sweepEntry(dir), true
	}
	m, err := run.ReadManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Entry{}, false
	case err != nil:
		return Entry{State: Damaged, Note: err.Error()}, true
	}
	e := Entry{
		Verb: m.Verb, State: Unfinished, ConfigHash: m.ConfigHash, Data: m.Data, Seed: m.Seed, Backend: m.Backend,
		Started: m.Started, Seconds: m.Timings["total"],
	}
	if m.Finished != nil {
		e.State = Finished
	}
	summary, err := readSummary(filepath.Join(dir, summaryFile))
	if err != nil {
		e.Note = err.Error()
	}
	for _, name := range keyFigures[m.Verb] {
		if x, ok := summary.Get(name); ok {
			e.Figures.Names, e.Figures.Numbers = append(e.Figures.Names, name), append(e.Figures.Numbers, x)
		}
	}
	if m.Verb == "backtest" {
		e.addStrategies(filepath.Join(dir, summaryFile))
	}
	return e, true
}

// addStrategies adds the Sharpe ratio of each strategy of a backtest, the largest
// first.
func (e *Entry) addStrategies(path string) {
	type tested struct {
		Name   string   `json:"name"`
		Sharpe *float64 `json:"sharpe"`
	}
	var summary struct {
		Strategies []tested `json:"strategies"`
	}
	text, err := run.ReadFile(path)
	if err != nil || json.Unmarshal(text, &summary) != nil {
		return // an unfinished run has none
	}
	known := slices.DeleteFunc(summary.Strategies, func(s tested) bool { return s.Sharpe == nil })
	slices.SortStableFunc(known, func(a, b tested) int { return cmp.Compare(*b.Sharpe, *a.Sharpe) })
	for _, s := range known {
		e.Figures.Names = append(e.Figures.Names, "sharpe "+s.Name)
		e.Figures.Numbers = append(e.Figures.Numbers, *s.Sharpe)
	}
}

// labEntry reads the folder of a laboratory, whose worlds are part of it.
func labEntry(dir string) Entry {
	e := Entry{Verb: "lab", State: Unfinished}
	if text, err := run.ReadFile(filepath.Join(dir, labFile)); err == nil {
		e.ConfigHash = run.Hash(text)
	}
	worlds, err := os.ReadDir(filepath.Join(dir, worldsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.State, e.Note = Damaged, fmt.Sprintf("its %s can't be read: %v", worldsFolder, reason(err))
		return e
	}
	done := 0
	for _, w := range worlds {
		done += e.addPart(filepath.Join(dir, worldsFolder, w.Name()))
	}
	if _, err := os.Stat(filepath.Join(dir, summaryFile)); err == nil {
		e.State = Finished
	}
	e.Figures.Names, e.Figures.Numbers = []string{"worlds"}, []float64{float64(done)}
	return e
}

// addPart adds what a run that is a part took, and returns 1 where it is done.
func (e *Entry) addPart(dir string) int {
	m, err := run.ReadManifest(dir)
	if err != nil {
		return 0
	}
	if e.Started.IsZero() || m.Started.Before(e.Started) {
		e.Started = m.Started
	}
	e.Seconds += m.Timings["total"]
	e.Backend = m.Backend
	if m.Finished == nil {
		return 0
	}
	return 1
}

// sweepEntry reads the folder of a sweep.
func sweepEntry(dir string) Entry {
	e := Entry{Verb: "sweep", State: Unfinished}
	text, err := run.ReadFile(filepath.Join(dir, sweepFile))
	var plan struct {
		Runs []struct{ ID string } `json:"runs"`
	}
	if err == nil {
		err = json.Unmarshal(text, &plan)
	}
	if err != nil {
		e.State, e.Note = Damaged, fmt.Sprintf("its %s can't be read: %v", sweepFile, reason(err))
		return e
	}
	e.ConfigHash = run.Hash(text)
	done := 0
	for _, r := range plan.Runs {
		if !fs.ValidPath(r.ID) || strings.Contains(r.ID, "/") {
			continue
		}
		done += e.addPart(filepath.Join(dir, "runs", r.ID))
	}
	if done == len(plan.Runs) {
		e.State = Finished
	}
	e.Figures.Names = []string{"runs", "done"}
	e.Figures.Numbers = []float64{float64(len(plan.Runs)), float64(done)}
	return e
}
