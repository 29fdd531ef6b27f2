package run_test

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"vaefolio/vaelib/run"
)

// holdVariable makes the test binary a process that holds a run's folder.
const holdVariable = "VAEFOLIO_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		hold(dir)
	}
	os.Exit(m.Run())
}

// hold opens the folder, says what came of it, and waits for its input's end.
func hold(dir string) {
	r, err := run.Open(dir, spec(), false)
	if err == nil {
		err = run.WriteJSON(r.Path("begun.json"), 1)
	}
	var locked *run.Locked
	switch {
	case err == nil:
		fmt.Println("open")
	case errors.As(err, &locked):
		fmt.Println("locked")
	default:
		fmt.Println(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func spec() run.Spec {
	return run.Spec{Verb: "train", Config: []byte("# speed\nrate = 0.1\n\nsteps = 100\n"), Data: "d1", Seed: 1, Backend: "go"}
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	work := func() error {
		r, err := run.Open(dir, run.Spec{Verb: "train", Config: []byte("steps = 100\n"), Seed: 1}, false)
		if err != nil {
			return err
		}
		defer r.Close()
		if err := run.WriteJSON(r.Path("result.json"), 42); err != nil {
			return err
		}
		return r.Finish()
	}
	fmt.Println(work())
	var done *run.AlreadyDone
	fmt.Println(errors.As(work(), &done))
	// Output:
	// <nil>
	// true
}

func TestFinished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	if r.Resumed || r.Dir() != dir {
		t.Errorf("new run: resumed %v, folder %s", r.Resumed, r.Dir())
	}
	stop := r.Time("training")
	must(t, run.WriteJSON(r.Path("model", "x.json"), 7))
	must(t, os.WriteFile(r.Path("model", ".x.json.tmp-123"), []byte("ha"), 0o644)) // of a killed process
	stop()
	must(t, r.Finish())
	must(t, r.Close())

	m, err := run.ReadManifest(dir)
	must(t, err)
	if m.Finished == nil || m.Finished.Before(m.Started) {
		t.Errorf("finished %v, started %v", m.Finished, m.Started)
	}
	if m.Verb != "train" || m.Seed != 1 || m.Data != "d1" || m.Backend != "go" || m.GOARCH != runtime.GOARCH || m.Go != runtime.Version() {
		t.Errorf("manifest %+v doesn't tell the spec", m)
	}
	if m.Timings["training"] <= 0 || m.Timings["total"] < m.Timings["training"] {
		t.Errorf("timings %v", m.Timings)
	}
	want := map[string]string{
		"config.toml":  fmt.Sprintf("%x", sha256.Sum256(spec().Config)),
		"model/x.json": fmt.Sprintf("%x", sha256.Sum256([]byte("7\n"))),
	}
	if len(m.Files) != 2 || m.Files["config.toml"] != want["config.toml"] || m.Files["model/x.json"] != want["model/x.json"] {
		t.Errorf("files %v, want %v", m.Files, want)
	}

	_, err = run.Open(dir, spec(), false)
	var done *run.AlreadyDone
	if !errors.As(err, &done) || done.Dir != dir || done.Manifest.Hash != m.Hash {
		t.Fatalf("opening a finished run: %v, want AlreadyDone", err)
	}
	r, err = run.Open(dir, spec(), true)
	must(t, err)
	defer r.Close()
	if changed, err := m.Changed(dir); changed != "" || err != nil {
		t.Errorf("opened with force, but before anything is written, %s is changed (%v)", changed, err)
	}
	must(t, run.Own(r.Path("config.toml")))
	if names := list(t, dir); !slices.Equal(names, []string{".lock", "config.toml", "manifest.json"}) || r.Resumed {
		t.Errorf("after force the folder holds %v, resumed %v", names, r.Resumed)
	}
}

func TestResume(t *testing.T) {
	dir := t.TempDir()
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	r.Time("training")()
	must(t, run.WriteFile(r.Path("checkpoint"), func(w io.Writer) error {
		_, err := io.WriteString(w, "half way")
		return err
	}))
	must(t, r.Close())
	must(t, r.Close())
	if err := r.Finish(); err == nil {
		t.Error("no error for finishing a run that was closed")
	}
	first, err := run.ReadManifest(dir)
	must(t, err)
	if first.Finished != nil {
		t.Error("a run that was only closed is finished")
	}

	commented := spec() // the comments of a configuration don't count
	commented.Config = []byte("rate = 0.1\nsteps = 100\n# the end")
	r, err = run.Open(dir, commented, false)
	must(t, err)
	r.Time("training")()
	if !r.Resumed || read(t, r.Path("checkpoint")) != "half way" {
		t.Error("the second opening does not resume")
	}
	must(t, r.Finish())
	second, err := run.ReadManifest(dir)
	must(t, err)
	if !second.Started.Equal(first.Started) || second.Timings["total"] < first.Timings["total"] || second.Timings["training"] <= first.Timings["training"] {
		t.Errorf("started %v, timings %v; before: %v, %v", second.Started, second.Timings, first.Started, first.Timings)
	}
}

func TestOtherRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*run.Spec)
		want   string
	}{
		{"verb", func(s *run.Spec) { s.Verb = "corpus" }, "of train, not corpus"},
		{"value", func(s *run.Spec) { s.Config = []byte("rate = 0.2\nsteps = 100\n") }, "rate = 0.1 there, rate = 0.2 here"},
		{"new key", func(s *run.Spec) { s.Config = []byte("rate = 0.1\nsteps = 100\nwarm = 1") }, "warm = 1 is new here"},
		{"no key", func(s *run.Spec) { s.Config = []byte("rate = 0.1\n") }, "steps = 100 is not known here"},
		{"data", func(s *run.Spec) { s.Data = "d2" }, "data differ"},
		{"seed", func(s *run.Spec) { s.Seed = 2 }, "seed 1 there, 2 here"},
		{"backend", func(s *run.Spec) { s.Backend = "xla" }, "backend go there, xla here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			r, err := run.Open(dir, spec(), false)
			must(t, err)
			must(t, run.WriteJSON(r.Path("old"), 1))
			must(t, r.Close())
			other := spec()
			c.change(&other)
			_, err = run.Open(dir, other, false)
			var occupied *run.Occupied
			if !errors.As(err, &occupied) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "-force") {
				t.Fatalf("error %q, want %q and the way out", err, c.want)
			}
			r, err = run.Open(dir, other, true)
			must(t, err)
			must(t, run.WriteJSON(r.Path("new"), 1))
			if _, err := os.Stat(r.Path("old")); err == nil || r.Resumed {
				t.Errorf("force kept a file of the old run, resumed %v", r.Resumed)
			}
			must(t, r.Finish())
		})
	}
	t.Run("plugin", func(t *testing.T) {
		dir := t.TempDir()
		r, err := run.Open(dir, spec(), false)
		must(t, err)
		must(t, run.Own(r.Path("new")))
		must(t, r.Close())
		other := spec()
		other.Plugin = "v2"
		if r, err = run.Open(dir, other, false); err != nil || !r.Resumed {
			t.Errorf("another plugin: %v", err)
		}
		must(t, r.Close())
	})
}

