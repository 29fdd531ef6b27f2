package vae

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
)

func TestSaveAndLoad(t *testing.T) {
	b := openTest(t, "go")
	m := tiny(t, b)
	dir := filepath.Join(t.TempDir(), "new", "model")
	for range 2 { // the second replaces the first
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Load(openTest(t, "go"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.theta, m.theta) || got.Variance() != m.Variance() || got.DataHash() != m.DataHash() {
		t.Error("a loaded model differs from the saved one")
	}
	for what, pair := range map[string][2]any{
		"config": {got.Config(), m.Config()}, "symbols": {got.Symbols(), m.Symbols()}, "mean": {got.Mean(), m.Mean()},
	} {
		if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
			t.Errorf("%s differs: %s", what, diff)
		}
	}
	x := dirichletRows(5, 6, 0)
	want, _, _ := m.Encode(x)
	if mean, _, err := got.Encode(x); err != nil || !mat.Equal(mean, want) {
		t.Errorf("a loaded model encodes otherwise: %v", err)
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := got.Save(again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{modelFile, tensorsFile} {
		a, _ := os.ReadFile(filepath.Join(dir, name))
		b, _ := os.ReadFile(filepath.Join(again, name))
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s of a loaded model has other bytes", name)
		}
	}
}

// Every damage to a model folder is an error that names the file, and the
// tensor where it is one's.
func TestLoadDamaged(t *testing.T) {
	b := openTest(t, "go")
	m := tiny(t, b)
	replace := func(old, new string) func([]byte) []byte {
		return func(data []byte) []byte {
			if !bytes.Contains(data, []byte(old)) {
				t.Fatalf("no %q in the file", old)
			}
			return bytes.Replace(data, []byte(old), []byte(new), 1)
		}
	}
	for _, test := range []struct {
		name, file, tensor, want string
		change                   func(data []byte) []byte
	}{
		{"missing document", modelFile, "", "no such file", nil},
		{"missing tensors", tensorsFile, "", "no such file", nil},
		{"empty document", modelFile, "", "not a readable JSON document", func([]byte) []byte { return nil }},
		{"truncated document", modelFile, "", "not a readable JSON document", func(d []byte) []byte { return d[:len(d)/2] }},
		{"other version", modelFile, "", "has version 7, this program reads version 1",
			replace(`"version": 1`, `"version": 7`)},
		{"unknown field", modelFile, "", "unknown field", replace(`"version": 1`, `"version": 1, "colour": "red"`)},
		{"bad configuration", modelFile, "", "latent is 0", replace(`"latent": 3`, `"latent": 0`)},
		{"unknown head", modelFile, "", "want one of capped, linear, softmax, sparsemax",
			replace(`"head": "softmax"`, `"head": "entmax"`)},
		{"other assets", modelFile, "", "mean has 6 entries for 7 assets", replace(`"assets": 6`, `"assets": 7`)},
		{"other latent", tensorsFile, "encoder.2.weight", "has shape [8 6], want [8 8]", nil},
		{"other depth", tensorsFile, "encoder.1.weight", "has shape [12 8], want [12 6]", nil},
		{"variance", modelFile, "", "variance is -1", nil},
		{"empty tensors", tensorsFile, "", "cut short: 0 bytes", func([]byte) []byte { return nil }},
		{"truncated tensors", tensorsFile, "decoder.2.weight", "cut short", func(d []byte) []byte { return d[:len(d)-40] }},
		{"truncated header", tensorsFile, "", "cut short", func(d []byte) []byte { return d[:100] }},
		{"trailing bytes", tensorsFile, "", "4 bytes after the last tensor",
			func(d []byte) []byte { return append(d, 1, 2, 3, 4) }},
		{"huge header", tensorsFile, "", "not a safetensors file",
			func(d []byte) []byte { return bytes.Repeat([]byte{0xff}, 64) }},
		{"text", tensorsFile, "", "not a safetensors file",
			func([]byte) []byte { return []byte(strings.Repeat("weights ", 20)) }},
		{"infinite parameter", tensorsFile, "decoder.2.bias", "entry 5 is +Inf", func(d []byte) []byte {
			binary.LittleEndian.PutUint32(d[len(d)-4:], 0x7f800000)
			return d
		}},
		{"flipped bit", tensorsFile, "", "does not belong to the model.json beside it",
			func(d []byte) []byte { d[len(d)-4] ^= 1; return d }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := m.Save(dir); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, test.file)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			document := filepath.Join(dir, modelFile)
			switch {
			case test.name == "other latent":
				rewrite(t, document, replace(`"latent": 3`, `"latent": 4`))
			case test.name == "other depth":
				text, _ := os.ReadFile(document)
				rewrite(t, document, func([]byte) []byte {
					i, j := bytes.Index(text, []byte(`"hidden"`)), bytes.IndexByte(text, ']')
					return slices.Concat(text[:i], []byte(`"hidden": [12`), text[j:])
				})
			case test.name == "variance":
				text, _ := os.ReadFile(document)
				rewrite(t, document, func([]byte) []byte {
					i := bytes.Index(text, []byte(`"variance": `)) + len(`"variance": `)
					return slices.Concat(text[:i], []byte("-1"), text[i+bytes.IndexByte(text[i:], ','):])
				})
			case test.change == nil:
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			default:
				if err := os.WriteFile(path, test.change(data), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, err = Load(b, dir)
			var fault *FileError
			if !errors.As(err, &fault) || fault.Path != path || fault.Tensor != test.tensor {
				t.Fatalf("got %v, want a fault of %s, tensor %q", err, path, test.tensor)
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line with %q", err, test.want)
			}
			if test.change == nil && strings.HasPrefix(test.name, "missing") && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v does not say that the file is missing", err)
			}
		})
	}
}

// So is every fault of a conditional model's document.
func TestLoadDamagedConditions(t *testing.T) {
	b := openTest(t, "go")
	m, _ := conditionalModel(t, b, 5)
	_, sd := m.ConditionScale(0)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, test := range []struct{ name, file, tensor, want, old, new string }{
		{"no spread", modelFile, "", "standard deviation of condition exposure is 0", number(sd), "0"},
		{"negative spread", modelFile, "", "standard deviation of condition exposure is -1", number(sd), "-1"},
		{"infinite spread", modelFile, "", "not a readable JSON document", number(sd), "1e999"},
		{"tiny spread", modelFile, "", "standard deviation of condition exposure is 1e-320", number(sd), "1e-320"},
		{"fewer scales", modelFile, "", "5 scales for 6 conditions", `"name": "exposure"`,
			`"name": "extra"}, {"name": "exposure"`},
		{"no name", modelFile, "", "a condition has no name", `"name": "exposure"`, `"name": ""`},
		{"one name twice", modelFile, "", "condition volatility is given twice", `"name": "exposure"`,
			`"name": "volatility"`},
		{"level too few", tensorsFile, "encoder.0.weight", "has shape [13 12], want [12 12]", `"narrow",`, ``},
		{"number with levels", tensorsFile, "encoder.0.weight", "has shape [13 12], want [14 12]", `"name": "exposure"`,
			`"name": "exposure", "levels": ["a", "b"]`},
		{"cap with levels", modelFile, "", "categorical and can't be an upper bound", `"name": "breadth"`,
			`"name": "breadth", "cap": true`},
		{"field", modelFile, "", "unknown field", `"name": "breadth"`, `"name": "breadth", "floor": true`},
		{"control", modelFile, "", "control is -1", `"control": 1`, `"control": -1`},
	} {
		dir := t.TempDir()
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
		rewrite(t, filepath.Join(dir, modelFile), func(data []byte) []byte {
			if !bytes.Contains(data, []byte(test.old)) {
				t.Fatalf("%s: no %q in the file", test.name, test.old)
			}
			return bytes.Replace(data, []byte(test.old), []byte(test.new), 1)
		})
		_, err := Load(b, dir)
		var fault *FileError
		if !errors.As(err, &fault) || fault.Path != filepath.Join(dir, test.file) || fault.Tensor != test.tensor ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want a fault of %s, tensor %q, with %q", test.name, err, test.file, test.tensor, test.want)
		}
	}
}

