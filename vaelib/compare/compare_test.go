package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

func read(t testing.TB, text string) *Tracks {
	t.Helper()
	tracks, err := readTracks(strings.NewReader(text), "r.csv")
	if err != nil {
		t.Fatal(err)
	}
	return tracks
}

func TestReadTracks(t *testing.T) {
	for _, c := range []struct {
		name, text string
		names      string
		dates      bool
		returns    []float64 // row by row
		note       string
	}{
		{"plain", "a,b\n0.01,-0.02\n0.03,0\n", "a,b", false, []float64{0.01, -0.02, 0.03, 0}, ""},
		{"dates", "Date,a\r\n2024-01-01,0.01\r\n2024-01-02,1.5%\r\n", "a", true, []float64{0.01, 0.015}, ""},
		{"pandas", ",a\n2024-01-01,0.01\n2024-01-02,2e-2\n", "a", true, []float64{0.01, 0.02}, ""},
		{"row numbers", ",a\n0,0.01\n1,0.02\n", "a", false, []float64{0.01, 0.02}, ""},
		{"unsorted", "date,a\n2024-01-02,0.02\n2024-01-01,0.01\n", "a", true, []float64{0.01, 0.02}, "sorted"},
		{"late start", "date,a,b\n2024-01-01,0.5,\n2024-01-02,0.01,0.02\n2024-01-03,0.03,0.04\n", "a,b", true,
			[]float64{0.01, 0.02, 0.03, 0.04}, "1 of 3 periods left out"},
		{"blank lines", "a\n0.01\n\n0.02\n\n", "a", false, []float64{0.01, 0.02}, ""},
		{"percent", "a\n1\n-0.9\n1.2\n", "a", false, []float64{1, -0.9, 1.2}, "in percent?"},
	} {
		got := read(t, c.text)
		if strings.Join(got.Names, ",") != c.names || (got.Times != nil) != c.dates ||
			!mat.Equal(got.Returns, mat.NewDense(len(c.returns)/len(got.Names), len(got.Names), c.returns)) ||
			!strings.Contains(strings.Join(got.Notes, " "), c.note) || (c.note == "") != (len(got.Notes) == 0) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// What is wrong with a file is said with its place and the remedy.
func TestReadTracksRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "r.csv: no returns: a header",
		"a,b\n":                               "r.csv: no returns",
		"a\n0.01\n":                           "share 1 periods",
		"a,b\n0.01\n":                         "r.csv:2: 1 cells where the header has 2",
		"0.1,0.2\n0.1,0.2\n":                  "r.csv:1: column 1: 0.1 is no name",
		"a,a\n1,2\n":                          "column 2: strategy a is there twice",
		"a,\n1,2\n":                           "column 2: a column without a name",
		"date\n2024-01-01\n":                  "no column of returns",
		"strategy,date,X\nmv,2024-01-01,1\n":  "looks like weights",
		"a;b\n1;2\n":                          "separated by something else than commas",
		"a\n0.01\nx\n":                        "r.csv:3: column 1: strategy a: \"x\" is no number",
		"a\n0.01\n1_000\n":                    "is no number",
		"a\n0.01\n0x1p-3\n":                   "is no number",
		"a\n0.01\nInf\n":                      "is no number",
		"a\n0.01\n-1.5\n":                     "divide them by 100",
		"a\n0.01\n1e300\n":                    "can't be",
		"a,b\n0.01,\n0.02,\n":                 "strategy b has no return at all",
		"a\n0.01\n\"\"\n0.02\n":               "r.csv:3: strategy a has no return between",
		"a,b\n0.01,\n,0.02\n":                 "share 0 periods",
		"date,a\n2024-01-01,1\n2024-01-01,1":  "r.csv:3: column 1: the time of line 2 again",
		"date,a\nyesterday,1\n2024-01-01,1\n": "r.csv:2: column 1: ",
		"a\n\"0.01\n":                         "this is no CSV",
		"a\n" + strings.Repeat("101.5\n", 12): "looks like prices or wealth",
	} {
		_, err := readTracks(strings.NewReader(text), "r.csv")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
	if _, err := ReadTracks(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder gives %v", err)
	}
	if _, err := ReadTracks(filepath.Join(t.TempDir(), "none.csv")); err == nil {
		t.Error("a missing file is no error")
	}
}

// Whatever is read has no NaN, and the rows that it says.
func FuzzReadTracks(f *testing.F) {
	f.Add("date,a,b\n2024-01-01,0.01,\n2024-01-02,0.02,-1%\n2024-01-03,0.02,-1%\n")
	f.Add(",a\n0,0.1\n1,0.2\n")
	f.Add("a;b\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		tracks, err := readTracks(strings.NewReader(text), "r.csv")
		if err != nil {
			if strings.Contains(err.Error(), "internal") {
				t.Error(err)
			}
			return
		}
		rows, columns := tracks.Returns.Dims()
		if rows < 2 || columns != len(tracks.Names) || tracks.Times != nil && len(tracks.Times) != rows {
			t.Fatalf("%d x %d with %v", rows, columns, tracks)
		}
		for _, x := range tracks.Returns.RawMatrix().Data {
			if math.IsNaN(x) || x < -1 {
				t.Fatalf("a return of %v", x)
			}
		}
	})
}

