// Package crash kills every verb that writes, fills its disk and takes its right to
// write away, as a test: whatever happens, the same command ends with the bytes of a
// run that nobody disturbed.
//
// .ci/run kill does so twice a verb, .ci/run long twenty times.
package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vaefolio/internal/bybittest"
	"vaefolio/scripts/internal/clitest"
	"vaefolio/scripts/internal/timeless"
)

// killsVariable says how many kills each verb gets.
const killsVariable = "VAELIB_KILLS"

// out stands for the folder, or the file, that a verb writes.
const out = "OUT"

// job is a command of a verb that writes.
type job struct {
	name string
	args []string // the first is the verb
	file bool     // it writes a file, not a folder
}

// lab is what all jobs share.
type lab struct {
	programs, dir string
	kills         int
	jobs          []job
	undisturbed   map[string]*undisturbed // by the name of the job
}

// undisturbed is a run of a job that nobody disturbs.
type undisturbed struct {
	once  sync.Once
	files map[string][]byte
	lasts time.Duration
}

// shared is the laboratory of all tests, which the first one makes.
var shared struct {
	lab    *lab
	dir    string
	server *httptest.Server
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.Close()
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir) // the system clears what is left there
	}
	os.Exit(code)
}

// prepare builds the programs and makes what jobs read, once.
func prepare(t *testing.T) *lab {
	t.Helper()
	if shared.lab != nil {
		return shared.lab
	}
	kills, err := strconv.Atoi(os.Getenv(killsVariable))
	if err != nil || kills < 1 {
		t.Skipf("kills processes for a minute: %s=2, as .ci/run kill and .ci/run long say, sets how many of each verb",
			killsVariable)
	}
	if runtime.GOOS == "windows" {
		t.Skip("has no such signals")
	}
	if shared.dir, err = os.MkdirTemp("", "crash"); err != nil {
		t.Fatal(err)
	}
	l := &lab{dir: shared.dir, kills: kills, undisturbed: map[string]*undisturbed{}}
	l.programs = clitest.Programs(t, filepath.Join(l.dir, "bin"), "pipeline", "corpus", "train", "generate", "sweep",
		"backtest", "fetch", "live", "export", "lab", "sample")
	var listings []bybittest.Listing
	for _, symbol := range []string{"AAAUSDT", "BBBUSDT", "CCCUSDT"} {
		listings = append(listings, bybittest.Listing{Symbol: symbol, Quote: "USDT"})
	}
	exchange := bybittest.New(listings...)
	exchange.PageRows = 100
	exchange.SetNow(time.Date(2024, 2, 11, 12, 0, 0, 0, time.UTC))
	shared.server = httptest.NewServer(exchange)

	at := func(name string) string { return filepath.Join(l.dir, name) }
	small := []string{"-n", "400", "-lookbacks", "40,60", "-seed", "1"}
	fetch := []string{"fetch", "-symbols", "AAAUSDT,BBBUSDT,CCCUSDT", "-from", "2022-01-01", "-to", "2024-02-10",
		"-base-url", shared.server.URL, "-out", out}
	corpus := append([]string{"corpus", "-out", out}, small...)
	train := []string{"train", "-weights", at("corpus/weights.csv"), "-steps", "1500", "-backend", "go", "-components", "3",
		"-hidden", "16", "-latent", "3", "-out", out}
	universes := []string{"corpus", "-universes", "200", "-simulated", "-portfolios", "8", "-most-assets", "8", "-out", out}
	for name, args := range map[string][]string{"prices": fetch, "corpus": corpus, "universes": universes} {
		l.mustRun(t, args, at(name))
	}
	l.mustRun(t, train, at("model"))
	onPrices := []string{"-prices", at("prices"), "-backend", "go", "-lookbacks", "40,60", "-n", "300", "-steps", "60",
		"-hidden", "16", "-latent", "2", "-portfolios", "30", "-components", "2", "-starts", "3", "-iterations", "5"}
	followed := at("followed")
	l.mustRun(t, append([]string{"pipeline", "-out", out}, onPrices...), followed)
	l.jobs = []job{
		{name: "corpus", args: corpus}, {name: "train", args: train}, {name: "fetch", args: fetch},
		{name: "universes", args: universes},
		{name: "train over sets", args: []string{"train", "-corpus", at("universes"), "-steps", "150", "-batch", "32",
			"-latent", "3", "-backend", "go", "-out", out}},
		{name: "train asked", args: []string{"train", "-corpus", at("universes"), "-asked", "-steps", "60", "-batch", "32",
			"-latent", "3", "-backend", "go", "-out", out}},
		{name: "generate over sets", args: []string{"generate", "-n", "20000", "-backend", "go", "-out", out}},
		{name: "pipeline", args: append([]string{"pipeline", "-out", out}, onPrices...)},
		{name: "generate", args: []string{"generate", "-model", at("model"), "-n", "20000", "-backend", "go", "-out", out}},
		{name: "sweep", args: append([]string{"sweep", "run", "-grid", "beta = 0.5 1", "-steps", "200", "-hidden", "16",
			"-latent", "2", "-components", "2", "-backend", "go", "-out", out}, small...)},
		{name: "lab", args: []string{"lab", "-n", "3", "-periods", "40", "-dispersion", "0,2", "-worlds", "4", "-windows", "1",
			"-rows", "100", "-steps", "3", "-samples", "100", "-backend", "go", "-out", out}},
		{name: "backtest", args: []string{"backtest", "-strategies", "equal-weight,min-variance,hrp", "-train", "365", "-test",
			"90", "-out", out}},
		{name: "export", args: []string{"export", "-model", at("model"), "-out", out}},
		{name: "live", file: true, args: []string{"live", "-model", followed, "-replay", at("prices"), "-interval", "D",
			"-lookback", "200", "-n", "50", "-from", "2024-02-01", "-backend", "go", "-out", out}},
		{name: "sample", args: []string{"sample", "-days", "12000", "-out", out}},
	}
	for _, j := range l.jobs {
		l.undisturbed[j.name] = &undisturbed{}
	}
	shared.lab = l
	return l
}

