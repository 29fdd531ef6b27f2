package trained

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// TestSetFolder keeps a model over sets, and refuses folders that are damaged or hold
// another kind of model.
func TestSetFolder(t *testing.T) {
	m := openBuiltIn(t)
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	dir := filepath.Join(t.TempDir(), "set")
	hash := m.Hash()
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := OpenSet(backend, dir)
	if err != nil {
		t.Fatal(err)
	}
	if over, err := OverSets(dir); err != nil || !over || again.Hash() != hash || again.Network.DataHash() != m.Network.DataHash() {
		t.Errorf("the model came back with hash %s, not %s", again.Hash(), hash)
	}
	if _, err := Open(backend, dir); err == nil || !strings.Contains(err.Error(), "over sets") {
		t.Errorf("opened as a model of one universe: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, aggregateFile), []byte(`{"weights":[1]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSet(backend, dir); err == nil || !strings.Contains(err.Error(), aggregateFile) {
		t.Errorf("a damaged mixture: got %v", err)
	}
}

// TestJudgeWithoutHeldOut has nothing to measure.
func TestJudgeWithoutHeldOut(t *testing.T) {
	d, err := openBuiltIn(t).Judge(t.Context(), []*universe.Example{{ID: "u1"}}, 1, nil)
	if d != nil || err != nil || !strings.HasPrefix(d.String(), "no universes") {
		t.Errorf("got %v, %v", d, err)
	}
}
