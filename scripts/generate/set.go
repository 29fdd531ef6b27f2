package main

import (
	"slices"
	"strings"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// openSet loads a model over sets of assets and places it in the universe of the
// prices, whose symbols are put in alphabetical order: the same portfolios come out
// whatever order a file has them in.
func (j *job) openSet(backend *vae.Backend) (err error) {
	model, err := j.overSets(backend)
	if err != nil {
		return err
	}
	data, err := j.Prices.Load(j.io)
	if err != nil {
		return err
	}
	order := make([]int, len(data.Window.Symbols))
	for i := range order {
		order[i] = i
	}
	symbols := data.Window.Symbols
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(symbols[a], symbols[b]) })
	j.window = data.Window.Choose(order)
	j.symbols = j.window.Symbols
	if err := j.KeptConstraints.CheckHead(true); err != nil {
		return err
	}
	if j.set, err = j.KeptConstraints.Set(j.io, j.symbols, &simplex.Set{N: len(j.symbols)}); err != nil {
		return err
	}
	largest := 1.0
	if j.set.Upper != nil {
		largest = slices.Max(j.set.Upper)
	}
	u, err := universe.New(j.symbols, j.window.Returns, largest)
	if err != nil {
		return err
	}
	if j.trained, err = model.Of(u); err != nil {
		return err
	}
	j.io.Note("model: %s, over sets of assets, placed in %d assets over %d periods", model.Name, len(j.symbols),
		u.Periods)
	j.record = provenance{Mode: j.Mode, Seed: j.Seed, Backend: backend.Description(), Data: j.window.Hash(),
		Synthetic: data.Synthetic, Funding: j.window.Funded}
	if err := j.ask(); err != nil {
		return err
	}
	if j.generator, err = generate.New(j.trained.Network, j.set); err != nil {
		return err
	}
	if modes[j.Mode].prices || j.Prices.Prices != "" {
		if j.settings, err = j.Figures.Settings(j.io, j.window, 0); err != nil {
			return err
		}
	}
	j.record.ModelHash, err = j.trained.Hash()
	return err
}

// overSets loads the model.
func (j *job) overSets(backend *vae.Backend) (*trained.SetModel, error) {
	if j.config.Model == "" {
		return trained.BuiltIn(backend)
	}
	return trained.OpenSet(backend, j.config.Model)
}
