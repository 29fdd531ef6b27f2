package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vaefolio/vaelib/run"
)

// tone is a value with a text form of its own.
type tone struct{ name string }

func (t tone) MarshalText() ([]byte, error) { return []byte(t.name), nil }

func (t *tone) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("a tone needs a name")
	}
	t.name = string(text)
	return nil
}

// size stands for a group that another package defines.
type size struct {
	Width  int       `flag:"width" range:"[1,100]" unit:"cm" help:"how wide"`
	Depths []float64 `flag:"depths" range:"[0,inf)" help:"how deep"`
}

type config struct {
	Common
	Size   size
	Path   string   `flag:"path" unit:"FILE" required:"true" help:"what to read"`
	Share  float64  `flag:"share" range:"(0,1)" help:"how much of it"`
	Side   string   `flag:"side" choice:"left|right" default:"left" help:"where"`
	Target *float64 `flag:"target" unit:"per period" help:"what to reach"`
	Tone   tone     `flag:"tone" default:"c" help:"how it sounds"`
	Names  []string `flag:"names" help:"of whom"`
	Fast   bool     `flag:"fast" help:"in a hurry"`
	Out    string   `flag:"out" record:"-" help:"where to"`
}

func (c *config) Validate() error {
	if len(c.Names) == 3 {
		return errors.New("three are a crowd")
	}
	return nil
}

// verb returns a verb that hands its configuration to seen.
func verb(seen *config, work func(ctx context.Context, io *IO) error) Verb[config] {
	return Verb[config]{
		Name: "try", Summary: "tries things", Example: "try -path a.csv",
		Default: config{Share: 0.5, Size: size{Width: 10, Depths: []float64{1, 2}}},
		Presets: map[string]func(*config){
			"full":  func(*config) {},
			"quick": func(c *config) { c.Share = 0.1; c.Size.Width = 5 },
		},
		Run: func(ctx context.Context, c *config, io *IO) error {
			if seen != nil {
				*seen = *c
			}
			if work == nil {
				return nil
			}
			return work(ctx, io)
		},
	}
}

// execute returns exit code, stdout and stderr of a verb.
func execute[C any](v Verb[C], args ...string) (int, string, string) {
	var stdout, stderr bytes.Buffer
	code := v.Execute(context.Background(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestValues(t *testing.T) {
	target := -0.01
	plain := config{
		Common: Common{Seed: 1}, Size: size{Width: 10, Depths: []float64{1, 2}},
		Path: "a", Share: 0.5, Side: "left", Tone: tone{"c"},
	}
	for _, c := range []struct {
		name string
		args []string
		want func(*config)
	}{
		{"defaults", nil, func(c *config) {}},
		{"two dashes and equals", []string{"--share=0.25", "-side", "right"}, func(c *config) { c.Share = 0.25; c.Side = "right" }},
		{"the last counts", []string{"-share", "0.2", "-share", "0.3"}, func(c *config) { c.Share = 0.3 }},
		{"boolean", []string{"-fast", "-quiet=true"}, func(c *config) { c.Fast = true; c.Quiet = true }},
		{"negative value", []string{"-target", "-0.01"}, func(c *config) { c.Target = &target }},
		{"group", []string{"-width", "7"}, func(c *config) { c.Size.Width = 7 }},
		{"lists", []string{"-names", "a, b", "-depths=3"}, func(c *config) { c.Names = []string{"a", "b"}; c.Size.Depths = []float64{3} }},
		{"repeated list", []string{"-names", "a", "-names=b"}, func(c *config) { c.Names = []string{"a", "b"} }},
		{"empty list", []string{"-depths", ""}, func(c *config) { c.Size.Depths = []float64{} }},
		{"text", []string{"-tone", "d"}, func(c *config) { c.Tone.name = "d" }},
		{"large seed", []string{"-seed", "18446744073709551615"}, func(c *config) { c.Seed = 1<<64 - 1 }},
		{"preset", []string{"-preset", "quick"}, func(c *config) { c.Preset = "quick"; c.Share = 0.1; c.Size.Width = 5 }},
		{"flag over preset", []string{"-share=0.9", "-preset=quick"}, func(c *config) { c.Preset = "quick"; c.Share = 0.9; c.Size.Width = 5 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got config
			code, _, stderr := execute(verb(&got, nil), append([]string{"-path", "a"}, c.args...)...)
			if code != 0 || stderr != "" {
				t.Fatalf("exit code %d, stderr %q", code, stderr)
			}
			want := plain
			c.want(&want)
			compare(t, got, want)
		})
	}
}

func compare(t *testing.T, got, want config) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{}, tone{})); diff != "" {
		t.Errorf("configuration differs (-want +got):\n%s", diff)
	}
}

