package run

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// opened are the runs that this process has open, so that whoever writes a file
// need not know whose folder it is in.
var opened = registry{runs: map[*Run]bool{}}

type registry struct {
	mu   sync.Mutex
	runs map[*Run]bool
}

func (g *registry) add(r *Run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.runs[r] = true
}

func (g *registry) remove(r *Run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.runs, r)
}

// owner returns the open run in whose folder a file lies, and the file's name
// there; nil where it lies in none.
func (g *registry) owner(path string) (owner *Run, name string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.runs) == 0 {
		return nil, "", nil
	}
	spelled, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	dir, err := resolve(filepath.Dir(path))
	if err != nil {
		return nil, "", err
	}
	for r := range g.runs {
		// Of runs in folders of runs, the innermost owns.
		there, ok := below(r.folder.root, filepath.Join(dir, filepath.Base(path)))
		if ok && (owner == nil || len(there) < len(name)) {
			owner, name = r, there
		}
	}
	if owner != nil {
		return owner, name, nil
	}
	for r := range g.runs {
		if at, err := filepath.Abs(r.dir); err == nil {
			if _, ok := below(at, spelled); ok {
				return nil, "", fmt.Errorf("a link leads out of the run's folder %s", r.dir)
			}
		}
	}
	return nil, "", nil
}

// Own makes a file, before it is written, one of the open run in whose folder it
// lies: the manifest lists it from then on, so that it is known for the run's
// even if the process dies over it. [WriteFile] calls it; only who writes a file
// in another way has to. A file elsewhere is nobody's.
//
// It is an [*Occupied] error where a file of that name is there which no run made.
func Own(path string) error {
	r, name, err := opened.owner(path)
	if r == nil || err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(); err != nil {
		return err
	}
	if _, listed := r.manifest.Files[name]; listed || name == ManifestFile {
		return nil
	}
	return r.list(name)
}

// IsOwn says whether a file is one that the open run in whose folder it lies has
// made, before an interruption say, so that it can go on from it. A file elsewhere
// is its reader's own.
func IsOwn(path string) bool {
	r, name, err := opened.owner(path)
	if r == nil || err != nil {
		return err == nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, listed := r.manifest.Files[name]
	return listed
}

// begin makes the folder the run's at its first file: the manifest is written,
// what an earlier run has made goes, and the configuration is written. Until a
// manifest lists no more stale files they are removed by whoever opens the folder
// next. It is an error when the folder has been moved or removed.
func (r *Run) begin() error {
	switch {
	case r.folder == nil:
		return errors.New("the run was closed")
	case !r.folder.isThere():
		return r.movedError()
	case r.begun:
		return nil
	}
	if len(r.manifest.Stale) > 0 {
		if err := r.writeManifest(); err != nil {
			return err
		}
		if err := r.folder.Remove(slices.Collect(maps.Keys(r.manifest.Stale))...); err != nil {
			return folderError(r.dir, err)
		}
		r.manifest.Stale = nil
	}
	if err := r.list(configName); err != nil {
		return err
	}
	r.begun = true
	return writeWhole(r.at(configName), func(w io.Writer) error {
		_, err := w.Write(r.config)
		return err
	})
}

// list writes a file's name into the manifest.
func (r *Run) list(name string) error {
	if _, listed := r.manifest.Files[name]; !listed && !r.adopts {
		if _, err := os.Lstat(r.at(name)); err == nil {
			return foreign(r.dir, name)
		}
	}
	r.manifest.Files[name] = ""
	return r.writeManifest()
}

// foreign is the error for a file in the way that is another's.
func foreign(dir, name string) error {
	return &Occupied{Dir: dir, Reason: fmt.Sprintf(
		"holds a file that no run made (%s): move it away, or choose another folder", name)}
}

func (r *Run) writeManifest() error {
	if !r.folder.isThere() { // else writing would make it anew
		return r.movedError()
	}
	if err := r.manifest.seal(); err != nil {
		return err
	}
	return writeWhole(r.at(ManifestFile), indented(&r.manifest))
}

func (r *Run) movedError() error {
	return fmt.Errorf("folder %s was moved or removed while the run worked in it", r.dir)
}

// at is the path of a file of the run, without links.
func (r *Run) at(name string) string {
	return filepath.Join(r.folder.root, filepath.FromSlash(name))
}
