package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/run"
)

// Names in the folder that are no symbol's.
const (
	manifestName = "manifest.json"
	fundingName  = "funding"
)

// manifestKind marks a manifest as one of this verb.
const manifestKind = "vaefolio fetch"

// source is where all files of a folder come from.
type source struct {
	Server   string         `json:"server"`
	Category bybit.Category `json:"category"`
	Interval bybit.Interval `json:"interval"`
}

// describe says it in words.
func (s source) describe() string {
	return fmt.Sprintf("%s candles of interval %s from %s", s.Category, s.Interval, s.Server)
}

// manifest is what manifest.json records. Times are UTC; those of candles are
// their openings.
type manifest struct {
	Kind string `json:"kind"`
	source
	ServerTime time.Time         `json:"server_time"` // of the last call; candles had closed by then
	Universe   string            `json:"universe"`    // how the last call chose its symbols
	From       time.Time         `json:"from"`        // range of the last call, both ends inclusive
	To         time.Time         `json:"to"`
	Symbols    map[string]*entry `json:"symbols"` // of all calls
	Failed     map[string]string `json:"failed"`  // symbols of the last call, and why
	// Stale are files of earlier calls, by their paths below the folder, which
	// -force replaces: each stays until the new one is there, or all new ones are.
	Stale []string `json:"stale,omitempty"`
}

// entry is what the folder holds of a symbol.
type entry struct {
	Launched *time.Time `json:"launched"` // as the exchange states it; null where it doesn't
	Candles  file       `json:"candles"`
	Funding  file       `json:"funding"`
}

