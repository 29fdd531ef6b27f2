package sweep

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say how [Sweep.Run] works. The zero value makes all runs, a
// worker on each core, with the backend "auto".
type Options struct {
	Workers int    // processes; 0: one for each core, or what a quota leaves of them
	Shard   Shard  // the part of the runs to make
	Backend string // as [vae.Open] has it; "": auto
	// Begin is told the name of a piece of work before the runs, and returns
	// what is to be told its progress. nil: no reports.
	Begin func(step string) func(done, total int, note string)
	// Progress is told whenever something has changed; it must not block.
	// nil: no reports.
	Progress func(Progress)
	// Note is told what a user should know, in one line. nil: nothing.
	Note func(text string)
}

// Progress is a moment of a sweep.
type Progress struct {
	Runs      int           // of this shard
	There     int           // that were finished before
	Done      int           // now
	Failed    int           // now
	Elsewhere int           // in the hands of another process
	Steps     int           // gradient steps done of the runs begun or finished now
	AllSteps  int           // of all runs but those that were there
	Left      time.Duration // until the end at the present speed; negative: unknown
	Workers   []WorkerState
}

// WorkerState is what one worker does.
type WorkerState struct {
	Run         string // its point on the axes; "" while it waits
	Done, Total int    // steps
	Note        string
}

// Outcome is what [Sweep.Run] has done.
type Outcome struct {
	There    int // made before, or meanwhile by another process
	Done     int
	Failures []Failure
}

// Failure is a run that failed, and why.
type Failure struct {
	ID, Run string // the folder's name, the point on the axes
	Reason  string
}

// pool is a set of workers that make the runs of a sweep.
type pool struct {
	sweep   *Sweep
	options Options
	pending []int // numbers of the runs to make

	mu      sync.Mutex // guards what follows
	next    int        // in pending
	held    []int      // numbers of the runs that another process makes, to be waited for
	outcome Outcome
	states  []WorkerState
	steps   int // of finished runs
	begun   time.Time
	dead    error // why no worker could be started
	noted   map[string]bool
}

// Run makes the runs of the shard that are not finished, and takes up those
// that were interrupted. It waits for those that another process makes, so that
// all are there when it returns. A run that fails doesn't stop the others: it is among
// the outcome's failures, and made again by the next Run. When the context ends
// every worker saves its state first.
//
// The process must have called [BecomeWorker] when it started.
func (s *Sweep) Run(ctx context.Context, o Options) (*Outcome, error) {
	if o.Backend == "" {
		o.Backend = "auto"
	}
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	p := &pool{sweep: s, options: o, noted: map[string]bool{}}
	for _, note := range s.notes {
		p.note("%s", note)
	}
	for i, r := range s.plan.Runs {
		switch {
		case !o.Shard.Has(i):
		case isFinished(s.runDir(r.ID)):
			p.outcome.There++
		default:
			p.pending = append(p.pending, i)
		}
	}
	if len(p.pending) == 0 {
		return &p.outcome, s.claim(nil)
	}
	workers := min(o.Workers, len(p.pending))
	p.states = make([]WorkerState, workers)
	first, err := startWorker(o.Backend)
	if err != nil {
		return &p.outcome, err
	}
	if err := p.prepare(ctx, first); err != nil {
		_ = first.stop()
		return &p.outcome, err
	}
	p.begun = time.Now()
	p.report()
	var group sync.WaitGroup
	for i := range workers {
		var started *worker
		if i == 0 {
			started = first
		}
		group.Go(func() { p.work(ctx, i, started) })
	}
	group.Wait()
	slices.SortFunc(p.outcome.Failures, func(a, b Failure) int { return strings.Compare(a.ID, b.ID) })
	if err := ctx.Err(); err != nil {
		return &p.outcome, err
	}
	if p.next < len(p.pending) || len(p.held) > 0 {
		return &p.outcome, p.dead
	}
	return &p.outcome, nil
}

// noteLeftOut says which lookbacks the runs to make go without, each line once.
func (p *pool) noteLeftOut() {
	said := map[string]bool{"": true}
	for _, i := range p.pending {
		if note := p.sweep.sets[i].note; !said[note] {
			p.note("%s", note)
			said[note] = true
		}
	}
}

// prepare records the backend and builds the training sets.
func (p *pool) prepare(ctx context.Context, w *worker) error {
	s := p.sweep
	p.note("backend: %s", w.ready.Text)
	if w.ready.Advice != "" {
		p.note("%s", w.ready.Advice)
	}
	p.noteLeftOut()
	if err := s.claim(w.ready.Engine); err != nil {
		return err
	}
	if err := s.writeMarkets(ctx, p.pending); err != nil {
		return err
	}
	made := map[string]bool{}
	for _, i := range p.pending {
		set := s.sets[i]
		if made[set.id] {
			continue
		}
		made[set.id] = true
		var progress func(done, total int, note string)
		if p.options.Begin != nil {
			progress = p.options.Begin("training set " + set.id)
		}
		if err := set.make(ctx, s.corpusDir(set.id), progress); err != nil {
			return err
		}
	}
	return nil
}

