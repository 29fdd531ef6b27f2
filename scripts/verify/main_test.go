package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/run"
)

// scratch is a folder for programs and runs that all tests share.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "verify-test")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// smallRun are the flags of a run of the pipeline with all that a run can have, and
// little of each.
var smallRun = []string{"-n", "300", "-lookbacks", "40,60", "-steps", "60", "-batch", "32", "-hidden", "16",
	"-latent", "3", "-portfolios", "30", "-components", "2", "-starts", "3", "-iterations", "5", "-max-weight", "0.3",
	"-min-weight", "0.02", "-sector-cap", "L1=0.4", "-backend", "go", "-quiet"}

var built struct {
	once sync.Once
	dir  string
}

// programs are those of the verbs whose runs are verified here.
func programs(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		built.dir = clitest.Programs(t, filepath.Join(scratch, "bin"), "pipeline", "backtest", "train", "corpus",
			"generate", "sweep", "lab", "export")
	})
	if built.dir == "" {
		t.Fatal("the programs could not be built")
	}
	return built.dir
}

var madeRuns sync.Map

// finished makes a run once for all tests, and returns its folder, which they don't
// change.
func finished(t testing.TB, name, verb string, args ...string) string {
	t.Helper()
	dir := filepath.Join(scratch, name)
	make, _ := madeRuns.LoadOrStore(name, sync.OnceValue(func() error {
		command := exec.Command(filepath.Join(programs(t), verb), append(args, "-out", dir)...)
		command.Stdout, command.Stderr = io.Discard, os.Stderr
		return command.Run()
	}))
	if err := make.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copied returns a copy of a run to tamper with.
func copied(t *testing.T, from string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func execute(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = verb.Execute(context.Background(), append([]string{"-quiet"}, args...), &out, &err)
	return code, out.String(), err.String()
}

func skipWhenShort(t *testing.T) {
	if testing.Short() {
		t.Skip("draws the pictures of whole runs, which the race detector makes slow: run without -short")
	}
}

// A sound run holds, also where its times are those of another machine, and the json
// has all that was looked at.
func TestSoundRunHolds(t *testing.T) {
	skipWhenShort(t)
	dir := finished(t, "pipeline", "pipeline", smallRun...)
	code, stdout, stderr := execute("-format", "json", dir)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	var findings []map[string]any
	if err := json.Unmarshal([]byte(stdout), &findings); err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{}
	for _, x := range findings {
		seen[x["file"]] = true
		if len(x) != 5 || x["status"] != same {
			t.Errorf("%v", x)
		}
	}
	for name := range tree(t, dir) {
		if !seen[name] {
			t.Errorf("nothing was looked at in %s", name)
		}
	}
	if len(findings) < 150 {
		t.Errorf("only %d items were looked at", len(findings))
	}
}

// tree are the names of the files of a run.
func tree(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	if err := filepath.WalkDir(dir, func(at string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ".lock" {
			name, _ := filepath.Rel(dir, at)
			names[filepath.ToSlash(name)] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRefuses(t *testing.T) {
	skipWhenShort(t)
	missing := filepath.Join(t.TempDir(), "none")
	if code, _, stderr := execute(missing); code != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("no folder: exit code %d, %s", code, stderr)
	}
	unfinished := copied(t, finished(t, "pipeline", "pipeline", smallRun...))
	path := filepath.Join(unfinished, manifestFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	manifest["finished"] = nil
	if text, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := execute(unfinished); code != 1 || !strings.Contains(stderr, "not a finished run") {
		t.Errorf("unfinished: exit code %d, %s", code, stderr)
	}
}

// Folders that verbs keep in ways of their own are told from those of no run, and one
// that holds nothing of what it should is not sound.
func TestFoldersOfOtherKinds(t *testing.T) {
	for _, verb := range []string{"sweep", "lab"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, verb+".json"), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, stdout, stderr := execute(dir); code != 1 || !strings.Contains(stdout, verb+".json") {
			t.Errorf("%s: exit code %d, %s%s", verb, code, stdout, stderr)
		}
	}
}

// What can't be made again for want of a place is no difference.
func TestNoTemporaryFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sweep.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "none"))
	if code, stdout, stderr := execute(dir); code != 1 || stdout != "" || !strings.Contains(stderr, "set TMPDIR") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// Runs that have no flag for the backend or the seed, because a whole has it or nothing
// is computed, are sound all the same, and those of other verbs are not.
func TestSettingsWithoutFlags(t *testing.T) {
	for _, c := range []struct {
		verb, backend, config string
		seed                  uint64
		sound                 bool
	}{
		{"sweep", "go", "seed = 3", 3, true}, {"sweep", "go", "seed = 3", 4, false}, {"lab", "go", "", 3, true},
		{"lab", "xla", "", 3, true}, {"export", "go", "", 0, true}, {"export", "xla", "", 0, false}, {"export", "go", "", 1, false},
		{"corpus", "", "seed = 3", 3, true}, {"corpus", "go", "seed = 3", 3, false}, {"train", "go", "", 0, false},
	} {
		f := &folder{manifest: &run.Manifest{Kind: "vaefolio run", Verb: c.verb, Backend: c.backend, Seed: c.seed}}
		if c.backend == "xla" {
			f.manifest.Plugin = "a plugin"
		}
		now := time.Now()
		f.manifest.Started, f.manifest.Finished = now, &now
		if err := f.checkIdentity([]byte(c.config)); err != nil {
			t.Fatal(err)
		}
		var wrong []string
		for _, x := range f.findings {
			if x.Status == differs && (x.Item == "backend" || x.Item == "seed") {
				wrong = append(wrong, x.Item)
			}
		}
		if (len(wrong) == 0) != c.sound {
			t.Errorf("%s with backend %q and seed %d: %v differ", c.verb, c.backend, c.seed, wrong)
		}
	}
}

// first looks at a run until something differs, and says what; "" where nothing does.
func first(t testing.TB, dir string, known memo, rerun string) string {
	t.Helper()
	var out bytes.Buffer
	said := ""
	reader := cli.Verb[config]{Name: "verify", Default: config{Tolerance: 1e-9},
		Run: func(ctx context.Context, c *config, io *cli.IO) error {
			f, err := open(c.Run, c.Tolerance, io)
			if err != nil {
				return err
			}
			f.memo = known
			checks := f.checks()
			if rerun != "" {
				checks = append(checks, check{manifestFile, func(f *folder, ctx context.Context) error {
					return f.rerun(ctx, rerun)
				}})
			}
			for _, check := range checks {
				f.look(ctx, check)
				if said = f.first(); said != "" {
					return nil
				}
			}
			return nil
		}}
	if code := reader.Execute(t.Context(), []string{"-quiet", dir}, &out, &out); code != 0 {
		return out.String()
	}
	return said
}