// Files that no run made survive everything.
func TestForeignFolder(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"file", "thesis.tex", "all my work", "thesis.tex"},
		{"hidden file", ".secrets", "keys", ".secrets"},
		{"another tool's manifest", "manifest.json", `{"name":"app"}`, "no run wrote"},
		{"another tool's broken manifest", "manifest.json", `{"name":"app",`, "no run wrote"},
		{"a manifest of a file elsewhere", "manifest.json", `{"kind":"vaefolio run","files":{"../x":""}}`, `"../x"`},
		{"a stale file elsewhere", "manifest.json", `{"kind":"vaefolio run","files":{},"stale":{"/etc/x":""}}`, `"/etc/x"`},
	} {
		for _, force := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s force %v", c.name, force), func(t *testing.T) {
				dir := t.TempDir()
				must(t, os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644))
				_, err := run.Open(dir, spec(), force)
				var occupied *run.Occupied
				if !errors.As(err, &occupied) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %q, want %q", err, c.want)
				}
				if names := list(t, dir); len(names) != 1 || read(t, filepath.Join(dir, c.file)) != c.text {
					t.Errorf("folder holds %v afterwards", names)
				}
			})
		}
	}
}

func TestUnusablePaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, []byte("x"), 0o644))
	for _, c := range []struct{ path, want string }{
		{"", "no folder given"},
		{file, "is a file: choose a folder"},
		{filepath.Join(file, "below"), "not a directory"},
		{filepath.Join(dir, strings.Repeat("x", 300)), "name too long"},
		{"/proc/none", "no such file"},
	} {
		_, err := run.Open(c.path, spec(), true)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40s: error %q, want %q", c.path, err, c.want)
		}
	}
	if os.Geteuid() == 0 {
		t.Log("the superuser may write anywhere: the case of a folder without permission is left out")
		return
	}
	closed := filepath.Join(dir, "closed")
	must(t, os.Mkdir(closed, 0o555))
	if _, err := run.Open(closed, spec(), false); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a folder without permission to write: %v", err)
	}
}

