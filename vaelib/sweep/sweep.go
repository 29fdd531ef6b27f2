package sweep

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// Settings are those of one run of a sweep. Their tags name the flags. The assets
// of the model, its seed and that of the training set, and the periods per year
// come from the [Trial].
type Settings struct {
	Split   float64 `flag:"split" range:"(0,1)" unit:"share" help:"the first part of the time, from which training portfolios are made"`
	Embargo int     `flag:"embargo" range:"[-1,inf)" help:"the number of periods left out before the split; -1 means the longest lookback"`

	Corpus     corpus.Config `title:"Training set"`
	CorpusSeed uint64        `flag:"corpus-seed" help:"the seed of the training portfolios, which runs of several seeds share; 0 takes each run's own seed"`

	Conditional          bool `flag:"conditional" record:"conditional" help:"tell the models what each portfolio has, so that they can be asked for it"`
	trained.Conditioning `title:"Conditions"`

	Model      vae.Config   `title:"Model"`
	Schedule   vae.Schedule `title:"Training"`
	Components int          `flag:"components" range:"[1,inf)" help:"the number of normals in the mixture fitted to the codes, from which the posterior dispersion is measured"`
}

// DefaultSettings are those of the pipeline's training, with a coarser
// mixture, as fitting the pipeline's can take more than half as long as the
// training: its posterior dispersion is too small by 0.01 to 0.03.
func DefaultSettings() Settings {
	s := experiment.DefaultSettings()
	return Settings{
		Split: s.Split, Embargo: s.Embargo, Corpus: s.Corpus, CorpusSeed: 1,
		Conditioning: trained.DefaultConditioning(), Model: s.Model, Schedule: s.Schedule, Components: 20,
	}
}

// Trial is one run of a sweep: what it is made from.
type Trial struct {
	Point []string // its values on the sweep's axes
	Settings
	Seed   uint64
	Config []byte // all its values as TOML, kept in its folder

	Window         *market.Window // all returns, T x n; the trial splits them
	Set            simplex.Set
	Sectors        *market.Sectors // nil: none
	PeriodsPerYear float64
	Synthetic      bool // the prices are made up
}

// Files and folders of a sweep, besides [CorporaFolder]. Each run has a folder
// in RunsFolder, named by the hash of its configuration and data.
const (
	RunsFolder  = "runs"
	planFile    = "sweep.json"
	engineFile  = "backend.json"
	resultFile  = "result.json"
	timingsFile = "timings.json"
	failureFile = "failure.txt"
	lockFile    = ".sweep.lock"
	planKind    = "vaefolio sweep"
	idLength    = 16 // hexadecimal digits
)

// plan is what sweep.json lists: every run that the sweep is to have.
type plan struct {
	Kind      string         `json:"kind"`
	Synthetic bool           `json:"synthetic"` // some run is on made-up prices
	Axes      []string       `json:"axes"`
	Runs      []plannedTrial `json:"runs"`
}

type plannedTrial struct {
	ID     string   `json:"id"`
	Point  []string `json:"point"`
	Corpus string   `json:"corpus"`
	Seed   uint64   `json:"seed"`
}

// label tells the run by its point.
func (p *plan) label(r plannedTrial) string {
	parts := make([]string, len(r.Point))
	for i, value := range r.Point {
		parts[i] = p.Axes[i] + "=" + value
	}
	if len(parts) == 0 {
		return r.ID
	}
	return strings.Join(parts, " ")
}

// Sweep is a folder with many runs.
type Sweep struct {
	dir    string
	plan   plan
	trials []Trial
	sets   []*trainingSet // one a trial; equal ones are shared
	notes  []string       // which trials are none, as others are the same
	force  bool

	markets map[int]string // files that pending runs are judged on
}

// PlanError says that a folder holds another sweep.
type PlanError struct {
	Dir    string
	Reason string

	cutShort bool // its plan is: force may replace it
}

func (e *PlanError) Error() string { return e.Dir + " " + e.Reason }

