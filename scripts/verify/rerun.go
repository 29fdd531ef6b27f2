package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"vaefolio/scripts/internal/timeless"
	"vaefolio/vaelib/run"
)

// rerun repeats the run by its own verb, from its configuration, and compares the
// bytes of all files but for times, and what the manifest says of program and machine.
func (f *folder) rerun(ctx context.Context, programs string) error {
	switch {
	case f.manifest.Verb == "sweep" && f.manifest.Kind == "":
		return f.rerunSweep(ctx, programs)
	case f.manifest.Verb == "lab" && f.manifest.Kind == "":
		return f.rerunLab(ctx, programs)
	case f.manifest.Verb == "sweep":
		return f.compareAgain(ctx, func() (*whole, error) { return f.repeatSwept(ctx, programs) })
	case f.manifest.Kind == "" || f.part():
		f.add(manifestFile, "repeated", unchecked, nil, f.manifest.Verb+" can't be repeated from its folder")
		return nil
	}
	return f.compareAgain(ctx, func() (*whole, error) {
		return f.repeat(ctx, programs, f.manifest.Verb, "-config", f.path("config.toml"))
	})
}

// compareAgain compares the run with one that was made again.
func (f *folder) compareAgain(_ context.Context, repeat func() (*whole, error)) error {
	made, err := recall(f, "rerun", []string{"config.toml"}, repeat)
	if err != nil {
		return err
	}
	f.compareManifests(made.manifest)
	return f.compareFiles(made.files, repeated)
}

// rerunSweep repeats every run of a sweep by itself. Its tables and its report follow
// from the runs, and are made again anyway.
func (f *folder) rerunSweep(ctx context.Context, programs string) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	again := []check{{manifestFile, func(f *folder, ctx context.Context) error { return f.rerun(ctx, programs) }}}
	for _, r := range p.Runs {
		if !f.done(r) {
			continue
		}
		if err := f.inside(ctx, path.Join("runs", r.ID), nil, again); err != nil {
			return err
		}
	}
	return nil
}

// repeatSwept makes a sweep of one run, that of the folder.
func (f *folder) repeatSwept(ctx context.Context, programs string) (*whole, error) {
	made, err := f.repeat(ctx, programs, "sweep", "run", "-config", f.path("config.toml"), "-backend",
		f.manifest.Backend, "-workers", "1")
	if err != nil {
		return nil, err
	}
	one := &whole{files: map[string][]byte{}}
	for name, text := range made.files {
		parts := strings.SplitN(name, "/", 3)
		switch {
		case len(parts) < 3 || parts[0] != "runs":
		case parts[2] == manifestFile:
			one.manifest = new(run.Manifest)
			err = errors.Join(err, json.Unmarshal(text, one.manifest))
		case parts[2] != ".lock":
			one.files[parts[2]] = text
		}
	}
	if one.manifest == nil {
		return nil, errors.New("the sweep of this run alone made none")
	}
	return one, err
}

// whole is a run with its files.
type whole struct {
	manifest *run.Manifest
	files    map[string][]byte
}

// repeat runs a verb again in a folder of its own.
func (f *folder) repeat(ctx context.Context, programs, verb string, flags ...string) (*whole, error) {
	program, err := find(verb, programs)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "verify-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "run")
	args := slices.Concat(program[1:], flags, []string{"-out", out, "-quiet"})
	command := exec.CommandContext(ctx, program[0], args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return nil, fmt.Errorf("%s can't be repeated: %w: %s", verb, err, lines[len(lines)-1])
	}
	if verb == "sweep" || verb == "lab" { // wholes, without a manifest
		files, err := filesIn(out)
		return &whole{nil, files}, err
	}
	manifest, err := run.ReadManifest(out)
	if err != nil {
		return nil, err
	}
	files, err := contents(out, manifest)
	return &whole{manifest, files}, err
}

// contents are the files of a run, by their names.
func contents(dir string, m *run.Manifest) (map[string][]byte, error) {
	files := map[string][]byte{}
	for name := range m.Files {
		text, err := run.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	return files, nil
}

// find is the command that runs a verb: its program beside this one, or where there
// is none and the sources are here, go run.
func find(verb, programs string) ([]string, error) {
	name := verb
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	dir := programs
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		dir = filepath.Dir(self)
	}
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return []string{filepath.Join(dir, name)}, nil
	} else if programs != "" || !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("-programs: no program %s in %s", name, dir)
	}
	if _, err := os.Stat(filepath.Join("scripts", verb, "main.go")); err != nil {
		return nil, fmt.Errorf("no program %s is beside this one, nor are the sources here: give -programs", verb)
	}
	return []string{"go", "run", "./scripts/" + verb}, nil
}

// repeated are files that the verb made anew: their times differ, and all else is the
// same on the same machine.
var repeated = comparing{skipped: isProfile, equal: timeless.Equal}

// compareManifests compares what has to be the same of two runs by one program.
func (f *folder) compareManifests(made *run.Manifest) {
	plain := func(m run.Manifest) map[string]any {
		m.Started, m.Finished, m.Timings, m.Resumed = made.Started, nil, nil, 0
		m.Files, m.Stale, m.Checksum = nil, nil, ""
		text, _ := json.Marshal(m)
		var fields map[string]any
		_ = json.Unmarshal(text, &fields)
		return fields
	}
	stored, again := plain(*f.manifest), plain(*made)
	for _, name := range slices.Sorted(maps.Keys(again)) {
		status := same
		if !reflect.DeepEqual(stored[name], again[name]) {
			status = differs
		}
		found := again[name]
		if name == "commit" && status == differs {
			found = fmt.Sprintf("%v, of the program here: whether the run's is right, only a program of that commit "+
				"can decide", found)
		}
		f.add(manifestFile, name+", repeated", status, stored[name], found)
	}
}
