package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"vaefolio/vaelib/run"
)

// A whole is a folder of many runs with tables over all of them: a sweep or a
// laboratory. It has no manifest of its own, but its runs have.

// decided is what a whole has decided for a run in it.
type decided struct {
	seed    uint64
	backend string
}

// inside looks at a run in the folder, whose findings become the folder's.
func (f *folder) inside(ctx context.Context, name string, s *decided, checks []check) error {
	dir := f.path(name)
	manifest, err := readManifest(dir)
	if err != nil {
		return err
	}
	if manifest.Finished == nil {
		return fmt.Errorf("%s is not finished", name)
	}
	p := &folder{dir: dir, manifest: manifest, tolerance: f.tolerance, io: f.io, memo: f.memo, decided: s}
	for _, c := range slices.Concat(manifestChecks, checks) {
		p.look(ctx, c)
	}
	for _, x := range p.findings {
		x.File = path.Join(name, x.File)
		f.findings = append(f.findings, x)
	}
	return ctx.Err()
}

// manifestChecks are those of every run.
var manifestChecks = []check{
	{manifestFile, (*folder).checkManifest}, {manifestFile, (*folder).checkFiles},
}

// checkOnly compares the files and folders of the folder's top, and of those folders
// that are listed with a slash at the end, with the ones that may be there. Folders
// that stand in the list without one are runs, whose files their manifests list.
func (f *folder) checkOnly(listed []string, plan string) error {
	before := len(f.findings)
	for _, name := range listed {
		if dir := path.Dir(name); dir != "." && !slices.Contains(listed, dir+"/") {
			listed = append(listed, dir+"/")
		}
	}
	err := f.checkMade(f.manifest.Verb, func(name string, d fs.DirEntry) (made, within bool) {
		within = name == "." || d.IsDir() && slices.Contains(listed, name+"/")
		return within || slices.Contains(listed, name) && (d.IsDir() || d.Type().IsRegular()), within
	})
	if err == nil && len(f.findings) == before {
		f.add(plan, "files of the folder", same, len(listed), len(listed))
	}
	return err
}

// modelDir is the folder of the run's model, from the run's: that of a training is
// the run's own.
func (f *folder) modelDir() string {
	if f.manifest.Verb == "train" {
		return ""
	}
	return "model"
}

// inModel is a file of the model's folder.
func (f *folder) inModel(name string) string { return path.Join(f.modelDir(), name) }

// hashParts is the hash of several texts, each with its length before it.
func hashParts(parts ...[]byte) string {
	var all []byte
	for _, part := range parts {
		all = append(fmt.Appendf(all, "%d:", len(part)), part...)
	}
	return sha(all)
}

// readOptional reads a file; nil where there is none.
func readOptional(name string) ([]byte, error) {
	text, err := run.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// sameJSON compares two JSON texts but for their spaces.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// record compares the cells of a row of a table with what they should be, as text.
func (f *folder) record(file, row string, header, stored, want []string) {
	for k, name := range header {
		if k >= len(stored) || k >= len(want) || stored[k] != want[k] {
			f.add(file, name+" of "+row, differs, cell(stored, k), cell(want, k))
			return
		}
	}
	f.equal(file, row, len(stored), len(want))
}

func cell(cells []string, k int) any {
	if k < len(cells) {
		return cells[k]
	}
	return nil
}
