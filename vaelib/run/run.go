package run

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Names of the files that the folder's keeper itself writes.
const (
	ManifestFile = "manifest.json"
	configName   = "config.toml"
	lockName     = ".lock"
)

// Spec is what a run is. Two runs with equal specs, on one architecture, write
// the same bytes, times aside.
type Spec struct {
	Verb   string // what runs: "pipeline"
	Config []byte // all its values as TOML, one a line; comments don't count
	Data   string // hash of the input data; "" without
	// Inputs are hashes of other files that the run is made from, by the flags that name them.
	Inputs map[string]string
	Seed   uint64
	// Funding says that the data are returns with funding of perpetuals in them.
	// It is recorded only: their hash knows.
	Funding bool
	// Backend is the kind of backend that computes ("go", "xla"), "" without;
	// Plugin tells which one exactly. The plugin is recorded only: a run may go
	// on with another version of it.
	Backend, Plugin string
	// Outputs are files that the run will write, by their slashed names in the
	// folder: where one is there that no run made, the folder is refused at once,
	// and not when the file comes to be written. They may be patterns of
	// [path.Match].
	Outputs []string
}

// configHash hashes the lines that are neither blank nor comments.
func (s Spec) configHash() string {
	var b strings.Builder
	for _, line := range configLines(s.Config) {
		b.WriteString(line + "\n")
	}
	return hash(b.String())
}

// hash is the identity of the run on this architecture.
func (s Spec) hash() string {
	parts := []string{s.Verb, s.configHash(), s.Data, strconv.FormatUint(s.Seed, 10), s.Backend, runtime.GOARCH}
	for _, name := range slices.Sorted(maps.Keys(s.Inputs)) {
		parts = append(parts, name+" "+s.Inputs[name])
	}
	return hash(strings.Join(parts, "\n"))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func configLines(config []byte) []string {
	var lines []string
	for line := range strings.Lines(string(config)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// AlreadyDone says that the folder holds the finished results of the very run
// asked for.
type AlreadyDone struct {
	Dir      string
	Manifest Manifest
}

func (e *AlreadyDone) Error() string {
	return fmt.Sprintf("%s holds this run already, finished %s: -force repeats it",
		e.Dir, e.Manifest.Finished.Local().Format(time.DateTime))
}

// Occupied says why a folder can't take the run.
type Occupied struct {
	Dir    string
	Reason string

	cutShort bool // its manifest is: force may replace it
}

func (e *Occupied) Error() string { return e.Dir + " " + e.Reason }

// Locked says that another process works in the folder.
type Locked struct{ Dir string }

func (e *Locked) Error() string {
	return e.Dir + " is in use by another process: wait for its end, or choose another folder"
}

// Run is a folder in which this process alone works.
type Run struct {
	// Resumed says that the folder held an unfinished run of the same spec,
	// whose files are still there.
	Resumed bool

	dir    string // as given
	config []byte
	opened time.Time
	before float64 // seconds of earlier sessions

	mu       sync.Mutex // guards what follows
	folder   *Folder    // nil: closed
	manifest Manifest
	begun    bool // something was written
	// adopts says that files of an earlier run may be there which no list tells:
	// those whose names are of files of this run are taken for such.
	adopts bool
}

// Open enters the folder of a run and locks it; it makes the folder where it is
// missing.
//
// A folder that is missing or empty starts the run. One with an unfinished run
// of the same spec resumes it. One with the same run finished is an
// [*AlreadyDone] error, one with another run or with files that no run made is
// [*Occupied], one in use is [*Locked]. With force a run in the folder, finished
// or not, is replaced. A file of another's by the name of an output of the run makes
// it [*Occupied] too.
//
// Nothing is written, and nothing replaced, before the run's first file is: a
// run that is closed before leaves everything as it was, and no folder that it
// made. Only files that the manifest lists are ever removed.
func Open(dir string, spec Spec, force bool) (_ *Run, err error) {
	if dir == "" {
		return nil, errors.New("no folder given for the run")
	}
	if err := Usable(dir, spec, force); err != nil {
		return nil, err
	}
	if !force { // a finished run needs no lock, which can't be had where nothing can be written
		if old, err := ReadManifest(dir); err == nil && old.Finished != nil && old.Hash == spec.hash() {
			return nil, &AlreadyDone{dir, *old}
		}
	}
	r := &Run{dir: dir, config: spec.Config, opened: time.Now(), manifest: newManifest(spec)}
	if r.folder, err = Enter(dir); err != nil {
		return nil, folderError(dir, err)
	}
	defer func() {
		if err != nil {
			_ = r.folder.Leave(true)
		}
	}()
	// Another process may have been here between the look and the lock.
	if err := Usable(dir, spec, force); err != nil {
		return nil, err
	}
	old, err := ReadManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil: // cut short
		r.adopts = true
	case force:
		r.adopts = old.Files == nil
		r.manifest.Stale = merged(old.Files, old.Stale)
	case old.Hash != spec.hash():
		return nil, anotherRun(dir, cmp.Or(difference(dir, old, spec), fmt.Sprintf("made on %s, this is %s", old.GOARCH,
			runtime.GOARCH)))
	case old.Finished != nil:
		return nil, &AlreadyDone{dir, *old}
	default:
		r.Resumed, r.adopts = true, old.Files == nil
		r.before, r.manifest.Resumed = old.Timings[totalTiming], old.Resumed+1
		r.manifest.Started, r.manifest.Timings, r.manifest.Stale = old.Started, old.Timings, old.Stale
		if old.Files != nil {
			r.manifest.Files = old.Files
		}
	}
	opened.add(r)
	return r, nil
}

func anotherRun(dir, difference string) error {
	return &Occupied{Dir: dir, Reason: "holds another run (" + difference +
		"): -force replaces it, or choose another folder"}
}

// checkOutputs refuses a folder where a file has the name of an output that is
// neither this run's nor that of one to replace.
func checkOutputs(dir string, old *Manifest, outputs []string) error {
	if old.Files == nil { // no list tells whose they are
		return nil
	}
	ours := merged(old.Files, old.Stale)
	for _, pattern := range outputs {
		names, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, listed := ours[name]; !listed {
				return foreign(dir, name)
			}
		}
	}
	return nil
}

// merged are the files of both.
func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}

