package run_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/run"
)

// tree lists all files and folders below dir, folders with a slash, and what the
// files hold.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			found[name+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	}))
	return found
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// What the user has put into a run's folder survives its replacement, in folders
// of the run too; nothing of the run does, unfinished or not.
func TestForceKeepsWhatIsNotTheRuns(t *testing.T) {
	for _, finish := range []bool{false, true} {
		t.Run(fmt.Sprintf("finished %v", finish), func(t *testing.T) {
			dir := t.TempDir()
			r, err := run.Open(dir, spec(), false)
			must(t, err)
			for _, name := range []string{"weights.csv", "model/model.json", "figures/deep/a.png"} {
				must(t, run.WriteJSON(r.Path(filepath.FromSlash(name)), name))
			}
			write(t, r.Path("figures", "deep", ".a.png.tmp-77"), "half")
			mine := map[string]string{
				"notes.txt": "all my work", "model/mine.csv": "1", "sub/deep/x": "2", ".hidden": "3", "model/.mine.tmp-1": "4",
				"figures/b.png.tmp-3": "5",
			}
			for name, text := range mine {
				write(t, r.Path(filepath.FromSlash(name)), text)
			}
			must(t, os.Mkdir(r.Path("empty"), 0o755))
			if finish {
				must(t, r.Finish())
			}
			must(t, r.Close())

			other := spec()
			other.Seed = 2
			r, err = run.Open(dir, other, true)
			must(t, err)
			must(t, run.WriteJSON(r.Path("new.json"), 1))
			must(t, r.Finish())
			want := []string{".lock", "config.toml", "manifest.json", "new.json", "empty/", "model/", "sub/", "sub/deep/", "figures/"}
			for name, text := range mine {
				want = append(want, name)
				if got := read(t, filepath.Join(dir, filepath.FromSlash(name))); got != text {
					t.Errorf("%s holds %q, want %q", name, got, text)
				}
			}
			for name := range tree(t, dir) {
				if !slices.Contains(want, name) {
					t.Errorf("%s of the replaced run is still there", name)
				}
			}
			m, err := run.ReadManifest(dir)
			must(t, err)
			if len(m.Files) != 2 || len(m.Stale) != 0 {
				t.Errorf("the manifest lists %v, stale %v", m.Files, m.Stale)
			}
		})
	}
}

// A file is in the manifest before it is written, wherever in the folder, by
// whatever path.
func TestListedBeforeWritten(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "run")
	must(t, os.Mkdir(dir, 0o755))
	link := filepath.Join(parent, "link")
	must(t, os.Symlink(dir, link))
	r, err := run.Open(link, spec(), false)
	must(t, err)
	defer r.Close()
	for _, path := range []string{r.Path("a"), filepath.Join(dir, "sub", "b"), filepath.Join(parent, "run", "..", "link", "c")} {
		must(t, run.WriteFile(path, func(w io.Writer) error {
			name, err := filepath.Rel(dir, strings.Replace(filepath.Clean(path), "link", "run", 1))
			must(t, err)
			m, err := run.ReadManifest(dir)
			must(t, err)
			if sum, listed := m.Files[filepath.ToSlash(name)]; !listed || sum != "" || m.Finished != nil {
				t.Errorf("while %s is written the manifest lists %v", name, m.Files)
			}
			return nil
		}))
	}
	must(t, run.WriteJSON(filepath.Join(parent, "elsewhere"), 1))
	must(t, r.Finish())
	m, err := run.ReadManifest(dir)
	must(t, err)
	if changed, err := m.Changed(dir); changed != "" || err != nil || len(m.Files) != 4 {
		t.Errorf("the manifest lists %v, of which %q is changed (%v)", m.Files, changed, err)
	}
	write(t, filepath.Join(dir, "a"), "other")
	if changed, err := m.Changed(dir); changed != "a" || err != nil {
		t.Errorf("changed: %q (%v), want a", changed, err)
	}
	must(t, os.Remove(filepath.Join(dir, "a")))
	if changed, err := m.Changed(dir); changed != "a" || err != nil {
		t.Errorf("removed: %q (%v), want a", changed, err)
	}
}

