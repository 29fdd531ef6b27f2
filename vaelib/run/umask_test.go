//go:build unix

package run_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"vaefolio/vaelib/run"
)

// Files and folders that a run makes can be read by those whom the umask lets
// read what others make.
func TestModesFollowUmask(t *testing.T) {
	for _, umask := range []int{0o022, 0o077, 0o002} {
		old := syscall.Umask(umask)
		defer syscall.Umask(old)
		dir := filepath.Join(t.TempDir(), "run")
		r, err := run.Open(dir, run.Spec{Verb: "test", Outputs: []string{"sub/a.json"}}, false)
		must(t, err)
		must(t, run.WriteJSON(r.Path("sub", "a.json"), 1))
		must(t, run.WriteJSON(r.Path("sub", "a.json"), 2)) // also what is replaced
		must(t, r.Finish())
		for name, all := range map[string]fs.FileMode{
			"": 0o777, "sub": 0o777, "sub/a.json": 0o666, "manifest.json": 0o666, "config.toml": 0o666, ".lock": 0o666,
		} {
			info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
			must(t, err)
			if want := all &^ fs.FileMode(umask); info.Mode().Perm() != want {
				t.Errorf("umask %03o: %q has mode %03o, want %03o", umask, name, info.Mode().Perm(), want)
			}
		}
	}
}
