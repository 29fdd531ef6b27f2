package run

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Copy copies the finished run in the folder from into the folder to, where it
// takes the place of an unfinished run or none. Only the files that its manifest
// lists are copied, and only such of the unfinished run removed. Where the folder
// holds a finished run it is an [*AlreadyDone] error; otherwise errors are those
// of [Open].
func Copy(from, to string) error {
	m, err := ReadManifest(from)
	if err != nil {
		return err
	}
	if m.Finished == nil {
		return fmt.Errorf("%s holds no finished run: it can't be copied", from)
	}
	source, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer source.Close()
	config, err := source.ReadFile(configName)
	if err != nil {
		return err
	}
	manifest, err := source.ReadFile(ManifestFile)
	if err != nil {
		return err
	}
	r, err := Open(to, Spec{
		Verb: m.Verb, Config: config, Data: m.Data, Inputs: m.Inputs, Seed: m.Seed, Backend: m.Backend,
	}, true)
	if err != nil {
		return err
	}
	defer r.Close()
	if old, err := ReadManifest(to); err == nil && old.Finished != nil {
		return &AlreadyDone{to, *old}
	}
	for name := range m.Files {
		if err := copyFile(source, name, r.Path(filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	// Last, and as it is: only now is the run here a finished one.
	write := func(w io.Writer) error {
		_, err := w.Write(manifest)
		return err
	}
	if err := writeWhole(r.at(ManifestFile), write); err != nil {
		return err
	}
	return r.release()
}

func copyFile(source *os.Root, name, to string) error {
	file, err := source.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && !info.Mode().IsRegular() {
		return errors.New(filepath.Join(source.Name(), name) + " is no file")
	}
	return WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	})
}
