package vae

import (
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/stream"
)

// The tolerances of TestBackendsAgree.
const (
	weightsAgree = 1e-5
	codesAgree   = 1e-4
)

// exportedNetworks are [networks], and some with so many assets that another way
// of projecting is taken on this side, with caps that bind everywhere.
func exportedNetworks() map[string]Config {
	all := networks()
	for name, c := range map[string]Config{
		"many assets":      {Assets: 60, Head: "capped", MaxWeight: 0.1},
		"sparse":           {Assets: 60, Head: "sparsemax"},
		"equal weights":    {Assets: 5, Head: "capped", MaxWeight: 0.2},
		"nearly all equal": {Assets: 40, Head: "capped", MaxWeight: 0.026},
	} {
		c.Latent, c.Hidden, c.Beta, c.Likelihood, c.Activation = 3, []int{16}, 0.3, "gaussian", "relu"
		all[name] = c
	}
	return all
}

// Other runtimes compute what Go computes: every head, activation and likelihood,
// with and without conditions, in batches of any size.
func TestONNX(t *testing.T) {
	python := os.Getenv("VAELIB_READER_PYTHON")
	if python == "" {
		t.Skip("VAELIB_READER_PYTHON names no Python with onnxruntime: python3 -m venv v && v/bin/pip install -r .ci/reader.txt")
	}
	b, dir := openTest(t, "go"), t.TempDir()
	for i, name := range slices.Sorted(maps.Keys(exportedNetworks())) {
		exportCase(t, dir, name, randomModel(t, b, exportedNetworks()[name], uint64(i)), uint64(i))
	}
	all := universes(t, 8)
	set, _ := trainSmallSet(t, b, all)
	placed, err := set.Of(&all[0].Universe)
	if err != nil {
		t.Fatal(err)
	}
	exportCase(t, dir, "of a set", placed, 99)
	out, err := exec.CommandContext(t.Context(), python, "testdata/check_onnx.py", dir,
		strconv.FormatFloat(weightsAgree, 'g', -1, 64), strconv.FormatFloat(codesAgree, 'g', -1, 64)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// exportCase writes a model's graphs, with inputs and what Go makes of them.
func exportCase(t *testing.T, dir, name string, m *Model, seed uint64) {
	t.Helper()
	const rows = 1000
	c := m.config
	rng := stream.New(1, "vae.test.export", seed)
	z := mat.NewDense(rows, c.Latent, normals(rng, rows*c.Latent, 1.5))
	x := dirichletRows(rows, c.Assets, seed)
	var given *mat.Dense
	inputs := map[string]*mat.Dense{"z": z, "weights": x}
	if len(c.Conditions) > 0 {
		given = mat.NewDense(rows, len(c.Conditions), normals(rng, rows*len(c.Conditions), 1))
		for j, condition := range c.Conditions {
			for i := range rows {
				if condition.categorical() {
					given.Set(i, j, float64(rng.IntN(len(condition.Levels))))
				}
			}
		}
		inputs["c"] = given
		if c.Conditions[len(c.Conditions)-1].categorical() {
			inputs["levels"] = mat.NewDense(1, 1, nil)
		}
	}
	for _, v := range inputs { // both sides are given the same numbers
		for i, number := range v.RawMatrix().Data {
			v.RawMatrix().Data[i] = float64(float32(number))
		}
	}
	w, err := m.DecodeGiven(t.Context(), z, given)
	if err != nil {
		t.Fatal(err)
	}
	mean, logvar, err := m.EncodeGiven(t.Context(), x, given)
	if err != nil {
		t.Fatal(err)
	}
	inputs["decoded"], inputs["mean"], inputs["logvar"] = w, mean, logvar
	base := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
	if err := run.WriteFile(base+".decoder.onnx", m.DecoderONNX().Write); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteFile(base+".encoder.onnx", m.EncoderONNX().Write); err != nil {
		t.Fatal(err)
	}
	writeMatrices(t, base+".safetensors", inputs)
}

// randomModel has parameters as a training starts from, but the last layer's are
// as large as a training may leave them.
func randomModel(t *testing.T, b *Backend, c Config, seed uint64) *Model {
	t.Helper()
	s := scaling{mean: slices.Repeat([]float64{1 / float64(c.Assets)}, c.Assets), variance: 0.02}
	for _, condition := range c.Conditions {
		scale := scale{Mean: 0.3, SD: 1.7}
		if condition.categorical() {
			scale.Mean, scale.SD = 0, 1
		}
		s.conditions = append(s.conditions, scale)
	}
	n := newNetwork(c)
	theta := n.initial(seed, s)
	last := n.decoder[len(n.decoder)-1]
	for i := range theta[last.offset:last.end()] {
		theta[last.offset+i] *= 5
	}
	m, err := newModel(b, c, s, nil, "", "go", theta)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func writeMatrices(t *testing.T, path string, matrices map[string]*mat.Dense) {
	t.Helper()
	var tensors []tensor
	for _, name := range slices.Sorted(maps.Keys(matrices)) {
		rows, columns := matrices[name].Dims()
		values := make([]float32, 0, rows*columns)
		for _, v := range matrices[name].RawMatrix().Data {
			values = append(values, float32(v))
		}
		tensors = append(tensors, tensor{name: name, shape: []int{rows, columns}, values: values})
	}
	if err := run.WriteFile(path, func(w io.Writer) error { return writeTensors(w, nil, tensors) }); err != nil {
		t.Fatal(err)
	}
}

// Every network has graphs, of equal bytes for equal models and with all parameters.
func TestONNXIsDeterministic(t *testing.T) {
	b := openTest(t, "go")
	for name, c := range exportedNetworks() {
		m := randomModel(t, b, c, 1)
		var one, other strings.Builder
		for _, w := range []*strings.Builder{&one, &other} {
			if err := m.DecoderONNX().Write(w); err != nil {
				t.Fatal(err)
			}
			if err := m.EncoderONNX().Write(w); err != nil {
				t.Fatal(err)
			}
		}
		if one.String() != other.String() || one.Len() < 4*len(m.theta) {
			t.Errorf("%s: %d and %d bytes, which differ or lack parameters", name, one.Len(), other.Len())
		}
	}
}
