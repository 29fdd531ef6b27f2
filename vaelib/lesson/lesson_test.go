package lesson

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// Tests keep their files in a repository of their own.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lesson")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module vaefolio\n"), 0o644)
	}
	if err == nil {
		err = os.Chdir(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// panics returns the error that do panics with.
func panics(t *testing.T, do func()) (err error) {
	t.Helper()
	defer func() {
		t.Helper()
		var ok bool
		if err, ok = recover().(error); !ok {
			t.Fatalf("no panic with an error: %v", err)
		}
	}()
	do()
	return nil
}

func TestSample(t *testing.T) {
	all := Sample()
	chosen := []string{all.Window.Symbols[3], all.Window.Symbols[1]}
	two := Sample(chosen...)
	if n := len(all.Window.Symbols); n != 12 || !cmp.Equal(two.Window.Symbols, chosen) {
		t.Errorf("%d assets, and %v of %v", n, two.Window.Symbols, chosen)
	}
	if len(all.Sectors.Names) == 0 || len(all.Window.Times) != len(two.Window.Times) {
		t.Errorf("sectors %v, %d and %d periods", all.Sectors.Names, len(all.Window.Times), len(two.Window.Times))
	}
}

// Another history of a market is made of its own days, the sample's is drawn from its
// truth; equal draws give equal histories.
func TestHistory(t *testing.T) {
	own := Sample("ALDER", "WREN")
	own.Synthetic = false
	days, _ := own.Window.Returns.Dims()
	for _, p := range []Prices{Sample(), own} {
		a, next := p.History(1000, 200)
		b, _ := p.History(1000, 200)
		c, _ := p.History(next, 200)
		rows, n := a.Dims()
		if rows != 200 || n != len(p.Window.Symbols) || next <= 1000 || !mat.Equal(a, b) || mat.Equal(a, c) || mat.Min(a) <= -1 {
			t.Errorf("synthetic %t: %d x %d, next %d, least return %g", p.Synthetic, rows, n, next, mat.Min(a))
		}
	}
	history, _ := own.History(1, 500)
	follows := 0
	for k := range 499 {
		for s := range days {
			if slices.Equal(history.RawRowView(k), own.Window.Returns.RawRowView(s)) {
				if slices.Equal(history.RawRowView(k+1), own.Window.Returns.RawRowView((s+1)%days)) {
					follows++
				}
				break
			}
		}
	}
	if follows < 440 || follows == 499 { // 19 of 20 days, 474, follow the day before
		t.Errorf("%d of 499 days follow the day before in blocks", follows)
	}
}

// A market of the reader's own lies beside the notebook, and is told of.
func TestMarket(t *testing.T) {
	if s := Market("", ""); !s.Synthetic || s.About() != "" || !cmp.Equal(s.Window.Symbols, Sample().Window.Symbols) {
		t.Errorf("without a path: synthetic %t, %q", s.Synthetic, s.About())
	}
	t.Setenv("GONB_DIR", t.TempDir())
	closes := "date,OAK,ELM\n2024-01-02,10,20\n2024-01-03,11,19\n2024-01-04,12,21\n2024-01-05,11,22\n"
	for name, text := range map[string]string{"closes.csv": closes, "sectors.csv": "symbol,sector\nOAK,trees\nIRON,metals\n"} {
		if err := os.WriteFile(filepath.Join(os.Getenv("GONB_DIR"), name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := Market("closes.csv", "sectors.csv")
	if m.Synthetic || len(m.Window.Times) != 3 || !cmp.Equal(m.Sectors.Names, []string{"trees"}) {
		t.Errorf("synthetic %t, %d returns, sectors %v", m.Synthetic, len(m.Window.Times), m.Sectors.Names)
	}
	if about := m.About(); !strings.HasPrefix(about, "YOUR PRICES: 2 assets, 3 returns from 2024-01-03") ||
		strings.Contains(about, os.Getenv("GONB_DIR")) {
		t.Errorf("about it: %q", about)
	}
	if names := Market("closes.csv", "").Sectors.Names; len(names) != 0 {
		t.Errorf("sectors %v, and none were given", names)
	}
	for paths, want := range map[[2]string]string{{"", "sectors.csv"}: "set prices", {"none.csv", ""}: "none.csv"} {
		if err := panics(t, func() { Market(paths[0], paths[1]) }); !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %q, want %q", paths, err, want)
		}
	}
}

func small() *corpus.Corpus {
	window := Sample().Window
	return Corpus(window, Capped(len(window.Symbols), 0.4), corpus.Config{N: 200, Seed: 3, Validation: 0.2})
}

func recipe(seed uint64, plain bool) Recipe {
	r := Recipe{Name: "a model", Section: 2, Data: Must(trained.DataOf(small(), nil)), Plain: plain}
	r.Config, r.Schedule = vae.DefaultConfig(12), vae.DefaultSchedule()
	r.Config.Latent, r.Config.Hidden, r.Config.Seed, r.Schedule.Steps = 2, []int{8}, seed, 30
	return r
}

// forget removes what was kept before, also by the same test.
func forget(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll("runs"); err != nil {
		t.Fatal(err)
	}
}

// A model is trained once: what is loaded is what was trained, to the bit.
func TestTrain(t *testing.T) {
	forget(t)
	for _, plain := range []bool{false, true} {
		r := recipe(1, plain)
		err := panics(t, func() { Model(r) })
		if want := `the model "a model" has not been trained with these parameters: run section 2 first`; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		first, history := Train(r)
		again, same := Train(r)
		loaded := Model(r)
		if len(history.Points) == 0 || !cmp.Equal(history, same) {
			t.Errorf("history of %d points differs after loading: %s", len(history.Points), cmp.Diff(history, same))
		}
		x, _ := small().Split()
		want, _, err := first.Network.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*trained.Model{again, loaded} {
			if got, _, err := m.Network.Encode(x); err != nil || !mat.Equal(got, want) {
				t.Errorf("codes of the loaded model differ, %v", err)
			}
		}
		if (loaded.Aggregate == nil) != plain {
			t.Errorf("plain %t: mixture of codes %v", plain, loaded.Aggregate)
		}
		panics(t, func() { Model(recipe(2, plain)) }) // of another seed there is none
	}
	models, histories := TrainAll("seeds", recipe(1, true), recipe(2, true))
	if len(histories) != 2 || models[0].Network.Config().Seed != 1 || models[1].Network.Config().Seed != 2 {
		t.Errorf("models of seeds %d and %d", models[0].Network.Config().Seed, models[1].Network.Config().Seed)
	}
	if err := panics(t, func() { Train(Recipe{Name: "nothing"}) }); !strings.Contains(err.Error(), "trained.DataOf") {
		t.Errorf("error %q names no remedy", err)
	}
}

// Data of the notebook may lack symbols, and be of more conditions than a model is told.
func TestConditional(t *testing.T) {
	r := recipe(1, false)
	r.Data = Must(trained.DataOf(small(), &trained.Conditioning{On: []string{"max_weight"}, Control: 0.1}))
	r.Data.Symbols, r.Data.Set, r.NoStudy = nil, nil, true
	m, _ := Train(r)
	if m.Donors == nil || len(m.Network.Config().Conditions) != 1 || m.Symbols()[11] != "12" {
		t.Errorf("conditions %v, symbols %v", m.Network.Config().Conditions, m.Symbols())
	}
}

const program = `package main

import "fmt"

var rows = 100 // a parameter
var other = 1

type point struct{ x float64 }

func (p point) double() float64 { return 2 * p.x }

func helper(n int) point { return point{float64(n)} }

func sweep() []float64 {
	// a comment
	return []float64{helper(rows).double()}
}

func main() { fmt.Println(other, sweep()) }
`

func TestNotebookSource(t *testing.T) {
	t.Setenv("GONB_TMP_DIR", t.TempDir())
	source := func(text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(os.Getenv("GONB_TMP_DIR"), "main.go"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		code, err := notebookSource("sweep")
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	before := source(program)
	for _, same := range []string{"other = 2", "a remark", "Println(sweep())"} {
		old := map[string]string{"other = 2": "other = 1", "a remark": "a comment", "Println(sweep())": "Println(other, sweep())"}[same]
		if source(strings.Replace(program, old, same, 1)) != before {
			t.Errorf("%q changes the source", same)
		}
	}
	for old, changed := range map[string]string{
		"rows = 100": "rows = 200", "2 * p.x": "3 * p.x", "x float64": "x, y float64", "point{float64(n)}": "point{float64(n + 1)}",
	} {
		if source(strings.Replace(program, old, changed, 1)) == before {
			t.Errorf("%q does not change the source", changed)
		}
	}
	t.Setenv("GONB_DIR", t.TempDir())
	named := strings.Replace(program, "rows = 100", `rows = len("closes.csv")`, 1)
	without, prices := source(named), filepath.Join(os.Getenv("GONB_DIR"), "closes.csv")
	for _, text := range []string{"one", "two"} {
		if err := os.WriteFile(prices, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if with := source(named); with == without {
			t.Errorf("the content %q of a file that the source names does not change it", text)
		} else {
			without = with
		}
	}
	if _, err := notebookSource("absent"); err == nil || !strings.Contains(err.Error(), "declared") {
		t.Errorf("error %v for a function that is not there", err)
	}
}

var swept int

// sweep counts how often it is computed.
func sweep() map[string][]float64 {
	swept++
	return map[string][]float64{"a": {1.0 / 3, float64(swept)}}
}

func TestKept(t *testing.T) {
	forget(t)
	swept = 0
	t.Setenv("GONB_TMP_DIR", t.TempDir())
	main := filepath.Join(os.Getenv("GONB_TMP_DIR"), "main.go")
	if err := panics(t, func() { Kept(sweep) }); !strings.Contains(err.Error(), "Go notebook") {
		t.Errorf("error %q outside a notebook", err)
	}
	for i, text := range []string{program, program, strings.Replace(program, "rows = 100", "rows = 7", 1)} {
		if err := os.WriteFile(main, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got := Kept(sweep)
		if want := map[string][]float64{"a": {1.0 / 3, []float64{1, 1, 2}[i]}}; !cmp.Equal(got, want) {
			t.Errorf("program %d: %v, want %v", i, got, want)
		}
	}
	if err := panics(t, func() { Kept(func() int { return 1 }) }); !strings.Contains(err.Error(), "without a name") {
		t.Errorf("error %q for a closure", err)
	}
	if err := panics(t, func() { Kept(keptless) }); !strings.Contains(err.Error(), "declared") {
		t.Errorf("error %q for a function of another place", err)
	}
}

// keptless stands for a function that the notebook doesn't declare.
func keptless() struct{ X int } { return struct{ X int }{1} }

func TestTable(t *testing.T) {
	table := NewTable("name", "R²", "units")
	table.Row("%s | %.2f | %d of %d", "a | b", 0.5, 3, 8)
	if want := [][]string{{"a | b", "0.50", "3 of 8"}}; !cmp.Equal(table.rows, want) {
		t.Errorf("rows %q, want %q", table.rows, want)
	}
	table.Show() // nothing outside a notebook
}

func TestCapped(t *testing.T) {
	if set := Capped(3, 0.4); set.Check() != nil || set.Violation([]float64{0.4, 0.4, 0.2}) != 0 ||
		set.Violation([]float64{0.5, 0.3, 0.2}) == 0 {
		t.Errorf("set %+v", set)
	}
	if err := (simplex.Set{N: 2, Upper: []float64{0.1, 0.1}}).Check(); err == nil {
		t.Error("an empty set passes")
	}
}
