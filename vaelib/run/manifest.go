package run

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"
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
	Hash       string             `json:"hash"` // of verb, configuration, data, seed, backend and architecture
	Verb       string             `json:"verb"`
	ConfigHash string             `json:"config_hash"`
	Data       string             `json:"data_hash"`
	Funding    bool               `json:"funding"` // the data are returns with funding of perpetuals in them
	Seed       uint64             `json:"seed"`
	Backend    string             `json:"backend"`
	Plugin     string             `json:"plugin"`
	GOARCH     string             `json:"goarch"`
	GOOS       string             `json:"goos"`
	Go         string             `json:"go"`
	Commit     string             `json:"commit"`   // "" where the build doesn't know it
	Modified   bool               `json:"modified"` // the working tree differed from the commit
	Modules    map[string]string  `json:"modules"`  // versions of all modules in the binary
	Started    time.Time          `json:"started"`
	Finished   *time.Time         `json:"finished"` // null while unfinished
	Timings    map[string]float64 `json:"timings"`  // seconds, by name
	Files      map[string]string  `json:"files"`    // SHA-256 of every file of a finished run
}

func newManifest(spec Spec) Manifest {
	m := Manifest{
		Kind: manifestKind, Hash: spec.hash(), Verb: spec.Verb, ConfigHash: spec.configHash(),
		Data: spec.Data, Funding: spec.Funding, Seed: spec.Seed, Backend: spec.Backend, Plugin: spec.Plugin,
		GOARCH: runtime.GOARCH, GOOS: runtime.GOOS, Go: runtime.Version(),
		Modules: map[string]string{}, Timings: map[string]float64{}, Started: time.Now().UTC(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	for _, module := range info.Deps {
		m.Modules[module.Path] = module.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			m.Commit = setting.Value
		case "vcs.modified":
			m.Modified = setting.Value == "true"
		}
	}
	return m
}

// ReadManifest reads the manifest of a run's folder. Where there is none the
// error is fs.ErrNotExist; a manifest that some other tool wrote is
// [*Occupied].
func ReadManifest(dir string) (*Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.Kind != manifestKind {
		return nil, &Occupied{dir, fmt.Sprintf("has a %s that no run wrote: choose another folder", manifestName)}
	}
	if m.Timings == nil {
		m.Timings = map[string]float64{}
	}
	return &m, nil
}