func TestJoin(t *testing.T) {
	a := read(t, "date,x,y\n2024-01-01,0.01,0.02\n2024-01-02,0.03,0.04\n2024-01-03,0.05,0.06\n")
	b := read(t, "date,x,z\n2024-01-02,0.3,0.2\n2024-01-03,0.25,0.1\n2024-01-04,0.5,0.6\n")
	a.Source, b.Source = "runs/a", "runs/b/returns.csv"
	all, err := Join([]*Tracks{a, b})
	if err != nil {
		t.Fatal(err)
	}
	want := mat.NewDense(2, 4, []float64{0.03, 0.04, 0.3, 0.2, 0.05, 0.06, 0.25, 0.1})
	if got := strings.Join(all.Names, " "); got != "a/x y returns/x z" || !mat.Equal(all.Returns, want) ||
		len(all.Times) != 2 || len(all.Notes) != 2 {
		t.Errorf("joined are %s, %v, notes %v", got, mat.Formatted(all.Returns), all.Notes)
	}
	plain := read(t, "w\n0.1\n0.2\n0.3\n")
	if all, err = Join([]*Tracks{a, plain}); err != nil || all.Periods() != 3 {
		t.Errorf("three periods beside three: %v", err)
	}
	short := read(t, "w\n0.1\n0.2\n")
	if _, err := Join([]*Tracks{a, short}); err == nil || !strings.Contains(err.Error(), "first column date") {
		t.Errorf("three periods beside two: %v", err)
	}
	far := read(t, "date,x\n2025-01-02,0.3\n2025-01-03,0.3\n")
	if _, err := Join([]*Tracks{a, far}); err == nil || !strings.Contains(err.Error(), "share 0 periods") {
		t.Errorf("other times: %v", err)
	}
	chosen, err := all.Choose([]string{"w", "x"})
	if err != nil || chosen.Returns.At(2, 0) != 0.3 || chosen.Returns.At(2, 1) != 0.05 {
		t.Errorf("chosen are %+v, %v", chosen, err)
	}
	if _, err := all.Choose([]string{"yy"}); err == nil || err.Error() != "no track yy: is y meant?" {
		t.Errorf("an unknown track gives %v", err)
	}
}

// noise makes tracks without skill, which share a market; those in skilled earn
// more.
func noise(seed uint64, periods, tracks int, skill float64, skilled ...int) *Tracks {
	rng := stream.New(seed, "compare.test", 0)
	t := &Tracks{Source: "noise", Returns: mat.NewDense(periods, tracks, nil)}
	for k := range tracks {
		t.Names, t.Sources = append(t.Names, fmt.Sprint("s", k)), append(t.Sources, "noise")
	}
	for i := range periods {
		common := rng.NormFloat64()
		for k := range tracks {
			t.Returns.Set(i, k, 0.01*(0.5*common+rng.NormFloat64()))
		}
		for _, k := range skilled {
			t.Returns.Set(i, k, t.Returns.At(i, k)+0.01*skill)
		}
	}
	return t
}

var daily = metrics.Settings{PeriodsPerYear: 252}

