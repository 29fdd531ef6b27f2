package trained

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// expected is what Go makes of a model, for other programs to make too.
type expected struct {
	Z           [][]float64          `json:"z"`
	X           [][]float64          `json:"weights"`
	C           [][]float64          `json:"c"` // null without conditions
	Decoded     [][]float64          `json:"decoded"`
	Mean        [][]float64          `json:"mean"`
	Logvar      [][]float64          `json:"logvar"`
	LogDensity  map[string][]float64 `json:"log_density"`
	Outside     [][]float64          `json:"outside"` // rows to project
	Projected   [][]float64          `json:"projected"`
	Violation   []float64            `json:"violation"` // of those rows
	Wish        string               `json:"wish"`
	Given       []float64            `json:"given"`
	WithWish    [][]float64          `json:"projected_with_wish"`
	Under       []near               `json:"under"` // the density by neighbours
	Drawn       [][]float64          `json:"drawn"` // codes under the first of these
	Measured    map[string][]float64 `json:"measured"`
	WeightsNear float64              `json:"weights_near"` // tolerances
	CodesNear   float64              `json:"codes_near"`
}

// near is the density of codes under conditions by neighbours: normals without
// correlations.
type near struct {
	Given     []float64   `json:"given"`
	Weights   []float64   `json:"weights"`
	Means     [][]float64 `json:"means"`
	Variances [][]float64 `json:"variances"`
}

