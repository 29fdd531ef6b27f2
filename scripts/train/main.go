// Command train trains a model on a file of portfolios.
package main

import (
	"context"
	"fmt"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

type config struct {
	Weights              string `flag:"weights" unit:"FILE" only:"!corpus" help:"a CSV of the portfolios to learn from; with the provenance.csv of a corpus beside it, its held-out windows are held out"`
	Corpus               string `flag:"corpus" unit:"DIR" help:"the folder of a corpus of many universes, as corpus -universes writes it, which makes a model over assets as a set: it has no symbols of its own, and generate places it in any universe"`
	Objective            string `flag:"objective" choice:"true-sharpe" only:"corpus" help:"learn, instead of portfolios, a rule that gives any universe the weights of the largest true Sharpe ratio, from a corpus of simulated markets whose truth is known, as corpus -truth writes it; optimize and backtest take it as learnt"`
	From                 string `flag:"from" unit:"DIR" only:"corpus and !objective" help:"the folder of a model over sets to go on from, or built-in; its portfolios of the universes held out are measured before and after"`
	Asked                bool   `flag:"asked" record:"asked" only:"corpus and !objective" help:"tell the model over sets what is asked of portfolios (volatility, return, concentration, shares of groups), so that generate -mode condition draws them to order; with -from, from there on"`
	Conditions           string `flag:"conditions" unit:"FILE" only:"weights" help:"a CSV of what the portfolios have, such as the conditions.csv of a corpus, which makes the model conditional; the measures.json and corpus.json beside it are read too"`
	trained.Conditioning `title:"Conditions"`
	Model                vae.Config
	Schedule             vae.Schedule `title:"Training"`
	Validation           float64      `flag:"validation" range:"[0,0.9]" unit:"share" only:"weights" help:"the part of the rows to hold out, at random, where the file of weights has no provenance beside it"`
	Components           int          `flag:"components" range:"[1,inf)" auto:"true" only:"weights" help:"the number of normals in the mixture fitted to the codes, from which portfolios are sampled; auto takes 40, and of codes of more than 12 dimensions 400 without correlations"`
	TwoStage             bool         `flag:"two-stage" only:"weights" help:"fit a second VAE to the codes too, from which generate samples by -density two-stage"`
	cli.Backend          `title:"Common"`
	cli.Output
	cli.Common
}

// usual leaves the sizes to the portfolios.
var usual = trained.DefaultSettings()

var verb = cli.Verb[config]{
	Name:    "train",
	Summary: "train a variational autoencoder on portfolios",
	Example: `train -weights runs/corpus/weights.csv -out runs/model
train -weights runs/corpus/weights.csv -conditions runs/corpus/conditions.csv -condition-on 'volatility,effective_assets,max_weight,sector.*' -out runs/conditional
train -corpus runs/universes -out runs/set
train -corpus runs/truth -objective true-sharpe -out runs/rule`,
	Default: config{
		Conditioning: trained.DefaultConditioning(), Model: usual.Config, Schedule: usual.Schedule, Validation: 0.1,
		Components: usual.Components,
	},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Schedule.Steps = experiment.QuickSteps },
	},
	Depending: func(defaults, given *config) {
		if given.Corpus != "" && given.Objective == "" {
			defaults.Model.Beta = vae.DefaultSetConfig().Beta
		}
	},
	Run: train,
}

func main() { cli.Main(verb) }

const diagnosticsFile = "diagnostics.json"

