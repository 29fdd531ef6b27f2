package compare

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/run"
)

// put writes files of a folder by their slashed names.
func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// part makes a run that is one of many; it is finished or not.
func part(t *testing.T, dir string, finished bool) {
	t.Helper()
	r, err := run.Open(dir, run.Spec{Verb: "part", Seed: 1, Backend: "go"}, false)
	if err == nil {
		err = run.WriteJSON(r.Path("result.json"), 1)
	}
	if err == nil && finished {
		err = r.Finish()
	}
	if err == nil {
		err = r.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A sweep and a laboratory are one entry each, whose parts are counted; a plan that
// can't be read, or that names folders elsewhere, does no harm.
func TestListSweepsAndLaboratories(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{
		"damaged/sweep.json":                  "{",
		"lab/lab.json":                        "{}",
		"lab/worlds/notes.txt":                "mine",
		"notalab/lab.json":                    "{}",
		"notalab/worlds":                      "a file",
		"sweep/sweep.json":                    `{"runs":[{"id":"a"},{"id":"b"},{"id":"../lab"}]}`,
		"tested/deeper/backtest/summary.json": `{"windows":3,"strategies":[{"name":"x","sharpe":0.5},{"name":"y","sharpe":null},{"name":"z","sharpe":2}]}`,
		"whole/sweep.json":                    `{"runs":[{"id":"a"}]}`,
	})
	part(t, filepath.Join(dir, "lab", "worlds", "w1"), true)
	part(t, filepath.Join(dir, "lab", "worlds", "w2"), false)
	part(t, filepath.Join(dir, "sweep", "runs", "a"), true)
	part(t, filepath.Join(dir, "whole", "runs", "a"), true)
	r, err := run.Open(filepath.Join(dir, "tested", "deeper", "run"), run.Spec{Verb: "backtest"}, false)
	if err == nil {
		err = run.WriteFile(r.Path("summary.json"), func(w io.Writer) error {
			text, err := os.ReadFile(filepath.Join(dir, "tested", "deeper", "backtest", "summary.json"))
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		})
	}
	if err == nil {
		err = r.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	entries, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		verb, state string
		figure      string
		value       float64
	}{
		"damaged":           {"sweep", Damaged, "", 0},
		"lab":               {"lab", Unfinished, "worlds", 1},
		"notalab":           {"lab", Damaged, "", 0},
		"sweep":             {"sweep", Unfinished, "done", 1},
		"tested/deeper/run": {"backtest", Unfinished, "sharpe z", 2},
		"whole":             {"sweep", Finished, "done", 1},
	}
	if len(entries) != len(want) {
		t.Errorf("%d entries: %+v", len(entries), entries)
	}
	for _, e := range entries {
		w, ok := want[e.Path]
		x, has := e.Figures.Get(w.figure)
		if !ok || e.Verb != w.verb || e.State != w.state || has != (w.figure != "") || x != w.value || e.State == Damaged && e.Note == "" {
			t.Errorf("%+v, want %+v", e, w)
		}
		if e.Path == "tested/deeper/run" && strings.Join(e.Figures.Names, " ") != "windows sharpe z sharpe x" {
			t.Errorf("the strategies are %q", e.Figures.Names)
		}
		if e.Path == "lab" && (e.Started.IsZero() || e.Backend != "go") {
			t.Errorf("the laboratory's parts tell %+v", e)
		}
	}
	put(t, dir, map[string]string{"lab/summary.json": "{}", "notes": "mine"})
	if entries, err = List(dir); err != nil || entries[1].State != Finished {
		t.Errorf("with its summary the laboratory is %+v, %v", entries, err)
	}
	if _, err := List(filepath.Join(dir, "notes")); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file instead of a folder: %v", err)
	}
}

// dated are tracks over days of January 2024.
func dated(source string, names []string, days ...int) *Tracks {
	t := &Tracks{Source: source, Names: names, Returns: mat.NewDense(len(days), len(names), nil)}
	for range names {
		t.Sources = append(t.Sources, source)
	}
	for i, day := range days {
		t.Times = append(t.Times, time.Date(2024, 1, day, 0, 0, 0, 0, time.UTC))
		t.Returns.Set(i, 0, float64(day))
	}
	return t
}

