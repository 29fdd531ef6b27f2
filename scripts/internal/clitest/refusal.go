// Package clitest holds checks that the tests of all verbs share.
package clitest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
)

// Refusals runs a verb with arguments that it has to refuse, and checks that it
// does so in one last line with its name, and that it leaves no trace: where -out
// is missing, no folder, and with -force a finished run there as it was, with the
// notes beside it.
func Refusals[C any](t *testing.T, verb cli.Verb[C], refused ...[]string) {
	t.Helper()
	occupied := filepath.Join(t.TempDir(), "run")
	makeRun(t, occupied)
	want := tree(t, occupied)
	for _, args := range refused {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			parent := t.TempDir()
			refuse(t, verb, append(args, "-out", filepath.Join(parent, "new", "sub"), "-quiet"))
			if left := tree(t, parent); len(left) > 0 {
				t.Errorf("left are %v", left)
			}
			refuse(t, verb, append(args, "-out", occupied, "-force", "-quiet"))
			if got := tree(t, occupied); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("the run there is changed to %v", got)
			}
		})
	}
}

// Early gives a verb a folder with another run, and a backend that nothing can open: the
// folder is refused first. The arguments lack -out and -backend.
func Early[C any](t *testing.T, verb cli.Verb[C], args ...string) {
	t.Helper()
	occupied := filepath.Join(t.TempDir(), "run")
	makeRun(t, occupied)
	var stdout, stderr bytes.Buffer
	args = append(args, "-out", occupied, "-backend", "xla:/nowhere.so")
	code := verb.Execute(context.Background(), args, &stdout, &stderr)
	said := stderr.String()
	if code != 1 || !strings.Contains(said, "holds another run (of other, not "+verb.Name+")") {
		t.Errorf("%s %v: exit code %d, stderr %s", verb.Name, args, code, said)
	}
}

func refuse[C any](t *testing.T, verb cli.Verb[C], args []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := verb.Execute(context.Background(), args, &stdout, &stderr)
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if code != 1 && code != 2 || !strings.HasPrefix(lines[len(lines)-1], verb.Name+": ") {
		t.Errorf("exit code %d, stderr %s", code, stderr.String())
	}
}

// makeRun makes a finished run of some other verb.
func makeRun(t *testing.T, dir string) {
	t.Helper()
	r, err := run.Open(dir, run.Spec{Verb: "other", Seed: 1}, false)
	if err == nil {
		err = run.WriteJSON(r.Path("model", "result.json"), 1)
	}
	if err == nil {
		err = r.Finish()
	}
	if err == nil {
		err = os.WriteFile(r.Path("notes.txt"), []byte("mine"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tree lists what lies below a folder, files with what they hold.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		if e.IsDir() {
			found[path] = "folder"
			return nil
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Foreign runs a verb with flags that have no effect with the others, and checks
// that each is refused as wrong usage, in one line that says with what it has one.
// The keys are arguments, parted as by [Words]; the values are of that line.
func Foreign[C any](t *testing.T, verb cli.Verb[C], refused map[string]string) {
	t.Helper()
	for args, want := range refused {
		var stdout, stderr bytes.Buffer
		code := verb.Execute(context.Background(), Words(args), &stdout, &stderr)
		if code != 2 || !strings.HasPrefix(stderr.String(), verb.Name+": "+want) ||
			strings.Count(stderr.String(), "\n") != 1 ||
			stdout.Len() > 0 {
			t.Errorf("%s %s: exit code %d, stderr %q, want %q", verb.Name, args, code, stderr.String(), want)
		}
	}
}

var word = regexp.MustCompile(`"[^"]*"|\S+`)

// Words parts a line of arguments at its blanks, but for those between quotes: a path of
// a test may have some.
func Words(line string) []string {
	words := word.FindAllString(line, -1)
	for i, w := range words {
		words[i] = strings.Trim(w, `"`)
	}
	return words
}
