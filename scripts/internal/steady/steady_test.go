// Package steady lets long jobs run, and looks whether they take more and more of
// what there is: descriptors, memory, temporary files.
//
// .ci/run kill does so for a moment, .ci/run long over 300 runs of a sweep and 2,600
// candles.
package steady

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/stream"
)

// The variables say how long.
const (
	runsVariable    = "VAELIB_STEADY_RUNS"
	candlesVariable = "VAELIB_STEADY_CANDLES"
)

// use is what a process and its children have at a moment.
type use struct {
	descriptors, temporary int
	memory                 int64 // KiB
}

// watch runs a program to its end, and returns what it had in use meanwhile.
func watch(t *testing.T, temporary string, program string, args ...string) []use {
	t.Helper()
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "TMPDIR="+temporary)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	var seen []use
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v: %v\n%s", args, err, &stderr)
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
				t.Errorf("TMPDIR holds %v (%v)", left, err)
			}
			return seen
		case <-tick.C:
			u := usedBy(c.Process.Pid)
			u.temporary = count(temporary)
			if u.descriptors > 0 {
				seen = append(seen, u)
			}
		}
	}
}

// usedBy adds up what a process and its children use; zero where it has ended.
func usedBy(pid int) (u use) {
	at := filepath.Join("/proc", strconv.Itoa(pid))
	entries, err := os.ReadDir(filepath.Join(at, "fd"))
	if err != nil {
		return use{}
	}
	u.descriptors = len(entries)
	status, _ := os.ReadFile(filepath.Join(at, "status")) // it may have ended by now
	if _, rest, found := strings.Cut(string(status), "VmRSS:"); found {
		u.memory, _ = strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	}
	tasks, _ := filepath.Glob(filepath.Join(at, "task", "*", "children"))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(text)) {
			if id, err := strconv.Atoi(child); err == nil {
				of := usedBy(id)
				u.descriptors, u.memory = u.descriptors+of.descriptors, u.memory+of.memory
			}
		}
	}
	return u
}

// count is the number of files and folders below a folder.
func count(dir string) (n int) {
	_ = filepath.WalkDir(dir, func(_ string, _ fs.DirEntry, err error) error { // some go meanwhile
		n++
		return err
	})
	return n - 1
}

// flat checks that a job has no more of anything in its last third than in its
// second: in the first it gets what it needs.
func flat(t *testing.T, what string, seen []use) {
	t.Helper()
	const fewest = 30
	if len(seen) < fewest {
		t.Fatalf("%s: seen %d times only", what, len(seen))
	}
	second, last := seen[len(seen)/3:2*len(seen)/3], seen[2*len(seen)/3:]
	most := func(part []use, of func(use) int64) int64 {
		return of(slices.MaxFunc(part, func(a, b use) int { return int(of(a) - of(b)) }))
	}
	for _, x := range []struct {
		name   string
		of     func(use) int64
		excess func(before int64) int64
	}{
		{"descriptors", func(u use) int64 { return int64(u.descriptors) }, func(int64) int64 { return 4 }}, // of a run that begins
		{"temporary files", func(u use) int64 { return int64(u.temporary) }, func(int64) int64 { return 0 }},
		{"KiB of memory", func(u use) int64 { return u.memory }, func(before int64) int64 { return before/5 + 16<<10 }},
	} {
		first, before, after := most(seen[:len(seen)/3], x.of), most(second, x.of), most(last, x.of)
		t.Logf("%s: at most %d, %d, %d %s in each third", what, first, before, after, x.name)
		if after > before+x.excess(before) {
			t.Errorf("%s: %s grow from %d to %d", what, x.name, before, after)
		}
	}
}

// asked is the number in an environment variable.
func asked(t *testing.T, variable string) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil || n < 1 {
		t.Skipf("runs for a while: %s=20, as .ci/run kill and .ci/run long say, sets how long", variable)
	}
	if runtime.GOOS != "linux" {
		t.Skip("looks into /proc")
	}
	return n
}

func TestSweep(t *testing.T) {
	runs := asked(t, runsVariable)
	programs := clitest.Programs(t, filepath.Join(t.TempDir(), "bin"), "sweep")
	seeds := make([]string, runs/2)
	for i := range seeds {
		seeds[i] = strconv.Itoa(i + 1)
	}
	out := filepath.Join(t.TempDir(), "sweep")
	seen := watch(t, t.TempDir(), filepath.Join(programs, "sweep"), "run", "-grid", "beta = 0.1 0.5", "-seeds",
		strings.Join(seeds, ","), "-corpus-seed", "1", "-n", "300", "-lookbacks", "40", "-steps", "40", "-hidden", "8", "-latent", "2",
		"-components", "2", "-workers", "2", "-backend", "go", "-quiet", "-out", out)
	flat(t, fmt.Sprintf("%d runs of a sweep", 2*len(seeds)), seen)
}

func TestLive(t *testing.T) {
	candles := asked(t, candlesVariable)
	programs := clitest.Programs(t, filepath.Join(t.TempDir(), "bin"), "corpus", "train", "live")
	dir := t.TempDir()
	const lookback = 100
	write(t, filepath.Join(dir, "prices"), candles+lookback+1)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, args := range [][]string{
		{"corpus", "-prices", at("prices"), "-n", "300", "-lookbacks", "40", "-out", at("corpus")},
		{"train", "-weights", at("corpus/weights.csv"), "-steps", "40", "-hidden", "8", "-latent", "2", "-components", "2",
			"-backend", "go", "-out", at("model")},
	} {
		if text, err := exec.Command(filepath.Join(programs, args[0]), append(args[1:], "-quiet")...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, text)
		}
	}
	seen := watch(t, t.TempDir(), filepath.Join(programs, "live"), "-model", at("model"), "-replay", at("prices"), "-interval",
		"60", "-lookback", strconv.Itoa(lookback), "-n", "50", "-backend", "go", "-quiet", "-out", at("lines.jsonl"))
	text, err := os.ReadFile(at("lines.jsonl"))
	if lines := bytes.Count(text, []byte{'\n'}); err != nil || lines < candles {
		t.Fatalf("%d lines of %d (%v)", lines, candles, err)
	}
	flat(t, fmt.Sprintf("%d candles", candles), seen)
}

// write writes hourly candles of a few symbols.
func write(t *testing.T, dir string, hours int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for j, symbol := range []string{"AAAUSDT", "BBBUSDT", "CCCUSDT"} {
		rng := stream.New(1, "steady", uint64(j))
		var b strings.Builder
		b.WriteString("timestamp,open,high,low,close,volume\n")
		at, price := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), 100.0
		for range hours {
			next := price * math.Exp(0.01*rng.NormFloat64())
			fmt.Fprintf(&b, "%d,%.4f,%.4f,%.4f,%.4f,1\n", at.UnixMilli(), price, max(price, next), min(price, next), next)
			at, price = at.Add(time.Hour), next
		}
		if err := os.WriteFile(filepath.Join(dir, symbol+".csv"), []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
