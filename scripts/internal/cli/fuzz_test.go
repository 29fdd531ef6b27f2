package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a configuration file holds, the verb either takes it, and then what
// it writes back means the same, or says in one line what is wrong.
func FuzzTOML(f *testing.F) {
	for _, text := range []string{
		"", "share = 0.25\n", "names = ['a', \"b\"]\nfast = true", "depths = [1, 2.5e3]\nseed = 7", "tone = '''x'''",
		"[size]\nwidth = 1", "width = 0x1f", "path = 2020-01-01", "share = {a = 1}", "# only\n\n", "a.b.c = 1", "[[x]]", "names = []",
		"path = \"\\u0000\"", "share = 1_0.5", "\xff", "width = [1]\r\nshare = nan",
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "c.toml")
		save := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		save(text)
		var first, second config
		var written []byte
		v := verb(&first, func(_ context.Context, io *IO) error { written = io.Config(); return nil })
		code, _, stderr := execute(v, "-path=a", "-config", path)
		switch {
		case code == exitUsage && strings.HasPrefix(stderr, "try: ") && strings.Count(stderr, "\n") == 1:
		case code == exitDone:
			save(string(written))
			if code, _, stderr := execute(verb(&second, nil), "-config", path); code != exitDone {
				t.Fatalf("%q is taken, what it writes is not: %s%s", text, stderr, written)
			}
			first.Common, second.Common = Common{Seed: first.Seed}, Common{Seed: second.Seed}
			first.Out, second.Out = "", ""
			if len(first.Names) == 0 && len(second.Names) == 0 {
				first.Names, second.Names = nil, nil
			}
			compare(t, second, first)
		default:
			t.Fatalf("%q: exit code %d, stderr %q", text, code, stderr)
		}
	})
}

// Caps may be written as inequalities.
func TestCapsAsInequalities(t *testing.T) {
	for text, want := range map[string]string{
		"L1=0.4": "L1 -Inf 0.4", "L1<=0.4": "L1 -Inf 0.4", "L1>=0.2": "L1 0.2 1", "a<b=0.3": "a<b -Inf 0.3", "L1 <= 0.4": "L1 -Inf 0.4",
		"L1<=0.1:0.4": "L1< 0.1 0.4",
	} {
		group, err := ParseCap(text)
		if got := fmt.Sprint(group.Name, " ", group.Lo, " ", group.Hi); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	if _, err := ParseCap("<=1"); err == nil {
		t.Error("a cap without a name is fine")
	}
}

// A cap that is taken is a finite upper limit, at least as large as the lower.
func FuzzSectorCap(f *testing.F) {
	for _, text := range []string{"L1=0.35", "a=b=1", "x=0.1:0.2", "=1", "x=", "x=:", "x=1:0", "x=nan", "x= 1 : 2 ", "\"a, b\"=1", "\"=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		group, err := ParseCap(text)
		if err != nil {
			if !strings.Contains(err.Error(), "write NAME=X") {
				t.Errorf("%q: the error %q doesn't say what to write", text, err)
			}
			return
		}
		if group.Lo > group.Hi || group.Hi != group.Hi || !strings.Contains(text, group.Name) {
			t.Errorf("%q becomes %+v", text, group)
		}
	})
}
