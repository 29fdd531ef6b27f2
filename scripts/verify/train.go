package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
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