func TestWrongUsage(t *testing.T) {
	file := func(text string) string { return write(t, "c.toml", text) }
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown flag", []string{"-sahre", "1"}, "unknown flag -sahre: did you mean share?"},
		{"unknown flag unlike any", []string{"--zzzzzz=1"}, "unknown flag -zzzzzz"},
		{"no value", []string{"-share"}, "-share needs a value: how much of it"},
		{"flag for a value", []string{"-side", "-fast"}, "-side needs a value: where"},
		{"flag with value for a value", []string{"-out", "--share=0.1"}, "-out needs a value: where to"},
		{"leftover", []string{"more"}, `leftover argument "more"`},
		{"boolean with a word", []string{"-fast", "yes"}, `leftover argument "yes"`},
		{"not a boolean", []string{"-fast=perhaps"}, `-fast: "perhaps" is not true or false`},
		{"not a number", []string{"-share", "half"}, `-share: "half" is not a finite number`},
		{"percent", []string{"-share", "40%"}, `-share: "40%" is not a finite number: 0.4?`},
		{"decimal comma", []string{"-share", "0,25"}, `-share: "0,25" is not a finite number: 0.25?`},
		{"percent with a comma", []string{"-share", "2,5 %"}, `-share: "2,5 %" is not a finite number`},
		{"NaN", []string{"-target", "NaN"}, `-target: "NaN" is not a finite number`},
		{"infinite", []string{"-depths", "1,Inf"}, `-depths: "Inf" is not a finite number`},
		{"overflow", []string{"-share", "1e999"}, `-share: "1e999" is not a finite number`},
		{"fraction", []string{"-width", "1.5"}, `-width: "1.5" is not a whole number`},
		{"thousands", []string{"-width", "1k"}, `-width: "1k" is not a whole number: 1000?`},
		{"thousands apart", []string{"-seed", "1,000"}, `-seed: "1,000" is not a whole number of at least 0: 1000?`},
		{"an exponent", []string{"-width", "1e3"}, `-width: "1e3" is not a whole number: 1000?`},
		{"huge", []string{"-width", "99999999999999999999"}, "not a whole number that fits"},
		{"negative seed", []string{"-seed", "-1"}, `-seed: "-1" is not a whole number of at least 0`},
		{"closed range", []string{"-width", "101"}, "-width: 101 lies outside [1,100]"},
		{"open range", []string{"-share", "1"}, "-share: 1 lies outside (0,1)"},
		{"range of elements", []string{"-depths", "-1"}, "-depths: -1 lies outside [0,inf)"},
		{"choice", []string{"-side", "rihgt"}, `-side: "rihgt" is not one of left, right: did you mean right?`},
		{"text", []string{"-tone", ""}, "-tone: a tone needs a name"},
		{"preset", []string{"-preset", "quik"}, `-preset: "quik" is not one of full, quick: did you mean quick?`},
		{"a list of nothing", []string{"-names", ","}, `-names "," names nothing: leave it out, or name something`},
		{"an empty list that is none anyway", []string{"-names", " "}, `-names " " names nothing`},
		{"a list with a default, of nothing", []string{"-depths", ", ,"}, `-depths ", ," names nothing`},
		{"a variable without a value", []string{"-out", ""}, "-out is empty: leave it out, or give a value"},
		{"check", []string{"-names", "a,b,c"}, "three are a crowd"},
		{"unknown key", []string{"-config", file("share = 0.5\n\nwidht = 3\n")}, "c.toml:3: unknown key widht: did you mean width?"},
		{"table", []string{"-config", file("share = 0.5\n[size]\nwidth = 3\n")}, "c.toml:2: unknown key size"},
		{"dotted key", []string{"-config", file("size.width = 3\n")}, "c.toml:1: unknown key size.width"},
		{"config in config", []string{"-config", file("config = 'x'\n")}, "c.toml:1: a configuration file can't name another"},
		{"text for a number", []string{"-config", file("# a\nshare = '0.5'\n")}, "c.toml:2: share: want a number, not a text"},
		{"number for a text", []string{"-config", file("side = 1\n")}, "c.toml:1: side: want a text in quotes, not a whole number"},
		{"fraction for an integer", []string{"-config", file("width = 1.5\n")}, "c.toml:1: width: want a whole number, not a number with a fraction"},
		{"list for one", []string{"-config", file("share = [0.5]\n")}, "c.toml:1: share: want a number, not a list"},
		{"table for a list", []string{"-config", file("names = {a = 1}\n")}, "c.toml:1: names: want a list of which each is a text in quotes, not a table"},
		{"time for a number", []string{"-config", file("share = 12:00:00\n")}, "c.toml:1: share: want a number, not a time"},
		{"range in a file", []string{"-config", file("share = 2.0\n")}, "c.toml:1: share: 2 lies outside (0,1)"},
		{"infinite in a file", []string{"-config", file("share = inf\n")}, "is not a finite number"},
		{"preset in a file", []string{"-config", file("preset = 'slow'\n")}, "-preset: \"slow\" is not one of"},
		{"syntax", []string{"-config", file("share = 0.5\nwidth 3\n")}, "c.toml:2:7: "},
		{"repeated key", []string{"-config", file("share = 0.5\nshare = 0.6\n")}, "share"},
		{"binary file", []string{"-config", file("\x00\x01\xff")}, "c.toml:1:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := execute(verb(nil, nil), append([]string{"-path", "a"}, c.args...)...)
			if code != 2 || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			if !strings.HasPrefix(stderr, "try: ") || !strings.Contains(stderr, c.want) || !strings.HasSuffix(stderr, "(try -h lists all flags)\n") {
				t.Errorf("stderr %q, want %q", stderr, c.want)
			}
			if strings.Count(stderr, "\n") != 1 {
				t.Errorf("stderr %q is not one line", stderr)
			}
		})
	}
	t.Run("required", func(t *testing.T) {
		code, _, stderr := execute(verb(nil, nil))
		if want := "try: -path FILE is missing: what to read (try -h lists all flags)\n"; code != 2 || stderr != want {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	})
	t.Run("no presets", func(t *testing.T) {
		v := verb(nil, nil)
		v.Presets = nil
		code, _, stderr := execute(v, "-path=a", "-preset=quick")
		if code != 2 || !strings.Contains(stderr, "try has no presets") {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	})
}

// An input in the folder of the results is refused, whatever links lead there.
func TestInputInTheFolderOfResults(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"out/sub", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"link": "out", "other/back": "../out/sub"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, c := range []struct {
		path, out string
		refused   bool
	}{
		{"out", "out", true}, {"out/a.csv", "out", true}, {"out/sub/a.csv", "./out/", true}, {"link/a.csv", "out", true},
		{"out/a.csv", "link", true}, {"other/back/a.csv", "out", true}, {dir + "/out/a.csv", "out", true}, {"a.csv", ".", true},
		{"other/a.csv", "out", false}, {"out.csv", "out", false}, {"out", "out/sub", false}, {"out/a.csv", "", false},
	} {
		code, _, stderr := execute(verb(nil, nil), "-path", c.path, "-out", c.out)
		if refused := code == 2 && strings.Contains(stderr, "choose another -out"); refused != c.refused {
			t.Errorf("-path %s -out %q: exit code %d, %s", c.path, c.out, code, stderr)
		}
	}
	file := filepath.Join(dir, "out", "config.toml")
	if err := os.WriteFile(file, []byte("share = 0.5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := execute(verb(nil, nil), "-path", "a.csv", "-config", file, "-out", "out"); code != 0 {
		t.Errorf("the configuration of the run itself: exit code %d, %s", code, stderr)
	}
}

func TestMissingConfig(t *testing.T) {
	code, _, stderr := execute(verb(nil, nil), "-path=a", "-config", "none.toml")
	if code != 2 || !strings.HasPrefix(stderr, "try: -config: none.toml: no such file or folder") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// What can be no file of flags is refused before it is read: some have no end.
func TestConfigThatIsNone(t *testing.T) {
	dir := t.TempDir()
	pipe, long := filepath.Join(dir, "pipe"), filepath.Join(dir, "long")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(long, nil, 0o600), os.Truncate(long, 1<<40)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir: "is a folder", pipe: "is a pipe or a device", long: "no file of flags more than", "/dev/zero": "is a pipe or a device",
	} {
		code, _, stderr := execute(verb(nil, nil), "-path=a", "-config", path)
		if code != 2 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, stderr %q, want %q", path, code, stderr, want)
		}
	}
	if code, _, stderr := execute(verb(nil, nil), "-path=/dev/zero"); code != 2 || !strings.Contains(stderr, "-path /dev/zero is a device: give a file") {
		t.Errorf("input: exit code %d, stderr %q", code, stderr)
	}
}

// A file overrules the preset, which it may choose; flags overrule the file.
func TestOrder(t *testing.T) {
	path := write(t, "c.toml", "preset = 'quick'\nwidth = 20\nnames = ['a']\ntone = 'd'\n")
	var got config
	code, _, stderr := execute(verb(&got, nil), "-path=a", "-names=b", "-config", path)
	if code != 0 {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	if got.Share != 0.1 || got.Size.Width != 20 || len(got.Names) != 1 || got.Names[0] != "b" || got.Tone.name != "d" {
		t.Errorf("configuration %+v", got)
	}
}

// What a run writes as its configuration repeats the run.
func TestConfigRoundTrip(t *testing.T) {
	awkward := "a \"quote\", a \\ and\ta tab, <=, \u00e9 \u007f"
	args := []string{
		"-path", awkward, "-share=1e-7", "-depths=3,1e21,0.1", "-names=x,y", "-preset=quick", "-fast",
		"-seed=7", "-tone=d", "-out=there", "-target=-3",
	}
	var first, second config
	var text []byte
	keep := func(_ context.Context, io *IO) error { text = io.Config(); return nil }
	if code, _, stderr := execute(verb(&first, keep), args...); code != 0 {
		t.Fatal(stderr)
	}
	path := write(t, "config.toml", string(text))
	if code, _, stderr := execute(verb(&second, nil), "-config", path); code != 0 {
		t.Fatalf("%s\n%s", stderr, text)
	}
	first.Preset, first.Out, second.Config = "", "", ""
	compare(t, second, first)

	wide, err := os.ReadFile("testdata/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := execute(verb(nil, keep), "-path=a.csv", "-names=x,y"); code != 0 {
		t.Fatal(stderr)
	}
	if diff := cmp.Diff(string(wide), string(text)); diff != "" {
		t.Errorf("config.toml differs (-want +got):\n%s", diff)
	}
}

// The command spells what is not the default, so that a shell reads it back.
func TestCommand(t *testing.T) {
	args := []string{
		"-path", "my file's.csv", "-share=0.25", "-target", "-0.5", "-names", `a,"b, c"`, "-fast", "-depths", "", "-side=right", "-out", "x", "-quiet",
	}
	command := func(args ...string) (config, string) {
		var got config
		var text string
		code, _, stderr := execute(verb(&got, func(_ context.Context, io *IO) error { text = io.Command(); return nil }), args...)
		if code != 0 {
			t.Fatal(stderr)
		}
		return got, text
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "scripts", "try"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	want, text := command(args...)
	if want := `go run ./scripts/try -depths= -path 'my file'\''s.csv' -share 0.25 -side right -target=-0.5 -names 'a,"b, c"' -fast -out again`; text != want {
		t.Errorf("the command is\n%s, want\n%s", text, want)
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	words, err := exec.Command(shell, "-c", strings.Replace(text, "go run ./scripts/try", `printf '%s\n'`, 1)).Output()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := command(strings.Split(strings.TrimSuffix(string(words), "\n"), "\n")...)
	got.Out, got.Quiet = want.Out, want.Quiet
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tone{})); diff != "" {
		t.Errorf("the command repeats another run (-want +got):\n%s", diff)
	}
	// Elsewhere than in the repository's root, where the command is for, a relative
	// path leads nowhere.
	elsewhere := t.TempDir()
	t.Chdir(elsewhere)
	if _, text := command("-path", "sub/p.csv"); !strings.Contains(text, "-path "+quoted(filepath.Join(elsewhere, "sub", "p.csv"))) {
		t.Errorf("the command is %s", text)
	}
}

// A choice that is not made is not set in the configuration either.
func TestConfigOfNoChoice(t *testing.T) {
	type order struct {
		Common
		Dates string `flag:"dates" choice:"dmy|mdy" help:"their order"`
		Fast  bool   `flag:"fast" help:"in a hurry"`
	}
	var text []byte
	v := Verb[order]{Name: "try", Run: func(_ context.Context, _ *order, io *IO) error { text = io.Config(); return nil }}
	if code, _, stderr := execute(v, "-fast"); code != 0 || !strings.Contains(string(text), "# dates is not set") {
		t.Fatalf("exit code %d, %s\n%s", code, stderr, text)
	}
	first := string(text)
	if code, _, stderr := execute(v, "-config", write(t, "c.toml", first)); code != 0 || string(text) != first {
		t.Errorf("from its own configuration: exit code %d, %s", code, stderr)
	}
}

// What matters only with a flag is recorded with it, and in a verb without it.
func TestRecordedWithAFlag(t *testing.T) {
	type shared struct {
		Depth int `flag:"depth" default:"3" record:"deep" help:"how deep"`
	}
	type config struct {
		Shared shared
		Deep   bool `flag:"deep" record:"deep" help:"not at the surface"`
	}
	var text string
	v := Verb[config]{Name: "try", Run: func(_ context.Context, _ *config, io *IO) error { text = string(io.Config()); return nil }}
	for _, c := range []struct {
		args []string
		want bool
	}{{nil, false}, {[]string{"-depth=4"}, false}, {[]string{"-deep", "-depth=4"}, true}} {
		if code, _, stderr := execute(v, c.args...); code != 0 {
			t.Fatal(stderr)
		}
		if strings.Contains(text, "depth = 4\n") != c.want || strings.Contains(text, "deep = true\n") != c.want || strings.Contains(text, "how deep") != c.want {
			t.Errorf("%v is recorded as\n%s", c.args, text)
		}
	}
	without := Verb[shared]{Name: "try", Run: func(_ context.Context, _ *shared, io *IO) error { text = string(io.Config()); return nil }}
	if code, _, stderr := execute(without); code != 0 || !strings.Contains(text, "depth = 3\n") {
		t.Errorf("a verb without the flag: %s\n%s", stderr, text)
	}
}

func TestHelp(t *testing.T) {
	want, err := os.ReadFile("testdata/help.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-h", "--help"} {
		code, stdout, stderr := execute(verb(nil, nil), "-share", "0.1", flag, "-unknown")
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", flag, code, stderr)
		}
		if diff := cmp.Diff(string(want), stdout); diff != "" {
			t.Errorf("help differs (-want +got):\n%s", diff)
		}
	}
}

// A choice that need not be made reads back as it was recorded, and as nothing
// else that is no choice.
func TestOptionalChoice(t *testing.T) {
	type config struct {
		Common
		Side string `flag:"side" choice:"left|right" help:"where"`
	}
	var text []byte
	v := Verb[config]{Name: "try", Run: func(_ context.Context, _ *config, io *IO) error { text = io.Config(); return nil }}
	if code, _, stderr := execute(v); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := execute(v, "-config", write(t, "config.toml", string(text))); code != 0 {
		t.Errorf("the configuration is refused: %s\n%s", stderr, text)
	}
	if code, _, _ := execute(v, "-side=up"); code != 2 {
		t.Errorf("another choice: exit code %d, want 2", code)
	}
}

// parts is a group whose fields stand in another order than its flags.
type parts struct {
	Late  int `flag:"late" after:"early"`
	Early int `flag:"early"`
	Lone  int `flag:"lone" after:"none"`
	End   int `flag:"end" after:"late"`
}

// Validate refuses what no caller has completed.
func (p *parts) Validate() error {
	if p.Lone == 0 {
		return errors.New("lone is 0")
	}
	return nil
}

// A flag stands where its tag says; a part that is embedded is validated, one that
// is named isn't.
func TestParts(t *testing.T) {
	var text string
	named := Verb[struct{ Parts parts }]{Name: "try", Run: func(_ context.Context, _ *struct{ Parts parts }, stream *IO) error {
		text = string(stream.Config())
		return nil
	}}
	if code := named.Execute(t.Context(), nil, io.Discard, io.Discard); code != 0 {
		t.Fatalf("a named part is validated: exit code %d", code)
	}
	var names []string
	for line := range strings.Lines(text) {
		if name, _, ok := strings.Cut(line, " = "); ok {
			names = append(names, name)
		}
	}
	if want := []string{"early", "late", "end", "lone"}; !slices.Equal(names, want) {
		t.Errorf("the flags are %v, want %v", names, want)
	}
	type Embedded = struct{ Parts }
	embedded := Verb[Embedded]{Name: "try", Run: func(context.Context, *Embedded, *IO) error { return nil }}
	var stderr bytes.Buffer
	if code := embedded.Execute(t.Context(), nil, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), "lone is 0") {
		t.Errorf("an embedded part: exit code %d, %q", code, stderr.String())
	}
}

