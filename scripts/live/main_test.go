package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"
	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/bybittest"
	"vaefolio/scripts/internal/cli"
	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/live"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

var symbols = []string{"CCCUSDT", "AAAUSDT", "DDDUSDT", "BBBUSDT"}

// model is the folder of a tiny model of the symbols.
var model string

func TestMain(m *testing.M) {
	clitest.BecomeCommand(main)
	dir, err := os.MkdirTemp("", "live")
	if err == nil {
		model = filepath.Join(dir, "model")
		err = trainModel()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func trainModel() error {
	d, err := simplex.Symmetric(len(symbols), 0.7)
	if err != nil {
		return err
	}
	weights := mat.NewDense(200, len(symbols), nil)
	rng := stream.New(1, "test", 0)
	for i := range 200 {
		d.Rand(weights.RawRowView(i), rng)
	}
	backend, err := vae.Open("go")
	if err != nil {
		return err
	}
	defer backend.Close()
	c, s := vae.DefaultConfig(len(symbols)), vae.DefaultSchedule()
	c.Latent, c.Hidden, c.Head = 2, []int{8}, "softmax"
	s.Steps, s.EvalEvery = 200, 100
	ctx := context.Background()
	trained, _, err := vae.Train(ctx, backend, c, s, weights, nil, vae.TrainOptions{Symbols: symbols})
	if err != nil {
		return err
	}
	if err := trained.Save(model); err != nil {
		return err
	}
	aggregate, err := generate.FitAggregate(ctx, trained, weights, generate.AggregateSettings{Components: 2})
	if err != nil {
		return err
	}
	return run.WriteJSON(filepath.Join(model, "aggregate.json"), aggregate)
}

const hour = bybit.Interval("60")

var (
	begin = time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	now   = begin.Add(100*time.Hour + 30*time.Minute)
)

// small are flags that make decisions quick.
var small = []string{"-backend", "go", "-interval", "60", "-lookback", "40", "-n", "50"}

// newExchange has the symbols, one of which lacks a candle among those of the
// past, and one among those to come.
func newExchange(t *testing.T) (*bybittest.Exchange, string) {
	t.Helper()
	var listings []bybittest.Listing
	for _, symbol := range symbols {
		listings = append(listings, bybittest.Listing{Symbol: symbol, Quote: "USDT", First: begin})
	}
	listings[1].Gap = func(opening time.Time) bool {
		return opening.Equal(begin.Add(80*time.Hour)) || opening.Equal(begin.Add(102*time.Hour))
	}
	exchange := bybittest.New(listings...)
	exchange.SetNow(now)
	server := httptest.NewServer(exchange)
	t.Cleanup(server.Close)
	return exchange, server.URL
}

// writeFolder writes what the exchange has as kline CSVs, each close times what
// scale says.
func writeFolder(t *testing.T, exchange *bybittest.Exchange, scale func(opening time.Time) float64) string {
	t.Helper()
	dir := t.TempDir()
	for _, symbol := range symbols {
		text := "timestamp,open,high,low,close,volume\n"
		for _, c := range exchange.Series(symbol, hour, begin.Add(-1000*time.Hour), begin.Add(1000*time.Hour)) {
			text += fmt.Sprintf("%d,%v,%v,%v,%s,%v\n", c.Start.UnixMilli(), c.Open, c.High, c.Low, strconv.FormatFloat(c.Close*scale(c.Start), 'f', -1, 64), c.Volume)
		}
		if err := os.WriteFile(filepath.Join(dir, symbol+".csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func asIs(time.Time) float64 { return 1 }

// quick are options of a client that waits for nothing.
func quick() bybit.Options {
	return bybit.Options{
		Limiter: rate.NewLimiter(rate.Inf, 1), Attempts: 3,
		Backoff: func() backoff.BackOff { return &backoff.ZeroBackOff{} },
		Wait:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// execute runs the verb to its end.
func execute(ctx context.Context, stdout io.Writer, args ...string) (code int, stderr string) {
	v := verb
	v.Run = func(ctx context.Context, c *config, to *cli.IO) error { return followWith(ctx, quick(), c, to) }
	var messages bytes.Buffer
	code = v.Execute(ctx, slices.Concat([]string{"-model", model}, small, args), stdout, &messages)
	return code, messages.String()
}

// replay runs the verb on files and returns its lines.
func replay(t *testing.T, folder string, args ...string) string {
	t.Helper()
	var stdout bytes.Buffer
	if code, stderr := execute(t.Context(), &stdout, slices.Concat([]string{"-replay", folder}, args)...); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	return stdout.String()
}

// following is the verb at the exchange, under way.
type following struct {
	interrupt func()
	done      chan struct{} // closed at its end; then what follows is set
	code      int
	stderr    string
}

func followExchange(t *testing.T, url string, stdout io.Writer, args ...string) *following {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &following{interrupt: cancel, done: make(chan struct{})}
	args = slices.Concat([]string{"-base-url", url, "-stream-url", "ws" + strings.TrimPrefix(url, "http")}, args)
	go func() {
		defer close(f.done)
		f.code, f.stderr = execute(ctx, stdout, args...)
	}()
	t.Cleanup(func() { cancel(); <-f.done })
	return f
}

func (f *following) wait(t *testing.T, code int) {
	t.Helper()
	select {
	case <-f.done:
	case <-patience(t).Done():
		t.Fatal("it doesn't end")
	}
	if f.code != code {
		t.Fatalf("exit code %d, want %d: %s", f.code, code, f.stderr)
	}
}

// patience is longer than anything lasts that ends at all, on a busy machine too.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// lineWriter hands over each line written.
type lineWriter struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func newLineWriter() *lineWriter { return &lineWriter{lines: make(chan string, 1000)} }

func (w *lineWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines <- string(text) // a line that came in parts fails the test
	return w.text.Write(text)
}

func (w *lineWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *lineWriter) next(t *testing.T) *live.Line {
	t.Helper()
	select {
	case text := <-w.lines:
		return parse(t, text)[0]
	case <-patience(t).Done():
		t.Fatal("no line comes")
		return nil
	}
}

func parse(t *testing.T, text string) []*live.Line {
	t.Helper()
	var lines []*live.Line
	for _, one := range strings.SplitAfter(text, "\n") {
		if one == "" {
			continue
		}
		line := &live.Line{}
		if err := json.Unmarshal([]byte(one), line); err != nil || !strings.HasSuffix(one, "\n") {
			t.Fatalf("%q is no line: %v", one, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// advance lets hours pass at the exchange, one candle of each symbol after the
// other, in an order that changes.
func advance(t *testing.T, exchange *bybittest.Exchange, from time.Time, hours int) {
	t.Helper()
	for k := range hours {
		opening := from.Add(time.Duration(k) * time.Hour)
		exchange.SetNow(opening.Add(time.Hour))
		for i := range symbols {
			symbol := symbols[(i+k)%len(symbols)]
			if _, ok := exchange.Candle(symbol, hour, opening); !ok {
				continue
			}
			exchange.Push(exchange.Update(symbol, hour, opening, false))
			exchange.Push(exchange.Update(symbol, hour, opening, true))
		}
	}
}

// The lines of the exchange, over a lost connection and a gap, are those of the
// files of the same candles.
func TestLiveIsReplay(t *testing.T) {
	exchange, url := newExchange(t)
	out := newLineWriter()
	f := followExchange(t, url, out, "-lines", "6")
	ctx := patience(t)
	if first := out.next(t); !first.Candle.Equal(begin.Add(99 * time.Hour)) {
		t.Errorf("the first line is of %s", first.Candle)
	}
	if err := exchange.WaitSubscribed(ctx, len(symbols)); err != nil {
		t.Fatal(err)
	}
	advance(t, exchange, begin.Add(100*time.Hour), 2)
	out.next(t)
	out.next(t)
	exchange.Disconnect()
	if err := exchange.WaitSubscribed(ctx, len(symbols)); err != nil {
		t.Fatal(err)
	}
	advance(t, exchange, begin.Add(102*time.Hour), 4)
	f.wait(t, 0)
	for _, want := range []string{
		"connection lost (", "gap: AAAUSDT has no candle of 2024-03-04T08:00:00Z", "gap: AAAUSDT has no candle of 2024-03-05T06:00:00Z",
		"6 lines, the last of the close at 2024-03-05T10:00:00Z",
	} {
		if !strings.Contains(f.stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, f.stderr)
		}
	}
	folder := writeFolder(t, exchange, asIs)
	if got := replay(t, folder, "-from", "2024-03-05T03:00:00Z"); got != out.String() {
		t.Errorf("replay:\n%s\nlive:\n%s", got, out.String())
	}
}

// A line can be checked from itself and the one before.
func TestLines(t *testing.T) {
	exchange, _ := newExchange(t)
	folder := writeFolder(t, exchange, asIs)
	for _, c := range []struct {
		name        string
		args        []string
		lines       int
		evaluations int
		feature     string
	}{
		{"sample", nil, 100 - 1 - 40, 50, "market.volatility.20"}, // 40 returns, and one candle lacks
		{"latent", []string{"-search", "latent", "-n", "3", "-iterations", "4", "-lines", "2", "-objective", "cvar", "-max-weight", "0.4"}, 2, 24, "market.momentum.5"},
		{"in the regime", []string{"-periods", "regime", "-lookback", "90", "-states", "3", "-density", "prior"}, 9, 50, "correlation.share.1"},
		{"every sixth", []string{"-every", "6", "-min-weight", "0.1"}, 10, 50, "market.drawdown.20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := replay(t, folder, c.args...)
			lines := parse(t, text)
			if len(lines) != c.lines {
				t.Fatalf("%d lines, want %d", len(lines), c.lines)
			}
			regimes := 0
			for i, line := range lines {
				if line.Regime != nil {
					regimes++
					checkRegime(t, line.Regime)
				} else if line.RegimeReason == "" {
					t.Errorf("line %d has no regime and no reason", i)
				}
				if line.Violation > 1e-12 || line.Evaluations != c.evaluations || !line.Time.Equal(line.Candle.Add(time.Hour)) || len(line.Model) != 64 || line.Seed != 1 {
					t.Errorf("line %d: %+v", i, line)
				}
				if rival := line.Ascent; (rival != nil) != (c.name == "latent") ||
					rival != nil && (rival.Evaluations == 0 || rival.Value == 0) {
					t.Errorf("line %d: projected gradient %+v", i, rival)
				}
				if v, ok := line.Features.Get(c.feature); !ok || math.IsNaN(v) {
					t.Errorf("line %d: feature %s is %v", i, c.feature, v)
				}
				if c.name == "every sixth" && line.Time.Hour()%6 != 0 {
					t.Errorf("line %d at %s", i, line.Time)
				}
				if i == 0 {
					if line.Turnover != nil {
						t.Errorf("turnover %v without a line before", *line.Turnover)
					}
					continue
				}
				before := lines[i-1]
				var wealth, turnover float64
				for j, w := range before.Weights.Numbers {
					wealth += w * line.Close.Numbers[j] / before.Close.Numbers[j]
				}
				for j, w := range before.Weights.Numbers {
					turnover += math.Abs(line.Weights.Numbers[j] - w*line.Close.Numbers[j]/before.Close.Numbers[j]/wealth)
				}
				if math.Abs(*line.Turnover-turnover) > 1e-12 {
					t.Errorf("line %d: turnover %v, want %v", i, *line.Turnover, turnover)
				}
			}
			if regimes < len(lines)/2 {
				t.Errorf("%d of %d lines have a regime", regimes, len(lines))
			}
			if !slices.Equal(lines[0].Weights.Names, symbols) {
				t.Errorf("weights of %v", lines[0].Weights.Names)
			}
			if again := replay(t, folder, c.args...); again != text {
				t.Error("another run writes other lines")
			}
			if other := replay(t, folder, append(c.args, "-seed", "2")...); other == text {
				t.Error("the seed decides nothing")
			}
		})
	}
}

func checkRegime(t *testing.T, r *live.Regime) {
	t.Helper()
	sum := 0.0
	for _, p := range r.Probabilities.Numbers {
		sum += p
	}
	if most, ok := r.Probabilities.Get(r.State); !ok || most != slices.Max(r.Probabilities.Numbers) || math.Abs(sum-1) > 1e-9 {
		t.Errorf("regime %+v", r)
	}
}

// Whatever prices do after a close, the lines up to it are the same bytes.
func TestNoLookAhead(t *testing.T) {
	exchange, _ := newExchange(t)
	truth := strings.SplitAfter(replay(t, writeFolder(t, exchange, asIs)), "\n")
	for _, after := range []int{41, 60, 98} {
		cut := begin.Add(time.Duration(after) * time.Hour)
		rng := stream.New(uint64(after), "test", 0)
		folder := writeFolder(t, exchange, func(opening time.Time) float64 {
			if opening.After(cut) {
				return math.Exp(rng.NormFloat64())
			}
			return 1
		})
		other := strings.SplitAfter(replay(t, folder), "\n")
		known := 0
		for i, line := range parse(t, strings.Join(truth, "")) {
			if same := truth[i] == other[i]; same == line.Candle.After(cut) {
				t.Errorf("prices changed after %s: the line of %s is the same: %v", cut, line.Candle, same)
			}
			if !line.Candle.After(cut) {
				known++
			}
		}
		if known == 0 {
			t.Errorf("no line up to %s", cut)
		}
	}
}

// A file that is gone on with, at any break, is the one of a run without a break.
func TestResume(t *testing.T) {
	exchange, url := newExchange(t)
	folder := writeFolder(t, exchange, asIs)
	want := replay(t, folder)
	out := filepath.Join(t.TempDir(), "lines.jsonl")
	replay(t, folder, "-to", "2024-03-03T00:00:00Z", "-out", out)
	part := read(t, out)
	if !strings.HasPrefix(want, part) || len(part) == 0 || len(part) == len(want) {
		t.Fatalf("the first part has %d bytes of %d", len(part), len(want))
	}
	for _, torn := range []string{"", part[:10], part[:100], "\x00\x00"} {
		write(t, out, part+torn)
		var stdout bytes.Buffer
		code, stderr := execute(t.Context(), &stdout, "-replay", folder, "-out", out)
		if code != 0 || stdout.Len() > 0 || read(t, out) != want {
			t.Errorf("torn %q: exit code %d, %d bytes, want %d: %s", torn, code, len(read(t, out)), len(want), stderr)
		}
		said := fmt.Sprintf("cut off a torn last line of %d bytes", len(torn))
		if strings.Contains(stderr, said) != (torn != "") || !strings.Contains(stderr, "going on behind the candle of 2024-03-03T00:00:00Z") {
			t.Errorf("torn %q: %s", torn, stderr)
		}
	}
	t.Run("nothing new", func(t *testing.T) {
		code, stderr := execute(t.Context(), io.Discard, "-replay", folder, "-out", out)
		if code != 0 || read(t, out) != want || !strings.Contains(stderr, "no candle was due") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
	t.Run("torn first line", func(t *testing.T) {
		write(t, out, part[:20])
		replay(t, folder, "-out", out)
		if read(t, out) != want {
			t.Error("the file differs")
		}
	})
	t.Run("at the exchange", func(t *testing.T) {
		write(t, out, part)
		f := followExchange(t, url, io.Discard, "-out", out, "-lines", strconv.Itoa(strings.Count(want, "\n")-strings.Count(part, "\n")))
		f.wait(t, 0)
		if read(t, out) != want || !strings.Contains(f.stderr, "which closed meanwhile, come first") {
			t.Errorf("the file differs: %s", f.stderr)
		}
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An end from outside leaves whole lines.
func TestInterrupt(t *testing.T) {
	exchange, url := newExchange(t)
	t.Run("context", func(t *testing.T) {
		out := newLineWriter()
		f := followExchange(t, url, out)
		out.next(t)
		f.interrupt()
		f.wait(t, 130)
		if len(parse(t, out.String())) != 1 || !strings.Contains(f.stderr, "1 lines") || !strings.HasSuffix(f.stderr, "live: interrupted\n") {
			t.Errorf("stderr %s", f.stderr)
		}
	})
	t.Run("replay", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := writerFunc(func(text []byte) (int, error) { cancel(); return len(text), nil })
		code, stderr := execute(ctx, out, "-replay", writeFolder(t, exchange, asIs))
		if code != 130 || !strings.Contains(stderr, "1 lines") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
	t.Run("TERM", func(t *testing.T) {
		var stdout *lineWriter
		var stderr *bytes.Buffer
		c := clitest.Interrupted(t, syscall.SIGTERM, func() *exec.Cmd {
			stdout, stderr = newLineWriter(), &bytes.Buffer{}
			c := clitest.Command(slices.Concat([]string{"-model", model, "-base-url", url, "-stream-url",
				"ws" + strings.TrimPrefix(url, "http")}, small)...)
			c.Stdout, c.Stderr = stdout, stderr
			return c
		}, func() bool { return len(stdout.lines) > 0 })
		if code := c.ProcessState.ExitCode(); code != 130 {
			t.Errorf("exit code %d: %s", code, stderr.String())
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

// A symbol that has fallen silent is named.
func TestLate(t *testing.T) {
	exchange, url := newExchange(t)
	out := newLineWriter()
	f := followExchange(t, url, out, "-lines", "5")
	out.next(t)
	if err := exchange.WaitSubscribed(patience(t), len(symbols)); err != nil {
		t.Fatal(err)
	}
	advance(t, exchange, begin.Add(100*time.Hour), 1)
	out.next(t)
	silent := symbols[2]
	for k := range 4 {
		opening := begin.Add(time.Duration(103+k) * time.Hour)
		exchange.SetNow(opening.Add(time.Hour))
		for _, symbol := range symbols {
			if symbol != silent {
				exchange.Push(exchange.Update(symbol, hour, opening, true))
			}
		}
	}
	exchange.Push(exchange.Update(silent, hour, begin.Add(106*time.Hour), true))
	f.wait(t, 0)
	if want := "no candle of " + silent + ", though others have had 3 since"; strings.Count(f.stderr, "lines wait for it") != 1 || !strings.Contains(f.stderr, want) {
		t.Errorf("stderr lacks %q:\n%s", want, f.stderr)
	}
}

// A long gap is said in one line, and a window that never fills is, too.
func TestGap(t *testing.T) {
	exchange := bybittest.New(
		bybittest.Listing{Symbol: symbols[0], First: begin}, bybittest.Listing{Symbol: symbols[1], First: begin},
		bybittest.Listing{Symbol: symbols[2], First: begin.Add(70 * time.Hour)}, bybittest.Listing{Symbol: symbols[3], First: begin},
	)
	exchange.SetNow(now)
	folder := writeFolder(t, exchange, asIs)
	var stdout bytes.Buffer
	code, stderr := execute(t.Context(), &stdout, "-replay", folder)
	if want := "gap: " + symbols[2] + " lacks 70 candles from 2024-03-01T00:00:00Z to 2024-03-03T21:00:00Z, so that there are no rows for them\n"; code != 0 || stdout.Len() > 0 || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d: %s, want %s", code, stderr, want)
	}
	if want := "no line: the window of 40 returns lacks 11 candles that all symbols have\n"; !strings.HasSuffix(stderr, want) {
		t.Errorf("%s, want %s", stderr, want)
	}
}

// A replay of the time that the model learned from is no test of it, and says so.
func TestReplayOfTheTraining(t *testing.T) {
	exchange, _ := newExchange(t)
	folder := writeFolder(t, exchange, asIs)
	learned := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(learned, os.DirFS(model)); err != nil {
		t.Fatal(err)
	}
	for to, warns := range map[time.Time]bool{begin: false, now: true} {
		if err := run.WriteJSON(filepath.Join(learned, "times.json"), map[string]time.Time{"to": to}); err != nil {
			t.Fatal(err)
		}
		args := append(slices.Clone(small), "-model", learned, "-replay", folder, "-lines", "3")
		code, stderr := execute(t.Context(), io.Discard, args...)
		if code != 0 || strings.Contains(stderr, "WARNING: the model learned from prices up to "+to.Format("2006-01-02")) != warns {
			t.Errorf("learned up to %s: exit code %d: %s", to, code, stderr)
		}
	}
}

func TestBadInput(t *testing.T) {
	exchange, url := newExchange(t)
	folder := writeFolder(t, exchange, asIs)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	few := writeFolder(t, exchange, asIs)
	if err := os.Remove(filepath.Join(few, symbols[0]+".csv")); err != nil {
		t.Fatal(err)
	}
	lines := replay(t, folder, "-lines", "1")
	locked := file("locked.jsonl", "")
	journal, err := live.OpenJournal(locked)
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	smaller := bybittest.New(bybittest.Listing{Symbol: symbols[1]}, bybittest.Listing{Symbol: symbols[3]})
	smaller.SetNow(now)
	lacking := httptest.NewServer(smaller)
	defer lacking.Close()
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no such model", []string{"-model", dir + "/none", "-replay", folder}, 1, "none"},
		{"no such model, and no backend", []string{"-model", dir + "/none", "-replay", folder, "-backend", "xla:/nowhere.so"}, 1, "holds no model"},
		{"a folder for a file, and no backend", []string{"-replay", folder, "-out", dir, "-backend", "xla:/nowhere.so"}, 1, "is a folder"},
		{"symbols that are not traded", []string{"-base-url", lacking.URL}, 1, "doesn't trade CCCUSDT, DDDUSDT of the model in linear: choose another -category"},
		{"a host that is none", []string{"-base-url", "ftp://x"}, 2, "-base-url: "},
		{"a stream that is none", []string{"-stream-url", "http://x"}, 2, "-stream-url: "},
		{"a range without files", []string{"-from", "2024-01-01"}, 2, "-from goes with -replay FOLDER: give -replay FOLDER, or leave it out"},
		{"no date", []string{"-replay", folder, "-from", "soon"}, 2, "soon"},
		{"no such folder", []string{"-replay", dir + "/none"}, 1, "none"},
		{"a symbol without a file", []string{"-replay", few}, 1, "holds CCCUSDT, which the prices lack"},
		{"short positions of a long-only head", []string{"-replay", folder, "-lower", "-0.1"}, 2, "no weights below 0"},
		{"a longer interval", []string{"-replay", folder, "-interval", "D"}, 1, "give the -interval of the files"},
		{"a shorter interval", []string{"-replay", folder, "-interval", "15"}, 1, "most candles are not of interval 15: give the -interval of the files"},
		{"an empty set", []string{"-replay", folder, "-max-weight", "0.2"}, 1, "0.2"},
		{"a short lookback", []string{"-replay", folder, "-lookback", "29"}, 2, "-lookback: 29 lies outside"},
		{"short positions", []string{"-replay", folder, "-lower", "-0.1", "-min-weight", "0.1"}, 2, "-min-weight allows no short positions"},
		{"a file of something else", []string{"-replay", folder, "-out", file("a.txt", "hello\n")}, 1, "the last line is not one of a live run"},
		{"an unfinished file of something else", []string{"-replay", folder, "-out", file("b.txt", `{"a":1}`)}, 1, "holds no lines of a live run"},
		{"a file in use", []string{"-replay", folder, "-out", locked}, 1, "is in use by another process"},
		{"lines of other symbols", []string{"-replay", folder, "-out", file("c.jsonl", strings.ReplaceAll(lines, "CCCUSDT", "XXXUSDT"))}, 1, "c.jsonl: the last line has other symbols"},
		{"lines of another interval", []string{"-replay", folder, "-out", file("d.jsonl", strings.ReplaceAll(lines, `"interval":"60"`, `"interval":"D"`))}, 1, "the last line is of interval D, not 60"},
		{"a folder for a file", []string{"-replay", folder, "-out", dir}, 1, "is a folder"},
		{"an exchange that is away", []string{"-base-url", "http://127.0.0.1:1"}, 1, "127.0.0.1:1"},
		{"leftover", []string{"more"}, 2, `leftover argument "more"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			if !slices.Contains(args, "-replay") && !slices.Contains(args, "-base-url") {
				args = append([]string{"-base-url", url}, args...)
			}
			var stdout bytes.Buffer
			code, stderr := execute(t.Context(), &stdout, args...)
			last := strings.TrimSuffix(stderr[strings.LastIndexByte(strings.TrimSuffix(stderr, "\n"), '\n')+1:], "\n")
			if code != c.code || stdout.Len() > 0 || !strings.HasPrefix(last, "live: ") || !strings.Contains(last, c.want) {
				t.Errorf("exit code %d, want %d; %q, want %q", code, c.code, last, c.want)
			}
		})
	}
	t.Run("no price moves", func(t *testing.T) {
		dir := t.TempDir()
		for _, symbol := range symbols {
			text := "timestamp,open,high,low,close,volume\n"
			for k := range 50 {
				text += fmt.Sprintf("%d,1,1,1,1,1\n", begin.Add(time.Duration(k)*time.Hour).UnixMilli())
			}
			write(t, filepath.Join(dir, symbol+".csv"), text)
		}
		var stdout bytes.Buffer
		code, stderr := execute(t.Context(), &stdout, "-replay", dir)
		if code != 0 || stdout.Len() > 0 || !strings.Contains(stderr, "sharpe is undefined for every portfolio: there is no line") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
		lines := parse(t, replay(t, dir, "-objective", "return"))
		if len(lines) != 10 || lines[0].Regime != nil || lines[0].RegimeReason == "" {
			t.Errorf("%d lines, the first %+v", len(lines), lines[0])
		}
	})
}
