package run

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// WriteFile writes a file whole: to a temporary file beside it, synced, then
// renamed into place. A reader sees the old contents or the new, never a part;
// when write fails or the process dies, the old file stands as it was. Missing
// parent folders are made. Modes follow the umask. In the folder of an open [Run] the file becomes one
// of the run's first: see [Own].
func WriteFile(path string, write func(io.Writer) error) error {
	if err := Own(path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return writeWhole(path, write)
}

// writeWhole is WriteFile of a file whose owner is known.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	file, err := createTemporary(filepath.Join(dir, "."+filepath.Base(path)+temporaryMark))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close() // again where it was closed already: harmless
			os.Remove(file.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	buffer := bufio.NewWriterSize(file, 1<<16)
	if err := write(buffer); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// OpenFile opens a file of a folder that somebody gave, which has to be a plain one: a
// pipe or a device in its place may never end, or never answer.
func OpenFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := plain(info, path); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// plain refuses all but plain files.
func plain(info fs.FileInfo, path string) error {
	switch {
	case info.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("is a folder, not a file")}
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: errors.New(
			"is a pipe or a device, not a plain file: save what it gives in a file of that name")}
	}
	return nil
}

// mostRead bounds the memory that [ReadFile] takes: no run writes such a file.
const mostRead = 1 << 30

// ReadFile reads a file of a folder that somebody gave, by [OpenFile].
func ReadFile(path string) ([]byte, error) {
	file, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostRead+1))
	if err == nil && len(text) > mostRead {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("has more than %d MiB, as no file of a run has",
			mostRead>>20)}
	}
	return text, err
}

// Free returns an [*Occupied] error where a folder has the name of a file to be written,
// or a file that of a folder for it; the names are slashed.
func Free(dir string, names ...string) error {
	for _, name := range names {
		for at, folder := name, false; at != "."; at, folder = path.Dir(at), true {
			info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(at)))
			if err == nil && info.IsDir() != folder {
				is := map[bool]string{true: "folder", false: "file"}
				return &Occupied{Dir: dir, Reason: fmt.Sprintf("has a %s where the %s %s is to be: move it away, or "+
					"choose another folder", is[!folder], is[folder], at)}
			}
		}
	}
	return nil
}

// createTemporary makes a file whose name begins so. Unlike those of
// [os.CreateTemp], which nobody else may read, it has the mode of any other file.
func createTemporary(begin string) (file *os.File, err error) {
	for range 1000 {
		name := begin + strconv.FormatUint(rand.Uint64(), 10)
		file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return file, err
}

// temporaryMark is in the name of a file that is not whole yet.
const temporaryMark = ".tmp-"

// LeftoverOf returns the name of the file of which a killed process left the
// named one half-written; ok is false where the name is no such file's.
func LeftoverOf(name string) (whole string, ok bool) {
	i := strings.LastIndex(name, temporaryMark)
	if i < 2 || name[0] != '.' || strings.Trim(name[i+len(temporaryMark):], "0123456789") != "" {
		return "", false
	}
	return name[1:i], true
}

// WriteJSON writes a value as indented JSON, whole, by [WriteFile].
func WriteJSON(path string, value any) error {
	return WriteFile(path, indented(value))
}

// indented writes a value as indented JSON.
func indented(value any) func(io.Writer) error {
	return func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
}

// syncDir makes a rename in dir durable, where the system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems refuse to sync a folder; the rename itself has happened.
	_ = d.Sync()
	return nil
}