// Parts are parts that can be embedded.
type Parts = parts

func TestPositional(t *testing.T) {
	type config struct {
		Action string   `arg:"ACTION" choice:"list|run" required:"true" help:"what to do"`
		Names  []string `arg:"NAME" help:"with which"`
		Fast   bool     `flag:"fast" help:"in a hurry"`
	}
	var got config
	v := Verb[config]{Name: "try", Run: func(_ context.Context, c *config, _ *IO) error { got = *c; return nil }}
	if code, _, stderr := execute(v, "run", "a", "-fast", "b", "--", "-c"); code != 0 {
		t.Fatal(stderr)
	}
	if diff := cmp.Diff(config{"run", []string{"a", "b", "-c"}, true}, got); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "ACTION is missing: what to do"},
		{[]string{"rnu"}, `ACTION: "rnu" is not one of list, run: did you mean run?`},
	} {
		if code, _, stderr := execute(v, c.args...); code != 2 || !strings.Contains(stderr, c.want) {
			t.Errorf("exit code %d, stderr %q, want %q", code, stderr, c.want)
		}
	}
	if _, stdout, _ := execute(v, "-h"); !strings.Contains(stdout, "Usage: try ACTION [NAME...] [flags]") {
		t.Errorf("help %q", stdout)
	}
}

