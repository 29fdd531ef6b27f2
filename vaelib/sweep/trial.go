package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// Result is result.json: what a run of a sweep comes to. It holds no
// times, so that equal runs have equal bytes.
type Result struct {
	ActiveUnits int     `json:"active_units"`
	KL          float64 `json:"kl_nats"`
	R2          float64 `json:"r2"`
	R2PCA       float64 `json:"r2_pca"`

	// The verdict on the model, with the figure that it goes by besides those here; the
	// likelihood has no part in it. Runs made before that was measured have none.
	trained.Health
	R2Linear float64 `json:"r2_linear,omitempty"`

	DispersionPrior     number.Value `json:"dispersion_prior"`
	DispersionPosterior number.Value `json:"dispersion_posterior"`

	Beta       float64   `json:"beta_without_unit"` // comparable with the thresholds
	Thresholds []float64 `json:"thresholds"`        // see [vae.Thresholds]

	Train      vae.Losses `json:"train"`      // mean since the evaluation before Step
	Validation vae.Losses `json:"validation"` // at Step

	// Worth is what the model's portfolios are worth; nil of runs made before that
	// was measured.
	Worth *Worth `json:"worth,omitempty"`

	// Control is how well a conditional model does what it is asked for.
	Control []generate.Control `json:"control,omitempty"`

	Step         int    `json:"step"` // whose parameters the model has
	StoppedEarly bool   `json:"stopped_early"`
	Rows         int    `json:"training_rows"`
	HeldOut      int    `json:"validation_rows"`
	Warning      string `json:"warning,omitempty"`
}

// Timings is timings.json.
type Timings struct {
	Seconds          float64 `json:"seconds"` // from the run's start, or its resumption, to its result
	SamplesPerSecond float64 `json:"samples_per_second"`
}

// job is a run as a worker gets it.
type job struct {
	Folder   string   `json:"folder"`
	Corpus   string   `json:"corpus"` // folder of the training set
	Symbols  []string `json:"symbols"`
	Settings Settings `json:"settings"`
	Seed     uint64   `json:"seed"`
	Config   string   `json:"config"`
	Data     string   `json:"data"` // hash
	Funding  bool     `json:"funding"`
	Force    bool     `json:"force"`  // replaces another run in the folder
	Wait     bool     `json:"wait"`   // for the end of another process in the folder
	Market   string   `json:"market"` // file of the returns that it is judged on; "": it isn't
}

// trainer does the jobs of one worker. It keeps the last training set, and by
// its backend the compiled programs, for the next job.
type trainer struct {
	backend *vae.Backend
	data    *trained.Data
	source  string        // of the data
	curves  track.Options // of the model trained last

	market   *judged
	judgedBy string // its file
}