// whole returns what an undisturbed run of a job writes, and how long it takes.
func (l *lab) whole(t *testing.T, j job) (map[string][]byte, time.Duration) {
	t.Helper()
	u := l.undisturbed[j.name]
	u.once.Do(func() {
		place := filepath.Join(t.TempDir(), "whole")
		u.lasts = l.mustRun(t, j.args, place)
		u.files = tree(t, place)
	})
	return u.files, u.lasts
}

// command is that of a job that writes to a place, with a folder of its own for
// temporary files.
func (l *lab) command(args []string, place, temporary string) (*exec.Cmd, *bytes.Buffer) {
	args = slices.Clone(args)
	for i := range args {
		if args[i] == out {
			args[i] = place
		}
	}
	c := exec.Command(filepath.Join(l.programs, args[0]), append(args[1:], "-quiet")...)
	c.Env = append(os.Environ(), "TMPDIR="+temporary)
	stderr := &bytes.Buffer{}
	c.Stderr = stderr
	return c, stderr
}

func (l *lab) mustRun(t testing.TB, args []string, place string) time.Duration {
	t.Helper()
	temporary := t.TempDir()
	c, stderr := l.command(args, place, temporary)
	began := time.Now()
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", args[0], err, stderr)
	}
	clean(t, args[0], temporary)
	return time.Since(began)
}

// clean checks that a folder for temporary files has none.
func clean(t testing.TB, what, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%s leaves %v in TMPDIR (%v)", what, entries, err)
	}
}

// tree are the contents of a place, by names, without locks.
func tree(t testing.TB, place string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(place, func(at string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || strings.HasSuffix(d.Name(), ".lock") {
			return err
		}
		name, err := filepath.Rel(place, at)
		if err == nil {
			files[filepath.ToSlash(name)], err = os.ReadFile(at)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sameBytes compares two places but for times.
func sameBytes(t testing.TB, what string, got, want map[string][]byte) bool {
	t.Helper()
	equal := true
	for name := range want {
		if text, ok := got[name]; !ok || !timeless.Equal(name, text, want[name]) {
			t.Errorf("%s: %s is missing or has other bytes than in an undisturbed run", what, name)
			equal = false
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is left over", what, name)
			equal = false
		}
	}
	return equal
}

// oneLine checks that an error is one line that begins with the verb's name.
func oneLine(t testing.TB, what, verb, stderr string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if !strings.HasPrefix(lines[len(lines)-1], verb+": ") || strings.Contains(stderr, "goroutine ") {
		t.Errorf("%s says %q", what, stderr)
	}
}

var signals = []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}

// TestKills kills each verb at random moments and lets it go on.
func TestKills(t *testing.T) {
	l := prepare(t)
	for _, j := range l.jobs {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			verb := j.args[0]
			want, lasts := l.whole(t, j)
			hits := 0
			for k := range l.kills {
				rng := rand.New(rand.NewPCG(uint64(k), 7))
				signal := signals[k%len(signals)]
				place, temporary := filepath.Join(t.TempDir(), "run"), t.TempDir()
				c, stderr := l.command(j.args, place, temporary)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(rng.Float64() * float64(lasts)))
				_ = c.Process.Signal(signal) // which it may have escaped by ending
				err := c.Wait()
				what := fmt.Sprintf("%s, kill %d by %v", j.name, k, signal)
				status := c.ProcessState.Sys().(syscall.WaitStatus)
				switch {
				case err == nil:
				case status.Signaled(): // SIGKILL, or another one before the program listened
					hits++
				case c.ProcessState.ExitCode() == 130:
					hits++
					oneLine(t, what, verb, stderr.String())
					clean(t, what, temporary)
				default:
					t.Errorf("%s: %v\n%s", what, err, stderr)
				}
				l.mustRun(t, j.args, place)
				sameBytes(t, what, tree(t, place), want)
			}
			t.Logf("%d of %d kills met the program at work; the same bytes after each", hits, l.kills)
		})
	}
}

