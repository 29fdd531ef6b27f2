package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/corpus"
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
	Asked      bool   `flag:"asked" help:"whether the model over sets is told what is asked"`
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
	{"aggregate.json", (*folder).checkMadeAgain},
}

// learned is what a model was trained on.
type learned struct {
	config      *trainConfig
	rows        rows
	told        rows // what the model is told of the portfolios, by row; none without conditions
	conditional bool
	hash        string
	symbols     []string
	components  *components
}

// learned reads the files that the configuration names; nil for a model over sets.
func (f *folder) learned() (*learned, error) {
	return recall(f, "learned", []string{"config.toml", f.inModel("model.json")}, func() (*learned, error) {
		c, err := f.trainConfig()
		if err != nil || c.Corpus != "" {
			return nil, err
		}
		l := &learned{config: c, conditional: c.Conditions != ""}
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
		l.rows = dealt(rowsOf(p.Weights), held)
		l.components = principal(l.rows.training)
		if !l.conditional {
			return l, nil
		}
		conditions, err := run.HashFile(c.Conditions)
		if err != nil {
			return nil, err
		}
		l.hash = hashParts([]byte(l.hash), []byte(conditions))
		return l, f.readTold(l, p, held)
	})
}

// trainConfig reads the configuration of a training.
func (f *folder) trainConfig() (*trainConfig, error) {
	if f.manifest.Verb == "sweep" {
		return f.sweptTraining()
	}
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
	records, err := records(path)
	if err != nil {
		return nil, err
	}
	cells := map[string]string{}
	k := slices.Index(records[0], name)
	if k < 0 {
		return nil, fmt.Errorf("%s has no column %s", path, name)
	}
	for _, record := range records {
		cells[record[0]] = record[k]
	}
	return cells, nil
}

// header is the first line of a CSV file.
func header(path string) ([]string, error) {
	records, err := records(path)
	if err != nil {
		return nil, err
	}
	return records[0], nil
}

