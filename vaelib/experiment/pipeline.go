package experiment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/relative"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// Input is what the pipeline works on.
type Input struct {
	Window    *market.Window   // T x n
	Cleaning  *market.Cleaning // what loading did; nil: unknown
	Dropped   market.Dropped
	Listings  *market.Listings // of a window as it was, for [Backtest]; nil: all symbols share its times
	Sectors   *market.Sectors  // nil: none
	Set       simplex.Set
	Metrics   metrics.Settings
	Seed      uint64
	Backend   *vae.Backend
	OverSets  *trained.SetModel   // of the zero-shot strategies of [Backtest]; nil: there are none
	Rule      *learnt.Rule        // of the strategy learnt; nil: none
	Benchmark *relative.Benchmark // what [Backtest] sets its strategies beside; nil: nothing
	Source    string              // of the prices, as the user named it
	Notes     []string            // what reports say of the prices: what the returns are of, say
	Synthetic bool                // the prices are made up
	Repeat    []string            // commands that repeat the run, for its report
	Made      Made                // what an earlier run has made; zero: nothing
	// Begin is told the name of each piece of work, and returns what is to be
	// told its progress. nil: no reports.
	Begin func(step string) func(done, total int, note string)
	// Note is told, from any goroutine, what a user should know while the run goes
	// on. nil: it isn't said.
	Note func(line string)
}

// Made is what a finished run has made at length. Whoever repeats the run to see
// whether its files say what follows from it doesn't train again.
type Made struct {
	Training *trained.Training
	Manifest *run.Manifest // for what the report says of the program; nil: that of the folder
}

// Names of the files that [Pipeline] makes in its folder, besides those of
// package run.
const (
	HistoryFile   = "history.csv"
	ModelFolder   = "model"
	WeightsFile   = "weights.csv"
	BaselinesFile = "baselines.csv"
	MetricsFile   = "metrics.csv"
	SummaryFile   = "summary.json"
	FiguresFolder = "figures"
	ReportFile    = "report.html"
)

// PipelineFiles are the names of the files that [Pipeline] writes, figures by a
// pattern.
func PipelineFiles() []string {
	return append(trained.Files(ModelFolder), HistoryFile, WeightsFile, BaselinesFile, MetricsFile,
		SummaryFile, ReportFile, ReturnsFile,
		FidelityFile, FiguresFolder+"/*.png")
}

// state is what the steps hand on to each other.
type state struct {
	Input
	settings Settings
	folder   *run.Run
	started  time.Time

	in, out           *market.Window // before and after the split
	evaluateIn        *metrics.Evaluator
	evaluateOut       *metrics.Evaluator
	corpus            *corpus.Corpus
	training, heldOut *mat.Dense
	model             *trained.Model
	history           *vae.History
	diagnosis         *vae.Diagnostics
	evidence          *report.Evidence
	generator         *generate.Generator
	prior, generated  *generate.Batch
	twoStage          *generate.Batch       // nil: not asked for
	portfolios        *portfolio.Portfolios // what weights.csv holds
	fidelity          []fidelity.Row        // of generators, beside held-out portfolios
	candidates        []candidate           // chosen portfolios and baselines, by name
	figuresIn         []metrics.Figures     // of portfolios, then of candidates
	figuresOut        []metrics.Figures
	trainingFigures   []metrics.Figures // of the training rows, over the in-sample window
	latent            *generate.Optimum
	ascent            *choose.Ascent // of the same objective, without the model
	summary           Summary
}

// Pipeline runs the main job in a folder of its own, and writes history.csv,
// model/, weights.csv, baselines.csv, metrics.csv, summary.json, figures/ and
// report.html. A folder that an interrupted run has left is taken up again
// where its training stopped.
//
// The window is split in time: everything is learned and chosen on the part
// before Split, less an embargo of the longest lookback, and judged on both
// parts. Equal input and settings give the same bytes, times aside.
func Pipeline(ctx context.Context, folder *run.Run, in Input, settings Settings) (*Summary, error) {
	p := &state{Input: in, settings: settings, folder: folder, started: time.Now()}
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"split", p.split},
		{"corpus", p.build},
		{"training", p.train},
		{"diagnostics", p.diagnose},
		{"evidence", p.weigh},
		{"generation", p.generate},
		{"fidelity", p.judge},
		{"baselines", p.compare},
		{"evaluation", p.evaluate},
		{"intervals", p.rank},
		{"files", p.write},
		{"report", p.report},
	}
	for _, step := range steps {
		stop, began := folder.Time(step.name), time.Now()
		err := step.do(ctx)
		stop()
		if err != nil {
			return nil, err
		}
		p.summary.SecondsByStage[step.name] = time.Since(began).Seconds()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return &p.summary, nil
}

