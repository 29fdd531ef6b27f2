package track

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Options say what is tracked and where. Without Dir and without
// MLFLOW_TRACKING_URI a tracker does nothing.
type Options struct {
	Dir        string            // folder of the TensorBoard event file; "": none
	Key        string            // identifies the run, its hash say: letters, digits, "." "_" and "-"; MLflow needs it
	Name       string            // of the run, for humans; "": Key
	Experiment string            // of MLflow; "": "vaefolio"
	Params     map[string]string // what the run was told; must not change with the same Key
	// Clock stamps a step. Nil: one millisecond a step from the year 2000 on, so
	// that a rerun writes the same bytes. Another one must give a step the same
	// time after a resumption, or MLflow holds its points twice.
	Clock func(step int) time.Time
	Note  func(line string) // hears, once and from any goroutine, why MLflow gets nothing more; nil: no one
}

// Tracker is safe for concurrent use.
type Tracker struct {
	clock  func(step int) time.Time
	server *sender // nil: none

	mu     sync.Mutex
	dir    string     // of the event file; "": none
	events *eventFile // nil before the first numbers
	err    error      // the first one of the event file, which is then left alone
	closed bool
}

// Open checks the options, and opens the server that the environment names, for
// which it doesn't wait. The event file is opened with the first numbers: a run
// that comes to none leaves no file. When the context ends, what waits for the
// server is given up.
func Open(ctx context.Context, o Options) (*Tracker, error) {
	if o.Clock == nil {
		start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		o.Clock = func(step int) time.Time { return start.Add(time.Duration(step) * time.Millisecond) }
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if !isPlain(o.Key) {
		return nil, fmt.Errorf("key %q of the run holds more than letters, digits, dots, underscores and dashes: "+
			"use a hash", o.Key)
	}
	t := &Tracker{clock: o.Clock, dir: o.Dir}
	t.server = openServer(ctx, o, defaultLimits)
	return t, nil
}

func isPlain(s string) bool {
	return !slices.ContainsFunc([]rune(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

// Log tracks the numbers of a step, by name; steps must not fall. It never
// waits for a server. After Close it does nothing.
func (t *Tracker) Log(step int, numbers map[string]float64) {
	if len(numbers) == 0 {
		return
	}
	values := make([]value, 0, len(numbers))
	for name, number := range numbers {
		values = append(values, value{name, number})
	}
	slices.SortFunc(values, func(a, b value) int { return cmp.Compare(a.name, b.name) })
	at := t.clock(step)

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if t.dir != "" && t.events == nil && t.err == nil {
		t.events, t.err = openEvents(t.dir, t.clock(0))
	}
	if t.events != nil && t.err == nil {
		t.err = t.events.log(step, at, values)
	}
	if t.server != nil {
		t.server.put(point{step, at, values})
	}
}

// Close ends the tracker, with the error that ended the run, if any: MLflow
// calls it finished, failed, or with [context.Canceled] killed. It waits at most
// ten seconds for the server, and two for one that has answered nothing yet or
// when the run was killed. It returns the first error of the event file.
func (t *Tracker) Close(cause error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return t.err
	}
	t.closed = true
	if t.server != nil {
		status := failed
		switch {
		case cause == nil:
			status = finished
		case errors.Is(cause, context.Canceled):
			status = killed
		}
		t.server.close(status)
	}
	if t.events != nil {
		if err := t.events.close(); t.err == nil {
			t.err = err
		}
	}
	return t.err
}

// Reached says, after Close, whether there is a server and it took all that it was
// sent, so that [Attach] may send it files too.
func (t *Tracker) Reached() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed && t.server != nil && !t.server.failed
}
