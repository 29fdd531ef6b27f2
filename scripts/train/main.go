// Command train trains a model on a file of portfolios.
package main

import (
	"context"
	"fmt"
	"path/filepath"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

type config struct {
	Weights    string `flag:"weights" unit:"FILE" required:"true" help:"portfolios to learn from; with the provenance.csv of a corpus beside it, its held-out windows are held out"`
	Conditions string `flag:"conditions" unit:"FILE" help:"what the portfolios have (a corpus's conditions.csv): makes the model conditional, so that generate can be asked for these; with the measures.json and corpus.json of a corpus beside it, training holds the model to what follows from weights, knows which conditions are categories, and keeps how those of the market follow from prices, so that generate and live can ask for the market of their day"`
	experiment.Conditioning
	Model      vae.Config
	Schedule   vae.Schedule
	Validation float64 `flag:"validation" range:"[0,0.9]" unit:"share" help:"rows to hold out, at random, where the file has no provenance beside it"`
	Components int     `flag:"components" range:"[1,inf)" unit:"normals" help:"of the mixture fitted to the codes, from which portfolios are sampled"`
	TwoStage   bool    `flag:"two-stage" help:"fit a second VAE to the codes too, from which generate samples by -density two-stage"`
	cli.Backend
	cli.Output
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "train",
	Summary: "train a variational autoencoder on portfolios",
	Example: `train -weights runs/corpus/weights.csv -out runs/model
train -weights runs/corpus/weights.csv -conditions runs/corpus/conditions.csv -condition-on 'volatility,effective_assets,max_weight,sector.*' -out runs/conditional`,
	Default: defaults(),
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Schedule.Steps = experiment.QuickSteps },
	},
	Run: train,
}

func main() { cli.Main(verb) }

func defaults() config {
	model, schedule := experiment.DefaultModel()
	return config{Conditioning: experiment.DefaultConditioning(), Model: model, Schedule: schedule, Validation: 0.1, Components: 40}
}

func train(ctx context.Context, c *config, io *cli.IO) error {
	if c.Out == "" {
		return cli.Usagef("no folder for the model: give -out")
	}
	portfolios, err := portfolio.ReadCSV(c.Weights, portfolio.ReadOptions{})
	if err != nil {
		return err
	}
	hash, err := run.HashFile(c.Weights)
	if err != nil {
		return err
	}
	out, err := c.heldOut(portfolios, io)
	if err != nil {
		return err
	}
	rows := experiment.Rows{Symbols: portfolios.Symbols}
	if rows.Train, rows.HeldOut = experiment.SplitRows(portfolios.Weights, out); rows.Train == nil {
		return fmt.Errorf("%s: fewer than 2 rows to learn from: give more portfolios", c.Weights)
	}
	if c.Conditions != "" {
		conditions, err := run.HashFile(c.Conditions)
		if err != nil {
			return err
		}
		hash = run.Hash([]byte(hash), []byte(conditions))
		if rows.Told, err = c.Read(c.Conditions, portfolios, out); err != nil {
			return err
		}
	} else if len(c.On)+len(c.Caps) > 0 {
		return cli.Usagef("-condition-on and -caps choose columns of -conditions FILE: give it")
	}
	backend, err := vae.Open(c.Backend.Backend)
	if err != nil {
		return err
	}
	defer backend.Close()
	io.Note("backend: %s", backend.Description())
	if advice := backend.Advice(); advice != "" {
		io.Note("%s", advice)
	}
	folder, err := run.Open(c.Out, run.Spec{
		Verb: "train", Config: io.Config(), Data: hash, Seed: c.Seed, Backend: backend.Name(), Plugin: backend.Plugin(),
	}, c.Force)
	if err != nil {
		return err
	}
	defer folder.Close()
	c.Model.Seed = c.Seed
	model, history, err := experiment.Train(ctx, backend, c.Model, c.Schedule, rows, folder.Dir(), experiment.Reports{
		Progress: io.Progress("training"), Note: func(line string) { io.Note("%s", line) },
	})
	if err != nil {
		return err
	}
	if err := run.WriteFile(folder.Path(experiment.HistoryFile), history.WriteCSV); err != nil {
		return err
	}
	settings := generate.AggregateSettings{Components: c.Components, Seed: c.Seed}
	if rows.Told != nil {
		settings.Conditions = rows.Told.Train
		donors := rows.Told.Donors(model)
		if err := run.WriteJSON(folder.Path(generate.DonorsFile), donors); err != nil {
			return err
		}
		if err := c.keepMarket(donors.Names, folder); err != nil {
			return err
		}
	}
	aggregate, err := generate.FitAggregate(ctx, model, rows.Train, settings)
	if err != nil {
		return err
	}
	if err := run.WriteJSON(folder.Path(generate.AggregateFile), aggregate); err != nil {
		return err
	}
	if c.TwoStage {
		second, err := generate.FitTwoStage(ctx, model, rows.Train, generate.TwoStageSettings{
			Steps: c.Schedule.Steps, Conditions: settings.Conditions, Seed: c.Seed, Progress: io.Progress("second stage"),
		})
		if err != nil {
			return err
		}
		if err := second.Save(folder.Path(generate.TwoStageFolder)); err != nil {
			return err
		}
	}
	if rows.HeldOut != nil {
		if err := c.diagnose(ctx, model, rows, folder, io); err != nil {
			return err
		}
	}
	io.Note("%d steps, %.0f samples a second: %s", history.Step, history.SamplesPerSecond(), c.Out)
	return folder.Finish()
}

