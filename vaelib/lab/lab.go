package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/sweep"
)

// Files and folders of a laboratory.
const (
	planFile     = "lab.json"
	lockFile     = ".lab.lock"
	planKind     = "vaefolio laboratory"
	WorldsFolder = "worlds" // a folder for each, named by the hash of what it is made from
	resultFile   = "result.json"
	weightsFile  = "weights.csv"
	ResultsFile  = "results.csv"
	SummaryFile  = "summary.json"
	ReportFile   = "report.html"
	FiguresFile  = "figures/map.png"
)

// ownFiles are the laboratory's own, besides those of its worlds.
var ownFiles = []string{planFile, ResultsFile, SummaryFile, ReportFile, FiguresFile}

// plan is lab.json: what the laboratory looks at, and what computes it.
type plan struct {
	Kind      string   `json:"kind"`
	Settings  Settings `json:"settings"`
	Seed      uint64   `json:"seed"`
	Data      string   `json:"data"`                       // hash of the returns that are resampled; "" without
	Market    string   `json:"market"`                     // their name
	PerYear   float64  `json:"periods_per_year,omitempty"` // of those returns
	Synthetic bool     `json:"synthetic"`
	Model     string   `json:"model,omitempty"` // hash of the one over sets
	Rule      string   `json:"rule,omitempty"`  // hash of the learnt one
	Backend   string   `json:"backend"`
	GOARCH    string   `json:"goarch"`
}

// Lab is a laboratory in a folder.
type Lab struct {
	dir    string
	in     Inputs
	plan   plan
	worlds []planned
	force  bool
}

// planned is a world and the name of its folder.
type planned struct {
	world
	id     string
	config []byte
}

// Open checks a laboratory and its folder, which [Lab.Run] makes where it is missing.
// A folder with another laboratory is refused, unless force makes it this one, which
// keeps the worlds that both have.
func Open(dir string, in Inputs, force bool) (*Lab, error) {
	l, err := draw(dir, in, force)
	if err == nil {
		_, err = l.check()
	}
	return l, err
}

// Usable returns the error that [Open] would return for the folder, as far as it can be
// told without a backend and the models on it: whatever those are, it takes for the
// folder's.
func Usable(dir string, in Inputs, force bool) error {
	l, err := draw(dir, in, force)
	if err != nil {
		return err
	}
	if old, err := readPlan(dir); err == nil {
		l.plan.Model, l.plan.Rule, l.plan.Backend = old.Model, old.Rule, old.Backend
	}
	_, err = l.check()
	return err
}

// draw plans a laboratory; one without a backend is for [Usable] alone.
func draw(dir string, in Inputs, force bool) (*Lab, error) {
	s := &in.Settings
	if err := s.Validate(); err != nil {
		return nil, err
	}
	l := &Lab{dir: dir, in: in, force: force, plan: plan{Kind: planKind, Settings: *s, Seed: in.Seed, Synthetic: true,
		Market: Simulated, GOARCH: runtime.GOARCH}}
	if in.Backend != nil {
		l.plan.Backend = in.Backend.Name()
	}
	if s.Source == Bootstrap {
		_, columns := in.Market.Returns.Dims()
		if most := slices.Max(s.Assets); most > columns {
			return nil, fmt.Errorf("-n %d: the returns to resample are of %d assets: give smaller numbers, or other "+
				"prices", most, columns)
		}
		l.plan.Data, l.plan.Market, l.plan.Synthetic = in.Market.Hash, in.Market.Name, in.Market.Synthetic
		l.plan.PerYear = in.Market.PeriodsPerYear
	}
	var names []string
	for _, m := range roster(&in) {
		names = append(names, m.name)
	}
	if in.Set != nil {
		l.plan.Model = in.Set.Hash()
		names = append(names, l.plan.Model)
	}
	if in.Rule != nil {
		l.plan.Rule = in.Rule.Hash()
		names = append(names, l.plan.Rule)
	}
	for _, c := range s.cells() {
		for number := range s.Worlds {
			w := planned{world: world{c, number}}
			w.config = fmt.Appendf(nil, "source = %q\nn = %d\nperiods = %d\ndispersion = %v\nworld = %d\nwindows = "+
				"%d\nrows = %d\nsteps = %d\nsamples = %d\nstrategies = %q\n", s.Source, c.Assets, c.Periods,
				c.Dispersion, number,
				s.Windows, s.Rows, s.Steps, s.Samples, strings.Join(names, " "))
			if l.plan.PerYear > 0 {
				w.config = fmt.Appendf(w.config, "periods_per_year = %v\n", l.plan.PerYear)
			}
			w.id = run.Hash(w.config, fmt.Append(nil, in.Seed), []byte(l.plan.Data), []byte(l.plan.Backend))[:16]
			l.worlds = append(l.worlds, w)
		}
	}
	return l, nil
}