// file is one CSV. It holds all that the exchange had in [From, Until).
type file struct {
	Path   string    `json:"path"` // below the folder, with slashes
	From   time.Time `json:"from,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	Rows   int       `json:"rows"`            // 0: there is no file, or one that a killed process has begun
	Begun  bool      `json:"begun,omitempty"` // a file of this path is fetch's: recorded before the first is written
	Gaps   []gap     `json:"gaps,omitempty"`  // candles between First and Last that the exchange doesn't have
	SHA256 string    `json:"sha256,omitempty"`
}

// gap is a half-open range of openings.
type gap struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// folder is the folder of the results, in which this process alone works.
type folder struct {
	dir      string
	held     *run.Folder
	fresh    bool       // there was no manifest
	adopts   bool       // there was one that nobody can read: files by the names of fetch's are taken for such
	mu       sync.Mutex // guards manifest
	manifest manifest
}

// openFolder opens the folder, makes it where it is missing, and locks it. A
// folder with files of others, or of another source without force, is an
// error.
func openFolder(dir string, from source, force bool) (_ *folder, err error) {
	if _, err := readManifest(dir, force); err != nil {
		return nil, err // before a lock is left in a folder of others
	}
	f := &folder{dir: dir, manifest: manifest{Kind: manifestKind, source: from, Symbols: map[string]*entry{}}}
	if f.held, err = run.Enter(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.held.Leave(true)
		}
	}()
	old, err := readManifest(dir, force)
	if err != nil {
		return nil, err
	}
	switch {
	case old == nil:
		_, err := os.Stat(filepath.Join(dir, manifestName))
		f.adopts = err == nil
		f.fresh = !f.adopts
		return f, run.RemoveLeftovers(dir, manifestName)
	case force:
		f.manifest.Stale = old.files()
		return f, run.RemoveLeftovers(dir, append(old.files(), manifestName)...)
	case old.source != from:
		return nil, fmt.Errorf("%s holds %s, not %s: choose another -out, or -force to replace them",
			dir, old.source.describe(), from.describe())
	default:
		f.manifest = *old
		return f, run.RemoveLeftovers(dir, append(old.files(), manifestName)...)
	}
}

// files are the names of the files that are fetch's.
func (m *manifest) files() []string {
	names := slices.Clone(m.Stale)
	for _, e := range m.Symbols {
		for _, of := range []file{e.Candles, e.Funding} {
			if (of.Rows > 0 || of.Begun) && !slices.Contains(names, of.Path) {
				names = append(names, of.Path)
			}
		}
	}
	slices.Sort(names)
	return names
}

// readManifest reads that of the folder, nil where there is none, or with force one
// that is cut short. Files without a manifest, or with one of something else, are
// an error.
func readManifest(dir string, force bool) (*manifest, error) {
	text, err := run.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") {
				return nil, fmt.Errorf("%s holds files that fetch did not write (%s): choose another -out",
					dir, e.Name())
			}
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var m manifest
	err = json.Unmarshal(text, &m)
	switch {
	case err != nil && run.CutShort(text, manifestKind) && force:
		return nil, nil
	case err != nil && run.CutShort(text, manifestKind):
		return nil, fmt.Errorf("%s has a %s that is cut short: -force fetches everything anew, or choose another -out",
			dir, manifestName)
	case err != nil || m.Kind != manifestKind:
		return nil, fmt.Errorf("%s has a %s that fetch did not write: choose another -out", dir, manifestName)
	}
	for symbol, e := range m.Symbols {
		// The manifest names files to replace, so it is trusted with none but its own.
		if e == nil || checkSymbol(symbol) != nil || e.Candles.Path != candlesPath(symbol) ||
			e.Funding.Path != fundingPath(symbol) {
			return nil, fmt.Errorf("%s: %s: entry of %q makes no sense: choose another -out", dir, manifestName, symbol)
		}
	}
	for _, name := range m.Stale {
		symbol := strings.TrimSuffix(path.Base(name), ".csv")
		if checkSymbol(symbol) != nil || name != candlesPath(symbol) && name != fundingPath(symbol) {
			return nil, fmt.Errorf("%s: %s: file %q to replace makes no sense: choose another -out",
				dir, manifestName, name)
		}
	}
	if m.Symbols == nil {
		m.Symbols = map[string]*entry{}
	}
	return &m, nil
}

func candlesPath(symbol string) string { return symbol + ".csv" }
func fundingPath(symbol string) string { return fundingName + "/" + symbol + ".csv" }

// close unlocks the folder. One in which nothing was kept is left as it was found.
func (f *folder) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	untouched := f.fresh && len(f.manifest.files()) == 0
	if untouched {
		untouched = f.held.Remove(manifestName) == nil
	}
	_ = f.held.Leave(untouched) // the system unlocks in any case
}

func (f *folder) path(of file) string { return filepath.Join(f.dir, filepath.FromSlash(of.Path)) }

// begin records the call, before any other file is written: whatever stands in
// the folder is known to be fetch's.
func (f *folder) begin(now time.Time, universe string, from, to time.Time) error {
	return f.change(func(m *manifest) {
		m.ServerTime, m.Universe, m.From, m.To, m.Failed = now, universe, from, to, map[string]string{}
	})
}

// finish records what failed. Where nothing did, it removes what is left of the
// files that this call replaces.
func (f *folder) finish(failed map[string]error) error {
	var stale []string
	if len(failed) == 0 {
		stale = f.manifest.Stale
	}
	if err := f.held.Remove(stale...); err != nil {
		return err
	}
	return f.change(func(m *manifest) {
		if len(failed) == 0 {
			m.Stale = nil
		}
		for symbol, err := range failed {
			m.Failed[symbol] = err.Error()
		}
	})
}

// change changes the manifest and writes it.
func (f *folder) change(do func(*manifest)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(&f.manifest)
	return run.WriteJSON(filepath.Join(f.dir, manifestName), &f.manifest)
}

// entry is that of a symbol, made where it is missing. One goroutine at a time
// has a symbol; it changes its entry by [folder.change] only.
func (f *folder) entry(symbol string) *entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.manifest.Symbols[symbol]
	if e == nil {
		e = &entry{Candles: file{Path: candlesPath(symbol)}, Funding: file{Path: fundingPath(symbol)}}
		f.manifest.Symbols[symbol] = e
	}
	return e
}

// verify forgets a file that is not there as it was written, and says whether
// it did: it is fetched anew.
func (f *folder) verify(of *file) (forgotten bool, err error) {
	if of.Rows == 0 {
		return false, nil
	}
	sum, err := run.HashFile(f.path(*of))
	switch {
	case err == nil && sum == of.SHA256:
		return false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	return true, f.change(func(*manifest) { *of = file{Path: of.Path, Begun: true} })
}

// row is a line of a CSV, with the line's end.
type row struct {
	time time.Time
	text string
}

// extend adds rows, rising in time and all before or all behind what the file
// holds, and records that it covers all from the time given. next is the time
// at which the row after one is due; with exact, a row that comes later makes
// a gap.
func (f *folder) extend(of *file, header string, rows []row, from time.Time, next func(time.Time) time.Time,
	exact bool) error {
	if len(rows) > 0 {
		if err := f.claim(of); err != nil {
			return err
		}
	}
	grown := *of
	if of.Rows == 0 || from.Before(of.From) {
		grown.From = from
	}
	if len(rows) > 0 {
		if err := f.rewrite(&grown, header, rows); err != nil {
			return err
		}
		first, last := rows[0].time, rows[len(rows)-1].time
		var gaps []gap
		if exact {
			gaps = gapsOf(rows, next)
		}
		switch {
		case of.Rows == 0:
			grown.First, grown.Last, grown.Gaps = first, last, gaps
		case last.Before(of.First):
			if due := next(last); exact && due.Before(of.First) {
				gaps = append(gaps, gap{due, of.First})
			}
			grown.First, grown.Gaps = first, append(gaps, of.Gaps...)
		default:
			if due := next(of.Last); exact && due.Before(first) {
				gaps = append([]gap{{due, first}}, gaps...)
			}
			grown.Last, grown.Gaps = last, append(append([]gap(nil), of.Gaps...), gaps...)
		}
		grown.Rows += len(rows)
		grown.Until = next(grown.Last)
	} else if of.Rows == 0 {
		return nil // nothing to record a range of
	}
	return f.change(func(m *manifest) {
		*of = grown
		m.Stale = slices.DeleteFunc(m.Stale, func(name string) bool { return name == of.Path }) // replaced
	})
}

// claim records that a file is fetch's before it is first written, and refuses one
// that is there already and somebody else's.
func (f *folder) claim(of *file) error {
	if of.Rows > 0 || of.Begun {
		return nil
	}
	if _, err := os.Lstat(f.path(*of)); err == nil && !f.adopts && !f.isStale(of.Path) {
		return fmt.Errorf("%s is there, and fetch did not write it: move it away, or choose another -out", f.path(*of))
	}
	return f.change(func(*manifest) { of.Begun = true })
}

// isStale says whether a file is one of earlier calls that this one replaces.
func (f *folder) isStale(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.manifest.Stale, name)
}

func gapsOf(rows []row, next func(time.Time) time.Time) []gap {
	var gaps []gap
	for i := 1; i < len(rows); i++ {
		if due := next(rows[i-1].time); due.Before(rows[i].time) {
			gaps = append(gaps, gap{due, rows[i].time})
		}
	}
	return gaps
}

// rewrite writes the file whole: the rows before or behind those it has.
func (f *folder) rewrite(of *file, header string, rows []row) error {
	sum := sha256.New()
	err := run.WriteFile(f.path(*of), func(w io.Writer) error {
		w = io.MultiWriter(w, sum)
		if _, err := io.WriteString(w, header); err != nil {
			return err
		}
		ahead := of.Rows > 0 && rows[0].time.Before(of.First)
		if of.Rows > 0 && !ahead {
			if err := copyRows(w, f.path(*of)); err != nil {
				return err
			}
		}
		for _, r := range rows {
			if _, err := io.WriteString(w, r.text); err != nil {
				return err
			}
		}
		if ahead {
			return copyRows(w, f.path(*of))
		}
		return nil
	})
	of.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return err
}

// copyRows copies a CSV without its header.
func copyRows(w io.Writer, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewReaderSize(in, 1<<16)
	if _, err := lines.ReadString('\n'); err != nil {
		return err
	}
	_, err = lines.WriteTo(w)
	return err
}
