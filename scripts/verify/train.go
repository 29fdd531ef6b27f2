package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// trainConfig is the configuration of the train verb.
type trainConfig struct {
	Weights    string `flag:"weights" help:"the file of the training portfolios"`
	Corpus     string `flag:"corpus" help:"the corpus of universes, of a model over sets"`
	Objective  string `flag:"objective" help:"what a learnt rule was trained for; empty: portfolios"`
	From       string `flag:"from" help:"the model over sets that it went on from"`
	Conditions string `flag:"conditions" help:"the file of their conditions"`
	trained.Conditioning
	Model      vae.Config
	Schedule   vae.Schedule
	Validation float64 `flag:"validation" help:"the share that was held out"`
	Components int     `flag:"components" auto:"true" help:"the number of normals fitted to the codes"`
	TwoStage   bool    `flag:"two-stage" help:"whether a second VAE was fitted too"`
	cli.Backend
	cli.Output
	cli.Common
}

var trainChecks = []check{
	{"model.json", (*folder).checkTrained},
	{"diagnostics.json", (*folder).checkDiagnostics},
	{"health.json", (*folder).checkHealth},
	{"history.csv", (*folder).checkCourse},
}

// learned is what a model was trained on.
type learned struct {
	config                  *trainConfig
	rows                    rows
	told                    [][]float64 // the conditions of the rows held out; nil: none, or not all are numbers
	conditional, understood bool
	hash                    string
	symbols                 []string
	components              *components
}

// learned reads the files that the configuration names; nil for a model over sets.
func (f *folder) learned() (*learned, error) {
	return recall(f, "learned", []string{"config.toml", "model.json"}, func() (*learned, error) {
		c, err := f.trainConfig()
		if err != nil || c.Corpus != "" {
			return nil, err
		}
		l := &learned{config: c, conditional: c.Conditions != "", understood: true}
		p, err := portfolio.ReadCSV(c.Weights, portfolio.ReadOptions{})
		if err != nil {
			return nil, err
		}
		l.symbols = p.Symbols
		if l.hash, err = run.HashFile(c.Weights); err != nil {
			return nil, err
		}
		held, err := heldOut(c, p)
		if err != nil {
			return nil, err
		}
		for i, w := range rowsOf(p.Weights) {
			if held[i] {
				l.rows.heldOut = append(l.rows.heldOut, w)
			} else {
				l.rows.training = append(l.rows.training, w)
			}
		}
		l.components = principal(l.rows.training)
		if !l.conditional {
			return l, nil
		}
		conditions, err := run.HashFile(c.Conditions)
		if err != nil {
			return nil, err
		}
		l.hash = run.Hash([]byte(l.hash), []byte(conditions))
		return l, f.readTold(l, p, held)
	})
}

// trainConfig reads the configuration of a training.
func (f *folder) trainConfig() (*trainConfig, error) {
	usual := trained.DefaultSettings()
	verb := cli.Verb[trainConfig]{Name: "train", Default: trainConfig{Conditioning: trained.DefaultConditioning(),
		Model: usual.Config, Schedule: usual.Schedule, Validation: 0.1, Components: usual.Components}}
	c, _, err := verb.ReadConfig(f.path("config.toml"))
	return c, err
}

// heldOut says which rows are: by the provenance beside the weights, or at random.
func heldOut(c *trainConfig, p *portfolio.Portfolios) ([]bool, error) {
	held := make([]bool, p.Len())
	path := filepath.Join(filepath.Dir(c.Weights), "provenance.csv")
	if _, err := os.Stat(path); err != nil {
		for _, i := range stream.New(c.Seed, "train.split", 0).Perm(p.Len())[:int(c.Validation*float64(p.Len()))] {
			held[i] = true
		}
		return held, nil
	}
	validation, err := column(path, "validation")
	for i := range held {
		held[i] = validation[p.ID(i)] == "true"
	}
	return held, err
}

