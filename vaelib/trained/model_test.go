package trained

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

var symbols = []string{"A", "B", "C", "D"}

// backend is one for all tests.
var backend = sync.OnceValue(func() *vae.Backend {
	b, err := vae.Open("go")
	if err != nil {
		panic(err)
	}
	return b
})

// portfolios are rows of a capped set, told what they hold of A.
func portfolios(t *testing.T) *Data {
	t.Helper()
	set := simplex.Set{N: 4, Upper: []float64{0.6, 0.6, 0.6, 0.6}}
	x := mat.NewDense(240, 4, nil)
	d, err := simplex.Symmetric(4, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "trained.test", 0)
	for i := range 240 {
		d.Rand(x.RawRowView(i), rng)
	}
	if err := simplex.ProjectAll(t.Context(), set, x, x, nil); err != nil {
		t.Fatal(err)
	}
	told := mat.DenseCopyOf(x.Slice(0, 240, 0, 1))
	return &Data{
		Symbols: symbols, Train: x.Slice(0, 200, 0, 4).(*mat.Dense), HeldOut: x.Slice(200, 240, 0, 4).(*mat.Dense), Set: &set,
		Told: &Told{
			Conditions: []vae.Condition{{Name: "sector.A"}}, Control: 1,
			Measures: []portfolio.Measure{{Name: "sector.A", Form: portfolio.Linear, Vector: []float64{1, 0, 0, 0}}},
			Train:    told.Slice(0, 200, 0, 1).(*mat.Dense), HeldOut: told.Slice(200, 240, 0, 1).(*mat.Dense),
		},
	}
}

// quick settings train for a moment.
func quick() Settings {
	s := Settings{Config: vae.DefaultConfig(4), Schedule: vae.DefaultSchedule(), Components: 2, Codes: 100, TwoStage: true}
	s.Config.Latent, s.Config.Hidden = 2, []int{8}
	s.Schedule.Steps, s.Schedule.Batch, s.Schedule.EvalEvery = 40, 32, 20
	return s
}

// What is made is what is opened, with all that belongs to it, also by the name
// of the folder around it; and saved again it is the same bytes.
func TestMakeOpenSave(t *testing.T) {
	run := t.TempDir()
	dir := filepath.Join(run, innerFolder)
	var steps []string
	made, history, err := Make(t.Context(), backend(), portfolios(t), quick(), dir, Reports{
		Begin: func(step string) func(int, int, string) { steps = append(steps, step); return nil },
	})
	if err != nil || history.Step != 40 || len(steps) != 4 {
		t.Fatalf("%v, steps %q, error %v", history, steps, err)
	}
	if made.Set.Symbols == nil || made.Donors == nil || made.Market != nil || made.Second == nil {
		t.Errorf("made %+v", made)
	}
	opened, err := Open(backend(), run)
	if err != nil {
		t.Fatal(err)
	}
	if opened.Dir != dir || !slices.Equal(opened.Symbols(), symbols) || !reflect.DeepEqual(opened.Set, made.Set) ||
		!reflect.DeepEqual(opened.Donors, made.Donors) {
		t.Errorf("opened %+v, set %+v", opened, opened.Set)
	}
	g, err := generate.New(opened.Network, *opened.Set)
	if err != nil {
		t.Fatal(err)
	}
	if g, _, err = g.Given(opened.Donors, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Aggregate, Prior, TwoStage} {
		density, err := opened.Density(name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := g.Sample(t.Context(), 10, density, 1); err != nil || opened.Set.Violation(b.Weights.RawRowView(3)) > simplex.Tolerance {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := opened.Density("luck"); err == nil {
		t.Error("no error for an unknown density")
	}
	again := t.TempDir()
	if err := opened.Save(again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{networkFile, parametersFile, aggregateFile, constraintsFile, donorsFile, conditionalFile, ordersFile, twoStageFolder + "/" + networkFile} {
		a, errA := os.ReadFile(filepath.Join(dir, name))
		b, errB := os.ReadFile(filepath.Join(again, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s saved again differs (%v, %v)", name, errA, errB)
		}
	}
	if d, err := opened.Diagnose(t.Context(), portfolios(t), 1); err != nil || len(d.Control) != 1 || d.Evidence == nil {
		t.Errorf("diagnosis %+v, error %v", d, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "training.safetensors")); err == nil {
		t.Error("the state of a training that has ended is still there")
	}
}

// A folder of an older version, without what came later, opens; a damaged one
// doesn't, and the file is named.
func TestOpenOlderAndDamaged(t *testing.T) {
	data := portfolios(t)
	data.Told = nil
	made := func() string {
		dir := t.TempDir()
		if _, _, err := Make(t.Context(), backend(), data, quick(), dir, Reports{}); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	older := made()
	for _, name := range []string{aggregateFile, constraintsFile, twoStageFolder} {
		if err := os.RemoveAll(filepath.Join(older, name)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := Open(backend(), older)
	if err != nil || m.Set != nil || m.Aggregate != nil || m.Second != nil {
		t.Fatalf("an older folder: %+v, error %v", m, err)
	}
	for name, want := range map[string]string{Aggregate: "by the train verb", TwoStage: "-two-stage"} {
		if _, err := m.Density(name); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), older) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	dir := made()
	for _, c := range []struct{ file, text string }{
		{aggregateFile, `{"weights":`},
		{constraintsFile, `{"assets":4,"symbols":["A","B","C","X"]}`},
		{constraintsFile, `{"assets":3,"symbols":["A","B","C"]}`},
		{constraintsFile, `{"assets":4}`},
		{constraintsFile, `{"assets":4,"symbols":["A","B","C","D"],"upper":[0.1,0.1,0.1,0.1]}`},
		{parametersFile, ""},
	} {
		path := filepath.Join(dir, c.file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(backend(), dir); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s of %q: error %v", c.file, c.text, err)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(backend(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "holds no model") {
		t.Errorf("an empty folder: error %v", err)
	}
}

// Constraints beside a file of portfolios are taken for theirs only where they are.
func TestReadDataLooksAtTheSet(t *testing.T) {
	for _, c := range []struct {
		set  string
		kept bool
	}{
		{`{"assets":2,"symbols":["A","B"],"upper":[0.8,0.8]}`, true},
		{`{"assets":2,"symbols":["A","B"],"upper":[0.6,0.6]}`, false},
		{`{"assets":2,"symbols":["B","A"]}`, false},
		{"", false},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "weights.csv")
		if err := os.WriteFile(file, []byte("A,B\n0.5,0.5\n0.3,0.7\n0.2,0.8\n0.4,0.6\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.set != "" {
			if err := os.WriteFile(filepath.Join(dir, "constraints.json"), []byte(c.set), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var notes []string
		d, err := ReadData(file, ReadOptions{Validation: 0.5, Seed: 1, Note: func(line string) { notes = append(notes, line) }})
		if err != nil || (d.Set != nil) != c.kept || len(d.Hash) != 64 {
			t.Fatalf("%s: %+v, error %v", c.set, d, err)
		}
		if rows, _ := d.HeldOut.Dims(); rows != 2 || !strings.Contains(notes[0], "held out at random") {
			t.Errorf("%d rows held out, notes %q", rows, notes)
		}
		if said := len(notes) > 1; said != (c.set != "" && !c.kept) {
			t.Errorf("%s: notes %q", c.set, notes)
		}
	}
}
