package sweep

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// workerVariable makes a process of this program a worker of a sweep on the
// backend that it names: see [BecomeWorker].
const workerVariable = "VAEFOLIO_SWEEP_WORKER"

// BecomeWorker turns the process into a worker where a sweep has started it as
// one, and then does not return. A program that runs sweeps calls it first
// thing: its workers are processes of the same program, as only a process of
// its own can be held to one core, and can die alone.
func BecomeWorker() {
	backend, ok := os.LookupEnv(workerVariable)
	if !ok {
		return
	}
	// Ctrl-C reaches the workers too, but it is the parent who stops them.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	if err := serve(backend, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// message is what a worker tells its parent, a line of JSON each.
type message struct {
	Kind string `json:"kind"`
	// Text is the backend's description of ready, the reason of failed, the note of
	// progress and note.
	Text   string  `json:"text,omitempty"`
	Advice string  `json:"advice,omitempty"` // ready
	Engine *engine `json:"engine,omitempty"` // ready
	Done   int     `json:"done,omitempty"`   // progress
	Total  int     `json:"total,omitempty"`  // progress
}

// Kinds of messages. All but the first three end a job.
const (
	isReady       = "ready"
	isProgress    = "progress"
	isNote        = "note"
	isDone        = "done"
	isThere       = "there"  // the run was finished already
	isLocked      = "locked" // another process makes it
	isFailed      = "failed"
	isInterrupted = "interrupted" // after saving
	isUnable      = "unable"      // no backend: the worker ends
)

// serve does the jobs that arrive, one a line, until they end. When they end
// during a job, the job is interrupted and saves its state.
func serve(backendName string, in io.Reader, out io.Writer) error {
	var mu sync.Mutex
	encoder := json.NewEncoder(out)
	say := func(m message) error {
		mu.Lock()
		defer mu.Unlock()
		return encoder.Encode(m)
	}
	backend, err := vae.Open(backendName)
	if err != nil {
		return say(message{Kind: isUnable, Text: err.Error()})
	}
	defer backend.Close()
	err = say(message{
		Kind: isReady, Text: backend.Description(), Advice: backend.Advice(),
		Engine: &engine{backend.Name(), backend.Plugin(), runtime.GOARCH},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	jobs := make(chan job)
	go func() {
		defer close(jobs)
		defer cancel()
		decoder := json.NewDecoder(in)
		for {
			var j job
			if decoder.Decode(&j) != nil {
				return
			}
			jobs <- j
		}
	}()
	t := &trainer{backend: backend}
	for j := range jobs {
		err := t.do(ctx, j, trained.Reports{ // a parent that is gone is noticed below
			Begin: func(string) func(done, total int, note string) {
				return func(done, total int, note string) {
					_ = say(message{Kind: isProgress, Done: done, Total: total, Text: note})
				}
			},
			Note: func(line string) { _ = say(message{Kind: isNote, Text: line}) },
		})
		if err := say(outcome(ctx, err)); err != nil {
			return err
		}
	}
	return nil
}

// outcome is the message that ends a job.
func outcome(ctx context.Context, err error) message {
	var done *run.AlreadyDone
	var locked *run.Locked
	switch {
	case err == nil:
		return message{Kind: isDone}
	case errors.As(err, &done):
		return message{Kind: isThere}
	case errors.As(err, &locked):
		return message{Kind: isLocked}
	case ctx.Err() != nil:
		return message{Kind: isInterrupted}
	default:
		return message{Kind: isFailed, Text: strings.Join(strings.Fields(err.Error()), " ")}
	}
}

// worker is a process that does jobs, as its parent sees it.
type worker struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	messages *json.Decoder
	stderr   *tail
	unpin    func()
	ready    message
}

// startWorker starts the worker on a core of its own, where there is one left
// and the system can, and waits until it is ready.
func startWorker(backend string) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(self), stderr: &tail{}}
	w.cmd.Env = append(os.Environ(), workerVariable+"="+backend)
	w.cmd.Stderr = w.stderr
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.messages = json.NewDecoder(bufio.NewReader(out))
	if w.unpin, err = startPinned(w.cmd); err != nil {
		return nil, err
	}
	if w.ready, err = w.next(); err != nil {
		return nil, fmt.Errorf("a worker ended as it started: %w", errors.Join(err, w.stop()))
	}
	if w.ready.Kind != isReady {
		return nil, errors.Join(errors.New(w.ready.Text), w.stop())
	}
	return w, nil
}

// next waits for a message.
func (w *worker) next() (message, error) {
	var m message
	err := w.messages.Decode(&m)
	return m, err
}

// do has the worker do a job, and returns the message that ends it, or an
// error when the worker died over it. hear gets the others.
func (w *worker) do(j job, hear func(message)) (message, error) {
	if err := json.NewEncoder(w.in).Encode(j); err != nil {
		return message{}, err
	}
	for {
		m, err := w.next()
		if err != nil || m.Kind != isProgress && m.Kind != isNote {
			return m, err
		}
		hear(m)
	}
}

// stop lets the worker end, and returns why it ended where it did so badly.
func (w *worker) stop() error {
	_ = w.in.Close() // it may have died
	err := w.cmd.Wait()
	w.unpin()
	if err != nil && w.stderr.line() != "" {
		return fmt.Errorf("%w: %s", err, w.stderr.line())
	}
	return err
}

// tail keeps the end of what a process writes.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	const limit = 4096
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-limit):]
	return len(p), nil
}

// line is the last line; of a Go program that crashed, the line that says why.
func (t *tail) line() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
	}
	return lines[len(lines)-1]
}
