package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
)

// What became of an item.
const (
	same      = "same"
	differs   = "differs"
	unchecked = "unchecked" // and why stands in place of what is recomputed
)

// finding is one item of a file, as it is stored and as it ought to be.
type finding struct {
	File, Item, Status string
	Stored, Recomputed any
}

// check looks at one file, or at several that belong together, and adds what it
// finds. Its error is that of a file that can't be read: it differs.
type check struct {
	file string
	do   func(f *folder, ctx context.Context) error
}

// folder is a run as it lies on disk.
type folder struct {
	dir       string
	manifest  *run.Manifest
	tolerance float64
	io        *cli.IO
	findings  []finding
	memo      memo
	decided   *decided // by the sweep or the laboratory that the run is part of; nil: it is looked at by itself
}

// memo keeps what was recomputed, by the contents of the files that it follows
// from.
type memo map[string]any

// Bounds on what is looked at, far beyond what any verb writes.
const (
	mostManifest = 16 << 20 // bytes
	mostFiles    = 10_000   // of one run
	mostOfFile   = 64 << 30 // bytes, of any file
	mostOfTable  = 2 << 30  // bytes
)

// plain says what a folder holds that isn't a file or a folder, or larger than any that a
// verb writes: a pipe would be waited for, a device never end, a link lead elsewhere.
func plain(dir string) error {
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		at := filepath.Join(dir, filepath.FromSlash(name))
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is %s, and a run holds files and folders alone", at, kindOf(d.Type()))
		}
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case info.Size() > mostOfFile || path.Base(name) == manifestFile && info.Size() > mostManifest:
			return fmt.Errorf("%s has %d bytes, more than any that a verb writes", at, info.Size())
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // what is missing is told of by whoever wants it
	}
	return err
}

// readManifest is [run.ReadManifest], of no more files than a run may have.
func readManifest(dir string) (*run.Manifest, error) {
	m, err := run.ReadManifest(dir)
	if err == nil && len(m.Files) > mostFiles {
		return nil, fmt.Errorf("%s: its %s lists %d files, and no run has more than %d", dir, manifestFile,
			len(m.Files), mostFiles)
	}
	return m, err
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

func open(dir string, tolerance float64, io *cli.IO) (*folder, error) {
	f := &folder{dir: dir, tolerance: tolerance, io: io, memo: memo{}}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder: give that of a run; a file by itself says nothing of what it follows "+
			"from", dir)
	}
	if err := plain(dir); err != nil {
		return nil, err
	}
	manifest, err := readManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if made, other := foreign(dir); other {
			f.manifest = &run.Manifest{Verb: made}
			return f, nil
		}
		return nil, fmt.Errorf("%s: no run is there (manifest.json): give the folder of a run", dir)
	}
	if made, other := foreign(dir); err != nil && other {
		f.manifest = &run.Manifest{Verb: made}
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if manifest.Finished == nil {
		return nil, fmt.Errorf("%s: not a finished run: run %s again, which goes on with it", dir, manifest.Verb)
	}
	f.manifest = manifest
	return f, nil
}

// foreign are the folders of verbs that keep them in ways of their own.
func foreign(dir string) (verb string, ok bool) {
	for _, verb := range []string{"sweep", "lab"} {
		if _, err := os.Stat(filepath.Join(dir, verb+".json")); err == nil {
			return verb, true
		}
	}
	var kind struct{ Kind string }
	if text, err := run.ReadFile(filepath.Join(dir, "manifest.json")); err == nil &&
		json.Unmarshal(text, &kind) == nil && kind.Kind == fetchKind {
		return "fetch", true
	}
	return "", false
}

// part reports whether the run is one of many in a folder of a sweep or a
// laboratory, which has the settings that they share.
func (f *folder) part() bool {
	return f.manifest.Kind != "" && (f.manifest.Verb == "sweep" || f.manifest.Verb == "lab")
}

