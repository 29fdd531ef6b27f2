package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// portfoliosAgain are portfolios that were made again, with what is said of them.
type portfoliosAgain struct {
	Order *trained.Order `json:"order,omitempty"`
	*generate.Search
	Rows []generate.Row `json:"portfolios,omitempty"`

	weights *mat.Dense
}

// madeAgain are the modes whose portfolios are made again by the same code: how a search
// or an order came to its codes, and what stands beside it, takes more than a few lines.
var madeAgain = map[string]bool{"sample": true, "condition": true, "latent": true}

// mostAgain is how many portfolios are made again at most: of more the record has none.
const mostAgain = 100_000

// checkPortfoliosAgain makes the portfolios again, and compares them and the record.
func (f *folder) checkPortfoliosAgain(ctx context.Context, c *generateConfig, set simplex.Set, ids []string,
	weights [][]float64) error {
	const file, about = "weights.csv", "provenance.json"
	if !madeAgain[c.Mode] || len(ids) == 0 || len(ids) > mostAgain {
		f.add(about, "made again", unchecked, nil, "-rerun makes portfolios of mode "+c.Mode+" again")
		return nil
	}
	files := []string{"config.toml"}
	made, err := recall(f, "portfolios again", files, func() (*portfoliosAgain, error) {
		backend, err := vae.Open(f.manifest.Backend)
		if err != nil {
			return nil, fmt.Errorf("the run was made on %s, which isn't here: %w", f.manifest.Backend, err)
		}
		defer backend.Close()
		return f.portfoliosAgain(ctx, backend, c, set)
	})
	if err != nil {
		f.add(about, "made again", unchecked, nil, err.Error())
		return nil
	}
	rows, n := made.weights.Dims()
	if !f.equal(file, "rows, made again", len(ids), rows) {
		return nil
	}
	for i, w := range weights {
		if len(w) != n || !slices.Equal(w, made.weights.RawRowView(i)) {
			f.add(file, ids[i]+", made again", differs, w, made.weights.RawRowView(i))
			return nil
		}
	}
	return f.sameFields(about, made)
}

// sameFields compares the fields of a file that a value has with the value's.
func (f *folder) sameFields(file string, value any) error {
	stored, err := f.object(file)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var again map[string]any
	if err := json.Unmarshal(text, &again); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(again)) {
		own, _ := again[name].([]any)
		theirs, _ := stored[name].([]any)
		if len(own) == 0 || len(own) != len(theirs) {
			f.equal(file, name+", made again", stored[name], again[name])
			continue
		}
		for i := range own {
			if !reflectEqual(theirs[i], own[i]) {
				f.add(file, fmt.Sprintf("%s[%d], made again", name, i), differs, theirs[i], own[i])
				return nil
			}
		}
		f.add(file, name+", made again", same, len(theirs), len(own))
	}
	return nil
}

// portfoliosAgain makes them as the generate verb does.
func (f *folder) portfoliosAgain(ctx context.Context, backend *vae.Backend, c *generateConfig, set simplex.Set) (
	*portfoliosAgain, error) {
	over, err := trained.OverSets(c.Model)
	if err != nil {
		return nil, err
	}
	var model *trained.Model
	var window *market.Window
	if over {
		data, err := f.load(&c.Prices)
		if err != nil {
			return nil, err
		}
		window = data.Window.Choose(universe.Order(data.Window.Symbols))
		network, err := trained.OpenSet(backend, c.Model)
		if err != nil {
			return nil, err
		}
		if model, err = network.Place(window, set); err != nil {
			return nil, err
		}
	} else {
		if model, err = trained.Open(backend, c.Model); err != nil {
			return nil, err
		}
		if c.Mode == "latent" || c.Prices.Prices != "" && (model.Conditional() || c.Mode == "condition") {
			prices := c.Prices
			prices.Symbols = model.Symbols()
			data, err := f.load(&prices)
			if err != nil {
				return nil, err
			}
			window = data.Window
		}
	}
	m := &maker{config: c, model: model, window: window, set: set}
	if window != nil {
		if m.settings, err = c.Figures.Settings(f.io, window, 0); err != nil {
			return nil, err
		}
	}
	if m.generator, err = generate.New(model.Network, set); err != nil {
		return nil, err
	}
	if c.Trading.Holdings != "" {
		if m.present, err = portfolio.ReadHeld(c.Trading.Holdings, model.Symbols()); err != nil {
			return nil, err
		}
	}
	made := new(portfoliosAgain)
	if made.Order, err = m.order(ctx, over); err != nil {
		return nil, err
	}
	return made, m.make(ctx, made, f.manifest.Seed)
}