// column reads a column of a CSV file, by the first one.
func column(path, name string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	cells := map[string]string{}
	for _, record := range records {
		k := slices.Index(records[0], name)
		if k < 0 {
			return nil, fmt.Errorf("%s has no column %s", path, name)
		}
		cells[record[0]] = record[k]
	}
	return cells, nil
}

// readTold reads what the model is told of the rows held out.
func (f *folder) readTold(l *learned, p *portfolio.Portfolios, held []bool) error {
	n, err := f.readNetwork("")
	if err != nil {
		return err
	}
	l.told = make([][]float64, len(l.rows.heldOut))
	for _, condition := range n.document.Config.Conditions {
		if len(condition.Levels) > 0 {
			l.understood = false
			return nil
		}
		cells, err := column(l.config.Conditions, condition.Name)
		if err != nil {
			return err
		}
		at := 0
		for i, out := range held {
			if !out {
				continue
			}
			x, err := number(cells[p.ID(i)])
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				l.understood = false
				return nil
			}
			l.told[at] = append(l.told[at], x)
			at++
		}
	}
	return nil
}

// checkTrained compares the model's description with what it was trained on.
func (f *folder) checkTrained(context.Context) error {
	const file = "model.json"
	l, err := f.learned()
	if err != nil {
		return err
	}
	if l == nil {
		return f.checkSet()
	}
	f.equal(manifestFile, "data_hash", f.manifest.Data, l.hash)
	n, err := f.readNetwork("")
	if err != nil {
		return err
	}
	c, d := l.config.Model, n.document.Config
	f.equal(file, "symbols", n.document.Symbols, l.symbols)
	f.equal(file, "seed", d.Seed, l.config.Seed)
	f.equal(file, "likelihood", d.Likelihood, c.Likelihood)
	f.equal(file, "head", d.Head, c.Head)
	f.equal(file, "activation", d.Activation, c.Activation)
	if c.Latent > 0 {
		f.equal(file, "latent", d.Latent, c.Latent)
	}
	if len(c.Hidden) > 0 {
		f.equal(file, "hidden", d.Hidden, c.Hidden)
	}
	if c.TargetRate == 0 {
		f.equal(file, "beta", d.Beta, c.Beta)
	}
	f.equal(file, "backend", n.document.Backend, f.manifest.Backend)
	p := l.components
	f.all(file, "mean", n.document.Symbols, n.document.Mean, p.mean, 1e-12)
	f.near(file, "variance", n.document.Variance, sum(p.values)/float64(len(p.values)), 1e-12)
	if !l.conditional {
		f.equal(file, "data_hash", n.document.Data, hashRows(l.rows.training, l.rows.heldOut))
	}
	tensors, err := f.read("model.safetensors")
	if err != nil {
		return err
	}
	f.equal(file, "tensors_hash", n.document.Tensors, sha(tensors))
	return nil
}

// judged judges the network by the rows held out.
func (f *folder) judged(n *network, l *learned) (*judgement, error) {
	return recall(f, "judged", []string{"config.toml", "model.json", "model.safetensors"}, func() (*judgement, error) {
		return n.judge(l.rows.heldOut, l.told, l.components.mean), nil
	})
}

