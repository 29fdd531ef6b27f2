package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed peers/*.py
var scripts embed.FS

// library is a peer: the scripts that make its program, and how to get it.
type library struct {
	name    string
	scripts []string
	install string // what pip is to install
	// plugin makes JAX run on the XLA plugin that this library runs on, which
	// parts what the graph is worth from what the build of XLA is worth.
	plugin bool
}

var (
	numpy    = library{name: "numpy", scripts: []string{"protocol", "portfolios", "numpy"}, install: "numpy"}
	jax      = library{name: "JAX", scripts: []string{"protocol", "portfolios", "jax"}, install: "jax"}
	sameXLA  = library{name: "JAX on this plugin", scripts: jax.scripts, install: jax.install, plugin: true}
	torch    = library{name: "PyTorch", scripts: []string{"protocol", "torch"}, install: "torch"}
	clarabel = library{name: "Clarabel", scripts: []string{"protocol", "clarabel"}, install: "clarabel scipy"}
	pypfopt  = library{name: "PyPortfolioOpt", scripts: []string{"protocol", "pypfopt"}, install: "pyportfolioopt"}
	osqp     = library{name: "OSQP", scripts: []string{"protocol", "osqp"}, install: "osqp scipy"}
	cvxpy    = library{name: "cvxpy", scripts: []string{"protocol", "cvxpy"}, install: "cvxpy"}
	skfolio  = library{name: "skfolio", scripts: []string{"protocol", "skfolio"}, install: "skfolio"}
)

// program is the library's Python text.
func (l library) program() string {
	var b strings.Builder
	for _, name := range l.scripts {
		text, err := scripts.ReadFile("peers/" + name + ".py")
		if err != nil {
			panic("bench: script " + name + " is not embedded")
		}
		b.Write(text)
	}
	return b.String()
}

// findPython returns the path of the Python to use, or why there is none.
func findPython(given string) (path, problem string) {
	candidates := []string{"python3", filepath.Join(".venv", "bin", "python")}
	if given != "" {
		candidates = []string{given}
	}
	for _, name := range candidates {
		if path, err := exec.LookPath(name); err == nil {
			return path, ""
		}
	}
	if given != "" {
		return "", given + " is no program: give the path of a Python with -python"
	}
	return "", "no python3 on the PATH: give the path of one with -python"
}

// Time limits of a peer's answers; a turn may take its length besides.
const (
	startLimit   = 5 * time.Minute
	prepareLimit = 10 * time.Minute // compiling takes minutes where others take the cores
	turnLimit    = time.Minute
	stopLimit    = 3 * time.Second
)

// maxReply is the size of the longest line that a peer may answer.
const maxReply = 1 << 20

// peer is a Python process that does work on request: one JSON object a line
// on its stdin, one on its stdout for each. It is for one goroutine.
type peer struct {
	name    string
	version string // as it says
	failed  error  // why it can't be used any more

	kill    func()
	stdin   io.WriteCloser
	stderr  *tail
	replies chan reply // closed after the last
	ended   chan struct{}
}

// request is a line to a peer.
type request struct {
	Op      string  `json:"op"` // prepare or turn
	Task    string  `json:"task"`
	Data    any     `json:"data,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
}

// reply is a line from a peer; the first tells its version, or what is missing.
type reply struct {
	Version string    `json:"version"`
	Missing string    `json:"missing"`
	Error   string    `json:"error"`
	Answer  []float64 `json:"answer"`
	Units   float64   `json:"units"`
	Wall    float64   `json:"wall"`
	CPU     float64   `json:"cpu"`

	rubbish error // the line was no reply
}

// missingError says that a library is not installed.
type missingError struct{ reason string }

func (e *missingError) Error() string { return "not installed (" + e.reason + ")" }

// peer returns the running peer of a library, started at the first call.
func (b *bed) peer(ctx context.Context, l library) (*peer, error) {
	if b.python == "" {
		return nil, errors.New(b.noPython)
	}
	if p := b.peers[l.name]; p != nil {
		return p, p.failed
	}
	command := exec.CommandContext(ctx, b.python, "-c", l.program())
	if l.plugin {
		if b.xla == nil {
			return nil, errors.New(b.noXLA)
		}
		command.Env = append(command.Environ(),
			"PJRT_NAMES_AND_LIBRARY_PATHS=plugin:"+b.xla.Plugin(), "JAX_PLATFORMS=plugin")
	}
	p := startPeer(ctx, l.name, command)
	var missing *missingError
	if errors.As(p.failed, &missing) {
		p.failed = fmt.Errorf("%w: %s -m pip install %s", missing, filepath.Base(b.python), l.install)
	}
	b.peers[l.name] = p
	return p, p.failed
}

// startPeer starts a peer and waits for its first line. Whether that went well
// is in failed.
func startPeer(ctx context.Context, name string, command *exec.Cmd) *peer {
	p := &peer{name: name, kill: func() {}, stderr: &tail{}, replies: make(chan reply), ended: make(chan struct{})}
	// One thread for the libraries that ask the environment, as a figure is one
	// core's where the workload doesn't say otherwise.
	command.Env = append(command.Environ(), "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1")
	command.Stderr = p.stderr
	command.WaitDelay = stopLimit
	stdout, err := p.start(command)
	if err != nil {
		close(p.ended)
		_ = p.fail(err)
		return p
	}
	stopped := make(chan struct{})
	p.kill = sync.OnceFunc(func() {
		close(stopped)
		_ = command.Process.Kill() // it may have ended
		_ = stdout.Close()         // which a child of its own may hold open
	})
	go func() {
		defer close(p.ended)
		p.listen(stdout, stopped)
		_ = command.Wait() // what it says on stderr tells more than its exit code
	}()
	first, err := p.wait(ctx, startLimit)
	switch {
	case err != nil:
	case first.Missing != "":
		_ = p.fail(&missingError{first.Missing})
	case first.Version == "":
		_ = p.fail(errors.New("its first line tells no version"))
	default:
		p.version = first.Version
	}
	return p
}

func (p *peer) start(command *exec.Cmd) (stdout io.ReadCloser, err error) {
	if p.stdin, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	if stdout, err = command.StdoutPipe(); err != nil {
		return nil, err
	}
	return stdout, command.Start()
}

// listen hands on the replies until stdout ends or the peer is stopped.
func (p *peer) listen(stdout io.Reader, stopped <-chan struct{}) {
	defer close(p.replies)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, maxReply)
	send := func(r reply) bool {
		select {
		case p.replies <- r:
			return true
		case <-stopped:
			return false
		}
	}
	for lines.Scan() {
		var r reply
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			r = reply{rubbish: fmt.Errorf("it wrote %.60q instead of a reply", lines.Text())}
		}
		if !send(r) {
			return
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		send(reply{rubbish: errors.New("it wrote a line that is too long for a reply")})
	}
}

// wait returns the next reply. After any error but one that the peer itself
// reports, the peer is killed and stays unusable.
func (p *peer) wait(ctx context.Context, limit time.Duration) (reply, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r, ok := <-p.replies:
		switch {
		case !ok && ctx.Err() != nil: // which killed it
			return reply{}, p.fail(ctx.Err())
		case !ok:
			p.stop() // so that stderr is complete
			return reply{}, p.fail(fmt.Errorf("it ended early: %s", p.stderr.lastLine()))
		case r.rubbish != nil:
			return reply{}, p.fail(r.rubbish)
		case r.Error != "":
			return reply{}, fmt.Errorf("%s: %s", p.name, strings.Join(strings.Fields(r.Error), " "))
		}
		return r, nil
	case <-timer.C:
		return reply{}, p.fail(fmt.Errorf("no answer within %v", limit))
	case <-ctx.Done():
		return reply{}, p.fail(ctx.Err())
	}
}

// fail makes the peer unusable and returns why.
func (p *peer) fail(err error) error {
	p.failed = fmt.Errorf("%s: %w", p.name, err)
	p.kill()
	return p.failed
}

// ask sends a request and returns its reply.
func (p *peer) ask(ctx context.Context, q request, limit time.Duration) (reply, error) {
	if p.failed != nil {
		return reply{}, p.failed
	}
	line, err := json.Marshal(q)
	if err != nil {
		return reply{}, err
	}
	sent := make(chan struct{})
	go func() { // a peer that doesn't read must not hold us up
		defer close(sent)
		_, _ = p.stdin.Write(append(line, '\n')) // a peer that can't be written to has ended, which wait says
	}()
	r, err := p.wait(ctx, limit)
	if p.failed != nil {
		_ = p.stdin.Close() // ends a writing that nobody reads
	}
	<-sent
	return r, err
}

// prepare sets a task up and returns its answer.
func (p *peer) prepare(ctx context.Context, task string, data any) ([]float64, error) {
	r, err := p.ask(ctx, request{Op: "prepare", Task: task, Data: data}, prepareLimit)
	return r.Answer, err
}

// turn works on a prepared task.
func (p *peer) turn(ctx context.Context, task string, seconds float64) (span, error) {
	limit := turnLimit + time.Duration(2*seconds*float64(time.Second))
	r, err := p.ask(ctx, request{Op: "turn", Task: task, Seconds: seconds}, limit)
	if err != nil {
		return span{}, err
	}
	if !(r.Units > 0 && r.Wall > 0 && r.CPU > 0) {
		return span{}, p.fail(fmt.Errorf("its turn of %v units in %v s, %v of the CPU, is no measurement",
			r.Units, r.Wall, r.CPU))
	}
	return span{r.Units, r.Wall, r.CPU}, nil
}

// stop ends the peer, and waits until it has ended.
func (p *peer) stop() {
	if p.stdin != nil {
		_ = p.stdin.Close() // asks it to end
	}
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
	}
	p.kill()
	<-p.ended
}

// enter makes a contender of a peer's task; one that can't be prepared is
// there with the reason.
func (b *bed) enter(ctx context.Context, l library, name, versus, task string, data any) (contender, error) {
	c := contender{name: name, versus: versus}
	p, err := b.peer(ctx, l)
	if err == nil {
		c.answer, err = p.prepare(ctx, task, data)
	}
	if ctx.Err() != nil {
		return c, ctx.Err()
	}
	if err != nil {
		c.missing = err.Error()
		return c, nil
	}
	c.turn = func(ctx context.Context, seconds float64) (span, error) { return p.turn(ctx, task, seconds) }
	return c, nil
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

// tailSize is how much a tail keeps.
const tailSize = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = t.text[extra:]
	}
	return len(p), nil
}

func (t *tail) lastLine() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return "and said nothing"
}
