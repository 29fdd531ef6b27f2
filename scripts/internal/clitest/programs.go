package clitest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// programsVariable names a folder with the programs of all verbs, which need not be
// built then.
const programsVariable = "VAELIB_PROGRAMS"

// Programs returns a folder with the programs of verbs, for tests that need
// processes. They are built of the sources as they are, in dir, unless the
// environment names a folder in VAELIB_PROGRAMS that was made for these tests.
func Programs(t testing.TB, dir string, verbs ...string) string {
	t.Helper()
	if made := os.Getenv(programsVariable); made != "" {
		for _, verb := range verbs {
			if _, err := os.Stat(filepath.Join(made, verb)); err != nil {
				t.Fatal(err)
			}
		}
		return made
	}
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, verb := range verbs {
		args = append(args, "vaefolio/scripts/"+verb)
	}
	if text, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, text)
	}
	return dir
}
