package tabular_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"

	"vaefolio/vaelib/tabular"
)

// OpenText spells any file as a CSV.
func TestOpenText(t *testing.T) {
	type row struct {
		OAK float64
		ID  string `parquet:"id"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	if _, err := w.Write([]row{{0.25, "a"}, {1, `b,"c"`}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "w.parquet")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := tabular.OpenText(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if want := "id,OAK\na,0.25\n\"b,\"\"c\"\"\",1\n"; err != nil || string(text) != want {
		t.Errorf("read as %q, %v\nit should be %q", text, err, want)
	}
}
