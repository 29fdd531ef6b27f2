package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

func execute(args ...string) (code int, stderr string) {
	var out, err bytes.Buffer
	code = verb.Execute(context.Background(), args, &out, &err)
	return code, err.String()
}

// weights writes a file of random portfolios of four assets.
func weights(t *testing.T, rows int) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("id,A,B,C,D\n")
	for i := range rows {
		var w [4]float64
		var sum float64
		for j := range w {
			w[j] = rng.ExpFloat64()
			sum += w[j]
		}
		fmt.Fprintf(&text, "p%d,%v,%v,%v,%v\n", i, w[0]/sum, w[1]/sum, w[2]/sum, w[3]/sum)
	}
	path := filepath.Join(t.TempDir(), "weights.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTrainMakesAModelFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	code, stderr := execute("-weights", weights(t, 300), "-out", dir, "-backend", "go", "-steps", "60", "-batch", "32", "-latent", "2", "-hidden", "8", "-components", "2", "-two-stage")
	if code != 0 || !strings.Contains(stderr, "held out at random") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	model, err := trained.Open(backend, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := model.Symbols(); strings.Join(got, "") != "ABCD" || model.Network.Config().Latent != 2 {
		t.Errorf("the model has symbols %v and %d dimensions", got, model.Network.Config().Latent)
	}
	for _, name := range []string{trained.Aggregate, trained.TwoStage} {
		density, err := model.Density(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := density.Draw(t.Context(), mat.NewDense(3, 2, nil), rand.New(rand.NewPCG(1, 1))); err != nil {
			t.Error(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "diagnostics.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d vae.Diagnostics
	if err := json.Unmarshal(text, &d); err != nil || d.Rows != 30 {
		t.Errorf("diagnostics of %d held-out rows (%v), want 30", d.Rows, err)
	}
	for _, name := range []string{"history.csv", "aggregate.json", "manifest.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.csv")
	if err := os.WriteFile(bad, []byte("id,A,B\np1,0.5,0.5\np2,0.5,0.6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(t.TempDir(), "short.csv")
	if err := os.WriteFile(short, []byte("A,B\n0.5,0.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no weights", nil, 2, "-weights"},
		{"sum", []string{"-weights", bad}, 1, "bad.csv:3"},
		{"one row", []string{"-weights", short}, 1, "fewer than 2 rows"},
		{"missing", []string{"-weights", bad + "x"}, 1, "bad.csvx"},
		{"likelihood", []string{"-weights", bad, "-likelihood", "cauchy"}, 2, "cauchy"},
		{"more normals than codes", []string{"-weights", weights(t, 100), "-backend", "go", "-components", "100000"}, 1, "-components 100000: a mixture of 90 codes has fewer normals; give at most 1"},
		{"no beta", []string{"-weights", weights(t, 10), "-backend", "go", "-beta", "1e-320"}, 1, "beta is 1e-320, want 0 or a number from 1e-15 to 1e+15"},
		{"large beta", []string{"-weights", weights(t, 10), "-backend", "go", "-beta", "1e308"}, 1, "beta is 1e+308"},
		{"plugin", []string{"-weights", weights(t, 10), "-backend", "xla:" + bad}, 1, "bad.csv"},
	} {
		dir := filepath.Join(t.TempDir(), "model")
		code, stderr := execute(append(c.args, "-out", dir)...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if code != c.code || !strings.HasPrefix(last, "train: ") || !strings.Contains(last, c.want) {
			t.Errorf("%s: exit code %d, last line %q, want %d and %q", c.name, code, last, c.code, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, "model.json")); err == nil {
			t.Errorf("%s: a model was written", c.name)
		}
	}
}

// A conditional model keeps its donors and is judged by what it was asked for.
func TestTrainConditional(t *testing.T) {
	file := weights(t, 300)
	var conditions, measures strings.Builder
	conditions.WriteString("id,max_weight,sector.X,mood\n")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		var id string
		var w [4]float64
		if _, err := fmt.Sscanf(strings.ReplaceAll(line, ",", " "), "%s %g %g %g %g", &id, &w[0], &w[1], &w[2], &w[3]); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&conditions, "%s,%v,%v,%d\n", id, max(w[0], w[1], w[2], w[3]), w[0]+w[1], i%3)
	}
	measures.WriteString(`[{"name":"max_weight","form":"largest"},{"name":"sector.X","form":"linear","vector":[1,1,0,0]}]`)
	told := filepath.Join(filepath.Dir(file), "conditions.csv")
	for path, content := range map[string]string{told: conditions.String(), filepath.Join(filepath.Dir(file), "measures.json"): measures.String()} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	short := []string{"-weights", file, "-conditions", told, "-backend", "go", "-steps", "60", "-batch", "32", "-latent", "2", "-hidden", "8", "-components", "2"}
	dir := filepath.Join(t.TempDir(), "model")
	code, stderr := execute(append(short, "-condition-on", "sector.*,max_weight", "-caps", "max_weight", "-out", dir)...)
	if code != 0 || strings.Contains(stderr, "not held to") || !strings.Contains(stderr, "sector.X asked for: missed by") || !strings.Contains(stderr, "max_weight asked for: exceeded by") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	model, err := vae.Load(backend, dir)
	if err != nil {
		t.Fatal(err)
	}
	config := model.Config()
	if len(config.Conditions) != 2 || config.Conditions[0].Name != "max_weight" || !config.Conditions[0].Cap || config.Conditions[1].Cap {
		t.Errorf("conditions are %+v", config.Conditions)
	}
	if donors, err := generate.ReadDonors(filepath.Join(dir, "donors.json"), config); err != nil || len(donors.Rows) != 270 || len(donors.Measures) != 2 {
		t.Errorf("donors: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "market.json")); err == nil {
		t.Error("a market without one in the corpus")
	}
	if text, err = os.ReadFile(filepath.Join(dir, "diagnostics.json")); err != nil {
		t.Fatal(err)
	}
	var d trained.Diagnosis
	if err := json.Unmarshal(text, &d); err != nil || len(d.Control) != 2 || d.Evidence == nil || d.Evidence.LogLikelihood < d.Evidence.ELBO {
		t.Errorf("diagnostics: %v\n%s", err, text)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-condition-on", "volatility"}, 1, "no condition volatility"},
		{[]string{"-condition-on", "max_weight", "-caps", "sector.X"}, 1, "leaves out"},
		{[]string{"-caps", "mood"}, 1, "has no measure"},
		{[]string{"-conditions", file + "x"}, 1, "weights.csvx"},
	} {
		code, stderr := execute(append(append(short, c.args...), "-out", filepath.Join(t.TempDir(), "model"))...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, want %d and %q\n%s", c.args, code, c.code, c.want, stderr)
		}
	}
	code, stderr = execute(append(short, "-condition-on", "mood,sector.X", "-out", filepath.Join(t.TempDir(), "model"))...)
	if code != 0 || !strings.Contains(stderr, "not held to, as they don't follow from the weights alone: mood\n") {
		t.Errorf("a condition without a measure: exit code %d\n%s", code, stderr)
	}
	code, stderr = execute("-weights", file, "-caps", "max_weight", "-out", filepath.Join(t.TempDir(), "model"))
	if code != 2 || !strings.Contains(stderr, "-conditions FILE") {
		t.Errorf("caps without conditions: exit code %d\n%s", code, stderr)
	}
}

// A model that is told of the market keeps the law by which the corpus measured
// it; one that isn't keeps none.
func TestTrainKeepsTheMarket(t *testing.T) {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	made, err := corpus.Build(t.Context(), window, simplex.Set{N: 12}, nil, corpus.Config{
		Source: corpus.Dirichlet, N: 200, Lookbacks: []int{60}, Validation: 0.2, Market: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := made.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		on   string
		want bool
	}{{"volatility,regime", true}, {"volatility,max_weight", false}} {
		out := filepath.Join(t.TempDir(), "model")
		code, stderr := execute("-weights", filepath.Join(dir, corpus.WeightsFile), "-conditions", filepath.Join(dir, corpus.ConditionsFile), "-condition-on", test.on,
			"-backend", "go", "-steps", "20", "-batch", "32", "-latent", "2", "-hidden", "8", "-components", "2", "-out", out)
		if code != 0 {
			t.Fatalf("%s: exit code %d\n%s", test.on, code, stderr)
		}
		got, err := corpus.ReadMarket(filepath.Join(out, "market.json"))
		if err != nil || (got != nil) != test.want {
			t.Fatalf("%s: market %v, error %v", test.on, got, err)
		}
		if got == nil {
			continue
		}
		a, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := json.Marshal(made.Summary().Market); err != nil || string(a) != string(b) {
			t.Errorf("the market is %s, want %s", a, b)
		}
	}
}