// mounted is a small file system in memory; "" and the reason where none may be
// mounted.
func mounted(t *testing.T, bytes int) (dir, reason string) {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return "", "only root on Linux can mount a small disk"
	}
	dir = t.TempDir()
	if text, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "crash", dir).CombinedOutput(); err != nil {
		return "", fmt.Sprintf("no small disk can be mounted here: %v: %s", err, text)
	}
	t.Cleanup(func() {
		if text, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, text)
		}
	})
	return dir, ""
}

func remount(t *testing.T, dir, options string) {
	t.Helper()
	if text, err := exec.Command("mount", "-o", "remount,"+options, dir).CombinedOutput(); err != nil {
		t.Fatalf("remount: %v: %s", err, text)
	}
}

// fullDisks is how many sizes of a full disk each job meets at least.
const fullDisks = 2

// TestFullDisk gives each verb disks that are too small, at several moments of its
// writing: nothing half-written is left, and once there is room the same command ends
// with the same bytes. At last it gives it one that can't be written to.
func TestFullDisk(t *testing.T) {
	l := prepare(t)
	var full, readOnly atomic.Int64
	t.Run("verbs", func(t *testing.T) {
		for _, j := range l.jobs {
			t.Run(j.name, func(t *testing.T) {
				t.Parallel()
				full.Add(l.fullDisks(t, j))
				l.readOnly(t, j)
				readOnly.Add(1)
			})
		}
	})
	t.Logf("%d full disks and %d read-only ones, of %d jobs: nothing half-written left, and the same bytes once there was room",
		full.Load(), readOnly.Load(), len(l.jobs))
}

// fullDisks lets a job run on disks that are too small, and then gives them room. It
// returns how many they were.
func (l *lab) fullDisks(t *testing.T, j job) int64 {
	t.Helper()
	want, _ := l.whole(t, j)
	size, pages := 0, 0 // such a disk has whole pages
	for _, text := range want {
		size += len(text)
		pages += (len(text) + os.Getpagesize() - 1) / os.Getpagesize()
	}
	cases := min(max(fullDisks, l.kills/5), pages-1)
	for k := range cases {
		disk, reason := mounted(t, max(1, pages*(2*k+1)/(2*cases))*os.Getpagesize())
		if reason != "" {
			t.Skip(reason)
		}
		place := filepath.Join(disk, "run")
		temporary := t.TempDir()
		c, stderr := l.command(j.args, place, temporary)
		what := fmt.Sprintf("%s, full disk %d", j.name, k)
		if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: %v\n%s", what, err, stderr)
		}
		oneLine(t, what, j.args[0], stderr.String())
		clean(t, what, temporary)
		for name := range tree(t, disk) {
			if strings.Contains(name, ".tmp-") {
				t.Errorf("%s: %s is left", what, name)
			}
		}
		remount(t, disk, fmt.Sprintf("size=%d", 4*size+1<<22))
		l.mustRun(t, j.args, place)
		sameBytes(t, what, tree(t, place), want)
	}
	return int64(cases)
}

// readOnly checks that a verb says in one line that it can't write.
func (l *lab) readOnly(t *testing.T, j job) {
	t.Helper()
	disk, reason := mounted(t, 1<<20)
	if reason != "" {
		t.Skip(reason)
	}
	remount(t, disk, "ro")
	temporary := t.TempDir()
	c, stderr := l.command(j.args, filepath.Join(disk, "run"), temporary)
	if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
		t.Errorf("%s, read-only: %v\n%s", j.name, err, stderr)
	}
	oneLine(t, j.name+", read-only", j.args[0], stderr.String())
	clean(t, j.name+", read-only", temporary)
}
