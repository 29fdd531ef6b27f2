// Command train trains a model on a file of portfolios.
package main

import (
	"context"
	"errors"
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
	Weights string `flag:"weights" unit:"FILE" required:"true" help:"portfolios to learn from; with the provenance.csv of a corpus beside it, its held-out windows are held out"`
	experiment.Model
	Validation float64 `flag:"validation" range:"[0,0.9]" unit:"share" help:"rows to hold out, at random, where the file has no provenance beside it"`
	Components int     `flag:"components" range:"[1,inf)" unit:"normals" help:"of the mixture fitted to the codes, from which portfolios are sampled"`
	cli.Backend
	cli.Output
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "train",
	Summary: "train a variational autoencoder on portfolios",
	Example: "train -weights runs/corpus/weights.csv -out runs/model",
	Default: config{Model: experiment.DefaultModel(), Validation: 0.1, Components: 40},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Model.Quick() },
	},
	Run: train,
}

func main() { cli.Main(verb) }

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
	fit, heldOut, err := c.split(portfolios, io)
	if err != nil {
		return err
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
	model, history, err := experiment.Train(ctx, backend, c.Model, c.Seed, portfolios.Symbols, fit, heldOut, folder.Dir(), io.Progress("training"))
	if err != nil {
		return err
	}
	if err := run.WriteFile(folder.Path(experiment.HistoryFile), history.WriteCSV); err != nil {
		return err
	}
	aggregate, err := generate.FitAggregate(ctx, model, fit, generate.AggregateSettings{Components: c.Components, Seed: c.Seed})
	if err != nil {
		return err
	}
	if err := run.WriteJSON(folder.Path(generate.AggregateFile), aggregate); err != nil {
		return err
	}
	if heldOut != nil {
		diagnostics, err := vae.Diagnose(ctx, model, fit, heldOut)
		if err != nil {
			return err
		}
		if err := run.WriteJSON(folder.Path("diagnostics.json"), diagnostics); err != nil {
			return err
		}
		if diagnostics.Warning != "" {
			io.Note("WARNING: %s", diagnostics.Warning)
		}
		io.Note("%d of %d units active, KL %.2f nats, R2 %.3f (PCA %.3f)", diagnostics.ActiveUnits, c.Latent, diagnostics.KL, diagnostics.R2, diagnostics.R2PCA)
	}
	io.Note("%d steps, %.0f samples a second: %s", history.Step, history.SamplesPerSecond(), c.Out)
	return folder.Finish()
}

// split separates the rows to learn from and those to hold out: by window
// where the provenance of a corpus says so, else at random.
func (c *config) split(p *portfolio.Portfolios, io *cli.IO) (fit, heldOut *mat.Dense, err error) {
	out, err := corpus.ReadValidation(c.Weights, p)
	if err != nil {
		return nil, nil, err
	}
	rows := len(p.IDs)
	if out == nil {
		out = make([]bool, rows)
		order := stream.New(c.Seed, "train.split", 0).Perm(rows)
		for _, i := range order[:int(c.Validation*float64(rows))] {
			out[i] = true
		}
		io.Note("%s has no %s beside it: %v of its rows are held out at random", filepath.Base(c.Weights), corpus.ProvenanceFile, c.Validation)
	}
	var kept, held []float64
	for i := range rows {
		if out[i] {
			held = append(held, p.Weights.RawRowView(i)...)
		} else {
			kept = append(kept, p.Weights.RawRowView(i)...)
		}
	}
	n := len(p.Symbols)
	if len(kept) < 2*n {
		return nil, nil, fmt.Errorf("%s: %w", c.Weights, errors.New("fewer than 2 rows to learn from: give more portfolios"))
	}
	fit = mat.NewDense(len(kept)/n, n, kept)
	if len(held) >= 2*n {
		heldOut = mat.NewDense(len(held)/n, n, held)
	}
	return fit, heldOut, nil
}
