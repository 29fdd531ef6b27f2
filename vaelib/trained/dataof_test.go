package trained_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
)

// A corpus in memory is the same to learn from as its files, to their digits.
func TestDataOf(t *testing.T) {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	c, err := corpus.Build(t.Context(), window, simplex.Set{N: 12}, nil,
		corpus.Config{N: 60, Validation: 0.2, Market: true, Lookbacks: []int{60}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	on := trained.Conditioning{On: []string{"max_weight", "regime"}, Control: 0.2}
	written, err := trained.ReadData(filepath.Join(dir, corpus.WeightsFile), trained.ReadOptions{
		Conditions: filepath.Join(dir, corpus.ConditionsFile), Conditioning: on,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := trained.DataOf(c, &on)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]*mat.Dense{
		"training rows": {got.Train, written.Train}, "held-out rows": {got.HeldOut, written.HeldOut},
		"their conditions": {got.Told.Train, written.Told.Train}, "held-out conditions": {got.Told.HeldOut, written.Told.HeldOut},
	} {
		if !mat.EqualApprox(pair[0], pair[1], 1e-9) {
			t.Errorf("%s differ from those of the files", name)
		}
	}
	if !cmp.Equal(got.Symbols, written.Symbols) || !cmp.Equal(got.Set.Symbols, written.Set.Symbols) || !got.To.Equal(written.To) {
		t.Errorf("symbols %v, set of %v, to %v", got.Symbols, got.Set.Symbols, got.To)
	}
	if !cmp.Equal(got.Told.Conditions, written.Told.Conditions) || got.Told.Control != 0.2 || got.Told.Market == nil {
		t.Errorf("told %+v, want %+v", got.Told, written.Told)
	}
	if plain, err := trained.DataOf(c, nil); err != nil || plain.Told != nil {
		t.Errorf("told without conditioning: %v, %v", plain, err)
	}
	if _, err := trained.DataOf(c, &trained.Conditioning{On: []string{"nonsense"}}); err == nil {
		t.Error("an unknown condition passes")
	}
}
