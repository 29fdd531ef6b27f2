package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/simplex"
)

// A file of limits and flags -limit stand in place of what holds for all assets, the flag
// before the file.
func TestLimits(t *testing.T) {
	file := write(t, "limits.csv", "symbol,lower,upper,note\nA,0.02,0.05,x\nB,,0.1,\nC,,,\n")
	for _, c := range []struct {
		args         []string
		lower, upper []float64
	}{
		{[]string{"-limits", file}, []float64{0.02, 0, 0, 0}, []float64{0.05, 0.1, 1, 1}},
		{[]string{"-limits", file, "-max-weight=0.6", "-lower=0.01"}, []float64{0.02, 0.01, 0.01, 0.01}, []float64{0.05, 0.1, 0.6, 0.6}},
		{[]string{"-limits", file, "-limit=A=0.3"}, []float64{0.02, 0, 0, 0}, []float64{0.3, 0.1, 1, 1}},
		{[]string{"-limits", file, "-limit=B>=0.07", "-limit", "D=0:0.9"}, []float64{0.02, 0.07, 0, 0}, []float64{0.05, 0.1, 1, 0.9}},
		{[]string{"-max-weight=0.3", "-limit=A=0.5,B<=0.2"}, []float64{0, 0, 0, 0}, []float64{0.5, 0.2, 0.3, 0.3}},
		{[]string{"-limit=A=-0.2:1.1"}, []float64{-0.2, 0, 0, 0}, []float64{1.1, 1, 1, 1}},
	} {
		var got simplex.Set
		code, _, stderr := execute(limited(symbols, &got), c.args...)
		if code != 0 || !slices.Equal(got.Lower, c.lower) || !slices.Equal(got.Upper, c.upper) {
			t.Errorf("%v: exit code %d, %v to %v, want %v to %v\n%s", c.args, code, got.Lower, got.Upper, c.lower, c.upper, stderr)
		}
		if said := strings.Contains(stderr, "passed over: note"); said != slices.Contains(c.args, file) {
			t.Errorf("%v: stderr %q", c.args, stderr)
		}
	}
}

// The configuration of a run tells the limits, not the file, and repeats the run.
func TestLimitsAreRecorded(t *testing.T) {
	type config = struct {
		Constraints
		Common
	}
	var text []byte
	var got simplex.Set
	v := Verb[config]{Name: "limit", Run: func(_ context.Context, c *config, io *IO) (err error) {
		text = io.Config()
		got, err = c.Set(io, []string{"A=X", "B, C", "D"})
		return err
	}}
	file := write(t, "limits.csv", "symbol,lower,upper\nA=X,0.02,0.05\n\"B, C\",0.3,\nD,,0.9\n")
	if code, _, stderr := execute(v, "-limits", file); code != 0 {
		t.Fatal(stderr)
	}
	want := got
	if strings.Contains(string(text), file) {
		t.Errorf("the file is recorded:\n%s", text)
	}
	again := write(t, "again.toml", string(text))
	if code, _, stderr := execute(v, "-config", again); code != 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("exit code %d, %+v, want %+v\n%s", code, got, want, stderr)
	}
	other := write(t, "other.csv", "symbol,upper\nD,0.7\n")
	if code, _, stderr := execute(v, "-config", again, "-limits", other); code != 0 || got.Upper[0] != 1 || got.Upper[2] != 0.7 {
		t.Errorf("exit code %d: another file doesn't take the place of what was recorded: %+v\n%s", code, got, stderr)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := execute(v, "-config", again); code != 0 {
		t.Errorf("without the file: %s", stderr)
	}
}