func TestJoinNamesAndRefuses(t *testing.T) {
	if _, err := Join(nil); err == nil {
		t.Error("no tracks: no error")
	}
	alone := dated("a", []string{"x"}, 1, 2)
	if got, err := Join([]*Tracks{alone}); err != nil || got != alone {
		t.Errorf("a single file: %v", err)
	}
	monthly := dated("b", []string{"y"}, 1, 2)
	alone.PeriodsPerYear, monthly.PeriodsPerYear = 252, 12
	if _, err := Join([]*Tracks{alone, monthly}); err == nil || !strings.Contains(err.Error(), "compare tracks of one interval") {
		t.Errorf("two intervals: %v", err)
	}
	// Files of one name are told by their paths, and one file given twice by numbers.
	for want, sources := range map[string][2]string{
		"p/a.csv/x q/a.csv/x": {"p/a.csv", "q/a.csv"},
		"1/x 2/x":             {"p/a.csv", "p/a.csv"},
	} {
		got, err := Join([]*Tracks{dated(sources[0], []string{"x"}, 1, 2), dated(sources[1], []string{"x"}, 1, 2)})
		if err != nil || strings.Join(got.Names, " ") != want {
			t.Errorf("%v are joined as %+v, %v", sources, got, err)
		}
	}
}

// Days beside months, or beside days without weekends, are compounded; a hole is left out.
func TestJoinCalendars(t *testing.T) {
	var days, weekdays, months, holed strings.Builder
	for _, b := range []*strings.Builder{&days, &weekdays, &months, &holed} {
		b.WriteString("date,x\n")
	}
	const daily = 0.01
	end := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.AddDate(0, 0, 1) {
		line := fmt.Sprintf("%s,%v\n", at.Format(time.DateOnly), daily)
		days.WriteString(line)
		if d := at.Weekday(); d != time.Saturday && d != time.Sunday {
			weekdays.WriteString(line)
		}
		if at.AddDate(0, 0, 1).Day() == 1 {
			months.WriteString(line)
		}
		if at.Month() != time.February {
			holed.WriteString(line)
		}
	}
	all := read(t, days.String())
	for name, c := range map[string]struct {
		file    string
		periods int
		at      int
		want    float64
	}{
		"months":   {months.String(), 3, 0, math.Pow(1+daily, 29) - 1},
		"weekdays": {weekdays.String(), 86, 4, math.Pow(1+daily, 3) - 1}, // Monday, 8 January
		"a hole":   {holed.String(), 92, 31, daily},
	} {
		got, err := Join([]*Tracks{all, read(t, c.file)})
		if err != nil || got.Periods() != c.periods || math.Abs(got.Returns.At(c.at, 0)-c.want) > 1e-12 ||
			math.Abs(got.Returns.At(c.at, 1)-daily) > 1e-15 {
			t.Errorf("%s: %d periods, %v, %v", name, got.Periods(), got.Returns.RawRowView(c.at), err)
		}
	}
}

func TestOver(t *testing.T) {
	all := dated("a", []string{"x"}, 1, 2, 3, 4)
	part, whole := all.Over(dated("b", []string{"y"}, 2, 4))
	if !whole || part.Periods() != 2 || part.Returns.At(0, 0) != 2 || part.Returns.At(1, 0) != 4 {
		t.Errorf("over two of four days: %+v, %v", part, whole)
	}
	if _, whole = all.Over(dated("b", []string{"y"}, 2, 9)); whole {
		t.Error("a day that is missing is there")
	}
	plain := &Tracks{Returns: mat.NewDense(4, 1, nil)}
	if _, whole = all.Over(plain); whole {
		t.Error("tracks without times have the same")
	}
	if _, whole = plain.Over(&Tracks{Returns: mat.NewDense(4, 1, nil)}); !whole {
		t.Error("as many periods without times differ")
	}
	if _, whole = plain.Over(&Tracks{Returns: mat.NewDense(3, 1, nil)}); whole {
		t.Error("fewer periods without times are the same")
	}
}