// Any model.json is either refused as a file, or gives a model that decodes.
func FuzzModelDocument(f *testing.F) {
	b := openTest(f, "go")
	m, conditions := conditionalModel(f, b, 5)
	dir := f.TempDir()
	for _, m := range []*Model{tiny(f, b), m} { // the last one's parameters stay
		if err := m.Save(dir); err != nil {
			f.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, modelFile))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte(`{"version": 1, "config": {"conditions": [{"name": "a", "levels": []}]}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rewrite(t, filepath.Join(dir, modelFile), func([]byte) []byte { return data })
		loaded, err := Load(b, dir)
		if err != nil {
			var fault *FileError
			if !errors.As(err, &fault) {
				t.Errorf("got %v, want a *FileError", err)
			}
			return
		}
		w, err := loaded.DecodeGiven(t.Context(), mat.NewDense(1, loaded.Config().Latent, nil),
			conditions.Slice(0, 1, 0, 5).(*mat.Dense))
		if err == nil && math.IsNaN(mat.Sum(w)) {
			t.Errorf("decoded %v", w.RawRowView(0))
		}
	})
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkpointOf stops a training after some steps.
func checkpointOf(t *testing.T, patience int) *Checkpoint {
	t.Helper()
	c, s := small()
	s.Patience = patience
	var checkpoint *Checkpoint
	_, _, err := Train(t.Context(), openTest(t, "go"), c, s, dirichletRows(50, 6, 0), dirichletRows(50, 6, 1),
		TrainOptions{
			CheckpointEvery: 70, Checkpoint: func(c *Checkpoint) error { checkpoint = c; return errStop }})
	if !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	return checkpoint
}

func TestCheckpointFile(t *testing.T) {
	for _, patience := range []int{0, 5} {
		want, dir := checkpointOf(t, patience), t.TempDir()
		if err := want.Save(dir); err != nil {
			t.Fatal(err)
		}
		got, err := LoadCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Checkpoint{})); diff != "" {
			t.Error(diff)
		}
		if err := RemoveCheckpoint(dir); err != nil {
			t.Fatal(err)
		}
		if err := RemoveCheckpoint(dir); err != nil {
			t.Errorf("removing no checkpoint: %v", err)
		}
		if _, err := LoadCheckpoint(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("loading no checkpoint: %v", err)
		}
	}
}

func TestLoadCheckpointDamaged(t *testing.T) {
	good := checkpointOf(t, 5)
	for _, test := range []struct {
		name, tensor, want string
		change             func(c *Checkpoint)
	}{
		{"version", "", "has version 1, this program reads version 3", func(c *Checkpoint) { c.document.Version = 1 }},
		{"step", "", "does not fit 250 steps", func(c *Checkpoint) { c.document.Step = 251 }},
		{"history", "", "history ends at step 0, want 60", func(c *Checkpoint) { c.document.Points = nil }},
		{"order", "", "out of place",
			func(c *Checkpoint) { c.document.Points = append(c.document.Points, c.document.Points...) }},
		{"schedule", "", "batch is 0", func(c *Checkpoint) { c.document.Schedule.Batch = 0 }},
		{"missing tensor", "second_moments", "missing", func(c *Checkpoint) { c.second = nil }},
		{"short tensor", "parameters", "has shape [10], want [460]", func(c *Checkpoint) { c.theta = c.theta[:10] }},
		{"no best", "best_parameters", "missing", func(c *Checkpoint) { c.best = nil }},
	} {
		damaged, dir := *good, t.TempDir()
		test.change(&damaged)
		if err := damaged.Save(dir); err != nil {
			t.Fatal(err)
		}
		_, err := LoadCheckpoint(dir)
		var fault *FileError
		if !errors.As(err, &fault) || fault.Tensor != test.tensor || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want tensor %q and %q", test.name, err, test.tensor, test.want)
		}
	}
	dir := t.TempDir()
	if err := good.Save(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, checkpointFile)
	data, _ := os.ReadFile(path)
	for _, size := range []int{0, 7, 100, len(data) / 2, len(data) - 1} {
		if err := os.WriteFile(path, data[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		var fault *FileError
		if _, err := LoadCheckpoint(dir); !errors.As(err, &fault) {
			t.Errorf("cut to %d bytes: got %v", size, err)
		}
	}
	// One flipped bit is noticed, in whichever byte, or changes nothing (a blank's). Of the
	// document, which says what the values mean, letters are turned large or small too,
	// which are alike to encoding/json.
	document := 8 + int(binary.LittleEndian.Uint64(data))
	apart := 1
	if testing.Short() {
		apart = 41
	}
	for i := 0; i < len(data); i += apart {
		bits := []int{i % 8}
		if i < document {
			bits = append(bits, 5)
		}
		for _, bit := range bits {
			data[i] ^= 1 << bit
			got, err := parseCheckpoint(data)
			if err == nil && !cmp.Equal(good, got, cmp.AllowUnexported(Checkpoint{})) {
				t.Fatalf("bit %d of byte %d flipped: another checkpoint", bit, i)
			}
			data[i] ^= 1 << bit
		}
	}
}

// Parameters that no training comes to would make one portfolio of all codes.
func TestLoadHugeParameters(t *testing.T) {
	b := openTest(t, "go")
	m := tiny(t, b)
	m.theta = slices.Clone(m.theta)
	m.theta[0] = -1e38
	dir := t.TempDir()
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	var fault *FileError
	if _, err := Load(b, dir); !errors.As(err, &fault) || !strings.Contains(err.Error(), "no trained model has such a parameter") {
		t.Errorf("got %v", err)
	}
}

// Any bytes are either refused or give tensors that write back to a file with
// the same content.
func FuzzReadTensors(f *testing.F) {
	var good bytes.Buffer
	if err := writeTensors(&good, map[string]string{"a": "b"}, []tensor{
		{name: "w", shape: []int{2, 3}, values: []float32{1, 2, 3, 4, 5, 6}},
		{name: "none", shape: []int{0}, values: []float32{}},
	}); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	for _, header := range []string{
		`{}`, `{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`,
		`{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`,
		`{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}`,
		`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`,
		`{"__metadata__":[1]}`, `[]`, `{"w":null}`,
	} {
		f.Add(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+"12345678"...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		metadata, tensors, err := readTensors(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not one line", err)
			}
			return
		}
		var written bytes.Buffer
		if err := writeTensors(&written, metadata, tensors); err != nil {
			t.Fatal(err)
		}
		metadata2, tensors2, err := readTensors(written.Bytes())
		if err != nil {
			t.Fatalf("written tensors do not read: %v", err)
		}
		if len(metadata2) != len(metadata) || len(tensors2) != len(tensors) {
			t.Fatalf("%d metadata and %d tensors became %d and %d", len(metadata), len(tensors), len(metadata2), len(tensors2))
		}
	})
}
