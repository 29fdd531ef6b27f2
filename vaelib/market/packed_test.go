package market_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"vaefolio/vaelib/market"
)

// A file of sectors may be packed, and in another encoding.
func TestPackedSectors(t *testing.T) {
	const text = "symbol,sector\nOAK,Wood\nELM,Wood\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wide := []byte{0xff, 0xfe}
	for _, c := range []byte(text) {
		wide = append(wide, c, 0)
	}
	type row struct {
		Symbol string `parquet:"symbol"`
		Sector string `parquet:"sector"`
	}
	for name, content := range map[string][]byte{
		"s.csv.gz": packed.Bytes(), "s.csv": wide, "s.parquet": parquetOf(t, []row{{"OAK", "Wood"}, {"ELM", "Wood"}}),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := market.ReadSectors(path)
		if err != nil || s.Share("ELM", "Wood") != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
