package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// An export follows from its model.
func TestAlteredExport(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "export", "export", "-model", smallConditional(t), "-quiet"))
	expect(t, dir, slices.Concat(ofJSON(t, dir, "model.json"), []alteration{flipped("decoder.onnx", 400),
		flipped("encoder.onnx", -40), flipped("model.safetensors", -3), {file: "decoder.onnx", what: "removed"}}))
}

// candles makes a folder as fetch does, with a gap.
func candles(t *testing.T) string {
	t.Helper()
	dir, day := t.TempDir(), 24*time.Hour
	from := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	text := "timestamp,open,high,low,close,volume,turnover\n"
	for i := range 8 {
		if i != 5 {
			text += fmt.Sprintf("%d,10,%d,9,10.5,100,1000\n", from.Add(time.Duration(i)*day).UnixMilli(), 11+i)
		}
	}
	entry := map[string]any{"path": "AAAUSDT.csv", "from": from, "until": from.Add(9 * day), "first": from,
		"last": from.Add(7 * day), "rows": 7, "sha256": sha([]byte(text)),
		"gaps": []any{map[string]any{"from": from.Add(5 * day), "until": from.Add(6 * day)}}}
	manifest, err := json.MarshalIndent(map[string]any{"kind": fetchKind, "server": "https://api.example", "category": "linear",
		"interval": "D", "server_time": from.Add(9 * day), "from": from, "to": from.Add(8 * day), "symbols": map[string]any{
			"AAAUSDT": map[string]any{"launched": nil, "candles": entry, "funding": map[string]any{"path": "funding/AAAUSDT.csv",
				"rows": 0}}}}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"AAAUSDT.csv": text, manifestFile: string(manifest)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Candles rise without gaps but for those that are told of; their values only the
// exchange can confirm.
func TestAlteredCandles(t *testing.T) {
	dir := candles(t)
	all := slices.Concat(ofCSV(t, dir, "AAAUSDT.csv"), slices.DeleteFunc(ofJSON(t, dir, manifestFile),
		func(a alteration) bool { return !strings.HasPrefix(a.what, "symbols.") && a.what != "interval" }),
		[]alteration{{file: "more.csv", what: "a file more", add: true, change: func([]byte) []byte { return nil }}})
	missed := found(t, dir, all)
	// What the exchange or the call said besides.
	want := []string{"manifest.json: symbols.AAAUSDT.funding.path", "manifest.json: symbols.AAAUSDT.launched"}
	if !slices.Equal(missed, want) {
		t.Errorf("not found: %q, expected %q", missed, want)
	}
}