// checkDiagnostics recomputes how good the model is by the rows held out.
func (f *folder) checkDiagnostics(ctx context.Context) error {
	const file = "diagnostics.json"
	l, err := f.learned()
	if err != nil {
		return err
	}
	if l == nil {
		return f.checkSetDiagnostics()
	}
	if len(l.rows.heldOut) < 2 {
		f.equal(file, "made of held-out rows that there aren't", f.has(file), false)
		return nil
	}
	s, err := f.object(file)
	if err != nil {
		return err
	}
	f.equal(file, "rows", s["rows"], len(l.rows.heldOut))
	if !l.understood {
		f.add(file, "figures", unchecked, nil, "conditions with levels or without values are not known here")
		return nil
	}
	n, err := f.readNetwork("")
	if err != nil {
		return err
	}
	j, err := f.judged(n, l)
	if err != nil {
		return err
	}
	f.near(file, "active_units", s["active_units"], j.active, 0)
	f.near(file, "kl_nats", s["kl_nats"], j.kl, single)
	f.near(file, "r2", s["r2"], j.r2, single)
	f.list(file, "kl_per_dimension", s, j.klPerDimension)
	f.list(file, "mean_variances", s, j.meanVariances)
	f.list(file, "code_means", s, j.codeMeans)
	f.list(file, "code_variances", s, j.codeVariances)
	f.near(file, "beta", s["beta"], n.beta(), 1e-9)
	p, d := l.components, n.document.Config.Latent
	f.near(file, "r2_pca", s["r2_pca"], p.r2(l.rows.heldOut, d), 1e-9)
	if err := f.checkLikelihoods(s, n, l); err != nil {
		return err
	}
	if l.conditional {
		f.add(file, "linear model, dispersions, control and orders", unchecked, nil,
			"those under conditions are not recomputed here: -rerun")
		return nil
	}
	linear, kept := p.linearR2(l.rows.heldOut, d, n.beta())
	f.near(file, "r2_linear", s["r2_linear"], linear, 1e-7)
	thresholds := slices.Clone(p.values)
	for k := range thresholds {
		thresholds[k] *= float64(len(thresholds)) / sum(p.values)
	}
	f.list(file, "thresholds", s, thresholds)
	if n.noise() == nil {
		kept = 0
	}
	f.equal(file, "predicted_units", s["predicted_units"], kept)
	if err := f.checkDispersions(ctx, s, n, l); err != nil {
		return err
	}
	f.equal(file, "health", s["health"], verdictOf(s, kept))
	return nil
}

// verdictOf is the verdict by diagnostics, whose log likelihood stands in a part.
func verdictOf(s map[string]any, kept int) string {
	figures := maps.Clone(s)
	evidence, _ := s["evidence"].(map[string]any)
	figures["log_likelihood_nats"] = evidence["log_likelihood"]
	return verdict(figures, kept)
}

// list compares an array of numbers of a network with those recomputed.
func (f *folder) list(file, item string, s map[string]any, want []float64) {
	stored, _ := s[item].([]any)
	if !f.equal(file, "length of "+item, len(stored), len(want)) {
		return
	}
	for k, x := range want {
		f.near(file, fmt.Sprintf("%s[%d]", item, k), stored[k], x, single)
	}
}

// checkLikelihoods estimates the evidence by noise of its own.
func (f *folder) checkLikelihoods(s map[string]any, n *network, l *learned) error {
	const file = "diagnostics.json"
	few := min(evidenceRows, len(l.rows.heldOut))
	var x, told [][]float64
	for i := range few {
		at := i * len(l.rows.heldOut) / few
		x = append(x, l.rows.heldOut[at])
		if l.told != nil {
			told = append(told, l.told[at])
		}
	}
	files := []string{"config.toml", "model.json", "model.safetensors"}
	e, err := recall(f, "likelihoods", files, func() (evidence, error) {
		return n.weighOften(x, told, evidenceCodes), nil
	})
	if err != nil {
		return err
	}
	stored, _ := s["evidence"].(map[string]any)
	f.equal(file, "evidence.rows", stored["rows"], few)
	f.equal(file, "evidence.samples", stored["samples"], evidenceCodes)
	f.within(file, "evidence.elbo", stored["elbo"], e.elbo, 5*math.Sqrt2*e.elboError)
	f.within(file, "evidence.log_likelihood", stored["log_likelihood"], e.likelihood, 5*math.Sqrt2*e.likelihoodError)
	if !l.conditional {
		linear := math.NaN()
		if n.noise() != nil {
			linear = l.components.logLikelihood(x, n.document.Config.Latent)
		}
		f.near(file, "log_likelihood_linear_nats", s["log_likelihood_linear_nats"], linear, 1e-8)
	}
	return nil
}