func TestRun(t *testing.T) {
	tracks := noise(1, 400, 3, 0.5, 1)
	got, err := Run(t.Context(), tracks, daily, Settings{Blocks: 8, Seed: 1, Resamples: 300})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 3 || len(got.Pairs) != 3 || got.SPA.Best != "s1" || got.SPA.PValue > 0.01 || got.PBO.Value > 0.05 {
		t.Errorf("skill isn't found: %+v, %+v", got.SPA, got.PBO)
	}
	column := tracks.Column(1)
	sharpe := got.Rows[1].Figures.Get("sharpe")
	value, _ := sharpe.Value.Float()
	from, _ := sharpe.From.Float()
	to, _ := sharpe.To.Float()
	if want := stat.Mean(column, nil) / stat.StdDev(column, nil) * math.Sqrt(252); math.Abs(value-want) > 1e-9 ||
		from >= value || to <= value {
		t.Errorf("Sharpe ratio %v from %v to %v, want %v", value, from, to, want)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var shape struct {
		Rows []struct {
			Name     string
			Figures  map[string]map[string]float64
			PSR, DSR *float64
			Trials   int
		}
		Pairs []struct {
			A, B       string
			Difference *float64 `json:"sharpe_difference"`
			LW         struct {
				Kernel              string
				Bandwidth, SE, Z, P *float64
				Holm                *float64 `json:"p_holm"`
			}
			JKM       struct{ Z, P *float64 }
			Bootstrap struct{ From, To *float64 }
		}
		PBO struct {
			S            int
			Value        *float64
			Combinations int
		}
	}
	if err := json.Unmarshal(text, &shape); err != nil {
		t.Fatal(err)
	}
	p := shape.Pairs[0]
	if p.LW.Holm == nil || math.Abs(*p.LW.Holm-min(1, 3**p.LW.P)) > 1e-15 && math.Abs(*p.LW.Holm-min(1, 2**p.LW.P)) > 1e-15 {
		t.Errorf("p %v is %v by Holm, want twice or three times as much", p.LW.P, p.LW.Holm)
	}
	if len(got.Notes) != 0 {
		t.Errorf("notes of 400 independent periods: %q", got.Notes)
	}
	if shape.Rows[0].Trials != 3 || shape.Rows[0].DSR == nil || p.A != "s0" || p.B != "s1" || p.LW.Kernel != "parzen" ||
		p.LW.SE == nil || p.LW.Z == nil || p.LW.P == nil || p.LW.Bandwidth == nil || p.JKM.P == nil || p.Bootstrap.To == nil ||
		*p.Bootstrap.To > 0 || shape.PBO.S != 8 || shape.PBO.Combinations != 70 {
		t.Errorf("the shape is %s", text)
	}
}

// Equal tracks are one trial, cash is none, and what was looked at elsewhere counts.
func TestTrials(t *testing.T) {
	tracks := noise(2, 100, 3, 0)
	tracks.Returns.SetCol(2, tracks.Column(0))
	others := noise(3, 100, 4, 0)
	others.Returns.SetCol(0, make([]float64, 100))
	for _, c := range []struct {
		others []*Tracks
		trials int
		want   int
	}{{nil, 0, 2}, {[]*Tracks{others}, 0, 5}, {[]*Tracks{others, tracks}, 40, 40}} {
		got, err := Run(t.Context(), tracks, daily, Settings{Trials: c.trials, Resamples: 100}, c.others...)
		if err != nil {
			t.Fatal(err)
		}
		if got.Rows[0].Trials != c.want {
			t.Errorf("%d trials, want %d", got.Rows[0].Trials, c.want)
		}
	}
	if got, err := Run(t.Context(), tracks, daily, Settings{Resamples: 100}); err != nil || len(got.Pairs[1].Notes) != 2 {
		t.Errorf("equal tracks give %v and %+v", err, got.Pairs[1])
	}
}

// Returns over windows that overlap, and few periods, are told of.
func TestDoubts(t *testing.T) {
	tracks := noise(4, 320, 2, 0, 0)
	overlapping := tracks.Column(1)
	for t := 319; t >= 20; t-- {
		overlapping[t] = stat.Mean(overlapping[t-19:t+1], nil)
	}
	tracks.Returns.SetCol(1, overlapping)
	got, err := Run(t.Context(), tracks, daily, Settings{Resamples: 100})
	if err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "track s1: each return goes with the one before") {
		t.Errorf("%v, notes %q", err, got.Notes)
	}
	got, err = Run(t.Context(), noise(5, 60, 2, 0, 0), daily, Settings{Resamples: 100})
	if err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "60 periods are few") {
		t.Errorf("%v, notes %q", err, got.Notes)
	}
}

