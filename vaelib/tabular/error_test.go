package tabular

import (
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestOpenErrorSaysWhatIsNoPath(t *testing.T) {
	for path, want := range map[string]string{
		"~/closes.csv":                  "~ is a home for shells alone",
		"https://example.com/a.csv":     "addresses are not fetched",
		"https:/example.com/a.csv":      "addresses are not fetched",
		"s3://bucket/a.parquet":         "addresses are not fetched",
		"missing/https/closes~2024.csv": "no such file or folder",
	} {
		err := OpenError(path, &fs.PathError{Op: "open", Path: path, Err: os.ErrNotExist})
		if !strings.Contains(err.Error(), want) || strings.Contains(want, "no such") && NoPath(path) != "" {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := OpenError("~", &fs.PathError{Op: "open", Path: "~", Err: os.ErrPermission}); strings.Contains(err.Error(), "shells") {
		t.Errorf("what is there, and not to be read: %v", err)
	}
}