// A run that is closed, or refused, before its first file leaves all as it was.
func TestNothingBeforeTheFirstFile(t *testing.T) {
	parent := t.TempDir()
	done := filepath.Join(parent, "done")
	r, err := run.Open(done, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("result.json"), 1))
	must(t, r.Finish())
	must(t, os.Remove(filepath.Join(done, ".lock"))) // as a copy has it
	must(t, os.Mkdir(filepath.Join(parent, "empty"), 0o755))
	write(t, filepath.Join(parent, "foreign", "x"), "1")
	write(t, filepath.Join(parent, "short", "manifest.json"), "")
	before := tree(t, parent)
	other := spec()
	other.Seed = 7
	for _, dir := range []string{"new", "new/a/b", "empty", "done", "foreign", "short", "foreign/new", "new/"} {
		for _, s := range []run.Spec{spec(), other} {
			for _, force := range []bool{false, true} {
				r, err := run.Open(filepath.Join(parent, dir), s, force)
				if err == nil {
					must(t, r.Close())
				}
				after := tree(t, parent)
				if fmt.Sprint(before) != fmt.Sprint(after) {
					t.Fatalf("%s, seed %d, force %v (%v): there is\n%v, and was\n%v", dir, s.Seed, force, err, after, before)
				}
			}
		}
	}
}

// An empty or torn manifest is said to be one, and force begins anew in its place:
// files of the names that the new run writes are replaced, all others stay.
func TestManifestCutShort(t *testing.T) {
	dir := t.TempDir()
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("result.json"), 1))
	must(t, r.Finish())
	manifest := read(t, r.Path("manifest.json"))
	write(t, r.Path("notes.txt"), "mine")
	for _, length := range []int{0, 1, 5, 14, 23, 40, 200, len(manifest) - 3} {
		write(t, filepath.Join(dir, "manifest.json"), manifest[:length])
		_, err := run.Open(dir, spec(), false)
		var occupied *run.Occupied
		if !errors.As(err, &occupied) || !strings.Contains(err.Error(), "cut short") || !strings.Contains(err.Error(), "-force") {
			t.Errorf("first %d bytes: error %v, want one that says so and the way out", length, err)
		}
		r, err := run.Open(dir, spec(), true)
		must(t, err)
		must(t, run.WriteJSON(r.Path("result.json"), length))
		must(t, r.Finish())
		if got := strings.TrimSpace(read(t, r.Path("result.json"))); got != fmt.Sprint(length) || read(t, r.Path("notes.txt")) != "mine" {
			t.Errorf("first %d bytes: the new run's file holds %s", length, got)
		}
	}
	write(t, filepath.Join(dir, "manifest.json"), "\x00\x00\x00\x00")
	if _, err := run.Open(dir, spec(), false); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("zeros: error %v", err)
	}
}

// Only what the run has made is its own to go on from.
func TestIsOwn(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "elsewhere"), "1")
	dir = filepath.Join(dir, "run")
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("a"), 1))
	must(t, r.Close())
	if !run.IsOwn(r.Path("a")) {
		t.Error("without an open run a file is somebody else's")
	}
	must(t, os.Truncate(r.Path("manifest.json"), 0))
	r, err = run.Open(dir, spec(), true)
	must(t, err)
	defer r.Close()
	for path, want := range map[string]bool{r.Path("a"): false, filepath.Join(dir, "..", "elsewhere"): true} {
		if run.IsOwn(path) != want {
			t.Errorf("%s is the run's own: %v, want %v", path, !want, want)
		}
	}
	must(t, run.WriteJSON(r.Path("a"), 2))
	if !run.IsOwn(r.Path("a")) {
		t.Error("what the run has written isn't its own")
	}
}

// A file of the user's that has the name of one that the run is about to write is
// not written over.
func TestForeignFileInTheWay(t *testing.T) {
	dir := t.TempDir()
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("a.json"), 1))
	must(t, r.Finish())
	write(t, r.Path("b.json"), "mine")
	other := spec()
	other.Seed = 2
	r, err = run.Open(dir, other, true)
	must(t, err)
	defer r.Close()
	err = run.WriteJSON(r.Path("b.json"), 2)
	var occupied *run.Occupied
	if !errors.As(err, &occupied) || !strings.Contains(err.Error(), "b.json") || read(t, r.Path("b.json")) != "mine" {
		t.Errorf("error %v, the file holds %q", err, read(t, r.Path("b.json")))
	}
}

// What a killed replacement has not removed yet, the next run removes.
func TestKilledReplacement(t *testing.T) {
	dir := t.TempDir()
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("a.json"), 1))
	must(t, run.WriteJSON(r.Path("b.json"), 1))
	must(t, r.Close())
	m, err := run.ReadManifest(dir)
	must(t, err)
	m.Files, m.Stale = map[string]string{}, m.Files
	must(t, os.Remove(r.Path("a.json")))
	text, err := json.Marshal(m)
	must(t, err)
	write(t, r.Path("manifest.json"), string(text))

	r, err = run.Open(dir, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("c.json"), 1))
	must(t, r.Finish())
	if names := list(t, dir); !slices.Equal(names, []string{".lock", "c.json", "config.toml", "manifest.json"}) {
		t.Errorf("the folder holds %v", names)
	}
}

