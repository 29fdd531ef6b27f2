package run

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
)

// Folder is a folder that this process has locked, for files that are no run's: a
// [Run] has one of its own.
type Folder struct {
	root     string   // absolute, without links
	made     []string // folders that were made for it, the outermost first
	madeLock bool
	lock     *flock.Flock
}

// enterAttempts bounds how often a folder is entered anew that another process
// takes away meanwhile.
const enterAttempts = 100

// Enter locks a folder, which it makes where it is missing. It is a [*Locked] error
// where another process has it.
func Enter(dir string) (*Folder, error) {
	for range enterAttempts {
		f, err := tryEnter(dir)
		if f != nil || err != nil {
			return f, err
		}
	}
	return nil, &Locked{dir}
}

// tryEnter returns nil where the folder was taken away in the middle.
func tryEnter(dir string) (_ *Folder, err error) {
	f := &Folder{}
	defer func() {
		if err != nil {
			f.removeMade()
		}
	}()
	if err := f.makeAll(dir); err != nil {
		return nil, err
	}
	if f.root, err = resolve(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(f.root, lockName)
	_, statErr := os.Lstat(path)
	f.madeLock = errors.Is(statErr, fs.ErrNotExist)
	f.lock = flock.New(path, flock.SetPermissions(0o666))
	locked, err := f.lock.TryLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !locked:
		return nil, &Locked{dir}
	}
	if !f.isThere() { // the lock is on a file that its last owner removed
		return nil, f.lock.Close()
	}
	return f, nil
}

// makeAll makes a folder and those above it, and remembers which.
func (f *Folder) makeAll(dir string) error {
	var missing []string
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		_, err := os.Stat(at)
		if err == nil || !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at {
			break
		}
		missing = append(missing, at)
	}
	for _, at := range slices.Backward(missing) {
		err := os.Mkdir(at, 0o777)
		if err == nil {
			f.made = append(f.made, at)
		} else if target, linkErr := os.Readlink(at); linkErr == nil && errors.Is(err, fs.ErrExist) {
			return &Occupied{Dir: at, Reason: fmt.Sprintf(
				"is a link to %s, which isn't there: make that folder, or choose another", target)}
		} else if info, statErr := os.Stat(at); statErr != nil || !info.IsDir() {
			return err
		}
	}
	return nil
}

// Exclusively does something while no other process does so in the folder with a
// lock of this name, and waits until it may. Unlike [Enter] it is for moments.
func Exclusively(dir, lock string, do func() error) (err error) {
	l := flock.New(filepath.Join(dir, lock), flock.SetPermissions(0o666))
	if err := l.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return do()
}

// isThere says whether the folder is still where it was locked.
func (f *Folder) isThere() bool {
	held, err := f.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(f.lock.Path())
	return err == nil && os.SameFile(held, there)
}

// Leave unlocks the folder. Untouched, it is left as it was found: what was made
// for the lock alone goes.
func (f *Folder) Leave(untouched bool) error {
	if untouched && f.madeLock && f.isThere() {
		_ = os.Remove(f.lock.Path()) // a lock that stays does no harm
	}
	err := f.lock.Close()
	if untouched {
		f.removeMade()
	}
	return err
}

// removeMade removes the folders that were made, but for those in use.
func (f *Folder) removeMade() {
	for _, at := range slices.Backward(f.made) {
		_ = os.Remove(at) // which leaves a folder with files alone
	}
}

// Remove removes files by their slashed names, what a killed process left of them
// half-written, and the folders that are empty then. A name that leads out of the
// folder by a link is an error.
func (f *Folder) Remove(names ...string) error {
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return err
	}
	defer root.Close()
	folders := map[string]bool{}
	for _, name := range names {
		if info, err := root.Lstat(name); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a folder, and was a file of the run: move it away", name)
		}
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", name, cause(err))
		}
		for at := path.Dir(name); at != "."; at = path.Dir(at) {
			folders[at] = true
		}
	}
	if err := removeLeftovers(root, names); err != nil {
		return err
	}
	for _, at := range slices.Backward(slices.Sorted(maps.Keys(folders))) {
		_ = root.Remove(at) // one with files of others stays
	}
	return nil
}

// RemoveLeftovers removes what a killed process left half-written of the files of a
// folder with these slashed names. The caller keeps others from writing them
// meanwhile, by a lock.
func RemoveLeftovers(dir string, names ...string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return removeLeftovers(root, names)
}

func removeLeftovers(root *os.Root, names []string) error {
	folders := map[string]bool{}
	for _, name := range names {
		folders[path.Dir(name)] = true
	}
	for _, at := range slices.Sorted(maps.Keys(folders)) {
		entries, err := fs.ReadDir(root.FS(), at)
		if err != nil {
			continue // there is nothing left in it
		}
		for _, e := range entries {
			whole, isLeftover := LeftoverOf(e.Name())
			if !isLeftover || !slices.Contains(names, path.Join(at, whole)) {
				continue
			}
			if err := root.Remove(path.Join(at, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// cause is the reason of an error of a file, without its path.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// resolve returns the absolute path that a path leads to, without links. Its last
// parts may be missing.
func resolve(path string) (string, error) {
	at, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at {
			return "", err
		}
		at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest)
	}
}

// below returns the slashed name of a file in a folder, of which both paths are
// absolute; ok is false where it lies elsewhere.
func below(dir, path string) (name string, ok bool) {
	rel, err := filepath.Rel(dir, path)
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// Within says whether a path is a folder or lies in it, wherever links lead from
// either. Both may be missing.
func Within(path, dir string) (bool, error) {
	at, err := resolve(path)
	if err != nil {
		return false, err
	}
	root, err := resolve(dir)
	if err != nil {
		return false, err
	}
	_, inside := below(root, at)
	return inside || at == root, nil
}
