package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
)

// Names of files in a run's folder.
const (
	returnsFile = "returns.csv"
	trialsFile  = "trials.csv"
	summaryFile = "summary.json"
	configFile  = "config.toml"
	sweepFile   = "sweep.json"
)

// Folder is a run as its folder tells it.
type Folder struct {
	Dir      string
	Manifest *run.Manifest     // nil of a sweep, which is many runs
	Config   map[string]string // the values of config.toml as they are spelled there
	Summary  number.Values     // the numbers of summary.json, in its order
	Tracks   *Tracks           // of returns.csv; nil: it has none
	Trials   *Tracks           // of trials.csv: all that was looked at; nil: it has none
	Notes    []string          // what is odd, one line each
}

// ReadFolder reads the folder of a run, or of a sweep. It returns an error for a
// folder that holds neither, and for one whose returns can't be read.
func ReadFolder(dir string) (*Folder, error) {
	f := &Folder{Dir: dir}
	var err error
	f.Manifest, err = run.ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, statErr := os.Stat(filepath.Join(dir, sweepFile)); statErr != nil {
			return nil, fmt.Errorf("%s holds no run: give the folder of one, with its manifest.json, or a file of "+
				"returns with one column a strategy", dir)
		}
		f.Manifest, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if f.Manifest != nil && f.Manifest.Finished == nil {
		f.Notes = append(f.Notes, fmt.Sprintf("WARNING: %s: the run is not finished", dir))
	} else if f.Manifest != nil {
		changed, err := f.Manifest.Changed(dir)
		if err != nil {
			return nil, err
		}
		if changed != "" {
			f.Notes = append(f.Notes, fmt.Sprintf("WARNING: %s: %s is not the file that the run finished with",
				dir, changed))
		}
	}
	if f.Config, err = readConfig(filepath.Join(dir, configFile)); err != nil {
		return nil, err
	}
	if f.Summary, err = readSummary(filepath.Join(dir, summaryFile)); err != nil {
		return nil, err
	}
	if f.Trials, err = readIfThere(filepath.Join(dir, trialsFile)); err != nil {
		return nil, err
	}
	if f.Tracks, err = readIfThere(filepath.Join(dir, returnsFile)); err != nil || f.Tracks == nil {
		return f, err
	}
	f.Tracks.Source = dir
	for k := range f.Tracks.Sources {
		f.Tracks.Sources[k] = dir
	}
	if x, ok := f.Summary.Get("periods_per_year"); ok && x > 0 {
		f.Tracks.PeriodsPerYear = x
	}
	return f, nil
}

// readIfThere reads a file of returns, if there is one.
func readIfThere(path string) (*Tracks, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return ReadTracks(path)
}

// readConfig reads the values of a run's config.toml, which has one a line. A
// folder without one has none.
func readConfig(path string) (map[string]string, error) {
	text, err := run.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && line[0] != '#' {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return values, nil
}

// readSummary reads the numbers at the top of a summary. A folder without one has
// none.
func readSummary(path string) (number.Values, error) {
	var values number.Values
	text, err := run.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return values, nil
	}
	if err != nil {
		return values, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return values, fmt.Errorf("%s: %w: is it damaged? Run the verb again with -force", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var x *float64
		if json.Unmarshal(fields[name], &x) == nil && x != nil {
			values.Names, values.Numbers = append(values.Names, name), append(values.Numbers, *x)
		}
	}
	return values, nil
}

// Difference is a value that runs have differently: one of each, "" where a run
// lacks it.
type Difference struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// SummaryFigures is a number of several runs' summaries side by side.
type SummaryFigures struct {
	Key    string         `json:"key"`
	Values []number.Value `json:"values"` // null where a run lacks it
}

// Differences says in what runs differ: in their configurations, and in the data
// and programs that made them; and sets their figures side by side.
func Differences(folders []*Folder) (config, data []Difference, summary []SummaryFigures) {
	config = differing(folders, func(f *Folder) map[string]string { return f.Config })
	data = differing(folders, func(f *Folder) map[string]string { return f.made() })
	var names []string
	for _, f := range folders {
		for _, name := range f.Summary.Names {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		row := SummaryFigures{Key: name}
		for _, f := range folders {
			value := number.Unknown("the run doesn't have it")
			if x, ok := f.Summary.Get(name); ok {
				value = number.Known(x)
			}
			row.Values = append(row.Values, value)
		}
		summary = append(summary, row)
	}
	return config, data, summary
}

// made is what made the run, besides its configuration.
func (f *Folder) made() map[string]string {
	m := f.Manifest
	if m == nil {
		return map[string]string{"verb": "sweep"}
	}
	finished := ""
	if m.Finished != nil {
		finished = m.Finished.Format("2006-01-02T15:04:05Z07:00")
	}
	values := map[string]string{
		"verb": m.Verb, "data_hash": m.Data, "funding": fmt.Sprint(m.Funding), "seed": fmt.Sprint(m.Seed),
		"backend": m.Backend, "plugin": m.Plugin, "goarch": m.GOARCH, "go": m.Go, "commit": m.Commit,
		"modified": fmt.Sprint(m.Modified), "finished": finished,
	}
	for path, version := range m.Modules {
		values["module "+path] = version
	}
	return values
}

// differing lists the keys whose values aren't equal in all folders.
func differing(folders []*Folder, of func(*Folder) map[string]string) []Difference {
	out := []Difference{}
	keys := map[string]bool{}
	values := make([]map[string]string, len(folders))
	for k, f := range folders {
		values[k] = of(f)
		for key := range values[k] {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		d := Difference{Key: key}
		for k := range folders {
			d.Values = append(d.Values, values[k][key])
		}
		if len(slices.Compact(slices.Clone(d.Values))) > 1 {
			out = append(out, d)
		}
	}
	return out
}