func TestExitCodes(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		work   func(ctx context.Context, io *IO) error
		code   int
		stderr string
	}{
		{"failure", t.Context(), func(context.Context, *IO) error { return errors.New("a.csv:3: no\nprice") }, 1, "try: a.csv:3: no price\n"},
		{"usage", t.Context(), func(context.Context, *IO) error { return fmt.Errorf("so: %w", Usagef("x")) }, 2, "try: so: x (try -h lists all flags)\n"},
		{"no usage", t.Context(), func(context.Context, *IO) error { return Usage(nil) }, 0, ""},
		{"interrupted", ended, func(ctx context.Context, _ *IO) error { return ctx.Err() }, 130, "try: interrupted\n"},
		{"done in spite of it", ended, func(context.Context, *IO) error { return nil }, 0, ""},
		{"cancelled for another reason", t.Context(), func(context.Context, *IO) error { return context.Canceled }, 1, "try: context canceled\n"},
		{"panic", t.Context(), func(context.Context, *IO) error { panic("mat: bad shape") }, 1, "try: internal error: mat: bad shape; VAEFOLIO_TRACE=1 shows where\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := verb(nil, c.work).Execute(c.ctx, []string{"-path=a"}, &stdout, &stderr)
			if code != c.code || stderr.String() != c.stderr {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, &stderr, c.code, c.stderr)
			}
		})
	}
	t.Run("panic with trace", func(t *testing.T) {
		t.Setenv(traceVariable, "1")
		_, _, stderr := execute(verb(nil, func(context.Context, *IO) error { panic("here") }), "-path=a")
		if !strings.Contains(stderr, "cli_test.go") || !strings.HasSuffix(stderr, "try: internal error: here; VAEFOLIO_TRACE=1 shows where\n") {
			t.Errorf("stderr %q", stderr)
		}
	})
	t.Run("already done", func(t *testing.T) {
		dir := t.TempDir()
		work := func(_ context.Context, io *IO) error {
			r, err := run.Open(dir, run.Spec{Verb: "try", Config: io.Config()}, false)
			if err != nil {
				return err
			}
			defer r.Close()
			return r.Finish()
		}
		for i, want := range []string{"", "holds this run already, finished "} {
			code, _, stderr := execute(verb(nil, work), "-path=a")
			if code != 0 || !strings.Contains(stderr, want) || (i == 0) != (stderr == "") {
				t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
			}
		}
	})
	t.Run("result can't be written", func(t *testing.T) {
		v := verb(nil, func(_ context.Context, io *IO) error { fmt.Fprint(io.Stdout, "x"); return nil })
		var stderr bytes.Buffer
		if code := v.Execute(t.Context(), []string{"-path=a"}, brokenWriter{}, &stderr); code != 1 || stderr.String() != "try: writing the result: broken\n" {
			t.Errorf("exit code %d, stderr %q", code, &stderr)
		}
	})
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestBadDefinitionsPanic(t *testing.T) {
	expect := func(name, want string, f func()) {
		t.Helper()
		defer func() {
			if p := fmt.Sprint(recover()); !strings.HasPrefix(p, "cli: ") || !strings.Contains(p, want) {
				t.Errorf("%s: panic %q, want %q", name, p, want)
			}
		}()
		f()
	}
	type badRange struct {
		A int `flag:"a" range:"0-1"`
	}
	type badDefault struct {
		A int `flag:"a" default:"x"`
	}
	type badType struct {
		A chan int `flag:"a" default:"1"`
	}
	expect("range", "range 0-1", func() { Verb[badRange]{}.defaults() })
	expect("default", "default of a", func() { Verb[badDefault]{}.defaults() })
	expect("type", "no flag's", func() { Verb[badType]{}.defaults() })
}

type tree struct {
	Kind string `flag:"kind" default:"oak" help:"what grows"`
	Age  int    `flag:"age" help:"years"`
}

func (tree) Choices(flag string) []string {
	if flag == "kind" {
		return []string{"ash", "oak"}
	}
	return nil
}

// A struct can name the choices of its flags, also where it is a part of another.
func TestChooser(t *testing.T) {
	type forest struct{ Tree tree }
	_, flags := Verb[forest]{}.defaults()
	if got := flags.flag("kind"); !slices.Equal(got.choices, []string{"ash", "oak"}) {
		t.Errorf("choices %v", got.choices)
	}
	if got := flags.flag("age"); got.choices != nil {
		t.Errorf("choices %v of an age", got.choices)
	}
}