// reach leaves out the lookbacks that the in-sample part doesn't hold, and says so.
func (p *state) reach() error {
	in, _, err := p.Window.Split(p.settings.Split, max(0, p.settings.Embargo))
	if err != nil {
		return err
	}
	note, err := p.settings.Corpus.Reach(len(in.Times), p.settings.Embargo < 0)
	if err != nil {
		return fmt.Errorf("training set: in sample, %w", err)
	}
	if note != "" {
		p.Notes = append(slices.Clip(p.Notes), note)
		if p.Note != nil {
			p.Note(note)
		}
	}
	return nil
}

// split cuts the window in time.
func (p *state) split(context.Context) error {
	if err := p.settings.Validate(); err != nil {
		return err
	}
	if err := p.Set.Check(); err != nil {
		return err
	}
	if err := p.reach(); err != nil {
		return err
	}
	var err error
	if p.in, p.out, err = p.Window.Split(p.settings.Split, p.settings.embargo()); err != nil {
		return err
	}
	if p.evaluateIn, err = metrics.NewEvaluator(p.in.Returns, p.Metrics); err != nil {
		return err
	}
	if p.evaluateOut, err = metrics.NewEvaluator(p.out.Returns, p.Metrics); err != nil {
		return err
	}
	p.summary = Summary{
		Backend: p.Backend.Description(), Seed: p.Seed, Synthetic: p.Synthetic, Funding: p.Window.Funded,
		InSample: period(p.in), OutSample: period(p.out), Notes: map[string]string{},
		SecondsByStage: map[string]float64{},
	}
	return nil
}

// period says which stretch a window is.
func period(w *market.Window) Period {
	const day = time.RFC3339
	return Period{
		From: w.Times[0].UTC().Format(day), To: w.Times[len(w.Times)-1].UTC().Format(day), Periods: len(w.Times),
	}
}

// build makes the training set from the in-sample window.
func (p *state) build(ctx context.Context) (err error) {
	p.corpus, err = corpus.Build(ctx, p.in, p.Set, p.Sectors, p.settings.corpus(&p.Input), p.begin("training set"))
	if err != nil {
		return fmt.Errorf("training set: %w", err)
	}
	p.training, p.heldOut = p.corpus.Split()
	if p.heldOut == nil {
		return fmt.Errorf("training set: nothing is held out: give a validation share above 0")
	}
	p.summary.Rows, _ = p.training.Dims()
	p.summary.Validation, _ = p.heldOut.Dims()
	return nil
}

// generate samples portfolios from the model.
func (p *state) generate(ctx context.Context) (err error) {
	if p.generator, err = generate.New(p.model.Network, p.Set); err != nil {
		return err
	}
	if p.model.Second != nil {
		if p.twoStage, err = p.generator.Sample(ctx, p.settings.Portfolios, p.model.Second, p.Seed); err != nil {
			return err
		}
	}
	sharpe, err := metrics.NewObjective("sharpe", p.in.Returns, p.Metrics)
	if err != nil {
		return err
	}
	began := time.Now()
	p.latent, err = p.generator.Optimize(ctx, sharpe, p.model.Aggregate, generate.OptimizeSettings{
		Starts: p.settings.Starts, Iterations: p.settings.Iterations, Seed: p.Seed,
		PriorWeight: p.settings.PriorWeight.PriorWeight, Progress: p.begin("search of the latent space"),
	})
	if err != nil {
		return err
	}
	p.summary.LatentSeconds = time.Since(began).Seconds()
	if p.ascent, err = p.generator.Ascend(ctx, sharpe, p.latent, p.Seed); err != nil {
		return err
	}
	p.summary.AscentSeconds = p.ascent.Elapsed.Seconds()
	p.summary.Evaluations = p.latent.Evaluated
	// The sampler gets the search's budget, and at least what is to be written.
	n := max(p.settings.Portfolios, p.summary.Evaluations)
	if p.generated, err = p.generator.Sample(ctx, n, p.model.Aggregate, p.Seed); err != nil {
		return err
	}
	if p.prior, err = p.generator.Sample(ctx, p.settings.Portfolios, generate.Prior{}, p.Seed+1); err != nil {
		return err
	}
	for _, d := range []struct {
		to    *number.Value
		batch *generate.Batch
	}{{&p.summary.DispersionPrior, p.prior}, {&p.summary.DispersionPosterior, p.generated}} {
		*d.to = number.Unknown("the held-out portfolios don't vary")
		if ratio, err := vae.Dispersion(d.batch.Decoded, p.heldOut); err == nil {
			*d.to = number.Known(ratio)
		}
	}
	return p.examine()
}

// examine gives the verdict on the model, which its folder keeps too.
func (p *state) examine() error {
	p.summary.Health = trained.Signs{
		Diagnostics: p.diagnosis, LogLikelihood: p.summary.LogLikelihood,
		LogLikelihoodLinear: p.summary.LogLikelihoodLinear,
		DispersionPosterior: p.summary.DispersionPosterior, DispersionPrior: p.summary.DispersionPrior,
	}.Judge()
	p.model.Health = &p.summary.Health
	return p.model.SaveHealth()
}

// begin reports the start of a piece of work.
func (p *state) begin(step string) func(done, total int, note string) {
	if p.Begin == nil {
		return nil
	}
	return p.Begin(step)
}