// maker makes portfolios of a model as one mode does.
type maker struct {
	config    *generateConfig
	model     *trained.Model
	window    *market.Window // nil: nothing is learnt from prices
	settings  metrics.Settings
	set       simplex.Set
	generator *generate.Generator
	present   *portfolio.Held // what is held; nil: nobody has said
}

// order is what is asked for; nil: nothing.
func (m *maker) order(ctx context.Context, over bool) (*trained.Order, error) {
	c, quiet := m.config, func(string) {}
	if over && c.Mode == "condition" {
		sectors, err := c.KeptConstraints.SectorsOf(m.window.Symbols)
		if err != nil {
			return nil, err
		}
		return m.model.PickOrder(c.Wish, m.window, m.settings.PeriodsPerYear, sectors, quiet)
	}
	if !m.model.Conditional() {
		return nil, nil
	}
	wish, err := m.model.ParseWish(c.Wish)
	if err != nil {
		return nil, err
	}
	if c.Mode == "condition" {
		return m.model.Order(ctx, wish, m.window, quiet)
	}
	set, _, err := m.model.Donors.Constrain(m.set, wish)
	if err != nil {
		return nil, err
	}
	if m.generator, err = generate.New(m.model.Network, set); err != nil {
		return nil, err
	}
	order, err := m.model.Order(ctx, wish, m.window, quiet)
	if err != nil {
		return nil, err
	}
	m.generator, err = order.Under(m.generator)
	return order, err
}

// make fills in the portfolios.
func (m *maker) make(ctx context.Context, made *portfoliosAgain, seed uint64) error {
	c := m.config
	density, err := m.model.Density(c.Density)
	if err != nil {
		return err
	}
	var batch *generate.Batch
	var values []float64
	var achieved []map[string]float64
	switch count := c.count(); c.Mode {
	case "sample":
		batch, err = m.generator.Sample(ctx, count, density, seed)
	case "condition":
		settings := generate.OrderSettings{Seed: seed, Density: density, Draws: c.Draws, Rivals: true}
		if settings.Draws == 0 {
			settings.Draws = m.model.UsualDraws()
		}
		var over *metrics.Evaluator
		if m.window != nil {
			if over, err = metrics.NewEvaluator(m.window.Returns, m.settings); err != nil {
				return err
			}
		}
		batch, achieved, err = made.Order.Make(ctx, m.generator, count, settings, over)
	case "latent":
		made.Search, err = m.generator.Search(ctx, generate.Input{Returns: m.window.Returns, Metrics: m.settings,
			Starts: density, Seed: seed}, c.Search.For(count))
		if err == nil {
			batch, values = made.Search.Optimum.Top(count)
		}
	}
	if err != nil {
		return err
	}
	made.weights = batch.Weights
	made.Rows, err = m.generator.Rows(batch, 0, len(batch.Repair))
	for i := range made.Rows {
		if m.present != nil {
			turnover := m.present.Turnover(batch.Weights.RawRowView(i))
			made.Rows[i].Turnover = &turnover
		}
		if values != nil {
			made.Rows[i].Value = &values[i]
		}
		if achieved != nil {
			made.Rows[i].Achieved = achieved[i]
		}
	}
	return err
}
