package main

import (
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// gather reads the prices of the assets that a model over sets is placed in, and the
// constraints on them.
func (j *job) gather() error {
	data, err := j.Prices.Load(j.io)
	if err != nil {
		return err
	}
	j.window = data.Window.Choose(universe.Order(data.Window.Symbols))
	j.symbols = j.window.Symbols
	if err := j.KeptConstraints.CheckHead(true); err != nil {
		return err
	}
	j.record = provenance{Mode: j.Mode, Seed: j.Seed, Data: j.window.Hash(), Synthetic: data.Synthetic,
		Funding: j.window.Funded}
	if j.set, err = j.KeptConstraints.Set(j.io, j.symbols, &simplex.Set{N: len(j.symbols)}); err != nil {
		return err
	}
	return j.hold()
}

// openSet loads a model over sets of assets and places it in the universe of the
// prices, whose symbols are put in alphabetical order: the same portfolios come out
// whatever order a file has them in.
func (j *job) openSet(backend *vae.Backend) (err error) {
	model, err := trained.OpenSet(backend, j.config.Model)
	if err != nil {
		return err
	}
	if j.trained, err = model.Place(j.window, j.set); err != nil {
		return err
	}
	j.io.Note("model: %s, over sets of assets, placed in %d assets over %d periods", model.Name, len(j.symbols),
		len(j.window.Times))
	j.record.Backend = backend.Description()
	if j.generator, err = generate.New(j.trained.Network, j.set); err != nil {
		return err
	}
	if modes[j.Mode].prices || j.Prices.Prices != "" || j.Mode == "condition" || j.Mode == "interpolate" {
		if j.settings, err = j.Figures.Settings(j.io, j.window, 0); err != nil {
			return err
		}
	}
	if j.record.ModelHash, err = j.trained.Hash(); err != nil {
		return err
	}
	return j.askSet()
}
