package compare

import (
	"io"
	"path/filepath"
	"testing"

	"vaefolio/vaelib/run"
)

// makeRun makes the folder of a finished run.
func makeRun(t *testing.T, dir string, seed uint64, beta, returns string) *Folder {
	t.Helper()
	r, err := run.Open(dir, run.Spec{
		Verb: "pipeline", Config: []byte("# made\nbeta = " + beta + "\nlatent = 8\n"), Data: "d", Seed: seed,
	}, false)
	if err == nil && returns != "" {
		err = run.WriteFile(filepath.Join(dir, returnsFile), func(w io.Writer) error {
			_, err := io.WriteString(w, returns)
			return err
		})
	}
	if err == nil {
		err = run.WriteJSON(r.Path(summaryFile), map[string]any{"r2": 0.9, "periods_per_year": 365, "notes": []string{}})
	}
	if err == nil {
		err = r.Finish()
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := ReadFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