// weighOften weighs rows several times. Of a poor model a few codes have nearly all of
// the weight, and the spread within one estimate doesn't tell how far the next will be.
func (n *network) weighOften(rows, conditions [][]float64, codes int) evidence {
	const times = 8
	var bounds, likelihoods []float64
	var e evidence
	for k := range uint64(times) {
		one := n.weigh(rows, conditions, codes, 11+k)
		bounds, likelihoods = append(bounds, one.elbo), append(likelihoods, one.likelihood)
		e.elboError, e.likelihoodError = max(e.elboError, one.elboError), max(e.likelihoodError, one.likelihoodError)
	}
	e.elbo, e.likelihood = sum(bounds)/times, sum(likelihoods)/times
	e.elboError, e.likelihoodError = max(e.elboError, deviation(bounds)), max(e.likelihoodError, deviation(likelihoods))
	return e
}

// checkDispersions decodes the codes that the run drew from N(0, I) and from the
// mixture.
func (f *folder) checkDispersions(ctx context.Context, s map[string]any, n *network, l *learned) error {
	const file, count = "diagnostics.json", 5000
	files := []string{"config.toml", "model.json", "model.safetensors", "aggregate.json"}
	both, err := recall(f, "dispersions", files, func() ([2]float64, error) {
		var m mixture.Mixture
		text, err := f.read("aggregate.json")
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		d := n.document.Config.Latent
		if err != nil || m.Dim() != d {
			return [2]float64{}, fmt.Errorf("aggregate.json is no mixture in %d dimensions: %w", d, err)
		}
		normal := make([][]float64, count)
		rng := stream.New(l.config.Seed, "experiment.sweep.prior", 0)
		for i := range normal {
			for range d {
				normal[i] = append(normal[i], rng.NormFloat64())
			}
		}
		codes := mat.NewDense(count, d, nil)
		err = m.Draw(ctx, codes, stream.New(l.config.Seed, "experiment.sweep.posterior", 0))
		return [2]float64{dispersion(n.decodeAll(normal), l.rows.heldOut),
			dispersion(n.decodeAll(rowsOf(codes)), l.rows.heldOut)}, err
	})
	if err != nil {
		return err
	}
	f.near(file, "dispersion_prior", s["dispersion_prior"], both[0], single)
	f.near(file, "dispersion_posterior", s["dispersion_posterior"], both[1], single)
	return nil
}

// checkHealth compares the verdict that the folder keeps with the diagnostics.
func (f *folder) checkHealth(context.Context) error {
	const file = "health.json"
	l, err := f.learned()
	if err != nil {
		return err
	}
	if l == nil {
		f.equal(file, "of a model over sets", f.has(file), false)
		return nil
	}
	if !f.has("diagnostics.json") {
		f.add(file, "verdict", unchecked, nil, "no diagnostics that are known here stand beside it")
		return nil
	}
	s, err := f.object("diagnostics.json")
	if err != nil {
		return err
	}
	health, err := f.object(file)
	if err != nil {
		return err
	}
	f.equal(file, "all", health, map[string]any{"health": s["health"], "health_reasons": s["health_reasons"]})
	return nil
}

// checkCourse compares the course of the training with the schedule, the events and
// the network.
func (f *folder) checkCourse(context.Context) error {
	const file = "history.csv"
	l, err := f.learned()
	if err != nil {
		return err
	}
	if l == nil {
		return f.checkSetCourse()
	}
	if l.conditional {
		f.add(file, "course", unchecked, nil, "only that of a model without conditions is known here")
		return nil
	}
	h, err := f.history(file, l.config.Schedule.Patience)
	if err != nil {
		return err
	}
	n, err := f.readNetwork("")
	if err != nil {
		return err
	}
	f.checkSchedule(h, &l.config.Model, chosen(l.config.Schedule, h))
	at := slices.IndexFunc(h.Points, func(p vae.Point) bool { return p.Step == h.Step })
	if v := h.Points[at].Validation; v != nil {
		j, err := f.judged(n, l)
		if err != nil {
			return err
		}
		f.near(file, "validation_kl of the model", v.KL, j.kl, single)
	}
	return f.checkEvents("events.out.tfevents.0.vaefolio", h)
}
