// Package sharedtest finds and reads the reference cases and market data that lie
// outside the module: the folder named by the environment variable
// VAELIB_SHARED, or else "shared" beside the module's root.
package sharedtest

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
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

// JSON fills a value from a file of the shared folder.
func JSON(t testing.TB, into any, elem ...string) {
	t.Helper()
	text, err := os.ReadFile(Path(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// Table reads a CSV of numbers below a header from the shared folder, without so many
// columns of labels at its left.
func Table(t testing.TB, labels int, elem ...string) *mat.Dense {
	t.Helper()
	file, err := os.Open(Path(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m := mat.NewDense(len(records)-1, len(records[0])-labels, nil)
	for i, record := range records[1:] {
		for j, cell := range record[labels:] {
			x, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
			if err != nil {
				t.Fatal(err)
			}
			m.Set(i, j, x)
		}
	}
	return m
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
