package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"vaefolio/vaelib/run"
)

const manifestFile = "manifest.json"

// manifestFields are all that a manifest may have.
var manifestFields = []string{
	"kind", "hash", "verb", "config_hash", "data_hash", "funding", "seed", "backend", "plugin", "goarch", "goos", "go",
	"inputs", "commit", "commit_from", "modified", "modules", "started", "finished", "resumed", "timings", "files",
	"checksum",
}

// checkManifest recomputes what the manifest says of the run. The hash of the data
// is left to the verb, which knows what they are.
func (f *folder) checkManifest(context.Context) error {
	text, err := f.read(manifestFile)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(manifestFields, name) {
			f.add(manifestFile, name, differs, string(fields[name]), nil)
		}
	}
	m := f.manifest
	if m.Checksum == "" {
		f.add(manifestFile, "checksum", unchecked, nil, "runs of this program's first versions have none")
	} else {
		cleared := bytes.Replace(text, []byte(`"checksum": "`+m.Checksum+`"`), []byte(`"checksum": ""`), 1)
		f.equal(manifestFile, "checksum", m.Checksum, sha(cleared))
	}

	config, err := f.read("config.toml")
	if err != nil {
		return err
	}
	configHash := sha([]byte(strings.Join(append(lines(config), ""), "\n")))
	f.equal(manifestFile, "config_hash", m.ConfigHash, configHash)
	identity := []string{m.Verb, configHash, m.Data, strconv.FormatUint(m.Seed, 10), m.Backend, m.GOARCH}
	for _, name := range slices.Sorted(maps.Keys(m.Inputs)) {
		identity = append(identity, name+" "+m.Inputs[name])
	}
	f.equal(manifestFile, "hash", m.Hash, sha([]byte(strings.Join(identity, "\n"))))
	return f.checkIdentity(config)
}

func sha(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// checkIdentity compares the manifest with the configuration, and its fields with
// each other.
func (f *folder) checkIdentity(config []byte) error {
	m := f.manifest
	var c struct {
		Seed    *uint64 `toml:"seed"`
		Backend string  `toml:"backend"`
		Funding string  `toml:"funding"`
	}
	if err := toml.Unmarshal(config, &c); err != nil {
		return fmt.Errorf("config.toml: %w", err)
	}
	if says := regexp.MustCompile("^# Every value of this run: `([a-z]+)").FindSubmatch(config); says != nil {
		f.equal(manifestFile, "verb", m.Verb, string(says[1]))
	}
	switch {
	case c.Seed != nil:
		f.equal(manifestFile, "seed", m.Seed, *c.Seed)
	case f.decided != nil:
		f.equal(manifestFile, "seed", m.Seed, f.decided.seed)
	case f.part():
		f.add(manifestFile, "seed", unchecked, m.Seed, "it is among the settings of the whole "+m.Verb)
	default:
		f.equal(manifestFile, "seed", m.Seed, 0)
	}
	f.equal(manifestFile, "funding", m.Funding, c.Funding != "")
	f.checkBackend(c.Backend)
	f.equal(manifestFile, "plugin", m.Plugin != "", m.Backend == "xla")
	f.matches("commit", m.Commit, `^([0-9a-f]{40}([0-9a-f]{24})?)?$`)
	from := `^(build|checkout)$`
	if m.Commit == "" {
		from = `^unknown: .`
		f.equal(manifestFile, "modified", m.Modified, false)
	}
	f.matches("commit_from", m.CommitFrom, from)
	f.matches("go", m.Go, `^(go1\.[0-9]+|devel )`)
	f.matches("goos", m.GOOS, `^(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows)$`)
	f.matches("goarch", m.GOARCH, `^(386|amd64|arm|arm64|loong64|mips|mipsle|mips64|mips64le|ppc64|ppc64le|riscv64|s390x|wasm)$`)
	for _, name := range slices.Sorted(maps.Keys(m.Modules)) {
		if !regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+`).MatchString(m.Modules[name]) {
			f.add(manifestFile, "module "+name, differs, m.Modules[name], nil)
		}
	}
	f.checkTimes()
	return nil
}

// checkBackend compares what computed the run with what its configuration asks for.
func (f *folder) checkBackend(asked string) {
	m := f.manifest
	kind, _, _ := strings.Cut(asked, ":")
	want := kind
	switch {
	case f.decided != nil:
		want = f.decided.backend
	case kind == "" && f.part():
		f.add(manifestFile, "backend", unchecked, m.Backend, "it is among the settings of the whole "+m.Verb)
		return
	case m.Verb == "export": // has no such flag, and opens models in pure Go
		want = "go"
	case m.Backend == "" && m.Verb == "backtest":
		want = ""
	case kind == "auto" && m.Backend == "xla":
		want = "xla"
	case kind == "auto":
		want = "go"
	}
	f.equal(manifestFile, "backend", m.Backend, want)
}

// matches compares a text with a pattern.
func (f *folder) matches(item, stored, pattern string) {
	status := same
	if !regexp.MustCompile(pattern).MatchString(stored) {
		status = differs
	}
	f.add(manifestFile, item, status, stored, pattern)
}

// slack is how far clocks that are read one after the other may lie apart.
const slack = 5.0 // seconds

// checkTimes compares the times of the run with each other.
func (f *folder) checkTimes() {
	m := f.manifest
	between := m.Finished.Sub(m.Started).Seconds()
	total := m.Timings["total"]
	if m.Resumed == 0 {
		f.near(manifestFile, "timings.total", total, between, slack/max(1, between))
	}
	// Between two sessions nobody counts, and the last one's end is after the finish.
	f.equal(manifestFile, "resumed", m.Resumed > 0, total < between)
	f.equal(manifestFile, "started", m.Started.Before(*m.Finished) && !m.Started.After(time.Now()), true)
	var parts float64
	for _, name := range slices.Sorted(maps.Keys(m.Timings)) {
		seconds := m.Timings[name]
		if name != "total" {
			parts += seconds
		}
		if !(seconds >= 0) || math.IsInf(seconds, 0) {
			f.add(manifestFile, "timings."+name, differs, seconds, nil)
		}
	}
	f.equal(manifestFile, "timings", parts <= total+slack, true)
}

// checkFiles compares the files of the folder with those of the manifest, their
// names and their contents.
func (f *folder) checkFiles(context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(f.manifest.Files)) {
		stored := f.manifest.Files[name]
		info, err := os.Lstat(f.path(name))
		switch {
		case err != nil:
			f.add(name, "sha256", differs, stored, nil)
			continue
		case !info.Mode().IsRegular():
			f.add(name, "sha256", differs, stored, info.Mode().String())
			continue
		}
		sum, err := run.HashFile(f.path(name))
		if err != nil {
			return err
		}
		f.equal(name, "sha256", stored, sum)
	}
	return f.checkMade("run", func(name string, d fs.DirEntry) (made, within bool) {
		_, made = f.manifest.Files[name]
		made = made || name == manifestFile || name == ".lock" || d.IsDir() && f.holds(name)
		return made, made
	})
}

// checkMade finds files and folders that weren't made by what made the folder; within
// a folder it looks where that is said.
func (f *folder) checkMade(by string, ours func(name string, d fs.DirEntry) (made, within bool)) error {
	return filepath.WalkDir(f.dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(f.dir, at)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		made, within := ours(name, d)
		if !made {
			f.add(name, "made by the "+by, differs, true, false)
		}
		if d.IsDir() && !within {
			return fs.SkipDir
		}
		return nil
	})
}

// holds says whether the run has files in a folder.
func (f *folder) holds(dir string) bool {
	for name := range f.manifest.Files {
		if dir == "." || strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}
