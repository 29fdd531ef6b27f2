// Package sharedtest finds the reference cases and market data that lie
// outside the module: the folder named by the environment variable
// VAELIB_SHARED, or else "shared" beside the module's root.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the shared folder, and whether it is there.
func Dir() (string, bool) {
	dir := os.Getenv("VAELIB_SHARED")
	if dir == "" {
		root, ok := moduleRoot()
		if !ok {
			return "", false
		}
		dir = filepath.Join(filepath.Dir(root), "shared")
	}
	info, err := os.Stat(dir)
	return dir, err == nil && info.IsDir()
}

// Path returns the path of a file or folder in the shared folder, and skips
// the test with a message where it is absent.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	dir, ok := Dir()
	path := filepath.Join(append([]string{dir}, elem...)...)
	if ok {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skipf("reference data %s not found: set VAELIB_SHARED to the folder that holds it", filepath.Join(elem...))
	return ""
}

// moduleRoot is the nearest folder above the working directory with a go.mod.
func moduleRoot() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}