// Usable returns the error that [Open] would return, but for a lock, as far as the
// specification tells: data and backend that are "" may become what the folder has.
// So a folder is refused before prices are read and a backend is opened.
func Usable(dir string, spec Spec, force bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return &Occupied{Dir: dir, Reason: "is a file: choose a folder"}
		}
		return folderError(dir, err)
	}
	others := ""
	for _, e := range entries {
		switch e.Name() {
		case ManifestFile:
			return takes(dir, spec, force)
		case lockName:
		default:
			if _, isLeftover := LeftoverOf(e.Name()); !isLeftover {
				others = e.Name()
			}
		}
	}
	if others != "" {
		return &Occupied{Dir: dir, Reason: fmt.Sprintf(
			"holds files that no run made (%s): choose another folder", others)}
	}
	return nil
}

// takes says why a folder with a manifest can't take the run.
func takes(dir string, spec Spec, force bool) error {
	old, err := ReadManifest(dir)
	var occupied *Occupied
	if force && errors.As(err, &occupied) && occupied.cutShort {
		return nil
	}
	if err != nil {
		return err
	}
	spec.Data, spec.Backend = cmp.Or(spec.Data, old.Data), cmp.Or(spec.Backend, old.Backend)
	if text := difference(dir, old, spec); text != "" && !force {
		return anotherRun(dir, text)
	}
	if old.Finished != nil && !force {
		return nil
	}
	if err := Free(dir, slices.Sorted(maps.Keys(old.Files))...); err != nil {
		return err
	}
	return checkOutputs(dir, old, spec.Outputs)
}

// folderError says what can't be done with a folder without repeating paths.
func folderError(dir string, err error) error {
	var locked *Locked
	var occupied *Occupied
	var path *fs.PathError
	switch {
	case errors.As(err, &locked), errors.As(err, &occupied):
		return err
	case !errors.As(err, &path):
		return fmt.Errorf("folder %s: %w", dir, err)
	case path.Path != dir:
		return fmt.Errorf("folder %s: %s %s: %w", dir, path.Op, path.Path, path.Err)
	default:
		return fmt.Errorf("folder %s: %w", dir, path.Err)
	}
}

