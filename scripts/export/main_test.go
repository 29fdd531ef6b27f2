package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// model makes a small model's folder.
func model(t *testing.T) string {
	t.Helper()
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	d, err := simplex.Symmetric(3, 1)
	if err != nil {
		t.Fatal(err)
	}
	x, rng := mat.NewDense(60, 3, nil), stream.New(1, "export.test", 0)
	for i := range 60 {
		d.Rand(x.RawRowView(i), rng)
	}
	settings := trained.Settings{Config: vae.DefaultConfig(3), Schedule: vae.DefaultSchedule(), Components: 1}
	settings.Config.Latent, settings.Config.Hidden = 1, []int{4}
	settings.Schedule.Steps, settings.Schedule.Batch, settings.Schedule.EvalEvery = 10, 16, 10
	settings.Schedule.LearningRate = 1e-3
	dir := filepath.Join(t.TempDir(), "model")
	data := &trained.Data{Symbols: []string{"A", "B", "C"}, Train: x, Set: &simplex.Set{N: 3}}
	if _, _, err := trained.Make(t.Context(), backend, data, settings, dir, trained.Reports{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestExport(t *testing.T) {
	from, to := model(t), filepath.Join(t.TempDir(), "export")
	var stdout, stderr bytes.Buffer
	if code := verb.Execute(t.Context(), []string{"-model", from, "-out", to}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d, stderr %s", code, &stderr)
	}
	if !strings.Contains(stderr.String(), "3 assets, 1 dimensions, 0 conditions") || stdout.Len() > 0 {
		t.Errorf("stdout %s, stderr %s", &stdout, &stderr)
	}
	manifest, err := run.ReadManifest(to)
	if err != nil || manifest.Finished == nil {
		t.Fatalf("manifest %+v, error %v", manifest, err)
	}
	for _, name := range trained.ExportFiles() {
		if _, listed := manifest.Files[name]; !listed {
			t.Errorf("%s is not in the manifest", name)
		}
	}
	before, err := os.ReadFile(filepath.Join(to, "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	if code := verb.Execute(t.Context(), []string{"-model", from, "-out", to, "-force"}, &stdout, &stderr); code != 0 {
		t.Fatalf("again: exit code %d, stderr %s", code, &stderr)
	}
	if after, err := os.ReadFile(filepath.Join(to, "model.json")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("exported again it differs (%v)", err)
	}
}

// A model over sets is placed in the assets of the prices; constraints are those of
// the flags.
func TestExportOfSet(t *testing.T) {
	to := filepath.Join(t.TempDir(), "export")
	var stdout, stderr bytes.Buffer
	if code := verb.Execute(t.Context(), []string{"-out", to, "-max-weight", "0.2"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d, stderr %s", code, &stderr)
	}
	text, err := os.ReadFile(filepath.Join(to, "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Symbols []string
		Network struct {
			OfSet     bool    `json:"of_set"`
			MaxWeight float64 `json:"max_weight"`
		}
		Constraints simplex.Set
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if !d.Network.OfSet || d.Network.MaxWeight != 0.2 || len(d.Symbols) != 12 || d.Constraints.Upper[11] != 0.2 {
		t.Errorf("model.json is %s", text)
	}
}

// A model over sets is exported for any assets, with nothing of prices; a model of its
// own assets isn't.
func TestExportForAny(t *testing.T) {
	to := filepath.Join(t.TempDir(), "export")
	var stdout, stderr bytes.Buffer
	if code := verb.Execute(t.Context(), []string{"-universe", "any", "-out", to}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d, stderr %s", code, &stderr)
	}
	manifest, err := run.ReadManifest(to)
	if err != nil || manifest.Finished == nil || !strings.Contains(stderr.String(), "the built-in model, over sets") {
		t.Fatalf("manifest %+v, error %v, stderr %s", manifest, err, &stderr)
	}
	for _, name := range (*trained.SetModel)(nil).ExportFiles() {
		if _, listed := manifest.Files[name]; !listed {
			t.Errorf("%s is not in the manifest", name)
		}
	}
	for _, args := range [][]string{{"-prices", "prices.csv"}, {"-max-weight", "0.3"}, {"-model", model(t)}} {
		stderr.Reset()
		args = append(args, "-universe", "any", "-out", filepath.Join(t.TempDir(), "x"))
		if code := verb.Execute(t.Context(), args, &stdout, &stderr); code != 2 ||
			!strings.Contains(stderr.String(), "-universe") {
			t.Errorf("%v: exit code %d, stderr %s", args, code, &stderr)
		}
	}
}

func TestRefusals(t *testing.T) {
	damaged := model(t)
	if err := os.Truncate(filepath.Join(damaged, "model.safetensors"), 100); err != nil {
		t.Fatal(err)
	}
	clitest.Refusals(t, verb, []string{"-model", t.TempDir()}, []string{"-model", damaged}, []string{"-model", damaged, "more"},
		[]string{"-model", model(t), "-prices", "prices.csv"}, []string{"-max-weight", "0.01"})
	var stdout, stderr bytes.Buffer
	if code := verb.Execute(t.Context(), []string{"-model", damaged}, &stdout, &stderr); code != 2 {
		t.Errorf("without -out: exit code %d, stderr %s", code, &stderr)
	}
	stderr.Reset()
	code := verb.Execute(t.Context(), []string{"-model", damaged, "-out", filepath.Join(t.TempDir(), "x")}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "model.safetensors") {
		t.Errorf("a damaged model: exit code %d, stderr %s", code, &stderr)
	}
}
