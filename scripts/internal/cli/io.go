package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"vaefolio/vaelib/run"
)

// progressInterval is how often progress is written as a line, where stderr is
// no terminal.
const progressInterval = 5 * time.Second

// IO is what a verb talks to: results go to Stdout, all else to methods.
type IO struct {
	// Stdout is buffered; it is flushed when the verb ends.
	Stdout io.Writer

	verb     string
	options  options
	defaults options // the same, with the default values
	quiet    bool
	terminal bool
	now      func() time.Time

	mu     sync.Mutex // guards stderr and active
	stderr io.Writer
	active *progress
}

func newIO(verb string, stdout, stderr io.Writer) *IO {
	file, ok := stderr.(*os.File)
	return &IO{
		Stdout: stdout, stderr: stderr, verb: verb, now: time.Now,
		terminal: ok && term.IsTerminal(int(file.Fd())),
	}
}

// Told says on stderr what was passed over in a file, a line each.
func (s *IO) Told(path string, notes []string) {
	for _, note := range notes {
		s.Note("%s: %s", path, note)
	}
}

// Note says something in one line on stderr, unless -quiet.
func (s *IO) Note(format string, args ...any) {
	if s.quiet {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active != nil && s.active.bar != nil {
		_ = s.active.bar.Clear() // a bar that can't be cleared is no reason to stop
	}
	fmt.Fprintln(s.stderr, visible(fmt.Sprintf(format, args...)))
}

// Kept says of interrupted work that dir keeps it.
func (s *IO) Kept(ctx context.Context, dir string) {
	if ctx.Err() != nil {
		s.Note("%s keeps what is done: the same command goes on from there", dir)
	}
}

// Config spells all values of the run as TOML.
func (s *IO) Config() []byte { return s.options.toml(s.verb) }

// Inputs are hashes of the files that flags name, by the flags: what else than its data
// makes a run the one that it is. Of prices and funding the data have what is used of them,
// and what no configuration records, such as a file of limits, is in other flags.
// What can't be read has no hash: whoever opens it says what is wrong.
func (s *IO) Inputs() map[string]string {
	inputs := map[string]string{}
	for _, o := range s.options {
		if !s.options.isRecorded(o) || o.name == "prices" || o.name == "funding" {
			continue
		}
		for _, path := range o.inputs() {
			if mode, ok := modeOf(path); !ok || !mode.IsRegular() {
				continue
			}
			if hash, err := run.HashFile(path); err == nil {
				inputs[o.name] = hash
			}
		}
	}
	return inputs
}

// Progress begins a piece of long work and returns the function that reports
// it, for use from any goroutine. On a terminal it draws a bar, elsewhere it
// writes a line every few seconds. The next piece of work ends it.
func (s *IO) Progress(title string) func(done, total int, note string) {
	if s.quiet {
		return func(int, int, string) {}
	}
	s.endProgress()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &progress{title: title, started: s.now(), written: s.now()}
	s.active = p
	return func(done, total int, note string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.active != p {
			return // a straggler of work that has ended
		}
		if s.terminal {
			p.draw(s.stderr, done, total, note)
		} else {
			p.line(s.stderr, s.now(), done, total, note)
		}
	}
}

func (s *IO) endProgress() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active != nil && s.active.bar != nil {
		_ = s.active.bar.Clear()
	}
	s.active = nil
}

// progress is one piece of work under way.
type progress struct {
	title   string
	bar     *progressbar.ProgressBar // nil until drawn
	total   int
	started time.Time
	written time.Time // when the last line was
}

func (p *progress) draw(w io.Writer, done, total int, note string) {
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetWidth(30), progressbar.OptionUseANSICodes(true), progressbar.OptionClearOnFinish())
		p.total = total
	}
	if total != p.total {
		p.bar.ChangeMax(total)
		p.total = total
	}
	p.bar.Describe(p.title + suffix(note))
	_ = p.bar.Set(done)
}

func (p *progress) line(w io.Writer, now time.Time, done, total int, note string) {
	if now.Sub(p.written) < progressInterval {
		return
	}
	p.written = now
	fmt.Fprintf(w, "%s: %d of %d, %s%s\n", p.title, done, total, now.Sub(p.started).Round(time.Second), suffix(note))
}

func suffix(note string) string {
	if note == "" {
		return ""
	}
	return ", " + visible(note)
}