func train(ctx context.Context, c *config, io *cli.IO) error {
	switch {
	case c.Out == "":
		return cli.Usagef("no folder for the model: give -out")
	case c.Objective != "":
		return trainRule(ctx, c, io)
	case c.Corpus != "":
		return trainSet(ctx, c, io)
	case c.Weights == "":
		return cli.Usagef("nothing to learn from: give -weights FILE, or -corpus DIR for a model over sets of assets")
	}
	spec := c.spec(io, trained.Files(""))
	if err := c.Output.Usable(spec); err != nil {
		return err
	}
	note := func(line string) { io.Note("%s", line) }
	data, err := trained.ReadData(c.Weights, trained.ReadOptions{
		Conditions: c.Conditions, Conditioning: c.Conditioning, Validation: c.Validation, Seed: c.Seed, Note: note,
	})
	if err != nil {
		return err
	}
	settings := trained.Settings{Config: c.Model, Schedule: c.Schedule, Components: c.Components, TwoStage: c.TwoStage}
	settings.Config.Seed = c.Seed
	spec.Data = data.Hash
	if err := c.Output.Usable(spec); err != nil {
		return err
	}
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return err
	}
	defer backend.Close()
	io.Announce(backend)
	folder, err := c.folder(spec, backend)
	if err != nil {
		return err
	}
	defer folder.Close()
	defer io.Kept(ctx, c.Out)
	model, history, err := trained.Make(ctx, backend, data, settings, folder.Dir(), trained.Reports{Begin: io.Progress,
		Note: note})
	if err != nil {
		return err
	}
	if err := run.WriteFile(folder.Path(experiment.HistoryFile), history.WriteCSV); err != nil {
		return err
	}
	if data.HeldOut != nil {
		if err := c.diagnose(ctx, model, data, folder, io); err != nil {
			return err
		}
	}
	io.Note("%d steps, %.0f samples a second: %s", history.Step, history.SamplesPerSecond(), c.Out)
	return trained.Finish(ctx, folder, model.Curves)
}

// spec is a training whose data and backend aren't known yet: it makes the model's
// files, its history and its diagnostics.
func (c *config) spec(io *cli.IO, model []string) run.Spec {
	return run.Spec{Verb: "train", Config: io.Config(), Inputs: io.Inputs(), Seed: c.Seed,
		Outputs: append(model, experiment.HistoryFile, diagnosticsFile)}
}

// folder opens the folder of what is trained on the backend.
func (c *config) folder(spec run.Spec, backend *vae.Backend) (*run.Run, error) {
	spec.Backend, spec.Plugin = backend.Name(), backend.Plugin()
	return run.Open(c.Out, spec, c.Force)
}

// diagnose judges the model by the rows held out.
func (c *config) diagnose(
	ctx context.Context, model *trained.Model, data *trained.Data, folder *run.Run, io *cli.IO,
) error {
	d, err := model.Diagnose(ctx, data, c.Seed)
	if err != nil {
		return err
	}
	if d.Warning != "" {
		io.Note("WARNING: %s", d.Warning)
	}
	io.Note("health: %s", d.Health)
	io.Note("%d of %d units active, KL %.2f nats, R2 %.3f (PCA %.3f), log likelihood %.2f nats (bound %.2f)",
		d.ActiveUnits, len(d.KLPerDimension), d.KL, d.R2, d.R2PCA, d.Evidence.LogLikelihood, d.Evidence.ELBO)
	for _, k := range d.Control {
		what := fmt.Sprintf("missed by %.3f of its standard deviation as decoded", k.Error)
		if k.Cap {
			what = fmt.Sprintf("exceeded by %.2g of the portfolios decoded", *k.Violations)
		}
		io.Note("%s asked for: %s (conditions shuffled %.2f, best of 8 draws %.2f, of 1,000 %.3f)",
			k.Name, what, k.Shuffled,
			k.Best8, k.Best1000)
	}
	if len(d.Orders) > 0 {
		io.Note("%d held-out portfolios' conditions asked for, one portfolio each; misses are means over the "+
			"conditions, in their standard deviations:", d.Orders[0].Asked)
		for _, s := range d.Orders {
			io.Note("  %s: missed by %.3f, %s", s.Name, s.MeanMiss(), s)
		}
	}
	return run.WriteJSON(folder.Path(diagnosticsFile), d)
}