// work has one worker process after another, should one die, do jobs until
// none are left.
func (p *pool) work(ctx context.Context, number int, w *worker) {
	for {
		if w == nil {
			var err error
			if w, err = startWorker(p.options.Backend); err != nil {
				p.mu.Lock()
				p.dead = fmt.Errorf("worker %d does not start: %w", number+1, err)
				p.mu.Unlock()
				return
			}
		}
		// Its jobs end with the context: the worker then saves and stops.
		release := context.AfterFunc(ctx, func() { _ = w.in.Close() })
		run, err := p.use(ctx, number, w)
		release()
		stopErr := w.stop()
		if err == nil || ctx.Err() != nil {
			return
		}
		if stopErr != nil {
			err = stopErr
		}
		p.finish(number, run, message{Kind: isFailed, Text: fmt.Sprintf("its worker died (%v)", err)})
		p.note("worker %d died (%v) over run %s, which counts as failed; a new process takes its place", number+1,
			err, p.sweep.plan.Runs[run].ID)
		w = nil
	}
}

// use has a worker do jobs. The error is that of its death, over a run.
func (p *pool) use(ctx context.Context, number int, w *worker) (run int, err error) {
	for {
		run, wait, ok := p.take(ctx, number)
		if !ok {
			return 0, nil
		}
		j := p.sweep.job(run)
		j.Wait = wait
		m, err := w.do(j, func(m message) { p.hear(number, m) })
		if err != nil {
			return run, err
		}
		if m.Kind == isInterrupted {
			return run, errors.New("interrupted")
		}
		p.finish(number, run, m)
	}
}

// job is a run as the worker gets it.
func (s *Sweep) job(i int) job {
	t, r := &s.trials[i], s.plan.Runs[i]
	return job{
		Folder: s.runDir(r.ID), Corpus: s.corpusDir(r.Corpus), Symbols: t.Window.Symbols,
		Settings: t.Settings, Seed: t.Seed, Config: string(t.Config), Data: r.Corpus, Funding: t.Window.Funded,
		Force: s.force, Market: s.markets[i],
	}
}

// take gives a worker the next run; where none are left but those that another
// process makes, one of these to wait for.
func (p *pool) take(ctx context.Context, number int) (run int, wait, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states[number] = WorkerState{}
	switch {
	case ctx.Err() != nil:
		return 0, false, false
	case p.next < len(p.pending):
		run = p.pending[p.next]
		p.next++
	case len(p.held) > 0:
		run, wait = p.held[0], true
		p.held = p.held[1:]
	default:
		return 0, false, false
	}
	p.states[number] = WorkerState{Run: p.sweep.plan.label(p.sweep.plan.Runs[run]),
		Total: p.sweep.trials[run].steps()}
	return run, wait, true
}

// hear takes what a worker says during a job. What many runs note, such as that
// a server is gone, is told once.
func (p *pool) hear(number int, m message) {
	p.mu.Lock()
	if m.Kind == isNote {
		known := p.noted[m.Text]
		p.noted[m.Text] = true
		p.mu.Unlock()
		if !known {
			p.note("%s", m.Text)
		}
		return
	}
	state := &p.states[number]
	state.Done, state.Total, state.Note = m.Done, m.Total, m.Text
	p.mu.Unlock()
	p.report()
}

// finish records how a run ended.
func (p *pool) finish(number, run int, m message) {
	p.mu.Lock()
	switch m.Kind {
	case isFailed:
		r := p.sweep.plan.Runs[run]
		p.outcome.Failures = append(p.outcome.Failures, Failure{r.ID, p.sweep.plan.label(r), m.Text})
	case isDone:
		p.outcome.Done++
	case isThere:
		p.outcome.There++
	case isLocked:
		p.held = append(p.held, run)
	}
	if m.Kind != isLocked {
		p.steps += p.sweep.trials[run].steps()
	}
	p.states[number] = WorkerState{}
	p.mu.Unlock()
	p.report()
}

// report tells how far the sweep is.
func (p *pool) report() {
	if p.options.Progress == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := Progress{
		Runs: p.outcome.There + len(p.pending), There: p.outcome.There, Done: p.outcome.Done,
		Failed: len(p.outcome.Failures), Elsewhere: len(p.held), Steps: p.steps, Left: -1,
		Workers: append([]WorkerState(nil), p.states...),
	}
	for _, i := range p.pending {
		now.AllSteps += p.sweep.trials[i].steps()
	}
	for _, state := range p.states {
		now.Steps += state.Done
	}
	if now.Steps > 0 {
		spent := time.Since(p.begun).Seconds()
		now.Left = time.Duration(spent * float64(now.AllSteps-now.Steps) / float64(now.Steps) * float64(time.Second))
	}
	p.options.Progress(now)
}

func (p *pool) note(format string, args ...any) {
	if p.options.Note != nil {
		p.options.Note(fmt.Sprintf(format, args...))
	}
}