// records are the lines of a CSV file, of which there are some.
func records(path string) ([][]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err == nil && len(records) == 0 {
		err = errors.New("no header")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return records, nil
}

// checkTrained compares the model's description with what it was trained on.
func (f *folder) checkTrained(context.Context) error {
	file := f.inModel("model.json")
	l, err := f.learned()
	if err != nil {
		return err
	}
	if l == nil {
		return f.checkSet()
	}
	if f.manifest.Verb == "train" {
		f.equal(manifestFile, "data_hash", f.manifest.Data, l.hash)
	}
	n, err := f.readNetwork(f.modelDir())
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
	f.equal(file, "version", n.document.Version, 1)
	limit := c.MaxWeight
	if d.Head == "capped" && limit == 0 {
		limit = 1
	}
	f.equal(file, "max_weight", d.MaxWeight, limit)
	f.equal(file, "backend", n.document.Backend, f.manifest.Backend)
	p := l.components
	f.all(file, "mean", n.document.Symbols, n.document.Mean, p.mean, 1e-12)
	f.near(file, "variance", n.document.Variance, sum(p.values)/float64(len(p.values)), 1e-12)
	if err := f.checkData(n, l); err != nil {
		return err
	}
	tensors, err := f.read(f.inModel("model.safetensors"))
	if err != nil {
		return err
	}
	f.equal(file, "tensors_hash", n.document.Tensors, sha(tensors))
	return f.checkCompany(n, l)
}

// checkData compares the hash of what the network learned from, and what it is told.
func (f *folder) checkData(n *network, l *learned) error {
	file := f.inModel("model.json")
	if !l.conditional {
		f.equal(file, "data_hash", n.document.Data, hashRows(l.rows.training, l.rows.heldOut))
		return nil
	}
	measures, err := corpus.ReadMeasures(l.config.Conditions, len(l.symbols))
	if err != nil {
		return err
	}
	text, err := json.Marshal(measures)
	if err != nil {
		return err
	}
	f.equal(file, "data_hash", n.document.Data, sha(slices.Concat(bytesOf(l.rows.training, l.rows.heldOut),
		bytesOf(l.told.training, l.told.heldOut), text, []byte("\n"))))
	return f.checkTold(n, l)
}

// checkCompany compares what lies beside the network with the training set: the
// constraints, the end of its prices, and what conditions are filled from.
func (f *folder) checkCompany(n *network, l *learned) error {
	beside := filepath.Dir(l.config.Weights)
	constraints, err := readOptional(filepath.Join(beside, "constraints.json"))
	if err != nil {
		return err
	}
	if file := f.inModel("constraints.json"); f.has(file) && constraints != nil {
		own, err := f.read(file)
		if err != nil {
			return err
		}
		f.equal(file, "those of the training portfolios", sameJSON(own, constraints), true)
	}
	if file := f.inModel("times.json"); f.has(file) {
		own, err := f.object(file)
		if err != nil {
			return err
		}
		var summary struct {
			To string `json:"to"`
		}
		text, err := readOptional(filepath.Join(beside, "corpus.json"))
		if err == nil && text != nil {
			err = json.Unmarshal(text, &summary)
		}
		if err != nil {
			return err
		}
		f.equal(file, "all", own, map[string]any{"to": summary.To})
	}
	if !l.conditional {
		return nil
	}
	if err := f.checkDonors(n, l); err != nil {
		return err
	}
	return f.checkNearby(n, l)
}

// checkDonors compares the portfolios that fill what an order leaves open with the
// training portfolios.
func (f *folder) checkDonors(n *network, l *learned) error {
	file := f.inModel("donors.json")
	var donors struct {
		Names    []string    `json:"names"`
		Rows     [][]float64 `json:"rows"`
		Measures []measure   `json:"measures"`
		Weights  [][]float64 `json:"weights"`
	}
	if err := f.json(file, &donors); err != nil {
		return err
	}
	measures, err := readMeasures(l.config.Conditions)
	if err != nil {
		return err
	}
	var names []string
	var own []measure
	for _, c := range n.document.Config.Conditions {
		names = append(names, c.Name)
		if m, known := measures[c.Name]; known {
			own = append(own, m)
		}
	}
	f.equal(file, "names", donors.Names, names)
	f.equal(file, "measures", donors.Measures, own)
	if len(donors.Rows) == 0 || len(donors.Rows) > len(l.told.training) {
		return fmt.Errorf("%s has %d rows of %d", file, len(donors.Rows), len(l.told.training))
	}
	f.equal(file, "rows", donors.Rows, evenly(l.told.training, len(donors.Rows)))
	if donors.Weights != nil {
		f.equal(file, "weights", donors.Weights, evenly(l.rows.training, len(donors.Rows)))
	}
	return nil
}

// judged judges the network by the rows held out.
func (f *folder) judged(n *network, l *learned) (*judgement, error) {
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	return recall(f, "judged", files, func() (*judgement, error) {
		return n.judge(l.rows.heldOut, l.told.heldOut, l.components.mean), nil
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
	n, err := f.readNetwork(f.modelDir())
	if err != nil {
		return err
	}
	j, err := f.judged(n, l)
	if err != nil {
		return err
	}
	f.list(file, "kl_per_dimension", s, j.klPerDimension)
	f.list(file, "mean_variances", s, j.meanVariances)
	f.list(file, "code_means", s, j.codeMeans)
	f.list(file, "code_variances", s, j.codeVariances)
	f.near(file, "beta", s["beta"], n.beta(), 1e-9)
	m, err := f.linear(n, l)
	if err != nil {
		return err
	}
	f.equal(file, "predicted_units", s["predicted_units"], m.predicted)
	if err := f.checkLikelihoods(s, n, l, m); err != nil {
		return err
	}
	if l.conditional && s["orders"] != nil {
		var orders any
		if err := f.json("orders.json", &orders); err != nil {
			return err
		}
		f.equal("orders.json", "those of diagnostics.json", orders, s["orders"])
	}
	return f.checkQuality(ctx, file, s, n, l)
}

// checkQuality recomputes the figures that a verdict goes by, and the verdict.
func (f *folder) checkQuality(ctx context.Context, file string, s map[string]any, n *network, l *learned) error {
	j, err := f.judged(n, l)
	if err != nil {
		return err
	}
	m, err := f.linear(n, l)
	if err != nil {
		return err
	}
	f.near(file, "active_units", s["active_units"], j.active, 0)
	f.near(file, "kl_nats", s["kl_nats"], j.kl, single)
	f.near(file, "r2", s["r2"], j.r2, single)
	f.near(file, "r2_pca", s["r2_pca"], l.components.r2(l.rows.heldOut, n.document.Config.Latent), 1e-9)
	f.near(file, "r2_linear", s["r2_linear"], m.r2, m.tolerance)
	f.list(file, "thresholds", s, m.thresholds)
	if err := f.checkDispersions(ctx, file, s, n, l); err != nil {
		return err
	}
	if l.conditional {
		if err := f.checkControl(ctx, file, s, n, l); err != nil {
			return err
		}
	}
	f.equal(file, "health", s["health"], verdictOf(s, m.predicted))
	f.equal(file, "health_reasons", s["health_reasons"], reasons(figuresOf(s), n.document.Config.Latent, m.predicted))
	return nil
}

// linearModel is what a linear model of the rows comes to, given their conditions
// where there are any.
type linearModel struct {
	r2, tolerance, logLikelihood float64
	thresholds                   []float64
	predicted                    int // units that it would keep
}

func (f *folder) linear(n *network, l *learned) (*linearModel, error) {
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	return recall(f, "linear", files, func() (*linearModel, error) {
		p, x, d := l.components, l.rows.heldOut, n.document.Config.Latent
		variance := sum(p.values) / float64(len(p.values))
		m := &linearModel{tolerance: 1e-7, logLikelihood: math.NaN()}
		if l.conditional {
			r := regress(n, l.rows.training, l.told.training)
			p, x = principal(r.residuals(l.rows.training, l.told.training)), r.residuals(x, l.told.heldOut)
			m.tolerance = single
		}
		var total float64
		for _, row := range l.rows.heldOut {
			total += squared(row, l.components.mean)
		}
		m.r2, m.predicted = p.shrunkR2(x, total, n.beta()*variance, d)
		if n.noise() == nil {
			m.predicted = 0
		} else {
			m.logLikelihood = p.logLikelihood(evenly(x, min(evidenceRows, len(x))), d)
		}
		for _, v := range p.values {
			m.thresholds = append(m.thresholds, max(0, v/variance))
		}
		return m, nil
	})
}

// figuresOf are diagnostics with the log likelihood, which stands in a part of them,
// among the others.
func figuresOf(s map[string]any) map[string]any {
	figures := maps.Clone(s)
	evidence, _ := s["evidence"].(map[string]any)
	figures["log_likelihood_nats"] = evidence["log_likelihood"]
	return figures
}

// verdictOf is the verdict by diagnostics.
func verdictOf(s map[string]any, kept int) string { return verdict(figuresOf(s), kept) }

// reasons are those of the verdict, or the praise, by the figures of d units.
func reasons(s map[string]any, d, predicted int) (all []string) {
	value := func(name string) float64 {
		if x, known := s[name].(float64); known {
			return x
		}
		return math.NaN()
	}
	say := func(when bool, format string, arguments ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, arguments...))
		}
	}
	active, r2, linear := value("active_units"), value("r2"), value("r2_linear")
	own, other := value("log_likelihood_nats"), value("log_likelihood_linear_nats")
	posterior, prior := value("dispersion_posterior"), value("dispersion_prior")
	say(active == 0, "None of %d latent units is active, so every portfolio that the model makes is the same.", d)
	say(active > 0 && 2*active < float64(predicted),
		"Of %d latent units %.0f are active, where the data would keep %d at this beta.", d, active, predicted)
	say(r2 < linear-0.005, "R2 is %.3f, and a linear model of the same beta and dimensions has %.3f.", r2, linear)
	say(own < other, "Held-out portfolios have a log likelihood of %.2f nats, and of %.2f under a linear model.", own,
		other)
	say(posterior < 0.8, "What the model makes varies %.2f times as much as held-out portfolios, less than 0.80.",
		posterior)
	say(prior < 0.5, "What it makes of codes from N(0, I) varies %.2f times as much as held-out portfolios, less than "+
		"0.50.", prior)
	say(r2 < 0.75*value("r2_pca"), "R2 is %.3f, below three quarters of the %.3f of %d principal components.", r2,
		value("r2_pca"), d)
	if len(all) > 0 {
		return all
	}
	praise := fmt.Sprintf("%.0f of %d latent units are active, R2 is %.3f beside a linear model's %.3f", active, d, r2,
		linear)
	if !math.IsNaN(own) && !math.IsNaN(other) {
		praise += fmt.Sprintf(", the log likelihood %.1f nats beside %.1f", own, other)
	}
	if !math.IsNaN(posterior) {
		praise += fmt.Sprintf(", and what it makes varies %.2f times as much as held-out portfolios", posterior)
	}
	return []string{praise + "."}
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
func (f *folder) checkLikelihoods(s map[string]any, n *network, l *learned, m *linearModel) error {
	const file = "diagnostics.json"
	few := min(evidenceRows, len(l.rows.heldOut))
	files := []string{"config.toml", "model.json", "model.safetensors"}
	e, err := recall(f, "likelihoods", files, func() (evidence, error) {
		var told [][]float64
		if l.conditional {
			told = evenly(l.told.heldOut, few)
		}
		return n.weighOften(evenly(l.rows.heldOut, few), told, evidenceCodes), nil
	})
	if err != nil {
		return err
	}
	stored, _ := s["evidence"].(map[string]any)
	f.equal(file, "evidence.rows", stored["rows"], few)
	f.equal(file, "evidence.samples", stored["samples"], evidenceCodes)
	f.within(file, "evidence.elbo", stored["elbo"], e.elbo, 5*math.Sqrt2*e.elboError)
	f.within(file, "evidence.log_likelihood", stored["log_likelihood"], e.likelihood, 5*math.Sqrt2*e.likelihoodError)
	f.near(file, "log_likelihood_linear_nats", s["log_likelihood_linear_nats"], m.logLikelihood, max(1e-8, m.tolerance))
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
// density that it fitted, under conditions that training portfolios have.
func (f *folder) checkDispersions(ctx context.Context, file string, s map[string]any, n *network, l *learned) error {
	const count = 5000
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors"),
		f.inModel("aggregate.json"), f.inModel("neighbours.json")}
	both, err := recall(f, "dispersions", files, func() (both [2]float64, err error) {
		seed := l.config.Seed
		var asked [][]float64
		if l.conditional {
			asked = n.loosened(evenly(l.told.training, count), seed)
		}
		prior := n.normal(count, stream.New(seed, "experiment.sweep.prior", 0))
		codes, err := f.fitted(ctx, n, count, asked, stream.New(seed, "experiment.sweep.posterior", 0))
		if err != nil {
			return both, err
		}
		return [2]float64{dispersion(n.decodeGiven(prior, asked), l.rows.heldOut),
			dispersion(n.decodeGiven(codes, asked), l.rows.heldOut)}, nil
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
	h, err := f.history(file, l.config.Schedule.Patience)
	if err != nil {
		return err
	}
	n, err := f.readNetwork(f.modelDir())
	if err != nil {
		return err
	}
	model := l.config.Model
	if model.Control = 0; l.conditional {
		model.Control = l.config.Control
		model.Conditions = make([]vae.Condition, len(n.document.Config.Conditions))
	}
	f.checkSchedule(h, &model, chosen(l.config.Schedule, h))
	at := slices.IndexFunc(h.Points, func(p vae.Point) bool { return p.Step == h.Step })
	bounded := false // by noise of the training's own, which the losses are under
	for _, c := range n.document.Config.Conditions {
		bounded = bounded || c.Cap
	}
	if v := h.Points[at].Validation; v != nil && !bounded {
		j, err := f.judged(n, l)
		if err != nil {
			return err
		}
		f.near(file, "validation_kl of the model", v.KL, j.kl, single)
	}
	return f.checkEvents(f.inModel("events.out.tfevents.0.vaefolio"), h)
}