// Links are followed or refused at once; what leads out of the folder is not
// touched.
func TestLinks(t *testing.T) {
	parent := t.TempDir()
	must(t, os.Symlink("nowhere", filepath.Join(parent, "dangling")))
	if _, err := run.Open(filepath.Join(parent, "dangling"), spec(), true); err == nil || !strings.Contains(err.Error(), "a link to nowhere") {
		t.Errorf("a dangling link: %v", err)
	}
	dir, outside := filepath.Join(parent, "run"), filepath.Join(parent, "outside")
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("model", "a.json"), 1))
	must(t, r.Finish())
	must(t, os.Rename(filepath.Join(dir, "model"), outside))
	must(t, os.Symlink(outside, filepath.Join(dir, "model")))
	other := spec()
	other.Seed = 2
	r, err = run.Open(dir, other, true)
	must(t, err)
	if err := run.WriteJSON(r.Path("model", "b.json"), 1); err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("writing through a link that leads out: %v", err)
	}
	if err := run.WriteJSON(r.Path("c.json"), 1); err == nil || !strings.Contains(err.Error(), "model/a.json") {
		t.Errorf("removing through a link that leads out: %v", err)
	}
	must(t, r.Close())
	if names := list(t, outside); !slices.Equal(names, []string{"a.json"}) {
		t.Errorf("outside there is %v", names)
	}
}

// A folder that is moved away while a run works in it is not made anew.
func TestMovedFolder(t *testing.T) {
	parent := t.TempDir()
	dir, away := filepath.Join(parent, "run"), filepath.Join(parent, "away")
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("a.json"), 1))
	must(t, os.Rename(dir, away))
	for _, err := range []error{run.WriteJSON(r.Path("b.json"), 1), r.Finish(), r.Close()} {
		if err == nil || !strings.Contains(err.Error(), "moved or removed") {
			t.Errorf("error %v", err)
		}
	}
	if names := list(t, parent); !slices.Equal(names, []string{"away"}) {
		t.Errorf("there is %v", names)
	}
	r, err = run.Open(away, spec(), false)
	must(t, err)
	if !r.Resumed {
		t.Error("the run is not taken up where it is now")
	}
	must(t, r.Close())
}

func TestCopy(t *testing.T) {
	parent := t.TempDir()
	from, to := filepath.Join(parent, "from"), filepath.Join(parent, "to")
	r, err := run.Open(from, spec(), false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("a.json"), 1))
	if err := run.Copy(from, to); err == nil || !strings.Contains(err.Error(), "no finished run") {
		t.Errorf("copying an unfinished run: %v", err)
	}
	must(t, run.WriteJSON(r.Path("model", "b.json"), 2))
	must(t, r.Finish())
	write(t, filepath.Join(from, "notes.txt"), "theirs")

	other := spec() // unfinished, of something else
	other.Seed = 2
	r, err = run.Open(to, other, false)
	must(t, err)
	must(t, run.WriteJSON(r.Path("half.json"), 1))
	var locked *run.Locked
	if err := run.Copy(from, to); !errors.As(err, &locked) {
		t.Errorf("copying over a run under way: %v", err)
	}
	must(t, r.Close())
	write(t, filepath.Join(to, "mine.txt"), "mine")
	must(t, run.Copy(from, to))
	want := tree(t, from)
	delete(want, "notes.txt")
	want["mine.txt"] = "mine"
	if got := tree(t, to); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the copy holds\n%v, want\n%v", got, want)
	}
	var done *run.AlreadyDone
	if err := run.Copy(from, to); !errors.As(err, &done) {
		t.Errorf("copying over a finished run: %v", err)
	}
	if _, err := run.Open(to, spec(), false); !errors.As(err, &done) {
		t.Errorf("the copy is not the finished run: %v", err)
	}
	write(t, filepath.Join(parent, "foreign", "x"), "1")
	if err := run.Copy(from, filepath.Join(parent, "foreign")); err == nil {
		t.Error("no error for copying over files that no run made")
	}
}

func TestWithin(t *testing.T) {
	parent := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(parent, "a", "b"), 0o755))
	must(t, os.Symlink("a", filepath.Join(parent, "link")))
	for _, c := range []struct {
		path, dir string
		want      bool
	}{
		{"a", "a", true}, {"a/b", "a", true}, {"a/", "a", true}, {"a", "a/b", false}, {"ab", "a", false},
		{"link/b", "a", true}, {"a/b", "link", true}, {"link", "a", true}, {"link/missing/x", "a", true},
		{"a/../c", "a", false}, {"a", "", true}, {"", "a", false}, {"missing/x", "missing", true},
	} {
		got, err := run.Within(filepath.Join(parent, c.path), filepath.Join(parent, c.dir))
		if err != nil || got != c.want {
			t.Errorf("%q within %q: %v (%v), want %v", c.path, c.dir, got, err, c.want)
		}
	}
}