// exported is a small model with constraints of every kind that a reader holds.
func exported(t *testing.T, conditional bool) *Model {
	t.Helper()
	data, settings := portfolios(t), quick()
	data.Set.Groups = []simplex.Group{
		{Name: "G", Share: []float64{1, 1, 0, 0}, Lo: 0.2, Hi: 0.7},
		{Name: "H", Share: []float64{0, 0.5, 1, 0}, Lo: math.Inf(-1), Hi: 0.5},
	}
	for _, x := range []*mat.Dense{data.Train, data.HeldOut} {
		if err := simplex.ProjectAll(t.Context(), *data.Set, x, x, nil); err != nil {
			t.Fatal(err)
		}
	}
	if conditional {
		data.Told = toldOf(data)
		settings.Config.Head, settings.Config.Activation = "softmax", "tanh"
	} else {
		data.Told = nil
		settings.Config.MaxWeight = 0.6
	}
	m, _, err := Make(t.Context(), backend(), data, settings, t.TempDir(), Reports{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// toldOf tells what portfolios hold of A, which holding is the largest, and the
// largest weight as a cap.
func toldOf(data *Data) *Told {
	told := &Told{
		Conditions: []vae.Condition{
			{Name: "sector.A"}, {Name: "leader", Levels: []string{"first", "second", "third, or none", "last"}},
			{Name: "largest", Cap: true},
		},
		Measures: []portfolio.Measure{
			{Name: "sector.A", Form: portfolio.Linear, Vector: []float64{1, 0, 0, 0}},
			{Name: "largest", Form: portfolio.Largest},
		},
		Control: 1,
	}
	tell := func(x *mat.Dense) *mat.Dense {
		rows, _ := x.Dims()
		c := mat.NewDense(rows, 3, nil)
		for i := range rows {
			row := x.RawRowView(i)
			c.SetRow(i, []float64{row[0], float64(slices.Index(row, slices.Max(row))), slices.Max(row)})
		}
		return c
	}
	told.Train, told.HeldOut = tell(data.Train), tell(data.HeldOut)
	return told
}

// readerPython is a Python that reads exports.
func readerPython(t *testing.T) string {
	t.Helper()
	python := os.Getenv("VAELIB_READER_PYTHON")
	if python == "" {
		t.Skip("VAELIB_READER_PYTHON names no Python with numpy and onnxruntime: " +
			"python3 -m venv v && v/bin/pip install -r .ci/reader.txt")
	}
	return python
}

// A reader of the export, with numpy alone or with onnxruntime, gets what Go gets.
func TestReader(t *testing.T) {
	python, dir := readerPython(t), t.TempDir()
	for name, conditional := range map[string]bool{"plain": false, "conditional": true} {
		m := exported(t, conditional)
		if err := m.Export(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if err := run.WriteJSON(filepath.Join(dir, name, "expected.json"), expect(t, m)); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), python, filepath.Join("..", "..", "python", "check_reader.py"), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// expect computes what a reader has to.
func expect(t *testing.T, m *Model) *expected {
	t.Helper()
	const rows = 200
	config, rng := m.Network.Config(), stream.New(1, "trained.test.export", 0)
	z, outside := mat.NewDense(rows, config.Latent, nil), mat.NewDense(rows, config.Assets, nil)
	for _, x := range []*mat.Dense{z, outside} {
		for i := range x.RawMatrix().Data {
			x.RawMatrix().Data[i] = rng.NormFloat64()
		}
	}
	x := mat.NewDense(rows, config.Assets, nil)
	if err := simplex.ProjectAll(t.Context(), *m.Set, x, outside, nil); err != nil {
		t.Fatal(err)
	}
	e := &expected{
		Z: list(z), X: list(x), Outside: list(outside), Projected: list(x),
		LogDensity: map[string][]float64{}, WeightsNear: 1e-5, CodesNear: 1e-4, // those of vae's TestBackendsAgree
	}
	for i := range rows {
		e.LogDensity[Aggregate] = append(e.LogDensity[Aggregate], m.Aggregate.LogProb(z.RawRowView(i)))
		e.Violation = append(e.Violation, m.Set.Violation(outside.RawRowView(i)))
	}
	var c *mat.Dense
	if m.Conditional() {
		c = mat.NewDense(rows, len(config.Conditions), nil)
		for i := range rows {
			c.SetRow(i, []float64{rng.Float64(), float64(rng.IntN(4)), rng.Float64()})
		}
		e.C = list(c)
		expectWish(t, m, e, outside)
		e.Measured = map[string][]float64{}
		for _, measure := range m.Donors.Measures {
			for i := range rows {
				e.Measured[measure.Name] = append(e.Measured[measure.Name], measure.Value(x.RawRowView(i)))
			}
		}
	}
	decoded, err := m.Network.DecodeGiven(t.Context(), z, c)
	if err != nil {
		t.Fatal(err)
	}
	mean, logvar, err := m.Network.EncodeGiven(t.Context(), x, c)
	if err != nil {
		t.Fatal(err)
	}
	e.Decoded, e.Mean, e.Logvar = list(decoded), list(mean), list(logvar)
	return e
}

// expectWish adds what a wish comes to.
func expectWish(t *testing.T, m *Model, e *expected, outside *mat.Dense) {
	t.Helper()
	e.Wish = "sector.A>=0.35,leader=third or none,largest<=0.55"
	wish, err := m.ParseWish(e.Wish)
	if err != nil {
		t.Fatal(err)
	}
	if e.Given, err = m.Donors.Typical(m.Network, wish); err != nil {
		t.Fatal(err)
	}
	under := m.Given.Under(e.Given)
	for _, z := range e.Z {
		e.LogDensity["conditional"] = append(e.LogDensity["conditional"], under.LogProb(z))
	}
	for _, given := range append([][]float64{e.Given}, e.C[:20]...) {
		weights, means, variances := m.Near.Under(given)
		e.Under = append(e.Under, near{given, weights, list(means), list(variances)})
	}
	drawn, given := mat.NewDense(5000, m.Network.Config().Latent, nil), mat.NewDense(5000, len(e.Given), nil)
	for i := range 5000 {
		given.SetRow(i, e.Given)
	}
	if err := m.Near.DrawGiven(t.Context(), drawn, given, stream.New(2, "trained.test.export", 0)); err != nil {
		t.Fatal(err)
	}
	e.Drawn = list(drawn)
	set, held, err := m.Donors.Constrain(*m.Set, wish)
	if err != nil || !slices.Equal(held, []bool{true, false, true}) {
		t.Fatalf("held %v, error %v", held, err)
	}
	var x mat.Dense
	x.CloneFrom(outside)
	if err := simplex.ProjectAll(t.Context(), set, &x, &x, nil); err != nil {
		t.Fatal(err)
	}
	e.WithWish = list(&x)
}

func list(x *mat.Dense) [][]float64 {
	rows, _ := x.Dims()
	var all [][]float64
	for i := range rows {
		all = append(all, x.RawRowView(i))
	}
	return all
}

// exportedTwice exports a model, and again the same bytes, into folders of which it
// returns one with the document in it.
func exportedTwice(t *testing.T, export func(dir string) error, names []string, d any) (one string, document []byte) {
	t.Helper()
	one, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, other} {
		if err := export(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		a, errA := os.ReadFile(filepath.Join(one, name))
		b, errB := os.ReadFile(filepath.Join(other, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: exported again it differs (%v, %v)", name, errA, errB)
		}
	}
	document, err := os.ReadFile(filepath.Join(one, networkFile))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		t.Fatal(err)
	}
	return one, document
}

// An export is the same bytes each time, says what it is, and is no model to open.
func TestExport(t *testing.T) {
	m := exported(t, true)
	var d document
	one, text := exportedTwice(t, m.Export, ExportFiles(), &d)
	var kinds []string
	for _, c := range d.Conditions {
		kinds = append(kinds, c.Kind)
	}
	if d.Format != exportFormat || d.Network.Outputs != 4 || len(d.Files) != 3 || d.Densities.Aggregate.Dim() != 2 ||
		d.Densities.Neighbours.Check(m.Network) != nil || len(d.Constraints.Groups) != 2 || !slices.Equal(kinds, []string{"number", "category", "cap"}) {
		t.Errorf("model.json is %s", text)
	}
	if _, err := Open(backend(), one); err == nil || !bytes.Contains([]byte(err.Error()), []byte("export")) {
		t.Errorf("an export opens as a model: %v", err)
	}
}
