// Package hostile gives the built verbs inputs that are wrong in every way that we
// could think of: each has to be refused, in one line, soon, and in little memory.
//
// .ci/run kill tries a fourth of them, .ci/run long all.
package hostile

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vaefolio/scripts/internal/clitest"
)

// Bounds of a refusal.
const (
	fewest     = 500       // inputs
	mostMemory = 256 << 10 // KiB above those that the verb takes to print its help
	mostTime   = 10        // seconds of the processor
	longest    = 5 * time.Minute

	mostAddresses = 6 << 20 // KiB
)

// variable asks for this test, and says of how many inputs one is tried: 1 is all.
const variable = "VAELIB_HOSTILE"

// bench is where inputs are tried.
type bench struct {
	programs string
	sound    string // the folder of what is damaged
	server   string // the address of an exchange that answers as its path says
	base     map[string]int64

	mu       sync.Mutex
	slowest  time.Duration
	slow     string
	largest  int64
	large    string
	refusals int
}

// outcome is how a process ended.
type outcome struct {
	code           int
	stdout, stderr string
	memory         int64         // KiB at the most
	lasted         time.Duration // of the processor
}

// try runs a verb in a folder of its own.
func (b *bench) try(t testing.TB, dir string, args []string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	limited := fmt.Sprintf(`ulimit -v %d; ulimit -t %d; exec "$@"`, mostAddresses, mostTime) // spares the machine
	c := exec.CommandContext(ctx, "sh", append([]string{"-c", limited, "sh", filepath.Join(b.programs, args[0])}, args[1:]...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "TMPDIR="+dir)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("the system doesn't tell what a process used")
	}
	return outcome{c.ProcessState.ExitCode(), stdout.String(), stderr.String(), usage.Maxrss,
		c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
}

// refuse checks that a case is refused as it should be.
func (b *bench) refuse(t *testing.T, c hostile) {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if c.make != nil {
		if err := c.make(b, in); err != nil {
			t.Fatal(err)
		}
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o777); err != nil {
		t.Fatal(err)
	}
	args := make([]string, 0, len(c.args)+1)
	for _, a := range c.args {
		args = append(args, strings.NewReplacer("SOUND", b.sound, "SERVER", b.server, "IN", in,
			"OUT", filepath.Join(work, "out")).Replace(a))
	}
	if c.args[0] != "notebooks" || len(args) > 1 {
		args = append(args, "-quiet")
	}
	o := b.try(t, work, args)
	said := strings.TrimSuffix(o.stderr, "\n")
	if o.code != 1 && o.code != 2 || !strings.HasPrefix(said, args[0]+": ") || strings.Contains(said, "\n") ||
		strings.Contains(said, "internal error") || strings.ContainsFunc(said, unprintable) {
		t.Errorf("%q: exit code %d after %v\n%.600s\n%.300s", args, o.code, o.lasted, o.stderr, o.stdout)
	}
	if len(said) > 1200 {
		t.Errorf("%q: the line has %d bytes: %.700s", args, len(said), said)
	}
	if raw := rawWords(said); raw != "" {
		t.Errorf("%q: %q are a program's words: %s", args, raw, said)
	}
	if above := o.memory - b.base[args[0]]; above > mostMemory {
		t.Errorf("%q: took %d MiB more than its help", args, above>>10)
	}
	if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
		t.Errorf("%q: left are %v (%v)", args, left, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals++
	if o.lasted > b.slowest {
		b.slowest, b.slow = o.lasted, c.name
	}
	if above := o.memory - b.base[args[0]]; above > b.largest {
		b.largest, b.large = above, c.name
	}
}

// unprintable says whether a terminal would do something else than show it.
func unprintable(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' }

// rawWords are such as Go's packages say, which tell no remedy.
func rawWords(said string) string {
	for _, words := range []string{"no such file or directory", " json: ", " toml: ", "strconv.", "unexpected EOF",
		"looking for beginning of value", "after top-level value", "runtime error", "is a directory", "mkdir ", "cannot unmarshal", "wsarecv", "dial tcp: lookup"} {
		if strings.Contains(said, words) {
			return words
		}
	}
	return ""
}

// TestHostile tries all cases.
func TestHostile(t *testing.T) {
	every, err := strconv.Atoi(os.Getenv(variable))
	if err != nil || every < 1 {
		t.Skipf("starts %d processes: %s=1, as .ci/run long says, asks for them, %s=4 for a fourth", len(cases()), variable,
			variable)
	}
	if runtime.GOOS != "linux" {
		t.Skip("other systems count a process's memory otherwise")
	}
	b := &bench{sound: filepath.Join(t.TempDir(), "sound"), base: map[string]int64{}}
	all := cases()
	if len(all) < fewest {
		t.Errorf("%d inputs, fewer than %d", len(all), fewest)
	}
	b.programs = clitest.Programs(t, filepath.Join(t.TempDir(), "bin"), verbs...)
	server := httptest.NewServer(http.HandlerFunc(answer))
	defer server.Close()
	b.server = server.URL
	b.prepare(t)
	for _, verb := range verbs {
		b.base[verb] = b.try(t, t.TempDir(), []string{verb, "-h"}).memory
	}
	t.Run("cases", func(t *testing.T) {
		for i, c := range all {
			if i%every != 0 {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b.refuse(t, c)
			})
		}
	})
	t.Logf("%d inputs of %d verbs refused; the longest took %v (%s), the largest %d MiB above the help's (%s)",
		b.refusals, len(verbs), b.slowest.Round(time.Millisecond), b.slow, b.largest>>10, b.large)
}

// copyWith copies a folder by links, but for one file that is made anew.
func copyWith(from, to, file string, bad func(sound []byte) []byte) error {
	return filepath.WalkDir(from, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		there := filepath.Join(to, name)
		switch {
		case d.IsDir():
			return os.MkdirAll(there, 0o777)
		case filepath.ToSlash(name) != file:
			return os.Link(at, there)
		}
		sound, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		return os.WriteFile(there, bad(sound), 0o666)
	})
}

// seeded is the source of a case, by its name.
func seeded(name string) *rand.Rand {
	var seed uint64
	for _, b := range []byte(name) {
		seed = seed*131 + uint64(b)
	}
	return rand.New(rand.NewPCG(seed, 1))
}

// hostile is one bad input.
type hostile struct {
	name string
	args []string // SOUND, SERVER, IN and OUT stand for paths and an address
	make func(b *bench, in string) error
}

// verbs are those that read something from outside.
var verbs = []string{"backtest", "compare", "corpus", "evaluate", "export", "fetch", "generate", "lab", "live", "notebooks",
	"optimize", "pipeline", "project", "runs", "sample", "stress", "sweep", "train", "verify", "xla", "bench"}

func fields(text string) []string {
	var args []string
	for _, a := range strings.Fields(text) {
		args = append(args, strings.ReplaceAll(a, "␣", " "))
	}
	return slices.Clip(args)
}

func mustRun(t testing.TB, b *bench, args string) {
	t.Helper()
	o := b.try(t, t.TempDir(), append(strings.Fields(strings.ReplaceAll(args, "SOUND", b.sound)), "-quiet"))
	if o.code != 0 {
		t.Fatalf("%s: exit code %d: %s", args, o.code, o.stderr)
	}
}

func answer(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if do := answers[name]; do != nil {
		do(w, r)
		return
	}
	fmt.Fprint(w, "{}")
}