// check refuses a folder that the laboratory can't have, and says whether its plan is
// there.
func (l *Lab) check() (there bool, err error) {
	old, err := readPlan(l.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		entries, err := os.ReadDir(l.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return false, l.strangers(entries)
	case err != nil:
		return false, err
	case !l.same(old) && !l.force:
		return false, fmt.Errorf("%s holds another laboratory (%s): -force makes it this one and keeps the worlds "+
			"that both have, or choose another folder", l.dir, l.difference(old))
	}
	inWorld := path.Join(WorldsFolder, l.worlds[0].id, resultFile)
	return l.same(old), run.Free(l.dir, append(slices.Clone(ownFiles), inWorld)...)
}

// strangers refuses what lies in a folder without a plan, unless it is a laboratory's.
func (l *Lab) strangers(entries []fs.DirEntry) error {
	var names []string
	for _, e := range entries {
		if whole, _ := run.LeftoverOf(e.Name()); e.Name() != lockFile && whole != planFile {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil
	}
	if m, err := run.ReadManifest(l.dir); err == nil {
		return fmt.Errorf("%s holds another run (of %s, not lab): choose another folder", l.dir, m.Verb)
	}
	slices.SortStableFunc(names, func(a, b string) int { // what nobody sees comes last
		return strings.Count(a[:1], ".") - strings.Count(b[:1], ".")
	})
	const most = 3
	more := ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	return fmt.Errorf("%s holds files that no laboratory made (%s%s): choose another folder", l.dir,
		strings.Join(names, ", "), more)
}

// claim writes the plan into the folder, unless it is there.
func (l *Lab) claim() error {
	if _, err := l.check(); err != nil {
		return err // before a folder is made
	}
	if err := os.MkdirAll(l.dir, 0o777); err != nil {
		return err
	}
	return l.locked(func() error {
		there, err := l.check()
		if there || err != nil {
			return err
		}
		return run.WriteJSON(filepath.Join(l.dir, planFile), l.plan)
	})
}

// locked writes files of the folder's top, which no other process does meanwhile.
// What a killed one left half-written of them goes first.
func (l *Lab) locked(write func() error) error {
	return run.Exclusively(l.dir, lockFile, func() error {
		if err := run.RemoveLeftovers(l.dir, ownFiles...); err != nil {
			return err
		}
		return write()
	})
}

func (l *Lab) same(other *plan) bool {
	a, err := json.Marshal(l.plan)
	b, err2 := json.Marshal(other)
	return err == nil && err2 == nil && string(a) == string(b)
}

// difference tells the first thing in which another plan differs.
func (l *Lab) difference(other *plan) string {
	switch {
	case other.Backend != l.plan.Backend || other.GOARCH != l.plan.GOARCH:
		return fmt.Sprintf("on backend %s, %s, and this is %s, %s", other.Backend, other.GOARCH, l.plan.Backend,
			l.plan.GOARCH)
	case other.Seed != l.plan.Seed:
		return fmt.Sprintf("seed %d there, %d here", other.Seed, l.plan.Seed)
	case other.Data != l.plan.Data:
		return "other prices"
	case other.Model != l.plan.Model:
		return "another model over sets"
	case other.Rule != l.plan.Rule:
		return "another learnt rule"
	}
	return "other settings"
}

func readPlan(dir string) (*plan, error) {
	text, err := run.ReadFile(filepath.Join(dir, planFile))
	if err != nil {
		return nil, err
	}
	p := new(plan)
	if err := json.Unmarshal(text, p); err != nil || p.Kind != planKind {
		return nil, fmt.Errorf("%s has a %s that no laboratory wrote: choose another folder", dir, planFile)
	}
	return p, nil
}

// Options say how the worlds are made.
type Options struct {
	Workers  int // side by side; 0: one for each core
	Shard    sweep.Shard
	Progress func(done, total int, note string) // total are the worlds; nil: no reports
}

// Run makes those worlds of the shard that are not there. When the context ends,
// finished worlds stay; the next Run makes the others. A world that another process
// makes is waited for. The first failure ends the run with its error.
func (l *Lab) Run(ctx context.Context, o Options) error {
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if err := l.claim(); err != nil {
		return err
	}
	var mine []planned
	for i, w := range l.worlds {
		if o.Shard.Has(i) {
			mine = append(mine, w)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	next, done := 0, 0
	var group sync.WaitGroup
	for range min(o.Workers, len(mine)) {
		group.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(mine) || ctx.Err() != nil {
					return
				}
				if err := l.makeWorld(ctx, mine[i]); err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				done++
				if o.Progress != nil {
					o.Progress(done, len(mine), mine[i].Name())
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// makeWorld makes one in its folder, unless it is there.
func (l *Lab) makeWorld(ctx context.Context, w planned) error {
	spec := run.Spec{Verb: "lab", Config: w.config, Data: l.plan.Data, Seed: l.plan.Seed, Backend: l.plan.Backend,
		Plugin: l.in.Backend.Plugin(), Outputs: []string{resultFile, weightsFile}}
	for {
		folder, err := run.Open(l.worldDir(w.id), spec, false)
		var done *run.AlreadyDone
		var locked *run.Locked
		switch {
		case errors.As(err, &done):
			return nil
		case errors.As(err, &locked): // another process makes it
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
			continue
		case err != nil:
			return err
		}
		defer folder.Close()
		o, err := w.make(ctx, &l.in)
		if err != nil {
			return err
		}
		if err := run.WriteFile(folder.Path(weightsFile), o.writeWeights); err != nil {
			return err
		}
		if err := run.WriteJSON(folder.Path(resultFile), o); err != nil {
			return err
		}
		return folder.Finish()
	}
}

func (l *Lab) worldDir(id string) string { return filepath.Join(l.dir, WorldsFolder, id) }

// Worlds returns how many the laboratory is to have, and how many are there.
func (l *Lab) Worlds() (all, there int) {
	for _, w := range l.worlds {
		if m, err := run.ReadManifest(l.worldDir(w.id)); err == nil && m.Finished != nil {
			there++
		}
	}
	return len(l.worlds), there
}

// Bring copies the finished worlds of another folder of the same laboratory, made
// on a machine that shares no disk, and returns how many.
func (l *Lab) Bring(other string) (int, error) {
	p, err := readPlan(other)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s holds no laboratory: give the folders that lab has written", other)
	}
	if err != nil {
		return 0, err
	}
	if !l.same(p) {
		return 0, fmt.Errorf("%s holds another laboratory than %s (%s): bring in parts of one", other, l.dir,
			l.difference(p))
	}
	if err := l.claim(); err != nil {
		return 0, err
	}
	brought := 0
	for _, w := range l.worlds {
		from, to := filepath.Join(other, WorldsFolder, w.id), l.worldDir(w.id)
		there, err := run.ReadManifest(from)
		if err != nil || there.Finished == nil {
			continue
		}
		if here, err := run.ReadManifest(to); err == nil && here.Finished != nil {
			if !maps.Equal(here.Files, there.Files) {
				return brought, fmt.Errorf("%s and %s have different results of %s, world %d: remove the folder %s "+
					"of one",
					l.dir, other, w.Name(), w.Number, w.id)
			}
			continue
		}
		changed, err := there.Changed(from)
		if err != nil {
			return brought, err
		}
		if changed != "" {
			return brought, fmt.Errorf("%s is not the file that the world finished with: remove its folder",
				filepath.Join(from, changed))
		}
		if err := run.Copy(from, to); err != nil {
			return brought, err
		}
		brought++
	}
	return brought, nil
}

// outcomes reads those of all worlds. One that is missing or damaged is an error.
func (l *Lab) outcomes() ([]outcome, error) {
	var all []outcome
	missing := 0
	for _, w := range l.worlds {
		dir := l.worldDir(w.id)
		m, err := run.ReadManifest(dir)
		if err != nil || m.Finished == nil {
			missing++
			continue
		}
		changed, err := m.Changed(dir)
		if err == nil && changed != "" {
			err = fmt.Errorf("%s is not the file that the world finished with: remove its folder, and run lab again",
				filepath.Join(dir, changed))
		}
		if err != nil {
			return nil, err
		}
		text, err := run.ReadFile(filepath.Join(dir, resultFile))
		if err != nil {
			return nil, err
		}
		var o outcome
		if err := json.Unmarshal(text, &o); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, resultFile), err)
		}
		all = append(all, o)
	}
	if missing > 0 {
		return nil, fmt.Errorf("%d of %d worlds are missing: run lab again with the same flags, without -shard",
			missing,
			len(l.worlds))
	}
	return all, nil
}
