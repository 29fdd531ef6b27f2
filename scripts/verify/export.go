package main

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// exportConfig is the configuration of the export verb.
type exportConfig struct {
	Model    string `flag:"model" help:"the folder of the model"`
	Universe string `flag:"universe" help:"whether a model over sets was placed"`
	cli.Prices
	cli.KeptConstraints
	cli.Output
	cli.Common
}

var exportChecks = []check{
	{"model.json", (*folder).checkExported},
	{"model.json", (*folder).checkExportAgain},
}

func (f *folder) exportConfig() (*exportConfig, error) {
	c, _, err := cli.Verb[exportConfig]{Name: "export", Default: exportConfig{Universe: "given"}}.
		ReadConfig(f.path("config.toml"))
	return c, err
}

// exported is the model.json of an export.
type exported struct {
	Symbols []string `json:"symbols"`
	Network struct {
		Assets     int     `json:"assets"`
		Latent     int     `json:"latent"`
		Hidden     []int   `json:"hidden"`
		Activation string  `json:"activation"`
		Head       string  `json:"head"`
		MaxWeight  float64 `json:"max_weight"`
		Likelihood string  `json:"likelihood"`
	} `json:"network"`
	Scaling struct {
		Mean      []float64 `json:"mean"`
		Variance  float64   `json:"variance"`
		Variances []float64 `json:"decoder_variances"`
	} `json:"scaling"`
	Densities map[string]json.RawMessage `json:"densities"`
	Health    json.RawMessage            `json:"health"`
	Donors    json.RawMessage            `json:"donors"`
	Files     map[string]string          `json:"files"`
}

// checkExported compares what an export says with the model of given assets that it is
// of, and its files with their hashes.
func (f *folder) checkExported(context.Context) error {
	const file = "model.json"
	c, err := f.exportConfig()
	if err != nil {
		return err
	}
	var e exported
	if err := f.json(file, &e); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(e.Files)) {
		text, err := f.read(name)
		if err != nil {
			return err
		}
		f.equal(file, "hash of "+name, e.Files[name], sha(text))
	}
	model := &folder{dir: c.Model, io: f.io, memo: f.memo, manifest: &run.Manifest{Verb: "train"}}
	if c.Model == "" || model.has(setFile) {
		return nil // made again below
	}
	n, err := model.readNetwork("")
	if err != nil {
		return err
	}
	d := n.document
	f.equal(file, "symbols", e.Symbols, d.Symbols)
	f.equal(file, "network", e.Network, map[string]any{"assets": d.Config.Assets, "latent": d.Config.Latent,
		"hidden": d.Config.Hidden, "activation": d.Config.Activation, "head": d.Config.Head,
		"max_weight": d.Config.MaxWeight, "likelihood": d.Config.Likelihood})
	f.equal(file, "mean", e.Scaling.Mean, d.Mean)
	f.equal(file, "variance", e.Scaling.Variance, d.Variance)
	if noise := n.noise(); noise != nil {
		f.all(file, "decoder_variances", d.Symbols, e.Scaling.Variances, noise, single)
	}
	for name, part := range map[string]json.RawMessage{"aggregate.json": e.Densities["aggregate"],
		"conditional.json": e.Densities["conditional"], "neighbours.json": e.Densities["neighbours"],
		"health.json": e.Health, "donors.json": e.Donors} {
		text, err := readOptional(filepath.Join(c.Model, name))
		if err != nil {
			return err
		}
		f.equal(file, "what "+name+" has", repeats(part, text), true)
	}
	own, err := f.read("model.safetensors")
	if err != nil {
		return err
	}
	theirs, err := model.read("model.safetensors")
	if err != nil {
		return err
	}
	f.equal("model.safetensors", "that of the model", sha(own), sha(theirs))
	f.equal(manifestFile, "data_hash", f.manifest.Data, sha(theirs))
	return nil
}

// repeats says whether a part of a document has all that a file has; null where there
// is none.
func repeats(part, text []byte) bool {
	var own, theirs map[string]any
	if part != nil && json.Unmarshal(part, &own) != nil || text != nil && json.Unmarshal(text, &theirs) != nil {
		return false
	}
	for name, value := range theirs {
		if !reflectEqual(own[name], value) {
			return false
		}
	}
	return (own == nil) == (theirs == nil)
}

// checkExportAgain exports the model again, and compares the bytes.
func (f *folder) checkExportAgain(context.Context) error {
	made, err := recall(f, "exported again", []string{"config.toml"}, f.exportAgain)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if err := f.sameBytes(name, made[name]); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) exportAgain() (map[string][]byte, error) {
	c, err := f.exportConfig()
	if err != nil {
		return nil, err
	}
	backend, err := vae.Open("go")
	if err != nil {
		return nil, err
	}
	defer backend.Close()
	export, err := f.exporter(c, backend)
	if err != nil {
		return nil, err
	}
	return written(export)
}

// exporter opens what was exported.
func (f *folder) exporter(c *exportConfig, backend *vae.Backend) (func(dir string) error, error) {
	over, err := trained.OverSets(c.Model)
	if err != nil {
		return nil, err
	}
	if !over {
		model, err := trained.Open(backend, c.Model)
		if err != nil {
			return nil, err
		}
		set, err := c.KeptConstraints.Set(f.io, model.Symbols(), model.Set)
		model.Set = &set
		return model.Export, err
	}
	network, err := trained.OpenSet(backend, c.Model)
	if err != nil || c.Universe == "any" {
		return network.Export, err
	}
	data, err := f.load(&c.Prices)
	if err != nil {
		return nil, err
	}
	window := data.Window.Choose(universe.Order(data.Window.Symbols))
	set, err := c.KeptConstraints.Set(f.io, window.Symbols, &simplex.Set{N: len(window.Symbols)})
	if err != nil {
		return nil, err
	}
	model, err := network.Place(window, set)
	if err != nil {
		return nil, err
	}
	model.TrainedTo = window.Times[len(window.Times)-1]
	return model.Export, nil
}