// A track without a Sharpe ratio has nulls with reasons; PBO can't do with it.
func TestFlatTrack(t *testing.T) {
	tracks := noise(4, 100, 3, 0)
	tracks.Returns.SetCol(1, make([]float64, 100))
	got, err := Run(t.Context(), tracks, daily, Settings{Resamples: 100})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil || len(got.Rows[1].Notes) == 0 || !strings.Contains(string(text), `"sharpe_difference":null`) {
		t.Errorf("%v, notes %v in %s", err, got.Rows[1].Notes, text)
	}
	_, err = Run(t.Context(), tracks, daily, Settings{Resamples: 100, Blocks: 4})
	if err == nil || !strings.Contains(err.Error(), "track s1 has the same return") {
		t.Errorf("PBO of a flat track gives %v", err)
	}
	for _, s := range []Settings{{Blocks: 3}, {Blocks: 26}, {Block: 0.5}, {Against: "t1"}} {
		if _, err := Run(t.Context(), tracks, daily, s); err == nil || !strings.HasPrefix(err.Error(), "-") {
			t.Errorf("%+v gives %v", s, err)
		}
	}
}

func TestCover(t *testing.T) {
	returns := noise(5, 600, 1, 0).Column(0)
	c, err := cover(returns, 0.95, 250)
	if err != nil || c.Periods != 350 || c.Kupiec.PValue < 0.01 {
		t.Errorf("independent returns: %+v, %v", c, err)
	}
	for i := 400; i < 600; i++ {
		returns[i] *= 5
	}
	if c, err = cover(returns, 0.95, 250); err != nil || c.Kupiec.PValue > 1e-4 {
		t.Errorf("a rise of risk: %+v, %v", c, err)
	}
	if _, err = cover(returns[:260], 0.95, 250); err == nil {
		t.Error("ten periods are tested")
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFolder(dir); err == nil || !strings.Contains(err.Error(), "holds no run") {
		t.Errorf("an empty folder gives %v", err)
	}
	a, b := makeRun(t, filepath.Join(dir, "a"), 1, "0.1", "a\n0.01\n0.02\n"), makeRun(t, filepath.Join(dir, "nested", "b"), 2, "0.5", "")
	for _, f := range []*Folder{a, b} {
		if len(f.Notes) > 0 {
			t.Errorf("notes %v", f.Notes)
		}
	}
	if a.Tracks == nil || a.Tracks.PeriodsPerYear != 365 || b.Tracks != nil {
		t.Errorf("tracks %+v and %+v", a.Tracks, b.Tracks)
	}
	config, data, summary := Differences([]*Folder{a, b})
	if len(config) != 1 || config[0].Key != "beta" || config[0].Values[1] != "0.5" {
		t.Errorf("configurations differ by %v", config)
	}
	if len(data) == 0 || data[len(data)-1].Key != "seed" && data[len(data)-2].Key != "seed" {
		t.Errorf("data differ by %v", data)
	}
	if len(summary) != 2 || summary[1].Key != "r2" {
		t.Errorf("figures %v", summary)
	}
	if err := os.WriteFile(filepath.Join(dir, "a", "returns.csv"), []byte("a\n0.01\n0.03\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err := ReadFolder(filepath.Join(dir, "a")); err != nil || len(f.Notes) != 1 {
		t.Errorf("a changed file gives %v, %v", f, err)
	}
	entries, err := List(dir)
	if err != nil || len(entries) != 2 || entries[1].Path != "nested/b" || entries[0].State != Finished ||
		entries[0].Verb != "pipeline" || entries[0].ConfigHash == entries[1].ConfigHash {
		t.Errorf("listed are %+v, %v", entries, err)
	}
	if x, ok := entries[0].Figures.Get("r2"); !ok || x != 0.9 {
		t.Errorf("key figures %+v", entries[0].Figures)
	}
	if err := os.WriteFile(filepath.Join(dir, "a", "manifest.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if entries, err = List(dir); err != nil || entries[0].State != Damaged || entries[0].Note == "" {
		t.Errorf("a damaged run is %+v, %v", entries, err)
	}
	if _, err := List(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing folder is no error")
	}
}