// checks are those of the verb, the quick ones first.
func (f *folder) checks() []check {
	all := []check{}
	if f.manifest.Kind != "" {
		all = append(all, manifestChecks...)
	}
	own, known := verbs[f.manifest.Verb]
	if f.manifest.Kind == "" {
		own, known = wholes[f.manifest.Verb]
	}
	if !known {
		own = []check{{"", func(f *folder, _ context.Context) error {
			why := "nothing is known here of what " + f.manifest.Verb + " writes"
			f.add("", "figures", unchecked, nil, why)
			return nil
		}}}
	}
	return append(append(all, own...), check{manifestFile, (*folder).checkOverlooked})
}

// checkOverlooked names the files whose contents nothing was said of but their hash.
func (f *folder) checkOverlooked(context.Context) error {
	known := map[string]bool{"config.toml": true} // which all follows from, as from the parameters of networks
	for _, x := range f.findings {
		known[x.File] = known[x.File] || x.Item != "sha256"
	}
	var left []string
	for name := range f.manifest.Files {
		if !known[name] && path.Ext(name) != ".safetensors" && !isProfile(name) {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	for _, name := range left {
		f.add(name, "contents", unchecked, nil, "-rerun makes them again")
	}
	f.add(manifestFile, "files with contents that are known here", same, len(f.manifest.Files)-len(left),
		len(f.manifest.Files)-len(left))
	return nil
}

// verbs are the checks of each, besides those of the manifest.
var verbs = map[string][]check{
	"pipeline": pipelineChecks,
	"backtest": backtestChecks,
	"train":    trainChecks,
	"corpus":   corpusChecks,
	"generate": generateChecks,
	"export":   exportChecks,
	"sweep":    sweptChecks,
}

// wholes are those of folders with many runs, and of fetch, whose manifest is another.
var wholes = map[string][]check{
	"sweep": wholeSweepChecks,
	"lab":   wholeLabChecks,
	"fetch": fetchChecks,
}

// look runs one check.
func (f *folder) look(ctx context.Context, c check) {
	before := len(f.findings)
	if err := c.guarded(f, ctx); err != nil && ctx.Err() == nil {
		f.add(c.file, "can be checked", differs, err.Error(), nil)
	} else if len(f.findings) == before && err == nil {
		f.add(c.file, "whole", unchecked, nil, "nothing in it is known here")
	}
}

// guarded is do: parts of an altered run, each sound by itself, may not fit together.
func (c check) guarded(f *folder, ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parts of the run don't fit together: %v", p)
		}
	}()
	return c.do(f, ctx)
}

func (f *folder) add(file, item, status string, stored, recomputed any) {
	f.findings = append(f.findings, finding{file, item, status, stored, recomputed})
}

// equal compares what is stored with what it ought to be.
func (f *folder) equal(file, item string, stored, recomputed any) bool {
	status := same
	if !reflectEqual(stored, recomputed) {
		status = differs
	}
	f.add(file, item, status, stored, recomputed)
	return status == same
}

// reflectEqual compares values as JSON has them, numbers by their value.
func reflectEqual(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX != nil || errY != nil || string(x) == string(y) {
		return errX == nil && errY == nil
	}
	var u, v any // in which fields have no order
	return json.Unmarshal(x, &u) == nil && json.Unmarshal(y, &v) == nil && reflect.DeepEqual(u, v)
}

// near compares a stored number with one that was recomputed in another way. NaN is
// one that is undefined, and has to be stored as none.
func (f *folder) near(file, item string, stored any, recomputed, tolerance float64) bool {
	got, known := stored.(float64)
	status := differs
	switch {
	case !known && stored == nil && math.IsNaN(recomputed):
		status = same
	case known && math.Abs(got-recomputed) <= tolerance*max(1, math.Abs(recomputed)):
		status = same
	}
	var want any = recomputed
	if math.IsNaN(recomputed) {
		want = nil
	}
	f.add(file, item, status, stored, want)
	return status == same
}

// all compares many numbers of one kind, and adds one finding: of the first that
// differs, or of all.
func (f *folder) all(file, item string, names []string, stored, recomputed []float64, tolerance float64) bool {
	for i, want := range recomputed {
		got := stored[i]
		if math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= tolerance*max(1, math.Abs(want)) {
			continue
		}
		f.add(file, item+" of "+names[i], differs, defined(got), defined(want))
		return false
	}
	f.add(file, item, same, len(stored), len(recomputed))
	return true
}

