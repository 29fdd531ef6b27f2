package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Names of the files that the folder's keeper itself writes.
const (
	manifestName = "manifest.json"
	configName   = "config.toml"
	lockName     = ".lock"
)

// Spec is what a run is. Two runs with equal specs, on one architecture, write
// the same bytes, times aside.
type Spec struct {
	Verb   string // what runs: "pipeline"
	Config []byte // all its values as TOML, one a line; comments don't count
	Data   string // hash of the input data; "" without
	Seed   uint64
	// Funding says that the data are returns with funding of perpetuals in them.
	// It is recorded only: their hash knows.
	Funding bool
	// Backend is the kind of backend that computes ("go", "xla"), "" without;
	// Plugin tells which one exactly. The plugin is recorded only: a run may go
	// on with another version of it.
	Backend, Plugin string
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
	return hash(strings.Join([]string{
		s.Verb, s.configHash(), s.Data, strconv.FormatUint(s.Seed, 10), s.Backend, runtime.GOARCH,
	}, "\n"))
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
	return fmt.Sprintf("%s holds this run already, finished %s: -force repeats it", e.Dir, e.Manifest.Finished.Local().Format(time.DateTime))
}

// Occupied says why a folder can't take the run.
type Occupied struct {
	Dir    string
	Reason string
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

	dir      string
	lock     *flock.Flock
	mu       sync.Mutex // guards manifest
	manifest Manifest
	opened   time.Time
	before   float64 // seconds of earlier sessions
}

// Open makes or enters the folder of a run and locks it.
//
// A folder that is missing or empty starts the run. One with an unfinished run
// of the same spec resumes it. One with the same run finished is an
// [*AlreadyDone] error, one with another run or with files that no run made is
// [*Occupied], one in use is [*Locked]. With force the contents of a folder
// with a run, finished or not, are removed first; files that no run made are
// never touched.
func Open(dir string, spec Spec, force bool) (_ *Run, err error) {
	if dir == "" {
		return nil, errors.New("no folder given for the run")
	}
	if err := usable(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, folderError(dir, err)
	}
	lock := flock.New(filepath.Join(dir, lockName))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, folderError(dir, err)
	}
	if !locked {
		return nil, &Locked{dir}
	}
	defer func() {
		if err != nil {
			_ = lock.Close()
		}
	}()
	// Another process may have been here between the look and the lock.
	if err := usable(dir); err != nil {
		return nil, err
	}
	old, err := ReadManifest(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	exists := err == nil
	r := &Run{dir: dir, lock: lock, opened: time.Now(), manifest: newManifest(spec)}
	switch {
	case exists && force:
		if err := r.clear(); err != nil {
			return nil, err
		}
	case exists && old.Hash != spec.hash():
		return nil, &Occupied{dir, "holds another run (" + difference(dir, old, spec) + "): -force replaces it, or choose another folder"}
	case exists && old.Finished != nil:
		return nil, &AlreadyDone{dir, *old}
	case exists:
		r.Resumed = true
		r.manifest.Started = old.Started
		r.manifest.Timings = old.Timings
		r.before = old.Timings[totalTiming]
	}
	if err := r.writeManifest(); err != nil { // first, so that no file here is ever without an owner
		return nil, err
	}
	err = WriteFile(r.Path(configName), func(w io.Writer) error {
		_, err := w.Write(spec.Config)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// usable returns an error for a path that is no folder, and for a folder that
// holds files but no run.
func usable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return &Occupied{dir, "is a file: choose a folder"}
		}
		return folderError(dir, err)
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case manifestName:
			_, err := ReadManifest(dir)
			return err
		case lockName:
		default:
			if !isLeftover(e.Name()) {
				foreign = e.Name()
			}
		}
	}
	if foreign != "" {
		return &Occupied{dir, fmt.Sprintf("holds files that no run made (%s): choose another folder", foreign)}
	}
	return nil
}

// folderError says what can't be done with a folder without repeating paths.
func folderError(dir string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		if path.Path != dir {
			return fmt.Errorf("folder %s: %s %s: %w", dir, path.Op, path.Path, path.Err)
		}
		return fmt.Errorf("folder %s: %w", dir, path.Err)
	}
	return fmt.Errorf("folder %s: %w", dir, err)
}

// difference says in what the run of the folder and the one asked for differ.
func difference(dir string, old *Manifest, spec Spec) string {
	switch {
	case old.Verb != spec.Verb:
		return fmt.Sprintf("of %s, not %s", old.Verb, spec.Verb)
	case old.ConfigHash != spec.configHash():
		text, err := os.ReadFile(filepath.Join(dir, configName))
		if err != nil {
			return "its configuration differs"
		}
		return differentLine(configLines(text), configLines(spec.Config))
	case old.Data != spec.Data:
		return "its data differ"
	case old.Seed != spec.Seed:
		return fmt.Sprintf("seed %d there, %d here", old.Seed, spec.Seed)
	case old.Backend != spec.Backend:
		return fmt.Sprintf("backend %s there, %s here", old.Backend, spec.Backend)
	default:
		return fmt.Sprintf("made on %s, this is %s", old.GOARCH, runtime.GOARCH)
	}
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

// clear removes all of the folder but the lock, the manifest last: until then
// the folder is a run's.
func (r *Run) clear() error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return folderError(r.dir, err)
	}
	for _, e := range entries {
		if e.Name() == lockName || e.Name() == manifestName {
			continue
		}
		if err := os.RemoveAll(r.Path(e.Name())); err != nil {
			return folderError(r.dir, err)
		}
	}
	if err := os.Remove(r.Path(manifestName)); err != nil {
		return folderError(r.dir, err)
	}
	return nil
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

// Finish records the end of the run and the hash of every file in its folder,
// and unlocks it. It is an error after [Run.Close].
func (r *Run) Finish() error {
	if r.lock == nil {
		return folderError(r.dir, errors.New("a run that was closed can't be finished"))
	}
	files, err := hashFolder(r.dir)
	if err != nil {
		return folderError(r.dir, err)
	}
	now := time.Now().UTC()
	r.mu.Lock()
	r.manifest.Files, r.manifest.Finished = files, &now
	r.mu.Unlock()
	return r.Close()
}

// Close records the time spent and unlocks the folder. Of a run that was not
// finished it keeps all files, so that the next [Open] can resume it. Closing
// again does nothing.
func (r *Run) Close() error {
	if r.lock == nil {
		return nil
	}
	r.mu.Lock()
	r.manifest.Timings[totalTiming] = r.before + time.Since(r.opened).Seconds()
	r.mu.Unlock()
	err := errors.Join(r.writeManifest(), r.lock.Close())
	r.lock = nil
	return err
}

func (r *Run) writeManifest() error {
	return WriteJSON(r.Path(manifestName), &r.manifest)
}

// hashFolder hashes all files but those of the folder's keeper, by their
// slashed paths, and removes what a killed process left half-written.
func hashFolder(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if isLeftover(entry.Name()) { // nobody else writes here: the lock is ours
			return os.Remove(path)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == manifestName || name == lockName {
			return err
		}
		files[filepath.ToSlash(name)], err = HashFile(path)
		return err
	})
	return files, err
}

// HashFile returns the SHA-256 of a file's contents in hexadecimal digits.
func HashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
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
