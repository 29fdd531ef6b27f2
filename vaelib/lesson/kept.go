package lesson

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"vaefolio/vaelib/run"
)

// Kept returns what compute, a function of the notebook without arguments,
// returns: computed once, and loaded where it was computed before by the same
// source with the same parameters. The source is that of the function and of all
// declarations of the notebook that it mentions, directly or not, and the content
// of files that a string in it names, such as prices; what else it reads, as the
// clock, is not seen. T is written by encoding/gob, which takes exported fields,
// slices, maps and gonum's matrices.
func Kept[T any](compute func() T) T {
	name := runtime.FuncForPC(reflect.ValueOf(compute).Pointer()).Name()
	path := Must(keptPath(name))
	if value, err := readKept[T](path); err == nil {
		return value
	} else if !errors.Is(err, fs.ErrNotExist) {
		Check(fmt.Errorf("%s can't be read: %w: remove it, and run the cell again", path, err))
	}
	value := compute()
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(&value); err != nil {
		Check(fmt.Errorf("the result of %s can't be kept: %w: return exported fields, slices, maps or matrices",
			name, err))
	}
	Check(os.MkdirAll(filepath.Dir(path), 0o755))
	Check(run.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	}))
	return Must(readKept[T](path)) // what later runs load, to the bit
}

func readKept[T any](path string) (value T, err error) {
	file, err := os.Open(path)
	if err != nil {
		return value, err
	}
	defer file.Close()
	return value, gob.NewDecoder(file).Decode(&value)
}

// keptPath is the file for the result of a function of the notebook.
func keptPath(name string) (string, error) {
	base := name[strings.LastIndexByte(name, '.')+1:]
	if strings.HasPrefix(base, "func") || strings.Contains(name, ".func") {
		return "", fmt.Errorf("%s is a function without a name: give lesson.Kept one that is declared by itself", name)
	}
	library, err := libraryHash()
	if err != nil {
		return "", err
	}
	code, err := notebookSource(base)
	if err != nil {
		return "", err
	}
	return keptFile(base, library, code)
}

// keptFile is the file or folder kept under a name for what decides its content.
func keptFile(name string, parts ...string) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	var all [][]byte
	for _, part := range parts {
		all = append(all, []byte(part))
	}
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == ' ' || r == ':' {
			return '-'
		}
		return r
	}, name)
	return filepath.Join(root, "runs", "notebooks", "kept", name+"-"+run.Hash(all...)[:16]), nil
}

// repository is the folder of this project that holds the notebook.
var repository = sync.OnceValues(func() (string, error) {
	start := os.Getenv("GONB_DIR") // where the notebook lies; its programs run elsewhere
	if start == "" {
		var err error
		if start, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	for folder := start; ; {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module vaefolio\n") {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", fmt.Errorf("%s is not in the vaefolio repository: open the notebook there", start)
		}
		folder = parent
	}
})

// libraryHash is the hash of the sources that the library is compiled from, and of the
// files that are part of it, such as prices and models.
var libraryHash = sync.OnceValues(func() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	parts := [][]byte{[]byte(runtime.GOARCH)}
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		parts = append(parts, text)
	}
	for _, folder := range []string{"data", "internal", "vaelib"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			switch extension := filepath.Ext(path); {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case d.IsDir(), strings.HasSuffix(path, "_test.go"), extension == ".md":
				return nil
			}
			text, err := os.ReadFile(path)
			parts = append(parts, []byte(path[len(root):]), text)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return run.Hash(parts...), nil
})
