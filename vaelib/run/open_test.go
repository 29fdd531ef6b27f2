package run

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// The commit is that of the checkout where the build has none, and only of a
// repository that is the sources' own.
func TestCommit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	root := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		settings := []string{"-C", root, "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"}
		if text, err := exec.Command("git", append(settings, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, text)
		}
	}
	write := func(name string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("module x\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(dir, text string) {
		t.Helper()
		if r, err := checkout(filepath.Join(root, dir)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %+v, %v, want an error with %q", dir, r, err, text)
		}
	}
	want("", "not where they were built")
	write("go.mod")
	want("", "git knows no checkout")
	git("init", "--quiet")
	want("", "has no commit")
	git("add", "go.mod")
	git("commit", "--quiet", "-m", "first")
	if r, err := checkout(root); err != nil || len(r.commit) < 40 || r.modified || r.from != "checkout" {
		t.Errorf("revision is %+v, %v", r, err)
	}
	write("vendored/go.mod")
	want("vendored", "repository of something else")
	if r, err := checkout(root); err != nil || !r.modified {
		t.Errorf("with a new file the revision is %+v, %v", r, err)
	}
	r := stamped([]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}})
	if r != (revision{"abc", true, "build"}) {
		t.Errorf("revision of the build is %+v", r)
	}
	if r := sources(); r.commit == "" && !strings.HasPrefix(r.from, "unknown: ") {
		t.Errorf("revision of this test is %+v", r)
	}
}

// A finished run asked for again is done, also where nothing can be written and
// whoever has the lock.
func TestAlreadyDoneWithoutLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	spec := Spec{Verb: "test", Seed: 1}
	r, err := Open(dir, spec, false)
	if err == nil {
		err = r.Finish()
	}
	if err != nil {
		t.Fatal(err)
	}
	again := func(what string) {
		t.Helper()
		var done *AlreadyDone
		if _, err := Open(dir, spec, false); !errors.As(err, &done) {
			t.Errorf("%s: %v, want AlreadyDone", what, err)
		}
	}
	held, err := Enter(dir)
	if err != nil {
		t.Fatal(err)
	}
	again("a folder in use")
	if err := held.Leave(true); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, lockName)), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	again("a read-only folder")
	if _, err := os.Stat(filepath.Join(dir, lockName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a lock is left: %v", err)
	}
}

// A file of another's by the name of an output is refused before anything is made.
func TestOutputsInTheWay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	spec := Spec{Verb: "test", Seed: 1, Outputs: []string{"out.csv", "figures/*.png"}}
	r, err := Open(dir, spec, false)
	if err == nil {
		err = errors.Join(WriteJSON(r.Path("out.csv"), 1), WriteJSON(r.Path("figures", "a.png"), 1))
	}
	if err == nil {
		err = r.Finish()
	}
	if err != nil {
		t.Fatal(err)
	}
	other := spec
	other.Seed = 2
	r, err = Open(dir, other, true)
	if err != nil {
		t.Fatalf("files of the run to replace are in the way: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	other.Outputs = append(other.Outputs, "new.csv")
	for _, name := range []string{"new.csv", "figures/b.png"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(filepath.Join(dir, ManifestFile))
		if err != nil {
			t.Fatal(err)
		}
		var occupied *Occupied
		if _, err := Open(dir, other, true); !errors.As(err, &occupied) || !strings.Contains(err.Error(), name+"): move it away") {
			t.Errorf("%s: %v, want Occupied", name, err)
		}
		after, err := os.ReadFile(filepath.Join(dir, ManifestFile))
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the manifest is changed (%v)", name, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// What is known of a run is enough to refuse a folder, before its data are read and its
// backend is opened.
func TestUsable(t *testing.T) {
	spec := Spec{Verb: "test", Config: []byte("a = 1\n"), Data: "d", Seed: 1, Backend: "go", Outputs: []string{"*.txt"}}
	write := func(path string) error { return os.WriteFile(path, nil, 0o666) }
	for want, change := range map[string]func(s *Spec, dir string) error{
		"":                        func(*Spec, string) error { return nil },
		"of test, not other":      func(s *Spec, _ string) error { s.Verb = "other"; return nil },
		"a = 1 there, a = 2 here": func(s *Spec, _ string) error { s.Config = []byte("a = 2\n"); return nil },
		"seed 1 there, 2 here":    func(s *Spec, _ string) error { s.Seed = 2; return nil },
		"its data differ":         func(s *Spec, _ string) error { s.Data = "e"; return nil },
		"backend go there, xla":   func(s *Spec, _ string) error { s.Backend = "xla"; return nil },
		"no run made (notes.txt)": func(_ *Spec, dir string) error { return write(filepath.Join(dir, "notes.txt")) },
		"has a folder where the file a.json": func(_ *Spec, dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "a.json")), os.Mkdir(filepath.Join(dir, "a.json"), 0o777))
		},
		"has a file where the folder in is": func(_ *Spec, dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "in")), write(filepath.Join(dir, "in")))
		},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		r, err := Open(dir, spec, false)
		if err == nil {
			err = errors.Join(WriteJSON(r.Path("a.json"), 1), WriteJSON(r.Path("in", "b.json"), 1), r.Close())
		}
		partial := spec
		partial.Data, partial.Backend = "", ""
		if err = errors.Join(err, change(&partial, dir)); err != nil {
			t.Fatal(err)
		}
		err = Usable(dir, partial, false)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
		mine := strings.Contains(want, "file") || strings.Contains(want, "notes") // which force doesn't take away
		if err := Usable(dir, partial, true); (err != nil) != mine {
			t.Errorf("with force: %v", err)
		}
	}
}

// Other inputs make another run, and say which they are.
func TestInputsTellRunsApart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	spec := func(inputs map[string]string) Spec { return Spec{Verb: "test", Seed: 1, Inputs: inputs} }
	r, err := Open(dir, spec(map[string]string{"limits": "a", "sectors": "b"}), false)
	if err == nil {
		err = r.Finish()
	}
	if err != nil {
		t.Fatal(err)
	}
	var done *AlreadyDone
	if _, err := Open(dir, spec(map[string]string{"sectors": "b", "limits": "a"}), false); !errors.As(err, &done) {
		t.Errorf("the same inputs: %v", err)
	}
	for name, inputs := range map[string]map[string]string{
		"sectors": {"limits": "a", "sectors": "c"}, "limits": {"sectors": "b"}, "held": {"limits": "a", "sectors": "b", "held": "d"},
	} {
		var occupied *Occupied
		if _, err := Open(dir, spec(inputs), false); !errors.As(err, &occupied) ||
			!strings.Contains(err.Error(), "the content of -"+name+" differs") {
			t.Errorf("other %s: %v", name, err)
		}
	}
	if spec(nil).hash() != spec(map[string]string{}).hash() {
		t.Error("no inputs make a run another one")
	}
}