// Open checks the trials, whose points lie on the axes, and the folder of a sweep
// over them; [Sweep.Run] makes the folder. A folder with another sweep is a
// [*PlanError], unless force replaces its list of runs; those runs that both
// sweeps have are kept. Two trials with the same configuration and data are an
// error. Of those that differ in lookbacks alone, none of which the history holds, the
// first is run for all.
func Open(dir string, axes []string, trials []Trial, force bool) (*Sweep, error) {
	if len(trials) == 0 {
		return nil, errors.New("a sweep without runs")
	}
	s := &Sweep{dir: dir, plan: plan{Kind: planKind, Axes: axes}, force: force}
	shared, same := map[string]*trainingSet{}, map[string]int{} // trials by what they come to
	for i := range trials {
		t := &trials[i]
		set, err := t.check()
		if err != nil {
			return nil, fmt.Errorf("run %d of %d (%s): %w", i+1, len(trials), strings.Join(t.Point, " "), err)
		}
		if old, ok := shared[set.id]; ok {
			set = old
		}
		shared[set.id] = set
		planned := plannedTrial{ID: t.id(set, ""), Point: t.Point, Corpus: set.id, Seed: t.Seed}
		effect := t.id(set, "lookbacks") // those that are left are in the training set's name
		if j, ok := same[effect]; ok {
			first := plannedTrial{ID: trials[j].id(set, ""), Point: trials[j].Point}
			if first.ID == planned.ID {
				return nil, fmt.Errorf("runs %d and %d (%s) are the same: does an axis have no effect?", j+1, i+1,
					s.plan.label(planned))
			}
			s.notes = append(s.notes, fmt.Sprintf("%s is the same run as %s: what differs are "+
				"lookbacks that are left out", s.plan.label(planned), s.plan.label(first)))
			continue
		}
		same[effect] = i
		s.plan.Synthetic = s.plan.Synthetic || t.Synthetic
		s.trials, s.sets, s.plan.Runs = append(s.trials, *t), append(s.sets, set), append(s.plan.Runs, planned)
	}
	_, _, err := s.check(nil)
	return s, err
}

// check says what makes no sense in the trial, and returns what it is to learn from.
func (t *Trial) check() (*trainingSet, error) {
	set, err := t.trainingSet()
	if err == nil {
		err = t.validateModel(len(set.window.Symbols))
	}
	if err == nil && t.Conditional {
		_, _, err = t.Choose(portfolio.Names(set.config.Schema(set.sectors, set.window.Symbols)), nil)
	}
	return set, err
}

// validateModel says what makes no sense in the model, over n assets.
func (t *Trial) validateModel(n int) error {
	config, schedule := t.Model, t.Schedule
	config.Assets = n
	// What is auto is chosen from the training set, and makes sense.
	config.Latent = cmp.Or(config.Latent, 1)
	schedule.Steps, schedule.Batch = t.steps(), cmp.Or(schedule.Batch, 1)
	schedule.LearningRate = cmp.Or(schedule.LearningRate, 1)
	config.EnsureDefaults()
	schedule.EnsureDefaults()
	return cmp.Or(config.Validate(), schedule.Validate())
}

// steps is how many steps the training has.
func (t *Trial) steps() int { return cmp.Or(t.Schedule.Steps, vae.DefaultSchedule().Steps) }

// id names the trial by its configuration, but for one setting, and its data.
func (t *Trial) id(set *trainingSet, but string) string {
	var lines []byte
	for line := range bytes.Lines(t.Config) {
		line = bytes.TrimSpace(line)
		setting, _, _ := bytes.Cut(line, []byte(" "))
		if len(line) > 0 && line[0] != '#' && string(setting) != but {
			lines = append(append(lines, line...), '\n')
		}
	}
	return run.Hash(lines, []byte(set.id))[:idLength]
}

// check refuses a folder that this sweep can't have, with runs computed by the
// engine where it is known; it returns what is there of plan and engine.
func (s *Sweep) check(e *engine) (old *plan, was *engine, err error) {
	old, err = readPlan(s.dir)
	var damaged *PlanError
	switch {
	case errors.As(err, &damaged) && damaged.cutShort && s.force:
		old = nil
	case errors.Is(err, fs.ErrNotExist):
		if err := onlySweepFiles(s.dir); err != nil {
			return nil, nil, err
		}
		old = nil
	case err != nil:
		return nil, nil, err
	case !samePlan(old, &s.plan) && !s.force:
		return nil, nil, &PlanError{Dir: s.dir, Reason: fmt.Sprintf("holds another sweep, of %d runs: -force turns "+
			"it into this one and keeps the runs they share, or choose another folder", len(old.Runs))}
	}
	if err := run.Free(s.dir, append(slices.Clone(ownFiles), path.Join(RunsFolder, s.plan.Runs[0].ID, run.ManifestFile),
		path.Join(CorporaFolder, s.plan.Runs[0].Corpus, run.ManifestFile))...); err != nil {
		return nil, nil, err
	}
	there, err := readEngine(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return old, nil, nil
	case err != nil:
		return nil, nil, err
	case e != nil && !s.force && (there.Backend != e.Backend || there.GOARCH != e.GOARCH):
		return nil, nil, &PlanError{Dir: s.dir, Reason: fmt.Sprintf("was begun with the backend %s on %s, and this "+
			"is %s on %s: give -backend %s, or choose another folder",
			there.Backend, there.GOARCH, e.Backend, e.GOARCH, there.Backend)}
	}
	return old, &there, nil
}

