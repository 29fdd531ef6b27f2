package tabular_test

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/vaelib/tabular"
)

// What is written is read back, in the order of the columns, to the last digit.
func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	var b bytes.Buffer
	err := tabular.WriteParquet(&b, []tabular.Series{
		{Name: "id", Texts: []string{"b", "a", ""}},
		{Name: "Z", Numbers: []float64{0.1, math.NaN(), 1e-300}},
		{Name: "A", Numbers: []float64{1, 2, -3.3333333333333335}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := tabular.OpenText(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	got := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err != nil || len(got) != 4 || got[0] != "id,Z,A" || got[1] != "b,0.1,1" || got[2] != "a,,2" || !strings.HasSuffix(got[3], ",-3.3333333333333335") {
		t.Errorf("read back as %q, %v", text, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, columns := range map[string][]tabular.Series{
		"none":     nil,
		"lengths":  {{Name: "A", Numbers: []float64{1}}, {Name: "B", Numbers: []float64{1, 2}}},
		"repeated": {{Name: "A", Numbers: []float64{1}}, {Name: "A", Numbers: []float64{1}}},
		"nameless": {{Numbers: []float64{1}}},
	} {
		if err := tabular.WriteParquet(io.Discard, columns); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