// difference says in what the run of the folder and the one asked for differ, ""
// where it is in nothing but the architecture, if at all.
func difference(dir string, old *Manifest, spec Spec) string {
	switch {
	case old.Verb != spec.Verb:
		return fmt.Sprintf("of %s, not %s", old.Verb, spec.Verb)
	case old.ConfigHash != spec.configHash():
		text, err := ReadFile(filepath.Join(dir, configName))
		if err != nil {
			return "its configuration differs"
		}
		return differentLine(configLines(text), configLines(spec.Config))
	case old.Data != spec.Data:
		return "its data differ"
	case !maps.Equal(old.Inputs, spec.Inputs):
		return fmt.Sprintf("the content of -%s differs", changed(old.Inputs, spec.Inputs))
	case old.Seed != spec.Seed:
		return fmt.Sprintf("seed %d there, %d here", old.Seed, spec.Seed)
	case old.Backend != spec.Backend:
		return fmt.Sprintf("backend %s there, %s here", old.Backend, spec.Backend)
	}
	return ""
}

// changed names an input that is in one way there and in another here.
func changed(there, here map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(here)) {
		if there[name] != here[name] {
			return name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if here[name] == "" {
			return name
		}
	}
	return ""
}

func differentLine(there, here []string) string {
	for i := range max(len(there), len(here)) {
		switch {
		case i >= len(there):
			return here[i] + " is new here"
		case i >= len(here):
			return there[i] + " is not known here"
		case there[i] != here[i]:
			return there[i] + " there, " + here[i] + " here"
		}
	}
	return "its configuration differs"
}

// Dir is the folder.
func (r *Run) Dir() string { return r.dir }

// Path is the path of a file in the folder.
func (r *Run) Path(elem ...string) string {
	return filepath.Join(append([]string{r.dir}, elem...)...)
}

// Time starts a clock, and returns the function that stops it and adds its
// seconds to the manifest's timings under the name. It is safe for concurrent
// use.
func (r *Run) Time(name string) (stop func()) {
	started := time.Now()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.manifest.Timings[name] += time.Since(started).Seconds()
	}
}

// Finish records the end of the run and the hash of each of its files, and
// unlocks the folder. It is an error after [Run.Close].
func (r *Run) Finish() error {
	if err := r.finish(); err != nil {
		return folderError(r.dir, err)
	}
	return r.Close()
}

func (r *Run) finish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.folder == nil {
		return errors.New("a run that was closed can't be finished")
	}
	if err := r.begin(); err != nil {
		return err
	}
	root, err := os.OpenRoot(r.folder.root)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := removeLeftovers(root, append(slices.Collect(maps.Keys(r.manifest.Files)), ManifestFile)); err != nil {
		return err
	}
	for name := range r.manifest.Files {
		r.manifest.Files[name], err = hashFile(root, name)
		if errors.Is(err, fs.ErrNotExist) { // the run has removed it
			delete(r.manifest.Files, name)
		} else if err != nil {
			return err
		}
	}
	now := time.Now().UTC()
	r.manifest.Finished = &now
	return nil
}

// Close records the time spent and unlocks the folder. Of a run that was not
// finished it keeps all files, so that the next [Open] can resume it. Closing
// again does nothing.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.folder == nil {
		return nil
	}
	var err error
	if r.begun {
		r.manifest.Timings[totalTiming] = r.before + time.Since(r.opened).Seconds()
		err = r.writeManifest()
	}
	return errors.Join(err, r.release())
}

// release gives the folder back.
func (r *Run) release() error {
	opened.remove(r)
	err := r.folder.Leave(!r.begun)
	r.folder = nil
	return err
}

// HashFile returns the SHA-256 of a file's contents in hexadecimal digits. What it
// hashes was read or will be: it refuses a pipe, whose contents come but once.
func HashFile(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return "", fmt.Errorf("%s is a pipe, and has to be read twice: give a file", path)
	}
	file, err := OpenFile(path)
	if err != nil {
		return "", err
	}
	return hashAll(file)
}

func hashFile(root *os.Root, name string) (string, error) {
	info, err := root.Stat(name)
	if err == nil {
		err = plain(info, name)
	}
	if err != nil {
		return "", err
	}
	file, err := root.Open(name)
	if err != nil {
		return "", err
	}
	return hashAll(file)
}

// hashAll hashes a file and closes it.
func hashAll(file *os.File) (string, error) {
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Hash returns the SHA-256 of the parts in hexadecimal digits. The division
// into parts counts: ("ab", "c") and ("a", "bc") have different hashes.
func Hash(parts ...[]byte) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:", len(part))
		_, _ = io.Copy(sum, bytes.NewReader(part)) // a hash never fails
	}
	return hex.EncodeToString(sum.Sum(nil))
}