// claim makes the folder the sweep's: its plan is written there, and what
// computes the runs, unless they are there.
func (s *Sweep) claim(e *engine) error {
	if _, _, err := s.check(e); err != nil {
		return err // before a folder is made
	}
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	return locked(s.dir, func() error {
		old, was, err := s.check(e)
		if err == nil {
			err = removeLeftovers(s.dir)
		}
		if err != nil {
			return err
		}
		if old == nil || !samePlan(old, &s.plan) {
			err = run.WriteJSON(filepath.Join(s.dir, planFile), &s.plan)
		}
		if err == nil && e != nil && (was == nil || s.force) {
			err = run.WriteJSON(filepath.Join(s.dir, engineFile), e)
		}
		return err
	})
}

// locked does something that no other process may do in a sweep's folder meanwhile.
// All files but those of runs and training sets are written so.
func locked(dir string, do func() error) error { return run.Exclusively(dir, lockFile, do) }

// ownFiles are the sweep's own, besides those of its runs.
var ownFiles = []string{planFile, engineFile, ResultsFile, TimingsFile, returnsFile, ReportFile,
	path.Join(FiguresFolder, sharpeFigure), path.Join(FiguresFolder, faithfulFigure)}

// removeLeftovers removes what a killed process left half-written of the sweep's own
// files. The folder is locked.
func removeLeftovers(dir string) error {
	names := slices.Clone(ownFiles)
	entries, err := os.ReadDir(filepath.Join(dir, MarketsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if whole, ok := run.LeftoverOf(e.Name()); ok && isID(strings.TrimSuffix(whole, marketSuffix)) {
			names = append(names, path.Join(MarketsFolder, whole))
		}
	}
	return run.RemoveLeftovers(dir, names...)
}

func samePlan(a, b *plan) bool {
	return slices.Equal(a.Axes, b.Axes) && slices.EqualFunc(a.Runs, b.Runs, func(x, y plannedTrial) bool {
		return x.ID == y.ID && x.Corpus == y.Corpus && x.Seed == y.Seed && slices.Equal(x.Point, y.Point)
	})
}

// onlySweepFiles refuses a folder with files that no sweep made.
func onlySweepFiles(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if whole, _ := run.LeftoverOf(e.Name()); e.Name() != lockFile && whole != planFile {
			return &PlanError{Dir: dir, Reason: fmt.Sprintf("holds files that no sweep made (%s): choose another "+
				"folder", e.Name())}
		}
	}
	return nil
}

func readPlan(dir string) (*plan, error) {
	data, err := run.ReadFile(filepath.Join(dir, planFile))
	if err != nil {
		return nil, err
	}
	var p plan
	err = json.Unmarshal(data, &p)
	switch {
	case err != nil && run.CutShort(data, planKind):
		return nil, &PlanError{Dir: dir, Reason: "has a " + planFile +
			" that is cut short: sweep run -force writes it anew and keeps the runs", cutShort: true}
	case err != nil || p.Kind != planKind:
		return nil, &PlanError{Dir: dir, Reason: "has a " + planFile + " that no sweep wrote: choose another folder"}
	}
	seen := map[string]bool{}
	for i, r := range p.Runs {
		// The plan names folders to make and replace, so it is trusted with none but its own.
		if !isID(r.ID) || !isID(r.Corpus) || seen[r.ID] || len(r.Point) != len(p.Axes) {
			return nil, &PlanError{Dir: dir, Reason: fmt.Sprintf("has a %s whose run %d, %q, makes no sense: "+
				"choose another folder", planFile, i+1, r.ID)}
		}
		seen[r.ID] = true
	}
	return &p, nil
}

// isID says whether a name is one that a sweep gives to a folder.
func isID(name string) bool {
	return len(name) == idLength && strings.Trim(name, "0123456789abcdef") == ""
}

// engine is what computes the runs of a sweep: all of them the same, or their
// results could not be compared to the bit.
type engine struct {
	Backend string `json:"backend"`
	Plugin  string `json:"plugin"`
	GOARCH  string `json:"goarch"`
}

func readEngine(dir string) (engine, error) {
	var e engine
	data, err := run.ReadFile(filepath.Join(dir, engineFile))
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return e, &PlanError{Dir: dir, Reason: "has a damaged " + engineFile + ": remove it"}
	}
	return e, nil
}

func (s *Sweep) runDir(id string) string    { return filepath.Join(s.dir, RunsFolder, id) }
func (s *Sweep) corpusDir(id string) string { return filepath.Join(s.dir, CorporaFolder, id) }

// Runs is the number of runs that the sweep is to have.
func (s *Sweep) Runs() int { return len(s.plan.Runs) }