// defined is a number as findings have it.
func defined(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

// first tells of the first item that differs.
func (f *folder) first() string {
	for _, x := range f.findings {
		if x.Status == differs {
			return fmt.Sprintf("%s, %s: %v, recomputed %v", x.File, x.Item, x.Stored, x.Recomputed)
		}
	}
	return ""
}

// sound are the files with findings, in the order of these, and how many of each are the
// same.
func (f *folder) sound() (names []string, counts map[string]int) {
	counts = map[string]int{}
	for _, x := range f.findings {
		if _, known := counts[x.File]; !known {
			names, counts[x.File] = append(names, x.File), 0
		}
		if x.Status == same {
			counts[x.File]++
		}
	}
	return names, counts
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f *folder) read(name string) ([]byte, error) { return run.ReadFile(f.path(name)) }

// has says whether the file is there.
func (f *folder) has(name string) bool {
	_, err := os.Stat(f.path(name))
	return err == nil
}

// object reads a JSON object.
func (f *folder) object(name string) (map[string]any, error) {
	var o map[string]any
	return o, f.json(name, &o)
}

func (f *folder) json(name string, into any) error {
	text, err := f.read(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// table is a CSV file.
type table struct {
	name   string
	header []string
	rows   [][]string
}

func (f *folder) table(name string) (*table, error) {
	file, err := run.OpenFile(f.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > mostOfTable {
		return nil, fmt.Errorf("%s has %d bytes, more than are read of one table", name, info.Size())
	}
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%s has no header", name)
	}
	return &table{name, records[0], records[1:]}, nil
}

// identified is a table, and the ids of its rows.
func (f *folder) identified(name string) (*table, []string, error) {
	t, err := f.table(name)
	if err != nil {
		return nil, nil, err
	}
	ids, err := t.text("id")
	return t, ids, err
}

// text is a column; an error says that it is missing.
func (t *table) text(column string) ([]string, error) {
	k := slices.Index(t.header, column)
	if k < 0 {
		return nil, fmt.Errorf("%s has no column %s", t.name, column)
	}
	cells := make([]string, len(t.rows))
	for i, row := range t.rows {
		cells[i] = row[k]
	}
	return cells, nil
}

// numbers is a column of numbers, NaN where a cell is empty.
func (t *table) numbers(column string) ([]float64, error) {
	cells, err := t.text(column)
	if err != nil {
		return nil, err
	}
	return parse(t.name, column, cells)
}

func parse(name, column string, cells []string) ([]float64, error) {
	values := make([]float64, len(cells))
	for i, cell := range cells {
		values[i] = math.NaN()
		if cell == "" {
			continue
		}
		x, err := strconv.ParseFloat(cell, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%s:%d: %s is %q, which is no number", name, i+2, column, cell)
		}
		values[i] = x
	}
	return values, nil
}

// matrix are the numbers of the columns from the first on.
func (t *table) matrix(from int) ([][]float64, error) {
	rows := make([][]float64, len(t.rows))
	for i, row := range t.rows {
		for _, cell := range row[from:] {
			x, err := strconv.ParseFloat(cell, 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("%s:%d: %q is no number", t.name, i+2, cell)
			}
			rows[i] = append(rows[i], x)
		}
	}
	return rows, nil
}

// recall computes something once for the contents of the files that it follows
// from.
func recall[T any](f *folder, what string, files []string, compute func() (T, error)) (T, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, what)
	for _, name := range files {
		file, err := os.Open(f.path(name))
		if err != nil {
			fmt.Fprintln(sum, "none")
			continue
		}
		_, err = io.Copy(sum, file)
		file.Close()
		if err != nil {
			var none T
			return none, err
		}
		fmt.Fprintln(sum, "end", name)
	}
	key := string(sum.Sum(nil))
	if known, ok := f.memo[key]; ok {
		return known.(T), nil
	}
	value, err := compute()
	if err == nil {
		f.memo[key] = value
	}
	return value, err
}

// lines are those of a configuration that count.
func lines(config []byte) []string {
	var kept []string
	for line := range strings.Lines(string(config)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			kept = append(kept, line)
		}
	}
	return kept
}