// Of several processes that open one folder at once, one gets it; the next
// one can have it after its end.
func TestProcessesRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	const processes = 4
	answers := make([]string, processes)
	var inputs [processes]io.Closer
	var commands [processes]*exec.Cmd
	var wait sync.WaitGroup
	for i := range processes {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), holdVariable+"="+dir)
		input, err := cmd.StdinPipe()
		must(t, err)
		output, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		commands[i], inputs[i] = cmd, input
		wait.Go(func() {
			line, _ := bufio.NewReader(output).ReadString('\n')
			answers[i] = strings.TrimSpace(line)
		})
	}
	wait.Wait()
	_, err := run.Open(dir, spec(), true)
	var locked *run.Locked
	if !errors.As(err, &locked) || locked.Dir != dir {
		t.Errorf("opening a folder in use, with force: %v, want Locked", err)
	}
	for i := range processes {
		must(t, inputs[i].Close())
		must(t, commands[i].Wait())
	}
	slices.Sort(answers)
	if want := []string{"locked", "locked", "locked", "open"}; !slices.Equal(answers, want) {
		t.Errorf("the processes say %q, want %q", answers, want)
	}
	r, err := run.Open(dir, spec(), false)
	must(t, err)
	if !r.Resumed {
		t.Error("what a process left unfinished at its end is not resumed")
	}
	must(t, r.Close())
}

func TestTimeConcurrently(t *testing.T) {
	r, err := run.Open(t.TempDir(), spec(), false)
	must(t, err)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() { r.Time(fmt.Sprint(i % 2))() })
	}
	wait.Wait()
	must(t, r.Finish())
	m, err := run.ReadManifest(r.Dir())
	must(t, err)
	if len(m.Timings) != 3 {
		t.Errorf("timings %v, want 0, 1 and total", m.Timings)
	}
}

func TestHash(t *testing.T) {
	if run.Hash([]byte("ab"), []byte("c")) == run.Hash([]byte("a"), []byte("bc")) {
		t.Error("the division into parts doesn't count")
	}
	path := filepath.Join(t.TempDir(), "a")
	must(t, os.WriteFile(path, []byte("abc"), 0o644))
	got, err := run.HashFile(path)
	must(t, err)
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want { // FIPS 180-2, appendix B.1
		t.Errorf("hash of abc is %s, want %s", got, want)
	}
	if _, err := run.HashFile(path + "x"); err == nil {
		t.Error("no error for a file that isn't there")
	}
}