// do makes the run in its folder, or takes it up where it was interrupted. A
// run that fails leaves its reason in failure.txt.
func (t *trainer) do(ctx context.Context, j job, reports trained.Reports) error {
	spec := run.Spec{
		Verb: "sweep", Config: []byte(j.Config), Data: j.Data, Funding: j.Funding, Seed: j.Seed,
		Backend: t.backend.Name(), Plugin: t.backend.Plugin(),
	}
	folder, err := openRun(ctx, j.Folder, spec, j.Wait)
	var occupied *run.Occupied
	if errors.As(err, &occupied) && j.Force { // another run's; the same one is never replaced
		folder, err = run.Open(j.Folder, spec, true)
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := os.Remove(folder.Path(failureFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = t.train(ctx, j, folder, reports)
	if err == nil {
		return trained.Finish(ctx, folder, t.curves)
	}
	if ctx.Err() == nil {
		err = errors.Join(err, run.WriteFile(folder.Path(failureFile), func(w io.Writer) error {
			_, err := fmt.Fprintln(w, err)
			return err
		}))
	}
	return err
}

// openRun opens the folder of a run. With wait it waits for the end of another
// process there; without for a moment only, as a look at the sweep's status takes
// the lock for so long.
func openRun(ctx context.Context, dir string, spec run.Spec, wait bool) (*run.Run, error) {
	const moment = 20
	for tries := 1; ; tries++ {
		folder, err := run.Open(dir, spec, false)
		var locked *run.Locked
		if !errors.As(err, &locked) || !wait && tries == moment {
			return folder, err
		}
		pause := lockPoll
		if tries < moment {
			pause /= moment
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// train trains the model, examines it and writes what the run's folder holds.
func (t *trainer) train(ctx context.Context, j job, folder *run.Run, reports trained.Reports) error {
	started := time.Now()
	if err := t.load(j); err != nil {
		return err
	}
	settings := trained.Settings{
		Config: j.Settings.Model, Schedule: j.Settings.Schedule,
		Components: j.Settings.Components, Codes: codesPerComponent * j.Settings.Components,
		NoStudy: true,
	}
	settings.Config.Seed = j.Seed
	model, history, err := trained.Make(ctx, t.backend, t.data, settings, folder.Path(experiment.ModelFolder), reports)
	if err != nil {
		return err
	}
	t.curves = model.Curves
	if err := run.WriteFile(folder.Path(experiment.HistoryFile), history.WriteCSV); err != nil {
		return err
	}
	result, err := t.examine(ctx, j, model, history)
	if err != nil {
		return err
	}
	if j.Market != "" {
		if result.Worth, err = t.judge(ctx, j, model, folder); err != nil {
			return err
		}
	}
	if err := run.WriteJSON(folder.Path(resultFile), result); err != nil {
		return err
	}
	return run.WriteJSON(folder.Path(timingsFile), Timings{time.Since(started).Seconds(), history.SamplesPerSecond()})
}

// load reads the training set, unless the last job had the same.
func (t *trainer) load(j job) (err error) {
	source := j.Corpus
	if j.Settings.Conditional {
		source += fmt.Sprintf(" %#v", j.Settings.Conditioning)
	}
	if t.source == source {
		return nil
	}
	t.data, t.source = nil, ""
	if t.data, err = readTrainingSet(j.Corpus, j.Symbols, j.Settings); err == nil {
		t.source = source
	}
	return err
}

// codesPerComponent is how many codes at most a mixture is fitted to, for each
// of its components.
const codesPerComponent = 100

// examine measures the model on the held-out rows.
func (t *trainer) examine(ctx context.Context, j job, m *trained.Model, history *vae.History) (*Result, error) {
	model := m.Network
	var train, heldOut *mat.Dense // N and M x k; nil without conditions
	told := t.data.Told
	if told != nil {
		train, heldOut = told.Train, told.HeldOut
	}
	d, err := vae.DiagnoseGiven(ctx, model, t.data.Train, t.data.HeldOut, train, heldOut)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(history.Points, func(p vae.Point) bool { return p.Step == history.Step })
	point := history.Points[i] // every model is that of an evaluation
	rows, _ := t.data.Train.Dims()
	result := &Result{
		ActiveUnits: d.ActiveUnits, KL: d.KL, R2: d.R2, R2PCA: d.R2PCA, R2Linear: d.R2Linear, Beta: d.Beta,
		Thresholds: d.Thresholds, Train: point.Train, Validation: *point.Validation, Step: history.Step,
		StoppedEarly: history.StoppedEarly,
		Rows:         rows, HeldOut: d.Rows, Warning: d.Warning,
	}
	if told != nil {
		density, err := m.Density(trained.Aggregate)
		if err != nil {
			return nil, err
		}
		if result.Control, err = told.MeasureControl(ctx, model, density, j.Seed); err != nil {
			return nil, err
		}
	}
	if result.DispersionPrior, result.DispersionPosterior, err = m.Dispersions(ctx, t.data, j.Seed); err != nil {
		return nil, err
	}
	unknown := number.Unknown("a sweep doesn't measure it")
	result.Health = trained.Signs{
		Diagnostics: d, LogLikelihood: unknown, LogLikelihoodLinear: unknown,
		DispersionPrior: result.DispersionPrior, DispersionPosterior: result.DispersionPosterior,
	}.Judge()
	return result, nil
}

// readResult reads the result of a finished run.
func readResult(dir string) (*Result, *Timings, error) {
	var result Result
	var timings Timings
	for name, to := range map[string]any{resultFile: &result, timingsFile: &timings} {
		data, err := run.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, err
		}
		if err := json.Unmarshal(data, to); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
	}
	return &result, &timings, nil
}