func TestBadLimits(t *testing.T) {
	file := func(text string) string { return write(t, "l.csv", "symbol,lower,upper\n"+text) }
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown", []string{"-limit=E=0.1"}, 1, "-limit: symbol E is none of the 4 assets: take the limit out"},
		{"misspelt", []string{"-limits", write(t, "m.csv", "ticker,max\nA,1\nbtc-usdt,0.1\n")}, 1, "m.csv:3: symbol btc-usdt is none of the 4 assets"},
		{"twice", []string{"-limit=A=0.1,A=0.2"}, 2, "A is given twice"},
		{"NaN", []string{"-limit=A=NaN"}, 2, `has the limit "NaN", which is not a finite number`},
		{"percent", []string{"-limit=A=5%"}, 2, `has the limit "5%", which is not a finite number: 0.05?: write SYM=X`},
		{"in percent", []string{"-limit=A=5"}, 2, "-limit A=5: without short positions (-lower) no weight exceeds 1, so that 5 is no limit: a share: 0.05?"},
		{"file in percent", []string{"-limits", file("B,,\nA,0,5\n")}, 1, "l.csv:3: without short positions no weight exceeds 1, so that 5 is no limit of A: a share: 0.05?"},
		{"turned round", []string{"-limit=A=0.3:0.2"}, 2, "a lower end above the upper one"},
		{"file turned round", []string{"-limits", file("A,0.3,0.2\n")}, 1, "l.csv:2: A is to be at least 0.3 and at most 0.2"},
		{"flag against file", []string{"-limits", file("A,0.3,0.4\n"), "-limit=A=0.1"}, 2, "-limit A=0.1 leaves A at least 0.3 and at most 0.1"},
		{"no limit", []string{"-limit=A"}, 2, `"A" names no limit: write SYM=X, or SYM=LO:HI`},
		{"no symbol", []string{"-limit=<=1"}, 2, "names no symbol"},
		{"floors too high", []string{"-limit=A>=0.7,B>=0.6"}, 1, "sum to 1.3, above 1: lower some of them, such as 0.7 of A"},
		{"caps too low", []string{"-max-weight=0.3", "-limit=A=0.05"}, 1, "the upper bounds of 4 assets sum to 0.95, below 1"},
		{"above the cap of all", []string{"-max-weight=0.3", "-limit=A>=0.5"}, 1, "A is to be at least 0.5 and at most 0.3"},
		{"short and minimum", []string{"-min-weight=0.1", "-limit=A=-0.1:0.5"}, 2, "-min-weight allows no short positions"},
		{"below the minimum", []string{"-min-weight=0.1", "-limit=A=0.01:0.05"}, 1, "A is to be at least 0.01 and at most 0.05, below the minimum weight 0.1"},
		{"no file", []string{"-limits", filepath.Join(t.TempDir(), "none.csv")}, 1, "none.csv: no such file or folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := execute(limited(symbols, nil), c.args...)
			if code != c.code || !strings.HasPrefix(stderr, "limit: ") || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, stderr, c.code, c.want)
			}
		})
	}
}

func TestLimitsThatAreToldOf(t *testing.T) {
	for want, args := range map[string][]string{
		"-limit changes nothing":     {"-limit=A=1"},
		"never held, as the largest": {"-min-weight=0.2", "-limit=A=0.1"},
	} {
		code, _, stderr := execute(limited(symbols, nil), args...)
		if code != 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr)
		}
	}
}

// What a model's training left open is limited by asset all the same, and what was
// limited by asset there is kept unless a flag for all assets overrules it.
func TestLimitsBesideAModel(t *testing.T) {
	trained := &simplex.Set{N: 4, Symbols: symbols, Lower: []float64{0, 0, 0, 0}, Upper: []float64{0.5, 0.1, 0.5, 0.5}}
	for _, c := range []struct {
		args  []string
		upper []float64
		want  string
	}{
		{nil, []float64{0.5, 0.1, 0.5, 0.5}, "weights of at most 0.1 to 0.5"},
		{[]string{"-limit=A=0.2"}, []float64{0.2, 0.1, 0.5, 0.5}, "holds each asset to its own"},
		{[]string{"-max-weight=0.4"}, []float64{0.4, 0.4, 0.4, 0.4}, "in place of the limits that single assets had"},
	} {
		var got simplex.Set
		v := Verb[KeptConstraints]{Name: "kept", Run: func(_ context.Context, k *KeptConstraints, io *IO) (err error) {
			got, err = k.Set(io, symbols, trained)
			return err
		}}
		code, _, stderr := execute(v, c.args...)
		if code != 0 || !slices.Equal(got.Upper, c.upper) || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, %v, stderr %q", c.args, code, got.Upper, stderr)
		}
	}
	if !slices.Equal(trained.Upper, []float64{0.5, 0.1, 0.5, 0.5}) {
		t.Errorf("the model's own set is changed: %v", trained.Upper)
	}
	short := KeptConstraints{AssetLimits: AssetLimits{Limit: []string{"A=-0.1:0.2"}}}
	if err := short.CheckHead(true); err == nil || !strings.Contains(err.Error(), "-limit below 0: this model's portfolios") {
		t.Errorf("a short limit of a model without short positions: %v", err)
	}
}

// A limit that is taken is written so that it is read the same.
func FuzzLimit(f *testing.F) {
	for _, text := range []string{"A=0.1", "A=X=0:1", "\"a, b\">=0.2", "x<=1e-3", "a<=:", "=", "A=0.2:0.1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := (&AssetLimits{Limit: []string{text}}).parsed()
		if err != nil {
			if !strings.Contains(err.Error(), "write SYM=X, or SYM=LO:HI") {
				t.Errorf("%q: the error %q doesn't say what to write", text, err)
			}
			return
		}
		if strings.Contains(all[0].symbol, `"`) {
			return // no symbol of a file has one
		}
		again, err := (&AssetLimits{Limit: []string{all[0].String()}}).parsed()
		if err != nil || again[0].symbol != all[0].symbol || again[0].lower != all[0].lower || again[0].upper != all[0].upper {
			t.Errorf("%q is read as %+v, which becomes %q and is read as %+v, %v", text, all[0], all[0].String(), again, err)
		}
	})
}