// diagnosis is diagnostics.json.
type diagnosis struct {
	*vae.Diagnostics
	Evidence *vae.Evidence      `json:"evidence"`
	Control  []generate.Control `json:"control,omitempty"`
}

// evidenceRows and evidenceCodes bound the estimate of the likelihood.
const (
	evidenceRows  = 1000
	evidenceCodes = 64
)

// diagnose judges the model by the rows held out.
func (c *config) diagnose(ctx context.Context, model *vae.Model, rows experiment.Rows, folder *run.Run, io *cli.IO) error {
	var told *mat.Dense
	if rows.Told != nil {
		told = rows.Told.HeldOut
	}
	var d diagnosis
	var err error
	if d.Diagnostics, err = vae.DiagnoseGiven(ctx, model, rows.Train, rows.HeldOut, told); err != nil {
		return err
	}
	count, n := rows.HeldOut.Dims()
	count = min(count, evidenceRows)
	part := told
	if told != nil {
		part = told.Slice(0, count, 0, len(rows.Told.Conditions)).(*mat.Dense)
	}
	if d.Evidence, err = model.Evidence(ctx, rows.HeldOut.Slice(0, count, 0, n).(*mat.Dense), part, evidenceCodes, c.Seed); err != nil {
		return err
	}
	if d.Warning != "" {
		io.Note("WARNING: %s", d.Warning)
	}
	io.Note("%d of %d units active, KL %.2f nats, R2 %.3f (PCA %.3f), log likelihood %.2f nats (bound %.2f)",
		d.ActiveUnits, c.Model.Latent, d.KL, d.R2, d.R2PCA, d.Evidence.LogLikelihood, d.Evidence.ELBO)
	if told != nil {
		if d.Control, err = rows.Told.MeasureControl(ctx, model, c.Seed); err != nil {
			return err
		}
		for _, k := range d.Control {
			what := fmt.Sprintf("missed by %.3f of its standard deviation", k.Error)
			if k.Cap {
				what = fmt.Sprintf("exceeded by %.2g of the portfolios decoded", *k.Violations)
			}
			io.Note("%s asked for: %s (conditions shuffled %.2f, best of 8 draws %.2f, of 1,000 %.3f)", k.Name, what, k.Shuffled, k.Best8, k.Best1000)
		}
	}
	return run.WriteJSON(folder.Path("diagnostics.json"), d)
}

// keepMarket writes how the model's conditions of the market follow from returns,
// where the corpus says so, so that later ones can be asked for.
func (c *config) keepMarket(names []string, folder *run.Run) error {
	market, err := corpus.ReadMarket(filepath.Join(filepath.Dir(c.Conditions), corpus.SummaryFile))
	if err != nil || market == nil || len(market.Open(names, nil)) == 0 {
		return err
	}
	return run.WriteJSON(folder.Path(corpus.MarketFile), market)
}

// heldOut says which rows are held out: by window where the provenance of a
// corpus says so, else at random.
func (c *config) heldOut(p *portfolio.Portfolios, io *cli.IO) ([]bool, error) {
	out, err := corpus.ReadValidation(c.Weights, p)
	if err != nil || out != nil {
		return out, err
	}
	rows := p.Len()
	out = make([]bool, rows)
	order := stream.New(c.Seed, "train.split", 0).Perm(rows)
	for _, i := range order[:int(c.Validation*float64(rows))] {
		out[i] = true
	}
	io.Note("%s has no %s beside it: %v of its rows are held out at random", filepath.Base(c.Weights), corpus.ProvenanceFile, c.Validation)
	return out, nil
}
