package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"
)

// manifestKind marks a manifest as one of this package: other tools write
// files of that name too.
const manifestKind = "vaefolio run"

// totalTiming is the name of the time from Open to Close, all sessions
// together.
const totalTiming = "total"

// Manifest is what manifest.json records: enough to tell whether two folders
// ought to be equal, and to find out why they are not.
type Manifest struct {
	Kind       string             `json:"kind"`
	Hash       string             `json:"hash"` // of verb, configuration, data, seed, backend, architecture and inputs
	Verb       string             `json:"verb"`
	ConfigHash string             `json:"config_hash"`
	Data       string             `json:"data_hash"`
	Inputs     map[string]string  `json:"inputs,omitempty"` // hashes of other files, by the flags that name them
	Funding    bool               `json:"funding"`          // the data are returns with funding of perpetuals in them
	Seed       uint64             `json:"seed"`
	Backend    string             `json:"backend"`
	Plugin     string             `json:"plugin"`
	GOARCH     string             `json:"goarch"`
	GOOS       string             `json:"goos"`
	Go         string             `json:"go"`
	Commit     string             `json:"commit"`      // of the program's sources; "" where it isn't known
	CommitFrom string             `json:"commit_from"` // who told it, or why it isn't known
	Modified   bool               `json:"modified"`    // the working tree differed from the commit
	Modules    map[string]string  `json:"modules"`     // versions of all modules in the binary
	Started    time.Time          `json:"started"`
	Finished   *time.Time         `json:"finished"` // null while unfinished
	Resumed    int                `json:"resumed"`  // how many times it went on after an interruption
	Timings    map[string]float64 `json:"timings"`  // seconds, by name
	// Files are those that the run made, by their slashed paths in the folder: of a
	// finished run with their SHA-256, of an unfinished one those that it has made
	// or is about to make, with "". Nothing else in the folder is the run's.
	Files map[string]string `json:"files"`
	// Stale are files of the run that this one replaces, until they are removed.
	Stale map[string]string `json:"stale,omitempty"`
	// Checksum is the SHA-256 of the manifest of a finished run as it lies on disk,
	// with "" in this place.
	Checksum string `json:"checksum"`
}

func newManifest(spec Spec) Manifest {
	m := Manifest{
		Kind: manifestKind, Hash: spec.hash(), Verb: spec.Verb, ConfigHash: spec.configHash(),
		Data: spec.Data, Inputs: spec.Inputs,
		Funding: spec.Funding, Seed: spec.Seed, Backend: spec.Backend, Plugin: spec.Plugin,
		GOARCH: runtime.GOARCH, GOOS: runtime.GOOS, Go: runtime.Version(),
		Modules: map[string]string{}, Timings: map[string]float64{}, Files: map[string]string{},
		Started: time.Now().UTC(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			m.Modules[module.Path] = module.Version
		}
	}
	r := sources()
	m.Commit, m.CommitFrom, m.Modified = r.commit, r.from, r.modified
	return m
}

// seal gives the manifest of a finished run its checksum.
func (m *Manifest) seal() error {
	if m.Finished == nil {
		return nil
	}
	m.Checksum = ""
	var b bytes.Buffer
	if err := indented(m)(&b); err != nil {
		return err
	}
	sum := sha256.Sum256(b.Bytes())
	m.Checksum = hex.EncodeToString(sum[:])
	return nil
}

// ReadManifest reads the manifest of a run's folder. Where there is none the
// error is fs.ErrNotExist; a manifest that some other tool wrote, that is cut
// short, or that names files which can't be a run's is [*Occupied].
func ReadManifest(dir string) (*Manifest, error) {
	data, err := ReadFile(filepath.Join(dir, ManifestFile))
	if err != nil {
		return nil, err
	}
	var m Manifest
	err = json.Unmarshal(data, &m)
	switch {
	case err != nil && CutShort(data, manifestKind):
		return nil, &Occupied{Dir: dir, cutShort: true, Reason: fmt.Sprintf(
			"has a %s that is cut short, so that nobody knows which run it is of: "+
				"-force begins one in its place, or choose another folder", ManifestFile)}
	case err != nil || m.Kind != manifestKind:
		return nil, &Occupied{Dir: dir, Reason: fmt.Sprintf("has a %s that no run wrote: choose another folder",
			ManifestFile)}
	}
	for name := range merged(m.Files, m.Stale) {
		if !fs.ValidPath(name) || name == "." || name == ManifestFile || name == lockName ||
			strings.Contains(name, `\`) {
			return nil, &Occupied{Dir: dir, Reason: fmt.Sprintf(
				"has a %s with the file %q, which is no run's: choose another folder", ManifestFile, name)}
		}
	}
	if m.Timings == nil {
		m.Timings = map[string]float64{}
	}
	return &m, nil
}

// Changed returns the name of a file in the folder of a finished run that is not
// as the run left it; "" where all are.
func (m *Manifest) Changed(dir string) (name string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		sum, err := hashFile(root, name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && sum != m.Files[name] {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// CutShort says whether a text that is no JSON is the beginning of an object whose
// first key is "kind", with the given value: a crash of the machine can leave such
// a file, or one of length zero.
func CutShort(data []byte, kind string) bool {
	want := `{"kind":"` + kind + `"`
	var head strings.Builder
	inString := false
	for _, c := range strings.Trim(string(data), "\x00") {
		if head.Len() == len(want) {
			break
		}
		if c == '"' {
			inString = !inString
		}
		if inString || !unicode.IsSpace(c) {
			head.WriteRune(c)
		}
	}
	return strings.HasPrefix(want, head.String())
}
